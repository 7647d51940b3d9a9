"""Claim leases at a million assets, beside the barest statement that takes as many rows from the same index."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from tests.bench.job_contexts import job_context_of
from tests.bench.stack import Stack
from tests.bench.table import Line, median
from vendorrisk.ids import new_id
from vendorrisk.signals import queries

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MOST = 500
GOAL_MS = 50
_ROUNDS = 15
_DUE_OF = 30  # one of so many is due now
_BARE = (
    "select name from registrable_domains where next_scan_at <= $1 order by next_scan_at limit $2"
    " for update skip locked"
)


async def filled(stack: Stack, assets: int) -> None:
    """Make as many domains, each of one vendor of one tenant; one of `_DUE_OF` is due now, the rest in a day."""
    url = await stack.new_database("signals")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("set session_replication_role = replica; set synchronous_commit = off")
        await connection.execute(
            "insert into tenants (id, name, created_at, updated_at) values ($1, 'Bench', $2, $2)", UUID(int=1), NOW
        )
        for statement in _FILL:
            await connection.execute(statement, assets, NOW)
        await connection.execute("vacuum (analyze, freeze)")
    finally:
        await connection.close()


_AT = "$2::timestamptz + make_interval(secs => (n::bigint * 7919 % 86400) - 2880)"
_FILL = (
    f"""
    insert into registrable_domains (name, next_scan_at)
    select 'd' || n || '.com', {_AT} from generate_series(1, $1::int) as n
    """,
    """
    insert into public_assets (id, kind, name, registrable_domain, created_at)
    select lpad(to_hex(n), 32, '0')::uuid, 'domain', 'd' || n || '.com', 'd' || n || '.com', $2
    from generate_series(1, $1::int) as n
    """,
    f"""
    insert into signal_schedule (asset_id, scan_kind, registrable_domain, next_scan_at)
    select lpad(to_hex(n), 32, '0')::uuid, g, 'd' || n || '.com', {_AT}
    from generate_series(1, $1::int) as n cross join unnest(array['dns', 'email', 'http', 'cert']) as g
    """,
    """
    insert into vendors (tenant_id, id, name, name_key, lifecycle, lifecycle_changed_at, intake, created_at, updated_at)
    select '00000000-0000-0000-0000-000000000001', lpad(to_hex(n), 32, '0')::uuid, 'V' || n, 'v' || n, 'active', $2,
        'open', $2, $2
    from generate_series(1, $1::int) as n
    """,
    """
    insert into vendor_assets (
        tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, attached_at, updated_at
    )
    select '00000000-0000-0000-0000-000000000001', lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid,
        lpad(to_hex(n), 32, '0')::uuid, 'domain', 'd' || n || '.com', 'd' || n || '.com', true, 'person', $2, $2
    from generate_series(1, $1::int) as n
    """,
)


async def run(stack: Stack, assets: int) -> list[Line]:
    await filled(stack, assets)
    claims, bares, scans = [], [], []
    async with job_context_of(stack.settings("signals"), NOW) as context:
        for _ in range(min(_ROUNDS, assets // _DUE_OF // MOST)):
            async with context.database.system() as connection:
                begun = time.perf_counter()
                await connection.fetch(_BARE, NOW, MOST)
                bares.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            async with context.database.system() as connection:
                claimed = await queries.claim_domains(connection, NOW, MOST, new_id(), timedelta(minutes=10))
            claims.append(time.perf_counter() - begun)
            if len(claimed) != MOST:
                raise RuntimeError(f"only {len(claimed)} registrable domains were due")
            begun = time.perf_counter()
            async with context.database.system() as connection:
                for domain in claimed[:50]:
                    await queries.due_scans(connection, domain.name, NOW, 60)
            scans.append((time.perf_counter() - begun) / 50)
    claim = 1000 * median(claims)
    return [
        Line(f"claim {MOST} domains of {assets:,}", claim, GOAL_MS, "the goal", "ms", "<= 1.00"),
        Line("the same", claim, 1000 * median(bares), "bare select for update", "ms"),
        Line("what is due at a domain", 1000 * median(scans), 1000 * median(bares), "the same", "ms"),
    ]
