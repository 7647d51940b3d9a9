"""What a vendor, a registry or a list can say to break us: bytes that cannot be stored, days that no calendar has."""

from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.test_adversity import lists_at
from tests.signals.test_vendor_events import LISTS
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.lab import feeds, pki, registry
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import good_zone

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def says_of_registrations(on: Watching, body: bytes) -> None:
    """Have another registry answer for `.test`, with this of every domain."""
    on.internet.dns.zone["registry.test", "A"] = ["127.0.0.203"]
    made = pki.leaf(pki.Wish(names=("registry.test",)))
    server = await on.internet.host("127.0.0.203", tls=pki.server_context(made))
    server.on("*", Reply(200, [("Content-Type", "application/rdap+json")], body))
    on.context.lists.registries = {"test": "https://registry.test/"}


async def test_a_nul_in_what_a_vendor_serves_is_no_way_to_hide(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    zone = good_zone()
    zone[DOMAIN, "TXT"] = ['"v=spf1 a:x\\000y +all"']
    async with watching(context, client, clock, zone) as on:
        text = b"Contact: mailto:a\x00b@acme.test\nExpires: 2027-06-01T00:00:00Z\n"
        on.good.on("/.well-known/security.txt", Reply(200, [("Content-Type", "text/plain")], text))
        state = feeds.statuspage("major", feeds.incident("one\x00two", f"{clock():%Y-%m-%dT%H:%M:%SZ}"))
        on.good.on("/api/v2/summary.json", Reply(200, [], state))
        person = ["fn", {}, "text", "Regi\x00strar"]
        registrar = [{"roles": ["registrar"], "vcardArray": ["vcard", [person]]}]
        await says_of_registrations(on, registry.rdap_domain(DOMAIN, entities=registrar))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.attach(vendor, f"https://status.{DOMAIN}/", "status_page")
        await on.confirmed()
        found = await on.signals(vendor)
        assert found["tls.cert_name"]["verdict"] == "pass"
        assert found["tr.security_txt"]["verdict"] in {"pass", "warn"}
        assert found["evt.status"]["verdict"] == "warn"
        assert found["email.spf"]["verdict"] != "unknown"
        assert await owner.fetchval("select count(*) from signal_scans") > 7


async def test_a_nul_in_a_list_is_a_list_that_cannot_be_read(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        await lists_at(on, feeds.breaches(feeds.breach(Name="Ac\x00me")))
        await on.attach(await on.vendor())
        await on.run()
        shown = {feed["feed"]: feed for feed in (await client.get("/v1/signal-feeds")).json()["items"]}
        assert shown["hibp"]["failure"] == "feed_malformed"
        assert shown["kev"]["failure"] is None


@pytest.mark.parametrize("time_zone", ["Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize("ends", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
async def test_a_registration_that_ends_where_the_calendar_does_stops_no_reconciliation(
    context: JobContext, client: Client, clock: FakeClock, owner: Any, time_zone: str, ends: str
) -> None:
    await owner.execute("update tenants set time_zone = $1", time_zone)
    async with watching(context, client, clock) as on:
        await says_of_registrations(on, registry.rdap_domain(DOMAIN, expires=ends))
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.confirmed()
        assert (await on.score(vendor))["number"] > 0
        coming = await client.items("/v1/alerts/upcoming", until="2027-01-31")
        ends = {(a["alert_class"], a["due_on"]) for a in coming if a["alert_class"].endswith("_expiring")}
        assert {what for what, _ in ends} == {"certificate_expiring"}


async def test_an_evaluator_that_breaks_leaves_its_scan_unknown_and_the_others_whole(
    context: JobContext, client: Client, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)

        def broken(*_: Any, **__: Any) -> Any:
            raise OverflowError("date value out of range")

        monkeypatch.setattr("vendorrisk.evaluation.domain.evaluate", broken)
        await on.run()
        found = await on.signals(vendor)
        assert (found["dom.expiry"]["verdict"], found["dom.expiry"]["reason"]) == ("unknown", "evaluation_failed")
        assert found["tls.cert_name"]["verdict"] == "pass"
        monkeypatch.undo()
        clock.advance(days=1)
        await on.run()
        assert (await on.signals(vendor))["dom.expiry"]["verdict"] == "pass"
