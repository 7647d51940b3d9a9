"""Senders that die in the middle, and many at once: nothing is lost, and what may be doubled is counted."""

import asyncio
from typing import Any

import pytest

from tests.alerts.make import (
    TODAY,
    Feature,
    a_receiver,
    a_vendor,
    an_alert,
    attempts,
    deliveries,
    expiry,
    recording,
    run_jobs,
    send,
    the_delivery,
)
from tests.conftest import Company, FakeClock
from tests.fakes.outlet import RecordingOutlet
from tests.outbox.make import Death, claimed
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Failure, Message, Sent, Undeliverable
from vendorrisk.outbox import queries, rules

pytestmark = pytest.mark.anyio


async def test_a_sender_that_dies_before_recording_leaves_an_uncertain_try_and_the_next_has_the_same_key(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    class Mortal(RecordingOutlet):
        def before_response(self) -> None:
            if len(self.sent) == 1:
                raise Death

    recording(context)
    context.channels = outlet = Mortal()
    await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    with pytest.raises(Death):
        await send(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], await attempts(company, delivery)) == ("sending", [("sending", None)])
    clock.advance(seconds=60)
    assert await send(context) == 0, "the lease still holds"
    clock.advance(seconds=60)
    assert await send(context) == 1
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["possible_duplicates"]) == ("sent", 1)
    assert await attempts(company, delivery) == [("uncertain", None), ("sent", None)]
    assert outlet.keys == [delivery["id"]] * 2, "doubled inside the window only, and under one key"


async def test_a_message_whose_sending_kills_its_sender_is_dead_after_the_tries_allowed_and_can_be_resent(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    class Deadly(RecordingOutlet):
        def before_response(self) -> None:
            raise Death

    recording(context)
    context.channels = outlet = Deadly()
    await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    for _ in range(rules.TRIES):
        with pytest.raises(Death):
            await send(context)
        clock.advance(seconds=91)
    assert await send(context) == 1, "given up, which kills nobody"
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["attempts"], delivery["failure"]) == ("dead", rules.TRIES, "timeout")
    assert await attempts(company, delivery) == [("uncertain", None)] * rules.TRIES
    clock.advance(days=1)
    assert await send(context) == 0
    assert len(outlet.sent) == rules.TRIES
    context.channels = sound = RecordingOutlet()
    again = await company.client.post(f"/v1/deliveries/{delivery['id']}/resends", etag=f'"{delivery["version"]}"')
    assert (again.status_code, again.json()["state"]) == (200, "pending")
    await run_jobs(context)
    assert ((await the_delivery(company))["state"], sound.keys) == ("sent", [delivery["id"]])


async def test_a_sender_that_dies_before_sending_loses_nothing(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    (flight,) = await claimed(context)
    clock.advance(seconds=91)
    await run_jobs(context)
    assert outlet.keys == [str(flight.lease.delivery.id)]


async def test_one_who_lost_the_lease_records_nothing(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    (flight,) = await claimed(context)
    clock.advance(seconds=91)
    await run_jobs(context)
    before = await the_delivery(company)
    late = rules.not_sent(flight.lease, Undeliverable(Failure.REJECTED, "no", retryable=False), clock())
    async with context.database.system() as connection:
        assert await queries.record(connection, clock(), [late]) == []
    assert await the_delivery(company) == before
    assert (before["state"], len(outlet.sent)) == ("sent", 1)


async def test_no_transaction_is_open_while_a_message_is_under_way(
    context: JobContext, company: Company, owner: Any
) -> None:
    open_transactions: list[int] = []

    class Watching(RecordingOutlet):
        async def send(self, message: Message, to: Address, key: str) -> Sent:
            await asyncio.sleep(0.05)
            open_transactions.append(
                await owner.fetchval(
                    "select count(*) from pg_stat_activity"
                    " where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()"
                )
            )
            return await super().send(message, to, key)

    recording(context)
    context.channels = outlet = Watching()
    await a_receiver(company)
    await an_alert(context, company, owner)
    await run_jobs(context)
    assert (len(outlet.sent), open_transactions) == (1, [0])


async def test_many_workers_send_each_message_once(context: JobContext, company: Company, owner: Any) -> None:
    outlet = recording(context)
    await a_receiver(company)
    vendor = await a_vendor(owner, company)
    await Feature(context, company).watch(*(expiry(vendor, TODAY) for _ in range(700)))

    async def worker() -> None:
        for _ in range(6):
            await run_jobs(context)
            await asyncio.sleep(0)

    await asyncio.gather(*(worker() for _ in range(3)))
    while await run_jobs(context):
        pass
    assert len(outlet.keys) == len(set(outlet.keys)) == 700
    assert {d["state"] for d in await deliveries(company, limit=200)} == {"sent"}
