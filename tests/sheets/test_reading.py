"""Files as spreadsheet programs make them, and files made to do harm."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sheets import make
from vendorrisk.sheets.reading import Limits, Row, Table, UnreadableError, is_workbook, read_csv, read_workbook

SMALL = Limits(rows=3, columns=4, cell_characters=20, unpacked_bytes=200_000, parts=30)


def read(text: str, encoding: str = "utf-8", limits: Limits = Limits()) -> Table:  # noqa: B008 - frozen
    return read_csv(text.encode(encoding), limits)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
def test_csv_is_read_in_the_encodings_that_programs_write(encoding: str) -> None:
    table = read("Name,Country\nMüller & Söhne,DE\n", encoding)
    assert table.headings == ("Name", "Country")
    assert table.rows == [Row(2, ("Müller & Söhne", "DE"))]
    assert bool(table.notices) == (encoding == "cp1252")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(mark: str) -> None:
    table = read(f"Name{mark}Notes\nAcme{mark}one, two; three\nGlobex{mark}four\n".replace("one, two; three", "plain"))
    assert table.headings == ("Name", "Notes")


def test_commas_inside_semicolon_cells_do_not_mislead() -> None:
    table = read("Name;Tags\nAcme;a, b, c\nGlobex;a, b, c\nInitech, Inc.;d, e, f\n")
    assert table.rows[2].cells == ("Initech, Inc.", "d, e, f")


def test_the_separator_line_of_excel_is_obeyed() -> None:
    assert read("sep=;\r\nName;A,B\r\nAcme;1,2\r\n").rows == [Row(2, ("Acme", "1,2"))]


def test_one_column_without_any_delimiter_is_a_table() -> None:
    assert read("Name\nAcme\nGlobex\n").rows == [Row(2, ("Acme",)), Row(3, ("Globex",))]


def test_quoted_cells_hold_line_ends_and_rows_are_counted_as_the_program_shows_them() -> None:
    table = read('Name,Notes\n"Acme","one\ntwo"\n\nGlobex,""\n')
    assert table.rows == [Row(2, ("Acme", "one\ntwo")), Row(4, ("Globex", None))]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n", b" , ,\n,,", "".encode("utf-16")])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError, match="empty"):
        read_csv(content, Limits())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'Name\n"Acme', "quote"),
        (b'Name\n"Ac"me\n', "quote"),
        (b"Name\nAc\x00me\n", "not a text file"),
        (b"Name\nAc\x81me\n", "Byte 8"),
        (b"\xff\xfeN\x00a", None),
        (b"\xff\xfeN\x00a\x00m", "UTF-16"),
        (b"N" * 200_000, None),
        (b"Name\n" + b"x" * 200_000, "characters"),
    ],
)
def test_a_broken_file_is_refused_with_what_to_do(content: bytes, words: str | None) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_csv(content, Limits())
    assert words is None or words in str(caught.value)


@pytest.mark.parametrize(
    "content",
    ["a,b,c,d,e\n", "Name\n1\n2\n3\n4\n", "Name\n" + "x" * 21 + "\n", "," * 1_000_000],
    ids=["columns", "rows", "cell", "a million columns"],
)
def test_what_is_beyond_the_limits_is_refused(content: str) -> None:
    with pytest.raises(UnreadableError):
        read(content, limits=SMALL)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused_in_words(content: bytes) -> None:
    try:
        told = "." if read_csv(content, SMALL).headings else "no headings"
    except UnreadableError as refused:
        told = str(refused)
    assert told.endswith(".")


@given(st.binary(max_size=300))
def test_any_bytes_after_the_start_of_an_archive_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_workbook(b"PK\x03\x04" + content, SMALL)


@pytest.mark.parametrize("from_1904", [False, True])
def test_a_workbook_gives_typed_cells_in_either_date_system(*, from_1904: bool) -> None:
    content = make.workbook(
        [
            ["Name", "Reviewed", "Spend", "Count", "Seen"],
            ["Acme", date(2026, 3, 1), 12.5, 7, datetime(2026, 3, 1, 12, 30)],  # noqa: DTZ001 - a workbook knows no zone
        ],
        from_1904=from_1904,
    )
    assert is_workbook(content)
    assert read_workbook(content, Limits()).rows == [Row(2, ("Acme", "2026-03-01", 12.5, 7, "2026-03-01 12:30:00"))]


@pytest.mark.parametrize(("top", "left"), [(1, 1), (2, 1), (5, 3), (1, 4)])
def test_rows_are_numbered_as_shown_wherever_the_table_begins(top: int, left: int) -> None:
    def fill(book: Any) -> None:
        book.active.cell(top, left, "Name")
        book.active.cell(top + 2, left, "Acme")

    table = read_workbook(make.workbook([], change=fill), Limits())
    assert (table.headings[left - 1], table.rows) == ("Name", [Row(top + 2, (None,) * (left - 1) + ("Acme",))])


def test_a_formula_is_not_evaluated() -> None:
    table = read_workbook(make.workbook([["Name", "X"], ["Acme", "=1+1"]]), Limits())
    assert table.rows == [Row(2, ("Acme", None))]


def test_the_first_visible_sheet_is_read_and_it_is_said_so() -> None:
    def hide(book: Any) -> None:
        book.active.sheet_state = "hidden"
        book.create_sheet("Vendors").append(["Name"])
        book.create_sheet("Other").append(["Nothing"])

    table = read_workbook(make.workbook([["Secret"]], change=hide), Limits())
    assert table.headings == ("Name",)
    assert "'Vendors'" in table.notices[-1]


def test_merged_cells_are_read_once_and_it_is_said_so() -> None:
    def merge(book: Any) -> None:
        book.active.merge_cells("B2:B3")

    table = read_workbook(
        make.workbook([["Name", "Country"], ["Acme", "DE"], ["Globex", None]], change=merge), Limits()
    )
    assert table.rows == [Row(2, ("Acme", "DE")), Row(3, ("Globex", None))]
    assert table.notices == ("The worksheet has merged cells. Each was read as its first cell, the others as blank.",)


def test_macros_and_links_are_left_alone_and_mentioned() -> None:
    content = make.with_part(make.workbook([["Name"], ["Acme"]]), "xl/vbaProject.bin", b"\x00")
    content = make.with_part(content, "xl/externalLinks/externalLink1.xml", b"<x/>")
    table = read_workbook(content, Limits())
    assert [row.cells for row in table.rows] == [("Acme",)]
    assert "macros" in table.notices[0]
    assert "links" in table.notices[1]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    content = make.with_part(make.workbook([["Name"]]), "xl/media/x.bin", b"\x00" * 300_000)
    assert len(content) < 20_000
    with pytest.raises(UnreadableError, match="unpacks"):
        read_workbook(content, SMALL)


def test_thousands_of_parts_are_refused() -> None:
    content = make.workbook([["Name"]])
    for number in range(30):
        content = make.with_part(content, f"xl/x{number}", b"")
    with pytest.raises(UnreadableError, match="unpacks"):
        read_workbook(content, SMALL)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_refused(share: float) -> None:
    content = make.workbook([["Name"], ["Acme"]])
    with pytest.raises(UnreadableError, match="cut short or damaged"):
        read_workbook(content[: int(len(content) * share)], Limits())


def test_a_damaged_part_is_refused() -> None:
    content = bytearray(make.workbook([["Name"], ["Acme"]]))
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    content[at : at + 20] = b"\xff" * 20
    with pytest.raises(UnreadableError):
        read_workbook(bytes(content), Limits())


def test_other_archives_and_old_formats_are_named() -> None:
    with pytest.raises(UnreadableError, match="not an XLSX"):
        read_workbook(make.with_part(b"", "a.txt", b"x"), Limits())
    with pytest.raises(UnreadableError, match="password"):
        is_workbook(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest")
    assert not is_workbook(b"Name\nAcme\n")


def test_an_error_of_a_workbook_is_read_as_it_is_shown_and_never_as_a_blank() -> None:
    content = make.workbook([["Name", "Tier", "Spend"], ["Acme", "#N/A", 5], [None, None, None], ["#REF!", "low", 6]])
    table = read_workbook(content, Limits())
    assert table.rows == [Row(2, ("Acme", "#N/A", 5)), Row(4, ("#REF!", "low", 6))]


def test_errors_are_found_on_the_sheet_that_is_read_wherever_it_lies_and_begins() -> None:
    def change(book: Any) -> None:
        book.create_sheet("Hidden", 0).append(["#N/A", "#N/A"])
        book.worksheets[0].sheet_state = "hidden"
        sheet = book.worksheets[1]
        sheet["C3"], sheet["D3"], sheet["C4"], sheet["D4"] = "Name", "Tier", "Acme", "#DIV/0!"

    table = read_workbook(make.workbook([], change=change), Limits())
    assert (table.headings, table.rows) == (("", "", "Name", "Tier"), [Row(4, (None, None, "Acme", "#DIV/0!"))])


SHEET = "xl/worksheets/sheet1.xml"


def replaced(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, change(old.read(part)) if part == name else old.read(part))
    return kept.getvalue()


def test_errors_are_found_where_rows_and_cells_do_not_say_where_they_are() -> None:
    content = make.workbook([["Name", "Tier"], ["Acme", "#N/A"]])
    bare = replaced(content, SHEET, lambda xml: re.sub(rb' r="[A-Z]*[0-9]+"', b"", xml))
    assert bare != content
    assert read_workbook(bare, Limits()).rows == [Row(2, ("Acme", "#N/A"))]


def test_errors_that_cannot_be_found_refuse_the_file() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    content = replaced(make.workbook([["Name", "Tier"], ["Acme", "#N/A"]]), SHEET, lambda xml: bomb + xml)
    with pytest.raises(UnreadableError, match="Cells hold errors such as #N/A"):
        read_workbook(content, Limits())
