-- name: enrol_assets
-- Across tenants: what somebody asked to look at becomes a public asset with its schedule. Asked within an hour of the
-- last look, that look stands. A place under a lease is left alone: whoever holds it looks at its schedule again.
with asked as (
    select tenant_id, id, vendor_id, asset_id, kind, name, place
    from vendor_assets
    where asked_at <= $1
    order by asked_at
    limit $2
    for update skip locked
),
assets as (
    insert into public_assets (id, kind, name, place, created_at)
    select distinct on (asset_id) asset_id, kind, name, place, $1
    from asked
    order by asset_id
    on conflict do nothing
),
looks as (
    insert into signal_schedule (asset_id, look_group, place, next_look_at)
    select distinct on (a.asset_id, g.look_group) a.asset_id, g.look_group, a.place, $1
    from asked as a
    join unnest($3::text[], $4::text[]) as g (kind, look_group) on g.kind = a.kind
    order by a.asset_id, g.look_group
    on conflict (asset_id, look_group) do update
    set next_look_at = least(signal_schedule.next_look_at, excluded.next_look_at)
    where signal_schedule.last_look_at is null or signal_schedule.last_look_at <= $1 - interval '1 hour'
),
places as (
    insert into signal_places (name, next_look_at)
    select distinct place, $1::timestamptz
    from asked
    order by place
    on conflict (name) do update
    set next_look_at = least(signal_places.next_look_at, excluded.next_look_at)
    where signal_places.lease_token is null
),
vendors_to_settle as (
    insert into vendor_signals (tenant_id, vendor_id, settle_at)
    select distinct tenant_id, vendor_id, $1::timestamptz
    from asked
    order by tenant_id, vendor_id
    on conflict (tenant_id, vendor_id) do update
    set settle_at = least(vendor_signals.settle_at, excluded.settle_at)
),
done as (
    update vendor_assets as v set asked_at = null
    from asked
    where v.tenant_id = asked.tenant_id and v.id = asked.id
)
select count(*)::integer from asked;

-- name: claim_places
-- A lease on each place: while it lasts nobody else looks there, and when it lapses the place is due by itself.
with due as (
    select name from signal_places
    where next_look_at <= $1
    order by next_look_at
    limit $2
    for update skip locked
)
update signal_places as p
set next_look_at = $4, lease_token = $3
from due
where p.name = due.name
returning p.name, p.opted_out_at is not null as is_opted_out,
    coalesce(p.opt_out_source = 'robots', false) as is_by_robots,
    case when p.spent_on = ($1 at time zone 'UTC')::date then p.spent_requests else 0 end as spent;

-- name: due_looks
-- What is due at places under our lease, with whoever watches it: the least patient tier decides the cadence. What was
-- looked at tomorrow, or is put off by more than 42 days, was written by a clock that ran ahead: it is due.
select s.place, s.asset_id, a.kind, a.name, s.look_group, s.failures, s.last_look_at, s.observation_id, s.observed_at,
    s.raw_hash,
    coalesce(w.watchers, 0) as watchers, coalesce(w.tier_rank, 4) as tier_rank,
    (select count(distinct o.asset_id)::integer from signal_schedule as o where o.place = $1) as assets_here
from signal_schedule as s
join public_assets as a on a.id = s.asset_id
left join lateral (
    select count(*)::integer as watchers,
        min(case v.tier when 'critical' then 1 when 'medium' then 3 when 'low' then 4 else 2 end) as tier_rank
    from vendor_assets as va
    join vendors as v on v.tenant_id = va.tenant_id and v.id = va.vendor_id
    where va.asset_id = s.asset_id and va.removed_at is null and v.lifecycle <> 'terminated'
) as w on true
where s.place = $1 and (
    s.next_look_at <= $2
    or s.next_look_at > $2::timestamptz + interval '45 days'
    or s.last_look_at > $2::timestamptz + interval '1 day'
)
order by a.kind, a.name, s.look_group
limit $3;

-- name: forget_unwatched
-- What nobody watches any more is forgotten as it stood: whoever attaches it again is told of what is then, not of what
-- was. Its history stays.
with gone as (
    delete from signal_schedule where asset_id = any($1::uuid[])
),
forgotten as (
    delete from signal_states where asset_id = any($1::uuid[])
)
update signal_places
set next_look_at = (
    select min(next_look_at) from signal_schedule where place = $2 and asset_id <> all($1::uuid[])
), lease_token = null
where name = $2 and lease_token = $3;

-- name: states_of_assets
select asset_id, rule, discriminator, look_group, known, reason, detail, evidence, believed, severity, confidence_percent,
    cap, observation_id, memory
from signal_states
where asset_id = any($1::uuid[]);

-- name: read_observation
select raw from signal_observations where id = $1;

-- name: last_pauses
select rule, paused_at, paused_until from signal_pauses;

-- name: paused_rules
select rule from signal_pauses where paused_until > $1;

-- name: hold_lease
-- Whoever lost the lease finds nothing here, and writes nothing.
select name from signal_places where name = $1 and lease_token = $2 for update;

-- name: append_observations
insert into signal_observations (
    observed_at, id, asset_id, look_group, raw, raw_hash, previous_hash, run_id, checker_version, datasets
)
select $1, o.id, o.asset_id, o.look_group, o.raw, o.raw_hash, o.previous_hash, o.run_id, $2, $3::jsonb
from unnest($4::uuid[], $5::uuid[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::uuid[])
    as o (id, asset_id, look_group, raw, raw_hash, previous_hash, run_id);

-- name: keep_states
insert into signal_states as s (
    id, asset_id, rule, discriminator, look_group, verdict, known, known_at, reason, detail, evidence, believed,
    severity, confidence_percent, cap, is_open, is_flapping, value_hash, judged_at, changed_at, unseen_since,
    unseen_looks, observation_id, memory
)
select n.id, n.asset_id, n.rule, n.discriminator, n.look_group, n.verdict, n.known, n.known_at, n.reason, n.detail,
    n.evidence, n.believed, n.severity, n.confidence_percent, n.cap, n.is_open, n.is_flapping,
    decode(n.value_hash, 'hex'), $1, n.changed_at, n.unseen_since, n.unseen_looks, n.observation_id, n.memory
from jsonb_to_recordset($2::jsonb) as n (
    id uuid, asset_id uuid, rule text, discriminator text, look_group text, verdict text, known text,
    known_at timestamptz, reason text, detail text, evidence jsonb, believed jsonb, severity text,
    confidence_percent integer, cap integer, is_open boolean, is_flapping boolean, value_hash text,
    changed_at timestamptz, unseen_since timestamptz, unseen_looks integer, observation_id uuid, memory jsonb
)
on conflict (asset_id, rule, discriminator) do update
set look_group = excluded.look_group, verdict = excluded.verdict, known = excluded.known,
    known_at = excluded.known_at, reason = excluded.reason, detail = excluded.detail, evidence = excluded.evidence,
    believed = excluded.believed, severity = excluded.severity, confidence_percent = excluded.confidence_percent,
    cap = excluded.cap, is_open = excluded.is_open, is_flapping = excluded.is_flapping,
    value_hash = excluded.value_hash, judged_at = excluded.judged_at, changed_at = excluded.changed_at,
    unseen_since = excluded.unseen_since, unseen_looks = excluded.unseen_looks,
    observation_id = coalesce(excluded.observation_id, s.observation_id), memory = excluded.memory;

-- name: append_judgements
insert into signal_judgements (
    judged_at, id, asset_id, rule, discriminator, verdict, reason, detail, evidence, severity, happening, before,
    value_hash, observation_id
)
select $1, n.id, n.asset_id, n.rule, n.discriminator, n.verdict, n.reason, n.detail, n.evidence, n.severity,
    n.happening, n.before, decode(n.value_hash, 'hex'), n.observation_id
from jsonb_to_recordset($2::jsonb) as n (
    id uuid, asset_id uuid, rule text, discriminator text, verdict text, reason text, detail text, evidence jsonb,
    severity text, happening text, before text, value_hash text, observation_id uuid
);

-- name: append_runs
insert into signal_runs (started_at, id, asset_id, look_group, milliseconds, status, judged, changed, datasets)
select $1, n.id, n.asset_id, n.look_group, n.milliseconds, n.status, n.judged, n.changed, $2::jsonb
from jsonb_to_recordset($3::jsonb) as n (
    id uuid, asset_id uuid, look_group text, milliseconds integer, status text, judged integer, changed integer
);

-- name: keep_schedule
update signal_schedule as s
set next_look_at = n.next_look_at, last_status = n.status, failures = n.failures,
    last_look_at = case when n.status = 'budget_spent' then s.last_look_at else $1 end,
    observation_id = coalesce(n.observation_id, s.observation_id),
    observed_at = case when n.observation_id is null then s.observed_at else $1 end,
    raw_hash = coalesce(decode(n.raw_hash, 'hex'), s.raw_hash)
from jsonb_to_recordset($2::jsonb) as n (
    asset_id uuid, look_group text, next_look_at timestamptz, status text, failures integer, observation_id uuid,
    raw_hash text
)
where s.asset_id = n.asset_id and s.look_group = n.look_group;

-- name: note_flips
insert into signal_flips (rule, asset_id, flipped_at)
select f.rule, f.asset_id, $1
from unnest($2::text[], $3::uuid[]) as f (rule, asset_id)
order by f.rule, f.asset_id
on conflict (rule, asset_id) do update set flipped_at = excluded.flipped_at;

-- name: count_flips
-- How many assets turned on each rule within the hour, of how many that were looked at for it meanwhile: of all that are
-- watched no hour sees more than a twenty-fourth. Counted no further than it takes to know that it is no storm.
select r.rule, turned.flips, (
        select count(*)::integer
        from (
            select from signal_schedule as s
            where s.look_group = r.look_group and s.last_look_at > $1::timestamptz - interval '1 hour'
            limit 20 * turned.flips
        ) as counted
    ) as watched
from unnest($2::text[], $3::text[]) as r (rule, look_group)
cross join lateral (
    select count(*)::integer as flips from signal_flips as f
    where f.rule = r.rule and f.flipped_at > $1::timestamptz - interval '1 hour'
) as turned;

-- name: pause_rule
insert into signal_pauses (rule, paused_at, paused_until, flips, watched)
values ($1, $2, $3, $4, $5)
on conflict (rule) do update
set paused_at = case when signal_pauses.paused_until < excluded.paused_at then excluded.paused_at
        else signal_pauses.paused_at end,
    paused_until = excluded.paused_until, flips = excluded.flips, watched = excluded.watched;

-- name: forget_flips
delete from signal_flips
where flipped_at <= $1::timestamptz - interval '1 day' or flipped_at > $1::timestamptz + interval '1 hour';

-- name: ask_to_settle
-- Across tenants: every vendor that watches one of these assets. In one order, so that two workers never wait in a ring.
with watching as (
    select vs.tenant_id, vs.vendor_id
    from vendor_signals as vs
    where (vs.tenant_id, vs.vendor_id) in (
        select va.tenant_id, va.vendor_id from vendor_assets as va
        where va.asset_id = any($1::uuid[]) and va.removed_at is null
    )
    order by vs.tenant_id, vs.vendor_id
    for update
)
update vendor_signals as vs
set settle_at = least(vs.settle_at, $2)
from watching as w
where vs.tenant_id = w.tenant_id and vs.vendor_id = w.vendor_id;

-- name: release_place
update signal_places
set lease_token = null,
    next_look_at = (select min(next_look_at) from signal_schedule where place = $1),
    spent_on = ($3::timestamptz at time zone 'UTC')::date,
    spent_requests = $4 + case when spent_on = ($3::timestamptz at time zone 'UTC')::date then spent_requests else 0 end,
    opted_out_at = case
        when opt_out_source = 'operator' then opted_out_at
        when $5::boolean then coalesce(opted_out_at, $3)
        when $6::boolean then null
        else opted_out_at
    end,
    opt_out_source = case
        when opt_out_source = 'operator' then opt_out_source
        when $5::boolean then 'robots'
        when $6::boolean then null
        else opt_out_source
    end
where name = $1 and lease_token = $2;

-- name: opt_out_place
insert into signal_places (name, opted_out_at, opt_out_source, opt_out_note)
values ($1, $2, 'operator', $3)
on conflict (name) do update
set opted_out_at = excluded.opted_out_at, opt_out_source = excluded.opt_out_source,
    opt_out_note = excluded.opt_out_note;

-- name: opt_in_place
-- What was left out is looked at now.
with left_out as (
    update signal_schedule set next_look_at = $2 where place = $1 and last_status = 'opt_out'
)
update signal_places
set opted_out_at = null, opt_out_source = null, opt_out_note = null,
    next_look_at = case when lease_token is null then least(next_look_at, $2) else next_look_at end
where name = $1 and opted_out_at is not null;

-- name: complete_schedule
-- Across tenants: what is watched and has no place in the schedule gets one, spread over a day. So it is with groups that
-- were switched on since, with vendors that came back, and with whatever a race has lost.
with missing as (
    select va.asset_id, g.look_group, min(va.place) as place,
        $1::timestamptz + interval '1 second' * (abs(hashtext(va.asset_id::text || g.look_group)::bigint) % 86400) as at
    from vendor_assets as va
    join vendors as v on v.tenant_id = va.tenant_id and v.id = va.vendor_id and v.lifecycle <> 'terminated'
    join unnest($2::text[], $3::text[]) as g (kind, look_group) on g.kind = va.kind
    where va.removed_at is null and va.asked_at is null and not exists (
        select from signal_schedule as s where s.asset_id = va.asset_id and s.look_group = g.look_group
    )
    group by va.asset_id, g.look_group
    order by va.asset_id, g.look_group
    limit $4
),
looks as (
    insert into signal_schedule (asset_id, look_group, place, next_look_at)
    select asset_id, look_group, place, at from missing
    on conflict do nothing
),
places as (
    update signal_places as p
    set next_look_at = least(p.next_look_at, m.at)
    from (select place, min(at) as at from missing group by place) as m
    where p.name = m.place and p.lease_token is null
)
select count(*)::integer from missing;

-- name: wake_what_sleeps_too_long
-- After a clock that ran ahead was put right, what it put off to its own future is due again. A lease ends within
-- minutes: one that ends later is nobody's.
with ahead as (
    select p.name from signal_places as p where p.next_look_at > $1::timestamptz + interval '45 days'
    union
    select s.place
    from unnest($2::text[]) as g (look_group)
    join signal_schedule as s
        on s.look_group = g.look_group and s.last_look_at > $1::timestamptz + interval '1 day'
),
looks as (
    update signal_places as p
    set next_look_at = $1
    from ahead
    where p.name = ahead.name and (p.lease_token is null or p.next_look_at > $1::timestamptz + interval '1 hour')
),
asked as (
    update vendor_assets set asked_at = $1 where asked_at > $1::timestamptz + interval '1 day'
),
vendors as (
    update vendor_signals set settle_at = $1 where settle_at > $1::timestamptz + interval '2 days'
),
feeds as (
    update signal_feeds
    set next_fetch_at = $1
    where next_fetch_at > $1::timestamptz + interval '8 days'
        or (checked_at > $1::timestamptz + interval '1 day' and next_fetch_at > $1)
)
update signal_pauses set paused_until = $1 where paused_until > $1::timestamptz + interval '2 days';

-- name: keep_partitions
select keep_signal_partitions($1, $2, $3);

-- name: rows_without_partition
select signal_rows_astray();

-- name: look_lag
select coalesce(extract(epoch from $1::timestamptz - min(next_look_at)), 0)::double precision
from signal_places
where next_look_at is not null;
