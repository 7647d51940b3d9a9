"""One run of the sending job.

It keeps a bounded number of sends in flight, and shares these places between tenants and hosts. Each send is claimed (a
lease and a token, committed) just before it leaves, so that a sudden death duplicates only the messages in flight.
Results are recorded a handful at a time.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from vendorrisk.background import JobContext
from vendorrisk.channels.port import Failure
from vendorrisk.outbox import attempts, claims, results
from vendorrisk.outbox.claims import Claimed, Flight
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.model import Result
from vendorrisk.outbox.queries import Share
from vendorrisk.queues import queries as queues
from vendorrisk.queues import turns
from vendorrisk.queues.places import Places
from vendorrisk.queues.turns import Queue

TAKEN_OVER = Counter(
    "vendorrisk_deliveries_uncertain_total", "Deliveries reclaimed from a sender that died: possible duplicates."
)

QUEUE = Queue("send_deliveries", queues.NOTE_DELIVERIES)

_IN_FLIGHT, _IN_FLIGHT_TO_A_HOST = 128, 64
_BATCH = 16  # a claim for each single message would cost more than the send
_CLAIM_SECONDS = 60.0  # of one run, so that slow destinations cannot keep a run beyond the job's timeout
_LOOK_SECONDS = 0.25  # so often it looks for others, while those under way do not end
_NOTE_SECONDS = 1.0  # so often it looks for tenants that are newly due


def sending_places() -> Places:
    """Make the places of a worker. Runs beside each other share them."""
    return Places(_IN_FLIGHT, _IN_FLIGHT_TO_A_HOST)


class Sender:
    """One run: keeps sends in flight until nothing is due, its time is over, or the worker stops.

    However it ends, accepted messages are recorded, or every interruption would send them again.
    """

    def __init__(self, context: JobContext, kinds: Sequence[Kind[Any]], places: Places) -> None:
        self._context, self._places = context, places
        self._kinds = {kind.owner_kind: kind for kind in kinds}
        self._waiting = deque[UUID]()
        self._served, self._left = set[UUID](), set[UUID]()
        self._crowded: dict[UUID, dict[UUID, str]] = {}
        self._flying: dict[asyncio.Task[Result], Flight] = {}
        self._landed: list[Result] = []
        self._handled = 0
        self._trouble: Exception | None = None
        now = asyncio.get_running_loop().time()
        self._claims_until, self._note_at, self._claim_at = now + _CLAIM_SECONDS, now, now

    async def run(self) -> int:
        """Send due deliveries. Return how many were tried, cancelled or given up."""
        try:
            await self._send_what_is_due()
        except asyncio.CancelledError:
            await self._cut()
            raise
        finally:
            for task, flight in self._flying.items():
                task.cancel()
                claims.free(self._places, [flight])
        await turns.remember(self._context, QUEUE, sorted(self._served), sorted(self._left - self._served))
        return self._handled

    async def _send_what_is_due(self) -> None:
        more = bool(self._kinds)
        while more or self._flying:
            if more:
                more = await self._claimed()
            if self._flying:
                await self._land()
            more = more and self._may_go_on()
        if self._trouble is not None:
            raise self._trouble

    async def _claimed(self) -> bool:
        """Fill places where that is worth a claim. Return whether more may follow. Trouble is raised at the end."""
        try:
            await self._note()
            shares, taken = self._shares(), 0
            if shares and self._is_worthwhile(shares):
                claimed = await claims.claim(self._context, self._kinds, shares, self._places)
                taken = sum(claimed.taken.values())
                self._keep(shares, claimed)
        except Exception as error:  # noqa: BLE001 - raised at the end of the run
            self._trouble = error
            return False
        return bool(taken or self._flying)

    async def _note(self) -> None:
        """Find out which tenants are due: at the beginning, and now and then while sends are in flight."""
        begun = asyncio.get_running_loop().time()
        if begun < self._note_at:
            return
        due = await turns.due_tenants(self._context, QUEUE, self._context.clock(), list(self._kinds))
        known = set(self._waiting)
        self._waiting.extend(one.id for one in due if one.id not in known)
        ended = asyncio.get_running_loop().time()
        self._note_at = ended + max(_NOTE_SECONDS, 20 * (ended - begun))

    def _shares(self) -> list[Share]:
        self._crowded = {
            tenant: still
            for tenant, hosts in self._crowded.items()
            if (still := {where: host for where, host in hosts.items() if not self._places.has_room(host)})
        }
        first = [self._waiting[place] for place in range(min(len(self._waiting), _IN_FLIGHT))]
        return [Share(tenant, most, list(self._crowded.get(tenant, ()))) for tenant, most in self._places.shares(first)]

    def _is_worthwhile(self, shares: Sequence[Share]) -> bool:
        waited = asyncio.get_running_loop().time() >= self._claim_at
        return not self._flying or waited or sum(share.most for share in shares) >= _BATCH

    def _keep(self, shares: Sequence[Share], claimed: Claimed) -> None:
        """Start the sends. A tenant whose share was used up may have more due: it goes behind the others."""
        self._claim_at = asyncio.get_running_loop().time() + _LOOK_SECONDS
        for flight in claimed.flights:
            self._flying[asyncio.create_task(attempts.attempt(self._context, flight))] = flight
        for tenant, hosts in claimed.crowded.items():
            self._crowded.setdefault(tenant, {}).update(hosts)
        for share in shares:
            self._waiting.remove(share.tenant_id)
            is_left = claimed.taken.get(share.tenant_id, 0) < share.most and share.tenant_id not in self._crowded
            (self._left if is_left else self._served).add(share.tenant_id)
            if not is_left:
                self._waiting.append(share.tenant_id)
        self._handled += sum(claimed.taken.values())
        for delivery_id, channel in claimed.dead:
            results.count_dead(channel, delivery_id, Failure.TIMEOUT.value)
        TAKEN_OVER.inc(sum(flight.lease.delivery.lease_token is not None for flight in claimed.flights))

    def _may_go_on(self) -> bool:
        in_time = asyncio.get_running_loop().time() < self._claims_until
        return in_time and not self._context.stopping.is_set()

    async def _land(self) -> None:
        done, _ = await asyncio.wait(self._flying, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # those that end in the same turn land together
        done |= {task for task in self._flying if task.done()}
        if not done:
            return
        claims.free(self._places, [self._flying.pop(task) for task in done])
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
