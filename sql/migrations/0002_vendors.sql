-- Vendors: the record, its services and fourth parties, intake, inherent risk, reviews, offboarding.

-- The text that search covers. Declared immutable because each part is: array_to_string is only marked stable for the
-- sake of element types other than text.
create function vendor_search_text(name text, aliases text[], domains text[]) returns text
language sql immutable parallel safe
as $$ select lower(name || ' ' || array_to_string(aliases, ' ') || ' ' || array_to_string(domains, ' ')) $$;

create table vendors (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    reference text,
    name text not null,
    name_key text not null,
    aliases text[] not null default '{}',
    description text,
    lifecycle text not null,
    lifecycle_reason text,
    lifecycle_changed_at timestamptz not null,
    intake text not null default 'open',
    intake_note text,
    business_owner_id uuid,
    security_owner_id uuid,
    contacts jsonb not null default '[]',
    domains text[] not null default '{}',
    country text,
    data_countries text[] not null default '{}',
    data_classes text[] not null default '{}',
    legal_name text,
    lei text,
    vat text,
    duns text,
    annual_spend numeric,
    currency text,
    tags text[] not null default '{}',
    tier text,
    tier_source text,
    inherent_score smallint,
    model_version text,
    last_reviewed_on date,
    next_review_on date,
    metadata jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    search_text text not null generated always as (vendor_search_text(name, aliases, domains)) stored,
    primary key (tenant_id, id),
    constraint vendors_name_is_unique unique (tenant_id, name_key),
    constraint vendors_business_owner_is_known foreign key (tenant_id, business_owner_id)
        references members (tenant_id, id),
    constraint vendors_security_owner_is_known foreign key (tenant_id, security_owner_id)
        references members (tenant_id, id),
    constraint vendors_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint vendors_reference_has_1_to_100_characters check (char_length(reference) between 1 and 100),
    constraint vendors_description_has_1_to_4000_characters check (char_length(description) between 1 and 4000),
    constraint vendors_lifecycle_is_known check (
        lifecycle in ('prospect', 'onboarding', 'active', 'suspended', 'offboarding', 'terminated')
    ),
    constraint vendors_intake_is_known check (intake in ('open', 'approved', 'waived')),
    constraint vendors_tier_is_known check (tier in ('critical', 'high', 'medium', 'low')),
    constraint vendors_tier_has_a_source check (
        (tier is null) = (tier_source is null) and tier_source in ('declared', 'inherent_risk')
    ),
    constraint vendors_score_is_0_to_100 check (inherent_score between 0 and 100),
    constraint vendors_spend_has_a_currency check ((annual_spend is null) = (currency is null)),
    constraint vendors_spend_is_not_negative check (annual_spend >= 0 and scale(annual_spend) <= 4),
    constraint vendors_contacts_are_a_list check (jsonb_typeof(contacts) = 'array'),
    constraint vendors_metadata_is_a_map check (jsonb_typeof(metadata) = 'object')
);
comment on column vendors.name_key is 'the name in NFKC without case: two names with one key are the same name';
comment on column vendors.reference is 'the tenant''s own number for the vendor; an import finds the vendor by it';
comment on column vendors.intake is 'open until a request is approved, or intake_note says why none was needed';
comment on column vendors.tier_source is 'declared by someone, or computed from inherent-risk answers';
comment on column vendors.domains is 'the source of vendor_domains, where each belongs to one vendor';
comment on column vendors.metadata is 'texts by key that the tenant keeps with the record; the service does not read them';
call guard_tenant_table('vendors', 'select, insert, update');

create unique index vendors_reference_is_unique on vendors (tenant_id, reference) where reference is not null;
create unique index vendors_lei_is_unique on vendors (tenant_id, lei) where lei is not null;
create index vendors_by_name on vendors (tenant_id, name, id);
create index vendors_by_tier on vendors (tenant_id, tier, name, id);
create index vendors_by_next_review on vendors (tenant_id, next_review_on, id);
create index vendors_by_age on vendors (tenant_id, created_at, id);
create index vendors_by_change on vendors (tenant_id, updated_at, id);
create index vendors_by_weight on vendors (tenant_id, level_weight(tier), id);
create index vendors_by_legal_name on vendors (tenant_id, legal_name) where legal_name is not null;
create index vendors_by_vat on vendors (tenant_id, vat) where vat is not null;
create index vendors_by_duns on vendors (tenant_id, duns) where duns is not null;
create index vendors_by_business_owner on vendors (tenant_id, business_owner_id) where business_owner_id is not null;
create index vendors_by_security_owner on vendors (tenant_id, security_owner_id) where security_owner_id is not null;
-- Search orders by distance to the typed text and takes the nearest. GiST, not GIN: behind row-level security a
-- condition such as `%>` may not be tried before the tenant's own (its function is not leakproof), so no GIN index of
-- trigrams could be used; an order may. The tenant's id in front keeps a search inside the tenant's part of the index.
create index vendors_by_similarity on vendors using gist (tenant_id, search_text gist_trgm_ops (siglen = 256));

create table vendor_domains (
    tenant_id uuid not null,
    domain text not null,
    vendor_id uuid not null,
    constraint vendor_domains_domain_is_unique primary key (tenant_id, domain),
    constraint vendor_domains_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id)
);
comment on table vendor_domains is 'kept by a trigger from vendors.domains, so that a domain belongs to one vendor';
call guard_tenant_table('vendor_domains', 'select, insert, delete');
create index vendor_domains_by_vendor on vendor_domains (tenant_id, vendor_id);

-- Once for a statement, not for each row: an import writes a hundred thousand.
create function save_vendor_domains() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'UPDATE' then
        delete from vendor_domains as d
        using before as b
        join after as a on a.tenant_id = b.tenant_id and a.id = b.id
        where a.domains <> b.domains
            and d.tenant_id = b.tenant_id and d.vendor_id = b.id and d.domain <> all (a.domains);
        insert into vendor_domains (tenant_id, domain, vendor_id)
        select a.tenant_id, new_domain, a.id
        from before as b
        join after as a on a.tenant_id = b.tenant_id and a.id = b.id
        cross join unnest(a.domains) as new_domain
        where a.domains <> b.domains and new_domain <> all (b.domains);
    else
        insert into vendor_domains (tenant_id, domain, vendor_id)
        select a.tenant_id, new_domain, a.id from after as a cross join unnest(a.domains) as new_domain;
    end if;
    return null;
end
$$;
create trigger vendors_domains_are_saved_on_insert
after insert on vendors referencing new table as after
for each statement execute function save_vendor_domains();
create trigger vendors_domains_are_saved_on_update
after update on vendors referencing old table as before new table as after
for each statement execute function save_vendor_domains();

create table vendor_services (
    tenant_id uuid not null,
    id uuid not null,
    vendor_id uuid not null,
    name text not null,
    name_key text not null,
    description text,
    data_classes text[] not null default '{}',
    categories_needed text[] not null default '{}',
    is_uptime_critical boolean not null default false,
    handles_transactions boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint vendor_services_name_is_unique unique (tenant_id, vendor_id, name_key),
    constraint vendor_services_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint vendor_services_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint vendor_services_description_has_1_to_4000_characters check (char_length(description) between 1 and 4000)
);
comment on table vendor_services is 'what we use of a vendor; evidence covers a service';
comment on column vendor_services.categories_needed is 'SOC 2 categories beyond those that data and use call for';
call guard_tenant_table('vendor_services', 'select, insert, update, delete');
create index vendor_services_by_name on vendor_services (tenant_id, name, id);
create index vendor_services_by_change on vendor_services (tenant_id, updated_at, id);

create table fourth_parties (
    tenant_id uuid not null,
    id uuid not null,
    vendor_id uuid not null,
    service_id uuid,
    provider_id uuid,
    name text not null,
    name_key text not null,
    purpose text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint fourth_parties_name_is_unique unique (tenant_id, vendor_id, name_key),
    constraint fourth_parties_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint fourth_parties_service_is_known foreign key (tenant_id, service_id)
        references vendor_services (tenant_id, id),
    constraint fourth_parties_provider_is_known foreign key (tenant_id, provider_id) references vendors (tenant_id, id),
    constraint fourth_parties_provider_is_another check (provider_id <> vendor_id),
    constraint fourth_parties_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint fourth_parties_purpose_has_1_to_1000_characters check (char_length(purpose) between 1 and 1000)
);
comment on table fourth_parties is 'companies a vendor stands on; provider_id where such a one is our vendor too';
call guard_tenant_table('fourth_parties', 'select, insert, update, delete');
create index fourth_parties_by_service on fourth_parties (tenant_id, service_id) where service_id is not null;
create index fourth_parties_by_provider on fourth_parties (tenant_id, provider_id) where provider_id is not null;
create index fourth_parties_by_name on fourth_parties (tenant_id, name, id);
create index fourth_parties_by_change on fourth_parties (tenant_id, updated_at, id);

create table intake_requests (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid,
    name text not null,
    domain text,
    purpose text not null,
    data_classes text[] not null default '{}',
    business_owner_id uuid,
    state text not null default 'open',
    requested_by_id uuid not null,
    requested_by_label text not null,
    requested_by_member_id uuid,
    decided_by_id uuid,
    decided_by_label text,
    decided_at timestamptz,
    decision_reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint intake_requests_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint intake_requests_owner_is_known foreign key (tenant_id, business_owner_id)
        references members (tenant_id, id),
    constraint intake_requests_state_is_known check (state in ('open', 'approved', 'rejected')),
    constraint intake_requests_decision_has_an_author check (
        (state = 'open') = (decided_by_id is null) and (state = 'open') = (decided_at is null)
    ),
    constraint intake_requests_need_four_eyes check (decided_by_id <> requested_by_id),
    constraint intake_requests_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint intake_requests_purpose_has_1_to_4000_characters check (char_length(purpose) between 1 and 4000)
);
call guard_tenant_table('intake_requests', 'select, insert, update');
create index intake_requests_by_state on intake_requests (tenant_id, state, created_at, id);
create index intake_requests_by_change on intake_requests (tenant_id, updated_at, id);
create index intake_requests_by_vendor on intake_requests (tenant_id, vendor_id) where vendor_id is not null;
create index intake_requests_by_owner on intake_requests (tenant_id, business_owner_id)
where business_owner_id is not null;

create table inherent_risk_assessments (
    tenant_id uuid not null,
    id uuid not null,
    vendor_id uuid not null,
    answers jsonb not null,
    result jsonb not null,
    score smallint not null,
    tier text not null,
    model_version text not null,
    assessed_by_id uuid not null,
    assessed_by_label text not null,
    assessed_at timestamptz not null,
    primary key (tenant_id, id),
    constraint inherent_risk_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint inherent_risk_score_is_0_to_100 check (score between 0 and 100)
);
comment on table inherent_risk_assessments is 'answers and what followed from them, never changed; the newest counts';
call guard_tenant_table('inherent_risk_assessments', 'select, insert');
create index inherent_risk_by_vendor on inherent_risk_assessments (tenant_id, vendor_id, id);

create table vendor_reviews (
    tenant_id uuid not null,
    id uuid not null,
    vendor_id uuid not null,
    reviewed_on date not null,
    outcome text not null,
    note text,
    next_review_on date,
    reviewed_by_id uuid not null,
    reviewed_by_label text not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    constraint vendor_reviews_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint vendor_reviews_outcome_is_known check (outcome in ('satisfactory', 'conditions', 'unsatisfactory')),
    constraint vendor_reviews_note_has_1_to_4000_characters check (char_length(note) between 1 and 4000)
);
call guard_tenant_table('vendor_reviews', 'select, insert');
create index vendor_reviews_by_vendor on vendor_reviews (tenant_id, vendor_id, reviewed_on, id);
create index vendor_reviews_by_day on vendor_reviews (tenant_id, reviewed_on, id);

create table offboarding_steps (
    tenant_id uuid not null,
    id uuid not null,
    vendor_id uuid not null,
    step text not null,
    state text not null default 'open',
    note text,
    proof text,
    resolved_by_id uuid,
    resolved_by_label text,
    resolved_at timestamptz,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint offboarding_steps_step_is_unique unique (tenant_id, vendor_id, step),
    constraint offboarding_steps_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint offboarding_steps_step_is_known check (step in ('data_returned', 'access_removed', 'deletion_proven')),
    constraint offboarding_steps_state_is_known check (state in ('open', 'done', 'waived')),
    constraint offboarding_steps_resolved_has_an_author check (
        (state = 'open') = (resolved_by_id is null) and (state = 'open') = (resolved_at is null)
    ),
    constraint offboarding_steps_waiver_has_a_reason check (state <> 'waived' or note is not null),
    constraint offboarding_steps_deletion_has_a_proof check (
        step <> 'deletion_proven' or state <> 'done' or note is not null or proof is not null
    ),
    constraint offboarding_steps_note_has_1_to_4000_characters check (char_length(note) between 1 and 4000),
    constraint offboarding_steps_proof_has_1_to_2000_characters check (char_length(proof) between 1 and 2000)
);
call guard_tenant_table('offboarding_steps', 'select, insert, update');

-- A vendor as an import sees it: field → value, in the form in which a cell is read.
create function vendor_as_imported(v vendors) returns jsonb
language sql stable parallel safe
as $$
    select jsonb_build_object(
        'reference', v.reference, 'name', v.name, 'aliases', v.aliases, 'description', v.description,
        'lifecycle', v.lifecycle, 'tier', v.tier, 'business_owner_id', v.business_owner_id,
        'security_owner_id', v.security_owner_id, 'domains', v.domains, 'country', v.country,
        'data_countries', v.data_countries, 'data_classes', v.data_classes, 'legal_name', v.legal_name,
        'lei', v.lei, 'vat', v.vat, 'duns', v.duns, 'annual_spend', v.annual_spend::text, 'currency', v.currency,
        'tags', v.tags, 'contact_name', v.contacts -> 0 -> 'name', 'contact_email', v.contacts -> 0 -> 'email',
        'contact_phone', v.contacts -> 0 -> 'phone', 'last_reviewed_on', v.last_reviewed_on,
        'next_review_on', v.next_review_on
    )
$$;
