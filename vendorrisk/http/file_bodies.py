"""Files that come in: as the body itself, or as the one part of a multipart body."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request

from vendorrisk.errors import Code, Refusal
from vendorrisk.http.multipart_file import MULTIPART, SentFile, part_of

_SECONDS = 30
_OF_ENDING = {"csv": "text/csv", "json": "application/json"}
_JUST_BYTES = "application/octet-stream"


class ReceivedFile(msgspec.Struct, frozen=True):
    """A file that was read whole."""

    content: bytes
    media_type: str
    name: str | None = None


async def sent_file(request: Request[Any, Any, Any], *, most: int) -> SentFile:
    """Return the file of a request to be read as it arrives. The file of a multipart body is its one part."""
    if media_type(request) == MULTIPART:
        return await part_of(request.stream(), request.headers["content-type"], most)
    return SentFile(request.stream(), media_type(request))


async def received_file(request: Request[Any, Any, Any], *, most: int, accepted: Sequence[str]) -> ReceivedFile:
    """Read the file: one of the media types `accepted`, at most `most` bytes, within half a minute."""
    if media_type(request) not in {*accepted, MULTIPART}:
        raise _unsupported(accepted)
    received = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            sent = await sent_file(request, most=most)
            media = _told_by_name(sent)
            if media not in accepted:
                raise _unsupported(accepted)
            async for piece in sent.chunks:
                received += piece
                if len(received) > most:
                    raise Refusal(Code.BODY_TOO_LARGE, f"Send a file of at most {most} bytes.")
    except TimeoutError:
        raise Refusal(Code.BODY_MALFORMED, "The body did not arrive in time. Send it again.") from None
    return ReceivedFile(bytes(received), media, sent.name)


def media_type(request: Request[Any, Any, Any]) -> str:
    """Return the body's media type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _told_by_name(sent: SentFile) -> str:
    """Return the media type. If the sender knew none, as curl knows none of a CSV file, use the part's file name."""
    if sent.media_type != _JUST_BYTES or sent.name is None:
        return sent.media_type
    return _OF_ENDING.get(sent.name.rpartition(".")[2].lower(), sent.media_type)


def _unsupported(accepted: Sequence[str]) -> Refusal:
    return Refusal(
        Code.MEDIA_TYPE_UNSUPPORTED, f"Send the file as {', '.join(accepted)}, or as one part of {MULTIPART}."
    )
