"""A vendor as a row of a spreadsheet. An export that is imported again, unchanged, changes nothing."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from vendorrisk.sheets.writing import Heading, WrittenCell
from vendorrisk.vendors.import_columns import COLUMNS, SHOWN_ONLY

HEADING = Heading("Vendors", (*(column.heading for column in COLUMNS.values()), *SHOWN_ONLY.values()))


def as_cells(record: Any) -> Iterator[WrittenCell]:
    """Return the cells of one vendor in an export, in the order of `COLUMNS`, then the columns that are shown only."""
    for field in (*COLUMNS, *SHOWN_ONLY):
        value = getattr(record, field)
        if isinstance(value, list | tuple):
            yield "; ".join(value)
        elif value is None or isinstance(value, str | int | date | Decimal):
            yield value
        else:
            yield str(value)
