-- External signals: public assets (scanned once for all tenants), observations, evaluations, findings and scores.
--
-- Public tables have no tenant: a domain watched by forty tenants is scanned once. By row-level security, a tenant
-- reads only rows of assets that it has attached to its vendors. Only jobs write these tables.

-- Enables the row-level security of a public table: jobs read and write by `privileges`, a tenant reads the assets it
-- watches.
create procedure guard_public_table(table_name regclass, privileges text, asset_column name)
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', table_name);
    execute format('alter table %s force row level security', table_name);
    execute format(
        'create policy who_watches on %s for select to vendorrisk_tenant using (
            exists (
                select from vendor_assets as watched
                where watched.tenant_id = (select current_tenant()) and watched.asset_id = %I
            )
        )', table_name, asset_column);
    execute format('create policy every_job on %s to vendorrisk_system using (true) with check (true)', table_name);
    execute format('grant select on %s to vendorrisk_tenant', table_name);
    execute format('grant %s on %s to vendorrisk_system', privileges, table_name);
end
$$;

-- Enables the row-level security of a table of the installation: jobs read and write it, tenants read it or see nothing
-- of it.
create procedure guard_operators_table(table_name regclass, privileges text, tenants_read boolean)
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', table_name);
    execute format('alter table %s force row level security', table_name);
    execute format('create policy every_job on %s to vendorrisk_system using (true) with check (true)', table_name);
    execute format('grant %s on %s to vendorrisk_system', privileges, table_name);
    if tenants_read then
        execute format('create policy any_tenant on %s for select to vendorrisk_tenant
            using ((select current_tenant()) is not null)', table_name);
        execute format('grant select on %s to vendorrisk_tenant', table_name);
    end if;
end
$$;

-- The assets of a vendor that a tenant watches. The id of the public asset is derived from kind and name, so that no
-- tenant has to write to public tables. `scan_requested_at` is the work of the job that enrols and refreshes.
create table vendor_assets (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    asset_id uuid not null,
    kind text not null,
    name text not null,
    registrable_domain text not null,
    is_primary boolean not null,
    source text not null,
    scan_requested_at timestamptz,
    attached_at timestamptz not null,
    removed_at timestamptz,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint vendor_assets_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint vendor_assets_kind_is_known check (
        kind in ('domain', 'host', 'status_page', 'trust_page', 'dpa_page', 'subprocessor_page', 'repository')
    ),
    constraint vendor_assets_source_is_known check (source in ('person', 'vendor_record')),
    constraint vendor_assets_name_has_1_to_2000_characters check (char_length(name) between 1 and 2000)
);
comment on column vendor_assets.registrable_domain is 'the registrable domain: scans are polite, leased and opted out by it';
comment on column vendor_assets.scan_requested_at is 'since when a scan is wanted at once: at attachment and at a refresh';
call guard_tenant_table('vendor_assets', 'select, insert, update');
create unique index vendor_assets_are_attached_once on vendor_assets (tenant_id, vendor_id, asset_id)
where removed_at is null;
create index vendor_assets_by_vendor on vendor_assets (tenant_id, vendor_id, id);
create index vendor_assets_by_name on vendor_assets (tenant_id, name, id) where removed_at is null;
create index vendor_assets_by_change on vendor_assets (tenant_id, updated_at, id) where removed_at is null;
create index vendor_assets_by_asset on vendor_assets (asset_id, tenant_id) where removed_at is null;
create index vendor_assets_by_tenant_asset on vendor_assets (tenant_id, asset_id);
create index vendor_assets_scan_requested on vendor_assets (tenant_id, scan_requested_at) where scan_requested_at is not null;

create table public_assets (
    id uuid primary key,
    kind text not null,
    name text not null,
    registrable_domain text not null,
    created_at timestamptz not null,
    constraint public_assets_are_known_once unique (kind, name)
);
call guard_public_table('public_assets', 'select, insert, delete', 'id');

-- One lease for a registrable domain. Its holder makes all scans there, one after another.
create table registrable_domains (
    name text primary key,
    next_scan_at timestamptz,
    lease_token uuid,
    opted_out_at timestamptz,
    opt_out_source text,
    opt_out_note text,
    spent_on date,
    spent_requests integer not null default 0,
    asked_by uuid,
    tries integer not null default 0,
    constraint registrable_domains_opt_out_is_whole check ((opted_out_at is null) = (opt_out_source is null)),
    constraint registrable_domains_opt_out_source_is_known check (opt_out_source in ('operator', 'robots'))
) with (fillfactor = 70);
comment on column registrable_domains.next_scan_at is 'the earliest of its schedule, or the end of the lease: a lease that lapses is due by itself';
comment on column registrable_domains.asked_by is 'the tenant that asked last for a scan at once; null where it is due by the schedule. No tenant waits for the many domains of another one';
comment on column registrable_domains.tries is 'domain scans since the last that came to its end; each one that did not makes the lease longer';
comment on column registrable_domains.spent_requests is 'requests made there on spent_on (UTC)';
call guard_operators_table('registrable_domains', 'select, insert, update, delete', false);
create index registrable_domains_by_next_scan on registrable_domains (next_scan_at)
where next_scan_at is not null and asked_by is null;
create index registrable_domains_asked_for on registrable_domains (asked_by, next_scan_at)
where next_scan_at is not null and asked_by is not null;

create table signal_schedule (
    asset_id uuid not null,
    scan_kind text not null,
    registrable_domain text not null,
    next_scan_at timestamptz not null,
    last_scan_at timestamptz,
    last_status text,
    failures integer not null default 0,
    observation_id uuid,
    observed_at timestamptz,
    raw_hash bytea,
    primary key (asset_id, scan_kind)
) with (fillfactor = 70);
call guard_public_table('signal_schedule', 'select, insert, update, delete', 'asset_id');
create index signal_schedule_by_registrable_domain on signal_schedule (registrable_domain, next_scan_at);
create index signal_schedule_by_last_scan on signal_schedule (scan_kind, last_scan_at);

-- The latest state of each rule on each asset. `memory` is the memory of change detection
-- (evaluation.change_detection).
create table signal_states (
    id uuid not null,
    asset_id uuid not null,
    rule text not null,
    subject text not null,
    scan_kind text not null,
    verdict text not null,
    known text,
    known_at timestamptz,
    reason text not null,
    detail text not null,
    evidence jsonb not null,
    believed jsonb not null,
    severity text not null,
    confidence_percent integer not null,
    cap integer,
    is_open boolean not null,
    is_flapping boolean not null,
    value_hash bytea not null,
    evaluated_at timestamptz not null,
    changed_at timestamptz not null,
    unknown_since timestamptz,
    unknown_scans integer not null default 0,
    observation_id uuid,
    memory jsonb not null,
    primary key (asset_id, rule, subject),
    constraint signal_states_id_is_unique unique (id)
) with (fillfactor = 70);
comment on column signal_states.known is 'the last believed verdict that was not unknown';
comment on column signal_states.believed is 'the evidence of the believed verdict; a change is evaluated against it';
comment on column signal_states.unknown_since is 'since when every scan has failed to see';
call guard_public_table('signal_states', 'select, insert, update, delete', 'asset_id');

create function refuse_signal_change() returns trigger
language plpgsql
as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;

-- Raw observations: appended when the canonical form changed, and every 30 days.
create table signal_observations (
    observed_at timestamptz not null,
    id uuid not null,
    asset_id uuid not null,
    scan_kind text not null,
    raw bytea not null,
    raw_hash bytea not null,
    previous_hash bytea,
    scan_id uuid not null,
    scanner_version text not null,
    datasets jsonb not null,
    primary key (id, observed_at)
) partition by range (observed_at);
call guard_public_table('signal_observations', 'select, insert', 'asset_id');
create index signal_observations_by_asset on signal_observations (asset_id, scan_kind, observed_at desc);
create trigger signal_observations_are_append_only
before update or delete on signal_observations
for each row execute function refuse_signal_change();

-- Evaluations: appended when a rule's verdict or value changed.
create table signal_evaluations (
    evaluated_at timestamptz not null,
    id uuid not null,
    asset_id uuid not null,
    rule text not null,
    subject text not null,
    verdict text not null,
    reason text not null,
    detail text not null,
    evidence jsonb not null,
    severity text not null,
    change text,
    before text not null,
    value_hash bytea not null,
    observation_id uuid,
    primary key (id, evaluated_at)
) partition by range (evaluated_at);
comment on column signal_evaluations.change is 'what it meant (signals.model.ChangeKind); null where it only varied';
call guard_public_table('signal_evaluations', 'select, insert', 'asset_id');
create index signal_evaluations_by_asset on signal_evaluations (asset_id, evaluated_at desc, id desc);
create trigger signal_evaluations_are_append_only
before update or delete on signal_evaluations
for each row execute function refuse_signal_change();

create table signal_scans (
    started_at timestamptz not null,
    id uuid not null,
    asset_id uuid not null,
    scan_kind text not null,
    milliseconds integer not null,
    status text not null,
    evaluated integer not null,
    changed integer not null,
    datasets jsonb not null,
    primary key (id, started_at)
) partition by range (started_at);
comment on column signal_scans.status is 'seen, or why nothing was seen, or suspect (a rule was paused meanwhile)';
call guard_public_table('signal_scans', 'select, insert', 'asset_id');
create index signal_scans_by_asset on signal_scans (asset_id, started_at desc);

-- First observations of something worse, to notice when one rule turns on many assets at once.
create table signal_flips (
    rule text not null,
    asset_id uuid not null,
    flipped_at timestamptz not null,
    primary key (rule, asset_id)
);
call guard_operators_table('signal_flips', 'select, insert, update, delete', false);
create index signal_flips_by_time on signal_flips (rule, flipped_at);

create table signal_pauses (
    rule text primary key,
    paused_at timestamptz not null,
    paused_until timestamptz not null,
    flips integer not null,
    watched integer not null
);
comment on table signal_pauses is 'rules that changed on too many assets at once: our resolver or our data, not the vendors';
call guard_operators_table('signal_pauses', 'select, insert, update, delete', true);

-- Lists that are fetched once for all and joined here.
create table signal_feeds (
    feed text primary key,
    version text not null default '',
    etag text not null default '',
    last_modified text not null default '',
    next_fetch_at timestamptz not null,
    lease_token uuid,
    checked_at timestamptz,
    fetched_at timestamptz,
    failure text,
    failures integer not null default 0,
    item_count integer not null default 0,
    body bytea
);
call guard_operators_table('signal_feeds', 'select, insert, update', true);

create table signal_feed_items (
    feed text not null,
    key text not null,
    subject text not null,
    payload jsonb not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    gone_at timestamptz,
    primary key (feed, key)
);
comment on column signal_feed_items.subject is 'what it is joined by: a domain, or a manufacturer in plain letters';
call guard_operators_table('signal_feed_items', 'select, insert, update', true);
create index signal_feed_items_by_subject on signal_feed_items (feed, subject) where gone_at is null;

-- A vendor's current score, and the work of reconciliation: `reconcile_at` is when findings, score and alerts are due.
create table vendor_signals (
    tenant_id uuid not null references tenants (id),
    vendor_id uuid not null,
    reconcile_at timestamptz not null,
    reconciled_at timestamptz,
    notified_until timestamptz,
    snapshot_id uuid,
    model_version text,
    score integer,
    grade text,
    number integer,
    low integer,
    high integer,
    coverage_bp integer,
    confidence_percent integer,
    scored_at timestamptz,
    baseline_score jsonb,
    recent jsonb not null default '[]',
    tries integer not null default 0,
    primary key (tenant_id, vendor_id),
    constraint vendor_signals_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id)
) with (fillfactor = 70);
comment on column vendor_signals.baseline_score is 'the score that later ones are compared with: the last notified, or the first';
comment on column vendor_signals.recent is 'the last scores, 15 minutes or more apart: people are notified of a fall when two bear it out';
call guard_tenant_table('vendor_signals', 'select, insert, update');
comment on column vendor_signals.tries is 'turns since the last that came to its end; each one that did not makes the next wait longer';
create index vendor_signals_due on vendor_signals (tenant_id, reconcile_at);
create index vendor_signals_by_score on vendor_signals (tenant_id, number, vendor_id);
create index vendor_signals_by_time on vendor_signals (tenant_id, scored_at, vendor_id);

create table score_snapshots (
    tenant_id uuid not null references tenants (id),
    scored_at timestamptz not null,
    id uuid not null,
    vendor_id uuid not null,
    model_version text not null,
    reason text not null,
    score integer,
    grade text not null,
    number integer not null,
    previous_number integer,
    previous_model_version text,
    result jsonb not null,
    inputs jsonb not null,
    inputs_hash bytea not null,
    primary key (tenant_id, id, scored_at),
    constraint score_snapshots_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id)
) partition by range (scored_at);
comment on column score_snapshots.reason is 'first, change, keyframe or model';
comment on column score_snapshots.inputs is 'the score inputs it was computed from: the same again give the same number';
call guard_tenant_table('score_snapshots', 'select, insert');
create index score_snapshots_by_vendor on score_snapshots (tenant_id, vendor_id, scored_at desc, id desc);
create trigger score_snapshots_are_append_only
before update or delete on score_snapshots
for each row execute function refuse_signal_change();

-- The finding of each state of a vendor's asset. A problem that returns after 30 days gets a new finding.
create table signal_findings (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    vendor_asset_id uuid not null,
    rule text not null,
    subject text not null,
    generation integer not null,
    finding_id uuid not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    notified_at timestamptz,
    digested_at timestamptz,
    primary key (tenant_id, id),
    constraint signal_findings_stand_once unique (tenant_id, vendor_asset_id, rule, subject),
    constraint signal_findings_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint signal_findings_asset_is_known foreign key (tenant_id, vendor_asset_id)
        references vendor_assets (tenant_id, id),
    constraint signal_findings_finding_is_known foreign key (tenant_id, finding_id) references findings (tenant_id, id)
);
comment on column signal_findings.id is 'the source of the finding';
call guard_tenant_table('signal_findings', 'select, insert, update');
create index signal_findings_by_vendor on signal_findings (tenant_id, vendor_id);
create index signal_findings_by_finding on signal_findings (tenant_id, finding_id);
create index signal_findings_to_digest on signal_findings (tenant_id, opened_at) where digested_at is null;

-- A vendor's products, to be compared with the catalogue of exploited vulnerabilities.
create table vendor_products (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    maker text not null,
    maker_key text not null,
    product text not null,
    product_key text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint vendor_products_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint vendor_products_are_noted_once unique (tenant_id, vendor_id, maker_key, product_key),
    constraint vendor_products_maker_has_1_to_200_characters check (char_length(maker) between 1 and 200),
    constraint vendor_products_product_has_1_to_200_characters check (char_length(product) between 1 and 200)
);
call guard_tenant_table('vendor_products', 'select, insert, update, delete');
create index vendor_products_by_maker on vendor_products (maker_key);
create index vendor_products_by_product on vendor_products (tenant_id, product, id);
create index vendor_products_by_change on vendor_products (tenant_id, updated_at, id);

-- A product of a vendor that is being exploited: notified once, with the finding that follows.
create table vendor_exploits (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    cve text not null,
    finding_id uuid not null,
    notified_at timestamptz not null,
    primary key (tenant_id, id),
    constraint vendor_exploits_are_notified_once unique (tenant_id, vendor_id, cve),
    constraint vendor_exploits_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id),
    constraint vendor_exploits_finding_is_known foreign key (tenant_id, finding_id) references findings (tenant_id, id)
);
call guard_tenant_table('vendor_exploits', 'select, insert');
create index vendor_exploits_by_finding on vendor_exploits (tenant_id, finding_id);

-- A change on a vendor's page of sub-processors, proposed as a change to its fourth parties.
create table subprocessor_changes (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    vendor_asset_id uuid not null,
    change text not null,
    name text not null,
    details text,
    value_hash bytea not null,
    observed_at timestamptz not null,
    state text not null default 'proposed',
    fourth_party_id uuid,
    decided_at timestamptz,
    decided_by_id uuid,
    decided_by_label text,
    updated_at timestamptz not null generated always as (coalesce(decided_at, observed_at)) stored,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint subprocessor_changes_are_proposed_once unique (tenant_id, vendor_asset_id, value_hash, change, name),
    constraint subprocessor_changes_vendor_is_known foreign key (tenant_id, vendor_id)
        references vendors (tenant_id, id),
    constraint subprocessor_changes_asset_is_known foreign key (tenant_id, vendor_asset_id)
        references vendor_assets (tenant_id, id),
    constraint subprocessor_changes_change_is_known check (change in ('added', 'removed', 'changed')),
    constraint subprocessor_changes_state_is_known check (state in ('proposed', 'accepted', 'dismissed')),
    constraint subprocessor_changes_are_decided_whole check (
        (state = 'proposed') = (decided_at is null) and (decided_at is null) = (decided_by_id is null)
    )
);
call guard_tenant_table('subprocessor_changes', 'select, insert, update');
create index subprocessor_changes_by_vendor on subprocessor_changes (tenant_id, vendor_id, id);
create index subprocessor_changes_by_time on subprocessor_changes (tenant_id, observed_at, id);
create index subprocessor_changes_by_change on subprocessor_changes (tenant_id, updated_at, id);

-- Ratings that others gave, kept as they are, beside our score and never inside it.
create table vendor_ratings (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    vendor_id uuid not null,
    domain text not null,
    provider text not null,
    rated_on date not null,
    value_hundredths integer,
    grade text not null,
    imported_at timestamptz not null,
    primary key (tenant_id, id),
    constraint vendor_ratings_are_saved_once unique (tenant_id, vendor_id, provider, rated_on),
    constraint vendor_ratings_vendor_is_known foreign key (tenant_id, vendor_id) references vendors (tenant_id, id)
);
call guard_tenant_table('vendor_ratings', 'select, insert, update');

-- Partitions: a job creates them three ahead and drops expired ones. The function runs with its owner's rights because
-- only an owner may attach a partition. Its only argument is the instant, and it uses no name from a caller.
create function maintain_signal_partitions(at timestamptz, retention_months integer, run_retention_days integer) returns integer
language plpgsql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    parent text;
    unit interval;
    kept interval;
    from_at timestamptz;
    to_at timestamptz;
    column_name name;
    partition text;
    done integer := 0;
    old record;
begin
    if retention_months not between 1 and 600 or run_retention_days not between 1 and 3660 then
        raise exception 'a retention is out of range';
    end if;
    perform pg_advisory_xact_lock(hashtext('maintain_signal_partitions'));
    foreach parent in array array['signal_observations', 'signal_evaluations', 'score_snapshots', 'signal_scans'] loop
        unit := case parent when 'signal_scans' then interval '1 day' else interval '1 month' end;
        kept := case parent when 'signal_scans' then make_interval(days => run_retention_days)
            else make_interval(months => retention_months) end;
        for ahead in 0..3 loop
            from_at := (date_trunc(
                case parent when 'signal_scans' then 'day' else 'month' end, at at time zone 'UTC') + ahead * unit
            ) at time zone 'UTC';
            partition := parent || '_' || to_char(from_at at time zone 'UTC',
                case parent when 'signal_scans' then 'YYYYMMDD' else 'YYYYMM' end);
            if to_regclass('public.' || partition) is null then
                to_at := (from_at at time zone 'UTC' + unit) at time zone 'UTC';
                column_name := case parent when 'signal_observations' then 'observed_at'
                    when 'signal_evaluations' then 'evaluated_at' when 'score_snapshots' then 'scored_at'
                    else 'started_at' end;
                -- Rows that came before their partition wait in the default partition; they move over, for once past
                -- the trigger.
                execute format('create table public.%I (like public.%I including defaults)', partition, parent);
                execute format('alter table public.%I disable trigger user', parent || '_default');
                execute format(
                    'with waiting as (delete from public.%I where %I >= %L and %I < %L returning *)
                    insert into public.%I select * from waiting',
                    parent || '_default', column_name, from_at, column_name, to_at, partition);
                execute format('alter table public.%I enable trigger user', parent || '_default');
                execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
                    parent, partition, from_at, to_at);
                execute format('alter table public.%I enable row level security', partition);
                execute format('alter table public.%I force row level security', partition);
                -- For the owner alone, who has no BYPASSRLS on a managed server: pg_dump reads each partition by itself.
                execute format('create policy every_job on public.%I to vendorrisk_system using (true)', partition);
                done := done + 1;
            end if;
        end loop;
        for old in
            select c.relname::text as name
            from pg_inherits as i
            join pg_class as c on c.oid = i.inhrelid
            where i.inhparent = ('public.' || parent)::regclass and c.relname ~ '_[0-9]+$'
                and to_timestamp(substring(c.relname from '[0-9]+$'),
                    case parent when 'signal_scans' then 'YYYYMMDD' else 'YYYYMM' end) < at - kept - unit
        loop
            execute format('drop table public.%I', old.name);
            done := done + 1;
        end loop;
    end loop;
    return done;
end
$$;
comment on function maintain_signal_partitions is 'makes partitions of this unit and three ahead, drops those past their retention; returns how many it touched';
revoke execute on function maintain_signal_partitions from public;
grant execute on function maintain_signal_partitions to vendorrisk_system;

-- Rows without a partition are stored here, and a metric counts them.
create table signal_observations_default partition of signal_observations default;
create table signal_evaluations_default partition of signal_evaluations default;
create table score_snapshots_default partition of score_snapshots default;
create table signal_scans_default partition of signal_scans default;
alter table signal_observations_default enable row level security;
alter table signal_observations_default force row level security;
alter table signal_evaluations_default enable row level security;
alter table signal_evaluations_default force row level security;
alter table score_snapshots_default enable row level security;
alter table score_snapshots_default force row level security;
alter table signal_scans_default enable row level security;
alter table signal_scans_default force row level security;
-- For the owner, as in the function above. The roles have no privilege on a partition.
create policy every_job on signal_observations_default to vendorrisk_system using (true);
create policy every_job on signal_evaluations_default to vendorrisk_system using (true);
create policy every_job on score_snapshots_default to vendorrisk_system using (true);
create policy every_job on signal_scans_default to vendorrisk_system using (true);

create function signal_rows_astray() returns bigint
language sql
security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select (select count(*) from public.signal_observations_default) + (select count(*) from public.signal_evaluations_default)
        + (select count(*) from public.score_snapshots_default) + (select count(*) from public.signal_scans_default)
$$;
comment on function signal_rows_astray is 'how many rows found no partition; their owner alone may look into them';
revoke execute on function signal_rows_astray from public;
grant execute on function signal_rows_astray to vendorrisk_system;

-- Dates of certificates and registrations are notified like evidence, each with thresholds of its own.
create function give_tenant_signal_policies() returns trigger
language plpgsql
as $$
begin
    insert into alert_policies (
        tenant_id, alert_class, critical, high, medium, low, overdue_every_days, updated_at
    )
    select new.id, c.alert_class, c.days, c.days, c.days, c.days, 7, new.created_at
    from (
        values
            ('certificate_expiring', array[21, 7, 1, 0]),
            ('domain_expiring', array[30, 7, 0])
    ) as c (alert_class, days);
    return null;
end
$$;
create trigger tenants_get_signal_policies
after insert on tenants
for each row execute function give_tenant_signal_policies();

insert into alert_policies (tenant_id, alert_class, critical, high, medium, low, overdue_every_days, updated_at)
select t.id, c.alert_class, c.days, c.days, c.days, c.days, 7, t.created_at
from tenants as t
cross join (
    values ('certificate_expiring', array[21, 7, 1, 0]), ('domain_expiring', array[30, 7, 0])
) as c (alert_class, days);

-- A vendor's recorded domains are watched without another click: a person wrote them down as the vendor's.
create function request_domain_scans() returns trigger
language plpgsql
as $$
begin
    insert into vendor_signals (tenant_id, vendor_id, reconcile_at)
    select distinct changed.tenant_id, changed.vendor_id, timestamptz 'epoch'
    from changed
    order by 1, 2
    on conflict (tenant_id, vendor_id) do update set reconcile_at = excluded.reconcile_at;
    return null;
end
$$;
create trigger vendor_domains_are_watched_when_added
after insert on vendor_domains
referencing new table as changed
for each statement execute function request_domain_scans();
create trigger vendor_domains_are_left_when_removed
after delete on vendor_domains
referencing old table as changed
for each statement execute function request_domain_scans();
