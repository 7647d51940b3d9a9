"""One operation: a service's access to read or write in one tenant."""

from datetime import date, datetime
from typing import Any, TypeVar
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

    def nudge(self, job: str) -> None:
        """Request a job to run soon.

        The nudge goes to Redis after the commit, and is safe to lose: the row is the work.
        """
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
