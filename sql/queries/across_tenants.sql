-- name: note_deliveries
-- Across tenants: which of them have deliveries to send. It looks once into an index of each tenant, so
-- that its cost follows the tenants and not their rows. So do the others that note which tenants are due. The kind is
-- hidden from the planner, which without statistics would rather read all deliveries of each tenant by their kind.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'send_deliveries', w.due_at
from tenants as t
cross join lateral (
    select next_attempt_at as due_at from deliveries
    where tenant_id = t.id and next_attempt_at <= $1 and owner_kind || '' = any($2::text[])
    order by next_attempt_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_deadlines
-- Across tenants: each by its own calendar day.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'raise_due_alerts', $1
from tenants as t
cross join lateral (select local_day($1::timestamptz, t.time_zone) as today) as here
where exists (select from deadlines as d where d.tenant_id = t.id and d.next_alert_on <= here.today)
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_alerts
-- Across tenants.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'dispatch_alerts', w.due_at
from tenants as t
cross join lateral (
    select raised_at as due_at from alerts
    where tenant_id = t.id and dispatched_at is null
    order by raised_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_imports
-- Across tenants: imports of the kinds that this worker knows. A lease that ran out is anybody's again.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'run_imports', w.due_at
from tenants as t
cross join lateral (
    select created_at as due_at from imports
    where tenant_id = t.id and state in ('received', 'accepted') and kind || '' = any($2::text[])
        and (leased_until is null or leased_until <= $1)
    order by created_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_extractions
-- Across tenants.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'read_evidence', w.due_at
from tenants as t
cross join lateral (
    select created_at as due_at from documents
    where tenant_id = t.id and extraction = 'waiting'
        and (extraction_leased_until is null or extraction_leased_until <= $1)
    order by created_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_coverage
-- Across tenants: each by its own calendar day.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'age_coverage', $1
from tenants as t
cross join lateral (select local_day($1::timestamptz, t.time_zone) as today) as here
where exists (select from soc2_coverage as c where c.tenant_id = t.id and c.next_change_on <= here.today)
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_documents
-- Across tenants: each by its own calendar day.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'age_documents', $1
from tenants as t
cross join lateral (select local_day($1::timestamptz, t.time_zone) as today) as here
where exists (select from documents as d where d.tenant_id = t.id and d.recheck_on <= here.today)
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_acceptances
-- Across tenants: each by its own calendar day.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'end_acceptances', $1
from tenants as t
cross join lateral (select local_day($1::timestamptz, t.time_zone) as today) as here
where exists (select from findings as f where f.tenant_id = t.id and f.until_on < here.today)
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_requested_scans
-- Across tenants.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'enrol_assets', w.due_at
from tenants as t
cross join lateral (
    select scan_requested_at as due_at from vendor_assets
    where tenant_id = t.id and scan_requested_at <= $1
    order by scan_requested_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_domains
-- Across tenants: those that asked for a scan of a domain that is due.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'scan_vendors', w.due_at
from tenants as t
cross join lateral (
    select next_scan_at as due_at from registrable_domains
    where asked_by = t.id and next_scan_at <= $1
    order by next_scan_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_reconciliations
-- Across tenants.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'reconcile_vendors', w.due_at
from tenants as t
cross join lateral (
    select reconcile_at as due_at from vendor_signals
    where tenant_id = t.id and reconcile_at <= $1
    order by reconcile_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_digests
-- Across tenants: where findings of less weight were opened on a day that is over and nobody was notified of them yet,
-- and no digest was raised today. Days are the tenant's. It runs every hour, so that no single hour must find a worker.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'send_signal_digests', $1
from tenants as t
cross join lateral (select local_midnight($1::timestamptz, t.time_zone) as began_at) as today
where exists (
    select from signal_findings as sf
    where sf.tenant_id = t.id and sf.digested_at is null and sf.opened_at < today.began_at
) and not exists (
    select from alerts as a
    where a.tenant_id = t.id and a.alert_class = 'signal_digest' and a.raised_at >= today.began_at
)
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: note_responses
-- Across tenants: which of them have stored responses from before an instant.
insert into due_tenants (tenant_id, queue, due_at)
select t.id, 'forget_old_responses', w.due_at
from tenants as t
cross join lateral (
    select created_at as due_at from idempotency_keys
    where tenant_id = t.id and created_at < $1
    order by created_at
    limit 1
) as w
order by t.id
on conflict (tenant_id, queue) do nothing;

-- name: wake_vendors
-- Across tenants: after a clock that ran ahead was put right, work that it scheduled in its own future is due again.
with requested as (
    update vendor_assets set scan_requested_at = $1 where scan_requested_at > $1::timestamptz + interval '1 day'
)
update vendor_signals set reconcile_at = $1 where reconcile_at > $1::timestamptz + interval '2 days';

-- name: note_key_use
-- Across tenants, in batches: the last use of many keys at once. Never goes back in time.
update api_keys as k
set last_used_at = u.used_at
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u (tenant_id, id, used_at)
where k.tenant_id = u.tenant_id and k.id = u.id and (k.last_used_at is null or k.last_used_at < u.used_at);
