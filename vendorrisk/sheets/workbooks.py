"""The worksheets of a workbook by name, for formats of several sheets. Runs in the sandbox's child."""

import io
from collections.abc import Collection

from python_calamine import CalamineError, load_workbook

from vendorrisk.sheets.errors import UnfoundError, UnreadableError, errors_of
from vendorrisk.sheets.reading import Cell, Limits, damaged, is_workbook, looked_into, sheet_rows, too_large


def sheets_named(content: bytes, names: Collection[str], limits: Limits | None = None) -> dict[str, list[list[Cell]]]:
    """Return the rows of each worksheet that has one of the names. Raises `UnreadableError` with advice."""
    limits = limits or Limits()
    if not is_workbook(content):
        raise UnreadableError("This is no XLSX workbook. Save it as .xlsx, and send that.")
    looked_into(content, limits)
    try:
        workbook = load_workbook(io.BytesIO(content))
        found: dict[str, list[list[Cell]]] = {}
        for at, sheet_name in enumerate(workbook.sheet_names):
            if sheet_name not in names:
                continue
            sheet = workbook.get_sheet_by_name(sheet_name)
            if sheet.total_width > limits.columns or sheet.total_height > limits.rows + 1:
                raise too_large(limits)
            found[sheet_name] = [list(cells) for _, cells in sheet_rows(sheet, errors_of(content, at))]
    except UnfoundError as error:
        raise UnreadableError("Cells hold errors such as #N/A. Correct or clear them, and send it again.") from error
    except (CalamineError, OSError, EOFError) as error:
        raise damaged() from error
    return found
