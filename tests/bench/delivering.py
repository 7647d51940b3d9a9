"""Deliveries a second: claimed, signed, sent to a webhook on loopback and recorded, by one worker.

Beside them a bare `httpx` client that posts as many bodies of the same size to the same receiver, as many at once, and
writes nothing down.
"""

import asyncio
import os
import ssl
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import msgspec
import trustme

from tests.bench.filling import NOW
from tests.bench.job_contexts import job_context_of
from tests.bench.stack import Stack, Watched, serving
from tests.bench.table import Line
from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts import service
from vendorrisk.alerts.receiver_model import NewReceiver, WebhookTarget
from vendorrisk.background import JobContext
from vendorrisk.channels.outlets import outlets_from
from vendorrisk.identity import service as identity
from vendorrisk.lab.dns import dns_fake
from vendorrisk.outbox.jobs import send_deliveries
from vendorrisk.worker import MESSAGE_KINDS

GOAL = 1_000
_HOST = "hooks.example.com"
_AT_ONCE = 64
_BODY = b"x" * 900

_FILL = """
with made as (
    insert into alerts (
        tenant_id, id, alert_class, dedupe_key, subject_kind, subject_id, title, facts, raised_at, dispatched_at
    )
    select $1, gen_random_uuid(), 'coverage_gap', n::text, 'service', gen_random_uuid(), 'A gap of ' || n || ' days',
        '{"Days": 31}', $3, $3
    from generate_series(1, $4::int) as n
    returning id
)
insert into deliveries (
    tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, attempts_allowed, next_attempt_at,
    created_at, updated_at
)
select $1, gen_random_uuid(), 'alert', id, 'receiver', $2, 8, $3, $3, $3 from made
"""


class _Bare:
    """A client that posts as many bodies and does nothing else."""

    def __init__(self, port: int, trusted: ssl.SSLContext) -> None:
        self._port, self._trusted = port, trusted

    async def post_all(self, count: int) -> float:
        """Return in how many seconds all were taken."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def post(client: httpx.AsyncClient) -> None:
            async with gate:
                url, extensions = f"https://127.0.0.1:{self._port}/hook", {"sni_hostname": _HOST}
                (await client.post(url, content=_BODY, extensions=extensions)).raise_for_status()

        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=_AT_ONCE), verify=self._trusted) as client:
            begun = time.perf_counter()
            await asyncio.gather(*(post(client) for _ in range(count)))
            return time.perf_counter() - begun


async def run(stack: Stack, count: int) -> list[Line]:
    url = await stack.new_database("delivering")
    trusted, environment = _certified(stack.folder)
    with serving(["tests.bench.sink"], environment, stack.folder / "sink.log") as (_, port):
        async with dns_fake({(_HOST, "A"): ["127.0.0.1"]}) as names:
            settings = msgspec.structs.replace(
                stack.settings("delivering"),
                environment="test",
                egress_resolvers=":".join(map(str, names.address)),
                egress_test_networks="127.0.0.0/8",
                egress_test_ports=f"443={port}",
            )
            async with job_context_of(settings, NOW) as context:
                await context.channels.aclose()
                context.channels = outlets_from(settings, context.clock, tls=trusted)
                await _filled(context, url, count)
                return await _measured(context, url, count, _Bare(port, trusted))


def _certified(folder: Path) -> tuple[ssl.SSLContext, dict[str, str]]:
    """Make the receiver's certificate; returns who trusts it, and where it lies."""
    authority, trusted = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusted)
    issued = authority.issue_cert(_HOST)
    certificate, key = folder / "sink.pem", folder / "sink.key"
    certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    return trusted, {"CERTIFICATE": str(certificate), "KEY": str(key)}


async def _filled(context: JobContext, url: str, count: int) -> None:
    async with context.database.system() as connection:
        tenant, _ = await identity.found_tenant(connection, "Bench", "UTC", NOW)
    receiver_id = await _receiver(context, Tenant(tenant.id, tenant.time_zone))
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(_FILL, tenant.id, receiver_id, NOW - timedelta(minutes=1), count)
        await owner.execute("analyze")
    finally:
        await owner.close()


async def _receiver(context: JobContext, tenant: Tenant) -> UUID:
    new = NewReceiver(name="Sink", target=WebhookTarget(url=f"https://{_HOST}/hook"))
    async with context.database.tenant(tenant.id) as connection:
        by = system(tenant, "bench", Permission.ALERTS_MANAGE)
        work = Work(db=connection, by=by, now=NOW, request_id="bench")
        return (await service.add_receiver(work, context.keyring, new)).id


async def _measured(context: JobContext, url: str, count: int, bare: _Bare) -> list[Line]:
    with Watched(os.getpid(), with_children=False) as memory:
        begun = time.perf_counter()
        while await send_deliveries(context, MESSAGE_KINDS):
            pass
        seconds = time.perf_counter() - begun
    owner = await asyncpg.connect(url)
    sent = await owner.fetchval("select count(*) from deliveries where state = 'sent' and attempts = 1")
    await owner.close()
    if sent != count:
        raise RuntimeError(f"{sent} of {count} deliveries were sent at the first try")
    seconds_bare = await bare.post_all(count)
    return [
        Line(f"{count:,} deliveries", count / seconds, GOAL, "the goal", "a second", ">= 1.00"),
        Line("the same", count / seconds, count / seconds_bare, "bare httpx", "a second"),
        Line("memory at most", max(memory.seen), memory.seen[0], "at first", "MB", "<= 1.30"),
    ]
