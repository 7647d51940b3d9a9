-- name: claim_feed
update signal_feeds
set lease_token = $2, next_fetch_at = $3
where feed = (
    select feed from signal_feeds where next_fetch_at <= $1 and feed = any($4::text[])
    order by next_fetch_at
    limit 1
    for update skip locked
)
returning feed, version, etag, last_modified, failures;

-- name: know_feeds
insert into signal_feeds (feed, next_fetch_at)
select f.feed, $2::timestamptz from unnest($1::text[]) as f (feed)
on conflict (feed) do nothing;

-- name: save_feed_items
-- Returns the subjects of new items, so that their domains are scanned again.
with wanted as (
    select w.key, w.subject, w.payload::jsonb as payload
    from unnest($2::text[], $3::text[], $4::text[]) as w (key, subject, payload)
),
known as (
    select i.key from signal_feed_items as i
    join wanted as w on i.feed = $1 and i.key = w.key
    where i.gone_at is null
),
kept as (
    insert into signal_feed_items as i (feed, key, subject, payload, first_seen_at, last_seen_at)
    select $1, w.key, w.subject, w.payload, $5, $5
    from wanted as w
    on conflict (feed, key) do update
    set subject = excluded.subject, payload = excluded.payload, last_seen_at = excluded.last_seen_at, gone_at = null
    where i.payload is distinct from excluded.payload or i.gone_at is not null
)
select w.subject from wanted as w
where w.subject <> '' and not exists (select from known as k where k.key = w.key);

-- name: drop_feed_items
update signal_feed_items set gone_at = $3
where feed = $1 and gone_at is null and key <> all($2::text[]);

-- name: feed_fetched
update signal_feeds
set version = $3, etag = $4, last_modified = $5, checked_at = $6, fetched_at = $6, failure = null, failures = 0,
    item_count = $7, body = $8, next_fetch_at = $9, lease_token = null
where feed = $1 and lease_token = $2;

-- name: feed_unchanged
update signal_feeds
set checked_at = $3, fetched_at = $3, failure = null, failures = 0, next_fetch_at = $4, lease_token = null
where feed = $1 and lease_token = $2;

-- name: feed_failed
update signal_feeds
set checked_at = $3, failure = $4, failures = failures + 1, next_fetch_at = $5, lease_token = null
where feed = $1 and lease_token = $2;

-- name: feed_of
select feed, version, checked_at, fetched_at, next_fetch_at, failure, failures, item_count
from signal_feeds
where feed = $1;

-- name: feed_body
select body from signal_feeds where feed = $1 and body is not null;

-- name: items_of_subject
select payload from signal_feed_items where feed = $1 and subject = $2 and gone_at is null order by key;

-- name: scan_domains_again
-- A new item of a feed concerns the domains that it names: they are joined again at once.
with concerned as (
    update signal_schedule as s
    set next_scan_at = $2
    from public_assets as a
    where a.kind = 'domain' and a.name = any($1::text[]) and s.asset_id = a.id and s.scan_kind = 'feeds'
        and s.next_scan_at > $2
    returning s.registrable_domain
)
update registrable_domains as p
set next_scan_at = least(p.next_scan_at, $2)
from (select distinct registrable_domain from concerned) as c
where p.name = c.registrable_domain and p.lease_token is null;

-- name: tenants_with_makers
-- Across tenants: those with vendors that run a product of a maker that a new item of the catalogue names.
select distinct tenant_id from vendor_products where maker_key = any($1::text[]) order by tenant_id;

-- name: reconcile_owners_of
update vendor_signals as vs
set reconcile_at = least(vs.reconcile_at, $3)
where vs.tenant_id = $1 and vs.vendor_id in (
    select p.vendor_id from vendor_products as p where p.tenant_id = $1 and p.maker_key = any($2::text[])
);

-- name: item_of_feed
select payload from signal_feed_items where feed = $1 and key = $2 and gone_at is null;
