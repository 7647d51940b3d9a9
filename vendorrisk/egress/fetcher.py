"""The one HTTP client: scans by GET and HEAD, messages by POST, all within limits.

Redirects are followed by our own code for scans, with each target checked like the first URL, and never for POST.
Cookies and environment variables are ignored, and a caller's headers do not cross to another origin. If a response asks
for a back-off (429 or 503 with Retry-After), the guard's pacer records it.
"""

import ssl
from collections.abc import Mapping

import httpx
import msgspec

from vendorrisk.clock import system_clock
from vendorrisk.egress.answer import Fetched, Hop
from vendorrisk.egress.body import BoundedBody
from vendorrisk.egress.guard import Guard
from vendorrisk.egress.pacing import time_limit
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.transport import GuardedTransport
from vendorrisk.egress.urls import checked_url, redirect_target

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_MEGABYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one fetch, its redirects included. The header block is bounded by h11 at 100 KiB."""

    wire_bytes: int = _MEGABYTE
    decoded_bytes: int = 2 * _MEGABYTE
    headers: int = 200
    redirects: int = 5
    connect_seconds: float = 5.0
    total_seconds: float = 15.0


class Fetcher:
    """Fetches URLs that others name. Every failure is an `EgressError`."""

    def __init__(
        self,
        guard: Guard,
        *,
        user_agent: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        keep_alive_seconds: float = 0.0,
    ) -> None:
        self._guard = guard
        self._limits = limits or Limits()
        self._agent = user_agent
        self._transport = GuardedTransport(guard, tls=tls, keep_alive_seconds=keep_alive_seconds)

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Fetched:
        """Fetch with GET, following redirects. A body beyond the limits is cut and marked `truncated`."""
        return await self._within_time("GET", url, headers or {}, b"", self._limits.redirects)

    async def get_once(self, url: str, *, headers: Mapping[str, str] | None = None) -> Fetched:
        """Fetch with GET. A redirect is returned as it is."""
        return await self._within_time("GET", url, headers or {}, b"", None)

    async def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Fetched:
        """Fetch with HEAD, following redirects."""
        return await self._within_time("HEAD", url, headers or {}, b"", self._limits.redirects)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Fetched:
        """Send a body once. A redirect is returned as it is."""
        return await self._within_time("POST", url, headers, body, None)

    async def aclose(self) -> None:
        await self._transport.aclose()

    def check(self, url: str) -> str:
        """Return the URL as it would be fetched, or refuse it. No look-up is made."""
        return str(checked_url(self._guard, url))

    async def _within_time(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, redirects: int | None
    ) -> Fetched:
        try:
            async with time_limit(self._limits.total_seconds):
                return await self._follow(method, checked_url(self._guard, url), headers, body, redirects)
        except TimeoutError:
            raise EgressError(Reason.TIMEOUT, f"not done in {self._limits.total_seconds} s") from None

    async def _follow(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes, redirects: int | None
    ) -> Fetched:
        """Follow at most `redirects`. With None, the first response is returned as it is."""
        seen: list[Hop] = []
        visited = {str(url)}
        while True:
            fetched = await self._one(method, url, headers, body)
            location = _location(fetched)
            if redirects is None or location is None:
                return msgspec.structs.replace(fetched, redirects=tuple(seen))
            seen.append(fetched.final)
            target = checked_url(self._guard, redirect_target(url, location))
            if str(target) in visited:
                raise EgressError(Reason.REDIRECT_LOOP, str(target))
            if len(seen) > redirects:
                raise EgressError(Reason.TOO_MANY_REDIRECTS, f"more than {redirects}")
            visited.add(str(target))
            headers = headers if _origin(target) == _origin(url) else {}
            url = target

    async def _one(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Fetched:
        request = httpx.Request(
            method,
            url,
            headers={"user-agent": self._agent, "accept": "*/*", "accept-encoding": "identity", **headers},
            content=body if method == "POST" else None,
            extensions={"timeout": self._timeouts()},
        )
        response = await self._transport.handle_async_request(request)
        try:
            fetched = await self._read(url, method, response)
        finally:
            await response.aclose()
        if fetched.status in _BUSY and (seconds := fetched.retry_after_seconds(system_clock())):
            await self._guard.back_off(url.host, seconds)
        return fetched

    async def _read(self, url: httpx.URL, method: str, response: httpx.Response) -> Fetched:
        raw = response.headers.raw
        if len(raw) > self._limits.headers:
            raise EgressError(Reason.TOO_MANY_HEADERS, f"more than {self._limits.headers}")
        pairs = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)
        reached = response.extensions["network_stream"].get_extra_info("server_addr")
        hop = Hop(str(url), response.status_code, pairs, str(reached[0]))
        if method == "HEAD" or response.status_code in _REDIRECTS:
            return Fetched(hop, b"", truncated=False)
        encoding = ",".join(value for name, value in pairs if name == "content-encoding")
        body = BoundedBody(
            encoding.strip().lower(),
            wire_bytes=self._limits.wire_bytes,
            decoded_bytes=self._limits.decoded_bytes,
        )
        async for chunk in response.stream:  # type: ignore[union-attr] # our transport's streams are async
            if not body.feed(chunk):
                break
        content = body.finish()
        return Fetched(hop, content, truncated=body.truncated)

    def _timeouts(self) -> dict[str, float]:
        whole = self._limits.total_seconds
        return {"connect": self._limits.connect_seconds, "read": whole, "write": whole, "pool": whole}


def _location(fetched: Fetched) -> bytes | None:
    """Return the target of a redirect. A redirect without Location is a response like any other."""
    value = fetched.header("location")
    return value.encode("latin-1") if fetched.status in _REDIRECTS and value is not None else None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
