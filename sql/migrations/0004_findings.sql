-- Findings: a vendor's problems, with owner and due date.

create table finding_policies (
    tenant_id uuid primary key references tenants (id),
    critical_days integer not null,
    high_days integer not null,
    medium_days integer not null,
    low_days integer not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    constraint finding_policies_days_are_1_to_1000 check (
        critical_days between 1 and 1000 and high_days between 1 and 1000
        and medium_days between 1 and 1000 and low_days between 1 and 1000
    )
);
comment on table finding_policies is 'only where a tenant departs from the defaults: 7, 30, 90, 180 days';
call guard_tenant_table('finding_policies', 'select, insert, update');

create table findings (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    source_kind text not null,
    source_id uuid not null,
    title text not null,
    description text,
    severity text not null,
    state text not null default 'open',
    state_reason text,
    state_changed_at timestamptz not null,
    owner_id uuid,
    opened_on date not null,
    due_on date not null,
    until_on date,
    times_reopened integer not null default 0,
    reference text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint findings_source_opens_one unique (tenant_id, source_kind, source_id),
    constraint findings_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint findings_owner_is_known foreign key (tenant_id, owner_id) references members (tenant_id, id),
    constraint findings_severity_is_known check (severity in ('critical', 'high', 'medium', 'low')),
    constraint findings_state_is_known check (
        state in ('open', 'acknowledged', 'remediated', 'accepted', 'disputed', 'false_positive')
    ),
    constraint findings_suppressed_have_an_end check ((state in ('accepted', 'disputed')) = (until_on is not null)),
    constraint findings_closed_have_a_reason check (
        state in ('open', 'acknowledged') or state_reason is not null
    ),
    constraint findings_title_has_1_to_300_characters check (char_length(title) between 1 and 300),
    constraint findings_description_has_1_to_8000_characters check (char_length(description) between 1 and 8000),
    constraint findings_metadata_is_a_map check (jsonb_typeof(metadata) = 'object'),
    constraint findings_reference_has_1_to_100_characters check (char_length(reference) between 1 and 100)
);
comment on column findings.source_id is 'what the finding is about (an exception, a report); its own id where a person opened it';
comment on column findings.metadata is 'texts by key that the tenant keeps with the record; the service does not read them';
comment on column findings.reference is 'the tenant''s own number for the record';
call guard_tenant_table('findings', 'select, insert, update');
create unique index findings_reference_is_unique on findings (tenant_id, reference) where reference is not null;
create index findings_by_vendor on findings (tenant_id, vendor_id, created_at desc, id desc);
create index findings_by_age on findings (tenant_id, created_at desc, id desc);
create index findings_by_due on findings (tenant_id, due_on, id);
create index findings_by_change on findings (tenant_id, updated_at, id);
create index findings_by_weight on findings (tenant_id, level_weight(severity), id);
create index findings_active_by_vendor on findings (tenant_id, vendor_id, severity, due_on)
where state in ('open', 'acknowledged');
create index findings_by_owner on findings (tenant_id, owner_id) where owner_id is not null;
create index findings_suppressed_to_an_end on findings (tenant_id, until_on) where until_on is not null;

-- Every transition of a finding, never changed.
create table finding_transitions (
    tenant_id uuid not null,
    id uuid not null,
    finding_id uuid not null,
    from_state text,
    to_state text not null,
    reason text,
    until_on date,
    transitioned_by_id uuid not null,
    transitioned_by_label text not null,
    transitioned_at timestamptz not null,
    primary key (tenant_id, id),
    constraint finding_transitions_finding_is_known foreign key (tenant_id, finding_id)
        references findings (tenant_id, id)
);
call guard_tenant_table('finding_transitions', 'select, insert');
create index finding_transitions_by_finding on finding_transitions (tenant_id, finding_id, id);
