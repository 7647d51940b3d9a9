"""The columns of a kind: which heading stands for which field, and how a cell becomes a value.

A blank cell or a missing column leaves the stored value as it is. A row that has a problem in one cell is
read to its end. So its problems are all reported at once. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from vendorrisk.foreign_text import WHAT, is_storable
from vendorrisk.imports.cells import DateOrder, read_date, typed
from vendorrisk.normal_form import UnfitError
from vendorrisk.sheets.errors import ERRORS
from vendorrisk.sheets.formulas import unguarded
from vendorrisk.sheets.reading import AnyTable, Cell, Row

Value = str | list[str]
"""The value that a cell becomes, as in JSON."""

Given = dict[str, Value]
"""Field → value, for the cells of one row that were not blank."""

IGNORE = "ignore"


class ImportCellProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a row cannot be accepted as it is.

    `column` is the heading in the file. It is absent if the problem is the row's.
    """

    row: int
    """Row of the file, from 1, headings not counted."""
    code: str
    detail: str
    column: str | None = None
    field: str | None = None
    """The field that the column is mapped to. Missing for a whole row."""


class ReadRow(msgspec.Struct, frozen=True, gc=False):
    """A row after its cells were read."""

    number: int
    given: Given
    problems: list[ImportCellProblem]


class MappingError(ValueError):
    """The headings cannot be matched with fields. The message says how to fix them."""


class Column(msgspec.Struct, frozen=True):
    """One field of the spreadsheet. `synonyms` are other headings it goes by, in letters and digits only.

    `typed` turns a number of a workbook into text for `read`. A date is read with the order that the caller states.
    """

    heading: str
    read: Callable[[str], Value]
    synonyms: tuple[str, ...] = ()
    typed: Callable[[float], str] = typed
    is_date: bool = False


def _nothing_lacks(_row: ReadRow) -> Iterable[ImportCellProblem]:
    return ()


def _no_keys(_given: Given) -> Iterable[tuple[str, str]]:
    return ()


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The table that a kind takes.

    `columns` are the fields that a file can set, in the order of an export. `shown_only` has the headings that an
    export adds. They raise no notice. A file needs at least one of the columns `naming`, which give the thing that
    `named` describes. `lacking` returns the problems of a row as a whole. `keys` returns (field, key) of the values
    that may stand in a file once.
    """

    columns: Mapping[str, Column]
    naming: frozenset[str]
    named: str
    shown_only: Mapping[str, str] = msgspec.field(default_factory=dict)
    lacking: Callable[[ReadRow], Iterable[ImportCellProblem]] = _nothing_lacks
    keys: Callable[[Given], Iterable[tuple[str, str]]] = _no_keys


class Matched(msgspec.Struct, frozen=True):
    """Which column of the file holds which field: (position, heading, field), and notices about the others."""

    columns: tuple[tuple[int, str, str], ...]
    notices: tuple[str, ...]

    @property
    def headings(self) -> dict[str, str]:
        """Return field → heading of the file."""
        return {field: heading for _, heading, field in self.columns}


def letters_of(heading: str) -> str:
    """Return the letters and digits of a heading, without case."""
    return "".join(character for character in heading.casefold() if character.isalnum())


def match_headings(layout: Layout, headings: Sequence[str], chosen: Mapping[str, str]) -> Matched:
    """Match by the caller's choice (heading → field, or `ignore`), then by name. Refuse two headings for one field."""
    columns = layout.columns
    if unstorable := [number for number, heading in enumerate(headings, 1) if not is_storable(heading)]:
        raise MappingError(f"The heading of column {unstorable[0]} is no text. {WHAT} Take it out.")
    left = {heading for heading in chosen if heading not in headings}
    if left:
        raise MappingError(f"The file has no column headed {_quoted(left)}. It has: {_quoted(filter(None, headings))}.")
    if unknown := {field for field in chosen.values() if field != IGNORE and field not in columns}:
        raise MappingError(f"{_quoted(unknown)} is no field. Map to one of: {', '.join(columns)}, or {IGNORE}.")
    found, unmatched = _found(layout, headings, chosen)
    if found.keys().isdisjoint(layout.naming):
        raise MappingError(f"No column gives {layout.named}. Map one: the file has {_quoted(filter(None, headings))}.")
    notices = (f"Left out, because no field goes by these names: {_quoted(unmatched)}.",) if unmatched else ()
    return Matched(tuple(found.values()), notices)


def _found(
    layout: Layout, headings: Sequence[str], chosen: Mapping[str, str]
) -> tuple[dict[str, tuple[int, str, str]], list[str]]:
    """Return field → (position, heading, field), and the headings that nobody knows."""
    by_heading = {
        letters_of(text): field
        for field, column in layout.columns.items()
        for text in (field, column.heading, *column.synonyms)
    }
    known_but_left = {letters_of(text) for pair in layout.shown_only.items() for text in pair}
    found: dict[str, tuple[int, str, str]] = {}
    unmatched: list[str] = []
    for at, heading in enumerate(headings):
        field = chosen.get(heading) or by_heading.get(letters_of(heading))
        if field is None:
            unmatched += [heading] if heading and letters_of(heading) not in known_but_left else []
        elif field in found:
            raise MappingError(
                f"Both {found[field][1]!r} and {heading!r} would give {field}. Map one of them to {IGNORE}."
            )
        elif field != IGNORE:
            found[field] = (at, heading, field)
    return found, unmatched


def _quoted(texts: Iterator[str] | set[str] | list[str]) -> str:
    names = [repr(text[:60]) for text in texts]
    return ", ".join(sorted(names[:30])) + (" …" if len(names) > 30 else "")  # noqa: PLR2004 - enough for a report


class _Reader(msgspec.Struct, frozen=True):
    """One column of the file, and how its cells are read."""

    at: int
    heading: str
    field: str
    column: Column
    read: Callable[[str], Value]


def read_rows(layout: Layout, table: AnyTable, matched: Matched, order: DateOrder | None = None) -> Iterator[ReadRow]:
    """Read every row. Problems are those of each cell, then of the row, then between rows of the same file."""
    readers = [
        _Reader(at, heading, field, layout.columns[field], _read_by(layout.columns[field], order))
        for at, heading, field in matched.columns
    ]
    seen: dict[tuple[str, str], int] = {}
    for rows in table.portions():
        chunk = [ReadRow(row.number, {}, _beyond(row, table)) for row in rows]
        for reader in readers:
            _read_column(rows, chunk, reader, escaped=table.escaped)
        for row in chunk:
            row.problems.extend(layout.lacking(row))
            row.problems.extend(_repeated(layout, row, seen))
        yield from chunk


def _read_by(column: Column, order: DateOrder | None) -> Callable[[str], Value]:
    if order is not None and column.is_date:
        return lambda text: read_date(text, order).isoformat()
    return column.read


def _beyond(row: Row, table: AnyTable) -> list[ImportCellProblem]:
    """Report cells that no heading stands above: a separator within a value has moved the cells after it."""
    beyond = row.cells[len(table.headings) :]
    if beyond.count(None) == len(beyond):
        return []
    detail = (
        f"The row has more cells than the {len(table.headings)} headings. Put quotes around values that hold a comma."
    )
    return [ImportCellProblem(row.number, "cells_beyond_headings", detail)]


def _read_column(rows: Sequence[Row], chunk: Sequence[ReadRow], reader: _Reader, *, escaped: bool) -> None:
    """Read one column of many rows: each distinct text once, because most columns hold few."""
    at, field, as_text = reader.at, reader.field, reader.column.typed
    texts = [_text(row.cells[at], as_text) if at < len(row.cells) else None for row in rows]
    values: dict[str | None, Value] = {}
    unfit: dict[str | None, str] = {}
    for text in set(texts):
        if text is not None and not is_storable(text):
            unfit[text] = f"The cell is no text. {WHAT} Take it out."
        elif text in ERRORS:
            unfit[text] = f"The cell holds the error {text}. Correct its formula, or clear it."
        elif text is not None:
            try:
                values[text] = reader.read(unguarded(text) if escaped else text)
            except UnfitError as error:
                unfit[text] = str(error)
    for text, row in zip(texts, chunk, strict=True):
        if value := values.get(text):
            row.given[field] = value
        elif text in unfit:
            row.problems.append(ImportCellProblem(row.number, f"{field}_invalid", unfit[text], reader.heading, field))


def _text(cell: Cell, as_text: Callable[[float], str]) -> str | None:
    """Return a cell as it was typed, or None where it is blank."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return as_text(cell)


def _repeated(layout: Layout, row: ReadRow, seen: dict[tuple[str, str], int]) -> Iterator[ImportCellProblem]:
    for field, key in layout.keys(row.given):
        first = seen.setdefault((field, key), row.number)
        if first != row.number:
            heading = layout.columns[field].heading
            detail = f"Row {first} has the same {heading.lower()}: {key[:100]!r}. Keep one of them."
            yield ImportCellProblem(row.number, f"{field}_repeated", detail, heading, field)
