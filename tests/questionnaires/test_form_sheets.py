"""Our own workbook: no field of a content is lost on the way out and back, and a row that fits nowhere is named."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.questionnaires.contents import contents
from vendorrisk.questionnaires.content import Content, ContentError, canonical, content_of
from vendorrisk.questionnaires.draft_routes import EXAMPLE
from vendorrisk.questionnaires.form_sheets import NAMES, content_from, sheets_of
from vendorrisk.questionnaires.form_workbook import read_workbook, written
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.workbooks import sheets_named

_ANY = list(HealthCheck)


@settings(max_examples=60, suppress_health_check=_ANY, deadline=None)
@given(content=contents())
def test_a_content_comes_back_from_its_sheets_with_the_same_canonical_form(content: Content) -> None:
    assert canonical(content_from(sheets_of(content))) == canonical(content)


@settings(max_examples=30, suppress_health_check=_ANY, deadline=None)
@given(content=contents())
def test_a_content_comes_back_from_the_bytes_of_its_workbook_with_the_same_canonical_form(content: Content) -> None:
    assert canonical(content_from(sheets_named(written(content), NAMES))) == canonical(content)


@settings(max_examples=60, suppress_health_check=_ANY, deadline=None)
@given(content=contents())
def test_a_content_comes_back_from_its_json_with_the_same_canonical_form(content: Content) -> None:
    assert canonical(content_of(canonical(content))) == canonical(content)


def sheets() -> dict[str, list[list[Any]]]:
    return {name: [list(row) for row in rows] for name, rows in sheets_of(content_of(EXAMPLE)).items()}


def faults(changed: dict[str, list[list[Any]]]) -> list[tuple[str, str, str]]:
    with pytest.raises(ContentError) as refused:
        content_from(changed)
    return [(fault.code, fault.pointer, fault.detail) for fault in refused.value.faults]


def column(name: str, heading: str) -> int:
    return sheets()[name][0].index(heading)


def test_what_a_person_types_is_taken_as_the_field_wants_it() -> None:
    typed = sheets()
    typed["Questions"][1][column("Questions", "weight")] = " 9 "
    typed["Questions"][1][column("Questions", "critical")] = "Yes"
    typed["Questions"][2][column("Questions", "key")] = " access.keys "
    typed["Questions"].insert(1, [None] * len(typed["Questions"][0]))
    assert canonical(content_from(typed)) == canonical(content_of(EXAMPLE))


def test_a_question_of_a_section_that_is_not_there_is_named_by_its_row() -> None:
    wrong = sheets()
    wrong["Questions"][2][column("Questions", "section")] = "nowhere"
    [(code, _, detail)] = faults(wrong)
    assert (code, detail) == (
        "row_without_owner",
        "In sheet Questions, row 3: The sheet Sections has no section 'nowhere'.",
    )


@pytest.mark.parametrize("name", ["Options", "Columns", "Bands", "Flags"])
def test_a_part_of_a_question_that_is_not_there_is_named_by_its_row(name: str) -> None:
    wrong = sheets()
    wrong[name] = [["question", "key"], ["nobody", "x"]]
    [(code, _, detail)] = faults(wrong)
    assert (code, detail.partition(":")[0]) == ("row_without_owner", f"In sheet {name}, row 2")


def test_a_wrong_cell_is_told_with_its_pointer_sheet_and_row() -> None:
    wrong = sheets()
    wrong["Questions"][2][column("Questions", "weight")] = "much"
    wrong["Questions"][1][column("Questions", "kind")] = "essay"
    told = {pointer: detail for _, pointer, detail in faults(wrong)}
    assert told["/sections/0/questions/1/weight"].startswith("In sheet Questions, row 3: ")
    assert told["/sections/0/questions/0/kind"].startswith("In sheet Questions, row 2: ")


def test_a_heading_that_is_no_field_is_a_fault() -> None:
    wrong = sheets()
    wrong["Questions"][0].append("colour")
    wrong["Questions"][1].append("red")
    assert [pointer for _, pointer, _ in faults(wrong)] == ["/sections/0/questions/0/colour"]


def test_text_that_looks_like_a_formula_or_an_escape_stays_as_it_is() -> None:
    content = content_of({**EXAMPLE, "title": {"en": "=1+1 _x0041_ @SUM"}, "licence": "'x\n-y"})
    assert canonical(content_from(sheets_named(written(content), NAMES))) == canonical(content)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"key,text\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)])
def test_a_file_that_is_no_workbook_is_refused_with_advice(raw: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"\.$"):
        sheets_named(raw, NAMES)
    [fault] = read_workbook(raw).faults
    assert fault.code == "workbook_unreadable"
