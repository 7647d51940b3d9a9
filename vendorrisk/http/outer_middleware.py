"""The first layer of every request: a request id, bounded concurrency, a log line, metrics, headers of safety.

It wraps the whole application, so that an unknown path and a failure anywhere are treated alike.
"""

import re
import time
from functools import lru_cache
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import structlog
from litestar.types import ASGIApp, Message, Receive, Send
from prometheus_client import Counter, Gauge, Histogram

from vendorrisk.db.constraints import refusal_for
from vendorrisk.db.pool import UNREACHABLE, is_not_migrated, unavailable
from vendorrisk.errors import Code, Refusal
from vendorrisk.http import problems
from vendorrisk.http.places import MOST_REQUESTS
from vendorrisk.keys import UnknownKeyError
from vendorrisk.settings import Settings

# Trace Context, section 3.2: ids of zeros only are not valid.
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_CONTENT = 200
_SUSPECT = {401, 403}  # a forbidden request: worth a log line even if the log is kept short

REQUESTS = Counter("vendorrisk_http_requests_total", "Requests served.", ["method", "route", "status"])
SECONDS = Histogram(
    "vendorrisk_http_request_seconds",
    "Time from the request to the end of its response.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_FLIGHT = Gauge("vendorrisk_http_requests_in_flight", "Requests under way.")

SAFETY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")

_log = structlog.get_logger("http")


class OuterMiddleware:
    """The ASGI application that is served. `inner` is Litestar."""

    def __init__(self, inner: ASGIApp, settings: Settings) -> None:
        self.inner = inner
        self._safety = _safety(settings)
        self._under_way = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        scope = _marked(scope)
        seen = _Seen(scope, send, self._safety)
        structlog.contextvars.bind_contextvars(request_id=scope["request_id"])
        self._under_way += 1
        IN_FLIGHT.inc()
        try:
            await self._respond(scope, receive, seen)
        finally:
            self._under_way -= 1
            IN_FLIGHT.dec()
            seen.note()
            structlog.contextvars.unbind_contextvars("request_id")

    async def _respond(self, scope: Any, receive: Receive, seen: "_Seen") -> None:
        if self._under_way > MOST_REQUESTS:
            refusal = Refusal(Code.OVERLOADED, "Too many requests are under way.", retry_after_seconds=1)
            await send_refusal(refusal, scope, seen.send)
            return
        try:
            await self.inner(scope, receive, seen.send)
        except Exception as error:
            if seen.status:
                raise
            await send_refusal(refused(error), scope, seen.send)


def _safety(settings: Settings) -> list[tuple[bytes, bytes]]:
    """Return the headers of safety. Other hosts below ours are the operator's to promise."""
    more = b"; includeSubDomains" if settings.hsts_include_subdomains else b""
    return [*SAFETY, (b"strict-transport-security", b"max-age=31536000" + more)]


class _Seen:
    """Watches a response go by: its status and size, and adds the headers that every response has."""

    def __init__(self, scope: Any, send: Send, safety: list[tuple[bytes, bytes]]) -> None:
        self.scope, self._send, self._safety = scope, send, safety
        self.status, self.size = 0, 0
        self._begun = time.perf_counter()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message["headers"])
            named = {name for name, _ in headers}
            headers.extend(h for h in self._safety if h[0] not in named)
            if b"content-security-policy" not in named:
                headers.append(_API_POLICY)
            if b"cache-control" not in named:
                headers.append((b"cache-control", b"no-store"))
            if self.scope["service"].is_shutting_down and self.scope["http_version"].startswith("1"):
                headers.append((b"connection", b"close"))
            headers.append((b"x-request-id", self.scope["request_id"].encode()))
            headers.extend(self.scope["extra_headers"])
            message["headers"] = headers
        elif message["type"] == "http.response.body":
            if self.scope["only_head"]:
                message["body"] = b""
            self.size += len(message.get("body", b""))
        await self._send(message)

    def note(self) -> None:
        seconds = time.perf_counter() - self._begun
        route = self.scope.get("path_template") or "unknown"
        method = "HEAD" if self.scope["only_head"] else self.scope["method"]
        method = method if route != "unknown" else "other"
        count, timer = _counters(method, route, self.status)
        count.inc()
        timer.observe(seconds)
        self._told(route)(
            "request",
            method=method,
            route=route,
            status=self.status,
            milliseconds=round(seconds * 1000, 1),
            bytes=self.size,
            **self.scope["noted"],
        )

    def _told(self, route: str) -> Any:
        """Return the log's level for this request. A probe that is content says nothing: it comes every few seconds."""
        if self.status in _SUSPECT:
            return _log.warning
        return _log.debug if route.startswith("/health/") and self.status == _CONTENT else _log.info


@lru_cache(maxsize=4096)
def _counters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Return a route's own counters: finding them by their labels costs more than counting."""
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)


def _marked(scope: Any) -> Any:
    traceparent = next((v for k, v in scope["headers"] if k == b"traceparent"), b"").decode("latin-1")
    match = _TRACEPARENT.fullmatch(traceparent)
    scope["request_id"] = match[1] if match else uuid4().hex
    scope["extra_headers"] = []
    # More facts for the log line: the caller, the origin of a wrong key, and the refusal's code.
    scope["noted"] = {}
    # HEAD is GET without sending the body (RFC 9110, section 9.3.2).
    scope["only_head"] = scope["method"] == "HEAD"
    if scope["only_head"]:
        scope["method"] = "GET"
    return scope


def refused(error: Exception) -> Refusal:
    """Return the refusal for any exception. An unforeseen one is logged here, once, and becomes `internal`."""
    if isinstance(error, Refusal):
        return error
    if (outage := _outage(error)) is not None:
        return outage
    if isinstance(error, asyncpg.PostgresError) and (known := refusal_for(error)) is not None:
        _log.warning(
            "statement_refused", error=type(error).__name__, constraint=getattr(error, "constraint_name", None)
        )
        return known
    _log.error("request_failed", exc_info=error)
    return problems.internal()


def _outage(error: Exception) -> Refusal | None:
    """Return the refusal for a state of the installation that only its operator can change, else None."""
    if isinstance(error, asyncpg.DiskFullError):
        _log.error("database_disk_full")
        detail = "Nothing was changed. Tell the operator that the database's disk is full, and try again later."
        return Refusal(Code.DISK_FULL, detail, retry_after_seconds=60)
    if isinstance(error, UnknownKeyError):
        _log.error("sealing_key_unknown", key_id=error.key_id)
        detail = f"It is sealed with key {error.key_id}, which this process does not hold. Tell the operator."
        return Refusal(Code.SEALING_KEY_UNKNOWN, detail, retry_after_seconds=30)
    if is_not_migrated(error):
        _log.error("database_not_migrated", exc_info=error)
        return Refusal(Code.DATABASE_NOT_MIGRATED, "Nothing was changed. Try again later.", retry_after_seconds=30)
    if isinstance(error, UNREACHABLE):
        _log.warning("database_unreachable", error=type(error).__name__)
        return unavailable()
    return None


async def send_refusal(refusal: Refusal, scope: Any, send: Send) -> None:
    problem = problems.problem_of(refusal, scope["request_id"])
    scope["noted"]["code"] = problem.code
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", problems.MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(k.encode(), v.encode()) for k, v in problems.headers_of(refusal)]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
