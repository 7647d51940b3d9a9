"""The guard inside the HTTP stack: every new connection resolves, vets and dials a literal address.

It uses httpcore's public connection and network interfaces. The URL's own name stays in Host and SNI, so certificates
are checked against it. With keep-alive off (the default) each request is vetted again. A session, and a sender of many
messages to one place, may keep a connection, whose address was vetted when it was made.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import cache

import h11
import httpcore
import httpx

from vendorrisk.egress.dialling import tls_reason
from vendorrisk.egress.guard import Guard
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.sessions import IDLE_SECONDS, IdleConnection, current
from vendorrisk.egress.streams import ANSWERS, ReachedStream

_MOST_ADDRESSES = 4  # tried for one connection
_MOST_IDLE = 64  # kept for one origin
_Origin = tuple[bytes, bytes, int]
_SAFE = frozenset({"GET", "HEAD"})
_FOR_BEING_IDLE = frozenset({Reason.CLOSED, Reason.PROTOCOL})
_DEEPEST_CAUSE = 8
_HEADER_FIELDS_TOO_LARGE = 431  # h11's hint for a header block above its limit


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Dials vetted literals only, and compares the address the socket really reached."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        vetted = await self._guard.resolve(host)
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in vetted.addresses[:_MOST_ADDRESSES]:
            literal, real_port = self._guard.target(address, self._guard.port(port))
            await self._guard.turn(vetted.host, literal)
            try:
                stream = await self._network.connect_tcp(literal, real_port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = failed or error
                continue
            return await _verified(stream, literal)
        raise failed or EgressError(Reason.DNS_NODATA, host)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _verified(stream: httpcore.AsyncNetworkStream, literal: str) -> ReachedStream:
    reached = stream.get_extra_info("server_addr")
    if not reached or reached[0] != literal:
        await stream.aclose()
        raise EgressError(Reason.ADDRESS, f"the socket reached another address than {literal}")
    return ReachedStream(stream, reached)


class GuardedTransport(httpx.AsyncBaseTransport):
    """httpx's transport for one request. Refusals and failures are raised as `EgressError`.

    Connections are httpcore's, but not in its pool: that compares every connection with every other at each request,
    and held sixty of them to 160 requests a second. The caller bounds the number of open connections.
    """

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None, keep_alive_seconds: float = 0.0) -> None:
        self._guard = guard
        self._backend = GuardedBackend(guard)
        self._tls = tls or _trusted()
        self._keep_alive_seconds = keep_alive_seconds
        self._idle: dict[_Origin, list[IdleConnection]] = {}
        self._reaps_at = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        sent = httpcore.Request(
            request.method,
            url,
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        origin = (url.scheme, url.host, url.origin.port)
        kept = await self._take(origin)
        if kept is not None:
            try:
                return await self._response(origin, kept.connection, sent)
            except EgressError as error:
                # A server may close a connection at any time (RFC 9112, section 9.5), and surplus bytes of the previous
                # response are no response to this request (section 6.3).
                if error.reason not in _FOR_BEING_IDLE or request.method not in _SAFE:
                    raise
        return await self._response(origin, self._new(url.origin), sent)

    async def aclose(self) -> None:
        for kept in self._idle.values():
            for one in kept:
                await one.connection.aclose()
        self._idle.clear()

    async def _response(
        self, origin: _Origin, connection: httpcore.AsyncHTTPConnection, sent: httpcore.Request
    ) -> httpx.Response:
        try:
            response = await connection.handle_async_request(sent)
            link = _asked(response.extensions["network_stream"])
        except BaseException as error:
            await connection.aclose()
            if isinstance(error, _FAILURES):
                raise _as_egress_error(error) from error
            raise
        address = str(link.get_extra_info("server_addr")[0])
        stream = _Stream(response, connection, lambda: self._done(origin, IdleConnection(connection, address)))
        return httpx.Response(response.status, headers=response.headers, stream=stream, extensions=response.extensions)

    def _kept(self, origin: _Origin) -> list[IdleConnection] | None:
        """Return the store of an origin's idle connections, ours or the session's. None if they are not kept."""
        if self._keep_alive_seconds:
            return self._idle.setdefault(origin, [])
        session = current()
        return None if session is None else session.kept((self, origin))

    async def _take(self, origin: _Origin) -> IdleConnection | None:
        """Take the last used connection that is still alive, when it is our turn. Close dead ones."""
        kept, has_turn = self._kept(origin), False
        while kept:
            one = kept[-1]
            if not one.connection.is_available() or one.connection.has_expired():
                kept.pop()
                await one.connection.aclose()
            elif has_turn:
                return kept.pop()
            else:
                await self._guard.turn(origin[1].decode("ascii"), one.address)
                has_turn = True
        return None

    def _new(self, to: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin=to,
            ssl_context=self._tls,
            keepalive_expiry=self._keep_alive_seconds or (0.0 if current() is None else IDLE_SECONDS),
            network_backend=self._backend,
        )

    async def _done(self, origin: _Origin, one: IdleConnection) -> None:
        kept = self._kept(origin)
        if kept is not None and one.connection.is_idle() and len(kept) < _MOST_IDLE:
            kept.append(one)
        else:
            await one.connection.aclose()
        await self._reap()

    async def _reap(self) -> None:
        """Periodically close idle connections that were not reused."""
        now = asyncio.get_running_loop().time()
        if now < self._reaps_at:
            return
        self._reaps_at = now + self._keep_alive_seconds
        for origin, kept in list(self._idle.items()):
            expired = [one for one in kept if one.connection.has_expired()]
            kept[:] = [one for one in kept if one not in expired]
            if not kept:
                del self._idle[origin]
            for one in expired:
                await one.connection.aclose()


def _asked(link: httpcore.AsyncNetworkStream) -> httpcore.AsyncNetworkStream:
    """Refuse a response that was there before the request: it is of the one before, or of none."""
    if not link.get_extra_info(ANSWERS):
        raise httpcore.RemoteProtocolError("The server answered before it was asked.")
    return link


@cache
def _trusted() -> ssl.SSLContext:
    """Return the context that trusts certifi's roots. Reading them takes tens of milliseconds."""
    return httpcore.default_ssl_context()


class _Stream(httpx.AsyncByteStream):
    """A response's body. Closing it returns the connection, or ends it if the task is cancelled."""

    def __init__(
        self, response: httpcore.Response, connection: httpcore.AsyncHTTPConnection, done: Callable[[], Awaitable[None]]
    ) -> None:
        self._response = response
        self._connection = connection
        self._done = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._response.aiter_stream():
                yield part
        except _FAILURES as error:
            raise _as_egress_error(error) from error

    async def aclose(self) -> None:
        try:
            await self._response.aclose()
        except BaseException:
            await self._connection.aclose()
            raise
        await self._done()


_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
    ssl.SSLError,
)


def _as_egress_error(error: Exception) -> EgressError:
    detail = str(error) or type(error).__name__
    return EgressError(_reason(error, list(_causes(error))), detail)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes. The pool re-raises `from None`, so contexts count as well."""
    seen: BaseException | None = error
    for _ in range(_DEEPEST_CAUSE):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _reason(error: Exception, causes: Sequence[BaseException]) -> Reason:
    in_tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if in_tls is not None:
        return tls_reason(in_tls)
    if isinstance(error, httpcore.ConnectTimeout):
        return Reason.CONNECT_TIMEOUT
    if isinstance(error, httpcore.TimeoutException):
        return Reason.TIMEOUT
    if isinstance(error, httpcore.ConnectError):
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        return Reason.CONNECT_REFUSED if refused else Reason.CONNECT_FAILED
    if isinstance(error, httpcore.NetworkError):
        return Reason.CLOSED
    return _reason_of_protocol(str(error), causes)


def _reason_of_protocol(text: str, causes: Sequence[BaseException]) -> Reason:
    hints = {cause.error_status_hint for cause in causes if isinstance(cause, h11.RemoteProtocolError)}
    if _HEADER_FIELDS_TOO_LARGE in hints:
        return Reason.HEADERS_TOO_LARGE
    # httpcore has no kind of its own for a connection that ends before a response.
    return Reason.CLOSED if "disconnected" in text else Reason.PROTOCOL
