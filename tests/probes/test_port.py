"""The live adapter of the port: every look comes back as an observation, and says who is looking."""

import pytest

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab, registries, trusting_lab
from vendorrisk.probes.feeds import feed_parser
from vendorrisk.probes.observation import Unseen, canonical
from vendorrisk.probes.scanner import FEED_LIMITS, LiveLooks, Looks

pytestmark = pytest.mark.anyio
D = "acme.test"


async def everything(looks: Looks) -> list[object]:
    allowed = await looks.robots(D)
    return [
        await looks.dns(D, (f"www.{D}",)),
        await looks.aliases(f"www.{D}"),
        await looks.email(D, with_dkim=False),
        await looks.web(D, with_cors=True, with_security_txt=True),
        await looks.certificate(D),
        await looks.versions(D),
        await looks.registration(D, bases={}, whois_servers={"test": "whois.nic.test"}),
        await looks.page(f"https://{D}/trust", allowed=allowed, with_text=True),
        await looks.status(f"https://status.{D}"),
        await looks.feed(f"https://{D}/feed.json", etag="", last_modified=""),
    ]


def live(world: Lab) -> LiveLooks:
    return LiveLooks(world.guard, contact_url="https://example.org/bot")


async def test_every_look_comes_back_even_when_nothing_answers() -> None:
    async with lab({}) as world:
        looks = live(world)
        found = await everything(looks)
        await looks.aclose()
    assert [type(look).__name__ for look in found] == [
        *("DnsLook", "DnsLook", "EmailLook", "WebLook", "CertLook", "HelloLook", "RegLook", "PageLook", "StatusLook"),
        "Unseen",
    ]
    assert all(canonical(look) for look in found)


async def test_each_request_says_who_is_looking_and_carries_nothing_else() -> None:
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        await registries(world)
        looks = live(world)
        await everything(looks)
        await looks.aclose()
    assert server.requests
    assert {r.headers["user-agent"] for r in server.requests} == {"vendorrisk/1 (+https://example.org/bot)"}
    assert {r.method for r in server.requests} == {"GET"}
    assert not any({"cookie", "authorization", "referer"} & set(r.headers) for r in server.requests)


async def test_what_must_be_authentic_is_not_read_behind_a_bad_certificate() -> None:
    """The lab's root is in no real trust store: web pages are read all the same, policies and feeds are not."""
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/feed.json", Reply(200, [], b"[]"))
        looks = live(world)
        web, mail = await looks.web(D, with_cors=False, with_security_txt=False), await looks.email(D, with_dkim=False)
        feed = await looks.feed(f"https://{D}/feed.json", etag="", last_modified="")
        await looks.aclose()
    assert not isinstance(web.secure, Unseen)
    assert mail.mta_sts == Unseen(reason="tls_failed")
    assert feed == Unseen(reason="tls_failed")


async def test_a_feed_may_be_larger_than_a_page() -> None:
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/feed.json", Reply(200, [], b"x" * (5 << 20)))
        fetcher = Fetcher(world.guard, user_agent="x", limits=FEED_LIMITS, tls=trusting_lab())
        feed = await feed_parser.fetch(f"https://{D}/feed.json", fetcher=fetcher)
        await fetcher.aclose()
    assert isinstance(feed, feed_parser.Fetched)
    assert len(feed.body) == 5 << 20
