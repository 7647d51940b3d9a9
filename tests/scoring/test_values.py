"""Answers checked against their questions: what fits comes back in one form, what does not is named with its bound."""

from datetime import date
from decimal import Decimal
from math import inf, nan
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scoring.make import content, option, question
from vendorrisk.questionnaires.content import (
    Column,
    ColumnKind,
    Field,
    NoneAnswer,
    NotApplicable,
    Question,
    QuestionKind,
    Score,
    ScoreRule,
    Stance,
)
from vendorrisk.scoring.values import MOST_BYTES, AnswerInvalidError, SentAnswer, Value, normalised

TODAY = date(2026, 11, 23)
FILES = [UUID(int=number, version=4) for number in range(1, 23)]
ABC = (option("a", 1000), option("b", 500), option("c"), option("none"))


def column(key: str, kind: ColumnKind, **more: Any) -> Column:
    return Column(key=key, label={"en": key}, kind=kind, **more)


ASKED = {
    "yes_no": question("q"),
    "single": question("q", QuestionKind.SINGLE, options=ABC),
    "multiple": question(
        "q", QuestionKind.MULTIPLE, options=ABC, max_choices=2, score=Score(rule=ScoreRule.SHARE, none_of="none")
    ),
    "text": question("q", QuestionKind.TEXT, max_characters=100),
    "long": question("q", QuestionKind.TEXT),
    "number": question("q", QuestionKind.NUMBER, minimum=-5, maximum=1000, unit="days"),
    "whole": question("q", QuestionKind.NUMBER, whole=True),
    "date": question("q", QuestionKind.DATE, not_before="2020-01-01", not_after="today"),
    "file": question("q", QuestionKind.FILE),
    "table": question(
        "q",
        QuestionKind.TABLE,
        min_rows=1,
        max_rows=3,
        none=NoneAnswer(label={"en": "None"}),
        columns=(
            column("name", ColumnKind.TEXT, required=True),
            column("staff", ColumnKind.NUMBER),
            column("since", ColumnKind.DATE),
            column("proof", ColumnKind.SINGLE, options=ABC),
            column("ours", ColumnKind.YES_NO),
            column("country", ColumnKind.COUNTRY),
        ),
    ),
    "rows": question("q", QuestionKind.TABLE, columns=(column("name", ColumnKind.TEXT),)),
    "optional": question("q", not_applicable=NotApplicable.WITH_REASON),
    "fields": question("q", fields=(Field(key="owner", label={"en": "Owner"}, kind=ColumnKind.TEXT, required=True),)),
}


def checked(asked: str | Question, value: Any = None, **more: Any) -> Value:
    one = ASKED[asked] if isinstance(asked, str) else asked
    sent = SentAnswer(stance=more.pop("stance", Stance.ANSWERED), value=value, **more)
    return normalised(content(one), one, sent, today=TODAY, uploads=FILES[:-1])


def faults(asked: str, value: Any = None, **more: Any) -> list[tuple[str | None, str]]:
    with pytest.raises(AnswerInvalidError) as caught:
        checked(asked, value, **more)
    assert all(fault.detail[0].isupper() and fault.detail.endswith(".") for fault in caught.value.faults)
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


@pytest.mark.parametrize(("asked", "sent", "stored"), [
    ("yes_no", "partial", "partial"), ("single", "b", "b"),
    ("multiple", ["b", "a"], ["a", "b"]), ("multiple", ["none"], ["none"]),
    ("text", "  One\r\ntwo\t\u0065\u0301  ", "One\ntwo é"), ("long", "x" * 8000, "x" * 8000),
    ("number", 1000, 1000), ("number", -5, -5), ("number", 7.0, 7), ("number", 0.1, 0.1), ("number", -0.0, 0),
    ("number", Decimal("2.50"), 2.5), ("number", 0.000_000_000_000_001, 1e-15),
    ("whole", 999_999_999_999_999, 999_999_999_999_999), ("whole", 5.0, 5), ("whole", -(10**15) + 1, -(10**15) + 1),
    ("date", "2026-11-23", "2026-11-23"), ("date", "2024-02-29", "2024-02-29"), ("date", "2020-01-01", "2020-01-01"),
    ("file", [str(FILES[1]).upper(), str(FILES[0])], [str(FILES[0]), str(FILES[1])]),
    ("file", [FILES[0]], [str(FILES[0])]),
    ("table", {"none": True}, {"none": True}),
    ("table", [{"country": "Germany", "name": " A B ", "staff": 5.0, "since": "2020-02-29", "proof": "b",
                "ours": "no"}],
     [{"name": "A B", "staff": 5, "since": "2020-02-29", "proof": "b", "ours": "no", "country": "DE"}]),
    ("table", [{"name": "A", "staff": None, "proof": ""}, {"name": "  "}, {}], [{"name": "A"}]),
])  # fmt: skip
def test_a_fitting_value_comes_back_in_its_one_form(asked: str, sent: Any, stored: Any) -> None:
    found = checked(asked, sent).value
    assert found == stored
    assert type(found) is type(stored)
    assert checked(asked, found).value == found


@pytest.mark.parametrize(("asked", "sent", "pointer", "code"), [
    ("yes_no", "maybe", "/value", "value_not_allowed"), ("yes_no", True, "/value", "field_invalid"),
    ("single", ["a"], "/value", "field_invalid"), ("single", "A", "/value", "value_not_allowed"),
    ("multiple", "a", "/value", "field_invalid"), ("multiple", ["a", "a"], "/value/1", "value_not_allowed"),
    ("multiple", ["a", "x"], "/value/1", "value_not_allowed"), ("multiple", ["a", 5], "/value/1", "field_invalid"),
    ("multiple", ["a", "none"], "/value", "value_not_allowed"), ("multiple", [], "/value", "value_out_of_range"),
    ("multiple", ["a", "b", "c"], "/value", "value_out_of_range"),
    ("multiple", ["a"] * 5, "/value", "value_out_of_range"),
    ("text", 5, "/value", "field_invalid"), ("text", ["file"], "/value", "field_invalid"),
    ("text", " \n ", "/value", "field_required"), ("text", "x" * 101, "/value", "value_out_of_range"),
    ("text", "a\x00b", "/value", "field_invalid"), ("text", "\u202eevil", "/value", "field_invalid"),
    ("text", "half \ud800", "/value", "field_invalid"), ("text", "e" + "\u0301" * 40, "/value", "field_invalid"),
    ("long", "x" * 8001, "/value", "value_out_of_range"), ("long", "x" * 200_000, "/value", "value_out_of_range"),
    ("number", "5", "/value", "field_invalid"), ("number", True, "/value", "field_invalid"),
    ("number", nan, "/value", "field_invalid"), ("number", inf, "/value", "field_invalid"),
    ("number", Decimal("sNaN"), "/value", "field_invalid"),
    ("number", 10**400, "/value", "value_out_of_range"), ("number", 1e300, "/value", "value_out_of_range"),
    ("whole", 10**15, "/value", "value_out_of_range"), ("number", 1e-16, "/value", "value_out_of_range"),
    ("number", 0.1234567890123456, "/value", "value_out_of_range"), ("number", 1001, "/value", "value_out_of_range"),
    ("number", -5.5, "/value", "value_out_of_range"), ("whole", 1.5, "/value", "field_invalid"),
    ("date", "2027-02-29", "/value", "field_invalid"), ("date", "2026-11-24", "/value", "value_out_of_range"),
    ("date", "2019-12-31", "/value", "value_out_of_range"), ("date", "20261123", "/value", "field_invalid"),
    ("date", "23.11.2026", "/value", "field_invalid"), ("date", "2026-W47-1", "/value", "field_invalid"),
    ("date", "\u0662026-11-23", "/value", "field_invalid"), ("date", 45432, "/value", "field_invalid"),
    ("date", "0001-01-01", "/value", "value_out_of_range"),
    ("file", "x", "/value", "field_invalid"), ("file", [], "/value", "value_out_of_range"),
    ("file", [str(one) for one in FILES[:21]], "/value", "value_out_of_range"),
    ("file", ["x"], "/value/0", "field_invalid"), ("file", [f"{{{FILES[0]}}}"], "/value/0", "field_invalid"),
    ("file", [str(FILES[0]), str(FILES[0])], "/value/1", "value_not_allowed"),
    ("file", [str(FILES[-1])], "/value/0", "value_not_allowed"),
    ("table", [], "/value", "value_out_of_range"), ("table", [{"name": "A"}] * 4, "/value", "value_out_of_range"),
    ("table", [{"name": "A"}] * 10_000, "/value", "value_out_of_range"), ("table", {}, "/value", "field_invalid"),
    ("table", ["A"], "/value/0", "field_invalid"), ("table", [{"staff": 5}], "/value/0/name", "field_required"),
    ("table", [{"name": "A", "salary": 5}], "/value/0/salary", "field_unknown"),
    ("table", [{"name": "A", "staff": "5"}], "/value/0/staff", "field_invalid"),
    ("table", [{"name": "A", "since": "2027-02-29"}], "/value/0/since", "field_invalid"),
    ("table", [{"name": "A", "proof": "x"}], "/value/0/proof", "value_not_allowed"),
    ("table", [{"name": "A", "ours": True}], "/value/0/ours", "field_invalid"),
    ("table", [{"name": "A", "country": "Atlantis"}], "/value/0/country", "field_invalid"),
    ("table", [{"name": "x" * 1001}], "/value/0/name", "value_out_of_range"),
    ("table", [{"name": {"deep": []}}], "/value/0/name", "field_invalid"),
    ("yes_no", {"none": True}, "/value", "value_not_allowed"), ("yes_no", None, "/value", "field_required"),
    ("table", {"none": False}, "/value", "field_invalid"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_named_with_its_place(asked: str, sent: Any, pointer: str, code: str) -> None:
    assert faults(asked, sent) == [(pointer, code)]


def test_the_message_names_the_bound_and_the_value_to_send() -> None:
    details = {
        ("number", 1001): "This number is out of range. Send -5 to 1000 days.",
        ("date", "2026-11-24"): "This date is too late. Send a date up to 2026-11-23.",
        ("single", "z"): 'The choice "z" is not offered. Send one of: a, b, c, none.',
        ("date", "2027-02-29"): "There is no day 2027-02-29. Send a date, like 2026-06-30.",
    }
    for (asked, sent), detail in details.items():
        with pytest.raises(AnswerInvalidError) as caught:
            checked(asked, sent)
        assert caught.value.faults[0].detail == detail


def test_all_faults_of_a_table_are_named_up_to_fifty() -> None:
    rows = [{"name": "A", "staff": "x", "ours": 1}, {"proof": "x"}]
    assert faults("table", rows) == [
        ("/value/0/staff", "field_invalid"),
        ("/value/0/ours", "field_invalid"),
        ("/value/1/name", "field_required"),
        ("/value/1/proof", "value_not_allowed"),
    ]
    assert len(faults("rows", [{f"k{number}": 1 for number in range(20)}] * 200)) == 50


def test_not_applicable_needs_a_question_that_allows_it() -> None:
    assert faults("yes_no", stance=Stance.NOT_APPLICABLE) == [("/stance", "value_not_allowed")]
    found = checked("optional", stance=Stance.NOT_APPLICABLE, reason=" Not ours ", note="")
    assert found == Value(stance=Stance.NOT_APPLICABLE, reason="Not ours")
    assert checked("optional", stance=Stance.NOT_APPLICABLE).reason is None


@pytest.mark.parametrize("stance", [Stance.NOT_APPLICABLE, Stance.CLEARED])
def test_a_stance_without_a_value_refuses_one(stance: Stance) -> None:
    assert faults("optional", "yes", stance=stance) == [("/value", "value_not_allowed")]


def test_a_reason_is_refused_beside_an_answer_and_not_dropped() -> None:
    assert faults("optional", "yes", reason="because") == [("/reason", "value_not_allowed")]


def test_notes_are_cleaned_and_bounded() -> None:
    assert checked("yes_no", "yes", note="a\r\nb").note == "a\nb"
    assert faults("yes_no", "yes", note="x" * 8001) == [("/note", "value_out_of_range")]
    assert faults("yes_no", "yes", note="a\u2066b") == [("/note", "field_invalid")]
    assert faults("optional", stance=Stance.NOT_APPLICABLE, reason="x" * 2001) == [("/reason", "value_out_of_range")]


def test_further_fields_are_read_by_their_kind_and_blank_ones_left_out() -> None:
    assert checked("fields", "yes", fields={"owner": " us "}).fields == {"owner": "us"}
    assert checked("fields", "yes", fields={"owner": " "}).fields == {}
    assert checked("fields", "yes").fields == {}
    assert faults("fields", "yes", fields={"other": "x"}) == [("/fields/other", "field_unknown")]
    assert faults("yes_no", "yes", fields={"a/b~": "x"}) == [("/fields/a~1b~0", "field_unknown")]


def test_a_value_over_64_kb_is_refused_also_where_postgres_would_make_it_larger() -> None:
    with pytest.raises(AnswerInvalidError, match="at most 65,536 bytes"):
        checked("rows", [{"name": "x" * 1000}] * 70)
    wide = question(
        "q", QuestionKind.TABLE, columns=tuple(column(f"c{number}", ColumnKind.NUMBER) for number in range(20))
    )
    row = {f"c{number}": 1 for number in range(20)}
    with pytest.raises(AnswerInvalidError, match="at most 65,536 bytes"):
        checked(wide, [row] * 200)
    assert len(checked(wide, [row] * 80).value) == 80
    assert MOST_BYTES == 65_536


_NAMES = st.text(max_size=8) | st.just("name")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str) | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(sorted(ASKED)), st.sampled_from(list(Stance)), ANYTHING, st.none() | st.text(), ANYTHING)
def test_anything_at_all_is_either_normal_or_refused_with_pointers(
    asked: str, stance: Stance, value: Any, note: str | None, fields: Any
) -> None:
    try:
        found = checked(asked, value, stance=stance, note=note, fields=fields)
    except AnswerInvalidError as error:
        pointers = [fault.pointer or "" for fault in error.faults]
    else:
        pointers = ["/"]
        assert checked(asked, found.value, stance=stance, note=found.note, fields=found.fields) == found
    assert 1 <= len(pointers) <= 50
    assert all(pointer.startswith("/") for pointer in pointers)
