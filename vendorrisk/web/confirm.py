"""`/confirm/{token}`: the owner of an e-mail address allows alerts to it. Works without script.

GET shows the address and changes nothing, because mail scanners follow links. POST confirms. The token is a
part of the path, so no log line has more of the path than its template.
"""

from typing import Final

from litestar import Response, Router, get, post
from litestar.params import FromPath

from vendorrisk.alerts import confirmations
from vendorrisk.alerts.confirmations import Confirmation, State
from vendorrisk.http.dependencies import TheService
from vendorrisk.web.plain_pages import plain_page

_STATUS: Final = {State.OPEN: 200, State.CONFIRMED: 200, State.ENDED: 410, State.UNKNOWN: 404}
_TITLES: Final = {
    State.OPEN: "Confirm an e-mail address",
    State.CONFIRMED: "The address is confirmed",
    State.ENDED: "This link has ended",
    State.UNKNOWN: "This link is not known",
}
_TEXTS: Final = {
    State.OPEN: "{tenant} wants to send alerts about its vendors to {address}.",
    State.CONFIRMED: "Alerts of {tenant} are sent to {address} from now on.",
    State.ENDED: "It was used, has expired, or was replaced by a later one. Ask the person who entered your address"
    " for a new mail.",
    State.UNKNOWN: "Copy the whole link from the mail, or ask the person who entered your address for a new mail.",
}


@get("/confirm/{token:str}", include_in_schema=False, media_type="text/html")
async def show_confirmation(service: TheService, token: FromPath[str]) -> Response[str]:
    """Show the address to confirm. Nothing changes."""
    return _page(await confirmations.find(service.database, service.keyring, token, service.clock()))


@post("/confirm/{token:str}", include_in_schema=False, media_type="text/html", status_code=200)
async def confirm_address(service: TheService, token: FromPath[str]) -> Response[str]:
    """Confirm the address, once."""
    return _page(await confirmations.confirm(service.database, service.keyring, token, service.clock()))


def _page(found: Confirmation) -> Response[str]:
    text = _TEXTS[found.state].format(tenant=found.tenant_name, address=found.address)
    return plain_page(
        "confirm.html",
        status_code=_STATUS[found.state],
        title=_TITLES[found.state],
        text=text,
        is_open=found.state is State.OPEN,
    )


router = Router("/", route_handlers=[show_confirmation, confirm_address])
