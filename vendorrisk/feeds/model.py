"""Stored types of feeds."""

from datetime import datetime

import msgspec


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A list that is fetched once for all vendors.

    `failure` is the reason if the last fetch failed. Earlier items stay.
    """

    feed: str
    version: str
    checked_at: datetime | None
    fetched_at: datetime | None
    next_fetch_at: datetime
    failure: str | None
    failures: int
    item_count: int
