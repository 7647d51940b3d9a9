"""A guard that may reach loopback, its name server, and a fetcher for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab.dns import DnsFake, Zone, dns_fake
from vendorrisk.lab.http import HttpFake, http_fake


@dataclass
class World:
    """One name server, one web server that every name on port 80 leads to, and the fetcher under test."""

    dns: DnsFake
    web: HttpFake
    guard: Guard
    fetcher: Fetcher


def loopback(port: int) -> LoopbackOverride:
    return LoopbackOverride(["127.0.0.0/8"], {("", 80): port, ("", 443): port, ("", 43): port})


@asynccontextmanager
async def world(
    zone: Zone | None = None, *, limits: Limits | None = None, keep_alive_seconds: float = 0.0
) -> AsyncIterator[World]:
    everyone = {("www.example.test", "A"): ["127.0.0.1"], ("other.example.test", "A"): ["127.0.0.1"]}
    async with dns_fake({**everyone, **(zone or {})}) as names, http_fake() as web:
        resolver = Resolver([names.address], try_seconds=0.3, lifetime_seconds=0.6)
        guard = Guard(resolver, loopback=loopback(web.port))
        fetcher = Fetcher(
            guard,
            user_agent="scans/1 (+https://example.org/bot)",
            limits=limits or Limits(total_seconds=5.0),
            keep_alive_seconds=keep_alive_seconds,
        )
        yield World(names, web, guard, fetcher)
        await fetcher.aclose()
