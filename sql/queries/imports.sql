-- name: insert_import
insert into imports (
    tenant_id, id, kind, is_dry_run, is_partial, format, file_name, file_digest, file_bytes, mapping, date_order,
    requested_by_id, requested_by_label, requested_by_kind, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
returning id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version;

-- name: insert_import_file
insert into import_files (tenant_id, import_id, part, content) values ($1, $2, $3, $4);

-- name: import_file_part
select content from import_files where tenant_id = $1 and import_id = $2 and part = $3;

-- name: delete_import_file
delete from import_files where tenant_id = $1 and import_id = $2;

-- name: find_import
select id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version
from imports
where tenant_id = $1 and kind = $2 and id = $3;

-- name: lock_import
select id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version
from imports
where tenant_id = $1 and kind = $2 and id = $3
for update;

-- name: list_imports
select id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version
from imports
where tenant_id = $1 and kind = $2 /*where*/
/*order*/;

-- name: claim_import
-- The next import of the tenant that waits for a worker, of the kinds that this worker knows. One that failed is never
-- first. A lease that ran out is anybody's again. The try is counted before it begins. A tenant has one import under way
-- at once, so that others find a worker.
update imports as i
set lease_token = $3, leased_until = $4, tries = i.tries + 1
where i.tenant_id = $1 and i.id = (
    select w.id
    from imports as w
    where w.tenant_id = $1 and w.state in ('received', 'accepted') and w.kind || '' = any($5::text[])
        and (w.leased_until is null or w.leased_until <= $2)
        and not exists (
            select from imports as o
            where o.tenant_id = $1 and o.state in ('received', 'accepted') and o.lease_token is not null
                and o.leased_until > $2
        )
    order by w.tries, w.created_at
    limit 1
    for update skip locked
)
returning i.kind, i.id, i.tries;

-- name: hold_import
-- Renews the lease while the work goes on, and stores the progress. False if another worker has reclaimed the lease.
update imports
set leased_until = $4, rows_done = $5, rows_total = coalesce($6, rows_total)
where tenant_id = $1 and id = $2 and lease_token = $3
returning true;

-- name: release_import
-- With an instant, it waits until then. A try that is not counted is given back.
update imports
set lease_token = null, leased_until = $4, tries = tries - (not $5::boolean)::integer
where tenant_id = $1 and id = $2 and lease_token = $3;

-- name: finish_check
update imports
set state = $3, tries = 0, notices = $4, headings = $5, rows_total = $6, rows_done = $7, to_create = $8, to_change = $9,
    unchanged = $10, with_problems = $11, rows_digest = $12, checked_at = $13, updated_at = $13, version = version + 1
where tenant_id = $1 and id = $2
returning id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version;

-- name: reject_import
update imports
set state = 'rejected', rejection_reason = $3, checked_at = $4, updated_at = $4, lease_token = null,
    leased_until = null, version = version + 1
where tenant_id = $1 and id = $2
returning id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version;

-- name: set_import_state
update imports
set state = $3, is_partial = $4, tries = 0, updated_at = $5::timestamptz,
    applied_at = case when $3 = 'applied' then $5::timestamptz end,
    rows_done = case when $3 = 'accepted' then 0 else coalesce(rows_total, 0) end, version = version + 1
where tenant_id = $1 and id = $2
returning id, state, is_dry_run, is_partial, format, file_name, encode(file_digest, 'hex') as file_digest, file_bytes,
    mapping, date_order, notices, headings, rejection_reason, rows_total, rows_done, to_create, to_change, unchanged,
    with_problems,
    encode(rows_digest, 'hex') as rows_digest, requested_by_id, requested_by_label, requested_by_kind, checked_at,
    applied_at, created_at, updated_at, version;

-- name: delete_import_rows
delete from import_rows where tenant_id = $1 and import_id = $2;

-- name: count_rows
-- The digest covers each row's outcome, its record, and the earlier values. The audit log keeps it.
select count(*)::int as total, count(*) filter (where outcome = 'create')::int as to_create,
    count(*) filter (where outcome = 'change')::int as to_change,
    count(*) filter (where outcome = 'unchanged')::int as unchanged,
    count(*) filter (where outcome = 'problem')::int as with_problems,
    sha256(coalesce(string_agg(
        sha256(convert_to(
            jsonb_build_array(row_number, outcome, id, record_id, given, before)::text, 'UTF8'
        )), ''::bytea order by row_number, id
    ), ''::bytea)) as rows_digest
from import_rows
where tenant_id = $1 and import_id = $2;

-- name: applied_imports
-- Across tenants, for verification: the entries about rows of imports, from audit logs with a verified chain.
select e.sequence, e.target_id as import_id, e.content::jsonb -> 'after' ->> 'rows_digest' as rows_digest
from audit_entries as e
where e.tenant_id = $1 and e.action = any($2::text[])
order by e.sequence;

-- name: list_import_rows
select id, row_number, outcome, record_id, given, before, problems, problem_codes
from import_rows
where tenant_id = $1 and import_id = $2 /*where*/
/*order*/;
