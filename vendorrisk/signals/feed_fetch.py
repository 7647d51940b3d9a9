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
from vendorrisk.evaluation.product_names import plain
from vendorrisk.ids import new_id
from vendorrisk.probes.feeds import feed_parser, hsts_preload
from vendorrisk.probes.feeds.feed_parser import FeedError, Fetched
from vendorrisk.probes.observation import Unknown, canonical
from vendorrisk.probes.registration import rdap
from vendorrisk.probes.registration.rdap import RdapError
from vendorrisk.probes.web.robots_txt import RobotsPermissions
from vendorrisk.signals import feed_queries
from vendorrisk.signals.feed_queries import ClaimedFeed
from vendorrisk.signals.feed_sources import FEEDS, is_enabled

FETCHES = Counter("vendorrisk_signal_feed_fetches_total", "Fetches of feeds, or why not.", ["feed", "outcome"])

_LEASE = timedelta(minutes=10)
_RETRY = timedelta(hours=1)
_PORTION = 5000
_LEAST_LIKELY_MILLIONTHS = 10_000  # under 1 % nobody acts, and it is nine tenths of the list

_log = structlog.get_logger("signals")


async def fetch_feeds(context: JobContext) -> int:
    """Fetch one due feed, and join its new items."""
    wanted = [name for name in FEEDS if is_enabled(name, context.settings)]
    now, token = context.clock(), new_id()
    async with context.database.system() as connection:
        claimed = await feed_queries.claim_feed(connection, now, token, now + _LEASE, wanted)
    if claimed is None:
        return 0
    kind = FEEDS[claimed.feed]
    response = await context.scanner.feed(
        getattr(context.settings, kind.setting), etag=claimed.etag, last_modified=claimed.last_modified
    )
    outcome, is_failed = "", False
    async with context.database.system() as connection:
        if isinstance(response, Unknown):
            outcome, is_failed = response.reason, True
            await feed_queries.feed_failed(connection, claimed.feed, token, now, outcome, now + _RETRY)
        elif not response.changed:
            outcome = "unchanged"
            await feed_queries.feed_unchanged(connection, claimed.feed, token, now, now + kind.every)
        else:
            outcome, is_failed = await _take(connection, claimed, response, token, now)
    FETCHES.labels(claimed.feed, outcome).inc()
    if is_failed:
        _log.warning("signal_feed_failed", feed=claimed.feed, reason=outcome)
    return 1


async def _take(
    connection: Connection, claimed: ClaimedFeed, response: Fetched, token: UUID, now: datetime
) -> tuple[str, bool]:
    """Save a feed's items. Return the outcome, and whether it is a failure."""
    kind = FEEDS[claimed.feed]
    try:
        version, found = read(claimed.feed, response.body)
    except (FeedError, RdapError) as error:
        await feed_queries.feed_failed(connection, claimed.feed, token, now, str(error.args[0]), now + _RETRY)
        return str(error.args[0]), True
    items = list({key: (key, subject, payload) for key, subject, payload in found}.values())
    body = zlib.compress(response.body) if kind.is_kept_whole else None
    fetched = ClaimedFeed(claimed.feed, version, response.etag, response.last_modified, 0)
    next_at = now + kind.every
    if not await feed_queries.feed_fetched(connection, fetched, token, now, next_at, items=len(items), body=body):
        return "lost", False
    fresh: list[str] = []
    for portion in _portions(items):
        fresh += await feed_queries.save_items(connection, claimed.feed, portion, now)
    if items:
        await feed_queries.drop_items(connection, claimed.feed, [key for key, _, _ in items], now)
    if claimed.feed == "hibp" and fresh:
        await feed_queries.scan_again_at(connection, sorted(set(fresh)), now)
    if claimed.feed == "kev" and fresh:
        await feed_queries.reconcile_owners_of(connection, sorted(set(fresh)), now)
    return "changed", False


Items = Sequence[tuple[str, str, bytes]]
"""(key, subject, canonical payload) of each item."""


def read(feed: str, body: bytes) -> tuple[str, Items]:
    """Read a feed into its version and items. Raises `FeedError` or `RdapError` if its shape is unexpected."""
    version, items = _read(feed, body)
    if "\0" in version or any("\0" in key or "\0" in subject for key, subject, _ in items):
        raise FeedError("feed_schema")  # no name has a NUL, and Postgres takes none
    return version, items


def _read(feed: str, body: bytes) -> tuple[str, Items]:
    match feed:
        case "kev":
            catalogue = feed_parser.read_kev(body)
            return catalogue.version, [(i.cve, plain(i.vendor), canonical(i)) for i in catalogue.items]
        case "hibp":
            breaches = feed_parser.read_breaches(body)
            newest = max(b.added_at for b in breaches)
            return newest.isoformat(), [(b.name, b.domain, canonical(b)) for b in breaches]
        case "epss":
            scores = feed_parser.read_epss(body)
            likely = {cve: m for cve, m in scores.millionths.items() if m >= _LEAST_LIKELY_MILLIONTHS}
            version = f"{scores.model} {scores.scored_on}"
            return version, [(cve, "", canonical({"millionths": m})) for cve, m in sorted(likely.items())]
        case "rdap":
            rdap.read_bootstrap(body)
        case _:
            hsts_preload.read(body, "")
    return f"{zlib.crc32(body):08x}", []


def _portions(items: Items) -> Iterator[Items]:
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

    async def refresh(self, connection: Connection) -> None:
        for name in ("rdap", "preload"):
            known = await feed_queries.feed_of(connection, name)
            if known is None or not known.version or known.version == self._versions.get(name):
                continue
            body = await feed_queries.feed_body(connection, name)
            if body is None:
                continue
            if name == "rdap":
                self.registries = rdap.read_bootstrap(zlib.decompress(body))
            else:
                self.preloaded = hsts_preload.read(zlib.decompress(body), known.version)
            self._versions[name] = known.version

    @property
    def versions(self) -> dict[str, str]:
        return dict(self._versions)
