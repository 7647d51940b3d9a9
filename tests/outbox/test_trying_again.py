"""What fails is tried again, further and further apart, under the same key; then it is a dead letter, or resent."""

from datetime import datetime
from itertools import pairwise
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
from tests.outbox.make import later
from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Failure, Message, Sent, Undeliverable
from vendorrisk.outbox import rules

pytestmark = pytest.mark.anyio


async def test_tries_are_further_and_further_apart_then_end_in_a_dead_letter_that_can_be_resent(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    outlet.trouble = [later() for _ in range(rules.TRIES)]
    await a_receiver(company)
    await an_alert(context, company, owner)
    waits = []
    for _ in range(rules.TRIES):
        await run_jobs(context)
        delivery = await the_delivery(company)
        if delivery["next_attempt_at"] is None:
            break
        waits.append((datetime.fromisoformat(delivery["next_attempt_at"]) - clock()).total_seconds())
        clock.now = datetime.fromisoformat(delivery["next_attempt_at"])
    assert (outlet.tries, outlet.sent) == (rules.TRIES, [])
    doubling = [after / before for before, after in pairwise(waits) if after < 6 * 3600 * 0.8]
    assert len(doubling) > 7
    assert all(1.9 < factor < 2.1 for factor in doubling)
    assert max(waits) <= 6 * 3600 * 1.2
    assert (delivery["state"], delivery["attempts"]) == ("dead", rules.TRIES)
    clock.advance(days=1)
    assert await send(context) == 0
    place = f"/v1/deliveries/{delivery['id']}"
    assert [d["id"] for d in await deliveries(company, filter="state:eq:dead")] == [delivery["id"]]
    assert (await company.client.post(f"{place}/resends")).status_code == 428
    resent = await company.client.post(f"{place}/resends", etag=await company.client.etag(place))
    assert resent.json()["state"] == "pending"
    await send(context)
    assert outlet.keys == [delivery["id"]]
    again = await company.client.post(f"{place}/resends", etag=await company.client.etag(place))
    assert (again.status_code, again.json()["code"]) == (409, "delivery_not_ended")
    assert len(await attempts(company, delivery)) == rules.TRIES + 1


async def test_a_receiver_that_cannot_be_reached_is_left_alone_for_a_while(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    vendor = await a_vendor(owner, company)
    await Feature(context, company).watch(*(expiry(vendor, TODAY) for _ in range(200)))
    outlet.trouble = [Undeliverable(Failure.UNREACHABLE, "away", retryable=True) for _ in range(1000)]
    await run_jobs(context)
    assert outlet.tries < 100, "what was in flight found it away; the rest waits"
    outlet.trouble.clear()
    clock.advance(minutes=11)
    while await run_jobs(context):
        pass
    assert len(set(outlet.keys)) == len(outlet.keys) == 200


async def test_a_fault_of_ours_stops_nobody_elses_message(context: JobContext, company: Company, owner: Any) -> None:
    class Broken(RecordingOutlet):
        async def send(self, message: Message, to: Address, key: str) -> Sent:
            if "Broken" in message.title:
                raise RuntimeError("a bug")
            return await super().send(message, to, key)

    recording(context)
    context.channels = outlet = Broken()
    await a_receiver(company)
    feature = Feature(context, company)
    for name in ("Fine", "Broken", "Well"):
        await feature.watch(expiry(await a_vendor(owner, company, name), TODAY))
    await run_jobs(context)
    assert len(outlet.sent) == 2
    (broken,) = await deliveries(company, filter="state:eq:pending")
    assert (broken["failure"], broken["detail"]) == ("temporary", "RuntimeError")


async def test_a_connection_that_breaks_before_the_response_is_counted_as_a_possible_duplicate(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    outlet.breaks = True
    await a_receiver(company)
    await an_alert(context, company, owner)
    await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["possible_duplicates"]) == ("pending", 1)
    outlet.breaks = False
    clock.advance(minutes=11)
    await run_jobs(context)
    assert outlet.keys == [delivery["id"]] * 2
    assert outlet.sent[0] == outlet.sent[1], "a later try says the same"
    assert await attempts(company, delivery) == [("uncertain", "unreachable"), ("sent", None)]


async def test_no_response_in_time_counts_as_perhaps_accepted(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    outlet.trouble = [Undeliverable(Failure.TIMEOUT, "no response in time", retryable=True)]
    await a_receiver(company)
    await an_alert(context, company, owner)
    await run_jobs(context)
    clock.advance(minutes=1)
    await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["possible_duplicates"]) == ("sent", 1)
    assert await attempts(company, delivery) == [("uncertain", "timeout"), ("sent", None)]


async def test_a_dead_letter_whose_last_try_may_have_arrived_says_so_when_it_is_resent(
    context: JobContext, company: Company, owner: Any
) -> None:
    outlet = recording(context)
    made = await a_receiver(company)
    outlet.trouble = [Undeliverable(Failure.TIMEOUT, "no response in time", retryable=True)]
    tested = (await company.client.post(f"/v1/receivers/{made['id']}/tests")).json()
    await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["id"], delivery["state"], delivery["possible_duplicates"]) == (tested["id"], "dead", 0)
    place = f"/v1/deliveries/{delivery['id']}"
    resent = await company.client.post(f"{place}/resends", etag=f'"{delivery["version"]}"')
    assert resent.json()["possible_duplicates"] == 1
    await run_jobs(context)
    assert ((await the_delivery(company))["state"], outlet.keys) == ("sent", [delivery["id"]])


async def test_words_of_a_stranger_that_postgres_cannot_hold_are_recorded_in_part(
    context: JobContext, company: Company, owner: Any
) -> None:
    outlet = recording(context)
    outlet.trouble = [Undeliverable(Failure.REJECTED, "no\0 \ud800" + "x" * 9000, retryable=False)]
    await a_receiver(company)
    await an_alert(context, company, owner)
    await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["detail"][:5], len(delivery["detail"])) == ("dead", "no  ?", 500)
