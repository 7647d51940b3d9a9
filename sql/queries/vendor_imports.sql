-- name: members_by_email
select id, email::text as email from members where tenant_id = $1 and email = any($2::text[]::citext[]);

-- name: stage_vendor_rows
-- A chunk of rows is stored with its effects. Each row finds its vendor by id, then by the tenant's reference, then by
-- name. `problem_codes` holds its conflicts with the database. It is materialized, because the text of a row would
-- otherwise be parsed again at each mention of its fields.
with staged as materialized (
    select u.id, u.row_number, u.problems::jsonb as problems, u.name_key,
        (u.given::jsonb ->> 'id')::uuid as wanted_id, u.given::jsonb ->> 'reference' as reference,
        u.given::jsonb - 'id' as fields
    from unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[])
        as u (id, row_number, given, problems, name_key)
),
matched as materialized (
    select s.*, coalesce(by_id.id, by_reference.id, by_name.id) as vendor_id, by_name.id as named_id,
        by_reference.id as referenced_id,
        case
            when s.wanted_id is not null then by_id
            when by_reference.id is not null then by_reference
            else by_name
        end as vendor
    from staged as s
    left join vendors as by_id on by_id.tenant_id = $1 and by_id.id = s.wanted_id
    left join vendors as by_reference on by_reference.tenant_id = $1 and by_reference.reference = s.reference
    left join vendors as by_name on by_name.tenant_id = $1 and by_name.name_key = s.name_key
),
domains_taken as materialized (
    select distinct m.id
    from matched as m
    cross join jsonb_array_elements_text(m.fields -> 'domains') as wanted (domain)
    join vendor_domains as d on d.tenant_id = $1 and d.domain = wanted.domain
    where d.vendor_id is distinct from m.vendor_id
),
leis_taken as materialized (
    select m.id
    from matched as m
    join vendors as other on other.tenant_id = $1 and other.lei = m.fields ->> 'lei'
    where other.id is distinct from m.vendor_id
),
compared as materialized (
    select m.*, (m.vendor).version as vendor_version,
        case
            when m.vendor_id is not null
            then (
                select jsonb_object_agg(field, vendor_now.fields -> field)
                from (select vendor_as_imported(m.vendor) as fields) as vendor_now
                cross join jsonb_object_keys(m.fields) as field
            )
        end as before,
        array_remove(array[
            case when m.wanted_id is not null and (m.vendor).id is null then 'id_unknown' end,
            case when m.vendor_id is null and m.name_key is null then 'name_missing' end,
            case when m.named_id <> m.vendor_id then 'name_taken' end,
            case when m.referenced_id <> m.vendor_id then 'reference_taken' end,
            case
                when m.wanted_id is null and m.referenced_id is null and m.reference <> (m.vendor).reference
                then 'name_taken'
            end,
            case
                when (m.vendor).lifecycle <> m.fields ->> 'lifecycle' then 'lifecycle_transition'
                when m.vendor_id is null and m.fields ->> 'lifecycle' in ('offboarding', 'terminated')
                then 'lifecycle_not_accepted'
            end,
            case
                when (m.vendor).tier_source = 'inherent_risk' and (m.vendor).tier <> m.fields ->> 'tier'
                then 'tier_is_computed'
            end,
            case when d.id is not null then 'domain_taken' end,
            case when l.id is not null then 'lei_taken' end,
            case when (m.fields ->> 'last_reviewed_on')::date > $8 then 'review_ahead' end
        ], null) as problem_codes
    from matched as m
    left join domains_taken as d on d.id = m.id
    left join leis_taken as l on l.id = m.id
)
insert into import_rows (
    tenant_id, id, import_id, row_number, outcome, record_id, record_version, record_key, given, before, problems,
    problem_codes
)
select $1, c.id, $2, c.row_number,
    case
        when c.problems <> '[]' or c.problem_codes <> '{}' then 'problem'
        when c.vendor_id is null then 'create'
        when c.before = c.fields or c.fields = '{}' then 'unchanged'
        else 'change'
    end,
    c.vendor_id, c.vendor_version, c.name_key, c.fields, c.before, c.problems, c.problem_codes
from compared as c;

-- name: outdated_vendor_rows
-- Rows whose vendor was changed after the check, or whose name has been taken since.
select count(*)
from import_rows as r
left join vendors as v on v.tenant_id = r.tenant_id and v.id = r.record_id
left join vendors as named on named.tenant_id = r.tenant_id and named.name_key = r.record_key
where r.tenant_id = $1 and r.import_id = $2 and (
    (r.outcome = 'change' and v.version is distinct from r.record_version)
    or (r.outcome = 'create' and named.id is not null)
);

-- name: apply_creates
with cadence as (
    select u.tier, u.months from unnest($6::text[], $7::int[]) as u (tier, months)
)
insert into vendors (
    tenant_id, id, reference, name, name_key, aliases, description, lifecycle, lifecycle_changed_at, intake,
    intake_note, business_owner_id, security_owner_id, contacts, domains, country, data_countries, data_classes,
    legal_name, lei, vat, duns, annual_spend, currency, tags, tier, tier_source, last_reviewed_on, next_review_on,
    created_at, updated_at
)
select $1, r.id, g.reference, g.name, r.record_key, coalesce(g.aliases, '{}'), g.description,
    coalesce(g.lifecycle, 'prospect'), $3,
    case when g.lifecycle in ('active', 'suspended') then 'waived' else 'open' end,
    case when g.lifecycle in ('active', 'suspended') then $5 end,
    g.business_owner_id, g.security_owner_id,
    case
        when coalesce(g.contact_name, g.contact_email, g.contact_phone) is null then '[]'
        else jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
            'name', coalesce(g.contact_name, g.contact_email, g.contact_phone), 'email', g.contact_email,
            'phone', g.contact_phone
        )))
    end,
    coalesce(g.domains, '{}'), g.country, coalesce(g.data_countries, '{}'), coalesce(g.data_classes, '{}'),
    g.legal_name, g.lei, g.vat, g.duns, g.annual_spend, g.currency, coalesce(g.tags, '{}'), g.tier,
    case when g.tier is not null then 'declared' end, g.last_reviewed_on,
    coalesce(g.next_review_on, case
        when g.lifecycle in ('active', 'suspended')
        then (coalesce(g.last_reviewed_on, $4::date) + make_interval(months => cadence.months))::date
    end),
    $3, $3
from import_rows as r
cross join jsonb_to_record(r.given) as g (
    reference text, name text, aliases text[], description text, lifecycle text, business_owner_id uuid,
    security_owner_id uuid, domains text[], country text, data_countries text[], data_classes text[], legal_name text,
    lei text, vat text, duns text, annual_spend numeric, currency text, tags text[], contact_name text,
    contact_email text, contact_phone text, tier text, last_reviewed_on date, next_review_on date
)
left join cadence on cadence.tier = g.tier
where r.tenant_id = $1 and r.import_id = $2 and r.outcome = 'create';

-- name: apply_changes
-- A field that the row does not give stays as it is. The contact's fields go to the first contact.
with cadence as (
    select u.tier, u.months from unnest($5::text[], $6::int[]) as u (tier, months)
),
wanted as (
    select r.record_id, r.record_version, r.record_key, g.*,
        jsonb_strip_nulls(jsonb_build_object(
            'name', g.contact_name, 'email', g.contact_email, 'phone', g.contact_phone
        )) as contact
    from import_rows as r
    cross join jsonb_to_record(r.given) as g (
        reference text, name text, aliases text[], description text, business_owner_id uuid, security_owner_id uuid,
        domains text[], country text, data_countries text[], data_classes text[], legal_name text, lei text, vat text,
        duns text, annual_spend numeric, currency text, tags text[], contact_name text, contact_email text,
        contact_phone text, tier text, last_reviewed_on date, next_review_on date
    )
    where r.tenant_id = $1 and r.import_id = $2 and r.outcome = 'change'
)
update vendors as v
set reference = coalesce(w.reference, v.reference), name = coalesce(w.name, v.name),
    name_key = coalesce(w.record_key, v.name_key), aliases = coalesce(w.aliases, v.aliases),
    description = coalesce(w.description, v.description),
    business_owner_id = coalesce(w.business_owner_id, v.business_owner_id),
    security_owner_id = coalesce(w.security_owner_id, v.security_owner_id),
    domains = coalesce(w.domains, v.domains), country = coalesce(w.country, v.country),
    data_countries = coalesce(w.data_countries, v.data_countries),
    data_classes = coalesce(w.data_classes, v.data_classes), legal_name = coalesce(w.legal_name, v.legal_name),
    lei = coalesce(w.lei, v.lei), vat = coalesce(w.vat, v.vat), duns = coalesce(w.duns, v.duns),
    annual_spend = coalesce(w.annual_spend, v.annual_spend), currency = coalesce(w.currency, v.currency),
    tags = coalesce(w.tags, v.tags), tier = coalesce(w.tier, v.tier),
    tier_source = case when w.tier is not null and v.tier is null then 'declared' else v.tier_source end,
    contacts = case
        when w.contact = '{}' then v.contacts
        else jsonb_build_array(
            jsonb_build_object('name', coalesce(w.contact_name, w.contact_email, w.contact_phone))
            || coalesce(v.contacts -> 0, '{}') || w.contact
        ) || (v.contacts - 0)
    end,
    last_reviewed_on = coalesce(w.last_reviewed_on, v.last_reviewed_on),
    next_review_on = coalesce(w.next_review_on, case
        when v.lifecycle in ('active', 'suspended')
            and (coalesce(w.tier, v.tier), coalesce(w.last_reviewed_on, v.last_reviewed_on))
            is distinct from (v.tier, v.last_reviewed_on)
        then (
            coalesce(w.last_reviewed_on, v.last_reviewed_on, $4::date)
            + make_interval(months => (select months from cadence where tier = coalesce(w.tier, v.tier)))
        )::date
        else v.next_review_on
    end),
    updated_at = $3, version = v.version + 1
from wanted as w
where v.tenant_id = $1 and v.id = w.record_id and v.version = w.record_version;
