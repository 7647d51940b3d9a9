"""A tenant's own CAIQ 4 or HECVAT with its answer columns filled. All else stays as it was, byte for byte."""

from datetime import date
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import QuestionKind, Stance
from vendorrisk.questionnaires.foreign.caiq import OWNER_LABELS, CaiqReading
from vendorrisk.questionnaires.foreign.cells import is_not_applicable
from vendorrisk.questionnaires.foreign.choice_lists import choices_of
from vendorrisk.questionnaires.foreign.contents import Asked, chosen
from vendorrisk.questionnaires.foreign.headings import row_of_headings
from vendorrisk.questionnaires.foreign.hecvat import HecvatReading
from vendorrisk.questionnaires.foreign.outcome import Form, Recognised, Rejected, RejectedWorkbookError, Unrecognised
from vendorrisk.questionnaires.foreign.recognise import CAIQ4_HEADINGS, recognised
from vendorrisk.sheets.book_parts import name_of
from vendorrisk.sheets.books import Book, open_book
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.patching import Fill, patched

_ANSWER, _NOTE = 3, 4
_FILLED: Final = frozenset({Form.CAIQ4, Form.HECVAT2, Form.HECVAT3, Form.HECVAT4, Form.K12CVAT})


class AnswerToFill(msgspec.Struct, frozen=True, kw_only=True):
    """An answer by the id that the workbook has. `value` is an option's key, a text or an ISO date."""

    question: str
    stance: Stance
    value: str | None = None
    note: str = ""
    fields: dict[str, str] = {}


class ToFill(msgspec.Struct, frozen=True):
    """A workbook with the answers for it: the bytes that a child is given."""

    content: bytes
    answers: tuple[AnswerToFill, ...]
    sheet: str | None = None


class Filled(msgspec.Struct, frozen=True, tag="filled"):
    """The workbook. `unplaced` are ids that it does not have, and cells that hold a formula."""

    content: bytes
    unplaced: tuple[str, ...]


def filled_workbook(raw: bytes) -> Filled | Rejected:
    """Fill an encoded `ToFill`. The form in which a child can be asked for it."""
    return filled(msgspec.msgpack.decode(raw, type=ToFill))


def filled(given: ToFill) -> Filled | Rejected:
    """Return the workbook with its answer columns filled. No error of a workbook is raised."""
    try:
        book = open_book(given.content)
        found = recognised(book, given.sheet)
        if isinstance(found, Unrecognised) or found.form not in _FILLED:
            return Rejected("Only a CAIQ 4, a HECVAT or a K-12CVAT is filled. Send an unchanged copy of one.")
        fills, unplaced = _fills(book, found, given.answers)
        return Filled(patched(given.content, fills), tuple(unplaced))
    except RejectedWorkbookError as error:
        return Rejected(error.detail, error.choices)
    except UnreadableError as error:
        return Rejected(str(error))


def _fills(book: Book, found: Recognised, answers: tuple[AnswerToFill, ...]) -> tuple[list[Fill], list[str]]:
    is_caiq = found.form is Form.CAIQ4
    asked, columns = _caiq(book, found) if is_caiq else _hecvat(book, found)
    by_id = {one.id: one for one in asked}
    formulas = {(sheet.name, *place) for sheet in book.sheets for place in sheet.formulas}
    fills: list[Fill] = []
    unplaced: list[str] = []
    for answer in {one.question: one for one in answers}.values():
        one = by_id.get(answer.question)
        if one is None:
            unplaced.append(answer.question)
            continue
        for name, value in _values(book, one, columns["answer"], answer).items():
            column = columns.get(name)
            is_covered = name == "note" and not is_caiq and _takes_note_column(book, one)
            if column is None or is_covered or (one.sheet, one.row, column) in formulas:
                unplaced.append(f"{answer.question} ({name})")
            else:
                fills.append(Fill(one.sheet, name_of(one.row, column), value))
    return fills, unplaced


def _caiq(book: Book, found: Recognised) -> tuple[list[Asked], dict[str, int]]:
    reading = CaiqReading(book, found)
    reading.read4()
    sheet = next(one for one in book.sheets if one.name == found.sheets[0])
    head = row_of_headings(sheet, CAIQ4_HEADINGS, frozenset({"id", "question", "answer"}))
    return reading.asked, head[1] if head else {}


def _hecvat(book: Book, found: Recognised) -> tuple[list[Asked], dict[str, int]]:
    reading = HecvatReading(book, found)
    reading.read()
    return reading.asked, {"answer": _ANSWER, "note": _NOTE}


def _takes_note_column(book: Book, one: Asked) -> bool:
    """Return True if the answer's cell is merged over the column of notes."""
    sheet = next(sheet for sheet in book.sheets if sheet.name == one.sheet)
    return any(first == (one.row, _ANSWER) and last[1] >= _NOTE for first, last in sheet.merged)


def _values(book: Book, one: Asked, column: int, answer: AnswerToFill) -> dict[str, str | date]:
    values: dict[str, str | date] = {}
    if answer.stance is Stance.NOT_APPLICABLE:
        values["answer"] = _word(book, one, column, None)
    elif answer.stance is Stance.ANSWERED and answer.value:
        is_choice = one.kind in {QuestionKind.YES_NO, QuestionKind.SINGLE}
        values["answer"] = _word(book, one, column, answer.value) if is_choice else _plain(one, answer.value)
    if answer.note:
        values["note"] = answer.note
    if owner := answer.fields.get("ownership"):
        values["ownership"] = OWNER_LABELS.get(owner, owner)
    if customer := answer.fields.get("customer"):
        values["customer"] = customer
    return values


def _plain(one: Asked, value: str) -> str | date:
    try:
        return date.fromisoformat(value) if one.kind is QuestionKind.DATE else value
    except ValueError:
        return value


def _word(book: Book, one: Asked, column: int, key: str | None) -> str:
    """Return the word that the cell's own list has for an option, or for "not applicable" (None)."""
    sheet = next(sheet for sheet in book.sheets if sheet.name == one.sheet)
    choices = choices_of(book, sheet, one.row, column)
    if key is None:
        return next((word for word in choices if is_not_applicable(word)), "NA")
    options = one.options or ()
    fallback = next((next(iter(option.label.values())) for option in options if option.key == key), key)
    return next((word for word in choices if chosen(word, options) == key), fallback)
