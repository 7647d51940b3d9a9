"""The collector of each group of signals, and the groups that are joined from lists instead."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from vendorrisk.db.pool import Database
from vendorrisk.evaluation.evaluate import Observation
from vendorrisk.evaluation.model import AssetKind, ScanKind
from vendorrisk.evaluation.rules import switched_on
from vendorrisk.probes.scanner import Scanner
from vendorrisk.probes.web.robots_txt import Robots, RobotsPermissions
from vendorrisk.settings import Settings
from vendorrisk.signals.enrichment import Lists

_JOINED = frozenset({ScanKind.FEEDS, ScanKind.CT, ScanKind.EXPOSURE})


class OptedOutError(Exception):
    """The host's robots.txt names us and forbids everything."""


class Collector:
    """Scans one asset for one group. `registries` are the RDAP servers by top level."""

    def __init__(
        self,
        scanner: Scanner,
        settings: Settings,
        registries: Mapping[str, str],
        database: Database,
        robots_permissions: RobotsPermissions | None = None,
    ) -> None:
        self._scanner, self._registries = scanner, registries
        self._robots_permissions = robots_permissions or RobotsPermissions()
        self._lists = Lists(scanner, settings, database)
        self._rules_on = switched_on(settings.signal_rules_on)
        self._robots: dict[str, Robots] = {}

    async def scan(
        self, kind: AssetKind, name: str, group: ScanKind, now: datetime, *, is_opted_out: bool = False
    ) -> Observation:
        """Return the observation. Raises `OptedOutError` if the host opted out of scans.

        If the opt-out is known already, groups that do not reach its machines may still be scanned.
        """
        host = name if kind in {AssetKind.DOMAIN, AssetKind.HOST} else (urlsplit(name).hostname or "")
        if group in _JOINED:
            return await self._joined(kind, name, group, now)
        if group in {ScanKind.HTTP, ScanKind.PAGES, ScanKind.STATUS}:
            return await self._read(kind, name, host, group, now, is_opted_out=is_opted_out)
        if group is ScanKind.DNS:
            return await self._names(kind, host, with_contact=not is_opted_out)
        if group is ScanKind.EMAIL:
            return await self._scanner.email(host, with_dkim=True, with_policy=not is_opted_out)
        if group is ScanKind.REG:
            return await self._scanner.registration(host, bases=self._registries, whois_servers={})
        return await (self._scanner.certificate(host) if group is ScanKind.CERT else self._scanner.versions(host))

    async def _names(self, kind: AssetKind, host: str, *, with_contact: bool) -> Observation:
        if kind is AssetKind.DOMAIN:
            return await self._scanner.dns(host, (f"www.{host}",), with_contact=with_contact)
        return await self._scanner.aliases(host, with_contact=with_contact)

    async def _read(
        self, kind: AssetKind, name: str, host: str, group: ScanKind, now: datetime, *, is_opted_out: bool
    ) -> Observation:
        """Read pages, where robots.txt does not name us. Where it did, one that cannot be read says so still.

        A status page is read more often than its robots.txt need be.
        """
        if group is ScanKind.STATUS and self._robots_permissions.holds(host, now):
            return await self._scanner.status(name)
        allowed = await self._allowed(host, now)
        if is_opted_out and allowed.unreachable:
            raise OptedOutError(host)
        if group is ScanKind.HTTP:
            return await self._scanner.web(host, with_cors="web.cors" in self._rules_on, with_security_txt=True)
        return await self._scanner.page(name, allowed=allowed, with_text=kind is AssetKind.SUBPROCESSOR_PAGE)

    async def _joined(self, kind: AssetKind, name: str, group: ScanKind, now: datetime) -> Observation:
        if kind is AssetKind.REPOSITORY:
            return await self._lists.scorecard(name.removeprefix("https://"))
        if group is ScanKind.FEEDS:
            return await self._lists.breaches(name, now)
        return await (self._lists.issuances(name) if group is ScanKind.CT else self._lists.exposure(name, now))

    async def _allowed(self, host: str, now: datetime) -> Robots:
        """Read robots.txt once for all scans of a domain scan."""
        robots = self._robots.get(host)
        if robots is None:
            robots = self._robots[host] = await self._scanner.robots(host)
        if robots.opted_out:
            raise OptedOutError(host)
        if not robots.unreachable:
            self._robots_permissions.note(host, now)
        return robots
