"""Files that are written: no cell runs, nothing is lost, and every cell reads back as it was."""

import csv
import io
import re
import threading
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vendorrisk.sheets import writing
from vendorrisk.sheets.formulas import guarded, unguarded
from vendorrisk.sheets.reading import FileFormat, Limits, read_csv, read_workbook
from vendorrisk.sheets.writing import Heading, as_file, csv_piece

pytestmark = pytest.mark.anyio

ROWS: list[list[Any]] = [
    ["=1+1", 7, None, date(2026, 3, 4), Decimal("125000.50")],
    ['Größe; "x"', None, "line\nend", None, Decimal("123456789012.5000")],
]


async def written(file_format: FileFormat, heading: Heading, rows: list[list[Any]]) -> bytes:
    async def batches() -> AsyncIterator[Any]:
        for row in rows:
            yield [row]

    return b"".join([piece async for piece in as_file(file_format, heading, batches())])


PIECES = st.text(alphabet="'\"=+-@x;,|\t\r\n \uff1d", max_size=12)


def cells_as(text: str, delimiter: str) -> list[str]:
    """Return the cells that a program with this list separator sees, whether or not it minds quotes."""
    minding = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]
    careless = [cell.strip('" ') for line in re.split(r"[\r\n]+", text) for cell in line.split(delimiter)]
    return [*minding, *careless]


@given(st.lists(PIECES, min_size=1, max_size=4))
@example(["Globex", "Acme;=1+1;x"])
@example(["Globex", "a description\n=1+1"])
@example(["Globex", 'Acme"\t"=1+1'])
def test_no_list_separator_makes_a_cell_of_an_export_a_formula(cells: list[str]) -> None:
    written = csv_piece([cells]).decode()
    for delimiter in ",;\t|":
        assert [cell for cell in cells_as(written, delimiter) if cell.lstrip(' "')[:1] in {*"=+-@\uff1d"}] == []
    assert [unguarded(cell) for row in csv.reader(io.StringIO(written, newline="")) for cell in row] == cells


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'=1", "''=1", "\uff1d1", "\r=1"])
def test_no_cell_of_an_export_can_be_taken_for_a_formula(text: str) -> None:
    written = csv_piece([[text]]).decode()
    assert written.lstrip('"').startswith("'")


def test_ordinary_text_is_not_touched() -> None:
    assert guarded("Acme = good") == "Acme = good"
    assert guarded("'t Hooft") == "'t Hooft"


@given(st.text(min_size=1) | st.text(alphabet="'=+-@x", min_size=1))
def test_the_guard_is_taken_off_as_it_was_put_on(text: str) -> None:
    assert unguarded(guarded(text)) == text


async def test_rows_are_written_under_the_headings_that_are_handed_in() -> None:
    heading = Heading("Rooms", ("Name", "Seats", "Note", "Since", "Rent"))
    table = read_csv(await written(FileFormat.CSV, heading, ROWS), Limits())
    assert table.headings == heading.columns
    assert [row.cells for row in table.rows] == [
        ("'=1+1", "7", None, "2026-03-04", "125000.50"),
        ('Größe; "x"', None, "line\nend", None, "123456789012.50"),
    ]
    book = read_workbook(await written(FileFormat.XLSX, heading, ROWS), Limits())
    assert (book.headings, book.notices) == (heading.columns, ())
    # A float would not hold the second amount to its last digit: it is written as text.
    assert [row.cells for row in book.rows] == [
        ("=1+1", 7, None, "2026-03-04", 125000.5),
        ('Größe; "x"', None, "line\nend", None, "123456789012.50"),
    ]


async def test_a_file_without_rows_has_its_headings() -> None:
    for file_format, read in ((FileFormat.CSV, read_csv), (FileFormat.XLSX, read_workbook)):
        table = read(await written(file_format, Heading("Rooms", ("Name",)), []), Limits())
        assert (table.headings, table.rows) == (("Name",), [])


@pytest.mark.parametrize("file_format", FileFormat)
async def test_no_row_is_written_on_the_event_loop(file_format: FileFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()

    def noted(function: Any) -> Any:
        def note(*arguments: Any) -> Any:
            threads.add(threading.get_ident())
            return function(*arguments)

        return note

    for name in ("_plain", "_put"):
        monkeypatch.setattr(writing, name, noted(getattr(writing, name)))
    await written(file_format, Heading("Rooms", ()), ROWS)
    assert threads
    assert threading.get_ident() not in threads
