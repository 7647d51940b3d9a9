"""`GET /`: the first page, with links to the documents. It shows nothing of any tenant."""

from litestar import Response, Router, get

from vendorrisk.release import VERSION
from vendorrisk.web.plain_pages import plain_page


@get("/", include_in_schema=False, media_type="text/html")
async def show_start() -> Response[str]:
    """Explain this service to a person with a browser."""
    return plain_page("start.html", version=VERSION)


router = Router("/", route_handlers=[show_start])
