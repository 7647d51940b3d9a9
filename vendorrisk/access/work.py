"""One operation: the context in which a service reads or writes in one tenant."""

from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.access.model import Permitted
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest, counted, paged
from vendorrisk.db.queries import Query

Row = TypeVar("Row")


class Work(msgspec.Struct, frozen=True):
    """A connection inside the tenant's transaction, the proof, and the instant the operation happens at."""

    db: Connection
    by: Permitted
    now: datetime
    request_id: str
    cursor_secrets: tuple[bytes, ...] = ()
    nudges: list[str] = msgspec.field(default_factory=list)
    entries_later: list[Any] | None = None
    """Where a bulk operation collects audit entries, to write them at its end. None: each is written at once."""

    def nudge(self, job: str) -> None:
        """Ask for a job to look soon. Said to Redis after the commit, and safe to lose: the row is the work."""
        if job not in self.nudges:
            self.nudges.append(job)

    @property
    def tenant_id(self) -> UUID:
        return self.by.tenant_id

    @property
    def today(self) -> date:
        return self.by.today(self.now)

    async def page(self, query: Query[Row], request: PageRequest, *arguments: Any) -> Page[Row]:
        """Run a list query for one page. Its first parameter is the tenant's id, then `arguments`."""
        own = (self.tenant_id, *arguments)
        statement = paged(
            query.sql,
            request,
            first=len(own) + 1,
            tenant_id=self.tenant_id,
            secrets=self.cursor_secrets,
        )
        rows = await query.many(self.db, *own, *statement.arguments, sql=statement.sql)
        page = statement.page(rows)
        if request.total:
            sql, extra = counted(query.sql, request, first=len(own) + 1)
            page.total = await self.db.fetchval(sql, *own, *extra)
        return page


class Transactions(Protocol):
    """The transactions of an operation that waits for its caller, a file store or a child process in between.

    None of them is open meanwhile, so that a slow caller holds no connection to the database.
    """

    @property
    def tenant_id(self) -> UUID: ...

    def look(self) -> AbstractAsyncContextManager[Work]:
        """Open one to read in, and end it on leaving."""

    async def begin(self) -> Work:
        """Open the one of the effect, once nothing slow is left to do. It is committed when the handler has responded.

        An operation begins once, or not at all if there is nothing to change.
        """
