"""Any sheet, with a mapping of its columns: key, question, section, answer, note, not applicable, options.

The mapping is the caller's. `proposed` finds one by the usual headings.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import QuestionKind, Stance
from vendorrisk.questionnaires.foreign.cells import id_of, is_not_applicable, line_of, text_of
from vendorrisk.questionnaires.foreign.contents import YES_NO, Asked, chosen, options_from
from vendorrisk.questionnaires.foreign.headings import plain, row_of_headings
from vendorrisk.questionnaires.foreign.outcome import OddCell, ReadAnswer, RejectedWorkbookError
from vendorrisk.questionnaires.foreign.twins import Twins
from vendorrisk.sheets.book_parts import name_of
from vendorrisk.sheets.books import Book, BookSheet

USUAL_HEADINGS: Final = {
    "key": r"((question|control)[ _]?(original )?(id|identifier|ref|no\.?|number|#)|id|ref|reference|#)$",
    "question": r"question([ _]text)?$|requirement$",
    "answer": r"((vendor|csp|your|question)[ _])?(answers?|responses?)$",
    "note": r"comments?|notes?|explanation|additional information|(question|vendor) comments?",
    "section": r"(section|domain|category|area|topic)([ _](heading|name|title))?$",
    "options": r"(answer[ _])?options$|choices$",
    "not_applicable": r"n/?a$|not applicable",
}
_SPLIT: Final = re.compile(r"[\n;|]")
_SKIPPED: Final = frozenset({"skipped", "not asked"})
_NOT_GIVEN: Final = ("document not uploaded",)


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column holds what. Columns count from 1. `head_row` is the row of headings, and data follow it."""

    sheet: str
    head_row: int
    question: int
    key: int | None = None
    section: int | None = None
    answer: int | None = None
    note: int | None = None
    not_applicable: int | None = None
    options: int | None = None


def proposed(book: Book) -> Mapping | None:
    """Return the mapping that the usual headings give, of the visible sheet with most rows. None: there is none."""
    found = [
        (len(sheet.rows), sheet, head)
        for sheet in book.sheets
        if sheet.is_visible and (head := row_of_headings(sheet, USUAL_HEADINGS, frozenset({"question", "answer"})))
    ]
    if not found:
        return None
    _, sheet, (number, columns) = max(found, key=lambda one: one[0])
    return Mapping(sheet=sheet.name, head_row=number, **columns)


class TableReading:
    """The questions and answers of one table."""

    def __init__(self, book: Book, mapping: Mapping) -> None:
        self._mapping = mapping
        sheet = next((one for one in book.sheets if one.name == mapping.sheet), None)
        if sheet is None:
            names = tuple(one.name for one in book.sheets)
            raise RejectedWorkbookError(f"The workbook has no sheet {mapping.sheet!r}. Name one of its sheets.", names)
        self._sheet: BookSheet = sheet
        self.asked: list[Asked] = []
        self.answers: list[ReadAnswer] = []
        self.odd: list[OddCell] = []
        self.not_asked = 0
        self.wanted_documents = 0
        self.twins = Twins()

    def read(self) -> None:
        """Read all rows below the headings that hold a question."""
        for one, has_answer_words in self._questions():
            answer = self._answer(one, has_answer_words)
            if self.twins.is_new(one, self._mapping.answer or self._mapping.question, answer):
                self.asked.append(one)
                self.answers += [answer] if answer else []

    def _text(self, row: int, column: int | None) -> str:
        return text_of(self._sheet.cell(row, column)) if column else ""

    def _questions(self) -> Iterator[tuple[Asked, str]]:
        mapping, section = self._mapping, ""
        rows = [number for number in sorted(self._sheet.rows) if number > mapping.head_row]
        said = [self._text(number, mapping.answer) for number in rows]
        usual = _is_mostly_yes_no(said)
        for number, words in zip(rows, said, strict=True):
            section = line_of(self._sheet.cell(number, mapping.section)) or section if mapping.section else section
            text = self._text(number, mapping.question)
            if not text:
                continue
            options, takes = options_from(_SPLIT.split(self._text(number, mapping.options)))
            if not options and usual:
                options, takes = YES_NO, True
            is_yes_no = {option.key for option in options} == {"yes", "no"}
            kind = QuestionKind.YES_NO if is_yes_no else QuestionKind.SINGLE if options else QuestionKind.TEXT
            name = id_of(self._sheet.cell(number, mapping.key)) if mapping.key else ""
            one = Asked(
                id=name or f"row-{number}",
                text=text,
                section=section,
                sheet=self._sheet.name,
                row=number,
                kind=kind,
                options=(YES_NO if is_yes_no else options) or None,
                weight=int(is_yes_no),
                takes_not_applicable=takes or mapping.not_applicable is not None,
            )
            yield one, words

    def _answer(self, one: Asked, words: str) -> ReadAnswer | None:
        mapping = self._mapping
        note = self._text(one.row, mapping.note)
        is_marked = bool(self._text(one.row, mapping.not_applicable)) and not words
        if plain(words) in _SKIPPED:
            self.not_asked += 1
            return None
        if plain(words).startswith(_NOT_GIVEN):
            self.wanted_documents += 1
            return None
        if not (words or note or is_marked):
            return None
        value, stance = None, None
        if is_marked or is_not_applicable(words):
            stance = Stance.NOT_APPLICABLE
        elif one.options:
            value = chosen(words, one.options)
            stance = Stance.ANSWERED if value else None
        elif words:
            value, stance = words, Stance.ANSWERED
        cell = name_of(one.row, mapping.answer or mapping.question)
        if words and stance is None:
            labels = ", ".join(label for option in one.options or () for label in option.label.values())
            self.odd.append(OddCell(one.sheet, cell, labels, words[:500]))
            note = f"{words}\n\n{note}" if note else words
        return ReadAnswer(
            question=one.id, stance=stance, value=value, words=words, note=note, sheet=one.sheet, cell=cell
        )


def _is_no_answer(words: str) -> bool:
    return plain(words) in _SKIPPED or plain(words).startswith(_NOT_GIVEN)


def _is_mostly_yes_no(said: list[str]) -> bool:
    """Half of what is answered, or nothing is answered at all."""
    answered = [words for words in said if words and not _is_no_answer(words)]
    usual = sum(chosen(words, YES_NO) is not None or is_not_applicable(words) for words in answered)
    return 2 * usual >= len(answered)
