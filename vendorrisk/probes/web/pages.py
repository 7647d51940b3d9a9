"""The scan of a page that people named: trust, status, agreement, sub-processors. Robots are obeyed (RFC 9309)."""

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes import reading
from vendorrisk.probes.observation import Raw, Unknown
from vendorrisk.probes.web.page_parser import PageText, extract
from vendorrisk.probes.web.robots_txt import Robots, allows_url
from vendorrisk.sandbox.running import Sandbox


class Page(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="page_response"):
    """A page's response. `text` only where it was asked for and the status was 200."""

    status: int
    text: PageText | None = None


class PageObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="page_observation"):
    url: str
    page: Page | Unknown


async def scan(
    url: str, *, fetcher: Fetcher, sandbox: Sandbox, allowed: Robots, with_text: bool = False
) -> PageObservation:
    """Scan a page that robots.txt allows. `with_text` reads it as a list (sub-processors)."""
    if allowed.opted_out:
        return PageObservation(url=url, page=Unknown(reason="opt_out"))
    if not await allows_url(allowed, url, sandbox):
        return PageObservation(url=url, page=Unknown(reason="robots_disallow"))
    try:
        response = await fetcher.get(url)
    except EgressError as error:
        return PageObservation(url=url, page=Unknown(reason=error.reason.value))
    text = None
    if with_text and response.status == 200:  # noqa: PLR2004 - HTTP
        read = await reading.read(sandbox, extract, response.body, about=url)
        if isinstance(read, Unknown):
            return PageObservation(url=url, page=read)
        if read.too_complex:
            return PageObservation(url=url, page=Unknown(reason="page_too_complex"))
        text = read
    return PageObservation(url=url, page=Page(status=response.status, text=text))
