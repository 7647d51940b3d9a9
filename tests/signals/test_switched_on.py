"""What is off by default, switched on: certificate transparency, exposure, the probe for reflected origins."""

from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.lab import feeds, pki
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import HttpFake, Reply
from vendorrisk.lab.world import GOOD_HEADERS, PAGE
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio

EXPOSURE = {
    "signal_exposure_url": "https://sources.test/exposure/{address}",
    "signal_kev_url": "https://sources.test/kev",
    "signal_epss_url": "https://sources.test/epss",
    "signal_rules_on": "exp.ports, exp.kev, exp.epss, exp.eol",
}
TRANSPARENCY = {"signal_ct_url": "https://sources.test/ct?domain={domain}", "signal_ct_token": "a-key"}
SEEN = (
    b'{"ip":"127.0.0.2","ports":[443,3389],"cpes":[],"hostnames":[],"tags":["eol-product"],"vulns":["CVE-2026-1001"]}'
)


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def sources(on: Watching) -> HttpFake:
    on.internet.dns.zone["sources.test", "A"] = ["127.0.0.211"]
    server = await on.internet.host("127.0.0.211", tls=pki.server_context(pki.leaf(pki.Wish(names=("sources.test",)))))
    server.on("/kev", Reply(200, [], feeds.kev()))
    server.on("/epss", Reply(200, [], feeds.EPSS))
    return server


async def switched_on(client: Client) -> set[str]:
    rules = (await client.get("/v1/signal-methodology")).json()["rules"]
    assert all(rule["disabled_reason"] for rule in rules if not rule["is_enabled"]), "what is off says why"
    return {rule["id"] for rule in rules if rule["is_enabled"]}


async def test_what_is_off_is_neither_asked_nor_counted(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with watching(context, client, clock) as on:
        server = await sources(on)
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        assert server.requests == []
        assert on.good.requests != []
        assert all("origin" not in request.headers for request in on.good.requests)
        disabled_rules = {"exp.ports", "exp.kev", "exp.epss", "exp.eol", "tls.ct_issuer", "web.cors"}
        assert await switched_on(client) & disabled_rules == set()
        unlisted = {"evt.breach", "evt.breach_unverified", "kev.product"}  # these workers have no lists
        assert set((await on.score(vendor))["disabled_rules"]) == disabled_rules | unlisted
        assert "exposure" not in {factor["factor"] for factor in (await on.score(vendor))["factors"]}


async def test_exposure_is_evaluated_scored_and_notified(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with watching(context, client, clock, **EXPOSURE) as on:
        server = await sources(on)
        server.on("/exposure/127.0.0.2", Reply(200, [("Content-Type", "application/json")], SEEN))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        found = await on.signals(vendor)
        verdicts = {rule: found[rule]["verdict"] for rule in ("exp.ports", "exp.kev", "exp.epss", "exp.eol")}
        assert verdicts == {"exp.ports": "fail", "exp.kev": "fail", "exp.epss": "fail", "exp.eol": "warn"}
        assert found["exp.ports"]["evidence"]["ports"] == ["3389"]
        score = await on.score(vendor)
        assert "exposure" in {factor["factor"] for factor in score["factors"]}
        assert "exp.kev" not in {cap["rule"] for cap in score["caps"]}, "one source is not sure enough to cap"
        assert {"critical", "high"} <= {f["severity"] for f in await on.findings()}


@pytest.mark.parametrize(
    ("path", "reply", "reason"),
    [
        ("/kev", Reply(500), "kev_not_read"),
        ("/epss", Reply(500), "epss_not_read"),
        ("/exposure/127.0.0.2", Reply(429), "http_429"),
        ("/exposure/127.0.0.2", Reply(200, [], b"{"), "feed_malformed"),
    ],
    ids=["kev", "epss", "busy", "cut"],
)
async def test_a_source_that_says_nothing_is_not_good_news(
    context: JobContext, client: Client, clock: FakeClock, path: str, reply: Reply, reason: str
) -> None:
    async with watching(context, client, clock, **EXPOSURE) as on:
        server = await sources(on)
        clean = b'{"ip":"127.0.0.2","ports":[443],"cpes":[],"hostnames":[],"tags":[],"vulns":[]}'
        server.on("/exposure/127.0.0.2", Reply(200, [], clean))
        server.on(path, reply)
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        found = await on.signals(vendor)
        assert {(found[r]["verdict"], found[r]["reason"]) for r in ("exp.kev", "exp.ports")} == {("unknown", reason)}


async def test_a_domain_that_could_not_be_resolved_is_not_one_without_addresses(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **EXPOSURE) as on:
        await sources(on)
        on.internet.dns.zone[DOMAIN, "A"] = Behaviour.SERVFAIL
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        state = (await on.signals(vendor))["exp.ports"]
        assert (state["verdict"], state["reason"]) == ("unknown", "dns_servfail")


async def test_transparency_switched_on_later_reaches_what_was_watched_before(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        server = await sources(on)
        server.on("/ct", Reply(200, [("Content-Type", "application/json")], feeds.SPOTTER))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        context.settings = msgspec.structs.replace(context.settings, **TRANSPARENCY)
        assert await jobs.complete_schedule(context) == 1
        assert await jobs.complete_schedule(context) == 0
        clock.advance(days=1)
        await on.run()
        [request] = [request for request in server.requests if request.path == "/ct"]
        assert request.headers["authorization"] == "Bearer a-key"
        assert (await on.signals(vendor))["tls.ct_issuer"]["verdict"] == "pass", "Let's Encrypt is in the CAA record"


async def test_an_issuer_that_nobody_knows_is_notified_and_no_verdict_rests_on_records_that_were_not_seen(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **TRANSPARENCY) as on:
        server = await sources(on)
        server.on("/ct", Reply(200, [("Content-Type", "application/json")], feeds.SPOTTER))
        on.internet.dns.zone[DOMAIN, "CAA"] = Behaviour.SERVFAIL
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        assert (await on.signals(vendor))["tls.ct_issuer"]["verdict"] == "unknown"
        on.internet.dns.zone[DOMAIN, "CAA"] = ['0 issue "sectigo.com"']
        clock.advance(days=1)
        await on.confirmed()
        assert (await on.signals(vendor))["tls.ct_issuer"]["verdict"] == "warn"
        assert [kind for kind, title in await on.notified() if "Let's Encrypt" in title] == ["domain_changed"]


async def test_a_reflected_origin_is_seen_only_where_it_was_asked_for(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, signal_rules_on=" web.cors ") as on:

        def reflecting(request: Any) -> Reply:
            origin = request.headers.get("origin")
            more = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
            return Reply(200, [*GOOD_HEADERS, *(more if origin else [])], PAGE)

        on.good.on("/", reflecting)
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        state = (await on.signals(vendor))["web.cors"]
        assert (state["verdict"], state["severity"]) == ("fail", "high")
        assert {d["rule"] for d in (await on.score(vendor))["deductions"]} >= {"web.cors"}


async def test_a_list_that_an_operator_switches_off_takes_its_rules_out_of_the_number_and_says_so(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, signal_hibp_url="https://sources.test/hibp") as on:
        server = await sources(on)
        server.on("/hibp", Reply(200, [], feeds.breaches(feeds.breach(Domain=DOMAIN))))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        listed = await on.score(vendor)
        assert "evt.breach" in {d["rule"] for d in listed["deductions"]}
        assert len(await on.findings(filter="state:eq:open")) == 1
        context.settings = msgspec.structs.replace(context.settings, signal_hibp_url="")
        clock.advance(days=1, hours=13)
        await on.confirmed()
        without = await on.score(vendor)
        assert without["number"] > listed["number"]
        assert "evt.breach" not in {d["rule"] for d in without["deductions"]}
        assert set(without["disabled_rules"]) >= {"evt.breach", "evt.breach_unverified"}
        assert await on.findings(filter="state:eq:open") == []
