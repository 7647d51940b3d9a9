"""A file of a format yet unknown becomes a table, read in the sandbox whatever its format."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from vendorrisk.sandbox.running import Input, Reason, Sandbox, SandboxError
from vendorrisk.sandbox.running import Limits as SandboxLimits
from vendorrisk.sandbox.slots import SMALL_BYTES
from vendorrisk.sandbox.spool import Spool
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.portions import SpooledTable, csv_portions, spooled_table, workbook_portions
from vendorrisk.sheets.reading import FileFormat, is_workbook

QUICK: Final = SandboxLimits(cpu_seconds=2, wall_seconds=5, memory_bytes=SMALL_BYTES, answer_bytes=16 << 20)
"""Limits for a file that is read during a request."""
THOROUGH: Final = SandboxLimits(cpu_seconds=60, wall_seconds=90, answer_bytes=256 << 20)
"""Limits for a file that is read by a job. The answer lies on disk."""

_PARSERS: Final = {FileFormat.CSV: csv_portions, FileFormat.XLSX: workbook_portions}


class NotNowError(Exception):
    """Too many files are being read. The file may be tried again later."""


class TooDemandingError(UnreadableError):
    """The file takes more time or memory than there is."""


def format_of(content: bytes) -> FileFormat:
    """Return the format by the first bytes. Raises `UnreadableError` for the older binary and encrypted workbooks."""
    return FileFormat.XLSX if is_workbook(content) else FileFormat.CSV


@asynccontextmanager
async def table_of(
    file_format: FileFormat,
    load: Callable[[], Awaitable[Input]],
    limits: SandboxLimits,
    sandbox: Sandbox,
    *,
    on_behalf_of: UUID,
) -> AsyncIterator[SpooledTable]:
    """Read the file in a child process, which it may bring down. The file is loaded when its turn has come.

    Tenants take turns. Raises `UnreadableError`, `TooDemandingError` or `NotNowError`.
    """
    with Spool() as spool:
        try:
            await sandbox.spool(_PARSERS[file_format], load, spool, limits, on_behalf_of=on_behalf_of)
        except SandboxError as error:
            raise _reason(error) from None
        yield spooled_table(spool)


def _reason(error: SandboxError) -> Exception:
    if error.reason is Reason.BUSY:
        return NotNowError()
    if error.reason is Reason.CRASHED and not error.died:
        return UnreadableError("The file is damaged, and cannot be read. Save it again, and send that.")
    return TooDemandingError(
        "The file is damaged, or takes too much time or memory to be read. Send it as CSV, or in parts."
    )
