"""A file is read in the sandbox's child, and its table comes back in portions: head, rows, end.

The service keeps them on disk. So the memory that a table takes here does not depend on its size.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from python_calamine import CalamineError

from vendorrisk.sandbox.spool import Spool
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.reading import (
    PORTION_ROWS,
    Limits,
    Row,
    Source,
    damaged,
    heading_of,
    kept_rows,
    open_csv,
    open_workbook,
)

_PORTION_CELLS = 100_000


class Head(msgspec.Struct, frozen=True, tag="head"):
    headings: tuple[str, ...]
    notices: tuple[str, ...]
    escaped: bool


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    rows: list[Row]


class End(msgspec.Struct, frozen=True, tag="end"):
    """The last portion. With a reason for rejection, the rows before it do not count."""

    row_count: int = 0
    rejection_reason: str | None = None


Portion = Head | Rows | End


def csv_portions(content: bytes) -> Iterator[Portion]:
    """Read CSV. The form in which a child can be asked for it."""
    yield from _rejecting(_portions(lambda limits: open_csv(content, limits)))


def workbook_portions(content: bytes) -> Iterator[Portion]:
    """Read a workbook. The form in which a child can be asked for it."""
    yield from _rejecting(_portions(lambda limits: open_workbook(content, limits)))


def _rejecting(portions: Iterator[Portion]) -> Iterator[Portion]:
    try:
        yield from portions
    except UnreadableError as error:
        yield End(rejection_reason=str(error))
    except (CalamineError, OSError, EOFError):
        yield End(rejection_reason=str(damaged()))


def _portions(opened: Callable[[Limits], Source]) -> Iterator[Portion]:
    source = opened(limits := Limits())
    rows = kept_rows(source, limits)
    headings = next(rows)
    yield Head(tuple(heading_of(cell) for cell in headings.cells), source.notices, source.escaped)
    count, held, cells = 0, list[Row](), 0
    for row in rows:
        count += 1
        cells += len(row.cells)
        held.append(row)
        if len(held) == PORTION_ROWS or cells > _PORTION_CELLS:
            yield Rows(held)
            held, cells = [], 0
    yield Rows(held)
    yield End(count)


class SpooledTable(msgspec.Struct, frozen=True):
    """A table whose rows lie on disk. It looks as `Table` does to those who read it in portions."""

    spool: Spool
    headings: tuple[str, ...]
    notices: tuple[str, ...]
    escaped: bool
    row_count: int

    def portions(self) -> Iterator[Sequence[Row]]:
        """Yield the rows some thousands at a time."""
        for portion in _read(self.spool):
            if isinstance(portion, Rows):
                yield portion.rows


def _read(spool: Spool, places: list[int] | None = None) -> Iterator[Portion]:
    """Read what a child wrote. A child that was taken over may have written anything."""
    try:
        yield from spool.items(Portion, places)
    except (msgspec.DecodeError, RecursionError):
        raise damaged() from None


def spooled_table(spool: Spool) -> SpooledTable:
    """Return the table that a child wrote. Raises `UnreadableError` if it wrote that there is none."""
    places = list(spool.places())
    head, end = _read(spool, [places[0], places[-1]]) if places else (None, None)
    if isinstance(end, End) and end.rejection_reason is not None:
        raise UnreadableError(end.rejection_reason)
    if not isinstance(end, End) or not isinstance(head, Head):
        raise damaged()
    return SpooledTable(spool, head.headings, head.notices, head.escaped, end.row_count)
