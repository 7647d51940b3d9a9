"""Vendors by the million under the real schema: its constraints, row-level security, triggers and indexes stand when it
is done.

Rows are made by one statement a table. Their triggers are off meanwhile and what they keep (domains, deadlines) is
made by the same rules; secondary indexes are taken down and built again. The day of the data lies in the far future,
so that no job that runs by the real clock finds anything due.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from vendorrisk.db.pool import Database
from vendorrisk.identity import service as identity
from vendorrisk.settings import Settings

TODAY = date(2050, 3, 7)
NOW = datetime(2050, 3, 7, 8, 0, tzinfo=UTC)
_MEMBERS = 200
_OTHERS = 20  # tenants beside the one that is measured, with a fifth of all vendors between them
_SHARE = 0.8


class Filled(msgspec.Struct, frozen=True):
    """A database with its vendors, and how to call for the tenant that has most of them."""

    settings: Settings
    vendors: int
    tenant_id: UUID
    key: str
    seconds: float


async def filled(settings: Settings, vendors: int, tell: Callable[[str], None]) -> Filled:
    """Found the tenants and make their records; three documents for each vendor."""
    begun = time.perf_counter()
    tenants, key = await _tenants(settings)
    first, second = [await _careless(settings) for _ in range(2)]
    try:
        shares = _shares(vendors)
        await first.execute(
            "create table bench_tenants as select * from unnest($1::uuid[], $2::int[]) as t (id, vendors)",
            tenants,
            shares,
        )
        await _fill(first, second, tell)
        await first.execute("drop table bench_tenants")
        await asyncio.gather(first.execute("vacuum (analyze, freeze)"), second.execute("select 1"))
        await first.execute("checkpoint")
    finally:
        await first.close()
        await second.close()
    return Filled(settings, vendors, tenants[0], key, time.perf_counter() - begun)


def _shares(vendors: int) -> list[int]:
    others = int(vendors * (1 - _SHARE)) // _OTHERS
    return [vendors - others * _OTHERS, *[others] * _OTHERS]


async def _tenants(settings: Settings) -> tuple[list[UUID], str]:
    database = Database(settings)
    await database.open()
    try:
        made = []
        for number in range(_OTHERS + 1):
            async with database.system() as connection:
                made.append(await identity.found_tenant(connection, f"Company {number}", "UTC", NOW))
    finally:
        await database.close()
    return [tenant.id for tenant, _ in made], made[0][1].secret


async def _careless(settings: Settings) -> Any:
    """Open an owner's connection whose rows are taken as they are: no triggers, no look at what they refer to."""
    connection = await asyncpg.connect(settings.database_migration_url)
    await connection.execute("set session_replication_role = replica; set statement_timeout = 0; set jit = off")
    await connection.execute("set synchronous_commit = off; set max_parallel_workers_per_gather = 0")
    return connection


async def _fill(first: Any, second: Any, tell: Callable[[str], None]) -> None:
    tables = ["vendors", "vendor_domains", "documents", "soc2_reports", "soc2_coverage", "deadlines", "findings",
              "alerts", "deliveries", "delivery_attempts", "audit_entries"]  # fmt: skip
    indexes = {table: await _take_down(first, table) for table in tables}
    await first.execute(_MEMBERS_SQL, NOW, _MEMBERS)
    await _timed(tell, "vendors", first.execute(_VENDORS_SQL, NOW))
    await first.execute("analyze vendors")

    async def records() -> None:
        for table in ("vendor_domains", "documents", "deadlines", "soc2_reports", "soc2_coverage", "findings",
                      "alerts", "deliveries", "delivery_attempts", "audit_entries"):  # fmt: skip
            for sql in _FURTHER[table]:
                await second.execute(sql)
            await _build(second, indexes[table])

    await asyncio.gather(
        _timed(tell, "indexes of vendors", _build(first, indexes["vendors"])),
        _timed(tell, "documents, deadlines and the rest, with their indexes", records()),
    )


async def _timed(tell: Callable[[str], None], what: str, work: Awaitable[object]) -> None:
    begun = time.perf_counter()
    await work
    tell(f"  made {what} in {time.perf_counter() - begun:.0f} s")


async def _take_down(connection: Any, table: str) -> list[str]:
    """Drop the indexes that no constraint stands on, and return how they were made."""
    rows = await connection.fetch(
        """
        select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made
        from pg_index i
        where i.indrelid = $1::text::regclass
            and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
        order by 1
        """,
        table,
    )
    for row in rows:
        await connection.execute(f"drop index {row['name']}")
    return [row["made"] for row in rows]


async def _build(connection: Any, indexes: Sequence[str]) -> None:
    for made in indexes:
        await connection.execute(made)


_MEMBERS_SQL = """
insert into members (tenant_id, id, name, email, roles, created_at, updated_at)
select t.id, new_id_at($1), 'Member ' || n, 'member' || n || '@company.example', '{owner}', $1, $1
from bench_tenants t cross join generate_series(1, $2::int) as n
"""

# Names are two invented words of 4,096 each (two letters and a syllable, so that no two read alike) and a plain one:
# no two are the same, and trigrams are as mixed as
# in real names. 7,919 is prime to 2^24, so each number gives another pair.
_VENDORS_SQL = """
with syllables as (
    select array['ba','ce','di','fo','gu','ha','je','ki','lo','mu','na','pe','ri','so','tu','va',
        'we','xi','yo','zu','bra','cle','dri','flo','gru','pla','ste','tri','vlo','swu','cha','que',
        'al','er','in','or','un','as','et','il','om','ur','and','est','ing','ort','ulm','ax',
        'bel','cor','dan','fen','gil','hal','jun','kel','lin','mor','nov','pax','ras','sol','tan','vex'] as s
),
owners as (
    select tenant_id, array_agg(id order by id) as ids from members group by tenant_id
),
numbered as (
    select t.id as tenant_id, n, (n::bigint * 7919) % 16777216 as code
    from bench_tenants t cross join lateral generate_series(1, t.vendors) as n
),
worded as (
    select numbered.*,
        initcap(substr('bcdfghjklmnprstv', (code & 15)::int + 1, 1)
            || substr('aeio', (code >> 4 & 3)::int + 1, 1) || s[(code >> 6 & 63) + 1]) as one,
        initcap(substr('bcdfghjklmnprstv', (code >> 12 & 15)::int + 1, 1)
            || substr('aeio', (code >> 16 & 3)::int + 1, 1) || s[(code >> 18 & 63) + 1]) as two,
        (array['Systems','Cloud','Logistics','Data','Software','Payments','Analytics','Labs'])[n % 8 + 1] as kind
    from numbered, syllables
),
named as (
    select worded.*, one || ' ' || two || ' ' || kind || case when n % 10 < 3 then ' Ltd' else '' end as name,
        lower(one || two) || n || '.example' as domain
    from worded
)
insert into vendors (
    tenant_id, id, reference, name, name_key, aliases, lifecycle, lifecycle_changed_at, intake, intake_note,
    business_owner_id, security_owner_id, domains, country, data_countries, data_classes, annual_spend, currency, tags,
    tier, tier_source, inherent_score, last_reviewed_on, next_review_on, created_at, updated_at
)
select v.tenant_id, new_id_at(made_at), case when n % 2 = 0 then 'V-' || n end, name, lower(name),
    case when n % 5 = 0 then array[one] else '{}' end,
    case when n % 10 < 8 then 'active' when n % 10 = 8 then 'prospect' else 'onboarding' end, made_at, 'open', null,
    o.ids[n % 200 + 1], case when n % 3 = 0 then o.ids[(n + 7) % 200 + 1] end,
    case when n % 10 < 7 then array[domain] else '{}' end,
    (array['DE','US','IE','FR','GB','IN','NL','PL'])[n % 8 + 1], array['DE'],
    case n % 4 when 0 then array['personal','confidential'] when 1 then array['internal'] else array['public'] end,
    case when n % 2 = 0 then (n % 100000)::numeric end, case when n % 2 = 0 then 'EUR' end,
    case when n % 4 = 0 then array['hosting', 'emea'] else '{}' end,
    tier, case when tier is not null then 'declared' end, case when n % 3 = 0 then n % 101 end,
    case when n % 10 < 8 then ($1::timestamptz)::date - (n % 365) end,
    case when n % 10 < 8 then ($1::timestamptz)::date + (code % 400)::int - 20 end, made_at, made_at
from named v
join owners o on o.tenant_id = v.tenant_id
cross join lateral (
    select $1::timestamptz - make_interval(secs => (16777216 - n) * 6.0) as made_at,
        case when code % 20 = 0 then 'critical' when code % 20 < 4 then 'high' when code % 20 < 12 then 'medium'
            when code % 20 < 18 then 'low' end as tier
) as more
"""

# A number that is the same each time and as good as random, from the random end of a row's id.
_CHANCE = "abs(hashint8(('x' || right({0}.id::text, 12))::bit(48)::bigint {1}))"

_FURTHER: dict[str, list[str]] = {
    "vendor_domains": [
        "insert into vendor_domains (tenant_id, domain, vendor_id) select tenant_id, unnest(domains), id from vendors"
    ],
    "documents": [
        f"""
        insert into documents (
            tenant_id, id, vendor_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
            expires_on, assurance, created_at, updated_at
        )
        select v.tenant_id, new_id_at(v.created_at), v.id, k.kind, k.title, 'confidential', k.ends_on - 365,
            k.ends_on - 365, k.ends_on, case when k.kind <> 'soc2_type2' then k.ends_on end, 'full', v.created_at,
            v.created_at
        from vendors v
        cross join lateral (
            select kind, title,
                date '{TODAY}' - 30 + ({_CHANCE.format("v", "+ place")} % 760)
                as ends_on
            from (values ('soc2_type2', 'SOC 2 Type 2 report', 1), ('iso27001_certificate', 'ISO 27001 certificate', 2),
                ('insurance_certificate', 'Cyber insurance certificate', 3)) as k (kind, title, place)
        ) as k
        """
    ],
    "deadlines": [
        f"""
            insert into deadlines (
                tenant_id, id, alert_class, subject_kind, subject_id, vendor_id, title, due_on, checked_on,
                next_alert_on
            )
            select d.tenant_id, d.id, p.alert_class, 'document', d.id, d.vendor_id, d.title, d.expires_on,
                date '{TODAY}' - 1,
                alert_next_threshold_on(d.expires_on, date '{TODAY}' - 1, p.critical, p.overdue_every_days)
            from documents d
            join alert_policies p on p.tenant_id = d.tenant_id and p.alert_class = 'evidence_expiring'
            where d.expires_on is not null
            """,
        f"""
            insert into deadlines (
                tenant_id, id, alert_class, subject_kind, subject_id, vendor_id, title, due_on, checked_on,
                next_alert_on
            )
            select v.tenant_id, v.id, p.alert_class, 'vendor', v.id, v.id, 'Vendor review', v.next_review_on,
                date '{TODAY}' - 1,
                alert_next_threshold_on(v.next_review_on, date '{TODAY}' - 1, p.critical, p.overdue_every_days)
            from vendors v
            join alert_policies p on p.tenant_id = v.tenant_id and p.alert_class = 'review_due'
            where v.next_review_on is not null and v.lifecycle <> 'prospect'
            """,
    ],
    "soc2_reports": [
        """
        insert into soc2_reports (
            tenant_id, id, vendor_id, document_id, report_type, period_start_on, period_end_on, report_on, auditor,
            opinion, categories, created_at, updated_at
        )
        select tenant_id, id, vendor_id, id, 'type_2', valid_from_on, stated_until_on, stated_until_on + 40,
            'Example Assurance LLP', 'unqualified', array['security', 'availability'], created_at, updated_at
        from documents where kind = 'soc2_type2'
        """
    ],
    "soc2_coverage": [
        """
        insert into soc2_coverage (
            tenant_id, id, vendor_id, state, is_qualified, reason, effective_until_on, next_change_on, gap_days,
            missing_categories, computed_on, updated_at
        )
        select tenant_id, id, vendor_id, 'covered', false, 'Covered by the report.', period_end_on, period_end_on + 1,
            0, '{}', period_end_on - 10, updated_at
        from soc2_reports
        """
    ],
    "findings": [
        f"""
        insert into findings (
            tenant_id, id, vendor_id, source_kind, source_id, title, severity, state, state_changed_at, owner_id,
            opened_on, due_on, created_at, updated_at
        )
        select tenant_id, new_id_at(created_at), id, 'vendor', id, 'A finding', 'high', 'open', created_at,
            business_owner_id, created_at::date, date '{TODAY}' + 30, created_at, created_at
        from vendors where annual_spend::bigint % 10 < 4
        """
    ],
    "alerts": [
        f"""
        insert into alerts (
            tenant_id, id, alert_class, deadline_id, vendor_id, subject_kind, subject_id, title, tier, due_on,
            threshold_days, days_left, raised_at, dispatched_at
        )
        select d.tenant_id, new_id_at(at), d.alert_class, d.id, d.vendor_id, d.subject_kind, d.subject_id, d.title,
            'high', d.due_on, 400, 400, at, at
        from deadlines d
        cross join lateral (
            select timestamptz '{TODAY}' - make_interval(secs => {_CHANCE.format("d", "")} % 30000000) as at
        ) as a
        where {_CHANCE.format("d", "")} % 10 = 0
        """
    ],
    "deliveries": [
        """
        insert into receivers (
            tenant_id, id, name, kind, address_sealed, destination, removed_at, is_active, created_at, updated_at
        )
        select id, gen_random_uuid(), 'Old console', 'console', ''::bytea, 'console', created_at, false, created_at,
            created_at
        from tenants
        """,
        """
        insert into deliveries (
            tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, state, attempts, attempts_allowed,
            sent_at, created_at, updated_at
        )
        select a.tenant_id, a.id, 'alert', a.id, 'receiver', r.id, 'sent', 1, 8, a.raised_at, a.raised_at, a.raised_at
        from alerts a join receivers r on r.tenant_id = a.tenant_id
        """,
    ],
    "delivery_attempts": [
        """
        insert into delivery_attempts (
            tenant_id, id, delivery_id, number, token, outcome, started_at, ended_at
        )
        select tenant_id, id, id, 1, id, 'sent', created_at, created_at from deliveries
        """
    ],
    "audit_entries": [
        # Believable rows for plans; the chain itself is not made, so nothing verifies it here.
        """
        insert into audit_entries (
            tenant_id, sequence, at, actor_kind, actor_id, action, target_kind, target_id, content, previous_hash, hash
        )
        select tenant_id, 1000 + row_number() over (partition by tenant_id order by id), created_at, 'api_key',
            business_owner_id, 'vendor:registered', 'vendor', id, repeat('{"before":null}', 20), ''::bytea, ''::bytea
        from vendors
        """,
        """
        update audit_heads h set sequence = m.last
        from (select tenant_id, max(sequence) as last from audit_entries group by tenant_id) as m
        where m.tenant_id = h.tenant_id
        """,
    ],
}
