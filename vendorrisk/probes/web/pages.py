"""The look at a page that people named: trust, status, agreement, sub-processors. Robots are obeyed (RFC 9309)."""

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes.observation import Raw, Unseen
from vendorrisk.probes.web.page_parser import PageText, extract
from vendorrisk.probes.web.robots_txt import Robots


class Page(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="page_answer"):
    """A page's answer. `text` only where it was asked for and the status was 200."""

    status: int
    text: PageText | None = None


class PageLook(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="page_look"):
    url: str
    page: Page | Unseen


async def look(url: str, *, fetcher: Fetcher, allowed: Robots, with_text: bool = False) -> PageLook:
    """Look at a page that robots.txt allows; `with_text` reads it as a list (sub-processors)."""
    if allowed.opted_out:
        return PageLook(url=url, page=Unseen(reason="opt_out"))
    if not allowed.allows_url(url):
        return PageLook(url=url, page=Unseen(reason="robots_disallow"))
    try:
        answer = await fetcher.get(url)
    except EgressError as error:
        return PageLook(url=url, page=Unseen(reason=error.reason.value))
    text = extract(answer.body) if with_text and answer.status == 200 else None  # noqa: PLR2004 - HTTP
    return PageLook(url=url, page=Page(status=answer.status, text=text))
