-- name: beat
-- Across tenants: processes belong to the installation. Rows of processes that ended long ago go with it.
with forgotten as (
    delete from processes where process <> $1 and seen_at < $7::timestamptz - interval '1 day'
),
forgotten_ticks as (
    delete from job_ticks where started_at < $7::timestamptz - interval '7 days'
)
insert into processes (process, kind, host, version, key_ids, started_at, seen_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (process) do update set seen_at = excluded.seen_at;

-- name: leave
-- Across tenants: processes belong to the installation.
delete from processes where process = $1;

-- name: forget_host
-- Across tenants: processes belong to the installation. One that still lives is back with its next heartbeat.
delete from processes where host = $1;

-- name: list_processes
-- Across tenants: processes belong to the installation.
select process, kind, host, version, key_ids, started_at, seen_at
from processes
order by kind, started_at;

-- name: begin_tick
-- Across tenants: a job works for all of them.
insert into job_ticks (job, process, started_at)
values ($1, $2, $3)
on conflict (job, process) do update set started_at = excluded.started_at, ended_at = null, error = null;

-- name: end_tick
-- Across tenants: a job works for all of them.
update job_ticks set ended_at = $3, error = $4 where job = $1 and process = $2;

-- name: last_ticks
-- Across tenants: a job works for all of them. The last run of each job, whichever process it ran in.
select distinct on (job) job, process, started_at, ended_at, error
from job_ticks
order by job, started_at desc;

-- name: find_installation
-- Across tenants: one row for all of them.
select id, restored_at, deliveries_held_at from installation;

-- name: hold_deliveries
-- Across tenants: one row for all of them. Null lets the deliveries go.
update installation set deliveries_held_at = $1;

-- name: measure_deliveries
-- Across tenants: figures of the whole installation. The count stops at a number that is worth an alarm anyway.
select count(*) as due, min(next_attempt_at) as oldest_due_at
from (
    select next_attempt_at from deliveries where next_attempt_at <= $1 order by next_attempt_at limit 10000
) as late;
