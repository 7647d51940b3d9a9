"""What the planner makes of scans at size: indexes instead of whole tables, and partitions that are passed over."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import FakeClock
from vendorrisk.background import JobContext
from vendorrisk.ids import new_id
from vendorrisk.signals import api_queries, jobs, queries, reconcile_queries

pytestmark = pytest.mark.anyio

TENANT, ONE = UUID(int=1), UUID(int=7)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MONTHS = 6
ASSETS = 4000

_ID = "lpad(to_hex(n), 32, '0')::uuid"
AT, TENANT_ID = f"timestamptz '{NOW.isoformat()}'", f"uuid '{TENANT}'"
_FILL = (
    f"insert into tenants (id, name, created_at, updated_at) values ({TENANT_ID}, 'Big', {AT}, {AT})",
    f"""
    insert into vendors (tenant_id, id, name, name_key, lifecycle, lifecycle_changed_at, intake, created_at, updated_at)
    select {TENANT_ID}, {_ID}, 'V' || n, 'v' || n, 'active', {AT}, 'open', {AT}, {AT}
    from generate_series(1, {ASSETS}) as n
    """,
    f"""
    insert into vendor_assets (
        tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, attached_at, updated_at
    )
    select {TENANT_ID}, {_ID}, {_ID}, {_ID}, 'domain', 'd' || n || '.com', 'd' || n || '.com', true, 'person',
        {AT} - interval '1 year', {AT}
    from generate_series(1, {ASSETS}) as n
    """,
    f"""
    insert into public_assets (id, kind, name, registrable_domain, created_at)
    select {_ID}, 'domain', 'd' || n || '.com', 'd' || n || '.com', {AT} from generate_series(1, {ASSETS}) as n
    """,
    f"""
    insert into registrable_domains (name, next_scan_at)
    select 'd' || n || '.com', {AT} + make_interval(secs => n * 10 - 3000) from generate_series(1, {ASSETS}) n
    """,
    f"""
    insert into signal_schedule (asset_id, scan_kind, registrable_domain, next_scan_at, last_scan_at)
    select {_ID}, g, 'd' || n || '.com', {AT} + make_interval(secs => n * 10 - 3000), {AT}
    from generate_series(1, {ASSETS}) as n cross join unnest(array['dns', 'email', 'http']) as g
    """,
    f"""
    insert into signal_evaluations (
        evaluated_at, id, asset_id, rule, subject, verdict, reason, detail, evidence, severity, change, before,
        value_hash
    )
    select {AT} - make_interval(months => m) - make_interval(secs => n), gen_random_uuid(), {_ID},
        'web.csp', '', 'fail', 'x', 'x', '{{}}', 'medium', 'confirmed', 'pass', 'x'
    from generate_series(1, {ASSETS}) as n cross join generate_series(0, {MONTHS - 1}) as m
    """,
    f"""
    insert into signal_observations (
        observed_at, id, asset_id, scan_kind, raw, raw_hash, scan_id, scanner_version, datasets
    )
    select {AT} - make_interval(months => m) - make_interval(secs => n), gen_random_uuid(), {_ID}, 'dns',
        'x', 'x', gen_random_uuid(), '1', '{{}}'
    from generate_series(1, {ASSETS}) as n cross join generate_series(0, {MONTHS - 1}) as m
    """,
)


@pytest.fixture
async def big(context: JobContext, clock: FakeClock, owner: Any) -> Any:
    """Return a connection to a database of many assets and half a year of their evaluations."""
    for months in reversed(range(MONTHS)):
        clock.now = NOW - timedelta(days=30 * months)
        await jobs.maintain_partitions(context)
    await owner.execute("set session_replication_role = replica")
    for statement in _FILL:
        await owner.execute(statement)
    await owner.execute("analyze")
    return owner


async def plan(owner: Any, sql: str, *arguments: Any, job: bool = True) -> set[tuple[str, str]]:
    """Explain a statement as the product sends it; returns (table, how it is read)."""
    async with owner.transaction():
        role = "vendorrisk_system" if job else "vendorrisk_tenant"
        await owner.execute(f"set local role {role}; set local vendorrisk.tenant_id = '{'' if job else TENANT}'")
        told = json.loads(await owner.fetchval(f"explain (format json) {sql}", *arguments))
    return set(_reads(told[0]["Plan"]))


def _reads(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "Relation Name" in node:
        index = node.get("Index Name") or next(
            (c["Index Name"] for c in node.get("Plans", ()) if "Index Name" in c), ""
        )
        yield node["Relation Name"], index or node["Node Type"]
    for child in node.get("Plans", ()):
        yield from _reads(child)


async def test_claiming_and_reading_what_is_due_take_an_index(big: Any) -> None:
    claim = await plan(big, queries._CLAIM_DOMAINS.sql, NOW, 60, new_id(), timedelta(minutes=10))
    assert ("registrable_domains", "registrable_domains_by_next_scan") in claim, claim
    due = await plan(big, queries._DUE.sql, "d7.com", NOW, 60)
    assert ("signal_schedule", "signal_schedule_by_registrable_domain") in due, due
    assert "Seq Scan" not in {how for _, how in due}, due


async def test_a_page_of_history_reads_each_partition_by_its_index(big: Any) -> None:
    sql = api_queries.LIST_EVALUATIONS.sql.replace("/*where*/", "")
    page = await plan(big, sql.replace("/*order*/", "order by j.evaluated_at desc, j.id desc limit 51"), TENANT, ONE,
                      job=False)  # fmt: skip
    past = {(name, how) for name, how in page if "signal_evaluations_2" < name <= f"signal_evaluations_{NOW:%Y%m}"}
    assert len(past) >= MONTHS
    assert "Seq Scan" not in {how for _, how in past}, page


async def test_reconciliation_passes_over_the_partitions_of_months_it_has_notified(big: Any) -> None:
    told = await plan(big, reconcile_queries._EVENTS.sql, TENANT, ONE, NOW - timedelta(hours=1), job=False)
    read = {name for name, _ in told if name.startswith("signal_evaluations_2")}
    assert f"signal_evaluations_{NOW:%Y%m}" in read
    assert not [name for name in read if name < f"signal_evaluations_{NOW:%Y%m}"], "what is past is not scanned"


async def test_rows_stand_in_the_partition_of_their_month_and_none_beside(big: Any) -> None:
    sql = "select tableoid::regclass::text as name, count(*) from {} group by 1 order by 1"
    for table in ("signal_evaluations", "signal_observations"):
        rows = await big.fetch(sql.format(table))
        assert len(rows) >= MONTHS
        assert [row["name"] for row in rows if row["name"].endswith("_default")] == []
