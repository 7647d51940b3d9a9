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

-- name: begin_attempts
-- Across tenants, for deliveries that this transaction has locked. If the lease expired during a send, nobody knows
-- whether the message arrived: that attempt becomes uncertain, and the next one counts as a possible duplicate. A
-- delivery that its owner no longer wants is cancelled, without an attempt.
with due as (
    select *
    from unnest($4::uuid[], $5::uuid[], $6::boolean[], $7::uuid[]) as d (tenant_id, id, is_wanted, lost_token)
),
unknown as (
    update delivery_attempts a
    set outcome = 'uncertain', ended_at = $1
    from due
    where due.lost_token is not null and a.tenant_id = due.tenant_id and a.delivery_id = due.id
        and a.token = due.lost_token and a.outcome = 'sending'
),
changed as (
    update deliveries d
    set state = case when due.is_wanted then 'sending' else 'cancelled' end,
        attempts = d.attempts + due.is_wanted::integer,
        lease_token = case when due.is_wanted then $2::uuid end,
        next_attempt_at = case when due.is_wanted then $3::timestamptz end,
        possible_duplicates = d.possible_duplicates + (due.lost_token is not null)::integer,
        updated_at = $1, version = d.version + 1
    from due
    where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id, d.attempts, due.is_wanted
)
insert into delivery_attempts (tenant_id, id, delivery_id, number, token, started_at)
select tenant_id, new_id_at($1), id, attempts, $2, $1
from changed
where is_wanted;

-- name: end_spent_deliveries
-- Across tenants, for deliveries that this transaction has locked. The last attempt may have arrived, so it is
-- uncertain. A delivery that its owner no longer wants is cancelled.
with spent as (
    select *
    from unnest($2::uuid[], $3::uuid[], $4::boolean[], $5::uuid[]) as d (tenant_id, id, is_wanted, lost_token)
),
unknown as (
    update delivery_attempts a
    set outcome = 'uncertain', ended_at = $1
    from spent
    where a.tenant_id = spent.tenant_id and a.delivery_id = spent.id and a.token = spent.lost_token
        and a.outcome = 'sending'
)
update deliveries d
set state = case when spent.is_wanted then 'dead' else 'cancelled' end, lease_token = null, next_attempt_at = null,
    failure = 'timeout', detail = 'its sender died at the last try; it may have arrived', updated_at = $1,
    version = d.version + 1
from spent
where d.tenant_id = spent.tenant_id and d.id = spent.id
returning d.tenant_id, d.id, d.owner_kind, d.owner_id, d.state, d.failure;

-- name: record_attempts
-- Across tenants. Only the holder of the lease may record: the token of a reclaimed lease changes nothing.
with results as (
    select *
    from unnest(
        $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[]
    ) as r (tenant_id, id, token, state, next_attempt_at, outcome, failure, detail)
),
recorded as (
    update deliveries d
    set state = r.state, next_attempt_at = r.next_attempt_at, lease_token = null, failure = r.failure,
        detail = r.detail, sent_at = case when r.state = 'sent' then $1::timestamptz end,
        possible_duplicates = d.possible_duplicates + (r.outcome = 'uncertain' and r.state = 'pending')::integer,
        updated_at = $1, version = d.version + 1
    from results r
    where d.tenant_id = r.tenant_id and d.id = r.id and d.lease_token = r.token and d.state = 'sending'
    returning d.tenant_id, d.id, d.owner_kind, d.owner_id, d.state, r.token, r.outcome, r.failure, r.detail
),
ended as (
    update delivery_attempts a
    set outcome = r.outcome, failure = r.failure, detail = r.detail, ended_at = $1
    from recorded r
    where a.tenant_id = r.tenant_id and a.delivery_id = r.id and a.token = r.token and a.outcome = 'sending'
)
select tenant_id, id, owner_kind, owner_id, state, failure from recorded;

-- name: postpone_deliveries
-- Across tenants: a destination that cannot be reached is left alone, so that it does not take every place.
update deliveries d
set next_attempt_at = p.until
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as p (tenant_id, destination_id, until)
where d.tenant_id = p.tenant_id and d.destination_id = p.destination_id and d.state = 'pending'
    and d.next_attempt_at < p.until;

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
