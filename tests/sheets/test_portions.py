"""A table read in a child is the table that would be read here, and takes no memory of its size."""

import asyncio
import tracemalloc
from uuid import UUID

import pytest

from tests.sheets import make
from vendorrisk.sandbox.running import Input, Sandbox
from vendorrisk.sheets.errors import UnreadableError
from vendorrisk.sheets.files import QUICK, THOROUGH, TooDemandingError, format_of, table_of
from vendorrisk.sheets.reading import AnyTable, FileFormat, Limits, Row, Table, read_csv, read_workbook

pytestmark = pytest.mark.anyio
TENANT = UUID(int=1)


async def read(content: bytes, limits: object = THOROUGH, sandbox: Sandbox | None = None) -> Table:
    async def load() -> Input:
        return Input.of(content)

    async with table_of(format_of(content), load, limits, sandbox or Sandbox(), on_behalf_of=TENANT) as table:
        rows = _rows(table)
        assert table.row_count == len(rows)
        return Table(table.headings, rows, table.notices, table.escaped)


def _rows(table: AnyTable) -> list[Row]:
    return [row for portion in table.portions() for row in portion]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
async def test_csv_read_in_a_child_is_as_csv_read_here(encoding: str) -> None:
    content = ("Name;Notes\n" + "".join(f'Müller {n};"é, {n}"\n' for n in range(12_000))).encode(encoding)
    assert await read(content) == read_csv(content, Limits())


async def test_a_workbook_read_in_a_child_is_as_one_read_here() -> None:
    content = make.workbook([["Name", "Number"], *([f"Acme {n}", n / 2] for n in range(6_000))])
    assert await read(content) == read_workbook(content, Limits())


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"a,b\n1,\"x\n", "quote out of place"), (b"Name\n\x001\n", "not a text file"),
    (b"Name\n" + b"M\x81ller\n", "Byte 7 of the file fits neither"), (b"," * 300 + b"\n", "At most 200000 rows"),
    (b"PK\x03\x04" + b"0" * 100, "damaged"), (b"Name\n" + b"x\n" * 200_001, "At most 200000 rows"),
])  # fmt: skip
async def test_what_cannot_be_read_is_refused_with_the_same_advice(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableError, match=words):
        await read(content)


async def test_a_csv_of_60_megabytes_and_200_columns_takes_neither_the_childs_memory_nor_the_services() -> None:
    row = ",".join(f"cell {column}" for column in range(200)).encode() + b"\n"
    content = row * ((60 << 20) // len(row))
    tracemalloc.start()
    rows = 0

    async def load() -> Input:
        return Input.of(content)

    async with table_of(FileFormat.CSV, load, THOROUGH, Sandbox(), on_behalf_of=TENANT) as table:
        for portion in table.portions():
            rows += len(portion)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == len(content) // len(row) - 1
    assert most < 64 << 20, "beside the file itself"


async def test_a_file_that_takes_more_than_a_request_has_is_left_to_a_job() -> None:
    content = make.workbook([["Name", *"abcdefgh"], *([n] * 9 for n in range(60_000))])
    with pytest.raises(TooDemandingError):
        await read(content, QUICK)
    assert len((await read(content)).rows) == 60_000


async def test_of_many_large_files_one_is_in_memory_and_the_others_are_not_loaded() -> None:
    sandbox, loaded, most = Sandbox(), 0, 0

    async def one() -> None:
        async def load() -> Input:
            nonlocal loaded, most
            loaded += 1
            most = max(most, loaded)
            return Input.of(b"Name\n" + b"x\n" * 50_000)

        async with table_of(FileFormat.CSV, load, THOROUGH, sandbox, on_behalf_of=TENANT):
            pass

    async def counted() -> None:
        nonlocal loaded
        await one()
        loaded -= 1

    await asyncio.gather(*(counted() for _ in range(5)))
    assert most <= 2, "one that is read, and one that was just read"
