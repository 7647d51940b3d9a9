"""Files that come in: as the body itself, or as the one part of a multipart body.

Files of a tenant take turns, so that slow or large ones leave room for those of another tenant.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Request

from vendorrisk.errors import Code, Refusal
from vendorrisk.http.multipart_file import ENVELOPE_BYTES, MULTIPART, SentFile, part_of
from vendorrisk.http.places import in_turn
from vendorrisk.http.receiving import announced_length
from vendorrisk.http.request_context import RequestContext
from vendorrisk.http.spool import Spool, spool_in

_OF_ENDING = {"csv": "text/csv", "json": "application/json"}
_JUST_BYTES = "application/octet-stream"


class ReceivedFile(msgspec.Struct, frozen=True):
    """A file that has arrived whole."""

    spool: Spool
    media_type: str
    name: str | None = None


@asynccontextmanager
async def sent_file(request: Request[Any, Any, Any], *, most: int) -> AsyncIterator[SentFile]:
    """Return the file of a request to be read as it arrives. The file of a multipart body is its one part."""
    context = _context(request)
    _check_announced(context, most)
    async with _place(context):
        yield await _sent(request, most)


@asynccontextmanager
async def received_file(
    request: Request[Any, Any, Any], *, most: int, accepted: Sequence[str]
) -> AsyncIterator[ReceivedFile]:
    """Receive a file: one of the media types `accepted`, at most `most` bytes. It is kept until left."""
    if media_type(request) not in {*accepted, MULTIPART}:
        raise _unsupported(accepted)
    context = _context(request)
    _check_announced(context, most)
    async with (
        _place(context),
        spool_in(context.service.spool_folder) as spool,
    ):
        sent = await _sent(request, most)
        media = _told_by_name(sent)
        if media not in accepted:
            raise _unsupported(accepted)
        async for piece in sent.chunks:
            if spool.size + len(piece) > most:
                raise Refusal(Code.BODY_TOO_LARGE, f"Send a file of at most {most} bytes.")
            await spool.write(piece)
        yield ReceivedFile(spool, media, sent.name)


@asynccontextmanager
async def _place(context: RequestContext) -> AsyncIterator[None]:
    places = context.service.places
    async with in_turn(places.files, context.tenant_id):
        try:
            yield
        finally:
            places.rest_after_file(context.tenant_id, context.file_bytes)


def _check_announced(context: RequestContext, most: int) -> None:
    """Refuse a body that is announced to be too large, before its first byte."""
    announced_length(context.headers, most + ENVELOPE_BYTES)


def media_type(request: Request[Any, Any, Any]) -> str:
    """Return the body's media type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _sent(request: Request[Any, Any, Any], most: int) -> SentFile:
    if media_type(request) == MULTIPART:
        return await part_of(request.stream(), request.headers["content-type"], most)
    return SentFile(request.stream(), media_type(request))


def _context(request: Request[Any, Any, Any]) -> RequestContext:
    context: RequestContext = request.scope["request_context"]  # type: ignore[typeddict-item]  # our own key
    return context


def _told_by_name(sent: SentFile) -> str:
    """Return the media type. If the sender knew none, as curl knows none of a CSV file, use the part's file name."""
    if sent.media_type != _JUST_BYTES or sent.name is None:
        return sent.media_type
    return _OF_ENDING.get(sent.name.rpartition(".")[2].lower(), sent.media_type)


def _unsupported(accepted: Sequence[str]) -> Refusal:
    return Refusal(
        Code.MEDIA_TYPE_UNSUPPORTED, f"Send the file as {', '.join(accepted)}, or as one part of {MULTIPART}."
    )
