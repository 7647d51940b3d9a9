"""Background work: raise what is due, make deliveries, send them.

`deliver_alerts` keeps a fixed number of sends in flight. Each is claimed (a lease and a token, committed) just before
it leaves, so that what may be doubled by a sudden death is what was in flight and nothing more; while it is under way
no transaction is open, and results are recorded a handful at a time.
"""

import asyncio
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import stamina
import structlog
from prometheus_client import Counter

from vendorrisk.alerts import queries, rules, service
from vendorrisk.alerts.model import Claimed, DeliveryState, ReceiverKind, Result
from vendorrisk.alerts.render import message_of
from vendorrisk.background import Job, World
from vendorrisk.channels.port import Address, Channel, EmailAddress, Failure, Undeliverable
from vendorrisk.db.pool import UNREACHABLE
from vendorrisk.errors import Refusal
from vendorrisk.ids import new_id
from vendorrisk.keys import SealError

RAISED = Counter("vendorrisk_alerts_raised_total", "Alerts raised by the sweep.")
ATTEMPTS = Counter("vendorrisk_delivery_attempts_total", "Tries of deliveries.", ["kind", "outcome"])
TAKEN_OVER = Counter(
    "vendorrisk_deliveries_uncertain_total", "Deliveries taken over from a sender that died: perhaps doubled."
)
UNTOLD = Counter("vendorrisk_alerts_untold_total", "Alerts that no receiver lets pass: nobody was told.")
DEAD = Counter("vendorrisk_deliveries_dead_total", "Deliveries that were given up.", ["kind"])

_SWEEP, _FAN_OUT = 1000, 500  # rows of one transaction, so that locks are short
_IN_FLIGHT = 64
_SLICE = 2000  # deliveries of one run before the job looks at the clock again
_CLAIM_SECONDS = 30.0  # of one run: slow receivers must not carry what was claimed past the job's own time
_LEASE = timedelta(seconds=90)  # longer than any channel's timeout and the recording after it
_SEND_SECONDS = 45  # a channel that breaks its promise to end is left
_RECORD_SECONDS = 30.0

_log = structlog.get_logger("alerts")


async def raise_due_alerts(world: World) -> int:
    """Raise an alert for each deadline that crossed a step since it was last looked at."""
    async with world.database.system() as connection:
        looked = await queries.raise_due(connection, world.clock(), _SWEEP)
    RAISED.inc(looked.raised)
    if looked.raised:
        await world.nudge([service.DISPATCH])
    return looked.looked_at


async def dispatch_alerts(world: World) -> int:
    """Make one delivery per alert and recipient."""
    async with world.database.system() as connection:
        done = await queries.dispatch(connection, world.clock(), _FAN_OUT, rules.TRIES)
    UNTOLD.inc(done.untold)
    if done.untold:
        _log.warning("alerts_untold", alerts=done.untold)
    if done.made:
        await world.nudge([service.DELIVER])
    return done.dispatched


async def deliver_alerts(world: World) -> int:
    """Send what may be tried now; returns how many were tried or given up."""
    return await _give_up(world) + await _Sender(world).run()


async def _give_up(world: World) -> int:
    """End what was tried as often as it may be by senders that died."""
    async with world.database.system() as connection:
        ended = await queries.give_up(connection, world.clock(), _SLICE, rules.TRIES)
    for each in ended:
        if each.state is DeliveryState.DEAD:
            DEAD.labels(each.kind.value).inc()
            _log.warning("delivery_dead", delivery=str(each.id), failure=Failure.TIMEOUT.value)
    return len(ended)


class _Sender:
    """One run: keeps sends in flight until nothing is due, its time or slice is over, or the worker stops.

    However it ends, what receivers took is recorded, or every interruption would send it again.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._flying: set[asyncio.Task[Result]] = set()
        self._landed: list[Result] = []
        self._claimed = 0
        self._claims_until = asyncio.get_running_loop().time() + _CLAIM_SECONDS

    async def run(self) -> int:
        try:
            await self._send_what_is_due()
        except asyncio.CancelledError:
            await self._cut()
            raise
        finally:
            for task in self._flying:
                task.cancel()
        return self._claimed

    async def _send_what_is_due(self) -> None:
        more, trouble = True, None
        while more or self._flying:
            free = _IN_FLIGHT - len(self._flying)
            # Half of the places are filled at once: a claim for each single one would cost more than the send.
            if more and free >= _IN_FLIGHT // 2:
                try:
                    more = await self._claim(free)
                except Exception as error:  # noqa: BLE001 - raised below, when those under way have ended
                    more, trouble = False, error
            if self._flying:
                await self._land()
            more = more and self._may_go_on()
        if trouble is not None:
            raise trouble

    def _may_go_on(self) -> bool:
        in_time = asyncio.get_running_loop().time() < self._claims_until
        return in_time and self._claimed < _SLICE and not self._world.stopping.is_set()

    async def _claim(self, free: int) -> bool:
        now, token = self._world.clock(), new_id()
        async with self._world.database.system() as connection:
            claimed = await queries.claim(connection, now, free, token, now + _LEASE, rules.TRIES)
        self._claimed += len(claimed)
        self._flying |= {asyncio.create_task(_try(self._world, each, token)) for each in claimed}
        TAKEN_OVER.inc(sum(each.was_uncertain for each in claimed))
        return len(claimed) == free

    async def _land(self) -> None:
        done, self._flying = await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # those that end in the same turn land together
        done |= {task for task in self._flying if task.done()}
        self._flying -= done
        self._landed = [task.result() for task in done]
        await _record(self._world, self._landed)
        self._landed = []

    async def _cut(self) -> None:
        """Leave those under way to their lease, and record the others; a result recorded twice changes nothing."""
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)
        ended = [task.result() for task in self._flying if not task.cancelled() and task.exception() is None]
        if results := [*self._landed, *ended]:
            await _record(self._world, results)


async def _try(world: World, claimed: Claimed, token: UUID) -> Result:
    """Send one message with no transaction open; whatever happens becomes a result."""
    try:
        detail = await _send(world, claimed)
    except Undeliverable as why:
        return rules.not_sent(claimed, token, why, world.clock())
    return rules.sent(claimed, token, detail)


async def _send(world: World, claimed: Claimed) -> str:
    channel: Channel = world.channels
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            message = message_of(claimed, world.settings.public_url)
            return (await channel.send(message, _address(world, claimed), str(claimed.id))).detail
    except Undeliverable:
        raise
    except TimeoutError:
        raise Undeliverable(Failure.TIMEOUT, "no answer in time", retryable=True) from None
    except Exception as error:
        # A fault of ours must not stop the others; it is tried again, and then a dead letter that can be resent.
        _log.exception("delivery_failed", delivery=str(claimed.id), receiver=str(claimed.receiver_id))
        raise Undeliverable(Failure.TEMPORARY, type(error).__name__, retryable=True) from error


def _address(world: World, claimed: Claimed) -> Address:
    if claimed.kind is ReceiverKind.OWNERS:
        return EmailAddress(claimed.recipient)
    try:
        return service.opened_address(
            world.keyring, claimed.tenant_id, claimed.receiver_id, claimed.address_sealed or b""
        )
    except (SealError, msgspec.DecodeError) as error:
        detail = "the receiver's address cannot be opened; send it again"
        raise Undeliverable(Failure.NOT_CONFIGURED, detail, retryable=True) from error


async def _record(world: World, results: Collection[Result]) -> None:
    """Write down what became of sends; tried for a while where Postgres is away, because the sends have happened."""
    async for attempt in stamina.retry_context(
        on=(Refusal, *UNREACHABLE), attempts=None, timeout=_RECORD_SECONDS, wait_initial=0.1, wait_max=2.0
    ):
        with attempt:
            async with world.database.system() as connection:
                await queries.record(connection, world.clock(), [_storable(result) for result in results])
                if rests := _rests(results):
                    await queries.postpone(connection, rests)
    for result in results:
        ATTEMPTS.labels(result.delivery.kind.value, result.outcome.value).inc()
        if result.state is DeliveryState.DEAD:
            DEAD.labels(result.delivery.kind.value).inc()
            _log.warning("delivery_dead", delivery=str(result.delivery.id), failure=result.failure)


def _storable(result: Result) -> Result:
    """Return the result with a detail that Postgres can hold: a stranger wrote it."""
    if result.detail is None:
        return result
    sound = result.detail.encode("utf-8", "replace").decode().replace("\0", " ")
    return msgspec.structs.replace(result, detail=sound[:500])


def _rests(results: Iterable[Result]) -> list[tuple[UUID, UUID, datetime]]:
    latest: dict[tuple[UUID, UUID], datetime] = {}
    for result in results:
        if result.rests_until is not None:
            key = (result.delivery.tenant_id, result.delivery.receiver_id)
            latest[key] = max(result.rests_until, latest.get(key, result.rests_until))
    return [(tenant, receiver, until) for (tenant, receiver), until in latest.items()]


JOBS = (
    Job(service.RAISE, raise_due_alerts, 60),
    Job(service.DISPATCH, dispatch_alerts, 30),
    # Long enough for the last run that may begin (at half of it) to claim, to hear the slowest receiver, and to record.
    Job(service.DELIVER, deliver_alerts, 15, timeout_seconds=240),
)
"""What the schedule lists of this feature."""
