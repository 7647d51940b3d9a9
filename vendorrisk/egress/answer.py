"""The result of a fetch."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

_MOST_DIGITS = 9


class Hop(msgspec.Struct, frozen=True):
    """One response on the way. Header names are lower-case, values Latin-1 text, in the order they came."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    address: str

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        return next((value for key, value in self.headers if key == name), None)


class Fetched(msgspec.Struct, frozen=True):
    """The last response, its body within the limits, and the redirects before it (oldest first)."""

    final: Hop
    body: bytes
    truncated: bool
    redirects: tuple[Hop, ...] = ()

    @property
    def status(self) -> int:
        return self.final.status

    @property
    def url(self) -> str:
        return self.final.url

    def header(self, name: str) -> str | None:
        """Return the first value of a header of the last response. `name` is in lower case."""
        return self.final.header(name)

    def retry_after_seconds(self, now: datetime) -> int | None:
        """Read Retry-After (RFC 9110, section 10.2.3). None if it is missing, past or invalid."""
        value = (self.header("retry-after") or "").strip()
        if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
            return int(value)
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        seconds = (at - now).total_seconds()
        return int(seconds) if seconds > 0 else None
