"""What the planner makes of the overview at many vendors: a page reads its page."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from vendorrisk.alerts import queries as alerts
from vendorrisk.db.paging import ListOf, PageRequest, paged, read_filters
from vendorrisk.db.queries import Query
from vendorrisk.evidence import queries as evidence
from vendorrisk.evidence import report_part_queries
from vendorrisk.findings import queries as findings
from vendorrisk.outbox import queries as outbox
from vendorrisk.overview import queries
from vendorrisk.signals import api_queries
from vendorrisk.vendors import queries as vendors
from vendorrisk.vendors import supply_chain_queries
from vendorrisk.vendors.vendor_list import VENDORS

pytestmark = pytest.mark.anyio

TENANT, OTHER = UUID(int=1), UUID(int=2)
VENDORS_OF_EACH = 10_000
PAGE = 51
AT = "timestamptz '2026-03-02 08:00+00'"
_ID = "lpad(to_hex(t * 1000000 + n), 32, '0')::uuid"
_T = "lpad(to_hex(t), 32, '0')::uuid"
_EACH = f"from generate_series(1, 2) as t cross join generate_series(1, {VENDORS_OF_EACH}) as n"
_FILL = (
    f"""
    insert into tenants (id, name, created_at, updated_at)
    select {_T}, 'T' || t, {AT}, {AT} from generate_series(1, 2) as t
    """,
    f"""
    insert into vendors (
        tenant_id, id, name, name_key, lifecycle, lifecycle_changed_at, intake, tier, tier_source, next_review_on,
        created_at, updated_at
    )
    select {_T}, {_ID}, 'V' || n, 'v' || n, 'active', {AT}, 'open',
        (array['critical', 'high', 'medium', 'low'])[n % 4 + 1], 'declared', date '2026-03-02' + n % 365,
        {AT} - n * interval '1 minute', {AT} - n * interval '1 second'
    {_EACH}
    """,
    f"""
    insert into vendor_services (tenant_id, id, vendor_id, name, name_key, created_at, updated_at)
    select {_T}, {_ID}, {_ID}, 'S' || n, 's' || n, {AT}, {AT} - n * interval '1 second' {_EACH}
    """,
    f"""
    insert into fourth_parties (tenant_id, id, vendor_id, name, name_key, created_at, updated_at)
    select {_T}, {_ID}, {_ID}, 'F' || n, 'f' || n, {AT}, {AT} - n * interval '1 second' {_EACH}
    """,
    f"""
    insert into vendor_reviews (
        tenant_id, id, vendor_id, reviewed_on, outcome, reviewed_by_id, reviewed_by_label, created_at
    )
    select {_T}, {_ID}, {_ID}, date '2026-03-02' - n % 700, 'satisfactory', {_ID}, 'x', {AT} {_EACH}
    """,
    f"""
    insert into soc2_coverage (
        tenant_id, id, vendor_id, state, is_qualified, reason, effective_until_on, gap_days, missing_categories,
        computed_on, updated_at
    )
    select {_T}, {_ID}, {_ID}, 'covered', false, 'x', date '2026-03-02' + n % 365, 0, '{{}}', date '2026-03-02',
        {AT} - n * interval '1 second'
    {_EACH}
    """,
    f"""
    insert into soc2_reports (
        tenant_id, id, vendor_id, report_type, period_start_on, period_end_on, opinion, categories, created_at,
        updated_at
    )
    select {_T}, {_ID}, {_ID}, 'type_2', '2025-01-01', '2025-12-31', 'unqualified', array['security'], {AT},
        {AT} - n * interval '1 second'
    {_EACH}
    """,
    f"""
    insert into soc2_cuecs (tenant_id, id, report_id, control, created_at, updated_at)
    select {_T}, {_ID}, {_ID}, 'x', {AT} - n * interval '1 second', {AT} - n * interval '1 second' {_EACH}
    """,
    f"""
    insert into soc2_exceptions (
        tenant_id, id, report_id, criterion, control, deviation, severity, created_at, updated_at
    )
    select {_T}, {_ID}, {_ID}, 'CC6.1', 'x', 'x', 'low', {AT} - n * interval '1 second', {AT} - n * interval '1 second'
    {_EACH}
    """,
    f"""
    insert into findings (
        tenant_id, id, vendor_id, source_kind, source_id, title, severity, state, state_changed_at, opened_on, due_on,
        created_at, updated_at
    )
    select {_T}, {_ID}, {_ID}, 'manual', {_ID}, 'x', (array['critical', 'high', 'medium', 'low'])[n % 4 + 1],
        (array['open', 'acknowledged'])[n % 2 + 1], {AT}, date '2026-03-02', date '2026-03-02' + n % 90 - 9,
        {AT} - n * interval '1 minute', {AT} - n * interval '1 second'
    {_EACH}
    """,
    f"""
    insert into deadlines (tenant_id, id, alert_class, subject_kind, subject_id, vendor_id, title, due_on,
    next_alert_on) select {_T}, {_ID}, 'review_due', 'vendor', {_ID}, {_ID}, 'x', date '2026-03-02' + n % 365, date
    '2026-03-03' {_EACH}
    """,
    f"""
    insert into vendor_signals (
        tenant_id, vendor_id, reconcile_at, snapshot_id, model_version, score, grade, number, low, high, coverage_bp,
        confidence_percent, scored_at
    )
    select {_T}, {_ID}, {AT}, {_ID}, '1', n % 101, 'B', n % 101, 0, 100, 9000, 90, {AT} - n * interval '1 minute'
    {_EACH}
    """,
    f"""
    insert into vendor_assets (
        tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, attached_at, updated_at
    )
    select {_T}, {_ID}, {_ID}, {_ID}, 'domain', 'd' || n || '.com', 'd' || n || '.com', true, 'person', {AT},
        {AT} - n * interval '1 second'
    {_EACH}
    """,
    f"""
    insert into deliveries (
        tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, recipient, state, attempts_allowed,
        failure, created_at, updated_at
    )
    select {_T}, {_ID}, 'alert', {_ID}, 'receiver', {_ID},
        case when n % 3 = 0 then 'r' || n % 500 || '@example.com' else '' end, 'sent', 12,
        case when n % 400 = 0 then 'timeout' end, {AT} - n * interval '1 minute', {AT} - n * interval '1 second'
    {_EACH}
    """,
)


@pytest.fixture
async def big(owner: Any) -> Any:
    """Return a connection to a database of two tenants with many vendors each."""
    await owner.execute("set session_replication_role = replica")
    for statement in _FILL:
        await owner.execute(statement)
    await owner.execute("analyze")
    return owner


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


async def read_by(
    owner: Any, query: Query[Any], of: ListOf, sort: str, *arguments: Any, filters: tuple[str, ...] = ()
) -> tuple[int, dict[str, int]]:
    """Run a page as the product sends it; returns the blocks it touched, and the rows read of each table."""
    request = PageRequest(of, read_filters(of, filters), sort, limit=PAGE - 1)
    made = paged(query.sql, request, first=2 + len(arguments), tenant_id=TENANT, secrets=(b"x",))
    async with owner.transaction():
        await owner.execute(f"set local role vendorrisk_tenant; set local vendorrisk.tenant_id = '{TENANT}'")
        told = json.loads(
            await owner.fetchval(
                f"explain (analyze, buffers, format json) {made.sql}", TENANT, *arguments, *made.arguments
            )
        )
    plan = told[0]["Plan"]
    rows: dict[str, int] = {}
    for node in nodes(plan):
        if "Relation Name" in node:
            dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read = (node["Actual Rows"] + dropped) * node["Actual Loops"]
            rows[node["Relation Name"]] = int(rows.get(node["Relation Name"], 0) + read)
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], rows


async def test_a_page_of_standings_reads_its_page(big: Any) -> None:
    from datetime import UTC, date, datetime

    today = (date(2026, 3, 2), datetime(2026, 3, 2, 8, tzinfo=UTC))
    for sort in ("name", "-name", "tier", "-tier", "next_review_on", "-created_at", "updated_at", "-updated_at"):
        _, rows = await read_by(big, queries.LIST_STANDINGS, queries.POSTURES, sort, *today)
        assert max(rows.values()) <= 2 * PAGE, (sort, rows)


LISTS: list[tuple[Query[Any], ListOf, str, tuple[str, ...], *tuple[str, ...]]] = [
    *((vendors.LIST, VENDORS, sort, ()) for sort in ("updated_at", "-updated_at", "tier", "-tier")),
    *(
        (findings.LIST_FINDINGS, findings.FINDINGS, sort, ())
        for sort in ("updated_at", "-updated_at", "severity", "-severity")
    ),
    (findings.LIST_FINDINGS, findings.FINDINGS, "severity", ("severity:gte:critical",)),
    *((supply_chain_queries.LIST_SERVICES, supply_chain_queries.SERVICES, sort, ()) for sort in ("name", "updated_at")),
    *(
        (supply_chain_queries.LIST_FOURTH_PARTIES, supply_chain_queries.FOURTH_PARTIES, sort, ())
        for sort in ("name", "updated_at")
    ),
    (vendors.LIST_REVIEWS, vendors.REVIEWS, "-reviewed_on", ()),
    (evidence.LIST_COVERAGE, evidence.COVERAGE, "updated_at", ()),
    (evidence.LIST_REPORTS, report_part_queries.REPORTS, "updated_at", ()),
    *(
        (query, of, sort, ())
        for query, of in (
            (report_part_queries.LIST_ALL_CUECS, report_part_queries.CUECS),
            (report_part_queries.LIST_ALL_EXCEPTIONS, report_part_queries.EXCEPTIONS),
        )
        for sort in ("-created_at", "updated_at")
    ),
    (report_part_queries.LIST_ALL_CUECS, report_part_queries.CUECS, "-created_at", ("owner_id:null:true",)),
    *((api_queries.LIST_ASSETS, api_queries.ASSETS, sort, ()) for sort in ("name", "updated_at")),
    (api_queries.LIST_LATEST_SCORES, api_queries.LATEST_SCORES, "number", ()),
    (api_queries.LIST_LATEST_SCORES, api_queries.LATEST_SCORES, "scored_at", ()),
    (outbox.LIST_DELIVERIES, alerts.DELIVERIES, "updated_at", (), "alert"),
    (outbox.LIST_DELIVERIES, alerts.DELIVERIES, "-created_at", ("recipient:eq:r30@example.com",), "alert"),
    (outbox.LIST_DELIVERIES, alerts.DELIVERIES, "-created_at", ("failure:eq:timeout",), "alert"),
]


async def test_the_lists_that_people_sync_and_sort_by_read_their_page(big: Any) -> None:
    faults = []
    for query, of, sort, filters, *arguments in LISTS:
        _, rows = await read_by(big, query, of, sort, *arguments, filters=filters)
        if max(rows.values()) > 2 * PAGE:
            faults.append((query.name, sort, filters, rows))
    assert faults == []
