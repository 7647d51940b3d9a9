"""The one file of a multipart/form-data body (RFC 7578), as `curl -F file=@report.pdf` and browsers send it.

The part's bytes stream through: only the bytes needed to find the next boundary are kept. A body without a
a file, with a second part, or broken anywhere is refused, at the latest after the last byte. The file store then
discards the bytes it has written.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
from multipart import (  # type: ignore[import-untyped]  # it has no types
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from vendorrisk.errors import Code, Refusal

MULTIPART: Final = "multipart/form-data"

_LONGEST_BOUNDARY = 200
ENVELOPE_BYTES: Final = 64 * 1024
_PLAIN = frozenset({"7bit", "8bit", "binary"})
_HOW = "Send exactly one part, the file, as curl -F file=@NAME does."


class SentFile(msgspec.Struct, frozen=True):
    """A file on its way in: its bytes, its media type, and the name that came with it."""

    chunks: AsyncIterator[bytes]
    media_type: str
    name: str | None = None


async def part_of(body: AsyncIterator[bytes], content_type: str, most: int) -> SentFile:
    """Return the file part of a multipart body of about `most` bytes, once its headers have arrived."""
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii() or not boundary.isprintable():
        raise _broken("The content type names no usable boundary.")
    events = _events(PushMultipartParser(boundary, max_header_size=4096, max_header_count=8), body, most)
    async for event in events:
        if isinstance(event, MultipartSegment):
            _check_file(event)
            media_type = event.content_type or "application/octet-stream"
            return SentFile(_content(events), media_type, event.filename or None)
    raise _broken("The multipart body has no part.")


async def _events(parser: PushMultipartParser, body: AsyncIterator[bytes], most: int) -> AsyncIterator[Any]:
    """Yield each part's head, its pieces, and None at its end. Raises `Refusal` if this is no multipart body."""
    received = 0
    try:
        async for chunk in body:
            received += len(chunk)
            if received > most + ENVELOPE_BYTES:
                raise Refusal(Code.BODY_TOO_LARGE, f"Send a file of at most {most} bytes.")
            for event in parser.parse(chunk) if chunk else ():
                yield event
        parser.close()
    except MultipartError:
        raise _broken("The multipart body is broken or breaks off.") from None


async def _content(events: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    """Yield the bytes of the part that was opened, and refuse whatever follows it."""
    async for event in events:
        if isinstance(event, MultipartSegment):
            raise _broken("The multipart body has a second part.")
        if event is not None:
            yield bytes(event)


def _check_file(part: MultipartSegment) -> None:
    if part.filename is None:
        raise _broken("The multipart body has a part that is no file.")
    if str(part.header("Content-Transfer-Encoding", "binary")).strip().lower() not in _PLAIN:
        raise _broken("The part is encoded. Send its bytes as they are.")


def _broken(found: str) -> Refusal:
    return Refusal(Code.FILE_PART_INVALID, f"{found} {_HOW}")
