"""The live adapter of the port: every scan comes back as an observation, and says who is scanning."""

import pytest

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab, registries, trusting_lab
from vendorrisk.probes.feeds import feed_parser
from vendorrisk.probes.observation import Unknown, canonical
from vendorrisk.probes.scanner import FEED_LIMITS, LiveScanner, Scanner

pytestmark = pytest.mark.anyio
D = "acme.test"


async def everything(scanner: Scanner) -> list[object]:
    allowed = await scanner.robots(D)
    return [
        await scanner.dns(D, (f"www.{D}",)),
        await scanner.aliases(f"www.{D}"),
        await scanner.email(D, with_dkim=False),
        await scanner.web(D, with_cors=True, with_security_txt=True),
        await scanner.certificate(D),
        await scanner.versions(D),
        await scanner.registration(D, bases={}, whois_servers={"test": "whois.nic.test"}),
        await scanner.page(f"https://{D}/trust", allowed=allowed, with_text=True),
        await scanner.status(f"https://status.{D}"),
        await scanner.feed(f"https://{D}/feed.json", etag="", last_modified=""),
    ]


def live(world: Lab) -> LiveScanner:
    return LiveScanner(world.guard, contact_url="https://example.org/bot", sandbox=world.sandbox)


async def test_every_scan_comes_back_even_when_nothing_answers() -> None:
    async with lab({}) as world:
        scanner = live(world)
        found = await everything(scanner)
        await scanner.aclose()
    assert [type(observation).__name__ for observation in found] == [
        *(
            "DnsObservation",
            "DnsObservation",
            "EmailObservation",
            "WebObservation",
            "CertObservation",
            "HelloObservation",
            "RegObservation",
            "PageObservation",
            "StatusObservation",
        ),
        "Unknown",
    ]
    assert all(canonical(observation) for observation in found)


async def test_each_request_says_who_is_scanning_and_carries_nothing_else() -> None:
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        await registries(world)
        scanner = live(world)
        await everything(scanner)
        await scanner.aclose()
    assert server.requests
    assert {r.headers["user-agent"] for r in server.requests} == {"vendorrisk/1 (+https://example.org/bot)"}
    assert {r.method for r in server.requests} == {"GET"}
    assert not any({"cookie", "authorization", "referer"} & set(r.headers) for r in server.requests)


async def test_what_must_be_authentic_is_not_read_behind_a_bad_certificate() -> None:
    """The lab's root is in no real trust store: web pages are read all the same, policies and feeds are not."""
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/feed.json", Reply(200, [], b"[]"))
        scanner = live(world)
        web, mail = (
            await scanner.web(D, with_cors=False, with_security_txt=False),
            await scanner.email(D, with_dkim=False),
        )
        feed = await scanner.feed(f"https://{D}/feed.json", etag="", last_modified="")
        await scanner.aclose()
    assert not isinstance(web.secure, Unknown)
    assert mail.mta_sts == Unknown(reason="tls_failed")
    assert feed == Unknown(reason="tls_failed")


async def test_a_feed_may_be_larger_than_a_page() -> None:
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/feed.json", Reply(200, [], b"x" * (5 << 20)))
        fetcher = Fetcher(world.guard, user_agent="x", limits=FEED_LIMITS, tls=trusting_lab())
        feed = await feed_parser.fetch(f"https://{D}/feed.json", fetcher=fetcher)
        await fetcher.aclose()
    assert isinstance(feed, feed_parser.Fetched)
    assert len(feed.body) == 5 << 20
