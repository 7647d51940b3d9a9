-- Additions to signals: a finding's severity when people were notified, and a limit to the rows that one wrong clock
-- can drop.

alter table signal_findings
add column severity text, add column model_version text, add column observation_id uuid;
comment on column signal_findings.observation_id is 'what it was opened on';
comment on column signal_findings.model_version is 'the methodology that opened it; null of one older than the column';
comment on column signal_findings.severity is 'how severe its source was said to be; null of one older than the column';
comment on column subprocessor_changes.value_hash is 'the evaluation that saw it: the same list seen again later is another';

-- All expired partitions were dropped at once: a worker whose clock ran ten years ahead for a minute would have dropped
-- everything. Now each hour drops the oldest partition of each table. Dates were read from names, which failed on names
-- of other tables if the planner took them first.
create or replace function maintain_signal_partitions(at timestamptz, retention_months integer, run_retention_days integer) returns integer
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
    old text;
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
                done := done + 1;
            end if;
        end loop;
        -- Names of one table have one width, so that they are in the order of their dates, and none has to be read as one.
        old := (
            select min(c.relname::text collate "C")
            from pg_inherits as i
            join pg_class as c on c.oid = i.inhrelid
            where i.inhparent = ('public.' || parent)::regclass
                and c.relname::text collate "C" <= parent || '_' || to_char((at - kept - unit) at time zone 'UTC',
                    case parent when 'signal_scans' then 'YYYYMMDD' else 'YYYYMM' end)
        );
        if old is not null then
            execute format('drop table public.%I', old);
        end if;
    end loop;
    return done;
end
$$;
comment on function maintain_signal_partitions is 'makes partitions of this unit and three ahead, drops the oldest of each table past its retention; returns how many it made';

-- A state that a person accepts, disputes or calls false leaves the score, or returns to it, within minutes. Before, it
-- took until the next day's reconciliation.
create function request_new_score() returns trigger
language plpgsql
as $$
begin
    update vendor_signals
    set reconcile_at = least(reconcile_at, new.state_changed_at)
    where tenant_id = new.tenant_id and vendor_id = new.vendor_id;
    return null;
end
$$;
create trigger findings_suppressed_are_scored_again
after update of state on findings
for each row
when (
    new.source_kind = 'signal' and old.state <> new.state
    and (
        old.state in ('accepted', 'disputed', 'false_positive') or new.state in ('accepted', 'disputed', 'false_positive')
    )
)
execute function request_new_score();
