"""`GET /`: what answers here, and where to go on. It tells nothing of any tenant."""

from litestar import Response, Router, get

from vendorrisk.release import VERSION
from vendorrisk.web.plain_pages import plain_page


@get("/", include_in_schema=False, media_type="text/html")
async def show_start() -> Response[str]:
    """Show a person with a browser what this is."""
    return plain_page("start.html", version=VERSION)


router = Router("/", route_handlers=[show_start])
