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
where tenant_id = $1 and sequence > $2 and sequence <= $3
order by sequence
limit $4;

-- name: chain_ends
-- Across tenants. One statement, so that the head and the entries are of one moment while writers append.
select h.sequence as head_sequence, h.hash as head_hash,
    (select min(e.sequence) from audit_entries as e where e.tenant_id = one.tenant_id) as first_sequence,
    (select max(e.sequence) from audit_entries as e where e.tenant_id = one.tenant_id) as last_sequence
from (select $1::uuid as tenant_id) as one
left join audit_heads as h on h.tenant_id = one.tenant_id;

-- name: list_chains
-- Across tenants: whatever has a tenant, a head or an entry has a chain to verify, whichever of the three is gone. The
-- recursion steps from one tenant's entries to the next's in the primary key.
with recursive written as (
    (select e.tenant_id from audit_entries as e order by e.tenant_id limit 1)
    union all
    select (select e.tenant_id from audit_entries as e where e.tenant_id > w.tenant_id order by e.tenant_id limit 1)
    from written as w
    where w.tenant_id is not null
)
select id as tenant_id from tenants
union
select tenant_id from audit_heads
union
select tenant_id from written where tenant_id is not null
order by tenant_id;
