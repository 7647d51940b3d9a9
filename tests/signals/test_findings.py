"""Findings from external signals that grow worse, are suppressed, or belong to nobody any more."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.evaluation.rules import MODEL_VERSION, RULES
from vendorrisk.lab.dns import Behaviour
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def senders(on: Watching, qualifier: str) -> None:
    """Let the domain's SPF record end so, and have it confirmed."""
    on.internet.dns.zone[DOMAIN, "TXT"] = [f'"v=spf1 mx include:_spf.mail.test {qualifier}all"']
    on.clock.advance(days=1, hours=13)
    await on.confirmed()


async def spf(on: Watching) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        f for f in await on.findings() if "senders" in f["title"] or "may send" in f["title"]
    ]
    assert len(found) == 1, [f["title"] for f in await on.findings()]
    return found[0]


async def test_a_finding_that_grows_more_severe_is_raised_dated_anew_and_notified(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await senders(on, "?")
        mild = await spf(on)
        assert (mild["severity"], mild["state"]) == ("medium", "open")
        assert [kind for kind, _ in await on.notified()] == []
        await senders(on, "+")
        severe = await spf(on)
        assert (severe["id"], severe["severity"], severe["state"]) == (mild["id"], "high", "open")
        rule = RULES["email.spf_all"]
        for finding in (mild, severe):
            assert finding["description"] == f"Expected: {rule.observes}\n\n{rule.remedy}"
        assert severe["title"] != mild["title"]
        assert severe["due_on"] == (clock() + timedelta(days=30)).date().isoformat() < mild["due_on"]
        assert [kind for kind, _ in await on.notified()].count("signal_finding") == 1
        for qualifier in ("?", "+"):
            await senders(on, qualifier)
        assert (await spf(on))["due_on"] == severe["due_on"], "as severe as it was: nothing begins anew"
        assert [kind for kind, _ in await on.notified()].count("signal_finding") == 1


async def test_a_finding_that_comes_back_more_severe_than_it_went_is_raised(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await senders(on, "?")
        mild = await spf(on)
        await senders(on, "-")
        assert (await spf(on))["state"] == "remediated"
        await senders(on, "+")
        back = await spf(on)
        assert (back["id"], back["state"], back["severity"]) == (mild["id"], "open", "high")


@pytest.mark.parametrize("state", ["accepted", "false_positive"])
async def test_what_a_person_suppressed_stays_so_though_it_grows_more_severe(
    context: JobContext, client: Client, clock: FakeClock, state: str
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await senders(on, "?")
        finding = await spf(on)
        body = {"to": state, "reason": "Known to us."}
        if state == "accepted":
            body["until_on"] = (clock().date() + timedelta(days=90)).isoformat()
        place = f"/v1/findings/{finding['id']}"
        transitioned = await client.post(f"{place}/transitions", body, etag=(await client.get(place)).headers["etag"])
        assert transitioned.status_code == 200, transitioned.text
        await senders(on, "+")
        assert ((await spf(on))["state"], (await spf(on))["severity"]) == (state, "medium")
        assert [kind for kind, _ in await on.notified()].count("signal_finding") == 0


async def test_a_severity_that_a_person_gave_is_not_taken_back_while_the_signal_says_the_same(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await senders(on, "+")
        finding = await spf(on)
        place = f"/v1/findings/{finding['id']}"
        changed = await client.patch(place, {"severity": "low"}, etag=(await client.get(place)).headers["etag"])
        assert changed.status_code == 200, changed.text
        clock.advance(days=2)
        await on.confirmed()
        assert (await spf(on))["severity"] == "low"


async def test_a_finding_shows_the_observations_it_rests_on_and_the_rule_that_evaluated_them(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        await senders(on, "?")
        opened_at = clock()
        await senders(on, "+")
        finding = await spf(on)
        response = await client.get(f"/v1/findings/{finding['id']}/signal")
        assert response.status_code == 200, response.text
        shown = response.json()
        assert (shown["rule"], shown["asset_name"], shown["vendor_id"]) == ("email.spf_all", DOMAIN, vendor)
        assert (shown["criteria"], shown["model_version"]) == (["CC6.6"], MODEL_VERSION)
        assert shown["remedy"] == RULES["email.spf_all"].remedy
        assert (shown["verdict"], shown["evidence"]["qualifier"]) == ("fail", "+")
        assert datetime.fromisoformat(shown["first_seen_at"]) == opened_at
        assert datetime.fromisoformat(shown["last_seen_at"]) == clock()
        assert shown["gone_at"] is None
        for one, said in zip(shown["observation_ids"], ("?all", "+all"), strict=True):
            assert said in str((await client.get(f"/v1/signal-observations/{one}")).json()["observation"])
        assert (await other_company.client.get(f"/v1/findings/{finding['id']}/signal")).status_code == 404
        await senders(on, "-")
        gone = (await client.get(f"/v1/findings/{finding['id']}/signal")).json()
        assert datetime.fromisoformat(gone["gone_at"]) == clock()
        body = {"vendor_id": vendor, "title": "Found by hand", "severity": "low"}
        by_hand = (await client.post("/v1/findings", body)).json()["id"]
        assert (await client.get(f"/v1/findings/{by_hand}/signal")).status_code == 404


async def test_a_dispute_and_its_end_show_in_the_score_within_minutes(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        await senders(on, "+")
        counted = await on.score(vendor)
        place = f"/v1/findings/{(await spf(on))['id']}"
        until = (clock().date() + timedelta(days=30)).isoformat()
        for body, suppressed in (
            ({"to": "disputed", "reason": "The vendor says no.", "until_on": until}, ["email.spf_all"]),
            ({"to": "open"}, []),
            ({"to": "false_positive", "reason": "It is a test domain."}, ["email.spf_all"]),
        ):
            transitioned = await client.post(
                f"{place}/transitions", body, etag=(await client.get(place)).headers["etag"]
            )
            assert transitioned.status_code == 200, transitioned.text
            clock.advance(minutes=1)
            assert await jobs.reconcile_vendors(context) == 1
            shown = await on.score(vendor)
            assert [d["rule"] for d in shown["suppressed"]] == suppressed
            assert (shown["number"] > counted["number"]) is bool(suppressed)
            assert await jobs.reconcile_vendors(context) == 0, "and nothing more"


async def remediate(on: Watching, finding: dict[str, Any], to: str = "remediated") -> None:
    place = f"/v1/findings/{finding['id']}"
    body = {"to": to, "reason": "The vendor says so."}
    transitioned = await on.client.post(f"{place}/transitions", body, etag=(await on.client.get(place)).headers["etag"])
    assert transitioned.status_code == 200, transitioned.text


async def test_what_a_person_calls_remediated_stands_again_once_a_scan_still_sees_it(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await senders(on, "+")
        finding = await spf(on)
        clock.advance(minutes=5)
        await remediate(on, finding)
        await on.run()
        assert (await spf(on))["state"] == "remediated", "nothing was scanned since"
        clock.advance(days=2)
        await on.run()
        again = await spf(on)
        assert (again["id"], again["state"], again["times_reopened"]) == (finding["id"], "open", 1)
        assert [kind for kind, _ in await on.notified()].count("signal_finding") == 2
        clock.advance(days=2)
        await on.run()
        assert (await spf(on))["times_reopened"] == 1
        await senders(on, "-")
        assert (await spf(on))["state"] == "remediated"


async def test_what_a_person_calls_remediated_stays_so_where_it_was_or_cannot_be_seen(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await senders(on, "+")
        await remediate(on, await spf(on))
        on.internet.dns.zone[DOMAIN, "TXT"] = Behaviour.SERVFAIL
        for _ in range(3):
            clock.advance(days=1)
            await on.run()
            assert (await spf(on))["state"] == "remediated", "what is not seen disproves nothing"
        await senders(on, "-")
        assert ((await spf(on))["state"], (await spf(on))["times_reopened"]) == ("remediated", 0)
