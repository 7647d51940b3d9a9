-- name: claim_vendors_to_reconcile
-- A lease on each, by putting its next turn off. A turn that does not come to its end puts the next one off for longer.
with due as (
    select vendor_id from vendor_signals
    where tenant_id = $1 and reconcile_at <= $2
    order by reconcile_at
    limit $3
    for update skip locked
)
update vendor_signals as vs
set reconcile_at = $2 + least(interval '1 day', $4::interval * power(2, least(vs.tries, 10))), tries = vs.tries + 1
from due
where vs.tenant_id = $1 and vs.vendor_id = due.vendor_id
returning vs.tenant_id, vs.vendor_id, vs.tries;

-- name: lock_vendor_signals
select vendor_id, reconcile_at, reconciled_at, notified_until, snapshot_id, model_version, score, grade, number,
    scored_at, baseline_score,
    recent
from vendor_signals
where tenant_id = $1 and vendor_id = $2
for update;

-- name: vendor_to_reconcile
select id, name, lifecycle, tier from vendors where tenant_id = $1 and id = $2;

-- name: attach_recorded_domains
-- The domains that a person recorded of the vendor, but for those that a person took off again.
insert into vendor_assets (
    tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at,
    attached_at, updated_at
)
select $1, w.id, $2, w.asset_id, 'domain', w.name, w.registrable_domain,
    not exists (
        select from vendor_assets as other
        where other.tenant_id = $1 and other.vendor_id = $2 and other.is_primary and other.removed_at is null
    ) and w.number = 1,
    'vendor_record', $3, $3, $3
from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[]) with ordinality as w (id, asset_id, name, registrable_domain, number)
where not exists (
    select from vendor_assets as known
    where known.tenant_id = $1 and known.vendor_id = $2 and known.asset_id = w.asset_id
        and (known.removed_at is null or known.source = 'person' or known.version > 1)
)
returning id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name;

-- name: detach_unrecorded_domains
-- Returns them as they were, for the audit log.
with gone as (
    select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at,
        updated_at, version
    from vendor_assets
    where tenant_id = $1 and vendor_id = $2 and source = 'vendor_record' and removed_at is null
        and name <> all($4::text[])
    for update
),
left_ones as (
    update vendor_assets as v
    set removed_at = $3, scan_requested_at = null, updated_at = $3
    from gone as g
    where v.tenant_id = $1 and v.id = g.id
)
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = gone.vendor_id) as vendor_name
from gone;

-- name: domains_without_www
-- The watched domains without a watched `www` that no person took off, with their last scan of DNS.
select d.name, o.raw
from vendor_assets as d
join signal_schedule as s on s.asset_id = d.asset_id and s.scan_kind = 'dns'
join signal_observations as o on o.id = s.observation_id and o.asset_id = d.asset_id
where d.tenant_id = $1 and d.vendor_id = $2 and d.kind = 'domain' and d.removed_at is null and not exists (
    select from vendor_assets as known
    where known.tenant_id = $1 and known.vendor_id = $2 and known.kind = 'host' and known.name = 'www.' || d.name
        and (known.removed_at is null or known.source = 'person' or known.version > 1)
)
order by d.name;

-- name: attach_www
-- Up to a number of assets of the vendor in all.
insert into vendor_assets (
    tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at,
    attached_at, updated_at
)
select $1, w.id, $2, w.asset_id, 'host', w.name, w.registrable_domain, false, 'domain', $3, $3, $3
from unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[]) with ordinality as w (id, asset_id, name, registrable_domain, number)
where w.number + (
    select count(*) from vendor_assets as own
    where own.tenant_id = $1 and own.vendor_id = $2 and own.removed_at is null
) <= $8::integer
on conflict (tenant_id, vendor_id, asset_id) where removed_at is null do nothing
returning id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name;

-- name: detach_www
-- Those of a domain that is no longer watched. Returns them as they were, for the audit log.
with gone as (
    select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at,
        updated_at, version
    from vendor_assets as w
    where w.tenant_id = $1 and w.vendor_id = $2 and w.source = 'domain' and w.removed_at is null and not exists (
        select from vendor_assets as d
        where d.tenant_id = $1 and d.vendor_id = $2 and d.kind = 'domain' and d.removed_at is null
            and d.name = w.registrable_domain
    )
    for update
),
left_ones as (
    update vendor_assets as v
    set removed_at = $3, scan_requested_at = null, updated_at = $3
    from gone as g
    where v.tenant_id = $1 and v.id = g.id
)
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = gone.vendor_id) as vendor_name
from gone;

-- name: domains_of_vendor
select domain from vendor_domains where tenant_id = $1 and vendor_id = $2 order by domain;

-- name: assets_of_vendor
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name
from vendor_assets
where tenant_id = $1 and vendor_id = $2 and removed_at is null
order by kind, name;

-- name: assets_removed_of_vendor
select id from vendor_assets where tenant_id = $1 and vendor_id = $2 and removed_at is not null;

-- name: states_of_vendor
select va.id as vendor_asset_id, s.rule, s.subject, s.scan_kind, s.verdict, s.known, s.known_at, s.reason,
    s.detail, s.evidence, s.believed, s.severity, s.confidence_percent, s.cap, s.is_open, s.is_flapping, s.evaluated_at,
    s.changed_at, s.unknown_since, s.unknown_scans, s.observation_id, scans.last_scan_at
from vendor_assets as va
join signal_states as s on s.asset_id = va.asset_id
left join signal_schedule as scans on scans.asset_id = s.asset_id and scans.scan_kind = s.scan_kind
where va.tenant_id = $1 and va.vendor_id = $2 and va.removed_at is null
order by va.id, s.rule, s.subject;

-- name: findings_of_signals
select sf.id, sf.vendor_asset_id, sf.rule, sf.subject, sf.generation, sf.finding_id, sf.opened_at, sf.closed_at,
    sf.notified_at, coalesce(sf.severity, f.severity) as severity, sf.model_version, sf.observation_id, f.state,
    f.until_on, f.state_changed_at
from signal_findings as sf
join findings as f on f.tenant_id = sf.tenant_id and f.id = sf.finding_id
where sf.tenant_id = $1 and sf.vendor_id = $2;

-- name: save_signal_finding
insert into signal_findings (
    tenant_id, id, vendor_id, vendor_asset_id, rule, subject, generation, finding_id, opened_at, closed_at,
    notified_at, severity, model_version, observation_id
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (tenant_id, vendor_asset_id, rule, subject) do update
set generation = excluded.generation, finding_id = excluded.finding_id, opened_at = excluded.opened_at,
    closed_at = excluded.closed_at, notified_at = excluded.notified_at, severity = excluded.severity,
    model_version = excluded.model_version, observation_id = excluded.observation_id, digested_at = null;

-- name: signal_finding_closed
update signal_findings set closed_at = $3 where tenant_id = $1 and id = $2;

-- name: events_of_vendor
-- Events of the vendor's assets since they were attached: read with an hour's overlap, notified once by their key.
select va.id as vendor_asset_id, va.name as asset_name, j.id, j.rule, j.subject, j.verdict, j.reason, j.detail,
    j.evidence, j.severity, j.change, j.evaluated_at
from vendor_assets as va
join signal_evaluations as j on j.asset_id = va.asset_id and j.evaluated_at >= va.attached_at
where va.tenant_id = $1 and va.vendor_id = $2 and va.removed_at is null and j.evaluated_at > $3
    and j.change in ('confirmed', 'changed')
order by j.evaluated_at, j.id;

-- name: propose_changes
insert into subprocessor_changes (
    tenant_id, id, vendor_id, vendor_asset_id, change, name, details, value_hash, observed_at
)
select $1, w.id, $2, $3, w.change, w.name, nullif(w.details, ''), $4, $5
from unnest($6::uuid[], $7::text[], $8::text[], $9::text[]) as w (id, change, name, details)
on conflict on constraint subprocessor_changes_are_proposed_once do nothing;

-- name: products_of_vendor
select maker, product from vendor_products where tenant_id = $1 and vendor_id = $2 order by maker_key, product_key;

-- name: exploited_of_makers
select payload from signal_feed_items
where feed = 'kev' and subject = any($1::text[]) and gone_at is null
order by key;

-- name: note_exploit
insert into vendor_exploits (tenant_id, id, vendor_id, cve, finding_id, notified_at)
values ($1, $2, $3, $4, $5, $6)
on conflict on constraint vendor_exploits_are_notified_once do nothing;

-- name: known_exploits
select cve from vendor_exploits where tenant_id = $1 and vendor_id = $2;

-- name: append_snapshot
insert into score_snapshots (
    tenant_id, scored_at, id, vendor_id, model_version, reason, score, grade, number, previous_number,
    previous_model_version, result, inputs, inputs_hash
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13::jsonb, $14);

-- name: reconciled
-- A turn that was requested meanwhile stays: only our own lease is replaced.
update vendor_signals
set reconcile_at = case when reconcile_at = $3 then $4 else reconcile_at end, tries = 0, reconciled_at = $5,
    notified_until = $6,
    snapshot_id = $7, model_version = $8, score = $9, grade = $10, number = $11, low = $12, high = $13,
    coverage_bp = $14, confidence_percent = $15, scored_at = $16, baseline_score = $17::jsonb, recent = $18::jsonb
where tenant_id = $1 and vendor_id = $2;

-- name: findings_to_digest
-- Findings that were notified by themselves, or are no longer active, are marked as done without a notification.
select sf.id, f.title, f.severity, f.vendor_id, v.name as vendor_name,
    f.state in ('open', 'acknowledged') and coalesce(sf.notified_at < sf.opened_at, true) as is_news
from signal_findings as sf
join findings as f on f.tenant_id = sf.tenant_id and f.id = sf.finding_id
join vendors as v on v.tenant_id = f.tenant_id and v.id = f.vendor_id
where sf.tenant_id = $1 and sf.digested_at is null
order by f.severity, v.name, sf.id
limit 500;

-- name: digested
update signal_findings set digested_at = $3 where tenant_id = $1 and id = any($2::uuid[]);
