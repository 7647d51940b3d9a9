-- name: claim_key
-- A second request with the same key waits here for the first one's transaction, then sees its response.
insert into idempotency_keys (tenant_id, actor_id, key, fingerprint, created_at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, actor_id, key) do nothing
returning true as claimed;

-- name: find_response
select fingerprint, status, headers, body, created_at
from idempotency_keys
where tenant_id = $1 and actor_id = $2 and key = $3;

-- name: save_response
update idempotency_keys set status = $4, headers = $5, body = $6
where tenant_id = $1 and actor_id = $2 and key = $3;

-- name: forget_responses
-- In slices, to keep locks short.
delete from idempotency_keys
where tenant_id = $1 and (actor_id, key) in (
    select k.actor_id, k.key from idempotency_keys as k where k.tenant_id = $1 and k.created_at < $2
    order by k.created_at limit $3 for update skip locked
);
