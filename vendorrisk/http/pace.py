"""The slowest that a caller may be, in sending a body and in taking a response.

A caller gets some seconds in any case. After that, the bytes must pass at a minimum rate on average. The time of a body
or response is so bounded by its size, whether the caller stops or goes on drop by drop.
"""

import asyncio
import time
from typing import Any

import msgspec
from litestar.types import Message, Receive, Send

from vendorrisk.errors import Code, Refusal


class Pace(msgspec.Struct, frozen=True):
    """The seconds that every body or response may take, and the rate that holds beyond them."""

    seconds: float
    bytes_per_second: int

    def left(self, begun: float, size: int) -> float:
        """Return the seconds that are left until the next bytes must have passed."""
        return max(0.0, begun + self.seconds + size / self.bytes_per_second - time.monotonic())


class Paces(msgspec.Struct, frozen=True):
    """The pace of bodies, and that of responses that stream: a reader on a slow line holds little."""

    sending: Pace = Pace(30, 64 * 1024)
    taking: Pace = Pace(30, 16 * 1024)


def paced_receive(receive: Receive, pace: Pace) -> Receive:
    """Return a `receive` that refuses a body that is late, or that ends before its announced length."""
    begun, size = time.monotonic(), 0

    async def paced() -> Any:
        nonlocal size
        try:
            async with asyncio.timeout(pace.left(begun, size)):
                message = await receive()
        except TimeoutError:
            raise Refusal(Code.BODY_MALFORMED, "The body arrives too slowly. Send it again.") from None
        if message["type"] != "http.request":
            raise Refusal(Code.BODY_MALFORMED, "The body ended before its announced length.")
        size += len(message.get("body", b""))
        return message

    return paced


class SlowReaderError(Exception):
    """The caller does not take the response. It is broken off, so that it is never taken for a whole one."""


def paced_send(send: Send, pace: Pace) -> Send:
    """Return a `send` that raises `SlowReaderError` if the caller takes the response too slowly."""
    begun, size = time.monotonic(), 0

    async def paced(message: Message) -> None:
        nonlocal size
        try:
            async with asyncio.timeout(pace.left(begun, size)):
                await send(message)
        except TimeoutError:
            raise SlowReaderError from None
        if message["type"] == "http.response.body":
            size += len(message.get("body", b""))

    return paced
