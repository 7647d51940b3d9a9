"""A sender that must stop: what was accepted is recorded, whatever ends the run, and nothing new is begun."""

import asyncio
from typing import Any

import asyncpg
import pytest

from tests.alerts.make import TODAY, Feature, a_receiver, a_vendor, expiry, recording, send
from tests.conftest import Company
from tests.fakes.outlet import RecordingOutlet
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Message, Sent
from vendorrisk.outbox import queries, sending

pytestmark = pytest.mark.anyio


class Slow(RecordingOutlet):
    """Takes a message only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = asyncio.Event()
        self.go_on = asyncio.Event()
        self.begun = 0
        self.at_once = 0  # how many it takes without waiting

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        self.begun += 1
        self.under_way.set()
        if self.begun > self.at_once:
            await self.go_on.wait()
        return await super().send(message, to, key)


@pytest.fixture
async def outlet(context: JobContext, company: Company, owner: Any) -> Slow:
    """Two hundred deliveries that may be sent, to a receiver that takes its time."""
    recording(context)
    context.channels = outlet = Slow()
    await a_receiver(company)
    vendor = await a_vendor(owner, company)
    await Feature(context, company).watch(*(expiry(vendor, TODAY) for _ in range(200)))
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    return outlet


async def states(owner: Any) -> dict[str, int]:
    return dict(await owner.fetch("select state, count(*) from deliveries group by 1"))


async def test_a_database_that_goes_while_messages_are_under_way_does_not_make_them_uncertain(
    context: JobContext, owner: Any, outlet: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = queries.lock_due, 0

    async def lock_due(*of: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            asyncio.get_running_loop().call_later(0.05, outlet.go_on.set)
            raise asyncpg.ConnectionDoesNotExistError("the server went away")
        return await real(*of)

    monkeypatch.setattr(queries, "lock_due", lock_due)
    outlet.at_once = 40
    running = asyncio.create_task(send(context))
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await running
    assert len(outlet.sent) == 64, "those under way were let end"
    assert await states(owner) == {"sent": 64, "pending": 136}
    while await send(context):
        pass
    assert len(outlet.keys) == len(set(outlet.keys)) == 200, "none twice"


async def test_a_cancelled_run_records_what_was_taken_and_leaves_the_rest_to_the_lease(
    context: JobContext, owner: Any, outlet: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, real = asyncio.Event(), queries.record

    async def record(*of: Any) -> Any:
        reached.set()
        await asyncio.sleep(0.05)  # the moment in which it is cancelled
        return await real(*of)

    monkeypatch.setattr(queries, "record", record)
    running = asyncio.create_task(send(context))
    await outlet.under_way.wait()
    outlet.go_on.set()
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    found = await states(owner)
    assert found["sent"] == len(outlet.sent) > 0, "what the receiver took is recorded"
    assert found.get("sending", 0) == outlet.begun - len(outlet.sent), "what was under way is left to the lease"


async def test_when_the_worker_stops_nothing_new_is_claimed(context: JobContext, owner: Any, outlet: Slow) -> None:
    running = asyncio.create_task(send(context))
    await outlet.under_way.wait()
    context.stopping.set()
    outlet.go_on.set()
    assert await running == 64
    assert await states(owner) == {"sent": 64, "pending": 136}


async def test_slow_receivers_do_not_carry_a_run_past_its_time(
    context: JobContext, owner: Any, outlet: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_CLAIM_SECONDS", 0.0)
    outlet.go_on.set()
    assert await send(context) == 64
    assert await states(owner) == {"sent": 64, "pending": 136}
