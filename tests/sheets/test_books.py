"""All sheets of a workbook are read within bounds, with what other readers drop."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from vendorrisk.sheets.books import open_book
from vendorrisk.sheets.errors import UnreadableError


def saved(book: Workbook) -> bytes:
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def changed(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(kept, "w") as out:
        for part in archive.namelist():
            body = archive.read(part)
            if part == name:
                assert old in body
                body = body.replace(old, new, 1)
            out.writestr(part, body)
    return kept.getvalue()


def two_sheets() -> Workbook:
    book = Workbook()
    book.active["B2"] = "here"
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "veryHidden"
    hidden["C3"] = "there"
    return book


def test_hidden_sheets_are_read_and_places_count_from_one() -> None:
    book = open_book(saved(two_sheets()))
    assert [(sheet.name, sheet.is_visible) for sheet in book.sheets] == [("Sheet", True), ("Hidden", False)]
    assert (book.sheets[0].cell(2, 2), book.sheets[1].cell(3, 3), book.sheets[1].cell(1, 1)) == ("here", "there", None)


def test_a_declared_size_costs_nothing() -> None:
    content = changed(
        saved(two_sheets()), "xl/worksheets/sheet1.xml", b'<dimension ref="B2:B2"', b'<dimension ref="A1:IY1048576"'
    )
    assert open_book(content).sheets[0].rows == {2: {2: "here"}}


def test_a_stray_cell_far_away_leaves_its_sheet_out_and_names_it() -> None:
    book = two_sheets()
    book["Hidden"].cell(1_048_576, 259, "stray")
    found = open_book(saved(book))
    assert [sheet.name for sheet in found.sheets] == ["Sheet"]
    assert "row 1,048,576, column 259" in found.notices[-1]


def test_a_list_of_choices_in_the_extension_is_found() -> None:
    extension = (
        b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" '
        b'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main">'
        b'<x14:dataValidations count="1" xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main">'
        b"<x14:dataValidation type=\"list\"><x14:formula1><xm:f>'Auto Responses'!$J$3:$J$4</xm:f></x14:formula1>"
        b"<xm:sqref>C5 C7:C9</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>"
    )
    content = changed(saved(two_sheets()), "xl/worksheets/sheet1.xml", b"</worksheet>", extension)
    (choices,) = open_book(content).sheets[0].lists
    assert choices.formula == "'Auto Responses'!$J$3:$J$4"
    assert [row for row in range(1, 11) if choices.covers(row, 3)] == [5, 7, 8, 9]


def test_a_formula_without_a_stored_value_is_counted() -> None:
    book = two_sheets()
    book.active["A1"] = "=1+1"
    sheet = open_book(saved(book)).sheets[0]
    assert (sheet.unstored, list(sheet.formulas)) == (1, [(1, 1)])


def test_macros_and_document_types_are_refused() -> None:
    kept = io.BytesIO(saved(two_sheets()))
    with zipfile.ZipFile(kept, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")
    with pytest.raises(UnreadableError, match="macros"):
        open_book(kept.getvalue())
    bomb = b'<!DOCTYPE a [<!ENTITY a "a">]><worksheet'
    with pytest.raises(UnreadableError):
        open_book(changed(saved(two_sheets()), "xl/worksheets/sheet1.xml", b"<worksheet", bomb))
