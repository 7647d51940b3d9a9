"""The bytes of a body as they arrive: their announced length, their coding, and their bound."""

import asyncio
import re
from typing import Any

from litestar.types import Receive

from vendorrisk.errors import Code, Refusal

_DRAIN_SECONDS = 10.0
_SILENT_SECONDS = 1.0
_LENGTH = re.compile("[0-9]{1,100}")


def check_unpacked(headers: dict[str, str]) -> None:
    """Refuse a packed body, whose size in memory nobody knows."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(Code.MEDIA_TYPE_UNSUPPORTED, "Send the body without Content-Encoding.")


def announced_length(headers: dict[str, str], most: int) -> int | None:
    """Return the announced length of a body, or None if it is sent in chunks. Refuse one that is too large."""
    declared = headers.get("content-length")
    if declared is None:
        return None if "transfer-encoding" in headers else 0
    if not _LENGTH.fullmatch(declared):
        raise Refusal(Code.PARAMETER_INVALID, "Send the length of the body in bytes.", parameter="Content-Length")
    if int(declared) > most:
        raise too_large(most)
    return int(declared)


def has_body(headers: dict[str, str]) -> bool:
    """Return True if a body was announced. Without one, nothing more arrives than the end of the connection."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def received_whole(receive: Receive, most: int) -> bytes:
    """Read a body of at most `most` bytes."""
    parts: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise too_large(most)
        if not message.get("more_body"):
            return b"".join(parts)


def too_large(most: int) -> Refusal:
    return Refusal(Code.BODY_TOO_LARGE, f"At most {most} bytes are accepted here.")


class Draining:
    """A `receive` that lets a caller finish a body that was answered early.

    A connection that is closed while the caller still sends is reset, and the response is lost (RFC 9112, section 9.6).
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_ended = False

    async def __call__(self) -> Any:
        message: Any = await self._receive()
        self._has_ended = message["type"] != "http.request" or not message.get("more_body")
        return message

    async def drain(self) -> None:
        """Read and drop the rest, for a bounded time. A caller that is silent or slow is not waited for."""
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._has_ended:
                    async with asyncio.timeout(_SILENT_SECONDS):
                        await self()
        except TimeoutError:
            return
