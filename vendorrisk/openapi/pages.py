"""Where the document is served: as data, and as a page."""

import gzip
import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State

from vendorrisk.openapi import docs_page


@get("/openapi.json", include_in_schema=False, media_type="application/vnd.oai.openapi+json")
async def get_document(state: State) -> dict[str, Any]:
    """Serve the document as JSON."""
    made: dict[str, Any] = state.document
    return made


@get("/docs", include_in_schema=False, media_type="text/html")
async def get_reference(state: State, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Serve the document as one page that needs no other host and no script.

    Compressed, and only once, if the client accepts that.
    """
    page = _page(state)
    headers = {
        "content-security-policy": docs_page.POLICY,
        "cache-control": "no-cache",
        "vary": "accept-encoding",
        "etag": page.tag,
    }
    if request.headers.get("if-none-match") == page.tag:
        return Response(b"", status_code=304, media_type="text/html", headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(page.plain, media_type="text/html", headers=headers)
    packed = {**headers, "content-encoding": "gzip"}
    return Response(page.packed, media_type="text/html", headers=packed)


class RenderedPage(msgspec.Struct, frozen=True):
    plain: bytes
    packed: bytes
    tag: str


def _page(state: State) -> RenderedPage:
    """Render the page when it is first asked for: it is long, and the same until the next release."""
    if "page" not in state:
        plain = docs_page.page(state.document).encode()
        packed = gzip.compress(plain, mtime=0)
        state.page = RenderedPage(plain, packed, f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"')
    made: RenderedPage = state.page
    return made


router = Router("/", route_handlers=[get_document, get_reference])
