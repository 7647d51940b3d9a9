"""Which collector looks for which group of signals, and what is joined from lists instead."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from vendorrisk.db.pool import Database
from vendorrisk.evaluation.evaluate import Observation
from vendorrisk.evaluation.model import AssetKind, Group
from vendorrisk.evaluation.rules import switched_on
from vendorrisk.probes.scanner import Looks
from vendorrisk.probes.web.robots_txt import Leave, Robots
from vendorrisk.settings import Settings
from vendorrisk.signals.enrichment import Lists

_JOINED = frozenset({Group.FEEDS, Group.CT, Group.EXPOSURE})


class OptedOutError(Exception):
    """The host's robots.txt names us and forbids everything."""


class Collector:
    """Looks at one asset for one group. `registries` are the RDAP servers by top level."""

    def __init__(
        self,
        looks: Looks,
        settings: Settings,
        registries: Mapping[str, str],
        database: Database,
        leave: Leave | None = None,
    ) -> None:
        self._looks, self._registries = looks, registries
        self._leave = leave or Leave()
        self._lists = Lists(looks, settings, database)
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
            return await self._joined(kind, name, group, now)
        if group in {Group.HTTP, Group.PAGES, Group.STATUS}:
            return await self._read(kind, name, host, group, now, is_opted_out=is_opted_out)
        if group is Group.DNS:
            return await self._names(kind, host, with_visits=not is_opted_out)
        if group is Group.EMAIL:
            return await self._looks.email(host, with_dkim=True, with_policy=not is_opted_out)
        if group is Group.REG:
            return await self._looks.registration(host, bases=self._registries, whois_servers={})
        return await (self._looks.certificate(host) if group is Group.CERT else self._looks.versions(host))

    async def _names(self, kind: AssetKind, host: str, *, with_visits: bool) -> Observation:
        if kind is AssetKind.DOMAIN:
            return await self._looks.dns(host, (f"www.{host}",), with_visits=with_visits)
        return await self._looks.aliases(host, with_visits=with_visits)

    async def _read(
        self, kind: AssetKind, name: str, host: str, group: Group, now: datetime, *, is_opted_out: bool
    ) -> Observation:
        """Read pages, where robots.txt does not name us. Where it did, one that cannot be read says so still.

        A status page is read more often than its robots.txt need be.
        """
        if group is Group.STATUS and self._leave.holds(host, now):
            return await self._looks.status(name)
        allowed = await self._allowed(host, now)
        if is_opted_out and allowed.unreachable:
            raise OptedOutError(host)
        if group is Group.HTTP:
            return await self._looks.web(host, with_cors="web.cors" in self._rules_on, with_security_txt=True)
        return await self._looks.page(name, allowed=allowed, with_text=kind is AssetKind.SUBPROCESSOR_PAGE)

    async def _joined(self, kind: AssetKind, name: str, group: Group, now: datetime) -> Observation:
        if kind is AssetKind.REPOSITORY:
            return await self._lists.scorecard(name.removeprefix("https://"))
        if group is Group.FEEDS:
            return await self._lists.breaches(name, now)
        return await (self._lists.issuances(name) if group is Group.CT else self._lists.exposure(name, now))

    async def _allowed(self, host: str, now: datetime) -> Robots:
        """Read robots.txt once for all looks of a visit."""
        robots = self._robots.get(host)
        if robots is None:
            robots = self._robots[host] = await self._looks.robots(host)
        if robots.opted_out:
            raise OptedOutError(host)
        if not robots.unreachable:
            self._leave.note(host, now)
        return robots
