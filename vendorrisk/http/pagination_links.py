"""The Link header of a page (RFC 8288): the URLs of its neighbours, with all other parameters of the request."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from litestar import Request, Response
from litestar.response.base import ASGIResponse

from vendorrisk.db.paging import Page


class PageResponse(Response[Any]):
    """The response of a list. Litestar makes it from the `Page` that a handler returns."""

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **more: Any) -> ASGIResponse:
        if isinstance(self.content, Page) and (found := links_of(self.content, request.scope)):
            self.headers["Link"] = found
        return super().to_asgi_response(app, request, **more)


def links_of(page: Page[Any], scope: Any) -> str:
    """Return the value of Link, relative to the server, so that nobody can forge the host.

    It is empty on a lonely page.
    """
    cursors = [(relation, cursor) for relation, cursor in (("next", page.next), ("prev", page.prev)) if cursor]
    if not cursors:
        return ""
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name != "cursor"]
    place = quote(scope["path"])
    return ", ".join(f'<{place}?{urlencode([*kept, ("cursor", at)])}>; rel="{relation}"' for relation, at in cursors)
