"""What happens to vendors: lists that name them, pages and name servers that change, rules that turn on everybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.feeds.fetch import fetch_feeds
from vendorrisk.lab import feeds, pki
from vendorrisk.lab.http import HttpFake, Reply
from vendorrisk.lab.world import good_vendor, good_zone
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio

LISTS = {"signal_kev_url": "https://feeds.test/kev", "signal_hibp_url": "https://feeds.test/hibp"}
NAMES = ("Borealis Hosting", "Cobalt Mail", "Dune Analytics")


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


@asynccontextmanager
async def with_lists(context: JobContext, client: Client, clock: FakeClock) -> AsyncIterator[tuple[Watching, HttpFake]]:
    zone = {**good_zone(), ("feeds.test", "A"): ["127.0.0.210"]}
    async with watching(context, client, clock, zone, **LISTS) as on:
        made = pki.leaf(pki.Wish(names=("feeds.test",)))
        lists = await on.internet.host("127.0.0.210", tls=pki.server_context(made))
        lists.on("/kev", Reply(200, [("ETag", '"1"')], feeds.kev()))
        lists.on("/hibp", Reply(200, [("ETag", '"1"')], feeds.breaches(feeds.breach(Domain="other.test"))))
        yield on, lists


def page(*names: str) -> Reply:
    rows = "".join(f"<tr><td>{name}</td><td>Works for us</td></tr>" for name in names)
    return Reply(200, [("Content-Type", "text/html")], f"<html><body><table>{rows}</table></body></html>".encode())


async def test_a_breach_that_is_listed_is_notified_once_scored_and_fades(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with with_lists(context, client, clock) as (on, lists):
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        assert (await on.signals(vendor))["evt.breach"]["verdict"] == "pass"
        before = (await on.score(vendor))["number"]
        clock.advance(days=1)
        listed = feeds.breach(AddedDate=f"{clock():%Y-%m-%dT%H:%M:%SZ}")
        lists.on("/hibp", Reply(200, [("ETag", '"2"')], feeds.breaches(feeds.breach(Domain="other.test"), listed)))
        await on.run()
        clock.advance(minutes=16)
        await on.run()
        state = (await on.signals(vendor))["evt.breach:Acme2026"]
        assert (state["verdict"], state["severity"]) == ("fail", "critical")
        fresh = await on.score(vendor)
        assert fresh["number"] <= 79 < before
        breach = await cost(on, vendor)
        clock.advance(days=2)
        await on.run()
        notified = [title for kind, title in await on.notified() if kind == "breach_listed"]
        assert len(notified) == 1
        assert "12345 accounts" in notified[0]
        clock.advance(days=400)
        await on.confirmed()
        assert await cost(on, vendor) < 0.7 * breach, "a year later half of it has faded"


async def cost(on: Watching, vendor: str) -> int:
    deductions = (await on.score(vendor))["deductions"]
    return sum(d["points_bp"] for d in deductions if d["rule"] == "evt.breach" and d["kind"] == "rule")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "feed_malformed"),
        (b"[{]", "feed_malformed"),
        (b"[]", "feed_empty"),
        (b'[{"Nom": "x"}]', "feed_schema"),
        (feeds.breaches()[:-30], "feed_malformed"),
    ],
)
async def test_a_feed_that_is_cut_renamed_or_empty_changes_nothing_and_says_why(
    context: JobContext, client: Client, clock: FakeClock, body: bytes, reason: str
) -> None:
    async with with_lists(context, client, clock) as (on, lists):
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        lists.on("/hibp", Reply(200, [("ETag", '"2"')], body))
        clock.advance(days=1, hours=1)
        await on.run()
        shown = {feed["feed"]: feed for feed in (await client.get("/v1/signal-feeds")).json()["items"]}
        assert shown["hibp"]["failure"] == reason
        assert shown["hibp"]["item_count"] == 1
        assert shown["kev"]["failure"] is None
        assert (await on.signals(vendor))["evt.breach"]["verdict"] == "pass", "what was read a day ago still holds"
        clock.advance(days=8)
        await on.run()
        stale = (await on.signals(vendor))["evt.breach"]
        assert (stale["verdict"], stale["reason"]) == ("unknown", "feed_stale")


async def test_an_unchanged_feed_is_not_read_again(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with with_lists(context, client, clock) as (_, lists):
        while await fetch_feeds(context):
            pass
        lists.on("/kev", Reply(304))
        clock.advance(hours=7)
        while await fetch_feeds(context):
            pass
        asked = [request for request in lists.requests if request.path == "/kev"]
        assert asked[-1].headers["if-none-match"] == '"1"'
        shown = {feed["feed"]: feed for feed in (await client.get("/v1/signal-feeds")).json()["items"]}
        assert (shown["kev"]["failure"], shown["kev"]["item_count"]) == (None, 2)
        assert shown["epss"]["is_enabled"] is False
        assert shown["epss"]["disabled_reason"]


async def test_a_product_that_is_being_exploited_opens_a_finding_and_is_notified_once(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with with_lists(context, client, clock) as (on, _):
        vendor = await on.vendor()
        while await fetch_feeds(context):
            pass
        note = {"maker": "lab  SOFT", "product": "Mail Gateway"}
        assert (await client.post(f"/v1/vendors/{vendor}/products", note)).status_code == 201
        assert (await client.post(f"/v1/vendors/{vendor}/products", note)).status_code == 409
        nameless = await client.post(f"/v1/vendors/{vendor}/products", {"maker": "Lab", "product": "--"})
        assert (nameless.status_code, nameless.json()["code"]) == (422, "product_nameless")
        await client.post(f"/v1/vendors/{vendor}/products", {"maker": "Lab Soft", "product": "Unrelated"})
        for _ in range(2):
            while await jobs.reconcile_vendors(context):
                pass
            clock.advance(days=1)
        [finding] = await on.findings()
        assert (finding["severity"], finding["source_kind"]) == ("critical", "exploited_product")
        assert "CVE-2026-1001" in finding["title"]
        notified = [title for kind, title in await on.notified() if kind == "known_exploited"]
        assert len(notified) == 1


async def test_a_new_name_server_is_notified_once_seen_twice_and_its_finding_stays(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        zone = on.internet.dns.zone
        zone[DOMAIN, "NS"] = ["ns1.thief.test.", "ns2.thief.test."]
        zone["ns1.thief.test", "A"], zone["ns2.thief.test", "A"] = ["192.0.2.1"], ["198.51.100.7"]
        clock.advance(days=1, hours=13)
        await on.run()
        assert [kind for kind, _ in await on.notified() if kind == "domain_changed"] == []
        clock.advance(minutes=6)
        await on.run()
        for _ in range(3):
            clock.advance(days=1)
            await on.run()
        notified = [title for kind, title in await on.notified() if kind == "domain_changed"]
        assert len(notified) == 1
        assert "ns1.thief.test" in notified[0]
        [finding] = [f for f in await on.findings() if "ns changed" in f["title"]]
        assert finding["state"] == "open", "that it is quiet again fixes nothing"


async def test_a_sub_processor_that_appears_is_proposed_accepted_and_listed(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/subs", page(*NAMES))
        vendor = await on.vendor()
        await on.attach(vendor, f"https://{DOMAIN}/subs", "subprocessor_page")
        await on.run()
        assert await client.items(f"/v1/vendors/{vendor}/subprocessor-changes") == []
        on.good.on("/subs", page(*NAMES[1:], "Ember Support Inc."))
        clock.advance(days=1, hours=13)
        await on.run()
        assert await client.items(f"/v1/vendors/{vendor}/subprocessor-changes") == [], "seen once"
        clock.advance(minutes=16)
        await on.run()
        clock.advance(days=2)
        await on.run()
        changes = await client.items(f"/v1/vendors/{vendor}/subprocessor-changes")
        assert {(c["change"], c["name"]) for c in changes} == {
            ("added", "Ember Support Inc."),
            ("removed", "Borealis Hosting"),
        }
        assert len([kind for kind, _ in await on.notified() if kind == "subprocessors_changed"]) == 1
        added = next(c for c in changes if c["change"] == "added")
        place = f"/v1/subprocessor-changes/{added['id']}"
        body = {"decision": "accept"}
        assert (await client.post(f"{place}/decision", body)).status_code == 428
        accepted = await client.post(f"{place}/decision", body, etag='"1"')
        assert accepted.json()["state"] == "accepted"
        again = await client.post(f"{place}/decision", {"decision": "dismiss"}, etag='"2"')
        assert (again.status_code, again.json()["code"]) == (409, "subprocessor_change_decided")
        below = await client.items(f"/v1/vendors/{vendor}/fourth-parties")
        assert [one["name"] for one in below] == ["Ember Support Inc."]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            Reply(200, [("Content-Type", "text/html")], b"<html><body><script>app()</script></body></html>"),
            "js_required",
        ),
        (page("Only One Left", "Another"), "layout_changed"),
        (Reply(500), "http_500"),
    ],
)
async def test_a_list_that_cannot_be_read_is_unknown_and_proposes_nothing(
    context: JobContext, client: Client, clock: FakeClock, reply: Reply, reason: str
) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/subs", page(*NAMES, "Ember", "Flint"))
        vendor = await on.vendor()
        await on.attach(vendor, f"https://{DOMAIN}/subs", "subprocessor_page")
        await on.run()
        on.good.on("/subs", reply)
        clock.advance(days=1, hours=13)
        await on.confirmed()
        state = (await on.signals(vendor))["tr.subprocessors"]
        assert (state["verdict"], state["reason"], state["known"]) == ("unknown", reason, "pass")
        assert await client.items(f"/v1/vendors/{vendor}/subprocessor-changes") == []
        assert await on.notified() == []


async def test_a_rule_that_turns_on_everybody_at_once_is_paused_and_nobody_is_notified(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
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
        await on.run()
        clock.advance(minutes=16)
        await on.run()
        rules = {rule["id"]: rule for rule in (await client.get("/v1/signal-methodology")).json()["rules"]}
        assert rules["email.dmarc"]["paused_until"] is not None
        assert rules["tls.https"]["paused_until"] is None
        assert [f for f in await on.findings() if "DMARC" in f["title"]] == []
        assert [kind for kind, _ in await on.notified() if kind in {"signal_finding", "signal_score_fell"}] == []
        assert await owner.fetchval("select count(*) from signal_scans where status = 'suspect'") > 0


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        (Reply(200, [], b'{"repo": {"name": "github.com/acme/app"}, "score": 7.4}'), "pass", "fair"),
        (Reply(200, [], b'{"repo": {"name": "github.com/acme/app"}, "score": 3.1}'), "warn", "low"),
        (Reply(200, [], b'{"repo": {"name": "github.com/other/app"}, "score": 9.9}'), "unknown", "feed_schema"),
        (Reply(200, [], b'{"score": 1e999}'), "unknown", "feed_schema"),
        (Reply(404), "unknown", "not_scanned"),
    ],
)
async def test_a_declared_repository_is_evaluated_by_its_scorecard(
    context: JobContext, client: Client, clock: FakeClock, reply: Reply, verdict: str, reason: str
) -> None:
    async with with_lists(context, client, clock) as (on, lists):
        more = {"signal_scorecard_url": "https://feeds.test/projects/{repository}"}
        context.settings = msgspec.structs.replace(context.settings, **more)
        lists.on("/projects/github.com/acme/app", reply)
        vendor = await on.vendor()
        await on.attach(vendor, "https://github.com/acme/app", "repository")
        await on.confirmed()
        state = (await on.signals(vendor))["oss.scorecard"]
        assert (state["verdict"], state["reason"]) == (verdict, reason)
        assert (await on.score(vendor))["factors"][0]["factor"] == "exposure"


async def test_ratings_of_others_are_kept_beside_the_score_and_duplicated_by_nothing(client: Client) -> None:
    vendor = (await client.post("/v1/vendors", {"name": "Acme", "domains": ["acme-example.com"]})).json()["id"]
    sheet = (
        b"domain,provider,date,score,grade\nacme-example.com,Rater,2026-01-31,87.5,B\nnobody.com,Rater,2026-01-31,1,F\n"
    )
    for expected in (1, 0):
        response = await client.post("/v1/vendor-rating-imports", sheet, headers={"content-type": "text/csv"})
        assert response.json() == {"imported": expected, "unchanged": 1 - expected, "unmatched": ["nobody.com"]}
    [rating] = await client.items(f"/v1/vendors/{vendor}/ratings")
    assert (rating["value_hundredths"], rating["grade"], rating["provider"]) == (8750, "B", "Rater")
    listed = b'{"entries": [{"domain": "acme-example.com", "provider": "Rater", "date": "2026-02-28", "score": 90}]}'
    await client.post("/v1/vendor-rating-imports", listed, headers={"content-type": "application/json"})
    empty = await client.post("/v1/vendor-rating-imports", b" ", headers={"content-type": "text/csv"})
    assert (empty.status_code, empty.json()["code"]) == (422, "file_empty")
    broken = sheet + b"acme-example.com,Rater,someday,9,\n"
    refused = await client.post("/v1/vendor-rating-imports", broken, headers={"content-type": "text/csv"})
    assert (refused.status_code, refused.json()["code"]) == (422, "ratings_unreadable")
    assert "row 3" in refused.json()["detail"]
    assert len(await client.items(f"/v1/vendors/{vendor}/ratings")) == 2


async def test_partitions_are_made_ahead_and_dropped_past_their_retention(
    context: JobContext, clock: FakeClock, owner: Any
) -> None:
    async def names(parent: str) -> list[str]:
        rows = await owner.fetch(
            "select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass order by 1", parent
        )
        return [row["name"].removeprefix(f"{parent}_") for row in rows]

    await jobs.maintain_partitions(context)
    assert await names("signal_observations") == ["202603", "202604", "202605", "202606", "default"]
    assert await names("signal_scans") == ["20260302", "20260303", "20260304", "20260305", "default"]
    assert await jobs.maintain_partitions(context) == 0, "again changes nothing"
    clock.advance(days=800)
    await jobs.maintain_partitions(context)
    assert "202603" not in await names("signal_observations")
    assert "20260302" not in await names("signal_scans")


async def test_rows_that_came_before_their_partition_move_into_it(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await jobs.enrol_assets(context)
        await jobs.scan_vendors(context)
        astray = await owner.fetchval("select count(*) from signal_observations_default")
        assert astray > 0
        await jobs.maintain_partitions(context)
        assert await owner.fetchval("select count(*) from signal_observations_default") == 0
        assert await owner.fetchval("select count(*) from signal_observations") == astray


async def test_nothing_stored_of_the_past_can_be_changed(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    import asyncpg

    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        for table in ("signal_observations", "signal_evaluations", "score_snapshots"):
            for statement in (f"delete from {table}", f"update {table} set id = gen_random_uuid()"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                    await owner.execute(statement)


async def test_a_digest_names_only_what_still_stands(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/", Reply(200, [("Server", "acme")], b"<html></html>"))
        await on.attach(await on.vendor())
        await on.confirmed()
        kept, *others = await on.findings(filter="severity:eq:medium")
        for finding in others:
            transitioned = await client.post(
                f"/v1/findings/{finding['id']}/transitions",
                {"to": "false_positive", "reason": "Not ours."},
                etag=f'"{finding["version"]}"',
            )
            assert transitioned.status_code == 200, transitioned.text
        active = [f for f in await on.findings() if f["state"] == "open"]
        clock.advance(days=1, hours=5)
        while await jobs.send_signal_digests(context):
            pass
        (digest,) = await client.items("/v1/alerts", filter="alert_class:eq:signal_digest")
        assert others
        assert kept in active
        assert digest["title"].startswith(f"{len(active)} new findings"), digest["title"]


async def test_a_digest_of_nothing_that_stands_is_not_sent(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        on.good.on("/", Reply(200, [("Server", "acme")], b"<html></html>"))
        asset = await on.attach(await on.vendor())
        await on.confirmed()
        assert await on.findings()
        assert (
            await client.delete(f"/v1/vendor-assets/{asset['id']}", etag=f'"{asset["version"]}"')
        ).status_code == 204
        await on.run()
        clock.advance(days=1, hours=5)
        assert await jobs.send_signal_digests(context) > 0, "they are done with"
        assert await jobs.send_signal_digests(context) == 0
        assert [kind for kind, _ in await on.notified()].count("signal_digest") == 0


async def test_a_digest_lists_milder_findings_once_a_day_whenever_a_worker_runs(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async def notified() -> list[str]:
        while await jobs.send_signal_digests(context):
            pass
        return [title for kind, title in await on.notified() if kind == "signal_digest"]

    async with watching(context, client, clock) as on:
        on.good.on("/", Reply(200, [("Server", "acme")], b"<html></html>"))
        await on.attach(await on.vendor())
        await on.confirmed()
        assert {f["severity"] for f in await on.findings()} >= {"medium"}
        assert await notified() == [], "the day is not over: more may come"
        clock.advance(days=1, hours=5)  # no worker ran at midnight
        (digest,) = await notified()
        assert "new findings" in digest
        await owner.execute("update signal_findings set digested_at = null")
        assert await notified() == [digest], "once a day, however much there is"
        clock.advance(days=1)
        assert await notified() == [digest] * 2


async def test_a_vendor_that_is_gone_is_scanned_no_more(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        await owner.execute("update vendors set lifecycle = 'terminated' where id = $1", vendor)
        clock.advance(days=2)
        await on.run()
        asked = len(on.internet.dns.questions)
        clock.advance(days=10)
        await on.run()
        assert len(on.internet.dns.questions) == asked
        coming = await client.items("/v1/alerts/upcoming", until=(clock().date() + timedelta(days=400)).isoformat())
        assert [a for a in coming if a["alert_class"].endswith("_expiring")] == []
