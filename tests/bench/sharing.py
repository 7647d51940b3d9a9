"""Deliveries of many tenants: claimed and recorded by one worker, with a channel that takes everything at once.

Ten thousand tenants with one message each stand beside one tenant with as many. Then one message of a tenant stands
beside 1,500 of another one whose webhooks never respond.
"""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import asyncpg

from tests.bench.filling import NOW
from tests.bench.job_contexts import job_context_of
from tests.bench.stack import Stack
from tests.bench.table import Line, median
from vendorrisk.alerts import rules
from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Console, Message, Sent, WebhookEndpoint
from vendorrisk.ids import new_id
from vendorrisk.outbox.jobs import send_deliveries
from vendorrisk.outbox.sending import sending_places
from vendorrisk.queues.places import Places
from vendorrisk.worker import MESSAGE_KINDS

_DEAD = 1_500
_ROUNDS = 5
_TENANTS = """
insert into tenants (id, name, created_at, updated_at) select id, id::text, $2, $2 from unnest($1::uuid[]) as id
"""
_RECEIVERS = """
insert into receivers (tenant_id, id, name, kind, address_sealed, destination, created_at, updated_at)
select tenant_id, tenant_id, 'Sink', 'webhook', sealed, 'sink', $3, $3
from unnest($1::uuid[], $2::bytea[]) as r (tenant_id, sealed)
"""
_MESSAGES = """
with made as (
    insert into alerts (
        tenant_id, id, alert_class, dedupe_key, subject_kind, subject_id, title, raised_at, dispatched_at
    )
    select tenant_id, gen_random_uuid(), 'coverage_gap', gen_random_uuid()::text, 'service', tenant_id, 'A gap', $3, $3
    from unnest($1::uuid[]) as tenant_id cross join generate_series(1, $2::int)
    returning tenant_id, id
)
insert into deliveries (
    tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, attempts_allowed, next_attempt_at,
    created_at, updated_at
)
select tenant_id, gen_random_uuid(), 'alert', id, 'receiver', tenant_id, 8, $3, $3, $3 from made
"""


class _Sink:
    """Takes every message at once, but those to `dead`, which hang."""

    def __init__(self) -> None:
        self.taken = 0
        self.hanging = asyncio.Event()
        self.at = asyncio.Event()

    async def send(self, message: Message, to: Address, key: str) -> Sent:  # noqa: ARG002 - the port's arguments
        if isinstance(to, WebhookEndpoint) and "dead" in to.url:
            self.hanging.set()
            await asyncio.sleep(3600)
        self.taken += 1
        self.at.set()
        return Sent("ok")

    async def aclose(self) -> None:
        pass


async def run(stack: Stack, count: int) -> list[Line]:
    url = await stack.new_database("sharing")
    owner = await asyncpg.connect(url)
    try:
        async with job_context_of(stack.settings("sharing"), NOW) as context:
            await context.channels.aclose()
            many, (one, other, dead) = [new_id() for _ in range(count)], [new_id() for _ in range(3)]
            await _receivers(context, owner, [*many, one, other, dead])
            await owner.execute("analyze")
            alone = await _rate(context, owner, [one], count)
            shared = await _rate(context, owner, many, 1)
            quick, beside = await _seconds(context, owner, other, dead)
    finally:
        await owner.close()
    return [
        Line(f"{count:,} tenants, a message each", shared, alone, "one tenant's as many", "a second", ">= 0.50"),
        Line("a message beside 1,500 dead", 1000 * beside, 1000 * quick, "alone", "ms", "<= 2.00"),
    ]


async def _receivers(context: JobContext, owner: asyncpg.Connection, tenants: list[UUID]) -> None:
    """Make tenants, each with a receiver that has its id. The last tenant's never responds."""
    sealed = [
        rules.sealed_address(
            context.keyring,
            tenant,
            tenant,
            WebhookEndpoint("https://dead.example.com/", "whsec_" + "A" * 32) if tenant == tenants[-1] else Console(),
        )
        for tenant in tenants
    ]
    await owner.execute(_TENANTS, tenants, NOW)
    await owner.execute(_RECEIVERS, tenants, sealed, NOW)


async def _rate(context: JobContext, owner: asyncpg.Connection, tenants: list[UUID], each: int) -> float:
    await owner.execute(_MESSAGES, tenants, each, NOW - timedelta(minutes=1))
    await owner.execute("analyze deliveries")
    context.channels = sink = _Sink()
    begun = time.perf_counter()
    while await send_deliveries(context, MESSAGE_KINDS):
        pass
    seconds = time.perf_counter() - begun
    if sink.taken != len(tenants) * each:
        raise RuntimeError(f"{sink.taken} of {len(tenants) * each} deliveries were sent")
    return sink.taken / seconds


async def _seconds(context: JobContext, owner: asyncpg.Connection, other: UUID, dead: UUID) -> tuple[float, float]:
    """Return in how many seconds a message leaves alone, and beside a tenant whose webhooks never respond."""
    alone = [await _one(context, owner, other, sending_places(), _Sink()) for _ in range(_ROUNDS)]
    await owner.execute(_MESSAGES, [dead], _DEAD, NOW - timedelta(minutes=1))
    places = sending_places()
    context.channels = sink = _Sink()
    hanging = asyncio.create_task(send_deliveries(context, MESSAGE_KINDS, places))
    await sink.hanging.wait()
    try:
        beside = [await _one(context, owner, other, places, sink) for _ in range(_ROUNDS)]
    finally:
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
    return median(alone), median(beside)


async def _one(context: JobContext, owner: asyncpg.Connection, tenant: UUID, places: Places, sink: _Sink) -> float:
    """Return in how many seconds a message leaves, by the run that its nudge begins."""
    await owner.execute(_MESSAGES, [tenant], 1, NOW - timedelta(minutes=1))
    context.channels = sink
    sink.at.clear()
    begun = time.perf_counter()
    running = asyncio.create_task(send_deliveries(context, MESSAGE_KINDS, places))
    await sink.at.wait()
    seconds = time.perf_counter() - begun
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return seconds
