"""What a vendor's server sends to do harm costs that scan alone: it is not known, and never good or bad."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.probes import linear
from vendorrisk.evaluation import transparency, web
from vendorrisk.evaluation.events import evaluate_status
from vendorrisk.evaluation.model import Verdict
from vendorrisk.lab import pki
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import GOOD_HEADERS, Lab, good_vendor, good_zone, lab
from vendorrisk.probes.feeds import hsts_preload
from vendorrisk.probes.observation import Unknown, canonical, replay
from vendorrisk.probes.web import (
    front_page,
    html_bounds,
    page_parser,
    pages,
    robots_txt,
    security_txt,
    site,
    status_page,
    status_page_parser,
)
from vendorrisk.probes.web.robots_txt import Robots
from vendorrisk.sandbox.running import SMALL, Sandbox, SandboxError

pytestmark = pytest.mark.anyio
D = "acme.test"
HTML = [("Content-Type", "text/html"), *GOOD_HEADERS]
PAGES: dict[str, bytes] = {
    "2 MB of div": b"<div>" * 400_000,
    "nested div": b"<div>" * 80_000,
    "many attributes": b"<div " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">",
    "attributes without values": b"<div " + b" ".join(b"a%d" % n for n in range(100_000)) + b">",
    "links in blocks": b"<a><div>" * 100_000,
    "fonts": b"<font>" * 200_000,
    "paragraphs that only end": b"</p>" * 400_000,
    "quotes that never end": b"<a \"'" * 300_000,
    "nested tables": b"<table><tr><td>" * 3_000,
    "nested lists": b"<ul><li>" * 100_000,
    "marks on one letter": ("<p>a" + "\u0301\u0323" * 400_000).encode(),
    "one long name": b"<table>" + b"<tr><td>" + b"," * 1_000_000 + b"</table>",
}


@pytest.fixture(autouse=True)
def parsers_are_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every parser of strangers' bytes is missing in this process: the fork server has its own."""

    def here(*_: Any, **__: Any) -> Any:
        pytest.fail("a stranger's bytes were parsed on the event loop")

    for module, name in (
        (front_page, "LexborHTMLParser"),
        (page_parser, "LexborHTMLParser"),
        (html_bounds, "check"),
        (front_page, "parse"),
        (security_txt, "parse"),
        (robots_txt, "Rules"),
        (status_page_parser, "read_json"),
        (status_page_parser, "read_feed"),
        (status_page_parser, "read_incidents"),
        (hsts_preload, "hosts"),
    ):
        monkeypatch.setattr(module, name, here)


async def beside(world: Lab, work: Callable[[], Any]) -> Any:
    """Do the work while the sandbox of the same process reads other pages, and see that it does."""
    sandbox = Sandbox()
    working = asyncio.ensure_future(work())
    for _ in range(3):
        read = await sandbox.run(front_page.read, b"\x93\xa0\xc0\xc0", SMALL)
        assert read == front_page.FrontPage()
    return await working


@pytest.mark.parametrize("case", PAGES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_a_front_page_made_to_do_harm_is_unknown_or_read_and_stops_nobody(case: str, *, packed: bool) -> None:
    body = PAGES[case][: 2 << 20]
    encoding = [("Content-Encoding", "gzip")] if packed else []
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/", Reply(200, HTML + encoding, gzip.compress(body) if packed else body))
        scan = site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)
        observation = await beside(world, lambda: scan)
    stored = replay(canonical(observation), site.WebObservation)
    verdicts = {evaluation.verdict for evaluation in web.evaluate(stored)}
    if isinstance(stored.secure, Unknown):
        assert stored.secure.reason in {"page_too_complex", "parser_timed_out", "parser_memory", "parser_crashed"}
        assert verdicts <= {Verdict.UNKNOWN, Verdict.NA}
        assert isinstance(stored.security_txt, Unknown)
        assert transparency.evaluate_security_txt(stored.security_txt, now=pki.NOW).verdict is Verdict.UNKNOWN
    else:
        assert case in {"paragraphs that only end", "marks on one letter", "one long name", "nested tables"}


@pytest.mark.parametrize("case", PAGES)
async def test_a_page_of_sub_processors_made_to_do_harm_is_unknown_or_read(case: str) -> None:
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/sub", Reply(200, [("Content-Type", "text/html")], PAGES[case][: 2 << 20]))
        scan = pages.scan(
            f"https://{D}/sub", fetcher=world.fetcher, sandbox=world.sandbox, allowed=Robots(), with_text=True
        )
        observation = await beside(world, lambda: scan)
    if not isinstance(observation.page, Unknown):
        assert observation.page.text is not None
        assert len(observation.page.text.rows) < 2, "no list is made of it"


FEEDS: dict[str, bytes] = {
    "items that never end": b"<rss>" + b"<item>" * 160_000,
    "entries and items that never end": b"<rss>" + b"<item><entry>" * 80_000,
    "dates that never end": b"<rss><item>" + b"<updated" * 120_000 + b"</item>",
    "names that never end": b"<rss><item>" + b"<guid " * 160_000 + b"</item>",
    "deep JSON": b"{" + b'"a":{' * 200_000,
}


@pytest.mark.parametrize("case", FEEDS)
async def test_a_status_page_made_to_do_harm_is_unknown_or_empty(case: str) -> None:
    async with lab(good_zone()) as world:
        server = await world.host("127.0.0.2", tls=pki.server_context(pki.leaf()))
        server.on("/api/v2/summary.json", Reply(200, [], FEEDS[case]))
        scan = status_page.scan(f"https://status.{D}/", fetcher=world.fetcher, sandbox=world.sandbox)
        observation = await beside(world, lambda: scan)
    assert evaluate_status(observation, now=pki.NOW).verdict is Verdict.UNKNOWN


async def test_rules_for_robots_made_to_do_harm_are_matched_elsewhere() -> None:
    text = b"User-agent: *\nDisallow: /" + b"*a" * 2_000 + b"$\n"
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/robots.txt", Reply(200, [], text))
        allowed = await robots_txt.robots(D, fetcher=world.fetcher, sandbox=world.sandbox)
        scan = pages.scan(f"https://{D}/{'a' * 1_500}b", fetcher=world.fetcher, sandbox=world.sandbox, allowed=allowed)
        observation = await beside(world, lambda: scan)
        assert observation.page in {Unknown(reason="robots_disallow"), pages.Page(status=404)}
        assert server.requests[0].target == "/robots.txt"


async def test_a_page_of_ordinary_size_and_shape_is_within_the_bounds() -> None:
    script = b"<script>for(i=0;i<n;i++){a<b&&c}" + b"if(i<j){}" * 20_000 + b"</script>"
    comment = b"<!--" + b"<div>" * 5_000 + b"-->"
    data = b"<div data-json='" + b'{"a": 1, "b": "x y"}' * 2_000 + b"'></div>"
    rows = b"<table>" + b"".join(b"<tr><td><p>Name %d<td>Country" % n for n in range(5_000)) + b"</table>"
    page = b"<html><body>" + script + comment + data + b"<br><img src=x>" * 5_000 + b"<li>" * 5_000 + rows
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/", Reply(200, HTML, page))
        observation = await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)
    assert not isinstance(observation.secure, Unknown)


async def test_a_sandbox_that_is_away_makes_a_scan_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: Any, **__: Any) -> Any:
        from vendorrisk.sandbox.running import Reason

        raise SandboxError(Reason.BUSY)

    async with lab(good_zone()) as world:
        await good_vendor(world)
        monkeypatch.setattr(world.sandbox, "run", busy)
        observation = await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)
    assert observation.secure == observation.plain == Unknown(reason="parser_busy")


async def test_records_and_headers_that_are_read_on_the_loop_take_time_in_proportion_to_their_length() -> None:
    """The child has two seconds. The square of 60,000 takes minutes."""
    assert await Sandbox().run(linear.every, b"", SMALL) == 13
