-- name: inspect_server
select current_setting('server_version_num')::integer as version_number, current_user::text as login,
    r.rolsuper as is_superuser, r.rolbypassrls as bypasses_rls,
    current_setting('max_connections')::integer as max_connections,
    current_setting('archive_mode') as archive_mode,
    pg_is_in_recovery() as is_standby,
    pg_database_size(current_database()) as bytes,
    clock_timestamp() as now
from pg_roles as r
where r.rolname = current_user;

-- name: inspect_roles
select r.rolname::text as name, r.rolcanlogin as can_login, r.rolsuper as is_superuser,
    r.rolbypassrls as bypasses_rls, pg_has_role(current_user, r.oid, 'member') as may_be_taken,
    exists (select from pg_class as c where c.relowner = r.oid) as owns_tables
from pg_roles as r
where r.rolname in ('vendorrisk_tenant', 'vendorrisk_system')
order by r.rolname;

-- name: tables_without_rls
select c.relname::text as name
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and not (c.relrowsecurity and c.relforcerowsecurity)
    and (
        c.relname = 'tenants'
        or exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'tenant_id')
    )
order by c.relname;

-- name: count_tenants_seen
-- Runs as the tenants' role without a tenant. Row-level security works if this counts no row.
select count(*) as seen from tenants;

-- name: inspect_archiver
select archived_count, last_archived_time as last_archived_at, failed_count, last_failed_time as last_failed_at
from pg_stat_archiver;

-- name: time_zones_in_use
-- Across tenants: each has its own. `is_known`: Postgres has the zone, which the sweeps reckon with.
select t.time_zone, exists (select from pg_timezone_names as z where z.name = t.time_zone) as is_known
from (select distinct time_zone from tenants) as t
order by t.time_zone;

-- name: count_receivers
-- Across tenants: which channels anyone counts on.
select kind, count(*) as receivers from receivers where removed_at is null and is_active group by kind order by kind;

-- name: count_alerts_without_recipients
-- Across tenants: those without a receiver, and alerts without recipients since an instant. One index range per tenant
-- (alerts_by_time).
select count(*) as tenants,
    count(*) filter (
        where not exists (select from receivers r where r.tenant_id = t.id and r.removed_at is null and r.is_active)
    ) as without_receiver,
    coalesce(sum(without_recipients.alerts), 0)::bigint as alerts
from tenants t
cross join lateral (
    select count(*) as alerts
    from alerts a
    where a.tenant_id = t.id and a.raised_at >= $1 and a.dispatched_at is not null
        and not exists (
            select from deliveries d where d.tenant_id = t.id and d.owner_kind = 'alert' and d.owner_id = a.id
        )
) as without_recipients;

-- name: some_slack_bots
-- Across tenants: each has its own tokens.
select tenant_id, id, name, address_sealed
from receivers
where kind = 'slack_bot' and removed_at is null and is_active
order by tenant_id, id
limit $1;

-- name: count_sealed
-- Across tenants: the key belongs to the installation. Sealed bytes carry the id of their key in bytes 5 to 12.
select s.key_id, sum(s.receivers)::bigint as receivers, sum(s.responses)::bigint as responses
from (
    select encode(substring(address_sealed from 5 for 8), 'hex') as key_id, count(*) as receivers, 0 as responses
    from receivers
    where address_sealed is not null and removed_at is null
    group by key_id
    union all
    select encode(substring(body from 5 for 8), 'hex') as key_id, 0, count(*)
    from idempotency_keys
    where body is not null
    group by key_id
) as s
group by s.key_id
order by s.key_id;
