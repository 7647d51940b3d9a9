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
