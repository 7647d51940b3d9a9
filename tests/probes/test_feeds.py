"""Feeds: read whole or refused whole, fetched only when changed; and what they say of a vendor."""

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.evaluation import events, exposure, tls
from vendorrisk.evaluation.model import RuleSeverity, Verdict
from vendorrisk.lab import feeds as bodies
from vendorrisk.lab import pki
from vendorrisk.lab.http import Received, Reply
from vendorrisk.lab.pki import NOW
from vendorrisk.lab.world import good_zone, lab
from vendorrisk.probes.feeds import feed_parser
from vendorrisk.probes.feeds.feed_parser import AddressFacts, FeedError, Issuance
from vendorrisk.probes.observation import Unknown

DAY = timedelta(days=1)
FIRST_DAY = "0001-01-01T00:00:00+12:00"
"""An instant that has no name in UTC."""


def test_the_published_shapes_are_read() -> None:
    kev = feed_parser.read_kev(bodies.kev())
    assert [i.cve for i in kev.items] == ["CVE-2020-2002", "CVE-2026-1001"]
    assert kev.items[1].ransomware
    epss = feed_parser.read_epss(bodies.EPSS)
    assert epss == feed_parser.read_epss(bodies.EPSS_TEXT.encode())
    assert epss.millionths == {"CVE-2026-1001": 943_210, "CVE-2020-2002": 120, "CVE-2019-3003": 12}
    assert (epss.model, epss.scored_on) == ("v2025.03.14", date(2026, 11, 23))
    (breach,) = feed_parser.read_breaches(bodies.breaches())
    assert (breach.domain, breach.verified, breach.counts) == ("acme.test", True, True)
    assert feed_parser.read_issuances(bodies.SPOTTER)[0].names == feed_parser.read_issuances(bodies.CRT_SH)[0].names
    assert feed_parser.read_issuances(b"[]") == ()
    assert feed_parser.read_address("198.51.100.7", 200, bodies.INTERNET_DB).ports == (22, 443, 3389)
    assert feed_parser.read_address("198.51.100.7", 404, b"{}") == AddressFacts(address="198.51.100.7", known=False)


def drifted(body: bytes, rename: str) -> bytes:
    return body.replace(f'"{rename}"'.encode(), f'"{rename}X"'.encode())


BROKEN: dict[str, tuple[Callable[[bytes], object], bytes, str]] = {
    "kev_cut": (feed_parser.read_kev, bodies.kev()[:-40], "feed_malformed"),
    "kev_rows_missing": (feed_parser.read_kev, bodies.kev(count=3), "feed_cut"),
    "kev_empty": (feed_parser.read_kev, bodies.kev(count=0, vulnerabilities=[]), "feed_empty"),
    "kev_renamed": (feed_parser.read_kev, drifted(bodies.kev(), "cveID"), "feed_schema"),
    "kev_retyped": (feed_parser.read_kev, bodies.kev(vulnerabilities={}), "feed_schema"),
    "kev_html": (feed_parser.read_kev, b"<html>", "feed_malformed"),
    "kev_nothing": (feed_parser.read_kev, b"", "feed_malformed"),
    "kev_deep": (feed_parser.read_kev, b"[" * 200_000, "feed_schema"),
    "epss_cut": (feed_parser.read_epss, bodies.EPSS[:-12], "feed_cut"),
    "epss_torn": (feed_parser.read_epss, bodies.EPSS[:30] + b"\x00" * 40, "feed_(malformed|cut)"),
    "epss_no_header": (feed_parser.read_epss, b"cve,epss,percentile\nCVE-2026-1,0.1,0.1\n", "feed_schema"),
    "epss_columns": (
        feed_parser.read_epss,
        bodies.EPSS_TEXT.replace("epss,perc", "score,perc").encode(),
        "feed_schema",
    ),
    "epss_row": (feed_parser.read_epss, (bodies.EPSS_TEXT + "CVE-2026-9,high,0.1\n").encode(), "feed_schema"),
    "epss_half_row": (feed_parser.read_epss, (bodies.EPSS_TEXT + "CVE-2026-9,0.\n").encode(), "feed_schema"),
    "epss_nan": (feed_parser.read_epss, (bodies.EPSS_TEXT + "CVE-2026-9999,nan,0.1\n").encode(), "feed_schema"),
    "epss_no_day": (
        feed_parser.read_epss,
        bodies.EPSS_TEXT.replace("2026-11-23", "2026-13-23").encode(),
        "feed_schema",
    ),
    "epss_bare_return": (feed_parser.read_epss, (bodies.EPSS_TEXT + "CVE-2026-9,0.\r1,2\n").encode(), "feed_schema"),
    "epss_endless_field": (feed_parser.read_epss, (bodies.EPSS_TEXT + "a" * 200_000).encode(), "feed_schema"),
    "epss_empty": (
        feed_parser.read_epss,
        "".join(bodies.EPSS_TEXT.splitlines(keepends=True)[:2]).encode(),
        "feed_empty",
    ),
    "hibp_renamed": (feed_parser.read_breaches, drifted(bodies.breaches(), "IsVerified"), "feed_schema"),
    "hibp_object": (feed_parser.read_breaches, b'{"message":"rate limit"}', "feed_schema"),
    "hibp_nul": (feed_parser.read_breaches, bodies.breaches(bodies.breach(Title="Ac\0me")), "feed_malformed"),
    "hibp_first_day": (feed_parser.read_breaches, bodies.breaches(bodies.breach(AddedDate=FIRST_DAY)), "feed_schema"),
    "hibp_empty": (feed_parser.read_breaches, b"[]", "feed_empty"),
    "ct_first_day": (feed_parser.read_issuances, bodies.SPOTTER.replace(b"2026-11-01T00:00:00Z", FIRST_DAY.encode()),
                     "feed_schema"),
    "ct_drift": (feed_parser.read_issuances, b'[{"id":"x"}]', "feed_schema"),
    "idb_of_another": (lambda b: feed_parser.read_address("192.0.2.1", 200, b), bodies.INTERNET_DB, "feed_schema"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_feed_that_is_cut_renamed_or_changed_is_refused_whole(case: str) -> None:
    reader, body, slug = BROKEN[case]
    with pytest.raises(FeedError, match=slug):
        reader(body)


@given(st.binary(max_size=400))
def test_no_bytes_make_a_reader_fall_otherwise(body: bytes) -> None:
    for reader in (feed_parser.read_kev, feed_parser.read_epss, feed_parser.read_breaches, feed_parser.read_issuances):
        try:
            reader(body)
        except FeedError:
            continue


def test_a_packed_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"#model_version:v1,score_date:2026-11-23\ncve,epss,percentile\n" + b"\n" * (80 << 20), 9)
    with pytest.raises(FeedError, match="feed_cut"):
        feed_parser.read_epss(bomb)


@pytest.mark.anyio
async def test_an_unchanged_feed_is_not_sent_again() -> None:
    def serve(request: Received) -> Reply:
        if request.headers.get("if-none-match") == '"v1"':
            return Reply(304)
        return Reply(200, [("ETag", '"v1"')], bodies.kev())

    async with lab({**good_zone(), ("feeds.test", "A"): ["127.0.0.5"]}) as world:
        server = await world.host("127.0.0.5", tls=pki.server_context(pki.leaf()))
        server.on("/kev.json", serve)
        first = await feed_parser.fetch("https://feeds.test/kev.json", fetcher=world.fetcher)
        assert isinstance(first, feed_parser.Fetched)
        assert feed_parser.read_kev(first.body).version == "2026.11.20"
        again = await feed_parser.fetch("https://feeds.test/kev.json", fetcher=world.fetcher, etag=first.etag)
        assert again == feed_parser.Fetched(changed=False, etag='"v1"')
        server.on("/kev.json", Reply(503))
        failed = await feed_parser.fetch("https://feeds.test/kev.json", fetcher=world.fetcher)
        assert failed == Unknown(reason="http_503")
        server.on("/kev.json", Reply(200, [], b"x" * (2 << 20)))
        assert await feed_parser.fetch("https://feeds.test/kev.json", fetcher=world.fetcher) == Unknown(
            reason="feed_cut"
        )


# ── breaches


def listed(**changes: object) -> tuple[feed_parser.Breach, ...]:
    return feed_parser.read_breaches(bodies.breaches(bodies.breach(**changes)))


def added(days_ago: float) -> str:
    return (NOW - days_ago * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(("days", "verdict", "severity", "cap"), [
    (1, "fail", RuleSeverity.CRITICAL, 79), (89, "fail", RuleSeverity.CRITICAL, 79),
    (90, "fail", RuleSeverity.HIGH, None),
    (364, "fail", RuleSeverity.HIGH, None), (365, "fail", RuleSeverity.MEDIUM, None),
    (1094, "fail", RuleSeverity.MEDIUM, None),
    (1095, "pass", None, None), (-5, "pass", None, None),
])  # fmt: skip
def test_a_breach_fades_with_the_years(days: int, verdict: str, severity: RuleSeverity | None, cap: int | None) -> None:
    evaluated = events.evaluate_breaches("acme.test", listed(AddedDate=added(days)), now=NOW)[0]
    assert (evaluated.verdict.value, evaluated.severity, evaluated.cap) == (verdict, severity, cap)


@pytest.mark.parametrize("change", [
    {"IsFabricated": True}, {"IsSpamList": True}, {"IsRetired": True}, {"IsMalware": True}, {"Domain": "notacme.test"},
    {"Domain": ""},
])  # fmt: skip
def test_what_is_no_breach_of_the_domain_does_not_count(change: dict[str, object]) -> None:
    evaluated = events.evaluate_breaches("acme.test", listed(**change), now=NOW)
    assert {j.verdict for j in evaluated} == {Verdict.PASS}


def test_an_unverified_breach_is_notified_and_not_scored() -> None:
    evaluated = {j.rule: j for j in events.evaluate_breaches("acme.test", listed(IsVerified=False), now=NOW)}
    assert evaluated["evt.breach"].verdict is Verdict.PASS
    assert evaluated["evt.breach_unverified"].verdict is Verdict.WARN


def test_a_list_that_could_not_be_read_is_unknown() -> None:
    evaluated = events.evaluate_breaches("acme.test", Unknown(reason="feed_schema"), now=NOW)
    assert {(j.verdict, j.reason) for j in evaluated} == {(Verdict.UNKNOWN, "feed_schema")}


def test_fading_halves_in_a_year_and_never_grows() -> None:
    percents = [events.faded_percent(n * DAY) for n in range(1200)]
    assert percents == sorted(percents, reverse=True)
    assert (percents[0], percents[365], percents[730], percents[1094], percents[1095]) == (100, 50, 25, 13, 0)
    exact = [round(100 * 0.5 ** (n / 12)) for n in range(37)]
    assert all(abs(table - true) <= 1 for table, true in zip(events._FADED_PERCENT, exact, strict=True))


# ── products in the inventory


@pytest.mark.parametrize(("products", "hits"), [
    ({"Lab Soft": ["Mail Gateway"]}, ["CVE-2026-1001"]), ({"LAB  SOFT": ["mail-gateway"]}, ["CVE-2026-1001"]),
    ({"Lab Soft": ["Gateway"]}, ["CVE-2026-1001"]), ({"Lab Soft": ["Ail Gate"]}, []), ({"Other": ["Mail Gateway"]}, []),
    ({"Lab Soft": ["Spreadsheet"]}, []),
])  # fmt: skip
def test_new_entries_meet_the_inventory_by_maker_and_whole_words(
    products: dict[str, list[str]], hits: list[str]
) -> None:
    items = feed_parser.read_kev(bodies.kev()).items
    evaluated = events.evaluate_products(products, items, since=date(2026, 11, 1))
    assert [j.subject for j in evaluated if j.verdict is Verdict.WARN] == hits


def test_an_entry_for_many_products_concerns_every_product_of_its_maker() -> None:
    items = feed_parser.read_kev(bodies.kev()).items
    evaluated = events.evaluate_products({"Lab Soft": ["Spreadsheet"]}, items, since=date(2021, 1, 1))
    assert [j.subject for j in evaluated] == ["CVE-2020-2002"]


def test_an_empty_inventory_does_not_apply_and_an_unread_list_is_unknown() -> None:
    assert events.evaluate_products({}, (), since=date(2026, 1, 1))[0].verdict is Verdict.NA
    not_known = Unknown(reason="feed_cut")
    assert events.evaluate_products({"a": ["b"]}, not_known, since=date(2026, 1, 1))[0].verdict is Verdict.UNKNOWN


# ── exposure


FACTS = feed_parser.read_address("198.51.100.7", 200, bodies.INTERNET_DB)
KEV = frozenset({"CVE-2026-1001"})
EPSS = {"CVE-2026-1001": 943_210}


def exposed(*seen: AddressFacts | Unknown, second: bool = False) -> dict[str, tuple[str, int | None]]:
    evaluated = exposure.evaluate(seen, exploited=KEV, millionths=EPSS, second_source=second)
    return {j.rule: (j.verdict.value, j.cap) for j in evaluated}


def test_what_others_saw_open_is_evaluated_and_caps_only_with_a_second_source() -> None:
    assert exposed(FACTS) == {"exp.ports": ("fail", None), "exp.kev": ("fail", None), "exp.epss": ("fail", None),
                              "exp.eol": ("warn", None)}  # fmt: skip
    assert exposed(FACTS, second=True)["exp.kev"] == ("fail", 59)


def test_a_shared_machine_says_nothing_of_the_vendor() -> None:
    shared = AddressFacts(address="192.0.2.1", known=True, ports=(3389,), tags=("cdn",))
    assert {v for v, _ in exposed(shared).values()} == {"na"}
    assert {v for v, _ in exposed().values()} == {"na"}


def test_an_address_that_could_not_be_asked_hides_no_fail_and_gives_no_pass() -> None:
    clean = AddressFacts(address="192.0.2.1", known=True, ports=(443,))
    assert {v for v, _ in exposed(clean).values()} == {"pass"}
    assert {v for v, _ in exposed(clean, Unknown(reason="http_429")).values()} == {"unknown"}
    assert exposed(FACTS, Unknown(reason="http_429"))["exp.ports"] == ("fail", None)


@pytest.mark.parametrize(
    ("tenths", "verdict"), [(None, "na"), (49, "warn"), (50, "pass"), (Unknown(reason="x"), "unknown")]
)
def test_a_scorecard_is_evaluated_at_five(tenths: int | Unknown | None, verdict: str) -> None:
    assert exposure.evaluate_scorecard(tenths).verdict.value == verdict


# ── certificate transparency


def issued(issuer: str, days_ago: int = 3) -> Issuance:
    begins = NOW - days_ago * DAY
    return Issuance(id="1", issuer=issuer, names=("acme.test",), not_before=begins, not_after=begins + 90 * DAY)


@pytest.mark.parametrize(("issuer", "known", "verdict"), [
    ("C=US, O=Let's Encrypt, CN=R11", [], "pass"), ("C=XX, O=Strange CA", [], "warn"),
    ("C=XX, O=Strange CA", ["c=xx, o=strange ca"], "pass"),
])  # fmt: skip
def test_an_issuer_must_be_admitted_or_known(issuer: str, known: list[str], verdict: str) -> None:
    (evaluated,) = tls.evaluate_issuers([issued(issuer)], admitted=["letsencrypt.org"], known=known, now=NOW)
    assert evaluated.verdict.value == verdict


def test_old_issuances_are_not_news_and_an_unread_log_is_unknown() -> None:
    old = tls.evaluate_issuers([issued("Strange", 31)], admitted=[], known=[], now=NOW)
    assert old[0].verdict is Verdict.PASS
    assert tls.evaluate_issuers(Unknown(reason="x"), admitted=[], known=[], now=NOW)[0].verdict is Verdict.UNKNOWN


def test_the_lab_bodies_are_of_the_published_form() -> None:
    rows = json.loads(bodies.kev())["vulnerabilities"]
    assert {"cveID", "vendorProject", "product", "dateAdded", "dueDate", "knownRansomwareCampaignUse"} <= set(rows[0])
