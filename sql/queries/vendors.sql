-- name: insert_vendor
insert into vendors (
    tenant_id, id, reference, name, name_key, aliases, description, lifecycle, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, last_reviewed_on, next_review_on,
    created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $29, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    $24, $25, $26, $27, $28, $29, $29)
returning id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version;

-- name: find_vendor
select id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version
from vendors
where tenant_id = $1 and id = $2;

-- name: lock_vendor
select id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version
from vendors
where tenant_id = $1 and id = $2
for update;

-- name: list_vendors
select id, reference, name, lifecycle, tier, tier_source, inherent_score, business_owner_id, security_owner_id,
    domains,
    country, data_classes, annual_spend, currency, tags, last_reviewed_on, next_review_on, created_at, updated_at,
    version
from vendors
where tenant_id = $1 /*where*/
/*order*/;

-- name: search_vendors
-- The index serves the order by distance (see the migration). The cut by distance comes after it.
select id, name, aliases, domains, lifecycle, tier, similarity
from (
    select id, name, aliases, domains, lifecycle, tier, (1 - (search_text <->> $2))::float8 as similarity
    from vendors
    where tenant_id = $1
    order by search_text <->> $2
    limit $3
) as nearest
where similarity >= $4
order by similarity desc, name, id;

-- name: update_vendor
update vendors
set reference = $3, name = $4, name_key = $5, aliases = $6, description = $7, business_owner_id = $8,
    security_owner_id = $9, contacts = $10, domains = $11, country = $12, data_countries = $13, data_classes = $14,
    legal_name = $15, lei = $16, vat = $17, duns = $18, annual_spend = $19, currency = $20, tags = $21, tier = $22,
    tier_source = $23, next_review_on = $24, updated_at = $25, version = version + 1
where tenant_id = $1 and id = $2
returning id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version;

-- name: transition_vendor
update vendors
set lifecycle = $3, lifecycle_reason = $4, next_review_on = $6, intake = $7, intake_note = $8,
    lifecycle_changed_at = case when lifecycle = $3 then lifecycle_changed_at else $5 end, updated_at = $5,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version;

-- name: rate_vendor
update vendors
set tier = $3, tier_source = 'inherent_risk', inherent_score = $4, model_version = $5, next_review_on = $6,
    updated_at = $7, version = version + 1
where tenant_id = $1 and id = $2
returning id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version;

-- name: note_review
update vendors
set last_reviewed_on = $3, next_review_on = $4, updated_at = $5, version = version + 1
where tenant_id = $1 and id = $2
returning id, reference, name, aliases, description, lifecycle, lifecycle_reason, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, inherent_score, model_version,
    last_reviewed_on,
    next_review_on, created_at, updated_at, version;

-- name: find_review_policy
select critical_months, high_months, medium_months, low_months, version from review_policies where tenant_id = $1;

-- name: lock_review_policy
select critical_months, high_months, medium_months, low_months, version
from review_policies
where tenant_id = $1
for update;

-- name: save_review_policy
insert into review_policies (tenant_id, critical_months, high_months, medium_months, low_months, updated_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id) do update
set critical_months = excluded.critical_months, high_months = excluded.high_months,
    medium_months = excluded.medium_months, low_months = excluded.low_months, updated_at = excluded.updated_at,
    version = review_policies.version + 1
returning critical_months, high_months, medium_months, low_months, version;

-- name: reschedule_reviews
-- Only dates that the previous cadence set. A date set by hand differs, and stays.
update vendors as v
set next_review_on = (due.since + make_interval(months => c.after))::date, updated_at = $6, version = v.version + 1
from unnest($2::text[], $3::int[], $4::int[]) as c (tier, before, after),
    lateral (
        select coalesce(d.last_reviewed_on, (d.lifecycle_changed_at at time zone $5)::date) as since, d.id
        from vendors as d
        where d.tenant_id = $1 and d.tier = c.tier and d.lifecycle in ('active', 'suspended')
    ) as due
where v.tenant_id = $1 and v.id = due.id and v.next_review_on = (due.since + make_interval(months => c.before))::date;

-- name: insert_assessment
insert into inherent_risk_assessments (
    tenant_id, id, vendor_id, answers, result, score, tier, model_version, assessed_by_id, assessed_by_label,
    assessed_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
returning id, vendor_id, answers, result, score, tier, model_version, assessed_by_id, assessed_by_label, assessed_at,
    (
        select v.name from vendors as v
        where v.tenant_id = $1 and v.id = inherent_risk_assessments.vendor_id
    ) as vendor_name;

-- name: newest_assessment
select id, vendor_id, answers, result, score, tier, model_version, assessed_by_id, assessed_by_label, assessed_at,
    (
        select v.name from vendors as v
        where v.tenant_id = $1 and v.id = inherent_risk_assessments.vendor_id
    ) as vendor_name
from inherent_risk_assessments
where tenant_id = $1 and vendor_id = $2
order by id desc
limit 1;

-- name: list_assessments
select id, vendor_id, answers, result, score, tier, model_version, assessed_by_id, assessed_by_label, assessed_at,
    (
        select v.name from vendors as v
        where v.tenant_id = $1 and v.id = inherent_risk_assessments.vendor_id
    ) as vendor_name
from inherent_risk_assessments
where tenant_id = $1 and vendor_id = $2 /*where*/
/*order*/;

-- name: insert_review
insert into vendor_reviews (
    tenant_id, id, vendor_id, reviewed_on, outcome, note, next_review_on, reviewed_by_id, reviewed_by_label,
    created_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
returning id, vendor_id, reviewed_on, outcome, note, next_review_on, reviewed_by_id, reviewed_by_label, created_at,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_reviews.vendor_id) as vendor_name;

-- name: list_reviews
select id, vendor_id, reviewed_on, outcome, note, next_review_on, reviewed_by_id, reviewed_by_label, created_at,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_reviews.vendor_id) as vendor_name
from vendor_reviews
where tenant_id = $1 /*where*/
/*order*/;

-- name: open_steps
-- A vendor that came back and leaves again starts a new checklist.
insert into offboarding_steps (tenant_id, id, vendor_id, step)
select $1, u.id, $2, u.step
from unnest($3::uuid[], $4::text[]) as u (id, step)
on conflict on constraint offboarding_steps_step_is_unique do update
set state = 'open', note = null, proof = null, resolved_by_id = null, resolved_by_label = null, resolved_at = null,
    version = offboarding_steps.version + 1;

-- name: steps_of
select id, vendor_id, step, state, note, proof, resolved_by_id, resolved_by_label, resolved_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = offboarding_steps.vendor_id) as vendor_name
from offboarding_steps
where tenant_id = $1 and vendor_id = $2
order by step;

-- name: lock_step
select id, vendor_id, step, state, note, proof, resolved_by_id, resolved_by_label, resolved_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = offboarding_steps.vendor_id) as vendor_name
from offboarding_steps
where tenant_id = $1 and vendor_id = $2 and step = $3
for update;

-- name: resolve_step
update offboarding_steps
set state = $3, note = $4, proof = $5, resolved_by_id = $6, resolved_by_label = $7, resolved_at = $8,
    version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, step, state, note, proof, resolved_by_id, resolved_by_label, resolved_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = offboarding_steps.vendor_id) as vendor_name;

-- name: insert_service
insert into vendor_services (
    tenant_id, id, vendor_id, name, name_key, description, data_classes, categories_needed, is_uptime_critical,
    handles_transactions, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
returning id, vendor_id, name, description, data_classes, categories_needed, is_uptime_critical, handles_transactions,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_services.vendor_id) as vendor_name;

-- name: find_service
select id, vendor_id, name, description, data_classes, categories_needed, is_uptime_critical, handles_transactions,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_services.vendor_id) as vendor_name
from vendor_services
where tenant_id = $1 and id = $2;

-- name: lock_service
select id, vendor_id, name, description, data_classes, categories_needed, is_uptime_critical, handles_transactions,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_services.vendor_id) as vendor_name
from vendor_services
where tenant_id = $1 and id = $2
for update;

-- name: list_services
select id, vendor_id, name, description, data_classes, categories_needed, is_uptime_critical, handles_transactions,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_services.vendor_id) as vendor_name
from vendor_services
where tenant_id = $1 /*where*/
/*order*/;

-- name: update_service
update vendor_services
set name = $3, name_key = $4, description = $5, data_classes = $6, categories_needed = $7, is_uptime_critical = $8,
    handles_transactions = $9, updated_at = $10, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, name, description, data_classes, categories_needed, is_uptime_critical, handles_transactions,
    created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = vendor_services.vendor_id) as vendor_name;

-- name: delete_service
delete from vendor_services where tenant_id = $1 and id = $2;

-- name: insert_fourth_party
insert into fourth_parties (
    tenant_id, id, vendor_id, service_id, provider_id, name, name_key, purpose, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
returning id, vendor_id, service_id, provider_id, name, purpose, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = fourth_parties.vendor_id) as vendor_name;

-- name: find_fourth_party
select id, vendor_id, service_id, provider_id, name, purpose, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = fourth_parties.vendor_id) as vendor_name
from fourth_parties
where tenant_id = $1 and id = $2;

-- name: lock_fourth_party
select id, vendor_id, service_id, provider_id, name, purpose, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = fourth_parties.vendor_id) as vendor_name
from fourth_parties
where tenant_id = $1 and id = $2
for update;

-- name: list_fourth_parties
select id, vendor_id, service_id, provider_id, name, purpose, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = fourth_parties.vendor_id) as vendor_name
from fourth_parties
where tenant_id = $1 /*where*/
/*order*/;

-- name: update_fourth_party
update fourth_parties
set service_id = $3, provider_id = $4, name = $5, name_key = $6, purpose = $7, updated_at = $8, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, service_id, provider_id, name, purpose, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = fourth_parties.vendor_id) as vendor_name;

-- name: delete_fourth_party
delete from fourth_parties where tenant_id = $1 and id = $2;

-- name: insert_intake_request
insert into intake_requests (
    tenant_id, id, vendor_id, name, domain, purpose, data_classes, business_owner_id, requested_by_id,
    requested_by_label, requested_by_member_id, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
returning id, vendor_id, name, domain, purpose, data_classes, business_owner_id, state, requested_by_id,
    requested_by_label, requested_by_member_id, decided_by_id, decided_by_label, decided_at, decision_reason,
    created_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = intake_requests.vendor_id) as vendor_name;

-- name: find_intake_request
select id, vendor_id, name, domain, purpose, data_classes, business_owner_id, state, requested_by_id,
    requested_by_label, requested_by_member_id, decided_by_id, decided_by_label, decided_at, decision_reason,
    created_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = intake_requests.vendor_id) as vendor_name
from intake_requests
where tenant_id = $1 and id = $2;

-- name: lock_intake_request
select id, vendor_id, name, domain, purpose, data_classes, business_owner_id, state, requested_by_id,
    requested_by_label, requested_by_member_id, decided_by_id, decided_by_label, decided_at, decision_reason,
    created_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = intake_requests.vendor_id) as vendor_name
from intake_requests
where tenant_id = $1 and id = $2
for update;

-- name: list_intake_requests
select id, vendor_id, name, domain, purpose, data_classes, business_owner_id, state, requested_by_id,
    requested_by_label, requested_by_member_id, decided_by_id, decided_by_label, decided_at, decision_reason,
    created_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = intake_requests.vendor_id) as vendor_name
from intake_requests
where tenant_id = $1 /*where*/
/*order*/;

-- name: decide_intake_request
update intake_requests
set state = $3, vendor_id = $4, decided_by_id = $5, decided_by_label = $6, decided_at = $7, decision_reason = $8,
    updated_at = $7, version = version + 1
where tenant_id = $1 and id = $2
returning id, vendor_id, name, domain, purpose, data_classes, business_owner_id, state, requested_by_id,
    requested_by_label, requested_by_member_id, decided_by_id, decided_by_label, decided_at, decision_reason,
    created_at, updated_at,
    version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = intake_requests.vendor_id) as vendor_name;

-- name: export_vendors
-- As list_vendors, with everything an import takes and the owners by their addresses.
select id, reference, name, aliases, description, lifecycle, tier,
    (select m.email::text from members as m where m.tenant_id = $1 and m.id = business_owner_id) as business_owner,
    (select m.email::text from members as m where m.tenant_id = $1 and m.id = security_owner_id) as security_owner,
    domains, country, data_countries, data_classes, legal_name, lei, vat, duns, annual_spend, currency, tags,
    contacts -> 0 ->> 'name' as contact_name, contacts -> 0 ->> 'email' as contact_email,
    contacts -> 0 ->> 'phone' as contact_phone, last_reviewed_on, next_review_on, inherent_score, tier_source,
    created_at, updated_at
from vendors
where tenant_id = $1 /*where*/
/*order*/;

-- name: holder_of_name
select id, name, null::text as value from vendors where tenant_id = $1 and name_key = $2;

-- name: holder_of_reference
select id, name, null::text as value from vendors where tenant_id = $1 and reference = $2;

-- name: holder_of_lei
select id, name, null::text as value from vendors where tenant_id = $1 and lei = $2;

-- name: holder_of_domain
select v.id, v.name, d.domain as value
from vendor_domains as d
inner join vendors as v on d.tenant_id = v.tenant_id and d.vendor_id = v.id
where d.tenant_id = $1 and d.domain = any($2::text[]) and d.vendor_id <> $3
order by d.domain
limit 1;

-- name: service_of_name
select id, name, null::text as value from vendor_services
where tenant_id = $1 and vendor_id = $2 and name_key = $3;

-- name: fourth_party_of_name
select id, name, null::text as value from fourth_parties
where tenant_id = $1 and vendor_id = $2 and name_key = $3;
