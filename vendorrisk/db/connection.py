"""The calls on a database connection that the rest of the product may use."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Protocol

Record = Mapping[str, Any]


class Connection(Protocol):
    """The used part of asyncpg's connection. A transaction is already open, except when reading."""

    async def fetch(self, query: str, *args: object) -> Sequence[Any]: ...

    async def fetchrow(self, query: str, *args: object) -> Any: ...

    async def fetchval(self, query: str, *args: object) -> Any: ...

    async def execute(self, query: str, *args: object) -> str: ...

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str: ...

    def cursor(self, query: str, *args: object, prefetch: int | None = None) -> AsyncIterator[Any]: ...
