"""Ratings brought in as files, and the browsers' preload list."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.probes.feeds import hsts_preload, ratings
from vendorrisk.probes.feeds.feed_parser import FeedError
from vendorrisk.probes.feeds.ratings import Rating, RatingsError

WANTED = (Rating(domain="acme.test", provider="Rater", rated_on=date(2026, 11, 1), value_hundredths=74050, grade="B"),)


@pytest.mark.parametrize("text", [
    "domain,provider,score,grade,date\nacme.test,Rater,740.5,B,2026-11-01\n",
    "\ufeffCompany Domain;Source;Rating;Letter Grade;As Of\r\nACME.test.;Rater;740.50;B;2026-11-01T10:00:00Z\r\n",
    "website\trating_provider\tvalue\tgrade\trating_date\nacme.test\tRater\t740.5\tB\t2026-11-01\n",
])  # fmt: skip
def test_a_csv_is_read_by_its_columns(text: str) -> None:
    assert ratings.read_csv(text.encode()) == WANTED


def test_json_is_read_bare_or_wrapped() -> None:
    row = b'{"domain":"acme.test","provider":"Rater","score":740.5,"grade":"B","as_of":"2026-11-01"}'
    assert ratings.read_json(b"[" + row + b"]") == WANTED
    assert ratings.read_json(b'{"entries":[' + row + b"]}") == WANTED


@pytest.mark.parametrize(("text", "words"), [
    ("domain,score,date\nacme.test,1,2026-11-01\n", "row 1: provider is missing"),
    ("domain,provider,score,date\na.test,R,1,2026-11-01\nb.test,R,-1,2026-11-01\n", "row 2"),
    ("domain,provider,score,date\na.test,R,1e9,2026-11-01\n", "row 1"),
    ("domain,provider,score,date\na.test,R,1,0000-00-00\n", "row 1"),
    ("domain,provider,date\na.test,R,2026-11-01\n", "neither a value nor a grade"),
    ('domain,provider\n"a', "row 1"),
])  # fmt: skip
def test_a_row_that_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(RatingsError, match=words):
        ratings.read_csv(text.encode())


@given(st.binary(max_size=300))
def test_no_bytes_make_the_readers_fall(body: bytes) -> None:
    for reader in (ratings.read_csv, ratings.read_json):
        try:
            reader(body)
        except RatingsError:
            continue


PRELOAD = b"""// Copyright
{ // not at a line's start
"""
LIST = b"""  // comment
{"pinsets": [], "entries": [
  // one
  {"name": "acme.test", "policy": "x", "mode": "force-https", "include_subdomains": true},
  {"name": "single.test", "policy": "x", "mode": "force-https"},
  {"name": "pinned.test", "pins": "x"}
]}
"""


@pytest.mark.parametrize(("host", "listed"), [
    ("acme.test", True), ("www.acme.test", True), ("single.test", True), ("www.single.test", False),
    ("pinned.test", False), ("notacme.test", False), ("test", False),
])  # fmt: skip
def test_a_host_is_preloaded_by_itself_or_by_a_parent(host: str, listed: bool) -> None:  # noqa: FBT001 - a table
    assert hsts_preload.read(LIST, "snapshot-1")(host) is listed


@pytest.mark.parametrize("body", [b"", b"{}", b'{"entries":[]}', b'{"entries":[{"nom":"x"}]}', b"[" * 99_999, PRELOAD])
def test_a_list_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(FeedError):
        hsts_preload.read(body, "x")
