-- name: enrol_assets
-- A watched name becomes a public asset with its schedule. Requested within an hour of the last scan, that scan stands. A registrable domain under a lease is left alone: the holder of the lease reads its
-- schedule again.
with requested as (
    select tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain
    from vendor_assets
    where tenant_id = $5 and scan_requested_at <= $1
    order by scan_requested_at
    limit $2
    for update skip locked
),
assets as (
    insert into public_assets (id, kind, name, registrable_domain, created_at)
    select distinct on (asset_id) asset_id, kind, name, registrable_domain, $1
    from requested
    order by asset_id
    on conflict do nothing
),
scans as (
    insert into signal_schedule (asset_id, scan_kind, registrable_domain, next_scan_at)
    select distinct on (a.asset_id, g.scan_kind) a.asset_id, g.scan_kind, a.registrable_domain, $1
    from requested as a
    join unnest($3::text[], $4::text[]) as g (kind, scan_kind) on g.kind = a.kind
    order by a.asset_id, g.scan_kind
    on conflict (asset_id, scan_kind) do update
    set next_scan_at = least(signal_schedule.next_scan_at, excluded.next_scan_at)
    where signal_schedule.last_scan_at is null or signal_schedule.last_scan_at <= $1 - interval '1 hour'
),
domains as (
    insert into registrable_domains (name, next_scan_at, asked_by)
    select distinct registrable_domain, $1::timestamptz, $5::uuid
    from requested
    order by registrable_domain
    on conflict (name) do update
    set next_scan_at = least(registrable_domains.next_scan_at, excluded.next_scan_at), asked_by = excluded.asked_by
    where registrable_domains.lease_token is null
),
vendors_to_reconcile as (
    insert into vendor_signals (tenant_id, vendor_id, reconcile_at)
    select distinct tenant_id, vendor_id, $1::timestamptz
    from requested
    order by tenant_id, vendor_id
    on conflict (tenant_id, vendor_id) do update
    set reconcile_at = least(vendor_signals.reconcile_at, excluded.reconcile_at)
),
done as (
    update vendor_assets as v set scan_requested_at = null
    from requested
    where v.tenant_id = requested.tenant_id and v.id = requested.id
)
select count(*)::integer from requested;

-- name: claim_domains
-- Claims a lease on registrable domains that are due by the schedule. While it lasts, no other worker scans there. When
-- it expires, the domain is due again: later and later while its scans come to no end.
with due as (
    select name from registrable_domains
    where next_scan_at <= $1 and asked_by is null
    order by next_scan_at
    limit $2
    for update skip locked
)
update registrable_domains as p
set next_scan_at = $1 + least(interval '1 day', $4::interval * power(2, least(p.tries, 10))), lease_token = $3,
    tries = p.tries + 1
from due
where p.name = due.name
returning p.name, p.opted_out_at is not null as is_opted_out,
    coalesce(p.opt_out_source = 'robots', false) as is_by_robots,
    case when p.spent_on = ($1 at time zone 'UTC')::date then p.spent_requests else 0 end as spent, p.tries, p.asked_by;

-- name: claim_asked_domains
-- The same for domains that a tenant asked for. They are public, so there is no row of the tenant to name.
with due as (
    select name from registrable_domains
    where asked_by = $5 and next_scan_at <= $1
    order by next_scan_at
    limit $2
    for update skip locked
)
update registrable_domains as p
set next_scan_at = $1 + least(interval '1 day', $4::interval * power(2, least(p.tries, 10))), lease_token = $3,
    tries = p.tries + 1
from due
where p.name = due.name
returning p.name, p.opted_out_at is not null as is_opted_out,
    coalesce(p.opt_out_source = 'robots', false) as is_by_robots,
    case when p.spent_on = ($1 at time zone 'UTC')::date then p.spent_requests else 0 end as spent, p.tries, p.asked_by;

-- name: due_scans
-- Due scans of registrable domains under our lease, with their watchers: the least patient tier decides the cadence. A
-- scan dated tomorrow, or scheduled more than 42 days ahead, was written by a clock that ran ahead: it is due.
select s.registrable_domain, s.asset_id, a.kind, a.name, s.scan_kind, s.failures, s.last_scan_at, s.observation_id,
    s.observed_at,
    s.raw_hash,
    coalesce(w.watchers, 0) as watchers, coalesce(w.tier_rank, 4) as tier_rank,
    (select count(distinct o.asset_id)::integer from signal_schedule as o where o.registrable_domain = $1) as assets_here
from signal_schedule as s
join public_assets as a on a.id = s.asset_id
left join lateral (
    select count(*)::integer as watchers,
        min(case v.tier when 'critical' then 1 when 'medium' then 3 when 'low' then 4 else 2 end) as tier_rank
    from vendor_assets as va
    join vendors as v on v.tenant_id = va.tenant_id and v.id = va.vendor_id
    where va.asset_id = s.asset_id and va.removed_at is null and v.lifecycle <> 'terminated'
) as w on true
where s.registrable_domain = $1 and (
    s.next_scan_at <= $2
    or s.next_scan_at > $2::timestamptz + interval '45 days'
    or s.last_scan_at > $2::timestamptz + interval '1 day'
)
order by a.kind, a.name, s.scan_kind
limit $3;

-- name: forget_unwatched
-- The states of an unwatched asset are deleted. A tenant that attaches it again is notified of its later state, not of
-- the old one. Its history stays.
with gone as (
    delete from signal_schedule where asset_id = any($1::uuid[])
),
forgotten as (
    delete from signal_states where asset_id = any($1::uuid[])
)
update registrable_domains
set next_scan_at = (
    select min(next_scan_at) from signal_schedule where registrable_domain = $2 and asset_id <> all($1::uuid[])
), lease_token = null, asked_by = null, tries = 0
where name = $2 and lease_token = $3;

-- name: states_of_assets
select asset_id, rule, subject, scan_kind, known, reason, detail, evidence, believed, severity,
    confidence_percent,
    cap, observation_id, memory
from signal_states
where asset_id = any($1::uuid[]);

-- name: read_observation
select raw from signal_observations where id = $1;

-- name: last_pauses
select rule, paused_at, paused_until from signal_pauses;

-- name: paused_rules
select rule from signal_pauses where paused_until > $1;

-- name: hold_lease
-- A worker that lost the lease finds nothing here, and writes nothing.
select name from registrable_domains where name = $1 and lease_token = $2 for update;

-- name: append_observations
insert into signal_observations (
    observed_at, id, asset_id, scan_kind, raw, raw_hash, previous_hash, scan_id, scanner_version, datasets
)
select $1, o.id, o.asset_id, o.scan_kind, o.raw, o.raw_hash, o.previous_hash, o.scan_id, $2, $3::jsonb
from unnest($4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::uuid[])
    as o (id, asset_id, scan_kind, raw, raw_hash, previous_hash, scan_id);

-- name: save_states
insert into signal_states as s (
    id, asset_id, rule, subject, scan_kind, verdict, known, known_at, reason, detail, evidence, believed,
    severity, confidence_percent, cap, is_open, is_flapping, value_hash, evaluated_at, changed_at, unknown_since,
    unknown_scans, observation_id, memory
)
select n.id, n.asset_id, n.rule, n.subject, n.scan_kind, n.verdict, n.known, n.known_at, n.reason, n.detail,
    n.evidence, n.believed, n.severity, n.confidence_percent, n.cap, n.is_open, n.is_flapping,
    decode(n.value_hash, 'hex'), $1, n.changed_at, n.unknown_since, n.unknown_scans, n.observation_id, n.memory
from jsonb_to_recordset($2::jsonb) as n (
    id uuid, asset_id uuid, rule text, subject text, scan_kind text, verdict text, known text,
    known_at timestamptz, reason text, detail text, evidence jsonb, believed jsonb, severity text,
    confidence_percent integer, cap integer, is_open boolean, is_flapping boolean, value_hash text,
    changed_at timestamptz, unknown_since timestamptz, unknown_scans integer, observation_id uuid, memory jsonb
)
on conflict (asset_id, rule, subject) do update
set scan_kind = excluded.scan_kind, verdict = excluded.verdict, known = excluded.known,
    known_at = excluded.known_at, reason = excluded.reason, detail = excluded.detail, evidence = excluded.evidence,
    believed = excluded.believed, severity = excluded.severity, confidence_percent = excluded.confidence_percent,
    cap = excluded.cap, is_open = excluded.is_open, is_flapping = excluded.is_flapping,
    value_hash = excluded.value_hash, evaluated_at = excluded.evaluated_at, changed_at = excluded.changed_at,
    unknown_since = excluded.unknown_since, unknown_scans = excluded.unknown_scans,
    observation_id = coalesce(excluded.observation_id, s.observation_id), memory = excluded.memory;

-- name: append_evaluations
insert into signal_evaluations (
    evaluated_at, id, asset_id, rule, subject, verdict, reason, detail, evidence, severity, change, before,
    value_hash, observation_id
)
select $1, n.id, n.asset_id, n.rule, n.subject, n.verdict, n.reason, n.detail, n.evidence, n.severity,
    n.change, n.before, decode(n.value_hash, 'hex'), n.observation_id
from jsonb_to_recordset($2::jsonb) as n (
    id uuid, asset_id uuid, rule text, subject text, verdict text, reason text, detail text, evidence jsonb,
    severity text, change text, before text, value_hash text, observation_id uuid
);

-- name: append_scans
insert into signal_scans (started_at, id, asset_id, scan_kind, milliseconds, status, evaluated, changed, datasets)
select $1, n.id, n.asset_id, n.scan_kind, n.milliseconds, n.status, n.evaluated, n.changed, $2::jsonb
from jsonb_to_recordset($3::jsonb) as n (
    id uuid, asset_id uuid, scan_kind text, milliseconds integer, status text, evaluated integer, changed integer
);

-- name: save_schedule
update signal_schedule as s
set next_scan_at = n.next_scan_at, last_status = n.status, failures = n.failures,
    last_scan_at = case when n.status = 'budget_spent' then s.last_scan_at else $1 end,
    observation_id = coalesce(n.observation_id, s.observation_id),
    observed_at = case when n.observation_id is null then s.observed_at else $1 end,
    raw_hash = coalesce(decode(n.raw_hash, 'hex'), s.raw_hash)
from jsonb_to_recordset($2::jsonb) as n (
    asset_id uuid, scan_kind text, next_scan_at timestamptz, status text, failures integer, observation_id uuid,
    raw_hash text
)
where s.asset_id = n.asset_id and s.scan_kind = n.scan_kind;

-- name: note_flips
insert into signal_flips (rule, asset_id, flipped_at)
select f.rule, f.asset_id, $1
from unnest($2::text[], $3::uuid[]) as f (rule, asset_id)
order by f.rule, f.asset_id
on conflict (rule, asset_id) do update set flipped_at = excluded.flipped_at;

-- name: count_flips
-- The number of assets that changed on each rule within the hour, and of assets scanned for it in that time. (An hour
-- scans at most a twenty-fourth of all watched assets.) The count stops when it proves that there is no storm.
select r.rule, turned.flips, (
        select count(*)::integer
        from (
            select from signal_schedule as s
            where s.scan_kind = r.scan_kind and s.last_scan_at > $1::timestamptz - interval '1 hour'
            limit 20 * turned.flips
        ) as counted
    ) as watched
from unnest($2::text[], $3::text[]) as r (rule, scan_kind)
cross join lateral (
    select count(*)::integer as flips from signal_flips as f
    where f.rule = r.rule and f.flipped_at > $1::timestamptz - interval '1 hour'
) as turned;

-- name: pause_rule
insert into signal_pauses (rule, paused_at, paused_until, flips, watched)
values ($1, $2, $3, $4, $5)
on conflict (rule) do update
set paused_at = case when signal_pauses.paused_until < excluded.paused_at then excluded.paused_at
        else signal_pauses.paused_at end,
    paused_until = excluded.paused_until, flips = excluded.flips, watched = excluded.watched;

-- name: forget_flips
delete from signal_flips
where flipped_at <= $1::timestamptz - interval '1 day' or flipped_at > $1::timestamptz + interval '1 hour';

-- name: tenants_watching
-- Across tenants.
select distinct tenant_id from vendor_assets where asset_id = any($1::uuid[]) and removed_at is null order by tenant_id;

-- name: request_reconciliation
-- Every vendor of the tenant that watches one of these assets. In one order, so that two workers never wait in a ring.
with watching as (
    select vs.tenant_id, vs.vendor_id
    from vendor_signals as vs
    where vs.tenant_id = $1 and vs.vendor_id in (
        select va.vendor_id from vendor_assets as va
        where va.tenant_id = $1 and va.asset_id = any($2::uuid[]) and va.removed_at is null
    )
    order by vs.vendor_id
    for update
)
update vendor_signals as vs
set reconcile_at = least(vs.reconcile_at, $3)
from watching as w
where vs.tenant_id = $1 and vs.vendor_id = w.vendor_id;

-- name: release_domain
update registrable_domains
set lease_token = null, asked_by = null, tries = 0,
    next_scan_at = (select min(next_scan_at) from signal_schedule where registrable_domain = $1),
    spent_on = ($3::timestamptz at time zone 'UTC')::date,
    spent_requests = $4 + case when spent_on = ($3::timestamptz at time zone 'UTC')::date then spent_requests else 0 end,
    opted_out_at = case
        when opt_out_source = 'operator' then opted_out_at
        when $5::boolean then coalesce(opted_out_at, $3)
        when $6::boolean then null
        else opted_out_at
    end,
    opt_out_source = case
        when opt_out_source = 'operator' then opt_out_source
        when $5::boolean then 'robots'
        when $6::boolean then null
        else opt_out_source
    end
where name = $1 and lease_token = $2;

-- name: opt_out_domain
insert into registrable_domains (name, opted_out_at, opt_out_source, opt_out_note)
values ($1, $2, 'operator', $3)
on conflict (name) do update
set opted_out_at = excluded.opted_out_at, opt_out_source = excluded.opt_out_source,
    opt_out_note = excluded.opt_out_note;

-- name: opt_in_domain
-- Scans that the opt-out skipped run now.
with left_out as (
    update signal_schedule set next_scan_at = $2 where registrable_domain = $1 and last_status = 'opt_out'
)
update registrable_domains
set opted_out_at = null, opt_out_source = null, opt_out_note = null,
    next_scan_at = case when lease_token is null then least(next_scan_at, $2) else next_scan_at end
where name = $1 and opted_out_at is not null;

-- name: complete_schedule
-- Across tenants: watched assets without a place in the schedule get one, spread over a day. So it is with groups that
-- on since, vendors that came back, and scans that a race has lost.
with missing as (
    select va.asset_id, g.scan_kind, min(va.registrable_domain) as registrable_domain,
        $1::timestamptz + interval '1 second' * (abs(hashtext(va.asset_id::text || g.scan_kind)::bigint) % 86400) as at
    from vendor_assets as va
    join vendors as v on v.tenant_id = va.tenant_id and v.id = va.vendor_id and v.lifecycle <> 'terminated'
    join unnest($2::text[], $3::text[]) as g (kind, scan_kind) on g.kind = va.kind
    where va.removed_at is null and va.scan_requested_at is null and not exists (
        select from signal_schedule as s where s.asset_id = va.asset_id and s.scan_kind = g.scan_kind
    )
    group by va.asset_id, g.scan_kind
    order by va.asset_id, g.scan_kind
    limit $4
),
scans as (
    insert into signal_schedule (asset_id, scan_kind, registrable_domain, next_scan_at)
    select asset_id, scan_kind, registrable_domain, at from missing
    on conflict do nothing
),
domains as (
    update registrable_domains as p
    set next_scan_at = least(p.next_scan_at, m.at)
    from (select registrable_domain, min(at) as at from missing group by registrable_domain) as m
    where p.name = m.registrable_domain and p.lease_token is null
)
select count(*)::integer from missing;

-- name: wake_what_sleeps_too_long
-- After a clock that ran ahead was put right, scans that it scheduled in its own future are due again. A lease ends
-- within minutes: one that ends later is nobody's.
with ahead as (
    select p.name from registrable_domains as p where p.next_scan_at > $1::timestamptz + interval '45 days'
    union
    select s.registrable_domain
    from unnest($2::text[]) as g (scan_kind)
    join signal_schedule as s
        on s.scan_kind = g.scan_kind and s.last_scan_at > $1::timestamptz + interval '1 day'
),
scans as (
    update registrable_domains as p
    set next_scan_at = $1
    from ahead
    where p.name = ahead.name and (p.lease_token is null or p.next_scan_at > $1::timestamptz + interval '1 hour')
),
feeds as (
    update signal_feeds
    set next_fetch_at = $1
    where next_fetch_at > $1::timestamptz + interval '8 days'
        or (checked_at > $1::timestamptz + interval '1 day' and next_fetch_at > $1)
)
update signal_pauses set paused_until = $1 where paused_until > $1::timestamptz + interval '2 days';

-- name: maintain_partitions
select maintain_signal_partitions($1, $2, $3);

-- name: rows_without_partition
select signal_rows_astray();

-- name: scan_lag
-- One look into each of the two indexes: by the schedule, and asked for.
select coalesce(extract(epoch from $1::timestamptz - least(
    (select min(next_scan_at) from registrable_domains where next_scan_at is not null and asked_by is null),
    (select min(next_scan_at) from registrable_domains where next_scan_at is not null and asked_by is not null)
)), 0)::double precision;
