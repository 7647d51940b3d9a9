"""Named SQL: `sql/queries/<feature>.sql` holds the text, a feature's `queries.py` gives each a type.

A file is read in the format of aiosql: a block begins with `-- name: find_vendor`. Every block must be claimed by
exactly one `Query`. A test prepares each on a migrated database and compares its columns with its Struct.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from vendorrisk.db.connection import Connection

Row = TypeVar("Row")

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)

REGISTRY: dict[tuple[str, str], "Query[Any]"] = {}
"""Every query that was claimed, by (feature, name)."""


@cache
def sql_folder() -> Path:
    """Return the folder of SQL: inside the installed package, or beside it in a checkout."""
    packaged = Path(__file__).parents[1] / "_sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


@cache
def blocks(feature: str) -> dict[str, str]:
    """Return name → SQL text of one file."""
    text = (sql_folder() / "queries" / f"{feature}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}


class Query(Generic[Row]):
    """One named statement and the type of its rows (a Struct, or a scalar for a single column)."""

    def __init__(self, feature: str, name: str, row: Any, *, as_is: bool = False) -> None:
        self.feature, self.name, self.row, self.as_is = feature, name, row, as_is
        self.sql = blocks(feature)[name]
        self.is_struct = isinstance(row, type) and issubclass(row, msgspec.Struct)
        REGISTRY[feature, name] = self

    def shape(self, record: Any) -> Row:
        """Turn one record into the row type."""
        if self.as_is:
            return self.row(**record)  # type: ignore[no-any-return]  # the row type that was claimed
        if self.is_struct:
            # By way of a dict, which costs a third of looking each field up in the record.
            return msgspec.convert(dict(record), self.row)  # type: ignore[no-any-return]  # the row type that was claimed
        return msgspec.convert(record[0], self.row)  # type: ignore[no-any-return]  # the row type that was claimed

    async def one(self, connection: Connection, *arguments: object) -> Row:
        """Return the only row. The statement is known to give one (`returning`, aggregates)."""
        return self.shape(await connection.fetchrow(self.sql, *arguments))

    async def one_or_none(self, connection: Connection, *arguments: object) -> Row | None:
        record = await connection.fetchrow(self.sql, *arguments)
        return None if record is None else self.shape(record)

    async def many(self, connection: Connection, *arguments: object, sql: str | None = None) -> list[Row]:
        """Return all rows. `sql` is this statement with its paging filled in by `db.paging`."""
        records: Sequence[Any] = await connection.fetch(sql or self.sql, *arguments)
        return [self.shape(record) for record in records]

    async def each(self, connection: Connection, arguments: Iterable[Sequence[object]]) -> list[Row]:
        """Run the statement once for each list of arguments, in one round trip. Return the rows of all of them.

        Statements about one tenant are sent for many tenants this way.
        """
        return [self.shape(record) for record in await connection.fetchmany(self.sql, arguments)]

    async def run_each(self, connection: Connection, arguments: Iterable[Sequence[object]]) -> None:
        """Run a statement that returns nothing once for each list of arguments, in one round trip."""
        await connection.executemany(self.sql, arguments)

    async def run(self, connection: Connection, *arguments: object) -> int:
        """Run a statement that returns nothing. Return the number of rows it touched."""
        tag = await connection.execute(self.sql, *arguments)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0


class QueryFile:
    """The queries of one feature."""

    def __init__(self, feature: str) -> None:
        self.feature = feature

    def rows(self, name: str, row: type[Row], *, as_is: bool = False) -> Query[Row]:
        """Claim a query with rows that fill a Struct, column by field.

        With `as_is`, values stay as the driver gives them (an enum is its text): for hot lists that are sent without
        further reading.
        """
        return Query(self.feature, name, row, as_is=as_is)

    def scalar(self, name: str, kind: type[Row]) -> Query[Row]:
        """Claim a query of one column."""
        return Query(self.feature, name, kind)

    def command(self, name: str) -> Query[None]:
        """Claim a statement that returns no rows."""
        return Query(self.feature, name, type(None))
