-- name: find_finding_policy
select critical_days, high_days, medium_days, low_days, version from finding_policies where tenant_id = $1;

-- name: lock_finding_policy
select critical_days, high_days, medium_days, low_days, version
from finding_policies
where tenant_id = $1
for update;

-- name: save_finding_policy
insert into finding_policies (tenant_id, critical_days, high_days, medium_days, low_days, updated_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id) do update
set critical_days = excluded.critical_days, high_days = excluded.high_days, medium_days = excluded.medium_days,
    low_days = excluded.low_days, updated_at = excluded.updated_at, version = finding_policies.version + 1
returning critical_days, high_days, medium_days, low_days, version;

-- name: insert_finding
-- If the source has a finding already, no row is returned.
insert into findings (
    tenant_id, id, vendor_id, source_kind, source_id, title, description, severity, owner_id, opened_on, due_on,
    state_changed_at, created_at, updated_at, reference, metadata
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12, $13, $14)
on conflict (tenant_id, source_kind, source_id) do nothing
returning id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name;

-- name: find_finding
select id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name
from findings
where tenant_id = $1 and id = $2;

-- name: lock_finding
select id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name
from findings
where tenant_id = $1 and id = $2
for update;

-- name: lock_finding_of_source
select id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name
from findings
where tenant_id = $1 and source_kind = $2 and source_id = $3
for update;

-- name: lock_finding_of_reference
select id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name
from findings
where tenant_id = $1 and reference = $2
for update;

-- name: holder_of_reference
select id, title as name, null::text as value from findings where tenant_id = $1 and reference = $2;

-- name: list_findings
select id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name
from findings
where tenant_id = $1 /*where*/
/*order*/;

-- name: update_finding
update findings
set title = $3, description = $4, severity = $5, state = $6, state_reason = $7, state_changed_at = $8, owner_id = $9,
    due_on = $10, until_on = $11, times_reopened = $12, updated_at = $13, reference = $14, metadata = $15,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, reference, metadata, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name;

-- name: insert_transition
insert into finding_transitions (
    tenant_id, id, finding_id, from_state, to_state, reason, until_on, transitioned_by_id, transitioned_by_label,
    transitioned_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: list_transitions
select id, from_state, to_state, reason, until_on, transitioned_by_id, transitioned_by_label, transitioned_at
from finding_transitions
where tenant_id = $1 and finding_id = $2
order by id;

-- name: ended_acceptances
select id from findings as f
where tenant_id = $1 and until_on < $2 and not exists (
    select from failed_rows as r
    where r.tenant_id = $1 and r.queue = 'end_acceptances' and r.row_id = f.id and r.retry_at > $4
)
order by until_on, id
limit $3;
