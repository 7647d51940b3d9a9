"""The scan of a vendor's status page, at the address that people gave.

A Statuspage lists current incidents in one file (`summary.json`) and past ones in another (`incidents.json`, its fifty
last). Both are read, because the rule counts ninety days.
"""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes import reading
from vendorrisk.probes.observation import Raw, Unknown
from vendorrisk.probes.web.status_page_parser import StatusFacts, joined, read_history, read_page
from vendorrisk.sandbox.running import Sandbox

_SUMMARY, _HISTORY = "/api/v2/summary.json", "/api/v2/incidents.json"
_Read = TypeVar("_Read")


class StatusObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """`history_unknown` says why incidents that are over could not be read, where there should be some."""

    url: str
    status: StatusFacts | Unknown
    history_unknown: str = ""


def api_url(page_url: str) -> str:
    """Return the URL of a Statuspage's summary. An address that names a file is used as it is."""
    if "." in urlsplit(page_url).path:
        return page_url
    return f"{page_url.rstrip('/')}{_SUMMARY}"


async def scan(page_url: str, *, fetcher: Fetcher, sandbox: Sandbox) -> StatusObservation:
    url = api_url(page_url)
    now = await _read(url, fetcher, sandbox, read_page)
    if isinstance(now, Unknown) or not url.endswith(_SUMMARY):
        return StatusObservation(url=page_url, status=now)
    past = await _read(f"{url.removesuffix(_SUMMARY)}{_HISTORY}", fetcher, sandbox, read_history)
    if past == Unknown(reason="http_404"):  # a clone without a history lists only unresolved incidents
        past = ()
    if isinstance(past, Unknown):
        return StatusObservation(url=page_url, status=now, history_unknown=past.reason)
    return StatusObservation(url=page_url, status=joined(now, past))


async def _read(
    url: str, fetcher: Fetcher, sandbox: Sandbox, parser: Callable[[bytes], _Read | Unknown]
) -> _Read | Unknown:
    try:
        response = await fetcher.get(url)
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    if response.status != 200 or response.truncated:  # noqa: PLR2004 - HTTP
        return Unknown(reason="feed_cut" if response.truncated else f"http_{response.status}")
    return await reading.read(sandbox, parser, response.body, about=url)
