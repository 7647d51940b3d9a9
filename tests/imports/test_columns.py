"""The columns of any kind: headings are matched, dates are read, and what moved or stands twice is a problem."""

from collections.abc import Iterator

import pytest

from vendorrisk.imports.cells import DateOrder, iso_date, listed, typed
from vendorrisk.imports.columns import (
    Column,
    Given,
    ImportCellProblem,
    Layout,
    MappingError,
    ReadRow,
    match_headings,
    read_rows,
)
from vendorrisk.normal_form import clean_line
from vendorrisk.sheets.reading import Limits, Row, Table, read_csv


def lacking(row: ReadRow) -> Iterator[ImportCellProblem]:
    if "name" not in row.given:
        yield ImportCellProblem(row.number, "name_missing", "Give the room a name.", field="name")


def keys(given: Given) -> Iterator[tuple[str, str]]:
    if name := given.get("name"):
        yield "name", str(name).lower()


LAYOUT = Layout(
    columns={
        "name": Column("Name", clean_line, ("room",)),
        "since_on": Column("In use since", iso_date, ("since",), is_date=True),
        "code": Column("Code", clean_line, typed=lambda number: f"{number:04d}"),
        "seats": Column("Seats", clean_line),
        "tags": Column("Tags", listed(clean_line, 2)),
    },
    naming=frozenset({"name"}),
    named="the room's name",
    shown_only={"booked": "Booked today"},
    lacking=lacking,
    keys=keys,
)


def rows(text: str, order: DateOrder | None = None) -> list[ReadRow]:
    table = read_csv(text.encode(), Limits())
    return list(read_rows(LAYOUT, table, match_headings(LAYOUT, table.headings, {}), order))


def told(read: list[ReadRow]) -> list[tuple[int, str | None, str]]:
    return [(p.row, p.column, p.code) for row in read for p in row.problems]


def test_headings_are_known_by_field_heading_or_synonym_and_others_are_named() -> None:
    matched = match_headings(LAYOUT, ["ROOM", "in use since", "tags", "Colour", "", "Booked today"], {})
    assert matched.headings == {"name": "ROOM", "since_on": "in use since", "tags": "tags"}
    assert matched.notices == ("Left out, because no field goes by these names: 'Colour'.",)


@pytest.mark.parametrize(
    ("headings", "chosen", "words"),
    [
        (["Name", "Room"], {}, "Both 'Name' and 'Room'"),
        (["Colour"], {}, "No column gives the room's name"),
        (["Name"], {"Raum": "name"}, "no column headed 'Raum'"),
        (
            ["Name"],
            {"Name": "nome"},
            "'nome' is no field. Map to one of: name, since_on, code, seats, tags, or ignore.",
        ),
    ],
)
def test_headings_that_do_not_fit_are_refused(headings: list[str], chosen: dict[str, str], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        match_headings(LAYOUT, headings, chosen)


def test_the_callers_choice_goes_before_the_name() -> None:
    matched = match_headings(LAYOUT, ["Raum", "Name"], {"Raum": "name", "Name": "ignore"})
    assert matched.columns == ((0, "Raum", "name"),)


@pytest.mark.parametrize(
    ("written", "order", "day"),
    [
        ("2026-03-04", None, "2026-03-04"),
        ("2026-03-04T00:00:00Z", None, "2026-03-04"),
        ("04.03.2026", None, "2026-03-04"),
        ("04/03/2026", DateOrder.DAY_FIRST, "2026-03-04"),
        ("04/03/2026", DateOrder.MONTH_FIRST, "2026-04-03"),
        ("29.2.2024", None, "2024-02-29"),
    ],
)
def test_dates_are_read(written: str, order: DateOrder | None, day: str) -> None:
    assert rows(f"Name,Since\nAttic,{written}\n", order=order)[0].given["since_on"] == day


@pytest.mark.parametrize(
    "written",
    [
        "03/04/2026",
        "2025-02-29",
        "0000-00-00",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "1.1.26",
        "yesterday",
        "31.4.2026",
        "45000",
    ],
)
def test_dates_that_are_unclear_or_are_none_are_refused(written: str) -> None:
    assert told(rows(f"Name,Since\nAttic,{written}\n")) == [(2, "Since", "since_on_invalid")]


def test_a_row_that_an_unquoted_comma_has_moved_is_a_problem_and_blank_cells_at_its_end_are_none() -> None:
    read = rows('Name,Code\nAttic, left,A-1\n"Attic, right",A-2,,\n')
    assert told(read) == [(2, None, "cells_beyond_headings")]
    assert read[1].given == {"name": "Attic, right", "code": "A-2"}


def test_problems_of_cells_of_the_row_and_between_rows_are_all_reported() -> None:
    read = rows("Name,Since,Tags\nAttic,,a\nATTIC,,\n,never,a;b;c\n")
    assert told(read) == [
        (3, "Name", "name_repeated"),
        (4, "Since", "since_on_invalid"),
        (4, "Tags", "tags_invalid"),
        (4, None, "name_missing"),
    ]
    assert read[1].problems[0].detail == "Row 2 has the same name: 'attic'. Keep one of them."
    assert read[0].given == {"name": "Attic", "tags": ["a"]}


def test_an_error_of_a_spreadsheet_is_a_problem_and_a_guard_is_taken_off() -> None:
    read = rows("Name,Code\n'=Attic,#N/A\n'Attic,'x\n")
    assert [row.given for row in read] == [{"name": "=Attic"}, {"name": "'Attic", "code": "'x"}]
    assert told(read) == [(2, "Code", "code_invalid")]


def test_a_number_of_a_workbook_is_read_as_it_was_typed_or_as_its_column_wants_it() -> None:
    table = Table(("Name", "Code", "Seats"), [Row(2, (3, 7, 2.5)), Row(3, (True, None, 1e22))])
    first, second = read_rows(LAYOUT, table, match_headings(LAYOUT, table.headings, {}))
    assert first.given == {"name": "3", "code": "0007", "seats": "2.5"}
    assert second.given == {"name": "TRUE", "seats": "10000000000000000000000"}
    assert typed(0.1) == "0.1"
