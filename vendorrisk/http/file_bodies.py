"""Files that come as a body and are small enough to be read whole."""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Request

from vendorrisk.errors import Code, Refusal

_SECONDS = 30


async def received_file(request: Request[Any, Any, Any], *, most: int, taken: Sequence[str]) -> bytes:
    """Read the body: one of the media types `taken`, no more than `most` bytes, no longer than half a minute."""
    if media_type(request) not in taken:
        raise Refusal(Code.MEDIA_TYPE_UNSUPPORTED, f"Send the file as {', '.join(taken)}.")
    received = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for piece in request.stream():
                received += piece
                if len(received) > most:
                    raise Refusal(Code.BODY_TOO_LARGE, f"At most {most} bytes are taken here.")
    except TimeoutError:
        raise Refusal(Code.BODY_MALFORMED, "The body did not arrive in time.") from None
    return bytes(received)


def media_type(request: Request[Any, Any, Any]) -> str:
    """Return the body's media type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
