"""One tenant's messages that never end, or never stop coming, do not delay another's."""

import asyncio
from typing import Any

import pytest

from tests.alerts.make import a_receiver, an_alert, recording, send
from tests.conftest import Company, FakeClock, found_company
from tests.fakes.outlet import RecordingOutlet
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Console, Message, Sent
from vendorrisk.outbox import queries

pytestmark = pytest.mark.anyio

_FILL = """
with made as (
    insert into alerts (
        tenant_id, id, alert_class, dedupe_key, subject_kind, subject_id, title, raised_at, dispatched_at
    )
    select $1, gen_random_uuid(), 'coverage_gap', n::text, 'service', gen_random_uuid(), 'Gap ' || n, $3, $3
    from generate_series(1, $4::int) as n
    returning id
)
insert into deliveries (
    tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, attempts_allowed, next_attempt_at,
    created_at, updated_at
)
select $1, gen_random_uuid(), 'alert', id, 'receiver', $2, 12, $3, $3, $3 from made
"""


async def flood(company: Company, owner: Any, clock: FakeClock, count: int, url: str) -> None:
    """Give a tenant so many messages that are due, to one webhook."""
    made = await a_receiver(company, name=url, target={"kind": "webhook", "url": url})
    await owner.execute(_FILL, company.tenant.id, made["id"], clock(), count)


async def one_message(context: JobContext, company: Company, owner: Any) -> None:
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)


class Dead(RecordingOutlet):
    """Takes messages for the console. Those for webhooks hang until the test lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.hanging = 0
        self.full, self.taken, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        if isinstance(to, Console):
            self.taken.set()
            return await super().send(message, to, key)
        self.hanging += 1
        if self.hanging >= 64:
            self.full.set()
        await self.go_on.wait()
        return Sent("late")


async def test_1500_dead_webhooks_of_one_tenant_leave_anothers_message_as_quick_as_alone(
    context: JobContext, company: Company, other_company: Company, owner: Any, clock: FakeClock
) -> None:
    recording(context)
    context.channels = outlet = Dead()
    await flood(company, owner, clock, 1500, "https://dead.example.com/hook")
    await a_receiver(other_company)
    running = asyncio.create_task(send(context))
    try:
        async with asyncio.timeout(60):
            await outlet.full.wait()
            # The other tenant's message comes while every place of the first tenant hangs.
            await one_message(context, other_company, owner)
            await outlet.taken.wait()
        assert len(outlet.sent) == 1
        assert outlet.hanging == 64, "the dead ones hold their places, and no more"
        assert not running.done(), "the message did not wait for the end of a run"
    finally:
        context.stopping.set()
        outlet.go_on.set()
        await running
    waiting = await owner.fetchval("select count(*) from deliveries where state = 'pending'")
    assert waiting == 1500 - 64, "no try of those that wait was spent"


async def test_tenants_take_turns_however_many_messages_one_of_them_has(
    api: Api, context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await flood(company, owner, clock, 900, "https://many.example.com/hook")
    others = [await found_company(api, clock, f"Tenant {number}") for number in range(6)]
    for other in others:
        await flood(other, owner, clock, 3, f"https://few{other.tenant.id.hex[:6]}.example.com/hook")
    await send(context)
    assert len(outlet.keys) == len(set(outlet.keys)) == 900 + 6 * 3
    of_others = {
        str(row["id"])
        for row in await owner.fetch("select id from deliveries where tenant_id <> $1", company.tenant.id)
    }
    last = max(place for place, key in enumerate(outlet.keys) if key in of_others)
    assert last < 128, "the others' messages are in the first round, and not behind 900"


async def test_a_host_that_hangs_leaves_the_tenants_other_receivers_alone(
    context: JobContext, company: Company, owner: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vendorrisk.outbox.sending._IN_FLIGHT_TO_A_HOST", 4)
    recording(context)
    context.channels = outlet = Dead()
    await flood(company, owner, clock, 200, "https://dead.example.com/hook")
    await a_receiver(company)
    await owner.execute(
        "update receivers set classes = array['evidence_expiring'] where kind = 'webhook' or kind = 'console'"
    )
    running = asyncio.create_task(send(context))
    try:
        async with asyncio.timeout(60):
            while outlet.hanging < 4:  # noqa: ASYNC110 - there is no event for the fourth
                await asyncio.sleep(0.01)
            await one_message(context, company, owner)
            await outlet.taken.wait()
        assert outlet.hanging <= 5, "four hang at the host, and the new message for it waits as well"
    finally:
        context.stopping.set()
        outlet.go_on.set()
        await running


async def test_claims_name_one_tenant_each_and_cost_one_round_trip_for_many(
    context: JobContext,
    company: Company,
    other_company: Company,
    owner: Any,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outlet, rounds = recording(context), list[int]()
    real = queries.lock_due

    async def lock_due(connection: Any, now: Any, shares: Any, *more: Any) -> Any:
        rounds.append(len(shares))
        return await real(connection, now, shares, *more)

    monkeypatch.setattr(queries, "lock_due", lock_due)
    for number, one in enumerate((company, other_company)):
        await flood(one, owner, clock, 10, f"https://hook{number}.example.com/hook")
    await send(context)
    assert len(outlet.sent) == 20
    assert rounds[0] == 2, "both tenants in one round trip"
    assert len(rounds) <= 3


async def test_a_tenant_that_is_noted_but_has_nothing_due_is_forgotten(
    context: JobContext, company: Company, owner: Any
) -> None:
    recording(context)
    await owner.execute(
        "insert into due_tenants (tenant_id, queue, due_at) values ($1, 'send_deliveries', now())", company.tenant.id
    )
    assert await send(context) == 0
    assert await owner.fetchval("select count(*) from due_tenants where queue = 'send_deliveries'") == 0


async def test_a_lost_note_heals_by_itself(context: JobContext, company: Company, owner: Any, clock: FakeClock) -> None:
    outlet = recording(context)
    await flood(company, owner, clock, 1, "https://hook.example.com/hook")
    await owner.execute("delete from due_tenants")
    assert await send(context) == 1
    assert len(outlet.sent) == 1
