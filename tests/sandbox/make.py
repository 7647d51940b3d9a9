"""The processes of a sandbox, as a test finds them; a workbook and a PDF."""

import asyncio
import io

import openpyxl
import psutil
from reportlab.pdfgen.canvas import Canvas

from vendorrisk.sandbox.fork_server import FORK_SERVER


def server() -> psutil.Process:
    """Return the fork server of this process."""
    assert FORK_SERVER._process is not None
    return psutil.Process(FORK_SERVER._process.pid)


def children() -> list[psutil.Process]:
    return [] if FORK_SERVER._process is None else server().children()


async def first_child() -> psutil.Process:
    """Wait for a child of another program: it sends no event."""
    while not (found := children()):  # noqa: ASYNC110 - as said
        await asyncio.sleep(0.01)
    return found[0]


def workbook(rows: int = 3) -> bytes:
    book = openpyxl.Workbook()
    for number in range(rows + 1):
        book.active.append([f"cell {number}", number])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def pdf(text: str = "A page that can be read") -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written)
    canvas.drawString(100, 100, text)
    canvas.save()
    return written.getvalue()
