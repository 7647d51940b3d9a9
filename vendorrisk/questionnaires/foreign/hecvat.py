"""EDUCAUSE HECVAT Full and Lite 2 and 3, HECVAT 4, and CoSN K-12CVAT.

Ids stand in column A, and the title row of a section repeats the headings. The answer stands under `Vendor Answers`
(HECVAT 4: `Answer`), the vendor's words under `Additional Information`. Guidance and the analyst's notes are formulas
that change with the answer, and are not read.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from vendorrisk.questionnaires.content import Option, QuestionKind, Stance
from vendorrisk.questionnaires.foreign.cells import day_of, id_of, is_not_applicable, line_of, text_of
from vendorrisk.questionnaires.foreign.choice_lists import choices_of
from vendorrisk.questionnaires.foreign.contents import NO_YES, YES_NO, Asked, chosen, options_from
from vendorrisk.questionnaires.foreign.headings import plain
from vendorrisk.questionnaires.foreign.hecvat_gates import gated
from vendorrisk.questionnaires.foreign.hecvat_weights import Weighing, weighings
from vendorrisk.questionnaires.foreign.outcome import Form, OddCell, ReadAnswer, Recognised
from vendorrisk.questionnaires.foreign.twins import Twins
from vendorrisk.sheets.book_parts import name_of
from vendorrisk.sheets.books import Book, BookSheet

ID: Final = re.compile(r"[A-Z]{4}-\d\d")
_REPEATED: Final = ("GNRL-", "REQU-", "DATE-")  # HECVAT 4 repeats them on each sheet by formulas
_INSTITUTIONS: Final = frozenset({"GNRL-11", "GNRL-12"})
_PLACEHOLDERS: Final = re.compile(r"\(.*\)|<.*>|\[.*\]")
_ANSWER, _NOTE = 3, 4


class HecvatReading:
    """The questions and answers of all answer sheets."""

    def __init__(self, book: Book, recognised: Recognised) -> None:
        self.recognised = recognised
        self._book = book
        self._sheets = [sheet for name in recognised.sheets for sheet in book.sheets if sheet.name == name]
        self._weighings = weighings(book)
        self._has_lists = any(sheet.lists for sheet in self._sheets)
        self.asked: list[Asked] = []
        self.answers: list[ReadAnswer] = []
        self.odd: list[OddCell] = []
        self.twins = Twins()

    def read(self) -> None:
        """Read all answer sheets in the form's order."""
        for at, sheet in enumerate(self._sheets):
            is_first = at == 0
            for number, name, section in self._rows(sheet):
                if not is_first and name.startswith(_REPEATED):
                    continue
                one = self._one(sheet, number, name, section)
                answer = self._answer(sheet, one)
                if self.twins.is_new(one, _ANSWER, answer):
                    self.asked.append(one)
                    self.answers += [answer] if answer else []
        self.asked = gated(self.asked, self.recognised.form)

    def _rows(self, sheet: BookSheet) -> Iterator[tuple[int, str, str]]:
        """Yield row, id and section of each question, down to the line of copyright."""
        section = ""
        has_begun = False
        for number in sorted(sheet.rows):
            row = sheet.rows[number]
            name, answer = id_of(row.get(1)), plain(line_of(row.get(_ANSWER)))
            if ID.fullmatch(name):
                has_begun = True
                yield number, name, section
            elif name and (number, 1) not in sheet.errors:
                title = line_of(row.get(1))
                if has_begun and ("©" in title or plain(title).startswith("copyright")):
                    return
                section = title if answer in {"answer", "vendor answers"} else section

    def _one(self, sheet: BookSheet, number: int, name: str, section: str) -> Asked:
        text = text_of(sheet.cell(number, 2)) or name
        weighing = self._weighings.get(name, Weighing())
        kind, options, takes = self._form_of(sheet, number, name, weighing)
        weight = weighing.weight or 0
        if kind is QuestionKind.SINGLE and not any(option.credit for option in options or ()):
            weight = 0
        if kind is QuestionKind.DATE or (kind is QuestionKind.TEXT and weighing.preferred is None and not weight):
            weight = 0
        return Asked(
            id=name,
            text=text,
            section=section or name.partition("-")[0],
            sheet=sheet.name,
            row=number,
            kind=kind,
            options=options,
            weight=weight,
            takes_not_applicable=takes,
        )

    def _form_of(
        self, sheet: BookSheet, number: int, name: str, weighing: Weighing
    ) -> tuple[QuestionKind, tuple[Option, ...] | None, bool]:
        if name.startswith("DATE-"):
            return QuestionKind.DATE, None, False
        choices = choices_of(self._book, sheet, number, _ANSWER)
        if not choices and self._is_yes_no(sheet, number, name, weighing):
            choices = ("Yes", "No")
        options, takes = options_from(choices)
        if not options:
            return QuestionKind.TEXT, None, False
        if {option.key for option in options} == {"yes", "no"}:
            return QuestionKind.YES_NO, NO_YES if weighing.preferred == "no" else YES_NO, takes
        preferred = weighing.preferred
        weighed = tuple(
            Option(key=option.key, label=option.label, credit=1000 if option.key == preferred else 0)
            for option in options
        )
        return QuestionKind.SINGLE, weighed, takes

    def _is_yes_no(self, sheet: BookSheet, number: int, name: str, weighing: Weighing) -> bool:
        """Tell a yes/no question without a list: programs that drop lists leave weights and merged cells."""
        if name.startswith("GNRL-") or _is_merged(sheet, number):
            return False
        return weighing.preferred is not None or not (self._has_lists or self._weighings)

    def _answer(self, sheet: BookSheet, one: Asked) -> ReadAnswer | None:
        cell, note = sheet.cell(one.row, _ANSWER), text_of(sheet.cell(one.row, _NOTE))
        words = text_of(cell)
        if one.id in _INSTITUTIONS and self.recognised.form in {Form.HECVAT2, Form.K12CVAT}:
            return None  # the institution's to fill in
        if one.kind is QuestionKind.TEXT and _is_merged(sheet, one.row):
            note = ""
        if (one.row, _ANSWER) in sheet.errors:
            self._note_odd(one, "an answer", "a cell with an error")
            words = ""
        if not words and not note:
            return None
        stance, value = self._stance(sheet, one, words)
        if words and stance is None:
            self._note_odd(one, self._expected(one), words)
            note = f"{words}\n\n{note}" if note else words
        at = name_of(one.row, _ANSWER)
        return ReadAnswer(question=one.id, stance=stance, value=value, words=words, note=note, sheet=one.sheet, cell=at)

    def _stance(self, sheet: BookSheet, one: Asked, words: str) -> tuple[Stance | None, str | None]:
        if not words:
            return None, None
        if one.kind is QuestionKind.TEXT:
            return Stance.ANSWERED, words
        if one.kind is QuestionKind.DATE:
            day: date | None = day_of(sheet.cell(one.row, _ANSWER), from_1904=self._book.from_1904)
            return (Stance.ANSWERED, day.isoformat()) if day else (None, None)
        if key := chosen(words, one.options or ()):
            return Stance.ANSWERED, key
        return (Stance.NOT_APPLICABLE, None) if is_not_applicable(words) and one.takes_not_applicable else (None, None)

    def _expected(self, one: Asked) -> str:
        if one.kind is QuestionKind.DATE:
            return "a date, such as 2026-06-30"
        labels = [label for option in one.options or () for label in option.label.values()]
        return ", ".join((*labels, *(("N/A",) if one.takes_not_applicable else ())))

    def _note_odd(self, one: Asked, expected: str, found: str) -> None:
        self.odd.append(OddCell(one.sheet, name_of(one.row, _ANSWER), expected, found[:500]))


def _is_merged(sheet: BookSheet, number: int) -> bool:
    return any(first == (number, _ANSWER) and last[1] >= _NOTE for first, last in sheet.merged if first[0] == number)
