"""What one tenant, its callers and a vendor's server do at once, until the process is ended.

    python -m tests.bench.attacks PORT KEY FULL_DOCUMENT EMPTY_DOCUMENT SITE_PORT HOOK_PORT

`neighbours` measures another tenant meanwhile. Each attack is bounded in number and begins again when it is refused.
"""

import asyncio
import contextlib
import gzip
import io
import os
import secrets
import sys
from collections.abc import Awaitable, Callable

import httpx
import uvloop
import xlsxwriter  # type: ignore[import-untyped]  # it has no types

from tests.bench.stack import allow_open_files

_JSON = {"Content-Type": "application/json"}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAUSE_SECONDS = 0.05
_NICENESS = 10  # callers have machines of their own, and take no processor from the service
_HOSTILE_PAGE = gzip.compress(b"<div>" * 400_000)


class Attacker:
    """One tenant's key, and the service that it attacks."""

    def __init__(self, port: int, key: str, full_id: str, empty_id: str) -> None:
        self.port, self.key = port, key
        self.full, self.empty = (f"/v1/documents/{one}/file" for one in (full_id, empty_id))
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
            limits=httpx.Limits(max_connections=200),
        )

    async def download_slowly(self) -> None:
        """Ask for a file of some megabytes, and take a byte every two seconds."""
        await self._dribble(f"GET {self.full} HTTP/1.1", b"", reading=True)

    async def upload_slowly(self) -> None:
        """Announce a megabyte, and send a byte every two seconds."""
        await self._dribble(f"PUT {self.empty} HTTP/1.1", b"%PDF-1.7", reading=False)

    async def say_nothing(self) -> None:
        """Open a connection, and wait until it is ended."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await reader.read(1)
        finally:
            writer.close()

    async def invent_keys(self) -> None:
        invented = {"Authorization": f"Bearer {self.key[:-12]}{secrets.token_hex(6)}"}
        await self.client.get("/v1/vendors", headers=invented)

    async def send_large_json(self) -> None:
        body = b'{"name": "Large", "aliases": [' + b",".join([b'"' + b"x" * 90 + b'"'] * 10_000) + b"]}"
        await self.client.post("/v1/vendors", content=body, headers=_JSON)

    async def send_workbook(self) -> None:
        await self.client.post("/v1/vendor-imports", content=WORKBOOK, headers={"Content-Type": _XLSX})

    async def send_poison(self) -> None:
        await self.client.post("/v1/vendor-imports", content=POISON, headers={"Content-Type": _XLSX})

    async def send_table_with_key(self) -> None:
        headers = {"Content-Type": "text/csv", "Idempotency-Key": secrets.token_hex(8)}
        await self.client.post("/v1/vendor-imports", content=TABLE, headers=headers)

    async def _dribble(self, line: str, begin: bytes, *, reading: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1)
        try:
            headers = f'Host: x\r\nAuthorization: Bearer {self.key}\r\nIf-Match: "1"\r\n'
            body = "" if reading else "Content-Type: application/pdf\r\nContent-Length: 1000000\r\n"
            writer.write(f"{line}\r\n{headers}{body}\r\n".encode() + begin)
            await writer.drain()
            for _ in range(30):
                await asyncio.sleep(2)
                if reading:
                    await reader.read(1)
                else:
                    writer.write(b"x")
                    await writer.drain()
        finally:
            writer.close()


def _workbook(rows: int, heading: str) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Name", "Country", "Description", heading])
    for number in range(1, rows):
        sheet.write_row(number, 0, [f"Vendor {number} {secrets.token_hex(4)}", "DE", secrets.token_hex(12), "x"])
    book.close()
    return file.getvalue()


WORKBOOK = _workbook(2_000, "Tags")
POISON = _workbook(3, "Na_x0000_me")
TABLE = b"Name,Description\n" + b"".join(b"Company %d,%s\n" % (n, b"y" * 80) for n in range(40_000))


async def _again(attack: Callable[[], Awaitable[None]]) -> None:
    """Attack, and begin again whatever comes of it."""
    while True:
        with contextlib.suppress(OSError, httpx.HTTPError, asyncio.IncompleteReadError):
            await attack()
        await asyncio.sleep(_PAUSE_SECONDS)


async def _hostile_site(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request with a page that is 3 KB on the wire and two megabytes of nested elements unpacked."""
    await reader.readuntil(b"\r\n\r\n")
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {len(_HOSTILE_PAGE)}"
    )
    writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + _HOSTILE_PAGE)
    await writer.drain()
    writer.close()


async def _silent_site(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Accept, and answer nothing."""
    await asyncio.sleep(3600)


async def _main(port: int, key: str, full_id: str, empty_id: str, site_port: int, hook_port: int) -> None:
    attacker = Attacker(port, key, full_id, empty_id)
    attacks: list[tuple[Callable[[], Awaitable[None]], int]] = [
        (attacker.download_slowly, 8),
        (attacker.upload_slowly, 8),
        (attacker.say_nothing, 600),
        (attacker.invent_keys, 4),
        (attacker.send_large_json, 8),
        (attacker.send_workbook, 6),
        (attacker.send_poison, 2),
        (attacker.send_table_with_key, 4),
    ]
    await asyncio.start_server(_hostile_site, "127.0.0.1", site_port)
    await asyncio.start_server(_silent_site, "127.0.0.1", hook_port)
    await asyncio.gather(*(_again(attack) for attack, count in attacks for _ in range(count)))


if __name__ == "__main__":
    os.nice(_NICENESS)
    allow_open_files(4096)
    port, key, full, empty, site, hook = sys.argv[1:]
    uvloop.run(_main(int(port), key, full, empty, int(site), int(hook)))
