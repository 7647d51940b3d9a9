-- name: watch_deadlines
-- A changed date, or one that matters again, restarts its thresholds. The unique key of alerts keeps a threshold from
-- being notified twice. An unchanged one keeps its place.
insert into deadlines (
    tenant_id, id, alert_class, subject_kind, subject_id, vendor_id, title, due_on, next_alert_on
)
select $1, w.id, w.alert_class, w.subject_kind, w.subject_id, w.vendor_id, w.title, w.due_on,
    alert_next_threshold_on(w.due_on, '0001-01-01', alert_thresholds(p, v.tier), p.overdue_every_days)
from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::date[])
    as w (id, alert_class, subject_kind, subject_id, vendor_id, title, due_on)
join alert_policies p on p.tenant_id = $1 and p.alert_class = w.alert_class
join vendors v on v.tenant_id = $1 and v.id = w.vendor_id
on conflict on constraint deadlines_subject_is_watched_once do update
set vendor_id = excluded.vendor_id, title = excluded.title, due_on = excluded.due_on, is_watched = true,
    checked_on = case
        when deadlines.due_on = excluded.due_on and deadlines.is_watched then deadlines.checked_on
        else '0001-01-01'
    end,
    next_alert_on = case
        when deadlines.due_on = excluded.due_on and deadlines.is_watched then deadlines.next_alert_on
        else excluded.next_alert_on
    end,
    last_threshold_days = case when deadlines.due_on = excluded.due_on then deadlines.last_threshold_days end,
    version = deadlines.version + 1
where (deadlines.vendor_id, deadlines.title, deadlines.due_on, deadlines.is_watched)
    is distinct from (excluded.vendor_id, excluded.title, excluded.due_on, true);

-- name: unwatch_deadlines
update deadlines
set is_watched = false, next_alert_on = null, version = version + 1
where tenant_id = $1 and alert_class = $2 and subject_kind = $3 and subject_id = any($4::uuid[]) and is_watched;

-- name: raise_due_alerts
-- By the tenant's own calendar day. One index range (deadlines_by_next_alert), so the cost follows the due rows and not
-- the stored ones. A second worker skips the rows this one holds. Expiry dates of a vendor that is being offboarded are
-- checked without an alert. Its findings still raise alerts. With $5, only that deadline is checked.
with due as (
    select d.tenant_id, d.id, d.alert_class, d.subject_kind, d.subject_id, d.vendor_id, d.title, d.due_on,
        local_day($2, $4) as today
    from deadlines as d
    where d.tenant_id = $1 and d.next_alert_on <= local_day($2, $4) and ($5::uuid is null or d.id = $5)
        and ($5::uuid is not null or not exists (
            select from failed_rows as f
            where f.tenant_id = $1 and f.queue = 'raise_due_alerts' and f.row_id = d.id and f.retry_at > $2
        ))
    order by d.next_alert_on
    limit $3
    for update of d skip locked
),
considered as (
    select due.*, v.tier,
        case when due.alert_class = 'finding_due' or v.lifecycle not in ('offboarding', 'terminated')
            then alert_latest_threshold(due.due_on, due.today, alert_thresholds(p, v.tier), p.overdue_every_days)
        end as threshold_days,
        alert_next_threshold_on(due.due_on, due.today, alert_thresholds(p, v.tier), p.overdue_every_days) as next_alert_on
    from due
    join alert_policies p on p.tenant_id = due.tenant_id and p.alert_class = due.alert_class
    join vendors v on v.tenant_id = due.tenant_id and v.id = due.vendor_id
),
advanced as (
    update deadlines d
    set checked_on = l.today, next_alert_on = l.next_alert_on,
        last_threshold_days = coalesce(l.threshold_days, d.last_threshold_days)
    from considered l
    where d.tenant_id = l.tenant_id and d.id = l.id
    returning d.id
),
raised as (
    insert into alerts (
        tenant_id, id, alert_class, deadline_id, vendor_id, subject_kind, subject_id, title, tier, due_on,
        threshold_days, days_left, raised_at
    )
    select tenant_id, new_id_at($2), alert_class, id, vendor_id, subject_kind, subject_id, title, tier, due_on,
        threshold_days, due_on - today, $2
    from considered
    where threshold_days is not null
    on conflict on constraint alerts_are_raised_once_per_threshold do nothing
    returning id
)
select (select count(*) from advanced) as checked, (select count(*) from raised) as raised;

-- name: raise_event
insert into alerts (
    tenant_id, id, alert_class, dedupe_key, vendor_id, subject_kind, subject_id, title, tier, facts, raised_at
)
values (
    $1, $2, $3, $4, $5, $6, $7, $8, (select v.tier from vendors v where v.tenant_id = $1 and v.id = $5), $9, $10
)
on conflict on constraint alerts_are_raised_once_per_key do nothing
returning id;

-- name: deadlines_to_check
select id from deadlines as d
where tenant_id = $1 and next_alert_on <= local_day($2, $4) and not exists (
    select from failed_rows as f
    where f.tenant_id = $1 and f.queue = 'raise_due_alerts' and f.row_id = d.id and f.retry_at > $2
)
order by next_alert_on
limit $3;

-- name: dispatch_alerts
-- The oldest alerts without deliveries. The receivers are locked (for share) until the commit, so that the removal of a
-- receiver meanwhile still cancels these deliveries. With $5, only that alert is dispatched.
with taken as (
    select a.tenant_id, a.id, a.alert_class, a.vendor_id
    from alerts as a
    where a.tenant_id = $1 and a.dispatched_at is null and ($5::uuid is null or a.id = $5)
        and ($5::uuid is not null or not exists (
            select from failed_rows as f
            where f.tenant_id = $1 and f.queue = 'dispatch_alerts' and f.row_id = a.id and f.retry_at > $2
        ))
    order by a.raised_at
    limit $3
    for update of a skip locked
),
held as (
    select r.tenant_id, r.id
    from receivers r
    where r.tenant_id = $1 and exists (select from taken) and r.removed_at is null and r.is_active
    for share of r
),
made as (
    insert into deliveries (
        tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, recipient, attempts_allowed,
        next_attempt_at, created_at, updated_at
    )
    select t.tenant_id, new_id_at($2), 'alert', t.id, 'receiver', to_whom.receiver_id, to_whom.recipient, $4,
        $2, $2, $2
    from taken t
    cross join lateral alert_recipients(t.tenant_id, t.alert_class, t.vendor_id) as to_whom
    join held h on h.tenant_id = t.tenant_id and h.id = to_whom.receiver_id
    on conflict on constraint deliveries_are_made_once do nothing
    returning tenant_id, owner_id
),
done as (
    update alerts a
    set dispatched_at = $2
    from taken t
    where a.tenant_id = t.tenant_id and a.id = t.id
    returning a.id
)
select (select count(*) from done) as dispatched, (select count(*) from made) as made,
    (
        select count(*) from taken t
        where not exists (select from made m where m.tenant_id = t.tenant_id and m.owner_id = t.id)
    ) as without_recipients;

-- name: alerts_to_dispatch
select id from alerts as a
where tenant_id = $1 and dispatched_at is null and not exists (
    select from failed_rows as f
    where f.tenant_id = $1 and f.queue = 'dispatch_alerts' and f.row_id = a.id and f.retry_at > $2
)
order by raised_at
limit $3;

-- name: load_messages
-- Across tenants: the data of deliveries' messages, if the receiver is still switched on. The others are
-- outbox cancels them.
select m.delivery_id, m.recipient, r.id as receiver_id, r.tenant_id, r.kind, r.name as receiver_name,
    r.address_sealed,
    a.id as alert_id, a.alert_class, a.subject_kind, a.subject_id, a.title, a.tier, a.due_on, a.threshold_days,
    a.days_left, a.facts, a.raised_at, a.vendor_id, v.name as vendor_name,
    business.name as business_owner, security.name as security_owner
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[])
    as m (tenant_id, delivery_id, alert_id, receiver_id, recipient)
join receivers r
    on r.tenant_id = m.tenant_id and r.id = m.receiver_id and r.is_active
        and (r.kind <> 'email' or r.confirmed_at is not null)
join alerts a on a.tenant_id = m.tenant_id and a.id = m.alert_id
left join vendors v on v.tenant_id = a.tenant_id and v.id = a.vendor_id
left join members business on business.tenant_id = v.tenant_id and business.id = v.business_owner_id
left join members security on security.tenant_id = v.tenant_id and security.id = v.security_owner_id;

-- name: list_alerts
-- has_recipients is null until receivers were looked for. The inner query is flattened, so indexes hold. The limit
-- keeps the planner from hashing every delivery for the sake of one page.
select id, alert_class, deadline_id, dedupe_key, vendor_id, subject_kind, subject_id, title, tier, due_on,
    threshold_days, days_left, facts, raised_at, dispatched_at, has_recipients,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = listed.vendor_id) as vendor_name
from (
    select a.id, a.alert_class, a.deadline_id, a.dedupe_key, a.vendor_id, a.subject_kind, a.subject_id, a.title,
        a.tier, a.due_on, a.threshold_days, a.days_left, a.facts, a.raised_at, a.dispatched_at,
        case
            when a.dispatched_at is not null
                then (
                    select true from deliveries d
                    where d.tenant_id = a.tenant_id and d.owner_kind = 'alert' and d.owner_id = a.id
                    limit 1
                ) is not null
        end as has_recipients
    from alerts a
    where a.tenant_id = $1
) as listed
where true /*where*/
/*order*/;

-- name: find_alert
select id, alert_class, deadline_id, dedupe_key, vendor_id, subject_kind, subject_id, title, tier, due_on,
    threshold_days, days_left, facts, raised_at, dispatched_at,
    case
        when dispatched_at is not null
            then exists (
                select from deliveries d where d.tenant_id = $1 and d.owner_kind = 'alert' and d.owner_id = $2
            )
    end as has_recipients,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = alerts.vendor_id) as vendor_name
from alerts
where tenant_id = $1 and id = $2;

-- name: list_upcoming
-- The same rows, thresholds and routing as the sweep, without writing. A date that is due already is notified once,
-- today.
select upcoming.id, upcoming.alert_on, upcoming.alert_class, upcoming.title, upcoming.vendor_id, upcoming.vendor_name,
    upcoming.tier, upcoming.subject_kind, upcoming.subject_id, upcoming.due_on, upcoming.threshold_days,
    upcoming.days_left,
    coalesce(
        (
            select jsonb_agg(
                jsonb_build_object(
                    'receiver_id', r.receiver_id, 'name', r.name, 'kind', r.kind, 'destination', r.destination
                )
                order by r.name, r.destination
            )
            from alert_recipients($1, upcoming.alert_class, upcoming.vendor_id) as r
        ),
        '[]'
    ) as recipients
from (
    select d.id::text || ':' || s.threshold_days as id, s.alert_on, d.alert_class, d.title, d.vendor_id,
        v.name as vendor_name, v.tier, d.subject_kind, d.subject_id, d.due_on, s.threshold_days,
        d.due_on - s.alert_on as days_left
    from deadlines d
    join vendors v on v.tenant_id = d.tenant_id and v.id = d.vendor_id
    join alert_policies p on p.tenant_id = d.tenant_id and p.alert_class = d.alert_class
    cross join lateral (select alert_thresholds(p, v.tier) as thresholds) as tiered
    cross join lateral (
        select $2::date as alert_on,
            alert_latest_threshold(d.due_on, $2::date, tiered.thresholds, p.overdue_every_days) as threshold_days
        where d.next_alert_on <= $2::date
        union all
        select d.due_on - threshold, threshold
        from unnest(tiered.thresholds) as threshold
        where d.due_on - threshold > $2::date and d.due_on - threshold <= $3::date
        union all
        select d.due_on + weeks * p.overdue_every_days, -weeks * p.overdue_every_days
        from generate_series(
            greatest(1, ($2::date - d.due_on) / p.overdue_every_days + 1),
            ($3::date - d.due_on) / p.overdue_every_days
        ) as weeks
    ) as s
    where d.tenant_id = $1 and d.next_alert_on <= $3::date and s.threshold_days is not null
        and (d.alert_class = 'finding_due' or v.lifecycle not in ('offboarding', 'terminated'))
        and not exists (
            select from alerts a
            where a.tenant_id = d.tenant_id and a.deadline_id = d.id and a.due_on = d.due_on
                and a.threshold_days = s.threshold_days
        )
) as upcoming
where true /*where*/
/*order*/;

-- name: insert_receiver
insert into receivers (
    tenant_id, id, name, kind, address_sealed, destination, classes, tiers, owner_ids, created_at, updated_at
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
returning id, name, kind, destination, classes, tiers, owner_ids, is_active, confirmed_at, created_at, updated_at,
    version;

-- name: find_receiver
select id, name, kind, destination, classes, tiers, owner_ids, is_active, confirmed_at, created_at, updated_at,
    version
from receivers
where tenant_id = $1 and id = $2 and removed_at is null;

-- name: lock_receiver
select id, name, kind, destination, classes, tiers, owner_ids, is_active, confirmed_at, created_at, updated_at,
    version
from receivers
where tenant_id = $1 and id = $2 and removed_at is null
for update;

-- name: list_receivers
select id, name, kind, destination, classes, tiers, owner_ids, is_active, confirmed_at, created_at, updated_at,
    version
from receivers
where tenant_id = $1 and removed_at is null /*where*/
/*order*/;

-- name: find_sealed_address
select coalesce(address_sealed, ''::bytea) as address_sealed from receivers where tenant_id = $1 and id = $2;

-- name: update_receiver
-- The sealed address is replaced only where a new one was sent.
update receivers
set name = $3, kind = $4, address_sealed = case when $5::boolean then $6::bytea else address_sealed end,
    destination = $7, classes = $8, tiers = $9, owner_ids = $10, is_active = $11, updated_at = $12,
    confirmed_at = case when not $5::boolean then confirmed_at end, version = version + 1
where tenant_id = $1 and id = $2
returning id, name, kind, destination, classes, tiers, owner_ids, is_active, confirmed_at, created_at, updated_at,
    version;

-- name: lock_tenant_of_receivers
select id from tenants where id = $1 for no key update;

-- name: count_receivers
select count(*) from receivers where tenant_id = $1 and removed_at is null;

-- name: count_unasked_messages
-- Tests and confirmations since an instant.
select (
    select count(*) from alerts where tenant_id = $1 and alert_class = 'receiver_test' and raised_at > $2
) + (
    select count(*) from receiver_confirmations where tenant_id = $1 and created_at > $2
);

-- name: end_confirmations
update receiver_confirmations set ended_at = $3 where tenant_id = $1 and receiver_id = $2 and ended_at is null;

-- name: insert_confirmation
insert into receiver_confirmations (tenant_id, id, receiver_id, token_hash, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6);

-- name: lock_confirmation
select id from receiver_confirmations where tenant_id = $1 and id = $2 for update;

-- name: find_confirmation
select c.id, c.receiver_id, c.token_hash, t.name as tenant_name, t.time_zone, r.destination as address,
    c.ended_at is null and c.expires_at > $3 and r.removed_at is null and r.kind = 'email' as is_open
from receiver_confirmations as c
join tenants as t on t.id = c.tenant_id
join receivers as r on r.tenant_id = c.tenant_id and r.id = c.receiver_id
where c.tenant_id = $1 and c.id = $2;

-- name: confirm_receiver
with used as (
    update receiver_confirmations set ended_at = $4, used_at = $4 where tenant_id = $1 and id = $2
)
update receivers set confirmed_at = $4, updated_at = $4, version = version + 1
where tenant_id = $1 and id = $3
returning id, name, kind, destination, classes, tiers, owner_ids, is_active, confirmed_at, created_at, updated_at,
    version;

-- name: load_confirmations
-- Across tenants: the data of mails that ask for a confirmation, while their links can be used.
select m.tenant_id, m.delivery_id, c.id, c.receiver_id, c.token_hash, r.address_sealed, t.name as tenant_name,
    c.created_at
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as m (tenant_id, delivery_id, confirmation_id)
join receiver_confirmations as c on c.tenant_id = m.tenant_id and c.id = m.confirmation_id and c.ended_at is null
join receivers as r
    on r.tenant_id = c.tenant_id and r.id = c.receiver_id and r.removed_at is null and r.kind = 'email'
join tenants as t on t.id = m.tenant_id;

-- name: remove_receiver
update receivers
set removed_at = $3, is_active = false, address_sealed = case when kind = 'owners' then null else ''::bytea end,
    updated_at = $3, version = version + 1
where tenant_id = $1 and id = $2;

-- name: count_members
select count(*) from members where tenant_id = $1 and id = any($2::uuid[]);

-- name: insert_test_alert
insert into alerts (
    tenant_id, id, alert_class, dedupe_key, subject_kind, subject_id, title, raised_at, dispatched_at
)
values ($1, $2, 'receiver_test', $3, 'receiver', $4, $5, $6, $6);

-- name: list_policies
select alert_class, critical, high, medium, low, overdue_every_days, updated_at, version
from alert_policies
where tenant_id = $1 /*where*/
/*order*/;

-- name: find_policy
select alert_class, critical, high, medium, low, overdue_every_days, updated_at, version
from alert_policies
where tenant_id = $1 and alert_class = $2;

-- name: lock_policy
select alert_class, critical, high, medium, low, overdue_every_days, updated_at, version
from alert_policies
where tenant_id = $1 and alert_class = $2
for update;

-- name: update_policy
update alert_policies
set critical = $3, high = $4, medium = $5, low = $6, overdue_every_days = $7, updated_at = $8, version = version + 1
where tenant_id = $1 and alert_class = $2
returning alert_class, critical, high, medium, low, overdue_every_days, updated_at, version;

-- name: reschedule_deadlines
-- Other thresholds: each watched deadline's next threshold is the first one after the day it was last checked.
update deadlines d
set next_alert_on = alert_next_threshold_on(d.due_on, d.checked_on, alert_thresholds(p, v.tier), p.overdue_every_days),
    version = d.version + 1
from alert_policies p, vendors v
where d.tenant_id = $1 and d.alert_class = $2 and d.is_watched
    and p.tenant_id = $1 and p.alert_class = $2
    and v.tenant_id = $1 and v.id = d.vendor_id;

-- name: receivers_sealed_by_others
-- Across tenants: the key belongs to the installation. Sealed bytes carry the id of their key in bytes 5 to 12.
select tenant_id, id, address_sealed
from receivers
where address_sealed is not null and substring(address_sealed from 5 for 8) <> $1
    and (tenant_id, id) > ($2, $3)
order by tenant_id, id
limit $4;

-- name: reseal_receiver
-- Across tenants, by its whole key. The address stays the same, and so does its version. If the receiver was changed
-- since it was read, that change has sealed the address again.
update receivers set address_sealed = $4 where tenant_id = $1 and id = $2 and address_sealed = $3;

-- name: receiver_of_name
select id, name, null::text as value from receivers
where tenant_id = $1 and lower(name) = lower($2) and removed_at is null;
