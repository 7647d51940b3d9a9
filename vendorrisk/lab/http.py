"""An HTTP/1.1 server on loopback whose every byte a test may script.

    async with http_fake() as server:
        server.on("/", Reply(200, [("x-a", "b")], b"body"))
        server.on("/drip", drip)          # async def drip(request, writer): raw bytes as it likes

A path without a script is answered 404. `requests` holds the received requests. A raw script owns the connection, which
is closed when it returns. `delay_seconds` of a reply is waited before it is written (a slow receiver).
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_REASONS = {200: "OK", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
_HEADER_LIMIT = 1 << 20


@dataclass(frozen=True)
class Received:
    """One request. Header names are lower-case. A repeated header keeps its last value."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Reply:
    """One response. Content-Length is added unless a transfer coding is given. `close` ends the connection."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    close: bool = False
    delay_seconds: float = 0.0

    def wire(self, method: str) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Answer')}"]
        names = {name.lower() for name, _ in self.headers}
        if not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(self.body)}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head if method == "HEAD" else head + self.body


Raw = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]
Script = Reply | Callable[[Received], Reply] | Raw


class HttpFake:
    """The running server."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Received] = []
        self.connections = 0
        self._scripts: dict[str, Script] = {}
        self._writers: set[asyncio.StreamWriter] = set()

    def on(self, path: str, script: Script) -> None:
        """Script a path. `*` means every path without a script of its own."""
        self._scripts[path] = script

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request. Return whether the connection stays open."""
        request = await _read(reader)
        self.requests.append(request)
        script = self._scripts.get(request.path, self._scripts.get("*", Reply(404)))
        if not isinstance(script, Reply) and asyncio.iscoroutinefunction(script):
            await script(request, writer)
            return False
        reply = script if isinstance(script, Reply) else script(request)  # type: ignore[call-arg] # not raw
        if not isinstance(reply, Reply):
            raise TypeError("a script that is not raw answers with a Reply")
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        writer.write(reply.wire(request.method))
        await writer.drain()
        return not reply.close and request.headers.get("connection", "").lower() != "close"

    @property
    def open_connections(self) -> int:
        return len(self._writers)

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


@asynccontextmanager
async def http_fake(*, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[HttpFake]:
    """Serve at `port` for the length of the block."""
    fake = HttpFake()
    server = await asyncio.start_server(fake.serve, host, 0, ssl=tls, limit=_HEADER_LIMIT)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        fake.hang_up()


@asynccontextmanager
async def tcp_fake(
    script: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], *, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """Serve raw TCP by a script for the length of the block, yielding the port.

    The script's end closes the connection.
    """
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            await script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
