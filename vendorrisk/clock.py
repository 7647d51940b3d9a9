"""Time comes from a clock that is handed in, so that tests never sleep and "today" is the tenant's."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Returns the present instant, aware, in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone. Raises `ZoneInfoNotFoundError` for a name that the database lacks."""
    return ZoneInfo(name)


def today_in(zone_name: str, now: datetime) -> date:
    """Return the calendar day that `now` falls on in the given IANA zone."""
    return now.astimezone(zone(zone_name)).date()
