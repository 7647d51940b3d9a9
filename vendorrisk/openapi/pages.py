"""Where the document is served: as data, and as a page."""

import asyncio
import gzip
import hashlib
import re
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State

from vendorrisk.openapi import docs_page

_MAKING = threading.Lock()
_JSON = "application/vnd.oai.openapi+json"


@get("/openapi.json", include_in_schema=False, media_type=_JSON)
async def get_document(state: State, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the document as JSON. Compressed, and only once, if the client accepts that."""
    page = await asyncio.to_thread(_kept, state, "document_file", _written)
    return _sent(page, request, _JSON, {})


@get("/docs", include_in_schema=False, media_type="text/html")
async def get_reference(state: State, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the document as one page that needs no other host and no script.

    Compressed, and only once, if the client accepts that.
    """
    page = await asyncio.to_thread(_kept, state, "page", _drawn)
    return _sent(page, request, "text/html", {"content-security-policy": docs_page.POLICY})


class RenderedPage(msgspec.Struct, frozen=True):
    plain: bytes
    packed: bytes
    tag: str


def _sent(page: RenderedPage, request: Request[Any, Any, Any], media: str, more: dict[str, str]) -> Response[bytes]:
    """Answer 304 to a client that has the page, and pack it for a client that can unpack it."""
    headers = {**more, "cache-control": "no-cache", "vary": "accept-encoding", "etag": page.tag}
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if known & {page.tag, page.tag.removeprefix("W/"), "*"}:
        return Response(b"", status_code=304, media_type=media, headers=headers)
    if not _takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(page.plain, media_type=media, headers=headers)
    return Response(page.packed, media_type=media, headers={**headers, "content-encoding": "gzip"})


def _takes_gzip(accepted: str) -> bool:
    """Return True if `gzip` is named and not refused by a weight of 0 (RFC 9110, section 12.5.3)."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in {"gzip", "*"}:
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def _kept(state: State, name: str, made: Callable[[State], bytes]) -> RenderedPage:
    """Make the page when it is first asked for: it is long, and the same until the next release.

    Making it takes a second, so that it is done in a thread, and once.
    """
    with _MAKING:
        if name not in state:
            plain = made(state)
            packed = gzip.compress(plain, mtime=0)
            state[name] = RenderedPage(plain, packed, f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')
    page: RenderedPage = state[name]
    return page


def _written(state: State) -> bytes:
    return msgspec.json.encode(state.document)


def _drawn(state: State) -> bytes:
    return docs_page.page(state.document).encode()


router = Router("/", route_handlers=[get_document, get_reference])
