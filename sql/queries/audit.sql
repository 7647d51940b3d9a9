-- name: append_audit
select append_audit($1, $2, $3, $4, $5, $6, $7) as sequence;

-- name: list_entries
select sequence, at, actor_kind, actor_id, action, target_kind, target_id, content, previous_hash, hash
from audit_entries
where tenant_id = $1 /*where*/
/*order*/;

-- name: chain_slice
-- Across tenants: verification walks every chain.
select sequence, at, actor_kind, actor_id, action, target_kind, target_id, content, previous_hash, hash
from audit_entries
where tenant_id = $1 and sequence > $2
order by sequence
limit $3;

-- name: find_head
select tenant_id, sequence, hash from audit_heads where tenant_id = $1;

-- name: list_chains
-- Across tenants: a tenant whose head is gone still has a chain to verify.
select id as tenant_id from tenants order by id;
