"""Feeds: fetched once for all vendors, read strictly, joined in the database.

A feed that cannot be read changes nothing. The earlier items stay, the failure is recorded, and after a week of
failures every rule that depends on it is unknown.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter

from vendorrisk.background import JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import Database
from vendorrisk.feeds import queries, reading
from vendorrisk.feeds.queries import ClaimedFeed
from vendorrisk.feeds.reading import FeedContent, Item
from vendorrisk.feeds.sources import FEEDS, is_enabled
from vendorrisk.ids import new_id
from vendorrisk.probes.feeds import hsts_preload
from vendorrisk.probes.feeds.feed_parser import Fetched
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.scanner import Scanner
from vendorrisk.probes.web.robots_txt import RobotsPermissions

FETCHES = Counter("vendorrisk_signal_feed_fetches_total", "Fetches of feeds, or why not.", ["feed", "outcome"])

_LEASE = timedelta(minutes=10)
_RETRY = timedelta(hours=1)
_PORTION = 5000

_log = structlog.get_logger("signals")


async def fetch_feeds(context: JobContext) -> int:
    """Fetch one due feed, and join its new items."""
    wanted = [name for name in FEEDS if is_enabled(name, context.settings)]
    now, token = context.clock(), new_id()
    async with context.database.system() as connection:
        claimed = await queries.claim_feed(connection, now, token, now + _LEASE, wanted)
    if claimed is None:
        return 0
    kind = FEEDS[claimed.feed]
    response = await context.scanner.feed(
        getattr(context.settings, kind.setting), etag=claimed.etag, last_modified=claimed.last_modified
    )
    # Read before a connection is taken: reading may take its time.
    content = await _read(context.scanner, claimed.feed, response)
    outcome, is_failed = "", False
    async with context.database.system() as connection:
        if isinstance(content, Unknown):
            outcome, is_failed = content.reason, True
            await queries.feed_failed(connection, claimed.feed, token, now, outcome, now + _RETRY)
        elif content is None or isinstance(response, Unknown):
            outcome = "unchanged"
            await queries.feed_unchanged(connection, claimed.feed, token, now, now + kind.every)
        else:
            outcome = await _take(connection, claimed, response, content, token, now)
    FETCHES.labels(claimed.feed, outcome).inc()
    if is_failed:
        _log.warning("signal_feed_failed", feed=claimed.feed, reason=outcome)
    return 1


async def _read(scanner: Scanner, feed: str, response: Fetched | Unknown) -> FeedContent | Unknown | None:
    """Read a feed's body in the sandbox. None if there is nothing new to read."""
    if isinstance(response, Unknown):
        return response
    if not response.changed:
        return None
    return await scanner.read(reading.READERS[feed], response.body, about=feed)


async def _take(
    connection: Connection, claimed: ClaimedFeed, response: Fetched, content: FeedContent, token: UUID, now: datetime
) -> str:
    """Save a feed's items. Return the outcome."""
    kind = FEEDS[claimed.feed]
    items = list({key: (key, subject, payload) for key, subject, payload in content.items}.values())
    body = zlib.compress(response.body) if kind.is_kept_whole else None
    fetched = ClaimedFeed(claimed.feed, content.version, response.etag, response.last_modified, 0)
    next_at = now + kind.every
    if not await queries.feed_fetched(connection, fetched, token, now, next_at, items=len(items), body=body):
        return "lost"
    fresh: list[str] = []
    for portion in _portions(items):
        fresh += await queries.save_items(connection, claimed.feed, portion, now)
    if items:
        await queries.drop_items(connection, claimed.feed, [key for key, _, _ in items], now)
    if claimed.feed == "hibp" and fresh:
        await queries.scan_again_at(connection, sorted(set(fresh)), now)
    if claimed.feed == "kev" and fresh:
        await queries.reconcile_owners_of(connection, sorted(set(fresh)), now)
    return "changed"


def _portions(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _PORTION):
        yield items[start : start + _PORTION]


class Lists:
    """The lists that collectors and evaluators read whole, read again when their version changes.

    `robots_permissions` is this worker's memory of robots.txt files.
    """

    def __init__(self) -> None:
        self._versions: dict[str, str] = {}
        self.registries: Mapping[str, str] = {}
        self.preloaded = hsts_preload.PreloadList("none", {})
        self.robots_permissions = RobotsPermissions()

    async def refresh(self, database: Database, scanner: Scanner) -> None:
        for name in ("rdap", "preload"):
            async with database.system() as connection:
                known = await queries.feed_of(connection, name)
                if known is None or not known.version or known.version == self._versions.get(name):
                    continue
                body = await queries.feed_body(connection, name)
            if body is not None and await self._take(name, known.version, body, scanner):
                self._versions[name] = known.version

    async def _take(self, name: str, version: str, body: bytes, scanner: Scanner) -> bool:
        """Read a stored list. Return False if it cannot be read now: the earlier one stays."""
        if name == "rdap":
            registries = await scanner.read(reading.stored_registries, body, about=name)
            if not isinstance(registries, dict):
                return False
            self.registries = registries
            return True
        hosts = await scanner.read(reading.preloaded, body, about=name)
        if not isinstance(hosts, dict):
            return False
        self.preloaded = hsts_preload.PreloadList(version, hosts)
        return True

    @property
    def versions(self) -> dict[str, str]:
        return dict(self._versions)
