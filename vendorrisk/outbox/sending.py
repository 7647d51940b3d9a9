"""One run of the sending job.

It keeps a fixed number of sends in flight. Each is claimed (a lease and a token, committed) just before it leaves, so
that a sudden death duplicates only the messages in flight. Results are recorded a handful at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from prometheus_client import Counter

from vendorrisk.background import JobContext
from vendorrisk.outbox import attempts, claims, results
from vendorrisk.outbox.claims import LoadError
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.model import Result

TAKEN_OVER = Counter(
    "vendorrisk_deliveries_uncertain_total", "Deliveries reclaimed from a sender that died: possible duplicates."
)

_IN_FLIGHT = 64
_SLICE = 2000  # deliveries of one run before the job looks at the clock again
_CLAIM_SECONDS = 30.0  # of one run, so that slow destinations cannot keep a run beyond the job's timeout


class Sender:
    """One run: keeps sends in flight until nothing is due, its time or slice is over, or the worker stops.

    However it ends, accepted messages are recorded, or every interruption would send them again.
    """

    def __init__(self, context: JobContext, kinds: Sequence[Kind[Any]]) -> None:
        self._context = context
        self._kinds = {kind.owner_kind: kind for kind in kinds}
        self._claimable = dict(self._kinds)
        self._flying: set[asyncio.Task[Result]] = set()
        self._landed: list[Result] = []
        self._handled = 0
        self._trouble: Exception | None = None
        self._claims_until = asyncio.get_running_loop().time() + _CLAIM_SECONDS

    async def run(self) -> int:
        """Send due deliveries. Return how many were tried, cancelled or given up."""
        try:
            await self._send_what_is_due()
        except asyncio.CancelledError:
            await self._cut()
            raise
        finally:
            for task in self._flying:
                task.cancel()
        return self._handled

    async def _send_what_is_due(self) -> None:
        while await self._try(self._give_up):
            pass
        more = bool(self._claimable)
        while more or self._flying:
            # Half of the places are filled at once: a claim for each single one would cost more than the send.
            if more and self._free >= _IN_FLIGHT // 2:
                more = await self._try(self._claim)
            if self._flying:
                await self._land()
            more = more and self._may_go_on()
        if self._trouble is not None:
            raise self._trouble

    async def _try(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Do a step. Return whether another may follow. Trouble is raised when those under way have ended."""
        try:
            return await step()
        except LoadError as error:
            self._trouble = error
            del self._claimable[error.owner_kind]
            return bool(self._claimable)
        except Exception as error:  # noqa: BLE001 - raised at the end of the run
            self._trouble = error
            return False

    @property
    def _free(self) -> int:
        return _IN_FLIGHT - len(self._flying)

    def _may_go_on(self) -> bool:
        in_time = asyncio.get_running_loop().time() < self._claims_until
        return in_time and self._handled < _SLICE and not self._context.stopping.is_set()

    async def _give_up(self) -> bool:
        self._handled += await results.give_up(self._context, self._claimable, _SLICE)
        return False

    async def _claim(self) -> bool:
        free = self._free
        claimed = await claims.claim(self._context, self._claimable, free)
        self._handled += claimed.taken
        self._flying |= {asyncio.create_task(attempts.attempt(self._context, flight)) for flight in claimed.flights}
        TAKEN_OVER.inc(sum(flight.lease.delivery.lease_token is not None for flight in claimed.flights))
        return claimed.taken == free

    async def _land(self) -> None:
        done, self._flying = await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # those that end in the same turn land together
        done |= {task for task in self._flying if task.done()}
        self._flying -= done
        self._landed = [task.result() for task in done]
        await results.record(self._context, self._kinds, self._landed)
        self._landed = []

    async def _cut(self) -> None:
        """Leave deliveries under way to their lease, and record the others. A result recorded twice changes nothing."""
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        ended = [task.result() for task in self._flying if not task.cancelled() and task.exception() is None]
        if found := [*self._landed, *ended]:
            await results.record(self._context, self._kinds, found)
