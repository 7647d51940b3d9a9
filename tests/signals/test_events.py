"""What happens to a domain and to what a vendor runs: each kind is notified once, by its class."""

from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.test_vendor_events import LISTS
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.feeds.fetch import fetch_feeds
from vendorrisk.lab import feeds, pki, registry
from vendorrisk.lab.http import HttpFake, Reply
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


def registrar(name: str) -> list[dict[str, Any]]:
    return [{"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", name]]]}]


async def another_registry(on: Watching) -> HttpFake:
    on.internet.dns.zone["registry.test", "A"] = ["127.0.0.203"]
    made = pki.leaf(pki.Wish(names=("registry.test",)))
    server = await on.internet.host("127.0.0.203", tls=pki.server_context(made))
    on.context.lists.registries = {"test": "https://registry.test/"}
    return server


def says(server: HttpFake, **changes: Any) -> None:
    server.on("*", Reply(200, [("Content-Type", "application/rdap+json")], registry.rdap_domain(DOMAIN, **changes)))


async def test_mail_that_goes_elsewhere_and_a_new_registrar_are_notified_once_each(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        server = await another_registry(on)
        says(server)
        await on.attach(await on.vendor())
        await on.run()
        on.internet.dns.zone[DOMAIN, "MX"] = ["10 mx.thief.test."]
        on.internet.dns.zone["mx.thief.test", "A"] = ["8.8.8.8"]
        says(server, entities=registrar("Cheap Names"))
        for _ in range(3):
            clock.advance(days=9)
            await on.confirmed()
        notified = [title for kind, title in await on.notified() if kind == "domain_changed"]
        assert len(notified) == 2
        assert any("mail changed" in title and "thief.test" in title for title in notified)
        assert any("registrar changed" in title and "Cheap Names" in title for title in notified)


async def test_a_change_after_the_lock_went_is_a_severe_finding(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        server = await another_registry(on)
        says(server)
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        says(server, status=["active"])
        clock.advance(days=9)
        await on.confirmed()
        assert (await on.signals(vendor))["dom.lock"]["verdict"] == "warn"
        on.internet.dns.zone[DOMAIN, "NS"] = ["ns1.thief.test.", "ns2.thief.test."]
        on.internet.dns.zone["ns1.thief.test", "A"] = ["192.0.2.1"]
        on.internet.dns.zone["ns2.thief.test", "A"] = ["198.51.100.7"]
        clock.advance(days=1, hours=13)
        await on.confirmed()
        [finding] = [f for f in await on.findings() if "ns changed" in f["title"]]
        assert finding["severity"] == "high"
        assert {kind for kind, _ in await on.notified()} >= {"domain_changed", "signal_finding"}


async def test_a_registrar_that_changes_with_the_lock_in_one_week_is_a_severe_finding_too(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        server = await another_registry(on)
        says(server)
        await on.attach(await on.vendor())
        await on.run()
        says(server, status=["active"], entities=registrar("Cheap Names"))
        clock.advance(days=9)
        await on.confirmed()
        [finding] = [f for f in await on.findings() if "registrar changed" in f["title"]]
        assert finding["severity"] == "high"
        assert [kind for kind, _ in await on.notified()].count("domain_changed") == 1


NOTED = (
    ("Lab Soft", "Mail Gateway", True),
    ("LAB SOFT", "mail-gateway", True),
    ("Lab Soft", "Mail Gateway 9.1R4", True),
    ("Lab Soft", "Mail Gateway 2019", True),
    ("Lab Soft", "Mail", True),
    ("Lab Soft", "Gate", False),
    ("Lab Soft", "Mail Archive", False),
    ("Lab Soft", "Mail Gateway Pro", False),
    ("Other Soft", "Mail Gateway", False),
    ("Lab Soft", "365", False),
    ("Lab Soft", "Mail 365", False),
)


@pytest.mark.parametrize(("maker", "product", "is_hit"), NOTED)
async def test_a_product_is_matched_by_whole_words_whatever_its_version(
    context: JobContext,
    client: Client,
    clock: FakeClock,
    maker: str,
    product: str,
    is_hit: bool,  # noqa: FBT001 - a table
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        on.internet.dns.zone["feeds.test", "A"] = ["127.0.0.210"]
        lists = await on.internet.host("127.0.0.210", tls=pki.server_context(pki.leaf(pki.Wish(names=("feeds.test",)))))
        lists.on("/kev", Reply(200, [], feeds.kev()))
        vendor = await on.vendor()
        noted = await client.post(f"/v1/vendors/{vendor}/products", {"maker": maker, "product": product})
        assert noted.status_code == 201
        while await fetch_feeds(context):
            pass
        for _ in range(2):
            while await jobs.reconcile_vendors(context):
                pass
            clock.advance(days=1)
        notified = [kind for kind, _ in await on.notified()]
        assert notified == ["known_exploited"] * is_hit
