"""A connection's bytes, as httpcore reads and writes them, with the address that was reached."""

import ssl
from typing import Any

import httpcore

ANSWERS = "answers"
"""The key of a stream's `get_extra_info`: whether bytes were read since the last write."""


class ReachedStream(httpcore.AsyncNetworkStream):
    """Remembers facts that a socket loses when the other side resets it, and whether the other side sends unasked."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, reached: tuple[str, int]) -> None:
        self._stream = stream
        self._reached = reached
        self._answers = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        self._answers = True
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        self._answers = False
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
    ) -> httpcore.AsyncNetworkStream:
        return ReachedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._reached)

    def get_extra_info(self, info: str) -> Any:
        if info == "server_addr":
            return self._reached
        return self._answers if info == ANSWERS else self._stream.get_extra_info(info)
