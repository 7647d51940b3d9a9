-- A report that was withdrawn by mistake is recorded again from the same document: only those that count are unique.
create index soc2_reports_by_document on soc2_reports (tenant_id, document_id) where document_id is not null;
alter table soc2_reports drop constraint soc2_reports_document_is_recorded_once;
create unique index soc2_reports_document_is_recorded_once on soc2_reports (tenant_id, document_id)
where withdrawn_at is null;

-- The coverage of a certificate changes with time alone, and documents of a vendor in offboarding raise no alerts. The
-- job finds both by a day, as it does for coverage.
alter table documents add column recheck_on date;
comment on column documents.recheck_on is 'the day on which the job evaluates it again; null if time has no effect';
create index documents_to_recheck on documents (tenant_id, recheck_on) where recheck_on is not null;
update documents
set recheck_on = '0001-01-01'
where kind = 'iso27001_certificate' and assurance = 'full' and superseded_at is null and withdrawn_at is null;

create or replace function request_coverage_of_vendors() returns trigger
language plpgsql
as $$
begin
    -- Most changes of vendors are no transitions, and end here.
    if not exists (
        select from new_vendors as n
        join old_vendors as o on o.tenant_id = n.tenant_id and o.id = n.id
        where o.lifecycle <> n.lifecycle
    ) then
        return null;
    end if;

    update soc2_coverage as c
    set next_change_on = '0001-01-01'
    from new_vendors as n
    join old_vendors as o on o.tenant_id = n.tenant_id and o.id = n.id
    where o.lifecycle <> n.lifecycle and c.tenant_id = n.tenant_id and c.vendor_id = n.id;

    update documents as d
    set recheck_on = '0001-01-01'
    from new_vendors as n
    join old_vendors as o on o.tenant_id = n.tenant_id and o.id = n.id
    where o.lifecycle <> n.lifecycle and d.tenant_id = n.tenant_id and d.vendor_id = n.id
        and d.superseded_at is null and d.withdrawn_at is null;
    return null;
end
$$;

-- How often vendors are reviewed is the tenant's to say.
create table review_policies (
    tenant_id uuid primary key references tenants (id),
    critical_months integer not null,
    high_months integer not null,
    medium_months integer not null,
    low_months integer not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    constraint review_policies_months_are_1_to_60 check (
        critical_months between 1 and 60 and high_months between 1 and 60
        and medium_months between 1 and 60 and low_months between 1 and 60
    )
);
comment on table review_policies is 'only where a tenant departs from the defaults: 3, 6, 12, 24 months';
call guard_tenant_table('review_policies', 'select, insert, update');

-- A wrongly recorded letter can be withdrawn. Otherwise it would bridge a gap that no letter covers.
grant update, delete on bridge_letters to vendorrisk_tenant, vendorrisk_system;

-- A report that names no service covers every service: one that names a service would begin to when that is removed.
-- So the service stays while a report names it.
alter table soc2_report_services
drop constraint soc2_report_services_service_is_known,
add constraint soc2_report_services_service_is_known foreign key (tenant_id, service_id)
references vendor_services (tenant_id, id);
