"""Weights and compliant answers of a HECVAT, from the hidden sheet `Questions` of the user's own copy."""

from typing import Final

import msgspec

from vendorrisk.questionnaires.foreign.cells import id_of, line_of
from vendorrisk.questionnaires.foreign.headings import plain, row_of_headings
from vendorrisk.sheets.books import Book

_QUESTIONS: Final = {
    "id": r"(new )?id$",
    "weight": r"default weight",
    "preferred": r"compliant response",
    "answer": r"c_answer",
}
_REPORT: Final = {"id": r"id$", "preferred": r"preferred response", "weight": r"default weight"}
_MOST_WEIGHT: Final = 1000


class Weighing(msgspec.Struct, frozen=True):
    """`preferred` is yes, no, or None where no answer is the better one."""

    weight: int | None = None
    preferred: str | None = None


def weighings(book: Book) -> dict[str, Weighing]:
    """Return the weighing of each id that the workbook's own sheets name."""
    found: dict[str, Weighing] = {}
    for sheet in book.sheets:
        headings = _QUESTIONS if plain(sheet.name) == "questions" else _REPORT
        head = row_of_headings(sheet, headings, frozenset({"id", "weight"}), most_rows=80)
        if head is None:
            continue
        number, columns = head
        for at in sorted(sheet.rows):
            name = id_of(sheet.rows[at].get(columns["id"]))
            if at > number and name:
                row = sheet.rows[at]
                preferred = row.get(columns.get("preferred", 0)) or row.get(columns.get("answer", 0))
                before = found.get(name, Weighing())
                weight = before.weight if before.weight is not None else _weight(row.get(columns["weight"]))
                found[name] = Weighing(weight, before.preferred or _preferred(line_of(preferred)))
    return found


def _weight(cell: object) -> int | None:
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not 0 <= cell <= _MOST_WEIGHT:
        return None
    return round(cell)


def _preferred(words: str) -> str | None:
    return plain(words) if plain(words) in {"yes", "no"} else None
