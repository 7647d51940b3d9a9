-- Deadlines, alerts, receivers: coming due dates, and the people who are notified. Their deliveries are the outbox's
-- (0001).

-- Makes a UUIDv7 (RFC 9562, section 5.7) for statements that make many rows at once. Single rows get theirs in Python.
create function new_id_at(at timestamptz) returns uuid
language sql volatile parallel safe
as $$
    select encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                placing substring(int8send(floor(extract(epoch from at) * 1000)::bigint) from 3) from 1 for 6),
            52, 1), 53, 1),
        'hex')::uuid
$$;

-- How many days ahead each class of deadline is notified, by the vendor's tier.
create table alert_policies (
    tenant_id uuid not null references tenants (id),
    alert_class text not null,
    critical integer[] not null,
    high integer[] not null,
    medium integer[] not null,
    low integer[] not null,
    overdue_every_days integer,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, alert_class),
    constraint alert_policies_class_has_1_to_60_characters check (char_length(alert_class) between 1 and 60),
    constraint alert_policies_have_1_to_20_thresholds check (
        cardinality(critical) between 1 and 20 and cardinality(high) between 1 and 20
        and cardinality(medium) between 1 and 20 and cardinality(low) between 1 and 20
    ),
    constraint alert_policies_thresholds_are_0_to_730 check (
        0 <= all (critical || high || medium || low) and 730 >= all (critical || high || medium || low)
    ),
    constraint alert_policies_overdue_days_are_1_to_365 check (overdue_every_days between 1 and 365)
);
comment on column alert_policies.critical is 'thresholds, for vendors without a tier too: what is not known is not trusted';
comment on column alert_policies.overdue_every_days is 'how often what is overdue is notified again; null sends no reminders';
call guard_tenant_table('alert_policies', 'select, insert, update');

create function give_tenant_alert_policies() returns trigger
language plpgsql
as $$
begin
    insert into alert_policies (
        tenant_id, alert_class, critical, high, medium, low, overdue_every_days, updated_at
    )
    select new.id, c.alert_class, c.days, c.days, c.days, c.days, 7, new.created_at
    from (
        values
            ('evidence_expiring', array[180, 90, 60, 30, 14, 7, 1, 0]),
            ('review_due', array[30, 14, 7, 1, 0]),
            ('finding_due', array[7, 1, 0])
    ) as c (alert_class, days);
    return null;
end
$$;
create trigger tenants_get_alert_policies
after insert on tenants
for each row execute function give_tenant_alert_policies();

create function alert_thresholds(policy alert_policies, tier text) returns integer[]
language sql immutable parallel safe
as $$
    select case tier
        when 'high' then policy.high
        when 'medium' then policy.medium
        when 'low' then policy.low
        else policy.critical
    end
$$;

-- A threshold is the number of days left at which it falls: 30 is thirty days ahead, -14 is two weeks overdue.
-- Returns the last threshold that has been crossed on a day, or null where none has.
create function alert_latest_threshold(due_on date, today date, thresholds integer[], overdue_every_days integer)
returns integer
language sql immutable parallel safe
as $$
    select case
        when overdue_every_days is not null and today - due_on >= overdue_every_days
            then -overdue_every_days * ((today - due_on) / overdue_every_days)
        else (select min(threshold) from unnest(thresholds) as threshold where threshold >= due_on - today)
    end
$$;

-- Returns the day of the first threshold after a day, or null where none is left.
create function alert_next_threshold_on(due_on date, after_on date, thresholds integer[], overdue_every_days integer)
returns date
language sql immutable parallel safe
as $$
    select coalesce(
        (select min(due_on - threshold) from unnest(thresholds) as threshold where due_on - threshold > after_on),
        due_on + overdue_every_days * greatest(1, (after_on - due_on) / overdue_every_days + 1)
    )
$$;

-- One row per tracked date. The sweep checks the rows whose next threshold is reached.
create table deadlines (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    alert_class text not null,
    subject_kind text not null,
    subject_id uuid not null,
    vendor_id uuid not null,
    title text not null,
    due_on date not null,
    is_watched boolean not null default true,
    checked_on date not null default '0001-01-01',
    next_alert_on date,
    last_threshold_days integer,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint deadlines_subject_is_watched_once unique (tenant_id, alert_class, subject_kind, subject_id),
    constraint deadlines_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint deadlines_policy_is_known foreign key (tenant_id, alert_class)
        references alert_policies (tenant_id, alert_class),
    constraint deadlines_title_has_1_to_300_characters check (char_length(title) between 1 and 300),
    constraint deadlines_due_in_years_1900_to_2999 check (due_on between '1900-01-01' and '2999-12-31'),
    constraint deadlines_without_watch_have_no_next_alert check (is_watched or next_alert_on is null)
);
comment on column deadlines.checked_on is 'the tenant''s day up to which thresholds were considered; before the first check, the year 1';
comment on column deadlines.is_watched is 'false keeps the row of what no longer matters, so that the same date is not notified twice when it matters again';
call guard_tenant_table('deadlines', 'select, insert, update, delete');
create index deadlines_by_next_alert on deadlines (tenant_id, next_alert_on) where next_alert_on is not null;
create index deadlines_by_vendor on deadlines (tenant_id, vendor_id, due_on, id);
create index deadlines_by_day on deadlines (tenant_id, due_on, alert_class, vendor_id) where is_watched;

-- Something people should know. Append-only but for dispatched_at.
create table alerts (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    alert_class text not null,
    deadline_id uuid,
    dedupe_key text,
    vendor_id uuid,
    subject_kind text not null,
    subject_id uuid not null,
    title text not null,
    tier text,
    due_on date,
    threshold_days integer,
    days_left integer,
    facts jsonb not null default '{}',
    raised_at timestamptz not null,
    dispatched_at timestamptz,
    primary key (tenant_id, id),
    constraint alerts_are_raised_once_per_threshold unique (tenant_id, deadline_id, due_on, threshold_days),
    constraint alerts_are_raised_once_per_key unique (tenant_id, alert_class, dedupe_key),
    constraint alerts_deadline_is_known foreign key (tenant_id, deadline_id) references deadlines (tenant_id, id),
    constraint alerts_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint alerts_have_a_cause check ((deadline_id is null) <> (dedupe_key is null)),
    constraint alerts_title_has_1_to_300_characters check (char_length(title) between 1 and 300),
    constraint alerts_key_has_1_to_300_characters check (char_length(dedupe_key) between 1 and 300)
);
comment on column alerts.threshold_days is 'the days left at which the crossed threshold lies; days_left is what was really left when it was noticed';
comment on column alerts.dispatched_at is 'when its deliveries were made; null until then';
call guard_tenant_table('alerts', 'select, insert, update');
create index alerts_to_dispatch on alerts (tenant_id, raised_at) where dispatched_at is null;
create index alerts_by_time on alerts (tenant_id, raised_at desc, id desc);
create index alerts_by_vendor on alerts (tenant_id, vendor_id, raised_at desc, id desc);

-- The people to notify, and their addresses. A null filter matches everything.
create table receivers (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    name text not null,
    kind text not null,
    address_sealed bytea,
    destination text not null,
    classes text[],
    tiers text[],
    owner_ids uuid[],
    is_active boolean not null default true,
    confirmed_at timestamptz,
    removed_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint receivers_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint receivers_kind_is_known check (
        kind in ('slack_webhook', 'slack_bot', 'email', 'webhook', 'console', 'owners')
    ),
    constraint receivers_destination_has_at_most_300_characters check (char_length(destination) <= 300),
    constraint receivers_address_is_sealed check ((kind = 'owners') = (address_sealed is null)),
    constraint receivers_filters_are_short check (
        cardinality(classes) between 1 and 50 and cardinality(tiers) between 1 and 4
        and cardinality(owner_ids) between 1 and 100
    )
);
create unique index receivers_name_is_unique on receivers (tenant_id, lower(name)) where removed_at is null;
comment on column receivers.address_sealed is 'JSON of the channel''s address, sealed with the service''s keys; owners are addressed by their members'' e-mail';
comment on column receivers.destination is 'what may be shown of the address';
comment on column receivers.confirmed_at is 'when the owner of its e-mail address confirmed it; until then it gets no alerts. Null for other kinds';
call guard_tenant_table('receivers', 'select, insert, update');

-- Mails that ask the owner of an e-mail address to confirm it. The token of the link is not stored, only its hash.
create table receiver_confirmations (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    receiver_id uuid not null,
    token_hash bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    used_at timestamptz,
    primary key (tenant_id, id),
    constraint receiver_confirmations_receiver_is_known foreign key (tenant_id, receiver_id)
        references receivers (tenant_id, id),
    constraint receiver_confirmations_token_hash_is_a_sha256 check (octet_length(token_hash) = 32)
);
comment on column receiver_confirmations.ended_at is 'when its link ended: it was used, or a later one replaced it';
call guard_tenant_table('receiver_confirmations', 'select, insert, update');
create index receiver_confirmations_by_receiver on receiver_confirmations (tenant_id, receiver_id);
create index receiver_confirmations_by_time on receiver_confirmations (tenant_id, created_at);

-- The recipients of an alert: one row per receiver and recipient. All routing is here, for sending and for upcoming
-- alerts.
create function alert_recipients(for_tenant uuid, of_class text, of_vendor uuid)
returns table (receiver_id uuid, recipient text, name text, kind text, destination text)
language sql stable
as $$
    select r.id, coalesce(m.email::text, ''), r.name, r.kind, coalesce(m.email::text, r.destination)
    from receivers r
    left join vendors v on v.tenant_id = for_tenant and v.id = of_vendor
    left join members m
        on r.kind = 'owners' and m.tenant_id = for_tenant and m.is_active
        and m.id in (v.business_owner_id, v.security_owner_id)
    where r.tenant_id = for_tenant and r.removed_at is null and r.is_active
        and (r.classes is null or of_class = any (r.classes))
        and (r.tiers is null or v.tier = any (r.tiers))
        and (r.owner_ids is null or v.business_owner_id = any (r.owner_ids) or v.security_owner_id = any (r.owner_ids))
        and (r.kind <> 'owners' or m.id is not null)
        and (r.kind <> 'email' or r.confirmed_at is not null)
$$;

-- The review deadline of a vendor is maintained here and not by the vendors feature, which is below alerts. The trigger
-- works per statement, so that an import of 100,000 vendors stays one.
create function save_review_deadlines(tenant_ids uuid[], vendor_ids uuid[]) returns void
language plpgsql
as $$
begin
    insert into deadlines (
        tenant_id, id, alert_class, subject_kind, subject_id, vendor_id, title, due_on, next_alert_on
    )
    select v.tenant_id, v.id, 'review_due', 'vendor', v.id, v.id, 'Vendor review', v.next_review_on,
        alert_next_threshold_on(v.next_review_on, '0001-01-01', alert_thresholds(p, v.tier), p.overdue_every_days)
    from unnest(tenant_ids, vendor_ids) as changed (tenant_id, id)
    join vendors v on v.tenant_id = changed.tenant_id and v.id = changed.id
    join alert_policies p on p.tenant_id = v.tenant_id and p.alert_class = 'review_due'
    where v.next_review_on between '1900-01-01' and '2999-12-31'
        and v.lifecycle not in ('prospect', 'offboarding', 'terminated')
    on conflict on constraint deadlines_subject_is_watched_once do update
    set due_on = excluded.due_on, is_watched = true, checked_on = '0001-01-01',
        next_alert_on = excluded.next_alert_on, last_threshold_days = null, version = deadlines.version + 1
    where deadlines.due_on <> excluded.due_on or not deadlines.is_watched;

    update deadlines d
    set is_watched = false, next_alert_on = null, version = d.version + 1
    from unnest(tenant_ids, vendor_ids) as changed (tenant_id, id)
    join vendors v on v.tenant_id = changed.tenant_id and v.id = changed.id
    where d.tenant_id = v.tenant_id and d.alert_class = 'review_due' and d.subject_kind = 'vendor'
        and d.subject_id = v.id and d.is_watched
        and (v.next_review_on is null or v.lifecycle in ('prospect', 'offboarding', 'terminated'));
end
$$;

create function save_deadlines_of_new_vendors() returns trigger
language plpgsql
as $$
begin
    perform save_review_deadlines(array_agg(tenant_id), array_agg(id))
    from new_vendors
    where next_review_on is not null;
    return null;
end
$$;
create trigger vendors_new_have_deadlines
after insert on vendors
referencing new table as new_vendors
for each statement execute function save_deadlines_of_new_vendors();

create function save_deadlines_of_changed_vendors() returns trigger
language plpgsql
as $$
begin
    perform save_review_deadlines(array_agg(n.tenant_id), array_agg(n.id))
    from new_vendors n
    join old_vendors o on o.tenant_id = n.tenant_id and o.id = n.id
    where (o.next_review_on, o.lifecycle) is distinct from (n.next_review_on, n.lifecycle);

    -- Another tier has other thresholds, for every deadline of the vendor.
    update deadlines d
    set next_alert_on = alert_next_threshold_on(d.due_on, d.checked_on, alert_thresholds(p, n.tier), p.overdue_every_days),
        version = d.version + 1
    from new_vendors n
    join old_vendors o on o.tenant_id = n.tenant_id and o.id = n.id
    join alert_policies p on p.tenant_id = n.tenant_id
    where o.tier is distinct from n.tier
        and d.tenant_id = n.tenant_id and d.vendor_id = n.id and d.alert_class = p.alert_class and d.is_watched;
    return null;
end
$$;
create trigger vendors_changed_save_deadlines
after update on vendors
referencing old table as old_vendors new table as new_vendors
for each statement execute function save_deadlines_of_changed_vendors();
