"""A process tells of itself: a row that is renewed, and figures that are measured with it."""

import asyncio
import contextlib
import os
import platform
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from vendorrisk.clock import Clock
from vendorrisk.db.pool import NOT_READY, UNREACHABLE, Database
from vendorrisk.errors import Refusal
from vendorrisk.processes import metrics, model, queries
from vendorrisk.release import VERSION

_AWAY = (Refusal, TimeoutError, *NOT_READY, *UNREACHABLE)
_log = structlog.get_logger("process")


def host_name() -> str:
    return platform.node()[:200]


class Heartbeat:
    """One process. `beat` is the whole of one heartbeat, `running` repeats it until the block is left."""

    def __init__(
        self,
        kind: str,
        database: Database,
        clock: Clock,
        *,
        key_ids: Sequence[str] = (),
        also: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._database, self._clock, self._also = database, clock, also
        self._is_heard = True
        now = clock()
        name = f"{kind}:{host_name()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.process = model.Process(name, kind, host_name(), VERSION, list(key_ids), now, now)
        metrics.BUILD.labels(VERSION, kind).set(1)

    async def beat(self) -> None:
        now = self._clock()
        async with self._database.system() as connection:
            await queries.beat(connection, self.process, now)
            await metrics.measure(connection, now)
        metrics.measure_pool(self._database)
        if self._also is not None:
            await self._also()

    async def leave(self) -> None:
        """Remove the row at a clean end. One that was killed keeps it, and is missing."""
        with contextlib.suppress(*_AWAY):
            async with asyncio.timeout(2), self._database.system() as connection:
                await queries.LEAVE.run(connection, self.process.process)

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        task = asyncio.create_task(self._repeat())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.leave()

    async def _repeat(self) -> None:
        while True:
            await self._softly()
            await asyncio.sleep(model.BEAT_SECONDS)

    async def _softly(self) -> None:
        """Beat. While the database is away the process goes on, and says so once."""
        try:
            await self.beat()
        except Exception as error:  # noqa: BLE001 - a heartbeat never ends its process
            if self._is_heard:
                _log.warning("heartbeat_unheard", error=f"{type(error).__name__}: {error}")
            self._is_heard = False
        else:
            self._is_heard = True
