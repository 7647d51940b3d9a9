"""From an attached domain to states, score, findings and messages, through routes and jobs."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.signals.watching import DOMAIN, watching
from vendorrisk.background import JobContext
from vendorrisk.lab import pki
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import good_zone
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def test_a_good_vendor_is_seen_whole_and_scored_a(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor, is_primary=True)
        assert await on.run() == 7
        found = await on.signals(vendor)
        assert {rule: s["verdict"] for rule, s in found.items() if s["verdict"] in {"warn", "fail"}} == {}
        assert found["tls.cert_expired"]["evidence"]["not_after"].startswith("2027-01-22")
        assert found["evt.breach"]["reason"] == "feed_never_read", "what was never read is unknown, not good"
        score = await on.score(vendor)
        assert score["number"] >= 80, score["top_deductions"]
        assert score["grade"] in {"A", "B"}
        assert 100 * score["number"] + sum(d["points_bp"] for d in score["deductions"]) == 10_000
        assert await on.findings() == []
        assert await on.run() == 0, "nothing is due a second time"
        for table in (
            "signal_observations_default",
            "signal_evaluations_default",
            "signal_scans_default",
            "score_snapshots_default",
        ):
            assert await owner.fetchval(f"select count(*) from {table}") == 0, table


async def test_dates_of_certificate_and_domain_stand_in_the_upcoming_list(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        coming = await client.items("/v1/alerts/upcoming", until="2027-06-30")
        dates = {(a["alert_class"], a["due_on"]) for a in coming}
        assert ("certificate_expiring", "2027-01-22") in dates
        assert ("domain_expiring", "2027-02-03") in dates


async def test_something_worse_counts_when_it_was_seen_twice_and_is_closed_when_seen_well_twice(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    zone = good_zone()
    async with watching(context, client, clock, zone) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        before = await on.score(vendor)
        good = zone[(f"_dmarc.{DOMAIN}", "TXT")]
        del on.internet.dns.zone[(f"_dmarc.{DOMAIN}", "TXT")]
        clock.advance(days=1, hours=13)
        await on.run()
        assert (await on.signals(vendor))["email.dmarc"]["verdict"] == "pass", "seen once, not believed yet"
        assert await on.findings() == []
        clock.advance(minutes=16)
        await on.run()
        state = (await on.signals(vendor))["email.dmarc"]
        assert (state["verdict"], state["is_open"]) == ("fail", True)
        after = await on.score(vendor)
        assert after["number"] < before["number"]
        assert any(d["rule"] == "email.dmarc" for d in after["top_deductions"])
        [finding] = [f for f in await on.findings() if f["title"].startswith(f"{DOMAIN}: ") and "DMARC" in f["title"]]
        assert (finding["severity"], finding["state"], finding["source_kind"]) == ("high", "open", "signal")
        assert [kind for kind, _ in await on.notified()].count("signal_finding") >= 1
        on.internet.dns.zone[(f"_dmarc.{DOMAIN}", "TXT")] = good
        clock.advance(days=1, hours=13)
        await on.run()
        assert (await client.get(f"/v1/findings/{finding['id']}")).json()["state"] == "open"
        clock.advance(minutes=16)
        await on.run()
        shown = (await client.get(f"/v1/findings/{finding['id']}")).json()
        assert shown["state"] == "remediated"
        history = await client.items(f"/v1/vendors/{vendor}/signals/history", filter="rule:eq:email.dmarc")
        assert [h["change"] for h in history if h["change"]] == ["closed", "improved", "confirmed"]


async def test_an_unreachable_vendor_is_unknown_and_keeps_what_was_known_for_a_while(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        before = await on.score(vendor)
        for name in list(on.internet.dns.zone):
            on.internet.dns.zone[name] = Behaviour.SERVFAIL
        clock.advance(days=1, hours=13)
        await on.run()
        found = await on.signals(vendor)
        unknown = {s["reason"] for s in found.values() if s["verdict"] == "unknown"}
        assert found["tls.cert_name"]["verdict"] == "unknown"
        assert found["tls.cert_name"]["known"] == "pass"
        assert unknown >= {"dns_servfail"}
        assert {s["verdict"] for s in found.values()} & {"fail"} == set()
        assert (await on.score(vendor))["number"] == before["number"], "what was known stands for three days"
        assert await on.findings() == []
        for _ in range(10):
            clock.advance(days=1)
            await on.run()
        later = await on.score(vendor)
        assert later["grade"] == "NR"
        assert later["score"] is None
        unobservable = [f for f in await on.findings() if "cannot be observed" in f["title"]]
        assert {f["severity"] for f in unobservable} == {"low"}
        assert len(unobservable) == len({f["title"] for f in unobservable}) > 0


async def test_a_past_score_replays_to_the_same_number(context: JobContext, client: Client, clock: FakeClock) -> None:
    zone = good_zone()
    del zone[(f"_dmarc.{DOMAIN}", "TXT")]
    async with watching(context, client, clock, zone) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        clock.advance(days=9)
        await on.run()
        kept = await client.items(f"/v1/vendors/{vendor}/signal-scores")
        assert len(kept) >= 2
        for one in kept:
            replayed = (await client.get(f"/v1/signal-scores/{one['id']}/replay")).json()
            assert replayed["is_same"] is True
            assert replayed["replayed_number"] == one["number"] == replayed["stored_number"]
            whole = (await client.get(f"/v1/signal-scores/{one['id']}")).json()
            assert 100 * whole["number"] + sum(d["points_bp"] for d in whole["deductions"]) == 10_000


async def test_two_tenants_share_scans_and_see_only_their_own(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        asked = len(on.internet.dns.questions)
        clock.advance(minutes=10)
        theirs = (await other_company.client.post("/v1/vendors", {"name": "Theirs"})).json()["id"]
        body = {"kind": "domain", "name": DOMAIN}
        assert (await other_company.client.post(f"/v1/vendors/{theirs}/assets", body)).status_code == 201
        assert await on.run() == 0, "scanned ten minutes ago: the second tenant costs no scan"
        assert len(on.internet.dns.questions) == asked
        found = await other_company.client.items(f"/v1/vendors/{theirs}/signals")
        assert len(found) == len(await client.items(f"/v1/vendors/{vendor}/signals"))
        assert await other_company.client.items(f"/v1/vendors/{theirs}/signals/history") == []
        assert (await other_company.client.get(f"/v1/vendors/{vendor}/signals")).status_code == 404
        observation = next(s["observation_id"] for s in found if s["observation_id"])
        shown = await other_company.client.get(f"/v1/signal-observations/{observation}")
        assert shown.status_code == 200
        third = (await other_company.client.post("/v1/vendors", {"name": "Third"})).json()["id"]
        assert await other_company.client.items(f"/v1/vendors/{third}/signals") == []


async def test_whoever_attaches_later_may_read_what_each_standing_verdict_rests_on_and_nothing_older(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        clock.advance(days=1, hours=13)
        await on.run()
        first = {s["observation_id"] for s in (await on.signals(vendor)).values()}
        on.internet.dns.zone[DOMAIN, "TXT"] = ['"v=spf1 mx include:_spf.mail.test -all"', '"another-site=2"']
        on.internet.dns.zone[DOMAIN, "NS"] = [f"ns1.{DOMAIN}.", f"ns3.{DOMAIN}."]
        on.internet.dns.zone[f"ns3.{DOMAIN}", "A"] = ["203.0.113.1"]
        clock.advance(days=1, hours=13)
        await on.confirmed()
        theirs = (await other_company.client.post("/v1/vendors", {"name": "Theirs"})).json()["id"]
        body = {"kind": "domain", "name": DOMAIN}
        assert (await other_company.client.post(f"/v1/vendors/{theirs}/assets", body)).status_code == 201
        await on.run()
        found = await other_company.client.items(f"/v1/vendors/{theirs}/signals")
        active = {s["observation_id"] for s in found if s["observation_id"]}
        assert first & active
        for one in active:
            response = await other_company.client.get(f"/v1/signal-observations/{one}")
            assert response.status_code == 200, one
        for one in first - active - {None}:
            assert (await other_company.client.get(f"/v1/signal-observations/{one}")).status_code == 404


async def test_an_observation_of_what_nobody_here_watches_is_not_there(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        observation = next(s["observation_id"] for s in (await on.signals(vendor)).values() if s["observation_id"])
        assert (await client.get(f"/v1/signal-observations/{observation}")).status_code == 200
        assert (await other_company.client.get(f"/v1/signal-observations/{observation}")).status_code == 404


async def test_a_worker_that_lost_its_lease_writes_nothing(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await jobs.maintain_partitions(context)
        await jobs.enrol_assets(context)
        whole = context.scanner.dns

        async def slow(*arguments: Any, **more: Any) -> Any:
            await owner.execute("update registrable_domains set lease_token = gen_random_uuid()")
            return await whole(*arguments, **more)

        context.scanner.dns = slow
        await jobs.scan_vendors(context)
        assert await owner.fetchval("select count(*) from signal_states") == 0
        assert await owner.fetchval("select count(*) from signal_scans") == 0
        del context.scanner.dns
        clock.advance(minutes=11)
        assert await on.run() == 7, "the lease has lapsed: whoever comes next scans"


async def test_robots_that_name_us_turn_scans_of_their_machines_off(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/robots.txt", Reply(200, [], b"User-agent: vendorrisk\nDisallow: /\n"))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        clock.advance(days=8)
        await on.run()
        found = await on.signals(vendor)
        assert found["web.hsts"]["reason"] == "opt_out"
        assert found["web.hsts"]["verdict"] == "unknown"
        assert found["dns.ns"]["verdict"] == "pass", "name servers are public, and scanned still"
        assert {request.path for request in on.good.requests} == {"/robots.txt"}, "nothing but whether it stays so"


async def test_refresh_scans_again_after_an_hour_and_not_before(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        clock.advance(minutes=59)
        response = await client.post(f"/v1/vendors/{vendor}/signals/refreshes", None)
        assert (response.status_code, response.json()) == (202, {"requested": 0, "recent": 1})
        assert await on.run() == 0
        clock.advance(minutes=2)
        response = await client.post(f"/v1/vendors/{vendor}/signals/refreshes", None)
        assert response.json() == {"requested": 1, "recent": 0}
        assert await on.run() == 7


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("domain", "127.0.0.1"),
        ("domain", "localhost"),
        ("domain", "printer.local"),
        ("domain", "*.example.com"),
        ("domain", "169.254.169.254"),
        ("domain", "exa mple.com"),
        ("domain", "www.example.com"),
        ("host", "metadata.google.internal"),
        ("host", "10.0.0.1"),
        ("host", "a\u0000b.com"),
        ("trust_page", "http://example.com/trust"),
        ("trust_page", "https://user@example.com/"),
        ("trust_page", "https://example.com:8443/"),
        ("trust_page", "https://[::1]/"),
        ("trust_page", "javascript:alert(1)"),
        ("status_page", "https://example.com/\u00e4"),
        ("repository", "https://example.com/owner/name"),
        ("repository", "https://github.com/owner/name/../../other"),
    ],
)
async def test_what_must_not_be_scanned_cannot_be_attached(client: Client, owner: Any, kind: str, name: str) -> None:
    vendor = (await client.post("/v1/vendors", {"name": "Acme"})).json()["id"]
    response = await client.post(f"/v1/vendors/{vendor}/assets", {"kind": kind, "name": name})
    assert response.status_code in {400, 422}, response.text
    assert await owner.fetchval("select count(*) from vendor_assets") == 0


async def recorded(owner: Any, *domains: str) -> None:
    """Record domains of the lab, which no caller may: `.test` cannot be reached from outside."""
    await owner.execute("update vendors set domains = $1", list(domains))


async def test_recorded_domains_are_watched_by_themselves_and_left_when_taken_off(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await recorded(owner, DOMAIN, "acme.example", "www.acme.test")
        await on.run()
        await on.run()
        [asset] = await client.items(f"/v1/vendors/{vendor}/assets")
        assert (asset["name"], asset["source"], asset["is_primary"]) == (DOMAIN, "vendor_record", True)
        assert await on.signals(vendor) != {}
        await recorded(owner)
        await on.run()
        assert await client.items(f"/v1/vendors/{vendor}/assets") == []
        await recorded(owner, DOMAIN)
        await on.run()
        [asset] = await client.items(f"/v1/vendors/{vendor}/assets")
        removed = await client.delete(f"/v1/vendor-assets/{asset['id']}", etag=f'"{asset["version"]}"')
        assert removed.status_code == 204
        clock.advance(days=2)
        await on.run()
        assert await client.items(f"/v1/vendors/{vendor}/assets") == [], "a person took it off: it stays off"


async def test_a_disputed_finding_is_left_out_of_the_number_until_its_day(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    zone = good_zone()
    del zone[(f"_dmarc.{DOMAIN}", "TXT")]
    async with watching(context, client, clock, zone) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        counted = await on.score(vendor)
        for finding in await on.findings():
            until = (clock().date() + timedelta(days=30)).isoformat()
            body = {"to": "disputed", "reason": "The vendor says no.", "until_on": until}
            place = f"/v1/findings/{finding['id']}"
            transitioned = await client.post(
                f"{place}/transitions", body, etag=(await client.get(place)).headers["etag"]
            )
            assert transitioned.status_code == 200, transitioned.text
        clock.advance(days=1, hours=1)
        await on.run()
        suppressed = await on.score(vendor)
        assert suppressed["number"] > counted["number"]
        assert suppressed["score_unsuppressed"] < suppressed["number"]
        assert {d["rule"] for d in suppressed["suppressed"]} >= {"email.dmarc"}
        clock.advance(days=31)
        await on.run()
        assert (await on.score(vendor))["suppressed"] == []


async def test_expired_certificates_cap_the_score(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor, is_primary=True)
        await on.run()
        clock.now = pki.NOW + timedelta(days=61)
        await on.run()
        clock.advance(minutes=6)
        await on.run()
        score = await on.score(vendor)
        assert score["number"] <= 59
        assert "tls.cert_expired" in {c["rule"] for c in score["caps"]}
        clock.advance(hours=13)
        await on.run()
        assert [kind for kind, _ in await on.notified()].count("signal_score_fell") == 1
        [finding] = [f for f in await on.findings() if "certificate ended" in f["title"]]
        assert finding["severity"] == "critical"
