"""`vendorrisk demo`: what it fills, what it sends, and that a second run changes nothing."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from tests.conftest import FakeClock, client_of
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.demo import monday
from vendorrisk.demo.fiction import VENDORS, cast

pytestmark = pytest.mark.anyio


async def _run(context: JobContext) -> str:
    out = io.StringIO()
    await monday.run(context, Console(file=out, width=120))
    return out.getvalue()


async def test_the_demo_fills_a_tenant_and_its_monday_is_notified_once(
    api: Api, context: JobContext, clock: FakeClock, capsys: pytest.CaptureFixture[str], owner: Any
) -> None:
    said = await _run(context)
    sent = capsys.readouterr().out
    key = re.search(r"vr_key_\w+", said)
    assert key is not None
    client = client_of(api, key[0])
    vendors = await client.items("/v1/vendors", limit=200)
    assert len(vendors) == VENDORS
    states = {row["state"] for row in await client.items("/v1/soc2-coverage", limit=200)}
    assert states == {"covered", "bridged", "in_reliance", "partial", "lapsed", "not_relied_on"}
    lifecycles = {v["lifecycle"] for v in vendors}
    assert lifecycles == {"prospect", "onboarding", "active", "suspended", "offboarding", "terminated"}
    classes = {a["alert_class"] for a in await client.items("/v1/alerts", limit=200)}
    assert classes == {"evidence_expiring", "coverage_gap", "review_due", "finding_due"}
    deliveries = await client.items("/v1/deliveries", limit=200)
    assert {d["state"] for d in deliveries} == {"sent"}
    assert sent == "", "no message goes past the summary"
    assert f"{len(deliveries)} messages, the 10 most severe" in said
    assert said.count("What to do: ") == 10
    assert f"and {len(deliveries) - 10} more" in said
    assert len(said.splitlines()) < 100, "as much as a person reads on a Monday"
    assert await owner.fetchval("select count(*) from deliveries") == len(deliveries)


async def test_a_second_run_changes_nothing_and_sends_nothing(
    context: JobContext, owner: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await _run(context)
    capsys.readouterr()
    before = await owner.fetchval("select count(*) from audit_entries")
    said = await _run(context)
    assert "Nothing was changed" in said
    assert capsys.readouterr().out == ""
    assert await owner.fetchval("select count(*) from audit_entries") == before
    assert await owner.fetchval("select count(*) from tenants") == 1


def test_the_fiction_is_the_same_for_the_same_day_and_lives_on_example_domains(clock: FakeClock) -> None:
    today = clock().date()
    people = list(cast(today))
    assert people == list(cast(today))
    assert len({p.name for p in people}) == len(people) == VENDORS
    assert all(p.domain.endswith(".example") for p in people)
