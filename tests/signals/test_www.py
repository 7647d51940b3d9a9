"""The `www` of a watched domain is watched with it, for as long as the domain is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.signals.test_watching import recorded
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.lab import pki
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import GOOD_HEADERS, PAGE
from vendorrisk.settings import Settings
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio
WWW = f"www.{DOMAIN}"
EVALUATED_OF_A_HOST = {"tls.https", "tls.cert_name", "tls.cert_trust", "tls.legacy", "web.redirect", "web.hsts"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


@asynccontextmanager
async def both(context: JobContext, client: Client, clock: FakeClock) -> AsyncIterator[tuple[Watching, str]]:
    """Watch a vendor whose domain a person attached, and whose `www` was found by the first scan and scanned."""
    async with watching(context, client, clock, with_www=True) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        for _ in range(2):
            await on.run()
        yield on, vendor


async def watched(on: Watching, vendor: str) -> dict[str, Any]:
    return {asset["name"]: asset for asset in await on.client.items(f"/v1/vendors/{vendor}/assets")}


async def evaluated(on: Watching, vendor: str, name: str) -> dict[str, str]:
    found = await on.client.items(f"/v1/vendors/{vendor}/signals")
    return {s["rule"]: s["verdict"] for s in found if s["asset_name"] == name}


async def audited(owner: Any, asset_id: str) -> list[str]:
    entries = await owner.fetch("select action from audit_entries where target_id = $1 order by sequence", asset_id)
    return [entry["action"] for entry in entries]


async def test_www_of_a_recorded_domain_is_watched_and_leaves_with_it(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock, with_www=True) as on:
        vendor = await on.vendor()
        await recorded(owner, DOMAIN)
        await on.run()
        await on.run()
        await on.run()
        assets = await watched(on, vendor)
        assert {name: a["source"] for name, a in assets.items()} == {DOMAIN: "vendor_record", WWW: "domain"}
        assert (assets[WWW]["kind"], assets[WWW]["registrable_domain"], assets[WWW]["is_primary"]) == (
            "host",
            DOMAIN,
            False,
        )
        verdicts = await evaluated(on, vendor, WWW)
        assert verdicts.keys() >= EVALUATED_OF_A_HOST
        assert {verdicts[rule] for rule in EVALUATED_OF_A_HOST} <= {"pass", "warn"}
        assert not any(rule.startswith(("email.", "dom.")) for rule in verdicts)
        again = await client.post(f"/v1/vendors/{vendor}/assets", {"kind": "host", "name": WWW})
        assert (again.status_code, again.json()["code"]) == (409, "asset_attached")

        on.internet.dns.zone[(WWW, "A")] = Behaviour.SERVFAIL
        clock.advance(days=2)
        await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN, WWW}, "that its address is gone does not take it off"

        await recorded(owner)
        await on.run()
        assert await watched(on, vendor) == {}
        assert await audited(owner, assets[WWW]["id"]) == ["vendor_asset:attached", "vendor_asset:removed"]


async def test_www_that_leads_nowhere_is_not_watched_until_it_does(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        for _ in range(3):
            await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN}
        on.internet.dns.zone[(WWW, "CNAME")] = [f"{DOMAIN}."]
        clock.advance(days=2)
        for _ in range(2):
            await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN, WWW}


async def test_www_that_a_person_took_off_stays_off(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with both(context, client, clock) as (on, vendor):
        asset = (await watched(on, vendor))[WWW]
        gone = await client.delete(f"/v1/vendor-assets/{asset['id']}", etag=f'"{asset["version"]}"')
        assert gone.status_code == 204
        clock.advance(days=2)
        for _ in range(2):
            await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN}
        mine = await on.attach(vendor, WWW, "host")
        assert mine["source"] == "person", "a person may still want it"


async def test_www_that_a_person_attached_is_theirs_and_stays_when_the_domain_leaves(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, with_www=True) as on:
        vendor = await on.vendor()
        domain = await on.attach(vendor)
        await on.attach(vendor, WWW, "host")
        for _ in range(2):
            await on.run()
        assert {a["source"] for a in (await watched(on, vendor)).values()} == {"person"}
        assert len(await client.items(f"/v1/vendors/{vendor}/assets")) == 2
        now = (await watched(on, vendor))[DOMAIN]
        assert (await client.delete(f"/v1/vendor-assets/{domain['id']}", etag=f'"{now["version"]}"')).status_code == 204
        await on.run()
        assert set(await watched(on, vendor)) == {WWW}


async def test_www_leaves_with_the_domain_that_a_person_took_off(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, with_www=True) as on:
        vendor = await on.vendor()
        domain = await on.attach(vendor)
        for _ in range(2):
            await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN, WWW}
        now = (await watched(on, vendor))[DOMAIN]
        gone = await client.delete(f"/v1/vendor-assets/{domain['id']}", etag=f'"{now["version"]}"')
        assert gone.status_code == 204
        await on.run()
        assert await watched(on, vendor) == {}


async def test_www_of_one_tenant_is_not_attached_for_another(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock
) -> None:
    async with watching(context, client, clock, with_www=True) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        other = other_company.client
        theirs = (await other.post("/v1/vendors", {"name": "Acme too"})).json()["id"]
        for _ in range(2):
            await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN, WWW}
        assert await other.items(f"/v1/vendors/{theirs}/assets") == []
        assert (await other.get(f"/v1/vendors/{vendor}/assets")).status_code == 404


async def test_www_of_a_full_vendor_waits_for_room(
    context: JobContext, client: Client, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendorrisk.signals.auto_assets.MOST_ASSETS", 1)
    async with both(context, client, clock) as (on, vendor):
        assert set(await watched(on, vendor)) == {DOMAIN}


async def test_www_that_waits_for_its_first_scan_is_no_fall_of_the_score(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        clock.advance(days=2)
        await on.confirmed()
        before = await on.score(vendor)
        on.internet.dns.zone[(WWW, "CNAME")] = [f"{DOMAIN}."]
        clock.advance(days=2)
        await on.run()
        assert set(await watched(on, vendor)) == {DOMAIN, WWW}
        waiting = await on.score(vendor)
        assert waiting["number"] < before["number"], "what was not seen is not good"
        for _ in range(3):  # scanners are behind, reconciling is not
            clock.advance(minutes=20)
            await on.reconciled()
        assert (await on.score(vendor))["number"] == waiting["number"]
        clock.advance(days=1)
        await on.confirmed()
        assert (await on.score(vendor))["number"] >= before["number"] - 4
        assert not [alert for alert in await on.notified() if alert[0] == "signal_score_fell"]


async def test_www_that_is_bad_is_notified_as_a_fall_once_it_was_seen(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        clock.advance(days=2)
        await on.confirmed()
        on.internet.dns.zone[(WWW, "A")] = ["127.0.0.77"]
        clock.advance(days=2)
        await on.run()
        for _ in range(3):
            clock.advance(days=1)
            await on.confirmed()
        assert [alert[0] for alert in await on.notified()].count("signal_score_fell") == 1


async def test_www_of_a_vendor_that_left_stays_with_its_domain_and_is_scanned_no_more(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with both(context, client, clock) as (on, vendor):
        await owner.execute("update vendors set lifecycle = 'terminated' where id = $1", vendor)
        clock.advance(days=2)
        await on.reconciled()
        await on.run()
        asked = len(on.internet.dns.questions)
        clock.advance(days=10)
        await on.run()
        assert len(on.internet.dns.questions) == asked
        assert set(await watched(on, vendor)) == {DOMAIN, WWW}, "what a person attached is on record"
        await owner.execute("update vendors set lifecycle = 'active' where id = $1", vendor)
        await on.reconciled()
        await jobs.complete_schedule(context)
        clock.advance(days=2)
        await on.run()
        assert len(on.internet.dns.questions) > asked, "it came back"


async def certificate_dates(on: Watching) -> set[tuple[str, str]]:
    coming = await on.client.items("/v1/alerts/upcoming", until="2027-12-31", limit=200)
    return {(a["title"], a["due_on"]) for a in coming if a["alert_class"] == "certificate_expiring"}


async def test_one_certificate_of_several_hosts_is_one_date_and_one_finding(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with both(context, client, clock) as (on, vendor):
        assert await certificate_dates(on) == {(f"{DOMAIN} and {WWW}: certificate ends", "2027-01-22")}

        clock.advance(days=58)
        await on.confirmed()
        verdicts = [s for s in await client.items(f"/v1/vendors/{vendor}/signals") if s["rule"] == "tls.cert_expiring"]
        assert sorted((s["asset_name"], s["verdict"]) for s in verdicts) == [(DOMAIN, "fail"), (WWW, "fail")]
        found = [f["title"] for f in await on.findings() if "certificate ends in" in f["title"]]
        assert found == [f"{DOMAIN}: The certificate ends in 1 days."]
        notified = [title for kind, title in await on.notified() if "certificate ends in" in title]
        assert len(notified) == 1

        own = pki.server_context(pki.leaf(pki.Wish(names=(WWW,), ends=pki.NOW + timedelta(days=150))))
        on.internet.dns.zone[(WWW, "A")] = ["127.0.0.78"]
        (await on.internet.host("127.0.0.78", tls=own)).on("/", Reply(200, list(GOOD_HEADERS), PAGE))
        clock.advance(days=1, hours=13)
        await on.confirmed()
        assert await certificate_dates(on) == {
            (f"{DOMAIN}: certificate ends", "2027-01-22"),
            (f"{WWW}: certificate ends", "2027-04-22"),
        }


async def test_an_alias_of_a_host_that_is_watched_itself_is_that_hosts(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with both(context, client, clock) as (on, vendor):
        del on.internet.dns.zone[(WWW, "A")]
        on.internet.dns.zone[(WWW, "CNAME")] = ["acme-gone.azurewebsites.net."]
        clock.advance(days=1, hours=13)
        await on.confirmed()
        dangling = [s for s in await client.items(f"/v1/vendors/{vendor}/signals") if s["rule"] == "dns.dangling"]
        assert sorted((s["asset_name"], s["subject"], s["verdict"]) for s in dangling) == [
            (DOMAIN, WWW, "fail"),
            (WWW, WWW, "fail"),
        ]
        (found,) = [f for f in await on.findings() if "anyone may claim it" in f["title"]]
        assert found["title"].startswith(f"{WWW}: ")
        cost = [
            d for d in (await on.score(vendor))["deductions"] if d["rule"] == "dns.dangling" and d["kind"] == "rule"
        ]
        assert [d["asset"] for d in cost] == [WWW]


async def test_a_certificate_that_the_main_host_shows_no_more_is_notified_of_one_that_does(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with both(context, client, clock) as (on, vendor):
        on.internet.dns.zone[(DOMAIN, "A")] = ["127.0.0.99"]  # where nobody listens
        clock.advance(days=2)
        await on.confirmed()
        clock.advance(days=60)
        await on.confirmed()
        seen = [s for s in await client.items(f"/v1/vendors/{vendor}/signals") if s["rule"] == "tls.cert_expired"]
        assert sorted((s["asset_name"], s["verdict"]) for s in seen) == [(DOMAIN, "unknown"), (WWW, "fail")]
        assert await ended(on) == [f"{WWW}: The certificate ended on 2027-01-22."]

        on.internet.dns.zone[(DOMAIN, "A")] = list(on.internet.dns.zone[(WWW, "A")])
        for _ in range(2):
            clock.advance(days=1)
            await on.confirmed()
        seen = [s for s in await client.items(f"/v1/vendors/{vendor}/signals") if s["rule"] == "tls.cert_expired"]
        assert [s["verdict"] for s in seen] == ["fail", "fail"]
        assert await ended(on) == [f"{WWW}: The certificate ended on 2027-01-22."], "nothing is notified twice"


async def ended(on: Watching) -> list[str]:
    """Return the findings of certificates that ended, each of which was notified once."""
    found = sorted(f["title"] for f in await on.findings() if "certificate ended" in f["title"])
    assert sorted(title for _, title in await on.notified() if "certificate ended" in title) == found
    return found


async def test_accepting_the_finding_of_a_shared_certificate_frees_the_score_of_every_host(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with both(context, client, clock) as (on, vendor):
        clock.advance(days=61)
        await on.confirmed()
        assert {(d["rule"], d["asset"]) for d in (await on.score(vendor))["caps"]} >= {("tls.cert_expired", DOMAIN)}
        (found,) = [f for f in await on.findings() if "certificate ended" in f["title"]]
        body = {"to": "accepted", "reason": "Known to us.", "until_on": "2027-06-30"}
        place = f"/v1/findings/{found['id']}"
        transitioned = await client.post(f"{place}/transitions", body, etag=(await client.get(place)).headers["etag"])
        assert transitioned.status_code == 200, transitioned.text
        await on.reconciled()
        score = await on.score(vendor)
        assert {(w["rule"], w["asset"]) for w in score["suppressed"]} == {
            ("tls.cert_expired", DOMAIN),
            ("tls.cert_expired", WWW),
        }
        assert not [d for d in score["deductions"] if d["rule"] == "tls.cert_expired"]


async def test_a_host_that_was_not_scanned_since_the_main_one_was_renewed_waits_for_its_scan(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async def findings() -> list[str]:
        return sorted(f["title"] for f in await on.findings() if "certificate ends in" in f["title"])

    async with both(context, client, clock) as (on, _):
        clock.advance(days=56)
        await on.confirmed()
        assert await findings() == [f"{DOMAIN}: The certificate ends in 3 days."]

        new = pki.server_context(pki.leaf(pki.Wish(names=(DOMAIN, WWW), ends=pki.NOW + timedelta(days=150))))
        on.internet.dns.zone[(DOMAIN, "A")] = ["127.0.0.78"]
        (await on.internet.host("127.0.0.78", tls=new)).on("/", Reply(200, list(GOOD_HEADERS), PAGE))
        await owner.execute(
            """update signal_schedule set next_scan_at = $1 where scan_kind = 'cert'
            and asset_id = (select asset_id from vendor_assets where name = $2)""",
            *(clock() + timedelta(hours=50), WWW),
        )
        clock.advance(days=1, hours=6)
        await on.confirmed()
        await on.reconciled()
        assert await findings() == [f"{DOMAIN}: The certificate ends in 3 days."], "it may be renewed as well"
        assert await certificate_dates(on) == {(f"{DOMAIN}: certificate ends", "2027-04-22")}

        clock.advance(hours=20)
        await on.confirmed()
        clock.advance(hours=1)
        await on.run()
        assert await findings() == [
            f"{DOMAIN}: The certificate ends in 3 days.",
            f"{WWW}: The certificate ends in 3 days.",
        ]
        assert await certificate_dates(on) == {
            (f"{DOMAIN}: certificate ends", "2027-04-22"),
            (f"{WWW}: certificate ends", "2027-01-22"),
        }
