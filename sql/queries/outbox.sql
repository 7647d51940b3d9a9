-- name: lock_due_deliveries
-- Deliveries of the given kinds that may be tried now, and those with an expired lease. The order is the index's
-- (deliveries_to_try), and a second sender skips the rows this one holds. A delivery is spent if its lease expired during
-- the last allowed attempt: without this limit, a message that crashes its worker would be sent for ever. A test's single
-- attempt ends with its first refusal, but the death of its sender is none. `number` is the number of the attempt to
-- come, or of the last one. The kind is hidden from the planner, which without statistics would rather read all of the
-- tenant's deliveries by their kind. Destinations in $6 are left out: as many messages as may be are under way there.
select tenant_id, id, owner_kind, owner_id, destination_id, recipient, attempts + (not s.is_spent)::integer as number,
    attempts_allowed, lease_token, s.is_spent
from deliveries
cross join lateral (select state = 'sending' and attempts >= greatest(attempts_allowed, $5) as is_spent) as s
where tenant_id = $1 and next_attempt_at <= $2 and owner_kind || '' = any($3::text[])
    and (destination_id is null or destination_id <> all($6::uuid[]))
order by next_attempt_at
limit $4
for update of deliveries skip locked;

-- name: begin_attempts
-- For deliveries that this transaction has locked. If the lease expired during a send, nobody knows whether the message
-- arrived: that attempt becomes uncertain, and the next one counts as a possible duplicate. A delivery that its owner no
-- longer wants is cancelled, without an attempt.
with due as (
    select * from unnest($5::uuid[], $6::boolean[], $7::uuid[]) as d (id, is_wanted, lost_token)
),
unknown as (
    update delivery_attempts a
    set outcome = 'uncertain', ended_at = $2
    from due
    where due.lost_token is not null and a.tenant_id = $1 and a.delivery_id = due.id
        and a.token = due.lost_token and a.outcome = 'sending'
),
changed as (
    update deliveries d
    set state = case when due.is_wanted then 'sending' else 'cancelled' end,
        attempts = d.attempts + due.is_wanted::integer,
        lease_token = case when due.is_wanted then $3::uuid end,
        next_attempt_at = case when due.is_wanted then $4::timestamptz end,
        possible_duplicates = d.possible_duplicates + (due.lost_token is not null)::integer,
        updated_at = $2, version = d.version + 1
    from due
    where d.tenant_id = $1 and d.id = due.id
    returning d.id, d.attempts, due.is_wanted
)
insert into delivery_attempts (tenant_id, id, delivery_id, number, token, started_at)
select $1, new_id_at($2), id, attempts, $3, $2
from changed
where is_wanted;

-- name: end_spent_deliveries
-- For deliveries that this transaction has locked. The last attempt may have arrived, so it is uncertain. A delivery
-- that its owner no longer wants is cancelled.
with spent as (
    select * from unnest($3::uuid[], $4::boolean[], $5::uuid[]) as d (id, is_wanted, lost_token)
),
unknown as (
    update delivery_attempts a
    set outcome = 'uncertain', ended_at = $2
    from spent
    where a.tenant_id = $1 and a.delivery_id = spent.id and a.token = spent.lost_token and a.outcome = 'sending'
)
update deliveries d
set state = case when spent.is_wanted then 'dead' else 'cancelled' end, lease_token = null, next_attempt_at = null,
    failure = 'timeout', detail = 'its sender died at the last try; it may have arrived', updated_at = $2,
    version = d.version + 1
from spent
where d.tenant_id = $1 and d.id = spent.id
returning d.tenant_id, d.id, d.owner_kind, d.owner_id, d.state, d.failure;

-- name: record_attempts
-- Only the holder of the lease may record: the token of a reclaimed lease changes nothing.
with results as (
    select *
    from unnest($3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[])
        as r (id, token, state, next_attempt_at, outcome, failure, detail)
),
recorded as (
    update deliveries d
    set state = r.state, next_attempt_at = r.next_attempt_at, lease_token = null, failure = r.failure,
        detail = r.detail, sent_at = case when r.state = 'sent' then $2::timestamptz end,
        possible_duplicates = d.possible_duplicates + (r.outcome = 'uncertain' and r.state = 'pending')::integer,
        updated_at = $2, version = d.version + 1
    from results r
    where d.tenant_id = $1 and d.id = r.id and d.lease_token = r.token and d.state = 'sending'
    returning d.tenant_id, d.id, d.owner_kind, d.owner_id, d.state, r.token, r.outcome, r.failure, r.detail
),
ended as (
    update delivery_attempts a
    set outcome = r.outcome, failure = r.failure, detail = r.detail, ended_at = $2
    from recorded r
    where a.tenant_id = $1 and a.delivery_id = r.id and a.token = r.token and a.outcome = 'sending'
)
select tenant_id, id, owner_kind, owner_id, state, failure from recorded;

-- name: postpone_deliveries
-- A destination that cannot be reached is left alone, so that it does not take every place.
update deliveries
set next_attempt_at = $3
where tenant_id = $1 and destination_id = $2 and state = 'pending' and next_attempt_at < $3;

-- name: insert_delivery
insert into deliveries (
    tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, recipient, attempts_allowed,
    next_attempt_at, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)
returning id, owner_kind, owner_id, destination_kind, destination_id, recipient, state, attempts, attempts_allowed,
    next_attempt_at, possible_duplicates, failure, detail, sent_at, created_at, updated_at, version;

-- name: cancel_deliveries
-- A delivery under way comes back as its attempt ends, and is cancelled then.
update deliveries
set state = 'cancelled', next_attempt_at = null, updated_at = $3, version = version + 1
where tenant_id = $1 and destination_id = $2 and state = 'pending';

-- name: list_deliveries
select id, owner_kind, owner_id, destination_kind, destination_id, recipient, state, attempts, attempts_allowed,
    next_attempt_at, possible_duplicates, failure, detail, sent_at, created_at, updated_at, version
from deliveries
where tenant_id = $1 and owner_kind = $2 /*where*/
/*order*/;

-- name: find_delivery
select id, owner_kind, owner_id, destination_kind, destination_id, recipient, state, attempts, attempts_allowed,
    next_attempt_at, possible_duplicates, failure, detail, sent_at, created_at, updated_at, version
from deliveries
where tenant_id = $1 and owner_kind = $2 and id = $3;

-- name: lock_delivery
select id, owner_kind, owner_id, destination_kind, destination_id, recipient, state, attempts, attempts_allowed,
    next_attempt_at, possible_duplicates, failure, detail, sent_at, created_at, updated_at, version
from deliveries
where tenant_id = $1 and owner_kind = $2 and id = $3
for update;

-- name: resend_delivery
-- If the last try may have arrived, the next one is perhaps a double. Where another try was to follow anyway, that is
-- counted already.
update deliveries d
set state = 'pending', next_attempt_at = $3, attempts_allowed = attempts + $4, updated_at = $3,
    possible_duplicates = possible_duplicates + (
        d.state = 'dead' and exists (
            select from delivery_attempts a
            where a.tenant_id = d.tenant_id and a.delivery_id = d.id and a.number = d.attempts
                and a.outcome = 'uncertain'
        )
    )::integer,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, owner_kind, owner_id, destination_kind, destination_id, recipient, state, attempts, attempts_allowed,
    next_attempt_at, possible_duplicates, failure, detail, sent_at, created_at, updated_at, version;

-- name: list_attempts
select id, number, outcome, failure, detail, started_at, ended_at
from delivery_attempts
where tenant_id = $1 and delivery_id = $2 /*where*/
/*order*/;
