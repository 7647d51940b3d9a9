"""Keyset paging as a property: over any rows, any sort, either direction, no row is lost or seen twice."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Servers
from vendorrisk.db.paging import RANGE, Column, Filter, ListOf, Operator, Page, PageRequest, counted, paged
from vendorrisk.errors import Refusal

TENANT = UUID(int=7)
SECRETS = (b"new secret", b"old secret")
SQL = "select id, tag, rank, day, seen_at from sheep where tenant_id = $1 /*where*/ /*order*/"
BASE = datetime(2024, 2, 28, 12, tzinfo=UTC)


class Sheep(msgspec.Struct, frozen=True):
    id: UUID
    tag: str
    rank: int | None
    day: date | None
    seen_at: datetime


SHEEP = ListOf(
    "sheep",
    {
        "id": Column("id", UUID, "uuid", sortable=True),
        "tag": Column("tag", sortable=True),
        "rank": Column("rank", int, "bigint", RANGE, sortable=True, nullable=True),
        "day": Column("day", date, "date", RANGE, sortable=True, nullable=True),
        "seen_at": Column("seen_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="seen_at",
)
FIELDS = [sign + name for name in SHEEP.columns for sign in ("", "-")]

flocks = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", "B", "é", "a'\"\\%_"]),
        st.none() | st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63) + 1]),
        st.none() | st.integers(0, 3).map(lambda n: date(2024, 2, 27) + timedelta(days=n)),
        st.integers(0, 3).map(lambda n: BASE + timedelta(microseconds=n)),
    ),
    max_size=12,
)
filters = st.sampled_from(
    [
        (),
        (Filter("tag", Operator.NE, "a"),),
        (Filter("rank", Operator.NULL, value=True),),
        (Filter("rank", Operator.NULL, value=False),),
        (Filter("rank", Operator.GTE, 0),),
        (Filter("tag", Operator.IN, ["a", "b"]), Filter("day", Operator.NE, date(2024, 2, 29))),
    ]
)


def expected(rows: list[Sheep], sort: str, kept: tuple[Filter, ...]) -> list[Sheep]:
    """Order in plain Python: nulls last in either direction, ties by id in the direction of the sort."""
    descending, field = sort.startswith("-"), sort.lstrip("-")
    left = [row for row in rows if all(holds(f, getattr(row, f.field)) for f in kept)]
    with_value = [row for row in left if getattr(row, field) is not None]
    without = [row for row in left if getattr(row, field) is None]
    with_value.sort(key=lambda row: (in_order(getattr(row, field)), row.id.bytes), reverse=descending)
    without.sort(key=lambda row: row.id.bytes, reverse=descending)
    return with_value + without


def in_order(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value.bytes if isinstance(value, UUID) else value


def holds(item: Filter, value: Any) -> bool:
    match item.operator:
        case Operator.NULL:
            return (value is None) == item.value
        case Operator.NE:
            return bool(value != item.value)
        case Operator.IN:
            return value in item.value
        case _:
            return value is not None and value >= item.value


async def read(connection: Any, request: PageRequest, secrets: tuple[bytes, ...] = SECRETS) -> Page[Sheep]:
    statement = paged(SQL, request, first=2, tenant_id=TENANT, secrets=secrets)
    records = await connection.fetch(statement.sql, TENANT, *statement.arguments)
    return statement.page([msgspec.convert(r, Sheep, from_attributes=True) for r in records])


async def fill(connection: Any, flock: list[tuple[Any, ...]]) -> list[Sheep]:
    rows = [Sheep(uuid5(TENANT, str(n * 7919 % 101)), *values) for n, values in enumerate(flock)]
    await connection.execute("truncate sheep")
    await connection.copy_records_to_table(
        "sheep", records=[(TENANT, r.id, r.tag, r.rank, r.day, r.seen_at) for r in rows]
    )
    return rows


async def walk(connection: Any, request: PageRequest) -> tuple[list[Page[Sheep]], list[Page[Sheep]]]:
    """Return the pages of the way forth, and of the way back from the last one."""
    forth = [await read(connection, request)]
    while forth[-1].next is not None:
        assert len(forth) < 20
        forth.append(await read(connection, msgspec.structs.replace(request, cursor=forth[-1].next)))
    back = []
    cursor = forth[-1].prev
    while cursor is not None:
        assert len(back) < 20
        back.append(await read(connection, msgspec.structs.replace(request, cursor=cursor)))
        cursor = back[-1].prev
    return forth, back


@pytest.fixture
def run(servers: Servers) -> Any:
    """Run coroutines on one connection, outside any test's event loop, as hypothesis needs it."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(servers.admin_url))
    loop.run_until_complete(
        connection.execute(
            """create temporary table sheep (tenant_id uuid, id uuid, tag text collate "C", rank bigint, day date,
            seen_at timestamptz)"""
        )
    )
    yield lambda make: loop.run_until_complete(make(connection))
    loop.run_until_complete(connection.close())
    loop.close()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flocks, st.sampled_from(FIELDS), st.integers(1, 5), filters)
def test_pages_forth_and_back_are_the_whole_list_in_order(
    run: Any, flock: list[tuple[Any, ...]], sort: str, limit: int, kept: tuple[Filter, ...]
) -> None:
    async def check(connection: Any) -> None:
        whole = expected(await fill(connection, flock), sort, kept)
        request = PageRequest(SHEEP, kept, sort, limit)
        forth, back = await walk(connection, request)
        assert [row for page in forth for row in page.items] == whole
        assert all(len(page.items) == limit for page in forth[:-1])
        assert forth[0].prev is None
        assert [page.items for page in reversed(back)] == [page.items for page in forth[:-1]]
        sql, arguments = counted(SQL, request, first=2)
        assert await connection.fetchval(sql, TENANT, *arguments) == len(whole)

    run(check)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(flocks.filter(lambda f: len(f) > 3), st.sampled_from(FIELDS), st.data())
def test_rows_that_come_or_go_between_pages_move_no_other_row(
    run: Any, flock: list[tuple[Any, ...]], sort: str, data: st.DataObject
) -> None:
    gone = data.draw(st.integers(0, len(flock) - 1))

    async def check(connection: Any) -> None:
        rows = await fill(connection, flock)
        whole = expected(rows, sort, ())
        request = PageRequest(SHEEP, (), sort, 2)
        seen = await read(connection, request)
        await connection.execute("delete from sheep where id = $1", rows[gone].id)
        rest = await read(connection, PageRequest(SHEEP, (), sort, 50, cursor=seen.next))
        assert rest.items == [row for row in whole[2:] if row.id != rows[gone].id]

    run(check)


def test_a_cursor_of_the_last_secret_still_serves_and_of_an_older_one_does_not(run: Any) -> None:
    async def check(connection: Any) -> None:
        await fill(connection, [("a", None, None, BASE)] * 3)
        request = PageRequest(SHEEP, (), "tag", 1)
        old = await read(connection, request, (b"old secret",))
        onward = msgspec.structs.replace(request, cursor=old.next)
        assert (await read(connection, onward)).items
        with pytest.raises(Refusal):
            await read(connection, onward, (b"new secret",))

    run(check)
