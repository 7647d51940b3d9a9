-- Evidence: documents of many kinds, SOC 2 reports as records of their own, and the coverage computed from them.

create table evidence_policies (
    tenant_id uuid primary key references tenants (id),
    policy jsonb not null,
    updated_at timestamptz not null,
    version integer not null default 1
);
comment on table evidence_policies is 'only where a tenant departs from the defaults';
call guard_tenant_table('evidence_policies', 'select, insert, update');

create table documents (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    service_id uuid,
    kind text not null,
    title text not null,
    classification text not null,
    issued_on date,
    valid_from_on date,
    stated_until_on date,
    surveillance_on date,
    expires_on date,
    assurance text not null,
    note text,
    revision integer not null default 1,
    supersedes_id uuid,
    superseded_at timestamptz,
    withdrawn_at timestamptz,
    file_sha256 text,
    file_bytes bigint,
    file_name text,
    media_type text,
    extraction text not null default 'none',
    extraction_detail text,
    extraction_leased_until timestamptz,
    extraction_token uuid,
    extraction_tries integer not null default 0,
    reference text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint documents_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint documents_service_is_known foreign key (tenant_id, service_id)
        references vendor_services (tenant_id, id),
    constraint documents_superseded_one_is_known foreign key (tenant_id, supersedes_id)
        references documents (tenant_id, id),
    constraint documents_kind_is_known check (
        kind in (
            'soc2_type1', 'soc2_type2', 'bridge_letter', 'soc1', 'soc3', 'iso27001_certificate', 'pci_aoc',
            'pen_test_report', 'insurance_certificate', 'dpa', 'policy', 'other'
        )
    ),
    constraint documents_classification_is_known check (
        classification in ('public', 'internal', 'confidential', 'restricted')
    ),
    constraint documents_assurance_is_known check (assurance in ('full', 'partial', 'none')),
    constraint documents_title_has_1_to_300_characters check (char_length(title) between 1 and 300),
    constraint documents_note_has_1_to_4000_characters check (char_length(note) between 1 and 4000),
    constraint documents_file_is_whole check (
        (file_sha256 is null) = (file_bytes is null) and (file_sha256 is null) = (media_type is null)
    ),
    constraint documents_extraction_is_known check (extraction in ('none', 'waiting', 'read', 'unreadable')),
    constraint documents_metadata_is_a_map check (jsonb_typeof(metadata) = 'object'),
    constraint documents_reference_has_1_to_100_characters check (char_length(reference) between 1 and 100)
);
comment on column documents.expires_on is 'computed by the rule of its kind; null where its coverage is computed elsewhere or it has no end';
comment on column documents.extraction_tries is 'how often a worker has begun to read the file; a worker that died counts';
comment on column documents.extraction is 'whether the text of its file was extracted for proposals; the row is the work of the extraction job';
comment on column documents.metadata is 'texts by key that the tenant keeps with the record; the service does not read them';
comment on column documents.reference is 'the tenant''s own number for the record';
call guard_tenant_table('documents', 'select, insert, update');
create unique index documents_reference_is_unique on documents (tenant_id, reference)
where reference is not null and superseded_at is null and withdrawn_at is null;
create unique index documents_are_superseded_once on documents (tenant_id, supersedes_id)
where supersedes_id is not null;
create index documents_by_vendor on documents (tenant_id, vendor_id, created_at desc, id desc);
create index documents_by_service on documents (tenant_id, service_id) where service_id is not null;
create index documents_by_expiry on documents (tenant_id, expires_on, id);
create index documents_by_age on documents (tenant_id, created_at desc, id desc);
create index documents_by_change on documents (tenant_id, updated_at, id);
create index documents_by_title on documents (tenant_id, title, id);
create index documents_by_issue on documents (tenant_id, issued_on, id);
create index documents_to_read on documents (tenant_id, created_at) where extraction = 'waiting';

create table soc2_reports (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    document_id uuid,
    report_type text not null,
    as_of_on date,
    period_start_on date,
    period_end_on date,
    report_on date,
    auditor text,
    auditor_licence_state text,
    auditor_is_peer_reviewed boolean,
    opinion text not null,
    opinion_reason text,
    categories text[] not null,
    criteria_tested text[] not null default '{}',
    system_name text,
    withdrawn_at timestamptz,
    withdrawn_reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint soc2_reports_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint soc2_reports_document_is_known foreign key (tenant_id, document_id) references documents (tenant_id, id),
    constraint soc2_reports_document_is_recorded_once unique (tenant_id, document_id),
    constraint soc2_reports_period_is_recorded_once unique nulls not distinct (
        tenant_id, vendor_id, report_type, as_of_on, period_start_on, period_end_on, system_name, withdrawn_at
    ),
    constraint soc2_reports_type_1_has_a_day check (
        report_type <> 'type_1' or (as_of_on is not null and period_start_on is null and period_end_on is null)
    ),
    constraint soc2_reports_type_2_has_a_period check (
        report_type <> 'type_2' or (as_of_on is null and period_start_on is not null and period_end_on is not null)
    ),
    constraint soc2_reports_report_type_is_known check (report_type in ('type_1', 'type_2')),
    constraint soc2_reports_period_runs_forward check (period_start_on <= period_end_on),
    constraint soc2_reports_opinion_is_known check (opinion in ('unqualified', 'qualified', 'adverse', 'disclaimer')),
    constraint soc2_reports_always_cover_security check ('security' = any (categories)),
    constraint soc2_reports_auditor_has_1_to_200_characters check (char_length(auditor) between 1 and 200),
    constraint soc2_reports_system_has_1_to_300_characters check (char_length(system_name) between 1 and 300)
);
comment on column soc2_reports.auditor_licence_state is 'the US state that licensed the firm of certified public accountants';
call guard_tenant_table('soc2_reports', 'select, insert, update');
create index soc2_reports_by_age on soc2_reports (tenant_id, created_at desc, id desc);
create index soc2_reports_by_change on soc2_reports (tenant_id, updated_at, id);
create index soc2_reports_by_vendor on soc2_reports (tenant_id, vendor_id, id);

create table soc2_report_services (
    tenant_id uuid not null,
    report_id uuid not null,
    service_id uuid not null,
    primary key (tenant_id, report_id, service_id),
    constraint soc2_report_services_report_is_known foreign key (tenant_id, report_id)
        references soc2_reports (tenant_id, id),
    constraint soc2_report_services_service_is_known foreign key (tenant_id, service_id)
        references vendor_services (tenant_id, id) on delete cascade
);
comment on table soc2_report_services is 'the services a report covers; none listed means every service of the vendor';
call guard_tenant_table('soc2_report_services', 'select, insert, delete');
create index soc2_report_services_by_service on soc2_report_services (tenant_id, service_id);

create table soc2_exceptions (
    tenant_id uuid not null,
    id uuid not null,
    report_id uuid not null,
    criterion text not null,
    control text not null,
    deviation text not null,
    sample text,
    management_response text,
    severity text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint soc2_exceptions_report_is_known foreign key (tenant_id, report_id) references soc2_reports (tenant_id, id),
    constraint soc2_exceptions_severity_is_known check (severity in ('critical', 'high', 'medium', 'low'))
);
call guard_tenant_table('soc2_exceptions', 'select, insert, update, delete');
create index soc2_exceptions_by_report on soc2_exceptions (tenant_id, report_id, id);
create index soc2_exceptions_by_age on soc2_exceptions (tenant_id, created_at, id);
create index soc2_exceptions_by_change on soc2_exceptions (tenant_id, updated_at, id);

create table soc2_cuecs (
    tenant_id uuid not null,
    id uuid not null,
    report_id uuid not null,
    criterion text,
    control text not null,
    state text not null default 'open',
    owner_id uuid,
    proof text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint soc2_cuecs_report_is_known foreign key (tenant_id, report_id) references soc2_reports (tenant_id, id),
    constraint soc2_cuecs_owner_is_known foreign key (tenant_id, owner_id) references members (tenant_id, id),
    constraint soc2_cuecs_state_is_known check (state in ('open', 'in_place', 'not_applicable')),
    constraint soc2_cuecs_in_place_have_an_owner_and_a_proof check (
        state <> 'in_place' or (owner_id is not null and proof is not null)
    )
);
comment on table soc2_cuecs is 'complementary user entity controls: what we must operate for the vendor''s controls to hold';
call guard_tenant_table('soc2_cuecs', 'select, insert, update, delete');
create index soc2_cuecs_by_report on soc2_cuecs (tenant_id, report_id, id);
create index soc2_cuecs_by_age on soc2_cuecs (tenant_id, created_at, id);
create index soc2_cuecs_by_change on soc2_cuecs (tenant_id, updated_at, id);
create index soc2_cuecs_by_owner on soc2_cuecs (tenant_id, owner_id) where owner_id is not null;

create table soc2_subservice_organisations (
    tenant_id uuid not null,
    id uuid not null,
    report_id uuid not null,
    name text not null,
    purpose text,
    method text not null,
    complementary_controls text,
    provider_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint soc2_subservice_report_is_known foreign key (tenant_id, report_id) references soc2_reports (tenant_id, id),
    constraint soc2_subservice_provider_is_known foreign key (tenant_id, provider_id) references vendors (tenant_id, id),
    constraint soc2_subservice_method_is_known check (method in ('carve_out', 'inclusive'))
);
comment on column soc2_subservice_organisations.provider_id is 'where the organisation is a vendor of ours too';
call guard_tenant_table('soc2_subservice_organisations', 'select, insert, update, delete');
create index soc2_subservice_by_report on soc2_subservice_organisations (tenant_id, report_id, id);
create index soc2_subservice_by_name on soc2_subservice_organisations (tenant_id, name, id);
create index soc2_subservice_by_change on soc2_subservice_organisations (tenant_id, updated_at, id);
create index soc2_subservice_by_provider on soc2_subservice_organisations (tenant_id, provider_id)
where provider_id is not null;

create table bridge_letters (
    tenant_id uuid not null,
    id uuid not null,
    report_id uuid not null,
    document_id uuid,
    ends_on date not null,
    issued_on date,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint bridge_letters_report_is_known foreign key (tenant_id, report_id) references soc2_reports (tenant_id, id),
    constraint bridge_letters_document_is_known foreign key (tenant_id, document_id) references documents (tenant_id, id),
    constraint bridge_letters_end_is_recorded_once unique (tenant_id, report_id, ends_on)
);
call guard_tenant_table('bridge_letters', 'select, insert');
create index bridge_letters_by_document on bridge_letters (tenant_id, document_id) where document_id is not null;

-- The coverage derived from the reports, updated with every change and by the daily job.
create table soc2_coverage (
    tenant_id uuid not null,
    id uuid not null,
    vendor_id uuid not null,
    service_id uuid,
    state text not null,
    is_qualified boolean not null,
    reason text not null,
    effective_until_on date,
    next_change_on date,
    gap_days integer not null,
    missing_categories text[] not null,
    computed_on date not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint soc2_coverage_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint soc2_coverage_service_is_known foreign key (tenant_id, service_id)
        references vendor_services (tenant_id, id) on delete cascade,
    constraint soc2_coverage_is_computed_once unique nulls not distinct (tenant_id, vendor_id, service_id),
    constraint soc2_coverage_state_is_known check (
        state in ('covered', 'bridged', 'in_reliance', 'partial', 'lapsed', 'not_relied_on', 'none')
    )
);
comment on table soc2_coverage is 'as of computed_on; service_id is null for a vendor whose services are not recorded';
comment on column soc2_coverage.next_change_on is 'the first day on which the state is another one, if nothing is recorded meanwhile';
call guard_tenant_table('soc2_coverage', 'select, insert, update, delete');
create index soc2_coverage_by_change on soc2_coverage (tenant_id, next_change_on) where next_change_on is not null;
create index soc2_coverage_by_end on soc2_coverage (tenant_id, effective_until_on, id);
create index soc2_coverage_by_change_of_row on soc2_coverage (tenant_id, updated_at, id);
create index soc2_coverage_by_service on soc2_coverage (tenant_id, service_id) where service_id is not null;

create table proposals (
    tenant_id uuid not null,
    id uuid not null,
    document_id uuid not null,
    field text not null,
    value jsonb not null,
    page integer not null,
    quotation text not null,
    confidence real not null,
    decision text not null default 'open',
    decided_by_id uuid,
    decided_by_label text,
    decided_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null generated always as (coalesce(decided_at, created_at)) stored,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint proposals_document_is_known foreign key (tenant_id, document_id) references documents (tenant_id, id),
    constraint proposals_page_is_positive check (page >= 1),
    constraint proposals_confidence_is_0_to_1 check (confidence between 0 and 1),
    constraint proposals_decision_is_known check (decision in ('open', 'confirmed', 'rejected')),
    constraint proposals_decision_has_an_author check ((decision = 'open') = (decided_by_id is null))
);
comment on table proposals is 'what our own rules read in a file, for a person to confirm; nothing is decided here';
call guard_tenant_table('proposals', 'select, insert, update, delete');
create index proposals_by_document on proposals (tenant_id, document_id, field, id);
create index proposals_to_decide on proposals (tenant_id, document_id) where decision = 'open';

-- A changed service or lifecycle requests a recalculation of the vendor's coverage. The vendors feature is below this
-- one, so it sets the column that the job reads.
create function request_coverage_of_services() returns trigger
language plpgsql
as $$
begin
    update soc2_coverage as c
    set next_change_on = '0001-01-01'
    where (c.tenant_id, c.vendor_id) = (coalesce(new.tenant_id, old.tenant_id), coalesce(new.vendor_id, old.vendor_id));
    return null;
end
$$;
create trigger vendor_services_request_coverage
after insert or update or delete on vendor_services
for each row execute function request_coverage_of_services();

create function request_coverage_of_vendors() returns trigger
language plpgsql
as $$
begin
    update soc2_coverage as c
    set next_change_on = '0001-01-01'
    from new_vendors as n
    join old_vendors as o on o.tenant_id = n.tenant_id and o.id = n.id
    where o.lifecycle <> n.lifecycle and c.tenant_id = n.tenant_id and c.vendor_id = n.id;
    return null;
end
$$;
create trigger vendors_request_coverage
after update on vendors
referencing old table as old_vendors new table as new_vendors
for each statement execute function request_coverage_of_vendors();
