"""Which collector looks for which group of signals, and what is joined from lists instead."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

import msgspec

from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import Database
from vendorrisk.probes import feeds
from vendorrisk.probes.answers import Answers
from vendorrisk.probes.feeds import AddressFacts, Breach, FeedError
from vendorrisk.probes.joined import BreachLook, ExposureLook, IssuanceLook
from vendorrisk.probes.nameservice import caa_records
from vendorrisk.probes.observation import Unseen
from vendorrisk.probes.pages import Robots
from vendorrisk.probes.port import Looks
from vendorrisk.probes.records import issuers
from vendorrisk.settings import Settings
from vendorrisk.signals import feed_queries
from vendorrisk.signals.judging import Observation
from vendorrisk.signals.model import Group
from vendorrisk.signals.rules import switched_on
from vendorrisk.signals.schedule import place_of
from vendorrisk.signals.watch_model import AssetKind

_MOST_ADDRESSES = 8
_JOINED = frozenset({Group.FEEDS, Group.CT, Group.EXPOSURE})
_STALE = timedelta(days=7)  # a list that could not be read for a week says nothing about today


class OptedOutError(Exception):
    """The host's robots.txt names us and forbids everything."""


class Collector:
    """Looks at one asset for one group. `registries` are the RDAP servers by top level."""

    def __init__(self, looks: Looks, settings: Settings, registries: Mapping[str, str], database: Database) -> None:
        self._looks, self._settings, self._registries, self._database = looks, settings, registries, database
        self._rules_on = switched_on(settings.signal_rules_on)
        self._robots: dict[str, Robots] = {}

    async def look(
        self, kind: AssetKind, name: str, group: Group, now: datetime, *, is_opted_out: bool = False
    ) -> Observation:
        """Return what was seen; raises `OptedOutError` where the host does not want to be looked at.

        Where that is known already, groups that do not reach its machines may still be looked at.
        """
        host = name if kind in {AssetKind.DOMAIN, AssetKind.HOST} else (urlsplit(name).hostname or "")
        if group in _JOINED:
            return await self._joined(host, group, now)
        if group in {Group.HTTP, Group.PAGES, Group.STATUS}:
            return await self._read(kind, name, host, group, is_opted_out=is_opted_out)
        if group is Group.DNS:
            return await self._looks.dns(place_of(host), (f"www.{host}",) if kind is AssetKind.DOMAIN else (host,))
        if group is Group.EMAIL:
            return await self._looks.email(host, with_dkim=True, with_policy=not is_opted_out)
        if group is Group.REG:
            return await self._looks.registration(host, bases=self._registries, whois_servers={})
        return await (self._looks.certificate(host) if group is Group.CERT else self._looks.versions(host))

    async def _read(self, kind: AssetKind, name: str, host: str, group: Group, *, is_opted_out: bool) -> Observation:
        """Read pages, where robots.txt does not name us. Where it did, one that cannot be read says so still."""
        allowed = await self._allowed(host)
        if is_opted_out and allowed.unreachable:
            raise OptedOutError(host)
        if group is Group.HTTP:
            return await self._looks.web(host, with_cors="web.cors" in self._rules_on, with_security_txt=True)
        if group is Group.STATUS:
            return await self._looks.status(name)
        return await self._looks.page(name, allowed=allowed, with_text=kind is AssetKind.SUBPROCESSOR_PAGE)

    async def _joined(self, host: str, group: Group, now: datetime) -> Observation:
        if group is Group.FEEDS:
            return await self._breaches(host, now)
        return await (self._issuances(host) if group is Group.CT else self._exposure(host, now))

    async def _allowed(self, host: str) -> Robots:
        """Read robots.txt once for all looks of a visit."""
        robots = self._robots.get(host)
        if robots is None:
            robots = self._robots[host] = await self._looks.robots(host)
        if robots.opted_out:
            raise OptedOutError(host)
        return robots

    async def _breaches(self, domain: str, now: datetime) -> BreachLook:
        async with self._database.system() as connection:
            feed = await feed_queries.feed_of(connection, "hibp")
            if feed is None or feed.fetched_at is None:
                return BreachLook(domain=domain, breaches=Unseen(reason="feed_never_read"))
            if now - feed.fetched_at > _STALE:
                return BreachLook(domain=domain, breaches=Unseen(reason="feed_stale"))
            found = await feed_queries.items_of(connection, "hibp", domain, Breach)
        return BreachLook(domain=domain, breaches=tuple(found))

    async def _issuances(self, domain: str) -> IssuanceLook:
        url = self._settings.signal_ct_url.replace("{domain}", quote(domain))
        answer = await self._looks.feed(url, etag="", last_modified="", token=self._settings.signal_ct_token)
        if isinstance(answer, Unseen):
            return IssuanceLook(domain=domain, issuances=answer)
        try:
            found = feeds.read_issuances(answer.body)
        except FeedError as error:
            return IssuanceLook(domain=domain, issuances=Unseen(reason=error.args[0]))
        dns = await self._looks.dns(domain, ())
        caa = caa_records(Answers(dns.answers), domain)
        if caa.unseen:
            return IssuanceLook(domain=domain, issuances=Unseen(reason=caa.unseen))
        admitted = issuers(caa.records)
        return IssuanceLook(domain=domain, issuances=found, admitted=tuple(sorted(admitted)))

    async def _exposure(self, domain: str, now: datetime) -> ExposureLook:
        known = await self._looks.addresses(domain)
        seen: tuple[AddressFacts | Unseen, ...] = tuple(
            [await self._address(a) for a in known.records[:_MOST_ADDRESSES]]
        )
        if known.unseen:
            seen = (Unseen(reason=known.unseen),)  # what could not be resolved is not "no address"
        cves = sorted({cve for one in seen if isinstance(one, AddressFacts) for cve in one.vulnerabilities})
        async with self._database.system() as connection:
            seen += await self._lists_missing(connection, now)
            exploited = [cve for cve in cves if await _is_listed(connection, "kev", cve)]
            likely = {cve: found for cve in cves if (found := await _likelihood(connection, cve)) is not None}
        return ExposureLook(domain=domain, addresses=seen, exploited=tuple(exploited), likely_millionths=likely)

    async def _lists_missing(self, connection: Connection, now: datetime) -> tuple[Unseen, ...]:
        """Say which list that a rule needs was never read, or too long ago: it says nothing of what is not on it."""
        missing = []
        for rule, name in (("exp.kev", "kev"), ("exp.epss", "epss")):
            feed = await feed_queries.feed_of(connection, name) if rule in self._rules_on else None
            if rule in self._rules_on and (feed is None or feed.fetched_at is None or now - feed.fetched_at > _STALE):
                missing.append(Unseen(reason=f"{name}_not_read"))
        return tuple(missing)

    async def _address(self, address: str) -> AddressFacts | Unseen:
        url = self._settings.signal_exposure_url.replace("{address}", address)
        answer = await self._looks.feed(url, etag="", last_modified="", token="")
        if isinstance(answer, Unseen):
            if answer.reason == "http_404":
                return AddressFacts(address=address, known=False)
            return answer
        try:
            return feeds.read_address(address, 200, answer.body)
        except FeedError as error:
            return Unseen(reason=error.args[0])


async def _is_listed(connection: Connection, feed: str, key: str) -> bool:
    return await feed_queries.item(connection, feed, key, dict) is not None


class _Likelihood(msgspec.Struct):
    millionths: int


async def _likelihood(connection: Connection, cve: str) -> int | None:
    found = await feed_queries.item(connection, "epss", cve, _Likelihood)
    return None if found is None else found.millionths
