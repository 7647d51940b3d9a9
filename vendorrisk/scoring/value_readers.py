"""Readers of the values of answers, one for each kind of question and of column. Each raises `Unfit`.

yes_no, single   the key of an option
multiple         keys of options, in the order of the question
text             clean text (`normal_form.clean_text`)
number           int, or float of at most 15 digits, so that a double holds it exactly
date             ISO 8601 day
file             ids of uploads, sorted
table            rows: column key → cell. Blank cells and blank rows are left out
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from vendorrisk import value_words as words
from vendorrisk.errors import FieldCode, FieldError
from vendorrisk.normal_form import YEARS, UnfitError, clean_text
from vendorrisk.questionnaires.content import (
    MOST_CHARACTERS,
    MOST_DIGITS,
    MOST_FILES,
    MOST_IN_A_CELL,
    MOST_ROWS,
    TODAY,
    Column,
    ColumnKind,
    Content,
    Option,
    Question,
    QuestionKind,
    options_of,
)
from vendorrisk.value_checks import pointer_step
from vendorrisk.vendors.identifiers import country_of

MOST_FAULTS: Final = 50

_LONGEST_RAW = 100_000
_TOO_LARGE = Decimal(10**MOST_DIGITS)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Unfit(Exception):  # noqa: N818 - a fault on its way to the list of all faults, never seen outside
    def __init__(self, code: FieldCode, detail: str, at: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.at = code, detail, at


def kind_unfit(value: object, wanted: str) -> Unfit:
    return Unfit(FieldCode.INVALID, f"This is {words.sent(value)}. Send {wanted}.")


def range_unfit(detail: str) -> Unfit:
    return Unfit(FieldCode.OUT_OF_RANGE, detail)


class Asked(NamedTuple):
    """A question with the surroundings that its values depend on."""

    content: Content
    question: Question
    on: date
    uploads: Collection[UUID] | None
    faults: list[FieldError]

    def add(self, unfit: Unfit, at: str) -> None:
        self.faults.append(FieldError(unfit.detail, unfit.code, pointer=at + unfit.at))


def cells(
    asked: Asked, columns: Mapping[str, Column], sent: Mapping[Any, Any], at: str, *, is_row: bool = False
) -> dict[str, Any]:
    """Read the cells of a row, or the further fields of a question, in the order of their columns."""
    for name in sent:
        if name not in columns:
            known = words.one_of(list(columns)) if columns else "nothing else"
            detail = f"There is no field {words.shown(str(name))} here. Send {known}."
            asked.add(Unfit(FieldCode.UNKNOWN, detail), at + pointer_step(name))
    found: dict[str, Any] = {}
    for name, column in columns.items():
        try:
            if (
                cell := _cell(asked.content, column, sent.get(name), is_required=is_row and column.required)
            ) is not None:
                found[name] = cell
        except Unfit as unfit:
            asked.add(unfit, at + pointer_step(name))
    return found


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _cell(content: Content, column: Column, cell: Any, *, is_required: bool) -> Any:
    """Return the cell in its normal form, or None if it is blank."""
    if not _is_blank(cell):
        return _CELL_READERS[column.kind](options_of(content, column), cell)
    if is_required:
        raise Unfit(FieldCode.REQUIRED, f"This column is required. Send {_CELL_WORDS[column.kind]}.")
    return None


def _choice(options: Iterable[Option], value: object) -> str:
    keys = [option.key for option in options]
    if isinstance(value, str) and value in keys:
        return value
    if isinstance(value, str):
        detail = f"The choice {words.shown(value)} is not offered. Send {words.one_of(keys)}."
        raise Unfit(FieldCode.NOT_ALLOWED, detail)
    raise kind_unfit(value, words.one_of(keys))


def _one(asked: Asked, value: object) -> str:
    return _choice(options_of(asked.content, asked.question), value)


def _several(asked: Asked, value: object) -> list[str]:
    question, options = asked.question, options_of(asked.content, asked.question)
    least = 1 if question.min_choices is None else question.min_choices
    most = min(question.max_choices or len(options), len(options))
    if not isinstance(value, list | tuple):
        raise kind_unfit(value, "a list of choices")
    if len(value) > len(options):
        raise range_unfit(f"This has {len(value):,} choices. Send {words.between(least, most, 'choices')}.")
    chosen: set[str] = set()
    for index, key in enumerate(value):
        try:
            if _choice(options, key) in chosen:
                detail = f"The choice {words.shown(str(key))} was sent twice. Send it once."
                raise Unfit(FieldCode.NOT_ALLOWED, detail)  # noqa: TRY301 - one way for all faults of a choice
            chosen.add(key)
        except Unfit as unfit:
            asked.add(unfit, f"/value/{index}")
    none_of = question.score.none_of if question.score else None
    if none_of in chosen and len(chosen) > 1:
        raise Unfit(FieldCode.NOT_ALLOWED, f"The choice {none_of} excludes all others. Send it alone, or leave it out.")
    if none_of not in chosen and not least <= len(value) <= most:
        raise range_unfit(f"This has {len(value)} choices. Send {words.between(least, most, 'choices')}.")
    return [option.key for option in options if option.key in chosen]


def clean(value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise kind_unfit(value, f"text of at most {longest} characters")
    if len(value) > _LONGEST_RAW:
        raise range_unfit(f"This has {len(value):,} characters. Send at most {longest}.")
    if not value.strip():
        raise Unfit(FieldCode.REQUIRED, "This is blank. Send text, or the stance cleared.")
    try:
        return clean_text(value, longest)
    except UnfitError as error:
        code = FieldCode.OUT_OF_RANGE if len(value) > longest else FieldCode.INVALID
        raise Unfit(code, str(error)) from error


def _free_text(asked: Asked, value: object) -> str:
    return clean(value, asked.question.max_characters or MOST_CHARACTERS)


def _number(value: object) -> int | float:
    """Read a number of at most 15 digits, counted as it is written without an exponent."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise kind_unfit(value, "a number")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise Unfit(FieldCode.INVALID, "This is not a finite number. Send a number.")
    if abs(number) >= _TOO_LARGE:
        raise range_unfit(f"This number has too many digits. Send at most {MOST_DIGITS} digits.")
    if number == int(number):
        return int(number)
    _, digits, exponent = number.normalize().as_tuple()
    if max(len(digits), -int(exponent)) > MOST_DIGITS:
        raise range_unfit(f"This number has too many digits. Send at most {MOST_DIGITS} digits.")
    return float(number)


def _bounded_number(asked: Asked, value: object) -> int | float:
    question, number = asked.question, _number(value)
    if question.whole and not isinstance(number, int):
        raise Unfit(FieldCode.INVALID, "This is not a whole number. Send a whole number.")
    least, most = question.minimum, question.maximum
    if (least is not None and number < least) or (most is not None and number > most):
        raise range_unfit(f"This number is out of range. Send {words.between(least, most, question.unit or '')}.")
    return number


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise kind_unfit(value, words.A_DATE)
    if not _DAY.fullmatch(value):
        raise Unfit(FieldCode.INVALID, f"This has the wrong form. Send {words.A_DATE}.")
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise Unfit(FieldCode.INVALID, f"There is no day {value}. Send {words.A_DATE}.") from error
    if day.year not in YEARS:
        raise range_unfit(f"This date is out of range. Send a year from {YEARS.start} to {YEARS.stop - 1}.")
    return day


def _bounded_day(asked: Asked, value: object) -> str:
    day = _day(value)
    first, last = (_bound(text, asked.on) for text in (asked.question.not_before, asked.question.not_after))
    if first is not None and day < first:
        raise range_unfit(f"This date is too early. Send a date from {first} on.")
    if last is not None and day > last:
        raise range_unfit(f"This date is too late. Send a date up to {last}.")
    return day.isoformat()


def _bound(text: str | None, today: date) -> date | None:
    return None if text is None else today if text == TODAY else date.fromisoformat(text)


def _files(asked: Asked, value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        raise kind_unfit(value, "a list of ids of uploaded files")
    if not 1 <= len(value) <= MOST_FILES:
        raise range_unfit(
            f"This has {len(value):,} files. Send {words.between(1, MOST_FILES, 'ids of uploaded files')}."
        )
    found: set[str] = set()
    for index, sent in enumerate(value):
        try:
            file_id = UUID(sent) if isinstance(sent, str) else sent
            if not isinstance(file_id, UUID) or str(file_id) != str(sent).lower():
                raise ValueError  # noqa: TRY301 - braces and URNs are UUIDs to Python, and no id of ours
        except ValueError:
            asked.add(Unfit(FieldCode.INVALID, f"This is no id of a file. Send {words.AN_ID}."), f"/value/{index}")
            continue
        if asked.uploads is not None and file_id not in asked.uploads:
            detail = "No file with this id was uploaded to this question. Upload it first, then send its id."
            asked.add(Unfit(FieldCode.NOT_ALLOWED, detail), f"/value/{index}")
        if str(file_id) in found:
            detail = "This file was named twice. Send each id once."
            asked.add(Unfit(FieldCode.NOT_ALLOWED, detail), f"/value/{index}")
        found.add(str(file_id))
    return sorted(found)


def _rows(asked: Asked, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple):
        raise kind_unfit(value, "a list of rows")
    least, most = asked.question.min_rows or 0, asked.question.max_rows or MOST_ROWS
    if len(value) > MOST_ROWS:
        raise range_unfit(f"This has {len(value):,} rows. Send {words.between(least, most, 'rows')}.")
    columns = {column.key: column for column in asked.question.columns}
    rows = []
    for index, row in enumerate(value):
        if not isinstance(row, Mapping):
            asked.add(kind_unfit(row, "an object with the cells of a row"), f"/value/{index}")
        elif not all(name in columns and _is_blank(cell) for name, cell in row.items()):
            rows.append(cells(asked, columns, row, f"/value/{index}", is_row=True))
        if len(asked.faults) >= MOST_FAULTS:
            return []
    if not least <= len(rows) <= most and not asked.faults:
        raise range_unfit(f"This has {len(rows)} rows. Send {words.between(least, most, 'rows')}.")
    return rows


def _country(_options: object, value: object) -> str:
    if not isinstance(value, str):
        raise kind_unfit(value, _CELL_WORDS[ColumnKind.COUNTRY])
    try:
        return country_of(value[:200])
    except UnfitError as error:
        raise Unfit(FieldCode.INVALID, str(error)) from error


READERS: Final[Mapping[QuestionKind, Callable[[Asked, Any], Any]]] = {
    QuestionKind.YES_NO: _one,
    QuestionKind.SINGLE: _one,
    QuestionKind.MULTIPLE: _several,
    QuestionKind.TEXT: _free_text,
    QuestionKind.NUMBER: _bounded_number,
    QuestionKind.DATE: _bounded_day,
    QuestionKind.FILE: _files,
    QuestionKind.TABLE: _rows,
}
_CELL_READERS: Final[Mapping[ColumnKind, Callable[[tuple[Option, ...], Any], Any]]] = {
    ColumnKind.TEXT: lambda _, cell: clean(cell, MOST_IN_A_CELL),
    ColumnKind.NUMBER: lambda _, cell: _number(cell),
    ColumnKind.DATE: lambda _, cell: _day(cell).isoformat(),
    ColumnKind.SINGLE: _choice,
    ColumnKind.YES_NO: _choice,
    ColumnKind.COUNTRY: _country,
}
_CELL_WORDS: Final[Mapping[ColumnKind, str]] = {
    ColumnKind.TEXT: f"text of at most {MOST_IN_A_CELL} characters",
    ColumnKind.NUMBER: "a number",
    ColumnKind.DATE: words.A_DATE,
    ColumnKind.SINGLE: "the key of a choice",
    ColumnKind.YES_NO: "the key of a choice",
    ColumnKind.COUNTRY: "the two-letter code of a country (ISO 3166-1), such as DE",
}
