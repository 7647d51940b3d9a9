"""Jobs tell of their runs: begun, ended, and with which error."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog

from vendorrisk.clock import Clock
from vendorrisk.db.pool import Database
from vendorrisk.db.queries import Query
from vendorrisk.processes import metrics, queries

_SECONDS_BETWEEN = 5  # runs by nudge may come faster, and are not each worth a row's change
_log = structlog.get_logger("job")


class Ticks:
    """Keeps the last run of each job of one process. A tick that cannot be kept never fails the run."""

    def __init__(self, database: Database, clock: Clock, process: str) -> None:
        self._database, self._clock, self._process = database, clock, process
        self._kept: dict[str, datetime] = {}

    @contextlib.asynccontextmanager
    async def of(self, job: str) -> AsyncIterator[None]:
        begun, error = self._clock(), None
        last = self._kept.get(job)
        is_kept = last is None or begun - last >= timedelta(seconds=_SECONDS_BETWEEN)
        if is_kept:
            self._kept[job] = begun
            await self._note(queries.BEGIN_TICK, job, begun)
        try:
            yield
        except BaseException as raised:
            # The kind alone: a driver's message may hold values of a tenant.
            error = type(raised).__name__
            self._kept.pop(job, None)
            raise
        finally:
            metrics.LAST_RUN.labels(job).set(self._clock().timestamp())
            if is_kept or error is not None:
                await self._note(queries.END_TICK, job, self._clock(), error)

    async def _note(self, query: Query[None], job: str, *arguments: object) -> None:
        try:
            async with self._database.system() as connection:
                await query.run(connection, job, self._process, *arguments)
        except Exception as error:  # noqa: BLE001 - see above
            _log.warning("tick_not_kept", kept=job, error=type(error).__name__)
