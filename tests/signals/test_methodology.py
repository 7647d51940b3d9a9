"""A release that scores otherwise: every vendor is scored again under both versions, and nobody is notified of a
fall.
"""

from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.watching import DOMAIN, watching
from vendorrisk.background import JobContext
from vendorrisk.evaluation.model import SignalFactor
from vendorrisk.evaluation.rules import FACTOR_WEIGHTS, MODEL_VERSION
from vendorrisk.lab.world import good_vendor, good_zone
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


def release_another(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Let e-mail weigh nearly everything, under another version."""
    weights = {factor: 90 if factor is SignalFactor.EMAIL else 1 for factor in FACTOR_WEIGHTS}
    monkeypatch.setattr("vendorrisk.evaluation.score.FACTOR_WEIGHTS", MappingProxyType(weights))
    for module in ("evaluation.score", "signals.reconcile", "signals.service"):
        monkeypatch.setattr(f"vendorrisk.{module}.MODEL_VERSION", version)


async def test_every_vendor_is_scored_again_with_both_numbers_and_nobody_is_notified(
    context: JobContext, client: Client, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = {**good_zone(), **good_zone("other.test", "127.0.0.9")}
    zone[DOMAIN, "TXT"] = ['"v=spf1 +all"']
    del zone[f"_dmarc.{DOMAIN}", "TXT"]
    async with watching(context, client, clock, zone) as on:
        await good_vendor(on.internet, "other.test", "127.0.0.9")
        vendors = [await on.vendor("Acme"), await on.vendor("Other")]
        for vendor, name in zip(vendors, (DOMAIN, "other.test"), strict=True):
            await on.attach(vendor, name)
        await on.confirmed()
        clock.advance(minutes=16)
        await on.run()
        before = [await on.score(vendor) for vendor in vendors]
        notified = await on.notified()
        release_another(monkeypatch, "2.0.0")
        clock.advance(days=1, hours=1)
        while await jobs.reconcile_vendors(context):
            pass
        after = [await on.score(vendor) for vendor in vendors]
        assert [(s["model_version"], s["reason"]) for s in after] == [("2.0.0", "model")] * 2
        assert [s["previous_number"] for s in after] == [s["number"] for s in before]
        assert {s["previous_model_version"] for s in after} == {MODEL_VERSION}
        assert after[0]["number"] <= before[0]["number"] - 5, "it would be a fall worth an alert"
        for _ in range(3):
            clock.advance(minutes=20)
            await on.run()
        assert await on.notified() == notified
        assert (await on.score(vendors[0]))["reason"] == "model", "once"


async def test_a_score_of_an_earlier_release_says_by_what_it_was_made(
    context: JobContext, client: Client, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        past = await on.score(vendor)
        release_another(monkeypatch, "2.0.0")
        replayed = await client.get(f"/v1/signal-scores/{past['id']}/replay")
        assert (replayed.status_code, replayed.json()["code"]) == (409, "score_not_replayable")
        assert (await client.get(f"/v1/signal-scores/{past['id']}")).json()["number"] == past["number"]
