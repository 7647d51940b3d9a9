-- The base of every feature: roles, tenants, members, API keys, the audit log, idempotent responses, deliveries and the
-- staging of imports.
--
-- Roles belong to the whole cluster, so they are created only if they are missing. Neither role owns a table, logs in,
-- or bypasses row-level security. The service takes one of them for each transaction.
do $$
begin
    if not exists (select from pg_roles where rolname = 'vendorrisk_tenant') then
        create role vendorrisk_tenant nologin noinherit;
    end if;
    if not exists (select from pg_roles where rolname = 'vendorrisk_system') then
        create role vendorrisk_system nologin noinherit;
    end if;
exception
    when duplicate_object or unique_violation then
        null; -- another database of this cluster was migrated at the same moment
end
$$;

do $$
begin
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant vendorrisk_tenant, vendorrisk_system to %I', current_user);
    end if;
end
$$;

create extension if not exists citext;
create extension if not exists pg_trgm;
create extension if not exists btree_gist;

revoke create on schema public from public;
grant usage on schema public to vendorrisk_tenant, vendorrisk_system;
-- Readiness asks whether the schema is this release's.
grant select on schema_migrations to vendorrisk_system;

-- The tenant of this transaction. If none is set, it is null and no row matches.
create function current_tenant() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('vendorrisk.tenant_id', true), '')::uuid $$;

-- Tiers and severities are sorted and compared by weight, not by alphabet. An unknown one weighs 0.
create function level_weight(level text) returns integer
language sql immutable parallel safe
as $$ select case level when 'critical' then 4 when 'high' then 3 when 'medium' then 2 when 'low' then 1 else 0 end $$;

-- Enables the row-level security of a tenant table: forced row-level security, one tenant for vendorrisk_tenant, all
-- for vendorrisk_system, and the listed privileges (such as 'select, insert') for both.
create procedure guard_tenant_table(table_name regclass, privileges text, tenant_column name default 'tenant_id')
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', table_name);
    execute format('alter table %s force row level security', table_name);
    -- The sub-select is evaluated once for the statement, not once for each row.
    execute format(
        'create policy one_tenant on %s to vendorrisk_tenant using (%I = (select current_tenant()))
         with check (%I = (select current_tenant()))',
        table_name, tenant_column, tenant_column);
    execute format('create policy every_tenant on %s to vendorrisk_system using (true) with check (true)', table_name);
    execute format('grant %s on %s to vendorrisk_tenant, vendorrisk_system', privileges, table_name);
end
$$;

create table tenants (
    id uuid primary key,
    name text not null,
    time_zone text not null default 'UTC',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    constraint tenants_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint tenants_time_zone_has_1_to_64_characters check (char_length(time_zone) between 1 and 64)
);
comment on column tenants.time_zone is 'IANA name; decides what "today" is for every date of this tenant';
call guard_tenant_table('tenants', 'select, insert, update', 'id');

-- A person inside one tenant. Credentials of people (accounts) live apart, so that one person can be a member of
-- several tenants.
create table members (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    name text not null,
    email citext not null,
    roles text[] not null,
    slack_user_id text,
    is_active boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint members_email_is_unique unique (tenant_id, email),
    constraint members_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint members_email_has_3_to_254_characters check (char_length(email) between 3 and 254)
);
call guard_tenant_table('members', 'select, insert, update, delete');

create table api_keys (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    public_id text not null,
    name text not null,
    secret_hash bytea not null,
    roles text[] not null,
    scopes text[],
    member_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    rotated_from_id uuid,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint api_keys_public_id_is_unique unique (public_id),
    constraint api_keys_member_is_known foreign key (tenant_id, member_id) references members (tenant_id, id),
    constraint api_keys_rotation_is_known foreign key (tenant_id, rotated_from_id)
        references api_keys (tenant_id, id),
    constraint api_keys_name_has_1_to_200_characters check (char_length(name) between 1 and 200),
    constraint api_keys_secret_is_a_sha256 check (octet_length(secret_hash) = 32)
);
comment on column api_keys.public_id is 'the part of the key that may be shown and logged; found before the tenant is known';
comment on column api_keys.scopes is 'permissions that narrow the roles; null leaves them whole';
call guard_tenant_table('api_keys', 'select, insert, update');
create index api_keys_by_member on api_keys (tenant_id, member_id) where member_id is not null;
create index api_keys_by_rotation on api_keys (tenant_id, rotated_from_id) where rotated_from_id is not null;

-- Notifies every API process to drop its cache of a key, as soon as the change commits.
create function announce_api_key_change() returns trigger
language plpgsql
as $$
begin
    perform pg_notify('vendorrisk_api_keys', new.public_id);
    return null;
end
$$;
create trigger api_keys_change_is_announced
after update of revoked_at, expires_at, roles, scopes on api_keys
for each row execute function announce_api_key_change();

-- The audit log: one chain per tenant. hash = sha256(previous hash || sequence || content).
create table audit_entries (
    tenant_id uuid not null references tenants (id),
    sequence bigint not null,
    at timestamptz not null,
    actor_kind text not null,
    actor_id uuid,
    action text not null,
    target_kind text not null,
    target_id uuid not null,
    content text not null,
    previous_hash bytea not null,
    hash bytea not null,
    primary key (tenant_id, sequence)
);
comment on column audit_entries.content is 'canonical JSON of the whole entry, exactly as hashed; the other columns repeat parts of it for filters';
call guard_tenant_table('audit_entries', 'select, insert');
create index audit_entries_by_target on audit_entries (tenant_id, target_id, sequence);
create index audit_entries_by_actor on audit_entries (tenant_id, actor_id, sequence);
create index audit_entries_by_action on audit_entries (tenant_id, action, sequence);

create table audit_heads (
    tenant_id uuid primary key references tenants (id),
    sequence bigint not null,
    hash bytea not null
);
comment on table audit_heads is 'the end of each chain: its row lock puts writers in order, and it shows a cut-off tail';
call guard_tenant_table('audit_heads', 'select, insert, update');

create function refuse_audit_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'audit entries are append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_entries_are_append_only
before update or delete on audit_entries
for each row execute function refuse_audit_change();
create trigger audit_entries_are_not_truncated
before truncate on audit_entries
for each statement execute function refuse_audit_change();

-- Appends entries to the tenant's chain in the caller's transaction. The lock on the head is held until it ends.
create function append_audit(
    at timestamptz, actor_kind text, actor_id uuid, actions text[], target_kinds text[], target_ids uuid[],
    contents text[]
) returns bigint
language plpgsql
as $$
declare
    tenant uuid := current_tenant();
    head audit_heads;
    next_hash bytea;
begin
    insert into audit_heads (tenant_id, sequence, hash)
    values (tenant, 0, sha256(uuid_send(tenant)))
    on conflict (tenant_id) do nothing;
    select * into head from audit_heads where tenant_id = tenant for update;
    for i in 1 .. cardinality(contents) loop
        head.sequence := head.sequence + 1;
        next_hash := sha256(head.hash || int8send(head.sequence) || convert_to(contents[i], 'UTF8'));
        insert into audit_entries
        values (tenant, head.sequence, at, actor_kind, actor_id, actions[i], target_kinds[i], target_ids[i],
                contents[i], head.hash, next_hash);
        head.hash := next_hash;
    end loop;
    update audit_heads set sequence = head.sequence, hash = head.hash where tenant_id = tenant;
    return head.sequence;
end
$$;

-- Responses of requests that carried an Idempotency-Key, written in the transaction of the effect itself.
create table idempotency_keys (
    tenant_id uuid not null references tenants (id),
    actor_id uuid not null,
    key text not null,
    fingerprint bytea not null,
    status smallint,
    headers jsonb,
    body bytea,
    created_at timestamptz not null,
    primary key (tenant_id, actor_id, key),
    constraint idempotency_keys_key_has_1_to_255_characters check (char_length(key) between 1 and 255)
);
call guard_tenant_table('idempotency_keys', 'select, insert, update, delete');
create index idempotency_keys_by_age on idempotency_keys (tenant_id, created_at);

-- Which tenants have work in a queue: one small row for each. The rows of the queue are the work, so a row here may be
-- late, or wrong, without harm: every run of a job writes anew which tenants are due. `turn` makes the queue fair: a
-- tenant that was served goes behind the others.
create table due_tenants (
    tenant_id uuid not null references tenants (id),
    queue text not null,
    due_at timestamptz not null,
    turn bigint not null default 0,
    primary key (tenant_id, queue),
    constraint due_tenants_queue_has_1_to_60_characters check (char_length(queue) between 1 and 60)
);
comment on column due_tenants.due_at is 'since when its oldest row has been due, as far as is known';
comment on column due_tenants.turn is 'the order in which tenants are served; 0 where it is new to the queue';
call guard_tenant_table('due_tenants', 'select, insert, update, delete');
create index due_tenants_by_turn on due_tenants (queue, turn, due_at);

-- Rows of queues that failed, where the row itself does not count its tries. A row that is gone from its queue is
-- forgotten here.
create table failed_rows (
    tenant_id uuid not null references tenants (id),
    queue text not null,
    row_id uuid not null,
    tries integer not null,
    retry_at timestamptz not null,
    reason text not null,
    failed_at timestamptz not null,
    primary key (tenant_id, queue, row_id),
    constraint failed_rows_queue_has_1_to_60_characters check (char_length(queue) between 1 and 60),
    constraint failed_rows_reason_has_at_most_500_characters check (char_length(reason) <= 500)
);
comment on column failed_rows.reason is 'of the last failure; while it is being tried, that its worker died';
call guard_tenant_table('failed_rows', 'select, insert, update, delete');

-- The calendar day of an instant in a time zone. A zone that Postgres does not know must not stop the statement for
-- every other tenant, so its day is that of UTC.
create function local_day(at timestamptz, zone text) returns date
language plpgsql stable
as $$
begin
    return (at at time zone zone)::date;
exception
    when invalid_parameter_value then
        return (at at time zone 'UTC')::date;
end
$$;

-- The instant at which the calendar day of a time zone began.
create function local_midnight(at timestamptz, zone text) returns timestamptz
language plpgsql stable
as $$
begin
    return date_trunc('day', at at time zone zone) at time zone zone;
exception
    when invalid_parameter_value then
        return date_trunc('day', at at time zone 'UTC') at time zone 'UTC';
end
$$;

-- One message to one recipient. Its id is the key that travels with the message. Deliveries stand below the features
-- that own the messages, so no foreign key leads up to an owner or a destination. A test finds deliveries without owner
-- or destination.
create table deliveries (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    owner_kind text not null,
    owner_id uuid not null,
    destination_kind text,
    destination_id uuid,
    recipient text not null default '',
    state text not null default 'pending',
    attempts integer not null default 0,
    attempts_allowed integer not null,
    next_attempt_at timestamptz,
    lease_token uuid,
    possible_duplicates integer not null default 0,
    failure text,
    detail text,
    sent_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint deliveries_are_made_once unique nulls not distinct (
        tenant_id, owner_kind, owner_id, destination_id, recipient
    ),
    constraint deliveries_owner_kind_is_known check (owner_kind in ('alert', 'confirmation')),
    constraint deliveries_destination_kind_is_known check (destination_kind in ('receiver')),
    constraint deliveries_destination_has_a_kind check ((destination_kind is null) = (destination_id is null)),
    constraint deliveries_without_destination_have_a_recipient check (destination_id is not null or recipient <> ''),
    constraint deliveries_state_is_known check (state in ('pending', 'sending', 'sent', 'dead', 'cancelled')),
    constraint deliveries_being_sent_have_a_lease check ((state = 'sending') = (lease_token is not null)),
    constraint deliveries_open_have_a_next_attempt check (
        (state in ('pending', 'sending')) = (next_attempt_at is not null)
    )
) with (fillfactor = 80);
comment on column deliveries.owner_kind is 'the feature whose message this is; owner_id is the row the message is made of';
comment on column deliveries.destination_id is 'the record that has the address; null where the recipient is the address';
comment on column deliveries.recipient is 'an e-mail address; empty where the destination itself has the address';
comment on column deliveries.next_attempt_at is 'when it is to be tried; while it is being sent, when its lease ends';
comment on column deliveries.possible_duplicates is 'tries that followed one whose end is unknown';
call guard_tenant_table('deliveries', 'select, insert, update');
create index deliveries_to_try on deliveries (tenant_id, next_attempt_at) where next_attempt_at is not null;
create index deliveries_by_time on deliveries (tenant_id, owner_kind, created_at desc, id desc);
create index deliveries_by_change on deliveries (tenant_id, owner_kind, updated_at, id);
-- Most deliveries have neither: the index holds those alone.
create index deliveries_by_recipient on deliveries (
    tenant_id, owner_kind, nullif(recipient, ''), created_at desc, id desc
)
where nullif(recipient, '') is not null;
create index deliveries_by_failure on deliveries (tenant_id, owner_kind, failure, created_at desc, id desc)
where failure is not null;
create index deliveries_by_destination on deliveries (tenant_id, destination_id, created_at desc, id desc);

create table delivery_attempts (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    delivery_id uuid not null,
    number integer not null,
    token uuid not null,
    outcome text not null default 'sending',
    failure text,
    detail text,
    started_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    constraint delivery_attempts_number_is_unique unique (tenant_id, delivery_id, number),
    constraint delivery_attempts_delivery_is_known foreign key (tenant_id, delivery_id)
        references deliveries (tenant_id, id),
    constraint delivery_attempts_outcome_is_known check (outcome in ('sending', 'sent', 'failed', 'uncertain'))
) with (fillfactor = 80);
comment on column delivery_attempts.outcome is 'uncertain: perhaps accepted; the sender died, or no response came in time';
call guard_tenant_table('delivery_attempts', 'select, insert, update');

-- Imports: a file, the effect of each of its rows on records of a kind, and the progress.
create table imports (
    tenant_id uuid not null references tenants (id),
    id uuid not null,
    kind text not null,
    state text not null default 'received',
    is_dry_run boolean not null,
    is_partial boolean not null,
    format text not null,
    file_name text,
    file_digest bytea not null,
    file_bytes bigint not null,
    mapping jsonb not null default '{}',
    date_order text,
    notices jsonb not null default '[]',
    headings jsonb not null default '{}',
    rejection_reason text,
    rows_total integer,
    rows_done integer not null default 0,
    to_create integer not null default 0,
    to_change integer not null default 0,
    unchanged integer not null default 0,
    with_problems integer not null default 0,
    rows_digest bytea,
    requested_by_id uuid not null,
    requested_by_label text not null,
    requested_by_kind text not null,
    lease_token uuid,
    leased_until timestamptz,
    tries integer not null default 0,
    checked_at timestamptz,
    applied_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1,
    primary key (tenant_id, id),
    constraint imports_state_is_known check (
        state in ('received', 'checked', 'accepted', 'applied', 'rejected', 'cancelled')
    ),
    constraint imports_kind_has_1_to_40_characters check (char_length(kind) between 1 and 40),
    constraint imports_format_is_known check (format in ('csv', 'xlsx')),
    constraint imports_file_digest_is_a_sha256 check (octet_length(file_digest) = 32),
    constraint imports_file_name_has_1_to_255_characters check (char_length(file_name) between 1 and 255)
);
comment on table imports is 'the work and its progress: a job finds what is received or accepted and not leased';
comment on column imports.kind is 'what the rows become: the name of a kind that the code knows';
comment on column imports.tries is 'how often a worker has begun to check or apply it, in its state; a worker that died counts';
comment on column imports.leased_until is 'when its lease ends; without a token, when it is tried again';
comment on column imports.headings is 'field → heading of the file, as matched';
call guard_tenant_table('imports', 'select, insert, update');
create index imports_waiting on imports (tenant_id, created_at) where state in ('received', 'accepted');
create index imports_by_age on imports (tenant_id, kind, created_at, id);
create index imports_by_change on imports (tenant_id, kind, updated_at, id);

create table import_files (
    tenant_id uuid not null,
    import_id uuid not null,
    part int not null,
    content bytea not null,
    primary key (tenant_id, import_id, part),
    constraint import_files_import_is_known foreign key (tenant_id, import_id)
        references imports (tenant_id, id)
);
comment on table import_files is 'the file in parts of at most 1 MiB, only until it was read';
-- Not packed: it lies here for minutes, and packing takes longer than writing.
alter table import_files alter column content set storage external;
call guard_tenant_table('import_files', 'select, insert, delete');

create table import_rows (
    tenant_id uuid not null,
    id uuid not null,
    import_id uuid not null,
    row_number integer not null,
    outcome text not null,
    record_id uuid,
    record_version integer,
    record_key text,
    given jsonb not null,
    before jsonb,
    problems jsonb not null default '[]',
    problem_codes text[] not null default '{}',
    primary key (tenant_id, id),
    constraint import_rows_import_is_known foreign key (tenant_id, import_id)
        references imports (tenant_id, id),
    constraint import_rows_outcome_is_known check (
        outcome in ('create', 'change', 'unchanged', 'conflict', 'skipped', 'problem')
    )
);
comment on table import_rows is 'what each row does: written and applied by statements of its kind';
comment on column import_rows.id is 'becomes the id of the record that the row creates';
comment on column import_rows.record_id is 'the record that the row changes or leaves as it is';
comment on column import_rows.record_version is 'its version when the row was checked';
comment on column import_rows.record_key is 'what identifies the record within its kind, such as its name without case';
comment on column import_rows.before is 'the record''s own values of the given fields, when it was checked';
comment on column import_rows.problem_codes is 'codes of what stands in the way in the database';
call guard_tenant_table('import_rows', 'select, insert, update, delete');
create index import_rows_by_number on import_rows (tenant_id, import_id, row_number, id);
