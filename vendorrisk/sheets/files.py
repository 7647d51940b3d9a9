"""A file of a format yet unknown becomes a table."""

import asyncio

from vendorrisk.errors import Code, Refusal
from vendorrisk.sandbox.running import Limits as SandboxLimits
from vendorrisk.sandbox.running import Reason, Sandbox, SandboxError
from vendorrisk.sheets.reading import FileFormat, Limits, Table, UnreadableError, is_workbook, read_csv, workbook_table

QUICK = SandboxLimits(cpu_seconds=5, wall_seconds=10, memory_bytes=32 << 20, answer_bytes=16 << 20)
"""Limits for a workbook that is read during a request."""
THOROUGH = SandboxLimits(cpu_seconds=60, wall_seconds=90, answer_bytes=256 << 20)
"""Limits for a workbook that is read by a job."""

_LIMITS = Limits()
_SANDBOX = Sandbox()


def format_of(content: bytes) -> FileFormat:
    """Return the format by the first bytes. Raises `UnreadableError` for the older binary and encrypted workbooks."""
    return FileFormat.XLSX if is_workbook(content) else FileFormat.CSV


async def table_of(file_format: FileFormat, content: bytes, limits: SandboxLimits) -> Table:
    """Read the file. A workbook is read in a child process, which it may bring down. Raises `UnreadableError`."""
    if file_format is FileFormat.CSV:
        return await asyncio.to_thread(read_csv, content, _LIMITS)
    try:
        read = await _SANDBOX.run(workbook_table, content, limits)
    except SandboxError as error:
        if error.reason is Reason.BUSY:
            raise Refusal(Code.OVERLOADED, "Too many workbooks are being read.", retry_after_seconds=10) from None
        raise UnreadableError("The workbook is damaged or too large to be read. Send it as CSV.") from None
    if read.table is None:
        raise UnreadableError(read.rejection_reason or "")
    return read.table
