"""The statements of feeds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.feeds.model import Feed

Item = TypeVar("Item")


class ClaimedFeed(msgspec.Struct, frozen=True):
    feed: str
    version: str
    etag: str
    last_modified: str
    failures: int


class _Payload(msgspec.Struct, frozen=True):
    payload: Any


_sql = QueryFile("feeds")
_CLAIM_FEED = _sql.rows("claim_feed", ClaimedFeed)
_KNOW_FEEDS = _sql.command("know_feeds")
_SAVE_ITEMS = _sql.scalar("save_feed_items", str)
_DROP_ITEMS = _sql.command("drop_feed_items")
_FETCHED = _sql.command("feed_fetched")
_UNCHANGED = _sql.command("feed_unchanged")
_FAILED = _sql.command("feed_failed")
_FEED = _sql.rows("feed_of", Feed)
_BODY = _sql.scalar("feed_body", bytes)
_ITEMS = _sql.rows("items_of_subject", _Payload)
_ITEM = _sql.rows("item_of_feed", _Payload)
_SCAN_AGAIN = _sql.command("scan_domains_again")
_TENANTS_WITH_MAKERS = _sql.scalar("tenants_with_makers", UUID)
_RECONCILE_OWNERS = _sql.command("reconcile_owners_of")


async def claim_feed(
    connection: Connection, now: datetime, token: UUID, until: datetime, feeds: Sequence[str]
) -> ClaimedFeed | None:
    await _KNOW_FEEDS.run(connection, feeds, now)
    return await _CLAIM_FEED.one_or_none(connection, now, token, until, feeds)


async def save_items(
    connection: Connection, feed: str, items: Sequence[tuple[str, str, bytes]], now: datetime
) -> list[str]:
    """Save items (key, subject, payload) of a feed. Return the subjects of the new ones."""
    keys, subjects = [key for key, _, _ in items], [subject for _, subject, _ in items]
    return await _SAVE_ITEMS.many(connection, feed, keys, subjects, [payload.decode() for _, _, payload in items], now)


async def drop_items(connection: Connection, feed: str, kept: Sequence[str], now: datetime) -> None:
    await _DROP_ITEMS.run(connection, feed, kept, now)


async def feed_fetched(
    connection: Connection,
    claimed: ClaimedFeed,
    token: UUID,
    now: datetime,
    next_at: datetime,
    *,
    items: int,
    body: bytes | None,
) -> int:
    """Close a fetch. Return 0 if the lease was lost meanwhile."""
    own = (claimed.version, claimed.etag, claimed.last_modified)
    return await _FETCHED.run(connection, claimed.feed, token, *own, now, items, body, next_at)


async def feed_unchanged(connection: Connection, feed: str, token: UUID, now: datetime, next_at: datetime) -> None:
    await _UNCHANGED.run(connection, feed, token, now, next_at)


async def feed_failed(
    connection: Connection, feed: str, token: UUID, now: datetime, why: str, next_at: datetime
) -> None:
    await _FAILED.run(connection, feed, token, now, why, next_at)


async def feed_of(connection: Connection, feed: str) -> Feed | None:
    return await _FEED.one_or_none(connection, feed)


async def feed_body(connection: Connection, feed: str) -> bytes | None:
    return await _BODY.one_or_none(connection, feed)


async def items_of(connection: Connection, feed: str, subject: str, kind: type[Item]) -> list[Item]:
    return [msgspec.convert(row.payload, kind) for row in await _ITEMS.many(connection, feed, subject)]


async def item(connection: Connection, feed: str, key: str, kind: type[Item]) -> Item | None:
    found = await _ITEM.one_or_none(connection, feed, key)
    return None if found is None else msgspec.convert(found.payload, kind)


async def scan_again_at(connection: Connection, domains: Sequence[str], now: datetime) -> None:
    await _SCAN_AGAIN.run(connection, domains, now)


async def reconcile_owners_of(connection: Connection, makers: Sequence[str], now: datetime) -> None:
    """Reconcile the vendors that run a product of one of these makers, by one statement for each tenant."""
    tenants = await _TENANTS_WITH_MAKERS.many(connection, makers)
    await _RECONCILE_OWNERS.run_each(connection, [(tenant, list(makers), now) for tenant in tenants])
