"""Builders: workbooks as people's programs make them."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904


def workbook(
    rows: Sequence[Sequence[Any]], *, from_1904: bool = False, change: Callable[[Any], None] | None = None
) -> bytes:
    """Return an XLSX whose first sheet holds the rows."""
    book = Workbook()
    if from_1904:
        book.epoch = CALENDAR_MAC_1904
    for row in rows:
        book.active.append(list(row))
    if change is not None:
        change(book)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def with_part(content: bytes, name: str, body: bytes) -> bytes:
    """Return the archive with one part more."""
    kept = io.BytesIO(content)
    with zipfile.ZipFile(kept, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return kept.getvalue()
