"""Pages and status pages: what is read, what is noise, what is a change, and what is only a broken page."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.evaluation.events import evaluate_status
from vendorrisk.evaluation.model import Verdict
from vendorrisk.evaluation.transparency import evaluate_page, evaluate_subprocessors
from vendorrisk.lab import feeds as bodies
from vendorrisk.lab import pki
from vendorrisk.lab.http import Reply
from vendorrisk.lab.pki import NOW
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab
from vendorrisk.probes.observation import Unknown, canonical, replay
from vendorrisk.probes.web import pages, robots_txt, status_page, status_page_parser
from vendorrisk.probes.web.page_parser import PageText, diff, entity_key, extract
from vendorrisk.probes.web.pages import Page, PageObservation
from vendorrisk.probes.web.robots_txt import Robots, Rules

ROWS = [("Amazon Web Services, Inc.", "Hosting", "USA"), ("Twilio Inc", "Messages", "USA"),
        ("Zendesk, Inc.", "Support", "Ireland"), ("OpenAI, L.L.C.", "Text", "USA")]  # fmt: skip
FILLER = "<p>" + "We list the companies that process data for us. " * 10 + "</p>"


def page(rows: list[tuple[str, ...]], *, before: str = "", after: str = "") -> bytes:
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    head = "<tr><th>Name</th><th>Purpose</th><th>Location</th></tr>"
    return f"<html><body>{before}{FILLER}<table>{head}{cells}</table>{after}</body></html>".encode()


BASE = extract(page(ROWS))


def test_a_table_is_read_row_by_row() -> None:
    assert [row.key for row in BASE.rows] == ["amazon web services", "openai", "twilio", "zendesk"]
    assert BASE.rows[0].cells == ("Amazon Web Services, Inc.", "Hosting", "USA")


@pytest.mark.parametrize("html", [
    page(ROWS, before="<nav><ul><li>Home<li>Pricing</ul></nav>", after="<footer>© 2027 Acme</footer>"),
    page(ROWS, before="<div class='cookie-banner'><ul><li>a<li>b<li>c</ul></div><script>var nonce=123</script>"),
    page([*ROWS, ("Last updated: 3 March 2027",)]), page(list(reversed(ROWS))),
    page([(a.upper().replace("INC", "Inc"), b, c) for a, b, c in ROWS]),
    page([(f"  {a} ", b, c) for a, b, c in ROWS]), page([("Twilio, Inc.", *ROWS[1][1:]), *ROWS[:1], *ROWS[2:]]),
])  # fmt: skip
def test_what_changes_by_itself_is_no_change(html: bytes) -> None:
    found = diff(BASE, extract(html))
    assert (found.added, found.removed, found.changed, found.unreadable) == ((), (), (), "")


def test_what_is_added_removed_and_changed_is_named() -> None:
    new = [ROWS[0], ("Twilio Inc", "Messages", "Germany"), ROWS[2], ("Stripe, Inc.", "Payments", "USA")]
    found = diff(BASE, extract(page(new)))
    assert (found.added, found.removed, found.changed) == (("Stripe, Inc.",), ("OpenAI, L.L.C.",), ("Twilio Inc",))


@pytest.mark.parametrize(("html", "reason"), [
    (page([]), "no_list"), (b"", "no_list"), (b"<html><body>maintenance</body></html>", "no_list"),
    (b"<html><body><div id=root></div><script src=a.js></script></body></html>", "js_required"),
    (page([("New Layout Co", "x", "y"), ("Other Layout Co", "x", "y")]), "layout_changed"),
    (page(ROWS).replace(FILLER.encode(), b"").replace(b"Hosting", b""), "text_gone"),
    (b"\xff\xfe\x00<table>", "no_list"),
])  # fmt: skip
def test_a_broken_page_is_unreadable_and_never_all_removed(html: bytes, reason: str) -> None:
    found = diff(BASE, extract(html))
    assert (found.unreadable, found.removed) == (reason, ())
    observation = PageObservation(url="https://acme.test/sub", page=Page(status=200, text=extract(html)))
    assert evaluate_subprocessors(observation, BASE).verdict is Verdict.UNKNOWN


def test_a_list_serves_where_there_is_no_table() -> None:
    html = "<body><ul>" + "".join(f"<li>{a}</li>" for a, _, _ in ROWS) + "</ul></body>"
    assert len(extract(html.encode()).rows) == 4


@pytest.mark.parametrize(("name", "key"), [
    ("Amazon Web Services, Inc.", "amazon web services"), ("\uff21\uff43\uff4d\uff45 GmbH", "acme"),
    ("Acme Co., Ltd.", "acme"),
    ("Inc", "inc"), ("SAP SE", "sap"), ("  Foo\u00a0Bar  ", "foo bar"),
])  # fmt: skip
def test_a_company_is_known_without_its_legal_form(name: str, key: str) -> None:
    assert entity_key(name) == key


@given(st.binary(max_size=500))
def test_no_bytes_make_the_reader_fall(body: bytes) -> None:
    diff(BASE, extract(body))


@given(
    st.lists(st.sampled_from(ROWS), unique=True, min_size=2), st.lists(st.sampled_from(ROWS), unique=True, min_size=2)
)
def test_a_difference_reversed_is_its_opposite(one: list[tuple[str, ...]], two: list[tuple[str, ...]]) -> None:
    there, back = diff(extract(page(one)), extract(page(two))), diff(extract(page(two)), extract(page(one)))
    if not there.unreadable and not back.unreadable:
        assert (there.added, there.removed) == (back.removed, back.added)


def test_the_first_reading_is_no_change_and_a_later_one_is_a_warn() -> None:
    observation = PageObservation(
        url="https://acme.test/sub", page=Page(status=200, text=extract(page([*ROWS, ("New AG", "x", "y")])))
    )
    assert evaluate_subprocessors(observation, None).reason == "first_reading"
    changed = evaluate_subprocessors(observation, BASE)
    assert (changed.verdict, changed.evidence["added"]) == (Verdict.WARN, ("New AG",))
    assert evaluate_subprocessors(None, None).verdict is Verdict.NA
    gone = PageObservation(url="https://acme.test/sub", page=Unknown(reason="timeout"))
    assert evaluate_subprocessors(gone, BASE).reason == "timeout"


@pytest.mark.parametrize(("status_code", "verdict"), [
    (200, "pass"), (404, "warn"), (410, "warn"), (403, "unknown"), (503, "unknown"),
])  # fmt: skip
def test_a_page_that_people_named_is_there_gone_or_not_seen(status_code: int, verdict: str) -> None:
    observation = PageObservation(url="https://acme.test/trust", page=Page(status=status_code))
    assert evaluate_page("tr.trust", observation).verdict.value == verdict


# ── robots


@pytest.mark.parametrize(("text", "path", "allowed", "opted_out"), [
    ("", "/x", True, False), ("User-agent: *\nDisallow: /private", "/x", True, False),
    ("User-agent: *\nDisallow: /private", "/private/a", False, False),
    ("User-agent: *\nDisallow: /", "/x", False, False), ("User-agent: vendorrisk\nDisallow: /", "/x", False, True),
    ("User-agent: VendorRisk # us\nDisallow: /", "/x", False, True),
    ("User-agent: vendorrisk\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/x", True, False),
    ("\x00garbage: : :", "/x", True, False),
    ("User-agent: vendorrisk/1.0\nDisallow: /", "/x", False, True),
    ("\ufeffUser-agent: vendorrisk\r\nDisallow: /\r\n", "/x", False, True),
    (" user-agent : VENDORRISK our bot\rdisallow : /", "/x", False, True),
    ("User-agent: *\nUser-agent: vendorrisk\nDisallow: /", "/x", False, True),
    ("User-agent: vendor\nUser-agent: vendorrisk-images\nUser-agent: risk\nDisallow: /", "/x", True, False),
    ("User-agent: *\nDisallow: /*?sid=", "/x?sid=1", False, False),
    ("User-agent: *\nDisallow: /*?sid=", "/x?a=1", True, False),
])  # fmt: skip
def test_robots_are_obeyed(text: str, path: str, allowed: bool, opted_out: bool) -> None:  # noqa: FBT001 - a table
    rules = Rules(text)
    assert (rules.allows_url(f"https://acme.test{path}"), rules.opted_out) == (allowed, opted_out)


async def vendor(world: Lab, robots: Reply) -> Robots:
    server = await good_vendor(world)
    server.on("/robots.txt", robots)
    server.on("/sub", Reply(200, [("Content-Type", "text/html")], page(ROWS)))
    return await robots_txt.robots("acme.test", fetcher=world.fetcher, sandbox=world.sandbox)


@pytest.mark.anyio
@pytest.mark.parametrize(("robots", "seen"), [
    (Reply(404), ""), (Reply(403), ""), (Reply(500), "robots_disallow"),
    (Reply(200, [], b"User-agent: *\nDisallow:"), ""),
    (Reply(200, [], b"User-agent: *\nDisallow: /sub"), "robots_disallow"),
    (Reply(200, [], b"User-agent: vendorrisk\nDisallow: /"), "opt_out"),
])  # fmt: skip
async def test_a_page_is_fetched_only_with_leave(robots: Reply, seen: str) -> None:
    async with lab(good_zone()) as world:
        allowed = await vendor(world, robots)
        before = len(world.dns.questions)
        observation = await pages.scan(
            "https://acme.test/sub", fetcher=world.fetcher, sandbox=world.sandbox, allowed=allowed, with_text=True
        )
        assert replay(canonical(observation), PageObservation) == observation
        if seen:
            assert observation.page == Unknown(reason=seen)
            assert len(world.dns.questions) == before
        else:
            assert isinstance(observation.page, Page)
            assert observation.page.text == BASE


@pytest.mark.anyio
async def test_a_host_that_does_not_answer_gives_no_leave() -> None:
    async with lab(good_zone()) as world:
        allowed = await robots_txt.robots("acme.test", fetcher=world.fetcher, sandbox=world.sandbox)
        assert not await robots_txt.allows_url(allowed, "https://acme.test/", world.sandbox)
    assert not allowed.opted_out


# ── status pages


def at(days_ago: float) -> str:
    return (NOW - timedelta(days=days_ago)).isoformat()


def evaluated(body: bytes) -> tuple[str, str]:
    facts = status_page_parser.read_json(body)
    found = evaluate_status(status_page.StatusObservation(url="https://status.acme.test", status=facts), now=NOW)
    return found.verdict.value, found.reason


def test_incidents_are_counted_by_their_impact_and_age() -> None:
    def some(count: int, days: float, impact: str = "major") -> bytes:
        rows = [bodies.incident(f"i{n}", at(days), impact, at(days - 0.1)) for n in range(count)]
        return bodies.statuspage("none", *rows)

    assert evaluated(some(0, 1)) == ("pass", "calm")
    assert evaluated(some(3, 10)) == ("pass", "calm")
    assert evaluated(some(4, 10)) == ("fail", "often")
    assert evaluated(some(4, 91)) == ("pass", "calm")
    assert evaluated(some(9, 10, "minor")) == ("pass", "calm")
    assert evaluated(bodies.statuspage("major", bodies.incident("i", at(0.1)))) == ("warn", "running")


@pytest.mark.parametrize("body", [
    b"{}", b"[]", b"", b'{"status":{"indicator":"fine"}}', b'{"status":"ok"}', b"{" * 100_000,
    bodies.statuspage("none", {"id": "x", "impact": "terrible", "created_at": "2026-01-01T00:00:00Z"}),
    bodies.statuspage("none", {"id": "x", "impact": "major", "created_at": "yesterday"}),
    bodies.statuspage("none", {"id": "x", "impact": "major", "created_at": "0001-01-01T00:00:00+12:00"}),
])  # fmt: skip
def test_a_page_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(status_page_parser.StatusError):
        status_page_parser.read_json(body)


RSS = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><rss><channel><item><guid>i1</guid>
<pubDate>Mon, 23 Nov 2026 10:00:00 +0000</pubDate></item><item><title>&a;</title></item></channel></rss>"""
ATOM = b"<feed><entry><id>e1</id><updated>2026-11-23T10:00:00Z</updated></entry></feed>"


@pytest.mark.parametrize(("feed", "name"), [(RSS, "i1"), (ATOM, "e1")])
def test_a_feed_is_read_without_an_xml_parser_and_tells_no_impact(feed: bytes, name: str) -> None:
    facts = status_page_parser.read_feed(feed)
    assert [(i.id, i.started_at) for i in facts.incidents] == [(name, datetime.fromisoformat("2026-11-23T10:00:00Z"))]
    observation = status_page.StatusObservation(url="https://status.acme.test/feed.rss", status=facts)
    assert evaluate_status(observation, now=NOW).reason == "impact_not_stated"


@given(st.binary(max_size=300))
def test_no_feed_makes_the_reader_fall(body: bytes) -> None:
    try:
        status_page_parser.read_feed(b"<rss>" + body)
    except status_page_parser.StatusError:
        pytest.fail("an RSS feed of any content is one")


@pytest.mark.anyio
@pytest.mark.parametrize(("reply", "reason"), [
    (Reply(200, [], bodies.statuspage()), "calm"), (Reply(500), "http_500"),
    (Reply(200, [], b"<html>"), "status_schema"),
    (Reply(200, [], b"<rss>" + b"x" * (2 << 20)), "feed_cut"), (Reply(200, [], RSS), "impact_not_stated"),
])  # fmt: skip
async def test_a_status_page_is_scanned_where_people_said(reply: Reply, reason: str) -> None:
    async with lab(good_zone()) as world:
        server = await world.host("127.0.0.2", tls=pki.server_context(pki.leaf()))
        server.on("/api/v2/summary.json", reply)
        observation = await status_page.scan("https://status.acme.test/", fetcher=world.fetcher, sandbox=world.sandbox)
    assert replay(canonical(observation), status_page.StatusObservation) == observation
    assert evaluate_status(observation, now=NOW).reason == reason


NEW = bodies.incident("now", at(0))
PAST = [bodies.incident(f"i{n}", at(10 * n), "major", at(10 * n - 0.1)) for n in range(1, 5)]


@pytest.mark.anyio
@pytest.mark.parametrize(("history", "summary", "verdict", "reason"), [
    (Reply(200, [], bodies.incidents()), bodies.statuspage(), "pass", "calm"),
    (Reply(200, [], bodies.incidents(*PAST)), bodies.statuspage(), "fail", "often"),
    (Reply(200, [], bodies.incidents(*PAST[:3])), bodies.statuspage(), "pass", "calm"),
    (Reply(200, [], bodies.incidents(*PAST[:3])), bodies.statuspage("none", NEW), "fail", "often"),
    (Reply(200, [], bodies.incidents(*PAST[:3])), bodies.statuspage("none", PAST[0]), "pass", "calm"),
    (Reply(404), bodies.statuspage(), "pass", "calm"), (Reply(503), bodies.statuspage(), "unknown", "http_503"),
    (Reply(403), bodies.statuspage(), "unknown", "http_403"),
    (Reply(200, [], b"<html>"), bodies.statuspage(), "unknown", "status_schema"),
    (Reply(503), bodies.statuspage("major"), "warn", "running"),
])  # fmt: skip
async def test_incidents_that_are_over_are_counted_and_a_history_not_seen_is_no_good_one(
    history: Reply, summary: bytes, verdict: str, reason: str
) -> None:
    async with lab(good_zone()) as world:
        server = await good_vendor(world)
        server.on("/api/v2/summary.json", Reply(200, [], summary))
        server.on("/api/v2/incidents.json", history)
        observation = await status_page.scan("https://status.acme.test/", fetcher=world.strict, sandbox=world.sandbox)
        assert replay(canonical(observation), status_page.StatusObservation) == observation
        found = evaluate_status(observation, now=NOW)
        assert (found.verdict.value, found.reason) == (verdict, reason)
        assert [r.target for r in server.requests] == ["/api/v2/summary.json", "/api/v2/incidents.json"]


def test_a_named_file_is_taken_as_it_is() -> None:
    assert status_page.api_url("https://x.test/history.rss") == "https://x.test/history.rss"
    assert status_page.api_url("https://status.x.test") == "https://status.x.test/api/v2/summary.json"


def test_an_empty_page_compares_with_nothing() -> None:
    assert diff(PageText(), BASE).unreadable == ""
