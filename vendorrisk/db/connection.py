"""The calls that the rest of the product may make on a database connection."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Protocol

Record = Mapping[str, Any]


class Connection(Protocol):
    """The part of asyncpg's connection that is used. A transaction is already open, except where reading."""

    async def fetch(self, query: str, *args: object) -> Sequence[Any]: ...

    async def fetchrow(self, query: str, *args: object) -> Any: ...

    async def fetchmany(self, query: str, args: Iterable[Sequence[object]]) -> Sequence[Any]: ...

    async def fetchval(self, query: str, *args: object) -> Any: ...

    async def execute(self, query: str, *args: object) -> str: ...

    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None: ...

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str: ...

    def cursor(self, query: str, *args: object, prefetch: int | None = None) -> AsyncIterator[Any]: ...
