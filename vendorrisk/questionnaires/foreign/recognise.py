"""The form of a workbook: recognised by sheet names, then by headings, then by the shape of ids.

The name of the file and the order of the sheets are no evidence: vendors rename files, and put sheets of their own
before all others.
"""

import re
from collections.abc import Iterator
from typing import Final

from vendorrisk.questionnaires.foreign.cells import id_of, line_of
from vendorrisk.questionnaires.foreign.headings import first_cells, plain, row_of_headings
from vendorrisk.questionnaires.foreign.outcome import Form, Recognised, RejectedWorkbookError, SheetStart, Unrecognised
from vendorrisk.sheets.books import Book, BookSheet

CAIQ4_HEADINGS: Final = {
    "id": r"question id",
    "question": r"question(?! id)",
    "answer": r"(csp )?(caiq )?answer",
    "ownership": r"(ssrm )?(control )?ownership",
    "note": r"(csp )?implementation description",
    "customer": r"csc responsibilities",
    "control": r"ccm control id",
    "domain": r"ccm domain title",
}
CAIQ_ID: Final = re.compile(r"[A-Z&]{2,4}-\d\d\.\d{1,2}")
EXPORT_HEADINGS: Final = {
    "section": r"section heading$",
    "control": r"control heading$",
    "control_text": r"control text$",
    "control_note": r"control comment$",
    "key": r"question identifier$",
    "id": r"question original identifier$",
    "question": r"question text$",
    "answer": r"question answer$",
    "note": r"question comment$",
}
_HECVAT4_SHEETS: Final = (
    "START HERE",
    "Organization",
    "Product",
    "Infrastructure",
    "IT Accessibility",
    "Case-Specific",
    "AI",
    "Privacy",
)
_CAIQ: Final = "consensus assessments initiative questionnaire"
_VERSION: Final = re.compile(r"\bv(?:ersion)?\.?\s*(\d+(?:\.\d+)+)", re.IGNORECASE)
_EXPECTED: Final = {
    (Form.CAIQ4, "", "4.0.2"): 261,
    (Form.CAIQ4, "", "4.0.3"): 261,
    (Form.CAIQ4, "", "4.1.0"): 283,
    (Form.CAIQ4, "", "4.1"): 283,
    (Form.CAIQ3, "", "3.0.1"): 295,
    (Form.CAIQ3, "", "3.1"): 309,
    (Form.HECVAT2, "full", "2.11"): 280,
    **{(Form.HECVAT3, "full", version): 255 for version in ("3.03", "3.04", "3.06")},
    **{(Form.HECVAT3, "lite", version): 94 for version in ("3.01", "3.04", "3.06")},
    (Form.HECVAT4, "", "4.1.4"): 331,
    (Form.HECVAT4, "", "4.1.5"): 331,
    (Form.K12CVAT, "", "4.1"): 76,
}
_LOOKED_FOR: Final = (
    "CAIQ 4: headings Question ID, Question, CSP CAIQ Answer",
    "CAIQ 3: the title CONSENSUS ASSESSMENTS INITIATIVE QUESTIONNAIRE v3, headings Question ID, Yes, No",
    "HECVAT 4: sheets START HERE and Organization, the heading Answer",
    "HECVAT 2 or 3, Full or Lite: a sheet HECVAT, the heading Vendor Answers, ids like DOCU-01",
    "K-12CVAT: a sheet CoSN K-12CVAT",
    "an export of a platform: headings Section Heading, Question Identifier, Question Text, Question Answer",
    "VSA: the title VSA Questionnaire",
    "CISO Assistant: a sheet library_meta",
)


def recognised(book: Book, sheet: str | None = None) -> Recognised | Unrecognised:
    """Return the form of a workbook. `sheet` is the caller's choice where two sheets fit.

    Raises `RejectedWorkbookError` for forms that are not read, and where two sheets fit.
    """
    forms = (_hecvat4, _caiq4, _caiq3, _caiq1, _hecvat, _export, _vsa, _library)
    found = next((form for find in forms if (form := find(book, sheet)) is not None), None)
    if found is None:
        return Unrecognised(_LOOKED_FOR, tuple(_starts(book)))
    if found.form is Form.CAIQ1:
        raise RejectedWorkbookError(
            "This is a CAIQ 1 of 2010 or 2011. It has no column of answers, and is not read. Ask for CAIQ 4."
        )
    return found


def _starts(book: Book) -> Iterator[SheetStart]:
    for sheet in book.sheets:
        number = min(sheet.rows, default=0)
        cells = [line_of(cell)[:100] for _, cell in sorted(sheet.rows.get(number, {}).items())][:20]
        yield SheetStart(sheet.name, number, tuple(cells))


def _known(form: Form, edition: str, version: str, sheets: tuple[str, ...]) -> Recognised:
    expected = _EXPECTED.get((form, edition, version))
    return Recognised(form=form, edition=edition, version=version, sheets=sheets, expected=expected)


def _one(fitting: list[BookSheet], sheet: str | None) -> BookSheet | None:
    """Return the sheet that fits. A visible one goes before hidden ones."""
    named = [one for one in fitting if one.name == sheet]
    fitting = named or [one for one in fitting if one.is_visible] or fitting
    if len(fitting) > 1:
        names = tuple(one.name for one in fitting)
        raise RejectedWorkbookError(f"{len(fitting)} sheets have the same form. Name the one to read.", names)
    return fitting[0] if fitting else None


def _version(sheet: BookSheet, *more: str) -> str:
    texts = (*first_cells(sheet, 3, 9), sheet.name, *more)
    return next((found[1] for text in texts if (found := _VERSION.search(text))), "")


def _caiq4(book: Book, sheet: str | None) -> Recognised | None:
    needed = frozenset({"id", "question", "answer"})
    fitting = [
        one for one in book.sheets if (head := row_of_headings(one, CAIQ4_HEADINGS, needed)) and _asks(one, head)
    ]
    one = _one(fitting, sheet)
    return None if one is None else _known(Form.CAIQ4, "", _version(one), (one.name,))


def _asks(sheet: BookSheet, head: tuple[int, dict[str, int]]) -> bool:
    """Return True if ids of the form stand under the heading."""
    number, columns = head
    return any(
        at > number and CAIQ_ID.fullmatch(id_of(row.get(columns["id"]))) is not None for at, row in sheet.rows.items()
    )


def _caiq3(book: Book, sheet: str | None) -> Recognised | None:
    headings = {"id": r"question id", "control": r"control id"}
    fitting = [
        one
        for one in book.sheets
        if (any(_CAIQ in plain(text) for text in first_cells(one, 3)) or "caiq v3" in plain(one.name))
        and row_of_headings(one, headings, most_rows=10)
    ]
    one = _one(fitting, sheet)
    return None if one is None else _known(Form.CAIQ3, "", _version(one), (one.name,))


def _caiq1(book: Book, _sheet: str | None) -> Recognised | None:
    headings = {"group": r"cgid$", "id": r"cid$"}
    fitting = [
        one
        for one in book.sheets
        if plain(one.name).startswith("csa-cai") or row_of_headings(one, headings, most_rows=5)
    ]
    return _known(Form.CAIQ1, "", "1", (fitting[0].name,)) if fitting else None


def _hecvat4(book: Book, _sheet: str | None) -> Recognised | None:
    names = {plain(one.name): one for one in book.sheets}
    start = names.get("start here")
    if start is None or "organization" not in names:
        return None
    if not any(plain(text).startswith("hecvat") for text in first_cells(start, 4, 1)):
        return None
    sheets = tuple(names[plain(name)].name for name in _HECVAT4_SHEETS if plain(name) in names)
    return _known(Form.HECVAT4, "", _version(start), sheets)


def _hecvat(book: Book, sheet: str | None) -> Recognised | None:
    fitting = [one for one in book.sheets if _is_hecvat(one)]
    one = _one(fitting, sheet)
    if one is None:
        return None
    version, head = _version(one), plain(" ".join((one.name, *first_cells(one, 3))))
    if "k-12cvat" in head or "k12cvat" in head:
        return _known(Form.K12CVAT, "", version, (one.name,))
    prefixes = {id_of(row.get(1))[:4] for row in one.rows.values() if isinstance(row.get(1), str)}
    edition = "lite" if "lite" in head or ("HLAA" in prefixes and "QUAL" not in prefixes) else "full"
    return _known(Form.HECVAT2 if version.startswith("2") else Form.HECVAT3, edition, version, (one.name,))


def _is_hecvat(sheet: BookSheet) -> bool:
    needed = {"answer": r"vendor answers", "note": r"additional info"}
    if row_of_headings(sheet, needed, most_rows=60) is None:
        return False
    ids = sum(bool(re.fullmatch(r"[A-Z]{4}-\d\d", id_of(row.get(1)))) for row in sheet.rows.values() if row.get(1))
    return ids >= 3  # noqa: PLR2004 - fewer are a legend


def _export(book: Book, sheet: str | None) -> Recognised | None:
    needed = frozenset({"id", "question", "answer"})
    one = _one([one for one in book.sheets if row_of_headings(one, EXPORT_HEADINGS, needed, most_rows=10)], sheet)
    return None if one is None else _known(Form.PLATFORM_EXPORT, "", "", (one.name,))


def _vsa(book: Book, _sheet: str | None) -> Recognised | None:
    for one in book.sheets:
        title = next((text for text in first_cells(one) if plain(text).startswith("vsa questionnaire")), "")
        if title:
            others = tuple(other.name for other in book.sheets if other is not one and other.is_visible)
            year = re.search(r"\b20\d\d\b", title)
            return _known(Form.VSA, "", year[0] if year else "", others)
    return None


def _library(book: Book, _sheet: str | None) -> Recognised | None:
    for one in book.sheets:
        if one.name == "library_meta" and [line_of(one.cell(1, at)) for at in (1, 2)] == ["type", "library"]:
            version = next((line_of(row.get(2)) for row in one.rows.values() if row.get(1) == "version"), "")
            return _known(Form.LIBRARY, "", version, tuple(other.name for other in book.sheets))
    return None
