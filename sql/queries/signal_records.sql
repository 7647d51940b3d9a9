-- name: attach_asset
-- A removed asset comes back as the same row, so that its findings are known again.
with revived as (
    update vendor_assets
    set removed_at = null, source = 'person', is_primary = $8, scan_requested_at = $9, attached_at = $9, updated_at = $9,
        version = version + 1
    where tenant_id = $1 and id = (
        select old.id from vendor_assets as old
        where old.tenant_id = $1 and old.vendor_id = $3 and old.asset_id = $4 and old.removed_at is not null
        order by old.removed_at desc
        limit 1
    )
    returning id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at,
    attached_at, removed_at,
        updated_at, version
),
attached as (
    insert into vendor_assets (
        tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at,
        attached_at, updated_at
    )
    select $1, $2, $3, $4, $5, $6, $7, $8, 'person', $9, $9, $9
    where not exists (select from revived)
    returning id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at,
    attached_at, removed_at,
        updated_at, version
)
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = revived.vendor_id) as vendor_name
from revived
union all
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = attached.vendor_id) as vendor_name
from attached;

-- name: find_asset
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name
from vendor_assets
where tenant_id = $1 and id = $2 and removed_at is null;

-- name: lock_asset
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name
from vendor_assets
where tenant_id = $1 and id = $2 and removed_at is null
for update;

-- name: list_assets
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name
from vendor_assets
where tenant_id = $1 and removed_at is null /*where*/
/*order*/;

-- name: update_asset
update vendor_assets set is_primary = $3, updated_at = $4, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at,
    updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name;

-- name: lock_other_primaries
select id, vendor_id, asset_id, kind, name, registrable_domain, is_primary, source, scan_requested_at, attached_at,
    removed_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_assets.vendor_id) as vendor_name
from vendor_assets
where tenant_id = $1 and vendor_id = $2 and id <> $3 and is_primary and removed_at is null
for update;

-- name: remove_asset
update vendor_assets set removed_at = $3, scan_requested_at = null, updated_at = $3, version = version + 1
where tenant_id = $1 and id = $2;

-- name: count_assets
select count(*)::integer from vendor_assets where tenant_id = $1 and vendor_id = $2 and removed_at is null;

-- name: want_reconciliation
insert into vendor_signals (tenant_id, vendor_id, reconcile_at)
values ($1, $2, $3)
on conflict (tenant_id, vendor_id) do update set reconcile_at = least(vendor_signals.reconcile_at,
    excluded.reconcile_at);

-- name: request_scans
-- Scans less than an hour old stay as they are, group by group.
update vendor_assets as va
set scan_requested_at = $3
where va.tenant_id = $1 and va.vendor_id = $2 and va.removed_at is null and (
    exists (
        select from signal_schedule as s
        where s.asset_id = va.asset_id
            and (s.last_scan_at is null or s.last_scan_at <= $3::timestamptz - interval '1 hour')
    )
    or not exists (select from signal_schedule as s where s.asset_id = va.asset_id)
);

-- name: list_signals
select s.id, va.id as vendor_asset_id, va.kind as asset_kind, va.name as asset_name, s.rule, s.subject,
    s.scan_kind, s.verdict, s.known, s.known_at, s.reason, s.detail, s.evidence, s.severity, s.confidence_percent,
    s.cap, s.is_open, s.is_flapping, s.evaluated_at, scans.last_scan_at, s.changed_at, s.unknown_since, s.unknown_scans,
    s.observation_id
from vendor_assets as va
join signal_states as s on s.asset_id = va.asset_id
left join signal_schedule as scans on scans.asset_id = s.asset_id and scans.scan_kind = s.scan_kind
where va.tenant_id = $1 and va.vendor_id = $2 and va.removed_at is null /*where*/
/*order*/;

-- name: list_evaluations
select j.id, va.id as vendor_asset_id, va.name as asset_name, j.rule, j.subject, j.verdict, j.before, j.change,
    j.reason, j.detail, j.evidence, j.severity, j.evaluated_at, j.observation_id
from vendor_assets as va
join signal_evaluations as j on j.asset_id = va.asset_id and j.evaluated_at >= va.attached_at
where va.tenant_id = $1 and va.vendor_id = $2 and va.removed_at is null /*where*/
/*order*/;

-- name: find_observation
-- An observation that a tenant may see: of an asset it watches, made since it was attached. Older ones are visible if
-- they are still current: the last of a scan, or the base of a current verdict.
select o.id, o.asset_id, o.scan_kind, o.observed_at, o.raw, o.raw_hash, o.previous_hash, o.scanner_version, o.datasets
from signal_observations as o
where o.id = $2 and exists (
    select from vendor_assets as va
    where va.tenant_id = $1 and va.asset_id = o.asset_id and va.removed_at is null and (
        o.observed_at >= va.attached_at
        or exists (
            select from signal_schedule as s where s.asset_id = o.asset_id and s.observation_id = o.id
        )
        or exists (
            select from signal_states as s where s.asset_id = o.asset_id and s.observation_id = o.id
        )
    )
);

-- name: names_seen_on_certificates
select distinct name::text
from vendor_assets as va
join signal_states as s on s.asset_id = va.asset_id and s.rule = 'tls.cert_name'
cross join jsonb_array_elements_text(
    case when jsonb_typeof(s.evidence -> 'names') = 'array' then s.evidence -> 'names' else '[]' end
) as name
where va.tenant_id = $1 and va.vendor_id = $2 and va.removed_at is null
order by name
limit 200;

-- name: domains_recorded
select domain from vendor_domains where tenant_id = $1 and vendor_id = $2 order by domain;

-- name: current_score
select snapshot_id, scored_at from vendor_signals where tenant_id = $1 and vendor_id = $2;

-- name: find_snapshot
select id, vendor_id, scored_at, model_version, reason, previous_number, previous_model_version, result, inputs,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = score_snapshots.vendor_id) as vendor_name
from score_snapshots
where tenant_id = $1 and id = $2;

-- name: list_snapshots
select id, vendor_id, scored_at, model_version, reason, score, grade, number, previous_number,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = score_snapshots.vendor_id) as vendor_name
from score_snapshots
where tenant_id = $1 and vendor_id = $2 /*where*/
/*order*/;

-- name: list_latest_scores
-- One row a vendor that was ever scored.
select s.snapshot_id as id, s.vendor_id, s.scored_at, s.model_version, s.score, s.grade, s.number, s.low, s.high,
    s.coverage_bp, s.confidence_percent,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = s.vendor_id) as vendor_name
from vendor_signals as s
where s.tenant_id = $1 and s.snapshot_id is not null /*where*/
/*order*/;

-- name: pauses
select rule, paused_until from signal_pauses where paused_until > $1;

-- name: feeds
select feed, version, checked_at, fetched_at, next_fetch_at, failure, failures, item_count
from signal_feeds
order by feed;

-- name: insert_product
insert into vendor_products (
    tenant_id, id, vendor_id, maker, maker_key, product, product_key, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
returning id, vendor_id, maker, product, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_products.vendor_id) as vendor_name;

-- name: find_product
select id, vendor_id, maker, product, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_products.vendor_id) as vendor_name
from vendor_products
where tenant_id = $1 and id = $2;

-- name: lock_product
select id, vendor_id, maker, product, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_products.vendor_id) as vendor_name
from vendor_products
where tenant_id = $1 and id = $2
for update;

-- name: list_products
select id, vendor_id, maker, product, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_products.vendor_id) as vendor_name
from vendor_products
where tenant_id = $1 /*where*/
/*order*/;

-- name: update_product
update vendor_products
set maker = $3, maker_key = $4, product = $5, product_key = $6, updated_at = $7, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, maker, product, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_products.vendor_id) as vendor_name;

-- name: delete_product
delete from vendor_products where tenant_id = $1 and id = $2;

-- name: find_change
select id, vendor_id, vendor_asset_id, change, name, details, observed_at, state, fourth_party_id, decided_at,
    decided_by_label, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = subprocessor_changes.vendor_id) as vendor_name
from subprocessor_changes
where tenant_id = $1 and id = $2;

-- name: lock_change
select id, vendor_id, vendor_asset_id, change, name, details, observed_at, state, fourth_party_id, decided_at,
    decided_by_label, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = subprocessor_changes.vendor_id) as vendor_name
from subprocessor_changes
where tenant_id = $1 and id = $2
for update;

-- name: list_changes
select id, vendor_id, vendor_asset_id, change, name, details, observed_at, state, fourth_party_id, decided_at,
    decided_by_label, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = subprocessor_changes.vendor_id) as vendor_name
from subprocessor_changes
where tenant_id = $1 /*where*/
/*order*/;

-- name: decide_change
update subprocessor_changes
set state = $3, fourth_party_id = $4, decided_at = $5, decided_by_id = $6, decided_by_label = $7,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, vendor_asset_id, change, name, details, observed_at, state, fourth_party_id, decided_at,
    decided_by_label, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = subprocessor_changes.vendor_id) as vendor_name;

-- name: vendors_of_domains
select domain, vendor_id from vendor_domains where tenant_id = $1 and domain = any($2::text[]);

-- name: save_ratings
-- A rating of the same vendor, provider and day is replaced, not duplicated. Counts new and changed ratings.
with kept as (
    insert into vendor_ratings as r (
        tenant_id, id, vendor_id, domain, provider, rated_on, value_hundredths, grade, imported_at
    )
    select $1, w.id, w.vendor_id, w.domain, w.provider, w.rated_on, w.value_hundredths, w.grade, $2
    from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::date[], $8::integer[], $9::text[])
        as w (id, vendor_id, domain, provider, rated_on, value_hundredths, grade)
    on conflict on constraint vendor_ratings_are_saved_once do update
    set domain = excluded.domain, value_hundredths = excluded.value_hundredths, grade = excluded.grade,
        imported_at = excluded.imported_at
    where (r.domain, r.value_hundredths, r.grade)
        is distinct from (excluded.domain, excluded.value_hundredths, excluded.grade)
    returning 1
)
select count(*)::integer from kept;

-- name: list_ratings
select id, vendor_id, domain, provider, rated_on, value_hundredths, grade, imported_at,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_ratings.vendor_id) as vendor_name
from vendor_ratings
where tenant_id = $1 /*where*/
/*order*/;

-- name: find_signal_of_finding
-- The observation that opened it, and the present one of the same rule on the same asset.
select sf.finding_id, sf.vendor_id, sf.vendor_asset_id, va.name as asset_name, sf.rule, sf.subject, sf.model_version,
    sf.opened_at, sf.closed_at, sf.observation_id as opened_on, s.observation_id as seen_on, s.verdict, s.reason, s.detail,
    s.evidence, case when s.verdict = 'unknown' then s.known_at else l.last_scan_at end as last_seen_at,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = sf.vendor_id) as vendor_name
from signal_findings as sf
join vendor_assets as va on va.tenant_id = sf.tenant_id and va.id = sf.vendor_asset_id
left join signal_states as s
    on s.asset_id = va.asset_id and s.rule = sf.rule and s.subject = sf.subject and va.removed_at is null
left join signal_schedule as l on l.asset_id = s.asset_id and l.scan_kind = s.scan_kind
where sf.tenant_id = $1 and sf.finding_id = $2;

-- name: asset_of_vendor
select id, name, null::text as value from vendor_assets
where tenant_id = $1 and vendor_id = $2 and asset_id = $3 and removed_at is null;

-- name: product_of_name
select id, product as name, null::text as value from vendor_products
where tenant_id = $1 and vendor_id = $2 and maker_key = $3 and product_key = $4;
