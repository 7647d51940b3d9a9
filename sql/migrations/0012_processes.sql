-- The processes of an installation: which of them live, and what each job did last. Whether messages are held back.
--
-- Heartbeats are rows here and not keys in Redis. So a copy of the database on the same Redis has none of its own, and
-- is not taken for alive.
create table processes (
    process text primary key,
    kind text not null,
    host text not null,
    version text not null,
    key_ids text[] not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,
    constraint processes_kind_is_known check (kind in ('api', 'worker'))
);
comment on table processes is 'a row lives as long as its process: it is removed at a clean end, and a day after the last heartbeat';
comment on column processes.key_ids is 'the secret keys that this process can open, by id, the one that seals first';
call guard_operators_table('processes', 'select, insert, update, delete', false);

create table job_ticks (
    job text not null,
    process text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    error text,
    primary key (job, process)
);
comment on table job_ticks is 'the last run of each job in each process; no end while it runs, or if its process died';
call guard_operators_table('job_ticks', 'select, insert, update, delete', false);

-- One row. A restored copy gets an id of its own and holds its deliveries, so that a drill sends no real alert.
create table installation (
    is_only boolean primary key default true,
    id uuid not null default gen_random_uuid(),
    restored_at timestamptz,
    deliveries_held_at timestamptz,
    constraint installation_is_one_row check (is_only)
);
call guard_operators_table('installation', 'select, update', false);
insert into installation default values;
