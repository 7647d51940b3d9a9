"""What must not go wrong: notified late or twice, counted for nothing, kept for ever, or believed of a year ago."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.signals.test_vendor_events import LISTS, NAMES, page
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.egress.pacing import OwnTurns, PolitePacer
from vendorrisk.evaluation import evaluate
from vendorrisk.lab import feeds, pki, registry
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import HttpFake, Reply
from vendorrisk.lab.world import good_vendor, good_zone
from vendorrisk.probes.tls.handshake import HelloObservation
from vendorrisk.signals import jobs
from vendorrisk.signals.schedule import registrable_domain_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def remove(client: Client, asset: dict[str, Any]) -> None:
    removed = await client.delete(f"/v1/vendor-assets/{asset['id']}", etag=f'"{asset["version"]}"')
    assert removed.status_code == 204, removed.text


def new_name_servers(on: Watching, name: str) -> None:
    zone = on.internet.dns.zone
    zone[DOMAIN, "NS"] = [f"ns1.{name}.", f"ns2.{name}."]
    zone[f"ns1.{name}", "A"], zone[f"ns2.{name}", "A"] = ["192.0.2.1"], ["198.51.100.7"]


async def lists_at(on: Watching, hibp: bytes) -> HttpFake:
    on.internet.dns.zone["feeds.test", "A"] = ["127.0.0.210"]
    made = pki.leaf(pki.Wish(names=("feeds.test",)))
    lists = await on.internet.host("127.0.0.210", tls=pki.server_context(made))
    lists.on("/kev", Reply(200, [], feeds.kev()))
    lists.on("/hibp", Reply(200, [], hibp))
    return lists


# ── assets that come and go


async def test_an_asset_that_is_removed_takes_its_dates_and_all_its_findings_along(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        asset = await on.attach(vendor)
        await on.run()
        new_name_servers(on, "thief.test")
        clock.advance(days=1, hours=13)
        await on.run()
        clock.advance(minutes=6)
        await on.run()
        assert [f["state"] for f in await on.findings() if "ns changed" in f["title"]] == ["open"]
        await remove(client, asset)
        await on.run()
        assert {f["state"] for f in await on.findings()} == {"remediated"}
        coming = await client.items("/v1/alerts/upcoming", until="2027-12-31")
        assert [a for a in coming if a["alert_class"].endswith("_expiring")] == []


async def test_an_asset_attached_again_within_a_month_reopens_the_finding_it_had(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    zone = good_zone()
    del zone[(f"_dmarc.{DOMAIN}", "TXT")]
    async with watching(context, client, clock, zone) as on:
        vendor = await on.vendor()
        asset = await on.attach(vendor)
        await on.confirmed()
        before = {f["id"] for f in await on.findings()}
        await remove(client, asset)
        await on.run()
        clock.advance(days=2)
        await on.run()
        await on.attach(vendor)
        await on.confirmed()
        after = await on.findings()
        assert {f["id"] for f in after} == before, "the same findings, not their doubles"
        assert {f["state"] for f in after} == {"open"}


async def test_what_was_known_of_an_asset_that_nobody_watched_since_is_not_believed_again(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    zone = good_zone()
    good = zone.pop((f"_dmarc.{DOMAIN}", "TXT"))
    async with watching(context, client, clock, zone) as on:
        vendor = await on.vendor()
        asset = await on.attach(vendor)
        await on.confirmed()
        await remove(client, asset)
        clock.advance(days=2)
        await on.run()
        notified = len(await on.notified())
        on.internet.dns.zone[f"_dmarc.{DOMAIN}", "TXT"] = good
        clock.advance(days=35)
        await on.attach(vendor)
        while await jobs.reconcile_vendors(context):
            pass
        assert [f for f in await on.findings() if f["state"] == "open"] == [], "a verdict of last month is no news"
        await on.confirmed()
        assert [f for f in await on.findings() if f["state"] == "open"] == []
        assert len(await on.notified()) == notified


async def test_nobody_is_notified_of_a_terminated_vendor_though_another_tenant_watches_its_domain(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        theirs = (await other_company.client.post("/v1/vendors", {"name": "Theirs"})).json()["id"]
        await other_company.client.post(f"/v1/vendors/{theirs}/assets", {"kind": "domain", "name": DOMAIN})
        await on.run()
        await owner.execute("update vendors set lifecycle = 'terminated' where id = $1", vendor)
        del on.internet.dns.zone[f"_dmarc.{DOMAIN}", "TXT"]
        new_name_servers(on, "thief.test")
        clock.advance(days=1, hours=13)
        await on.confirmed()
        assert [f for f in await other_company.client.items("/v1/findings") if "DMARC" in f["title"]] != []
        assert await on.findings() == []
        assert await on.notified() == []


async def test_a_vendor_that_comes_back_is_scanned_again(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        await owner.execute("update vendors set lifecycle = 'terminated' where id = $1", vendor)
        clock.advance(days=20)
        await on.run()
        await owner.execute("update vendors set lifecycle = 'active' where id = $1", vendor)
        await jobs.complete_schedule(context)
        clock.advance(days=2)
        assert await on.run() == 7


# ── dates and hours of messages


async def test_an_outage_of_a_critical_vendor_is_notified_after_half_an_hour_and_once(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await owner.execute("update vendors set tier = 'critical', tier_source = 'declared' where id = $1", vendor)
        await on.attach(vendor, f"https://status.{DOMAIN}/", "status_page")
        await on.run()
        began = f"{clock():%Y-%m-%dT%H:%M:%SZ}"
        on.good.on("/api/v2/summary.json", Reply(200, [], feeds.statuspage("major", feeds.incident("one", began))))
        hours = []
        for minutes in range(0, 150, 5):
            clock.advance(minutes=5)
            await on.run()
            if minutes == 60:
                more = [feeds.incident("one", began), feeds.incident("two", began)]
                on.good.on("/api/v2/summary.json", Reply(200, [], feeds.statuspage("major", *more)))
            hours.append(len([kind for kind, _ in await on.notified() if kind == "vendor_outage"]))
        assert hours[:5] == [0] * 5, "half an hour is nothing yet"
        assert hours[12] == 1, "notified within the hour, not with the next day's reconciliation"
        assert hours[-1] == 1, "one outage, notified once, whatever else is reported of it"


async def test_a_breach_is_notified_once_however_it_fades(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        await lists_at(on, feeds.breaches())
        await on.attach(await on.vendor())
        await on.confirmed()
        for _ in range(5):
            clock.advance(days=31)
            await on.confirmed()
        assert [kind for kind, _ in await on.notified()].count("breach_listed") == 1


async def test_the_breach_that_weighs_most_stands_for_all_of_them(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        old = feeds.breach(Name="Aardvark2024", AddedDate="2024-06-01T10:00:00Z", BreachDate="2024-05-01")
        fresh = feeds.breach(Name="Zebra2026", AddedDate="2026-11-10T10:00:00Z")
        await lists_at(on, feeds.breaches(old, fresh))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        score = await on.score(vendor)
        assert "evt.breach" in {c["rule"] for c in score["caps"]}, (
            "the fresh breach caps, though the old has its letter"
        )
        assert score["number"] <= 79


async def test_a_fall_of_the_score_is_notified_within_the_half_hour_and_once(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        for name in ("_dmarc", "_mta-sts", "_smtp._tls"):
            del on.internet.dns.zone[f"{name}.{DOMAIN}", "TXT"]
        on.internet.dns.zone[DOMAIN, "TXT"] = ['"v=spf1 +all"']
        clock.advance(days=1, hours=13)
        await on.confirmed()
        assert [kind for kind, _ in await on.notified()].count("signal_score_fell") == 0, "one score is none"
        clock.advance(minutes=16)
        await on.run()
        assert [kind for kind, _ in await on.notified()].count("signal_score_fell") == 1
        clock.advance(days=5)
        await on.confirmed()
        assert [kind for kind, _ in await on.notified()].count("signal_score_fell") == 1


async def test_a_second_theft_opens_a_finding_after_the_first_was_dealt_with(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        new_name_servers(on, "first.test")
        clock.advance(days=1, hours=13)
        await on.run()
        clock.advance(minutes=6)
        await on.run()
        [finding] = [f for f in await on.findings() if "ns changed" in f["title"]]
        place = f"/v1/findings/{finding['id']}"
        body = {"to": "remediated", "reason": "The vendor meant it."}
        transitioned = await client.post(f"{place}/transitions", body, etag=(await client.get(place)).headers["etag"])
        assert transitioned.status_code == 200, transitioned.text
        clock.advance(days=3)
        await on.confirmed()
        assert (await client.get(place)).json()["state"] == "remediated"
        new_name_servers(on, "second.test")
        clock.advance(days=1, hours=13)
        await on.run()
        clock.advance(minutes=6)
        await on.run()
        active = [f for f in await on.findings() if "ns changed" in f["title"] and f["state"] == "open"]
        assert len(active) == 1


async def test_a_list_of_sub_processors_is_compared_with_the_one_last_believed(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        on.good.on("/subs", page(*NAMES))
        await on.attach(vendor, f"https://{DOMAIN}/subs", "subprocessor_page")
        await on.run()
        on.good.on("/subs", page(*NAMES, "Ember Support"))
        clock.advance(days=1, hours=13)
        await on.confirmed()
        clock.advance(days=1, hours=13)
        await on.confirmed()
        assert (await on.signals(vendor))["tr.subprocessors"]["verdict"] == "pass", "believed now: as before"
        on.good.on("/subs", page(*NAMES, "Ember Support", "Flint Payments"))
        clock.advance(days=1, hours=13)
        await on.confirmed()
        changes = await client.items(f"/v1/vendors/{vendor}/subprocessor-changes")
        assert sorted(c["name"] for c in changes) == ["Ember Support", "Flint Payments"], "none is proposed twice"


# ── being unknown


async def test_a_scan_that_failed_whole_is_unknown_for_each_subject_and_leaves_nothing_behind(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        before = (await on.score(vendor))["number"]

        async def broken(*_: Any) -> Any:
            raise RuntimeError("a collector that breaks its promise")

        context.scanner.dns = broken
        clock.advance(days=1, hours=13)
        await on.run()
        found = {key: s["verdict"] for key, s in (await on.signals(vendor)).items() if s["rule"] == "dns.dangling"}
        assert found == {f"dns.dangling:www.{DOMAIN}": "unknown"}
        assert (await on.score(vendor))["number"] == before, "what was known of the subject stands for a while"
        del context.scanner.dns
        clock.advance(days=1)
        await on.run()
        found = {key: s["verdict"] for key, s in (await on.signals(vendor)).items() if s["rule"] == "dns.dangling"}
        assert found == {f"dns.dangling:www.{DOMAIN}": "pass"}


async def test_a_first_scan_that_failed_whole_is_forgotten_when_subjects_are_seen(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)

        async def broken(*_: Any) -> Any:
            raise RuntimeError("a collector that breaks its promise")

        context.scanner.dns = broken
        await on.run()
        del context.scanner.dns
        clock.advance(days=1)
        await on.run()
        found = {key: s["verdict"] for key, s in (await on.signals(vendor)).items() if s["rule"] == "dns.dangling"}
        assert found[f"dns.dangling:www.{DOMAIN}"] == "pass"
        assert "unknown" not in found.values(), "nothing is unknown for ever that can be seen"


async def test_what_no_database_holds_and_what_never_ends_hides_nothing(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    """NUL in records, names and answers, texts of thousands of characters: seen, evaluated, notified."""
    zone = {**good_zone(), ("rdap.test", "A"): ["127.0.0.200"]}
    long = " ".join(f"ip4:192.0.2.{n}" for n in range(255))
    zone[DOMAIN, "TXT"] = [" ".join(f'"{part}"' for part in ("v=spf1 ", "\\000 ", *long.split(" "), " -all"))]
    zone[f"_dmarc.{DOMAIN}", "TXT"] = ['"v=DMARC1; p=\\000"']
    async with watching(context, client, clock, zone) as on:
        rdap = await on.internet.host("127.0.0.200", tls=pki.server_context(pki.leaf(pki.Wish(names=("rdap.test",)))))
        body = registry.rdap_domain(DOMAIN).replace(b"Lab Registrar Ltd", b"Lab\\u0000Registrar")
        assert b"u0000" in body
        rdap.on("*", Reply(200, [], body))
        began = f"{clock():%Y-%m-%dT%H:%M:%SZ}"
        outage = feeds.statuspage("major", feeds.incident("\0" + "x" * 5000, began))
        on.good.on("/api/v2/summary.json", Reply(200, [], outage))
        vendor = await on.vendor()
        await owner.execute("update vendors set tier = 'critical', tier_source = 'declared' where id = $1", vendor)
        await on.attach(vendor)
        await on.attach(vendor, f"https://status.{DOMAIN}/", "status_page")
        await on.confirmed()
        clock.advance(minutes=31)
        await on.run()
        found = await on.signals(vendor)
        assert (found["email.spf_valid"]["verdict"], found["email.dmarc"]["verdict"]) == ("fail", "fail")
        assert found["dom.change:registrar"]["evidence"]["now"] == ["Lab\ufffdRegistrar"]
        assert len(found["email.spf"]["evidence"]["record"]) == 1000
        assert [kind for kind, _ in await on.notified()].count("vendor_outage") == 1
        assert await owner.fetchval("select count(*) from registrable_domains where lease_token is not null") == 0


async def test_a_scan_that_breaks_its_evaluator_is_unknown_and_stops_no_other(
    context: JobContext, client: Client, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, owner: Any
) -> None:
    original = evaluate.evaluate

    def breaking(observation: Any, **rest: Any) -> Any:
        if isinstance(observation, HelloObservation):
            raise TypeError("an evaluator that breaks its promise")
        return original(observation, **rest)

    monkeypatch.setattr(evaluate, "evaluate", breaking)
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        assert await on.run() == 7
        found = await on.signals(vendor)
        assert (found["tls.legacy"]["verdict"], found["tls.legacy"]["reason"]) == ("unknown", "evaluation_failed")
        assert found["tls.cert_name"]["verdict"] == "pass"
        assert await owner.fetchval("select status from signal_scans where scan_kind = 'tls'") == "evaluation_failed"
        assert await owner.fetchval("select count(*) from registrable_domains where lease_token is not null") == 0


async def test_a_domain_whose_scans_take_long_is_seen_in_parts_and_loses_nothing(
    context: JobContext, client: Client, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, owner: Any
) -> None:
    monkeypatch.setattr("vendorrisk.signals.domain_scan._ENOUGH_SECONDS", 0.0)
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        assert await on.run() == 7
        assert await owner.fetchval("select count(*) from signal_scans") == 7


async def test_robots_that_let_us_in_again_are_heard(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/robots.txt", Reply(200, [], b"User-agent: vendorrisk\nDisallow: /\n"))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        assert {request.path for request in on.good.requests} <= {"/robots.txt"}, "nothing before its robots are read"
        on.good.on("/robots.txt", Reply(503))
        clock.advance(days=8)
        await on.run()
        assert (await on.signals(vendor))["web.hsts"]["reason"] == "opt_out", "a server in trouble has not agreed"
        assert {request.path for request in on.good.requests} <= {"/robots.txt"}
        on.good.on("/robots.txt", Reply(404))
        clock.advance(days=8)
        await on.run()
        assert (await on.signals(vendor))["web.hsts"]["verdict"] == "pass"


async def test_an_operators_opt_out_asks_not_even_for_robots(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await owner.execute(
            "insert into registrable_domains (name, opted_out_at, opt_out_source) values ($1, $2, 'operator')",
            DOMAIN,
            clock(),
        )
        await on.run()
        clock.advance(days=8)
        await on.run()
        assert on.good.requests == []
        assert (await on.signals(vendor))["tls.cert_name"]["reason"] == "opt_out"


async def test_a_day_without_budget_is_no_scan(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await owner.execute(
            "insert into registrable_domains (name, spent_on, spent_requests) values ($1, $2, 1000)",
            DOMAIN,
            clock().date(),
        )
        await on.run()
        assert "web.hsts" not in await on.signals(vendor)
        scanned = "select count(*) from signal_schedule where scan_kind = 'http' and last_scan_at is not null"
        assert await owner.fetchval(scanned) == 0
        clock.advance(days=1, hours=2)
        await on.run()
        assert (await on.signals(vendor))["web.hsts"]["verdict"] == "pass"


async def test_a_status_page_is_read_all_day_and_leaves_the_other_scans_their_day(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        context.pacer = PolitePacer(registrable_domain_of, OwnTurns(), seconds_between=0, seconds_between_of_address=0)
        on.internet.guard.pacer = context.pacer
        vendor = await on.vendor()
        await owner.execute("update vendors set tier = 'critical', tier_source = 'declared' where id = $1", vendor)
        await on.attach(vendor, f"https://status.{DOMAIN}/", "status_page")
        await on.run()
        midnight = clock().replace(hour=0) + timedelta(days=1)
        clock.now = midnight
        await on.run()
        on.good.requests.clear()
        for _ in range(4 * 23):
            clock.advance(minutes=15)
            await jobs.scan_vendors(context)
        seen = [request.path for request in on.good.requests]
        assert seen.count("/api/v2/summary.json") > 80, "every quarter of an hour, to the end of the day"
        assert seen.count("/robots.txt") <= 2, "robots.txt is good for a day"
        await on.attach(vendor)
        await on.run()
        assert (await on.signals(vendor))["web.hsts"]["verdict"] == "pass"
        spent = await owner.fetchval("select spent_requests from registrable_domains where name = $1", DOMAIN)
        assert spent < 30, "the day's budget is of what is no status page"


# ── clocks and storms


async def test_a_clock_that_jumped_a_year_ahead_and_back_stops_nothing(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        right = clock()
        clock.advance(days=400)
        await on.confirmed()
        clock.now = right + timedelta(days=2)
        await on.run()
        found = await on.signals(vendor)
        assert found["tls.cert_expired"]["verdict"] == "pass", "scanned again, by the right clock"
        new_name_servers(on, "thief.test")
        clock.advance(days=1, hours=13)
        await on.run()
        clock.advance(minutes=6)
        await on.run()
        assert [kind for kind, _ in await on.notified()].count("domain_changed") == 1


async def test_a_storm_that_outlasts_its_pause_is_paused_again(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    zone: dict[tuple[str, str], Any] = {}
    for number in range(8):
        zone |= good_zone(f"vendor{number}.test", f"127.0.0.{10 + number}")
    async with watching(context, client, clock, {**good_zone(), **zone}) as on:
        for number in range(8):
            await good_vendor(on.internet, f"vendor{number}.test", f"127.0.0.{10 + number}")
            await on.attach(await on.vendor(f"Vendor {number}"), f"vendor{number}.test")
        await on.run()
        for number in range(8):
            del on.internet.dns.zone[f"_dmarc.vendor{number}.test", "TXT"]
        clock.advance(days=1, hours=13)
        for _ in range(40):
            await on.run()
            clock.advance(minutes=30)
        assert [f for f in await on.findings() if "DMARC" in f["title"]] == []
        assert [kind for kind, _ in await on.notified() if kind in {"signal_finding", "signal_score_fell"}] == []


async def test_values_that_change_without_a_verdict_are_no_storm(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    zone: dict[tuple[str, str], Any] = {}
    for number in range(8):
        zone |= good_zone(f"vendor{number}.test", f"127.0.0.{10 + number}")
    async with watching(context, client, clock, {**good_zone(), **zone}) as on:
        for number in range(8):
            await good_vendor(on.internet, f"vendor{number}.test", f"127.0.0.{10 + number}")
            await on.attach(await on.vendor(f"Vendor {number}"), f"vendor{number}.test")
        await on.run()
        for number in range(8):
            on.internet.dns.zone[f"_dmarc.vendor{number}.test", "TXT"] = [
                f'"v=DMARC1; p=reject; rua=mailto:e@vendor{number}.test"'
            ]
            on.internet.dns.zone[f"vendor{number}.test", "CAA"] = ['0 issue "sectigo.com"']
        clock.advance(days=1, hours=13)
        await on.confirmed()
        rules = (await client.get("/v1/signal-methodology")).json()["rules"]
        assert [rule["id"] for rule in rules if rule["paused_until"]] == []


# ── lists


async def test_a_list_that_never_changes_is_not_stale_at_its_first_failure(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        lists = await lists_at(on, feeds.breaches(feeds.breach(Domain="other.test")))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        lists.on("/hibp", Reply(304))
        for _ in range(10):
            clock.advance(days=1)
            await on.run()
        lists.on("/hibp", Reply(500))
        clock.advance(days=1)
        await on.run()
        assert (await on.signals(vendor))["evt.breach"]["verdict"] == "pass"


async def test_a_list_that_is_switched_off_says_nothing_after_a_week(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        await lists_at(on, feeds.breaches(feeds.breach(Domain="other.test")))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        context.settings = msgspec.structs.replace(context.settings, signal_hibp_url="")
        clock.advance(days=9)
        await on.run()
        assert (await on.signals(vendor))["evt.breach"]["reason"] == "feed_stale"


async def test_a_vendor_of_the_low_tier_that_is_down_at_its_weekly_scan_keeps_its_score_and_nobody_is_notified(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await owner.execute("update vendors set tier = 'low', tier_source = 'declared' where id = $1", vendor)
        await on.attach(vendor)
        await on.confirmed()
        for _ in range(9):
            clock.advance(days=1)
            await on.run()
        before = await on.score(vendor)
        zone = dict(on.internet.dns.zone)
        for name in zone:
            on.internet.dns.zone[name] = Behaviour.SERVFAIL
        for _ in range(9):
            clock.advance(days=1)
            await on.run()
        assert {s["verdict"] for s in (await on.signals(vendor)).values()} >= {"unknown"}
        during = await on.score(vendor)
        assert (during["number"], during["coverage_bp"]) == (before["number"], before["coverage_bp"])
        on.internet.dns.zone.update(zone)
        assert [kind for kind, _ in await on.notified()] == []
        for name in zone:
            on.internet.dns.zone[name] = Behaviour.SERVFAIL
        for _ in range(90):
            clock.advance(days=1)
            await on.run()
        assert (await on.score(vendor))["grade"] == "NR", "not for ever"


async def test_good_hosts_attached_later_do_not_soften_the_domain_that_was_attached_first(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/", Reply(200, [("Server", "acme")], b"<html></html>"))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()

        async def web() -> int:
            return next(f["score_bp"] for f in (await on.score(vendor))["factors"] if f["factor"] == "web")

        alone = await web()
        await good_vendor(on.internet, f"good.{DOMAIN}", "127.0.0.9")
        on.internet.dns.zone[f"good.{DOMAIN}", "A"] = ["127.0.0.9"]
        good = await on.attach(vendor, f"good.{DOMAIN}", "host")
        clock.advance(hours=2)
        await on.confirmed()
        assert await web() == alone
        changed = await client.patch(f"/v1/vendor-assets/{good['id']}", {"is_primary": True}, etag='"1"')
        assert changed.status_code == 200, changed.text
        clock.advance(minutes=1)
        await on.run()
        assert await web() > alone, "a person may say that another is the main one"


async def test_a_page_made_to_do_harm_is_unknown_alerts_nobody_and_holds_no_other_vendor_up(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        before, told = await on.signals(vendor), await on.notified()
        on.good.on("/", Reply(200, [("Content-Type", "text/html")], b"<div>" * 400_000))
        other = "other.test"
        on.internet.dns.zone.update(good_zone(other, "127.0.0.77"))
        await good_vendor(on.internet, other, "127.0.0.77")
        second = (await client.post("/v1/vendors", {"name": "Other"})).json()["id"]
        await on.attach(second, other)
        clock.advance(days=1, hours=13)
        await on.run()
        after = await on.signals(vendor)
        assert before["web.hsts"]["verdict"] == "pass"
        assert (after["web.hsts"]["verdict"], after["web.hsts"]["reason"]) == ("unknown", "page_too_complex")
        assert await on.findings() == []
        assert await on.notified() == told
        assert (await on.signals(second))["web.hsts"]["verdict"] == "pass"
