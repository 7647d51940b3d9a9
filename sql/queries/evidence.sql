-- name: find_policy
select policy, version from evidence_policies where tenant_id = $1;

-- name: lock_policy
select policy, version from evidence_policies where tenant_id = $1 for update;

-- name: save_policy
insert into evidence_policies (tenant_id, policy, updated_at)
values ($1, $2, $3)
on conflict (tenant_id) do update
set policy = excluded.policy, updated_at = excluded.updated_at, version = evidence_policies.version + 1
returning policy, version;

-- name: insert_document
insert into documents (
    tenant_id, id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, created_at, updated_at,
    reference, metadata
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17, $18, $19)
returning id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name;

-- name: find_document
select id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name
from documents
where tenant_id = $1 and id = $2;

-- name: lock_document
select id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name
from documents
where tenant_id = $1 and id = $2
for update;

-- name: lock_document_of_reference
-- Only among documents that count is a reference unique: the next revision takes it over.
select id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name
from documents
where tenant_id = $1 and reference = $2 and superseded_at is null and withdrawn_at is null
for update;

-- name: holder_of_reference
select id, title as name, null::text as value
from documents
where tenant_id = $1 and reference = $2 and superseded_at is null and withdrawn_at is null;

-- name: list_documents
select id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name
from documents
where tenant_id = $1 /*where*/
/*order*/;

-- name: supporting_documents
-- Documents that support a vendor's coverage beside SOC 2 reports.
select id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name
from documents
where tenant_id = $1 and vendor_id = $2 and kind in ('soc3', 'iso27001_certificate')
    and superseded_at is null and withdrawn_at is null
order by id;

-- name: current_documents
-- Documents that still count, in slices, for a new evaluation after a change of policy or on a new day.
select id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name
from documents
where tenant_id = $1 and superseded_at is null and withdrawn_at is null and id > $2
order by id
limit $3;

-- name: update_document
update documents
set title = $3, service_id = $4, classification = $5, issued_on = $6, valid_from_on = $7, stated_until_on = $8,
    surveillance_on = $9, expires_on = $10, assurance = $11, note = $12, superseded_at = $13, withdrawn_at = $14,
    updated_at = $15, reference = $16, metadata = $17, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name;

-- name: recheck_after
update documents set recheck_on = $3::date + 1
where tenant_id = $1 and id = $2 and recheck_on is distinct from $3::date + 1;

-- name: documents_to_recheck
select id from documents as d
where tenant_id = $1 and recheck_on <= $2 and not exists (
    select from failed_rows as f
    where f.tenant_id = $1 and f.queue = 'age_documents' and f.row_id = d.id and f.retry_at > $4
)
order by recheck_on, id
limit $3;

-- name: attach_file
-- A reader of the file before this one loses the lease, so that this one is read.
update documents
set file_sha256 = $3, file_bytes = $4, file_name = $5, media_type = $6, extraction = $7,
    extraction_detail = case when $7 = 'read' then extraction_detail end, extraction_token = null, extraction_leased_until = null,
    extraction_tries = 0, updated_at = $8, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, service_id, kind, title, classification, issued_on, valid_from_on, stated_until_on,
    surveillance_on, expires_on, assurance, note, revision, supersedes_id, superseded_at, withdrawn_at, file_sha256,
    file_bytes, file_name, media_type, extraction, extraction_detail, reference, metadata,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = documents.vendor_id) as vendor_name;

-- name: claim_extraction
-- The next file of the tenant to read. One that failed is never first. A lease that ran out is claimed again. The try is
-- counted before it begins.
update documents as d
set extraction_token = $3, extraction_leased_until = $4, extraction_tries = d.extraction_tries + 1
where d.tenant_id = $1 and d.id = (
    select w.id from documents as w
    where w.tenant_id = $1 and w.extraction = 'waiting'
        and (w.extraction_leased_until is null or w.extraction_leased_until <= $2)
        and (
            select count(*) from documents as o
            where o.tenant_id = $1 and o.extraction = 'waiting' and o.extraction_token is not null
                and o.extraction_leased_until > $2
        ) < $5
    order by w.extraction_tries, w.created_at
    limit 1
    for update of w skip locked
)
returning d.id, d.kind, d.file_sha256, d.extraction_tries as tries;

-- name: let_extraction_wait
-- A try that is not counted is given back.
update documents
set extraction_token = null, extraction_leased_until = $4,
    extraction_tries = extraction_tries - (not $5::boolean)::integer
where tenant_id = $1 and id = $2 and extraction_token = $3;

-- name: finish_extraction
-- Only the holder of the lease may store the result.
update documents
set extraction = $4, extraction_detail = $5, extraction_token = null, extraction_leased_until = null,
    extraction_tries = 0, updated_at = $6,
    version = version + 1
where tenant_id = $1 and id = $2 and extraction_token = $3
returning true as finished;

-- name: forget_open_proposals
delete from proposals where tenant_id = $1 and document_id = $2 and decision = 'open';

-- name: forget_proposals
delete from proposals where tenant_id = $1 and document_id = $2;

-- name: insert_proposals
insert into proposals (tenant_id, id, document_id, field, value, page, quotation, confidence, created_at)
select $1, p.id, $2, p.field, p.value, p.page, p.quotation, p.confidence, $3
from unnest($4::uuid[], $5::text[], $6::jsonb[], $7::integer[], $8::text[], $9::real[])
    as p (id, field, value, page, quotation, confidence);

-- name: list_proposals
select id, document_id, field, value, page, quotation, confidence, decision, decided_by_label, decided_at, created_at,
    updated_at, version
from proposals
where tenant_id = $1 and document_id = $2 /*where*/
/*order*/;

-- name: confirmed_proposals
select id, document_id, field, value, page, quotation, confidence, decision, decided_by_label, decided_at, created_at,
    updated_at, version
from proposals
where tenant_id = $1 and document_id = $2 and decision = 'confirmed'
order by field, confidence desc, id;

-- name: lock_proposal
select id, document_id, field, value, page, quotation, confidence, decision, decided_by_label, decided_at, created_at,
    updated_at, version
from proposals
where tenant_id = $1 and document_id = $2 and id = $3
for update;

-- name: decide_proposal
update proposals
set decision = $3, decided_by_id = $4, decided_by_label = $5, decided_at = $6, version = version + 1
where tenant_id = $1 and id = $2
returning id, document_id, field, value, page, quotation, confidence, decision, decided_by_label, decided_at, created_at,
    updated_at, version;

-- name: insert_report
insert into soc2_reports (
    tenant_id, id, vendor_id, document_id, report_type, as_of_on, period_start_on, period_end_on, report_on, auditor,
    auditor_licence_state, auditor_is_peer_reviewed, opinion, opinion_reason, categories, criteria_tested,
    system_name, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18);

-- name: cover_services
insert into soc2_report_services (tenant_id, report_id, service_id)
select $1, $2, s from unnest($3::uuid[]) as s;

-- name: uncover_services
delete from soc2_report_services where tenant_id = $1 and report_id = $2;

-- name: find_report
select r.id, r.vendor_id, r.document_id, r.report_type, r.as_of_on, r.period_start_on, r.period_end_on, r.report_on, r.auditor,
    r.auditor_licence_state, r.auditor_is_peer_reviewed, r.opinion, r.opinion_reason, r.categories, r.criteria_tested,
    r.system_name,
    array(
        select s.service_id from soc2_report_services as s
        where s.tenant_id = r.tenant_id and s.report_id = r.id order by s.service_id
    ) as service_ids,
    r.withdrawn_at, r.withdrawn_reason, r.created_at, r.updated_at, r.version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = r.vendor_id) as vendor_name
from soc2_reports as r
where r.tenant_id = $1 and r.id = $2;

-- name: lock_report
select r.id, r.vendor_id, r.document_id, r.report_type, r.as_of_on, r.period_start_on, r.period_end_on, r.report_on, r.auditor,
    r.auditor_licence_state, r.auditor_is_peer_reviewed, r.opinion, r.opinion_reason, r.categories, r.criteria_tested,
    r.system_name,
    array(
        select s.service_id from soc2_report_services as s
        where s.tenant_id = r.tenant_id and s.report_id = r.id order by s.service_id
    ) as service_ids,
    r.withdrawn_at, r.withdrawn_reason, r.created_at, r.updated_at, r.version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = r.vendor_id) as vendor_name
from soc2_reports as r
where r.tenant_id = $1 and r.id = $2
for update of r;

-- name: list_reports
select r.id, r.vendor_id, r.document_id, r.report_type, r.as_of_on, r.period_start_on, r.period_end_on, r.report_on, r.auditor,
    r.auditor_licence_state, r.auditor_is_peer_reviewed, r.opinion, r.opinion_reason, r.categories, r.criteria_tested,
    r.system_name,
    array(
        select s.service_id from soc2_report_services as s
        where s.tenant_id = r.tenant_id and s.report_id = r.id order by s.service_id
    ) as service_ids,
    r.withdrawn_at, r.withdrawn_reason, r.created_at, r.updated_at, r.version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = r.vendor_id) as vendor_name
from soc2_reports as r
where r.tenant_id = $1 /*where*/
/*order*/;

-- name: reports_of_vendors
select r.id, r.vendor_id, r.document_id, r.report_type, r.as_of_on, r.period_start_on, r.period_end_on, r.report_on, r.auditor,
    r.auditor_licence_state, r.auditor_is_peer_reviewed, r.opinion, r.opinion_reason, r.categories, r.criteria_tested,
    r.system_name,
    array(
        select s.service_id from soc2_report_services as s
        where s.tenant_id = r.tenant_id and s.report_id = r.id order by s.service_id
    ) as service_ids,
    r.withdrawn_at, r.withdrawn_reason, r.created_at, r.updated_at, r.version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = r.vendor_id) as vendor_name
from soc2_reports as r
where r.tenant_id = $1 and r.vendor_id = any($2) and r.withdrawn_at is null
order by r.vendor_id, r.id;

-- name: reports_resting_on
select count(*)::int from soc2_reports where tenant_id = $1 and document_id = $2 and withdrawn_at is null;

-- name: update_report
update soc2_reports
set as_of_on = $3, period_start_on = $4, period_end_on = $5, report_on = $6, auditor = $7,
    auditor_licence_state = $8, auditor_is_peer_reviewed = $9, opinion = $10, opinion_reason = $11, categories = $12,
    criteria_tested = $13, system_name = $14, withdrawn_at = $15, withdrawn_reason = $16, updated_at = $17,
    version = version + 1
where tenant_id = $1 and id = $2;

-- name: insert_exception
insert into soc2_exceptions (
    tenant_id, id, report_id, criterion, control, deviation, sample, management_response, severity, created_at,
    updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
returning id, report_id, criterion, control, deviation, sample, management_response, severity, created_at, updated_at,
    version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_name;

-- name: list_exceptions
select id, report_id, criterion, control, deviation, sample, management_response, severity, created_at, updated_at,
    version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_name
from soc2_exceptions
where tenant_id = $1 and report_id = $2
order by id;

-- name: list_all_exceptions
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.criterion, p.control, p.deviation, p.sample,
    p.management_response, p.severity, p.created_at, p.updated_at, p.version
from soc2_exceptions as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 /*where*/
/*order*/;

-- name: find_exception
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.criterion, p.control, p.deviation, p.sample,
    p.management_response, p.severity, p.created_at, p.updated_at, p.version
from soc2_exceptions as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 and p.report_id = $2 and p.id = $3;

-- name: lock_exception
select id, report_id, criterion, control, deviation, sample, management_response, severity, created_at, updated_at,
    version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_name
from soc2_exceptions
where tenant_id = $1 and report_id = $2 and id = $3
for update;

-- name: update_exception
update soc2_exceptions
set control = $3, deviation = $4, sample = $5, management_response = $6, severity = $7, updated_at = $8,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, report_id, criterion, control, deviation, sample, management_response, severity, created_at, updated_at,
    version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_exceptions.report_id
    ) as vendor_name;

-- name: delete_exception
delete from soc2_exceptions where tenant_id = $1 and id = $2;

-- name: insert_cuec
insert into soc2_cuecs (
    tenant_id, id, report_id, criterion, control, state, owner_id, proof, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
returning id, report_id, criterion, control, state, owner_id, proof, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_cuecs.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_cuecs.report_id
    ) as vendor_name;

-- name: list_cuecs
select id, report_id, criterion, control, state, owner_id, proof, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_cuecs.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_cuecs.report_id
    ) as vendor_name
from soc2_cuecs
where tenant_id = $1 and report_id = $2
order by id;

-- name: list_all_cuecs
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.criterion, p.control, p.state, p.owner_id, p.proof,
    p.created_at, p.updated_at, p.version
from soc2_cuecs as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 /*where*/
/*order*/;

-- name: find_cuec
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.criterion, p.control, p.state, p.owner_id, p.proof,
    p.created_at, p.updated_at, p.version
from soc2_cuecs as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 and p.report_id = $2 and p.id = $3;

-- name: lock_cuec
select id, report_id, criterion, control, state, owner_id, proof, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_cuecs.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_cuecs.report_id
    ) as vendor_name
from soc2_cuecs
where tenant_id = $1 and report_id = $2 and id = $3
for update;

-- name: update_cuec
update soc2_cuecs
set control = $3, state = $4, owner_id = $5, proof = $6, updated_at = $7, version = version + 1
where tenant_id = $1 and id = $2
returning id, report_id, criterion, control, state, owner_id, proof, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_cuecs.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_cuecs.report_id
    ) as vendor_name;

-- name: delete_cuec
delete from soc2_cuecs where tenant_id = $1 and id = $2;

-- name: insert_subservice
-- One that is named as a vendor of ours is linked to it, unless it is the report's own.
insert into soc2_subservice_organisations (
    tenant_id, id, report_id, name, purpose, method, complementary_controls, provider_id, created_at, updated_at
)
select $1, $2, $3, $4, $5, $6, $7, coalesce($8, (
    select v.id from vendors as v
    where v.tenant_id = $1 and v.name_key = $10
        and v.id <> (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = $3)
)), $9, $9
returning id, report_id, name, purpose, method, complementary_controls, provider_id, created_at, updated_at, version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_name;

-- name: list_subservice
select id, report_id, name, purpose, method, complementary_controls, provider_id, created_at, updated_at, version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_name
from soc2_subservice_organisations
where tenant_id = $1 and report_id = $2
order by id;

-- name: list_all_subservice
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.name, p.purpose, p.method,
    p.complementary_controls, p.provider_id, p.created_at, p.updated_at, p.version
from soc2_subservice_organisations as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 /*where*/
/*order*/;

-- name: find_subservice
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.name, p.purpose, p.method, p.complementary_controls,
    p.provider_id, p.created_at, p.updated_at, p.version
from soc2_subservice_organisations as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 and p.report_id = $2 and p.id = $3;

-- name: lock_subservice
select id, report_id, name, purpose, method, complementary_controls, provider_id, created_at, updated_at, version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_name
from soc2_subservice_organisations
where tenant_id = $1 and report_id = $2 and id = $3
for update;

-- name: update_subservice
update soc2_subservice_organisations
set name = $3, purpose = $4, method = $5, complementary_controls = $6, provider_id = $7, updated_at = $8,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, report_id, name, purpose, method, complementary_controls, provider_id, created_at, updated_at, version,
    (
        select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = soc2_subservice_organisations.report_id
    ) as vendor_name;

-- name: delete_subservice
delete from soc2_subservice_organisations where tenant_id = $1 and id = $2;

-- name: insert_letter
insert into bridge_letters (tenant_id, id, report_id, document_id, ends_on, issued_on, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
returning id, report_id, document_id, ends_on, issued_on, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = bridge_letters.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = bridge_letters.report_id
    ) as vendor_name;

-- name: find_letter
select p.id, p.report_id, r.vendor_id, v.name as vendor_name, p.document_id, p.ends_on, p.issued_on, p.created_at,
    p.updated_at, p.version
from bridge_letters as p
join soc2_reports as r on r.tenant_id = p.tenant_id and r.id = p.report_id
join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
where p.tenant_id = $1 and p.report_id = $2 and p.id = $3;

-- name: lock_letter
select id, report_id, document_id, ends_on, issued_on, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = bridge_letters.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = bridge_letters.report_id
    ) as vendor_name
from bridge_letters
where tenant_id = $1 and report_id = $2 and id = $3
for update;

-- name: update_letter
update bridge_letters
set document_id = $3, ends_on = $4, issued_on = $5, updated_at = $6, version = version + 1
where tenant_id = $1 and id = $2
returning id, report_id, document_id, ends_on, issued_on, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = bridge_letters.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = bridge_letters.report_id
    ) as vendor_name;

-- name: delete_letter
delete from bridge_letters where tenant_id = $1 and id = $2;

-- name: list_letters
select id, report_id, document_id, ends_on, issued_on, created_at, updated_at, version,
    (select r.vendor_id from soc2_reports as r where r.tenant_id = $1 and r.id = bridge_letters.report_id) as vendor_id,
    (
        select v.name from soc2_reports as r join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
        where r.tenant_id = $1 and r.id = bridge_letters.report_id
    ) as vendor_name
from bridge_letters
where tenant_id = $1 and report_id = any($2)
order by report_id, ends_on;

-- name: find_vendor_in_brief
select id, name, lifecycle from vendors where tenant_id = $1 and id = $2;

-- name: lock_vendor
-- One writer at a time computes a vendor's coverage. The lock is `no key update`, so that references to the vendor do
-- not wait.
select id, name, lifecycle from vendors where tenant_id = $1 and id = $2 for no key update;

-- name: services_of_vendor
select id, vendor_id, name, description, data_classes, categories_needed, is_uptime_critical, handles_transactions,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_services.vendor_id) as vendor_name
from vendor_services
where tenant_id = $1 and vendor_id = $2
order by name, id;

-- name: coverage_of_vendor
select id, vendor_id, service_id, state, is_qualified, reason, effective_until_on, next_change_on, gap_days,
    missing_categories, computed_on, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = soc2_coverage.vendor_id) as vendor_name
from soc2_coverage
where tenant_id = $1 and vendor_id = $2
order by service_id;

-- name: save_coverage
insert into soc2_coverage (
    tenant_id, id, vendor_id, service_id, state, is_qualified, reason, effective_until_on, next_change_on, gap_days,
    missing_categories, computed_on, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (tenant_id, vendor_id, service_id) do update
set state = excluded.state, is_qualified = excluded.is_qualified, reason = excluded.reason,
    effective_until_on = excluded.effective_until_on, next_change_on = excluded.next_change_on,
    gap_days = excluded.gap_days, missing_categories = excluded.missing_categories,
    computed_on = excluded.computed_on, updated_at = excluded.updated_at, version = soc2_coverage.version + 1
returning id, vendor_id, service_id, state, is_qualified, reason, effective_until_on, next_change_on, gap_days,
    missing_categories, computed_on, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = soc2_coverage.vendor_id) as vendor_name;

-- name: drop_coverage
delete from soc2_coverage where tenant_id = $1 and id = any($2);

-- name: list_coverage
select id, vendor_id, service_id, state, is_qualified, reason, effective_until_on, next_change_on, gap_days,
    missing_categories, computed_on, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = soc2_coverage.vendor_id) as vendor_name
from soc2_coverage
where tenant_id = $1 /*where*/
/*order*/;

-- name: vendors_with_coverage
select distinct vendor_id from soc2_coverage where tenant_id = $1 and vendor_id > $2 order by vendor_id limit $3;

-- name: vendors_with_changes
select distinct vendor_id
from soc2_coverage as c
where tenant_id = $1 and next_change_on <= $2 and not exists (
    select from failed_rows as f
    where f.tenant_id = $1 and f.queue = 'age_coverage' and f.row_id = c.vendor_id and f.retry_at > $4
)
order by vendor_id
limit $3;

-- name: report_of_document
select id, report_type || ' to ' || coalesce(period_end_on, as_of_on) as name, null::text as value from soc2_reports
where tenant_id = $1 and id <> $2 and document_id = $3 and withdrawn_at is null;

-- name: report_of_period
select id, report_type || ' to ' || coalesce(period_end_on, as_of_on) as name, null::text as value from soc2_reports
where
    tenant_id = $1 and id <> $2 and vendor_id = $3 and report_type = $4 and as_of_on is not distinct from $5
    and period_start_on is not distinct from $6 and period_end_on is not distinct from $7
    and system_name is not distinct from $8 and withdrawn_at is null;

-- name: letter_of_end
select id, 'letter to ' || ends_on as name, null::text as value from bridge_letters
where tenant_id = $1 and report_id = $2 and ends_on = $3;
