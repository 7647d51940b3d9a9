"""Cells are filled in the XML as any program may have written it."""

import io
import zipfile

import pytest
from python_calamine import load_workbook

from tests.sheets.make import workbook
from vendorrisk.sheets.patching import Fill, UnfillableError, patched

_SHEET = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>'
    b'<x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="C1" s="0"/></x:row>'
    b"<x:row><x:c><x:v>5</x:v></x:c><x:c/><x:c><x:v>7</x:v></x:c></x:row>"
    b'<x:row r="3"><x:c r="A3"><x:f>1+1</x:f><x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>'
)


def with_sheet(body: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([["a"]]))) as archive, zipfile.ZipFile(kept, "w") as out:
        for name in archive.namelist():
            out.writestr(name, body if name == "xl/worksheets/sheet1.xml" else archive.read(name))
    return kept.getvalue()


def test_cells_that_are_empty_missing_or_without_a_place_are_filled() -> None:
    fills = [
        *(Fill("Sheet", "B1", "=b<1>"), Fill("Sheet", "C1", "c\x01"), Fill("Sheet", "D1", "d")),
        *(Fill("Sheet", "B2", "two"), Fill("Sheet", "D2", "last")),
    ]
    sheet = load_workbook(io.BytesIO(patched(with_sheet(_SHEET), fills))).get_sheet_by_name("Sheet")
    assert sheet.to_python()[:2] == [[1.0, "=b<1>", "c\ufffd", "d"], [5.0, "two", 7.0, "last"]]


@pytest.mark.parametrize(
    ("fill", "reason"),
    [
        (Fill("Sheet", "B9", "x"), "no row 9"),
        (Fill("Sheet", "A3", "x"), "holds a formula"),
        (Fill("Other", "A1", "x"), "no sheet 'Other'"),
        (Fill("Sheet", "A1", "x" * 32_768), "at most 32,767"),
    ],
)
def test_a_cell_that_cannot_be_filled_is_named(fill: Fill, reason: str) -> None:
    with pytest.raises(UnfillableError, match=reason):
        patched(with_sheet(_SHEET), [fill])


def test_bytes_outside_the_filled_cell_stay() -> None:
    content = with_sheet(_SHEET)
    with zipfile.ZipFile(io.BytesIO(patched(content, [Fill("Sheet", "C1", "new")]))) as archive:
        body = archive.read("xl/worksheets/sheet1.xml")
    new = b'<x:c r="C1" s="0" t="inlineStr"><x:is><x:t xml:space="preserve">new</x:t></x:is></x:c>'
    assert body == _SHEET.replace(b'<x:c r="C1" s="0"/>', new)
