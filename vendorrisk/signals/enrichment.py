"""Facts joined from lists and requested from other services: breaches, issuances, exposure, scorecards.

No request here reaches a vendor's machines.
"""

from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import Database
from vendorrisk.evaluation.rules import switched_on
from vendorrisk.feeds import queries as feed_queries
from vendorrisk.feeds import reading as feed_reading
from vendorrisk.probes import reading
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_records import issuers
from vendorrisk.probes.dns.dns_setup import caa_records
from vendorrisk.probes.feeds.feed_observations import (
    BreachObservation,
    ExposureObservation,
    IssuanceObservation,
    ScorecardObservation,
)
from vendorrisk.probes.feeds.feed_parser import AddressFacts, Breach
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.scanner import Scanner
from vendorrisk.settings import Settings

_MOST_ADDRESSES = 8
_STALE = timedelta(days=7)  # a list that could not be read for a week proves nothing about today


class Lists:
    """The entries of lists that concern a domain, an address or a repository."""

    def __init__(self, scanner: Scanner, settings: Settings, database: Database) -> None:
        self._scanner, self._settings, self._database = scanner, settings, database
        self._rules_on = switched_on(settings.signal_rules_on)

    async def breaches(self, domain: str, now: datetime) -> BreachObservation:
        async with self._database.system() as connection:
            feed = await feed_queries.feed_of(connection, "hibp")
            if feed is None or feed.fetched_at is None:
                return BreachObservation(domain=domain, breaches=Unknown(reason="feed_never_read"))
            if now - feed.fetched_at > _STALE:
                return BreachObservation(domain=domain, breaches=Unknown(reason="feed_stale"))
            found = await feed_queries.items_of(connection, "hibp", domain, Breach)
        return BreachObservation(domain=domain, breaches=tuple(found))

    async def scorecard(self, repository: str) -> ScorecardObservation:
        url = self._settings.signal_scorecard_url.replace("{repository}", quote(repository))
        if not url:
            return ScorecardObservation(repository=repository, tenths=Unknown(reason="feed_off"))
        response = await self._scanner.feed(url, etag="", last_modified="")
        if isinstance(response, Unknown):
            reason = "not_scanned" if response.reason == "http_404" else response.reason
            return ScorecardObservation(repository=repository, tenths=Unknown(reason=reason))
        payload = reading.packed(repository, response.body)
        tenths = await self._scanner.read(feed_reading.scorecard, payload, about=repository)
        return ScorecardObservation(repository=repository, tenths=tenths)

    async def issuances(self, domain: str) -> IssuanceObservation:
        url = self._settings.signal_ct_url.replace("{domain}", quote(domain))
        response = await self._scanner.feed(url, etag="", last_modified="", token=self._settings.signal_ct_token)
        if isinstance(response, Unknown):
            return IssuanceObservation(domain=domain, issuances=response)
        found = await self._scanner.read(feed_reading.issuances, response.body, about=domain)
        if isinstance(found, Unknown):
            return IssuanceObservation(domain=domain, issuances=found)
        dns = await self._scanner.dns(domain, (), with_contact=False)
        caa = caa_records(Answers(dns.answers), domain)
        if caa.unknown:
            return IssuanceObservation(domain=domain, issuances=Unknown(reason=caa.unknown))
        admitted = issuers(caa.records)
        return IssuanceObservation(domain=domain, issuances=tuple(found), admitted=tuple(sorted(admitted)))

    async def exposure(self, domain: str, now: datetime) -> ExposureObservation:
        known = await self._scanner.addresses(domain)
        seen: tuple[AddressFacts | Unknown, ...] = tuple(
            [await self._address(a) for a in known.records[:_MOST_ADDRESSES]]
        )
        if known.unknown:
            seen = (Unknown(reason=known.unknown),)  # a failed look-up is not "no address"
        cves = sorted({cve for one in seen if isinstance(one, AddressFacts) for cve in one.vulnerabilities})
        async with self._database.system() as connection:
            seen += await self._lists_missing(connection, now)
            exploited = [cve for cve in cves if await _is_listed(connection, "kev", cve)]
            likely = {cve: found for cve in cves if (found := await _likelihood(connection, cve)) is not None}
        return ExposureObservation(domain=domain, addresses=seen, exploited=tuple(exploited), likely_millionths=likely)

    async def _lists_missing(self, connection: Connection, now: datetime) -> tuple[Unknown, ...]:
        """Return the required list that was never read, or too long ago. An absence from such a list proves nothing."""
        missing = []
        for rule, name in (("exp.kev", "kev"), ("exp.epss", "epss")):
            feed = await feed_queries.feed_of(connection, name) if rule in self._rules_on else None
            if rule in self._rules_on and (feed is None or feed.fetched_at is None or now - feed.fetched_at > _STALE):
                missing.append(Unknown(reason=f"{name}_not_read"))
        return tuple(missing)

    async def _address(self, address: str) -> AddressFacts | Unknown:
        url = self._settings.signal_exposure_url.replace("{address}", address)
        response = await self._scanner.feed(url, etag="", last_modified="", token="")
        if isinstance(response, Unknown):
            if response.reason == "http_404":
                return AddressFacts(address=address, known=False)
            return response
        return await self._scanner.read(feed_reading.address, reading.packed(address, response.body), about=address)


async def _is_listed(connection: Connection, feed: str, key: str) -> bool:
    return await feed_queries.item(connection, feed, key, dict) is not None


class _Likelihood(msgspec.Struct):
    millionths: int


async def _likelihood(connection: Connection, cve: str) -> int | None:
    found = await feed_queries.item(connection, "epss", cve, _Likelihood)
    return None if found is None else found.millionths
