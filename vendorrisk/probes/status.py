"""The look at a vendor's status page, at the address that people gave."""

from urllib.parse import urlsplit

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes.observation import Raw, Unseen
from vendorrisk.probes.status_text import StatusError, StatusFacts, read_feed, read_json


class StatusLook(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    url: str
    status: StatusFacts | Unseen


def api_url(page_url: str) -> str:
    """Return where a Statuspage serves its summary; an address that names a file is taken as it is."""
    if "." in urlsplit(page_url).path:
        return page_url
    return f"{page_url.rstrip('/')}/api/v2/summary.json"


async def look(page_url: str, *, fetcher: Fetcher) -> StatusLook:
    try:
        answer = await fetcher.get(api_url(page_url))
    except EgressError as error:
        return StatusLook(url=page_url, status=Unseen(reason=error.reason.value))
    if answer.status != 200 or answer.truncated:  # noqa: PLR2004 - HTTP
        reason = "feed_cut" if answer.truncated else f"http_{answer.status}"
        return StatusLook(url=page_url, status=Unseen(reason=reason))
    try:
        read = read_json if answer.body.lstrip()[:1] == b"{" else read_feed
        return StatusLook(url=page_url, status=read(answer.body))
    except StatusError as error:
        return StatusLook(url=page_url, status=Unseen(reason=error.args[0]))
