"""An id that a workbook has twice. Equal answers are one. Answers that differ are reported with both cells."""

from vendorrisk.questionnaires.foreign.contents import Asked
from vendorrisk.questionnaires.foreign.outcome import OddCell, ReadAnswer
from vendorrisk.sheets.book_parts import name_of


class Twins:
    """Remembers each id with its first cell and answer."""

    def __init__(self) -> None:
        self.odd: list[OddCell] = []
        self._first: dict[str, tuple[str, str, str]] = {}

    def is_new(self, one: Asked, column: int, answer: ReadAnswer | None) -> bool:
        """Return True for the first of an id. A later one that answers otherwise is noted."""
        said = answer.words if answer else ""
        cell = answer.cell if answer else name_of(one.row, column)
        if one.id not in self._first:
            self._first[one.id] = (one.sheet, cell, said)
            return True
        sheet, first, before = self._first[one.id]
        if said != before:
            expected = f"{one.id} once, or the answer of {sheet}!{first}: {before[:200] or 'blank'}"
            self.odd.append(OddCell(one.sheet, cell, expected, said[:500] or "blank"))
        return False
