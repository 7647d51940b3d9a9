-- name: list_vendor_standings
-- One row a vendor, read outwards from the page: the lateral parts are index ranges of that vendor alone. Several
-- services count as their weakest. The score of 30 days ago counts only if the same methodology made it.
select v.id, v.reference, v.name, v.domains[1] as domain, v.lifecycle, v.tier, v.inherent_score,
    coverage.state as coverage_state, coverage.effective_until_on as coverage_until_on,
    coverage.is_qualified as coverage_is_qualified, coalesce(coverage.services, 0)::integer as covered_services,
    s.snapshot_id as score_id, s.grade, s.score, s.number, s.low, s.high, s.number - past.number as change_in_30_days,
    s.scored_at,
    case
        when s.snapshot_id is null and not exists (
            select from vendor_assets as a
            where a.tenant_id = $1 and a.vendor_id = v.id and a.removed_at is null
        ) then 'nothing_attached'
        when s.snapshot_id is null then 'not_scored_yet'
        when s.score is null then 'too_little_known'
    end as not_rated_reason,
    open.findings as open_findings, open.critical as open_critical, open.high as open_high, open.medium as open_medium,
    open.low as open_low, open.overdue as overdue_findings,
    coming.due_on as next_due_on, coming.alert_class as next_due_class, coming.title as next_due_title,
    v.business_owner_id, business.name as business_owner_name, v.security_owner_id,
    security.name as security_owner_name, v.last_reviewed_on, v.next_review_on, v.created_at, v.updated_at, v.version
from vendors as v
left join members as business on business.tenant_id = v.tenant_id and business.id = v.business_owner_id
left join members as security on security.tenant_id = v.tenant_id and security.id = v.security_owner_id
left join vendor_signals as s on s.tenant_id = v.tenant_id and s.vendor_id = v.id
left join lateral (
    select c.state, c.effective_until_on, c.is_qualified, count(*) over () as services
    from soc2_coverage as c
    where c.tenant_id = $1 and c.vendor_id = v.id
    order by array_position(
        array['none', 'not_relied_on', 'lapsed', 'partial', 'in_reliance', 'bridged', 'covered'], c.state
    ), c.effective_until_on, c.id
    limit 1
) as coverage on true
left join lateral (
    select count(*)::integer as findings,
        (count(*) filter (where f.severity = 'critical'))::integer as critical,
        (count(*) filter (where f.severity = 'high'))::integer as high,
        (count(*) filter (where f.severity = 'medium'))::integer as medium,
        (count(*) filter (where f.severity = 'low'))::integer as low,
        (count(*) filter (where f.due_on < $2))::integer as overdue
    from findings as f
    where f.tenant_id = $1 and f.vendor_id = v.id and f.state in ('open', 'acknowledged')
) as open on true
left join lateral (
    select d.due_on, d.alert_class, d.title
    from deadlines as d
    where d.tenant_id = $1 and d.vendor_id = v.id and d.is_watched
    order by d.due_on, d.id
    limit 1
) as coming on true
left join lateral (
    select p.number
    from score_snapshots as p
    where p.tenant_id = $1 and p.vendor_id = v.id and p.model_version = s.model_version
        and p.scored_at <= $3::timestamptz - interval '30 days'
        and p.scored_at > $3::timestamptz - interval '120 days'
    order by p.scored_at desc, p.id desc
    limit 1
) as past on true
where v.tenant_id = $1 /*where*/
/*order*/;

-- name: count_vendor_views
-- The counts of each view of the list of vendors, in one pass over the tenant's vendors.
select count(*) as all_vendors,
    count(*) filter (where v.lifecycle in ('active', 'suspended')) as in_use,
    count(*) filter (where v.tier = 'critical') as critical,
    count(*) filter (where v.tier is null) as without_tier,
    count(*) filter (where v.business_owner_id is null) as without_owner,
    count(*) filter (where v.next_review_on < $2) as review_overdue,
    count(*) filter (where coverage.state in ('lapsed', 'not_relied_on', 'none')) as coverage_lost,
    count(*) filter (where coalesce(open.findings, 0) > 0) as with_findings,
    count(*) filter (where coalesce(open.overdue, 0) > 0) as findings_overdue,
    count(*) filter (where s.grade in ('D', 'F')) as graded_low,
    count(*) filter (where s.score is null) as not_rated
from vendors as v
left join vendor_signals as s on s.tenant_id = v.tenant_id and s.vendor_id = v.id
left join (
    select distinct on (c.vendor_id) c.vendor_id, c.state
    from soc2_coverage as c
    where c.tenant_id = $1
    order by c.vendor_id, array_position(
        array['none', 'not_relied_on', 'lapsed', 'partial', 'in_reliance', 'bridged', 'covered'], c.state
    )
) as coverage on coverage.vendor_id = v.id
left join (
    select f.vendor_id, count(*) as findings, count(*) filter (where f.due_on < $2) as overdue
    from findings as f
    where f.tenant_id = $1 and f.state in ('open', 'acknowledged')
    group by f.vendor_id
) as open on open.vendor_id = v.id
where v.tenant_id = $1;

-- name: gravest_findings
-- The active findings of a vendor that come first: by weight, then by their day.
select id, vendor_id, source_kind, source_id, title, description, severity, state, state_reason, state_changed_at,
    owner_id, opened_on, due_on, until_on, times_reopened, created_at, updated_at, version,
    (select v.name from vendors as v where v.tenant_id = $1 and v.id = findings.vendor_id) as vendor_name
from findings
where tenant_id = $1 and vendor_id = $2 and state in ('open', 'acknowledged')
order by level_weight(severity) desc, due_on, id
limit $3;

-- name: coming_dates
select alert_class, subject_kind, subject_id, title, due_on
from deadlines
where tenant_id = $1 and vendor_id = $2 and is_watched
order by due_on, id
limit $3;

-- name: current_documents_in_brief
-- Reports that still count, newest first, with the number of proposals that wait for a person.
select d.id, d.service_id, d.kind, d.title, d.classification, d.expires_on, d.assurance, d.reading, d.file_name,
    (
        select count(*)::integer from proposals as p
        where p.tenant_id = $1 and p.document_id = d.id and p.decision = 'open'
    ) as to_confirm,
    d.created_at, d.updated_at, d.version
from documents as d
where d.tenant_id = $1 and d.vendor_id = $2 and d.superseded_at is null and d.withdrawn_at is null
order by d.created_at desc, d.id desc
limit $3;

-- name: first_fourth_parties
-- Both the recorded ones and those that the vendor's own list shows and nobody has decided on.
(
    select 'recorded' as state, f.id, f.name, f.purpose, f.provider_id, null::text as change, f.created_at as seen_at
    from fourth_parties as f
    where f.tenant_id = $1 and f.vendor_id = $2
    order by f.name, f.id
    limit $3
)
union all
(
    select 'proposed', c.id, c.name, c.details, null, c.change, c.observed_at
    from subprocessor_changes as c
    where c.tenant_id = $1 and c.vendor_id = $2 and c.state = 'proposed'
    order by c.observed_at, c.id
    limit $3
);

-- name: waiting_decisions
-- Work that waits for a person, by kind, with the first ten of each. `owner_id` is the responsible member. If it is
-- null, any permitted member may act. Findings are read from their deadlines, which are tracked only while a finding is
-- active.
with waiting as (
    select 'finding_due' as kind, d.subject_id, d.vendor_id, d.title, d.due_on,
        coalesce(f.owner_id, v.security_owner_id, v.business_owner_id) as owner_id, v.tier, v.name as vendor_name
    from deadlines as d
    join vendors as v on v.tenant_id = d.tenant_id and v.id = d.vendor_id
    join findings as f on f.tenant_id = d.tenant_id and f.id = d.subject_id
    where d.tenant_id = $1 and d.is_watched and d.alert_class = 'finding_due' and d.due_on < $2
    union all
    select 'acceptance_ending', f.id, f.vendor_id, f.title, f.until_on,
        coalesce(f.owner_id, v.security_owner_id, v.business_owner_id), v.tier, v.name
    from findings as f
    join vendors as v on v.tenant_id = f.tenant_id and v.id = f.vendor_id
    where f.tenant_id = $1 and f.until_on <= $2::date + 14 and f.state = 'accepted'
    union all
    select 'review_due', v.id, v.id, v.name, v.next_review_on, coalesce(v.business_owner_id, v.security_owner_id),
        v.tier, v.name
    from vendors as v
    where v.tenant_id = $1 and v.next_review_on <= $2 and v.lifecycle in ('active', 'suspended')
    union all
    select 'proposals_to_confirm', d.id, d.vendor_id, d.title, (d.created_at at time zone $4)::date,
        coalesce(v.security_owner_id, v.business_owner_id), v.tier, v.name
    from (
        select distinct p.document_id from proposals as p where p.tenant_id = $1 and p.decision = 'open'
    ) as unread
    join documents as d on d.tenant_id = $1 and d.id = unread.document_id
    join vendors as v on v.tenant_id = d.tenant_id and v.id = d.vendor_id
    where d.superseded_at is null and d.withdrawn_at is null
    union all
    select 'subprocessor_change', c.id, c.vendor_id, c.name, (c.observed_at at time zone $4)::date,
        coalesce(v.security_owner_id, v.business_owner_id), v.tier, v.name
    from subprocessor_changes as c
    join vendors as v on v.tenant_id = c.tenant_id and v.id = c.vendor_id
    where c.tenant_id = $1 and c.state = 'proposed'
    union all
    select 'intake_request', r.id, r.vendor_id, r.name, (r.created_at at time zone $4)::date, null, v.tier, v.name
    from intake_requests as r
    left join vendors as v on v.tenant_id = r.tenant_id and v.id = r.vendor_id
    where r.tenant_id = $1 and r.state = 'open'
),
numbered as (
    select *, row_number() over (partition by kind order by due_on, level_weight(tier) desc, subject_id) as place
    from waiting
    where $3::uuid is null or owner_id is null or owner_id = $3
)
select kind, count(*)::integer as waiting, (count(*) filter (where tier = 'critical'))::integer as at_critical_vendors,
    jsonb_agg(
        jsonb_build_object(
            'kind', kind, 'subject_id', subject_id, 'vendor_id', vendor_id, 'vendor_name', vendor_name, 'tier', tier,
            'title', title, 'due_on', due_on, 'owner_id', owner_id
        ) order by place
    ) filter (where place <= 10) as items
from numbered
group by kind
order by kind;

-- name: changes_since
-- Improvements and deteriorations since an instant, each kind from the index of its time. A score is compared with the
-- last one before the instant, for at most 2,000 scored vendors.
with scored as (
    select s.vendor_id, s.snapshot_id, s.score, s.grade, s.number, s.scored_at, s.model_version
    from vendor_signals as s
    where s.tenant_id = $1 and s.scored_at >= $2
    order by s.scored_at desc, s.vendor_id desc
    limit 2000
),
changed as (
    select case
            when s.score is null then 'score_unknown'
            when s.number < before.number then 'signal_score_fell'
            else 'score_rose'
        end as kind,
        s.vendor_id, s.snapshot_id as subject_id, before.grade || ' ' || before.number as before,
        s.grade || ' ' || s.number as after, s.scored_at as at, abs(s.number - before.number) as weight
    from scored as s
    cross join lateral (
        select p.number, p.grade, p.score
        from score_snapshots as p
        where p.tenant_id = $1 and p.vendor_id = s.vendor_id and p.scored_at < $2
            and p.scored_at > $2::timestamptz - interval '120 days'
        order by p.scored_at desc, p.id desc
        limit 1
    ) as before
    where s.number <> before.number or (s.score is null and before.score is not null)
    union all
    (
        select 'finding_opened', f.vendor_id, f.id, null, f.title, f.created_at, level_weight(f.severity) * 10
        from findings as f
        where f.tenant_id = $1 and f.created_at >= $2 and f.state in ('open', 'acknowledged')
        order by f.created_at desc, f.id desc
        limit 2000
    )
    union all
    select 'coverage_lapsed', c.vendor_id, c.id, null, c.reason,
        (c.effective_until_on + 1)::timestamp at time zone $4, 100
    from soc2_coverage as c
    where c.tenant_id = $1 and c.effective_until_on >= ($2::timestamptz at time zone $4)::date - 1
        and c.effective_until_on < $3 and c.state in ('lapsed', 'not_relied_on', 'none')
)
select c.kind, c.vendor_id, v.name as vendor_name, v.tier, c.subject_id, c.before, c.after, c.at,
    (count(*) over (partition by c.kind))::integer as of_kind
from changed as c
join vendors as v on v.tenant_id = $1 and v.id = c.vendor_id
order by array_position(
    array['coverage_lapsed', 'signal_score_fell', 'finding_opened', 'score_unknown', 'score_rose'], c.kind
), c.weight desc, level_weight(v.tier) desc, c.at desc, c.subject_id
limit $5;

-- name: due_by_week
-- Week 0 begins today, and -1 is overdue. All columns except the tier are read from the index alone.
select d.alert_class, greatest(floor((d.due_on - $2::date) / 7.0), -1)::integer as week, count(*)::integer as dates,
    (count(*) filter (where v.tier = 'critical'))::integer as at_critical_vendors
from deadlines as d
join vendors as v on v.tenant_id = d.tenant_id and v.id = d.vendor_id
where d.tenant_id = $1 and d.is_watched and d.due_on < $2::date + 91
    and (d.alert_class = 'finding_due' or v.lifecycle not in ('offboarding', 'terminated'))
group by d.alert_class, week
order by d.alert_class, week;

-- name: coverage_by_tier
-- Vendors in use by their tier and the state of their weakest service. Null: no service has evidence.
select v.tier, coverage.state, count(*)::integer as vendors,
    (count(*) filter (where coverage.is_qualified))::integer as qualified
from vendors as v
left join (
    select distinct on (c.vendor_id) c.vendor_id, c.state, c.is_qualified
    from soc2_coverage as c
    where c.tenant_id = $1
    order by c.vendor_id, array_position(
        array['none', 'not_relied_on', 'lapsed', 'partial', 'in_reliance', 'bridged', 'covered'], c.state
    ), c.effective_until_on, c.id
) as coverage on coverage.vendor_id = v.id
where v.tenant_id = $1 and v.lifecycle in ('active', 'suspended')
group by v.tier, coverage.state
order by level_weight(v.tier) desc, coverage.state;

-- name: findings_by_severity
select severity, count(*)::integer as open, (count(*) filter (where due_on < $2))::integer as overdue
from findings
where tenant_id = $1 and state in ('open', 'acknowledged')
group by severity
order by level_weight(severity) desc;

-- name: scores_in_sum
-- The median and quartiles of scored vendors, and the number of vendors with each grade.
with rated as (
    select grade, score from vendor_signals where tenant_id = $1 and snapshot_id is not null
)
select (percentile_disc(0.5) within group (order by score)) as median,
    (percentile_disc(0.25) within group (order by score)) as lower_quartile,
    (percentile_disc(0.75) within group (order by score)) as upper_quartile,
    count(score)::integer as rated, (count(*) - count(score))::integer as not_rated,
    coalesce(
        (select jsonb_object_agg(g.grade, g.vendors) from (
            select grade, count(*) as vendors from rated group by grade
        ) as g),
        '{}'
    ) as grades
from rated;

-- name: look_at_messages
-- Whether anything would be silent: alerts and their deliveries of the last seven days, receivers, sweep and scans.
select exists (select from vendors as v where v.tenant_id = $1) as has_vendors,
    exists (select from documents as d where d.tenant_id = $1) as has_documents,
    (select count(*)::integer from receivers as r where r.tenant_id = $1 and r.removed_at is null and r.is_active)
        as receivers,
    (
        select count(*)::integer from receivers as r
        where r.tenant_id = $1 and r.removed_at is null and r.is_active and not exists (
            select from deliveries as d
            where d.tenant_id = $1 and d.receiver_id = r.id and d.state = 'sent'
                and d.created_at >= $2::timestamptz - interval '30 days'
        )
    ) as receivers_not_reached_in_30_days,
    alerts.raised as alerts, alerts.without_recipients as alerts_without_recipients,
    alerts.waiting as alerts_waiting, sent.sent as messages_sent, sent.dead as messages_dead,
    (
        select min(d.created_at) from deliveries as d
        where d.tenant_id = $1 and d.state in ('pending', 'sending')
            and d.created_at >= $2::timestamptz - interval '30 days'
    ) as oldest_waiting_message_at,
    (
        select count(*)::integer from deadlines as d
        where d.tenant_id = $1 and d.next_alert_on <= $3
    ) as dates_not_swept,
    scans.kinds as scans_scheduled, scans.late as scans_late
from (
    select count(*)::integer as raised,
        (count(*) filter (where a.dispatched_at is null))::integer as waiting,
        (count(*) filter (
            where a.dispatched_at is not null
                and not exists (select from deliveries as d where d.tenant_id = $1 and d.alert_id = a.id)
        ))::integer as without_recipients
    from alerts as a
    where a.tenant_id = $1 and a.raised_at >= $2::timestamptz - interval '7 days'
) as alerts
cross join (
    select (count(*) filter (where d.state = 'sent'))::integer as sent,
        (count(*) filter (where d.state = 'dead'))::integer as dead
    from deliveries as d
    where d.tenant_id = $1 and d.created_at >= $2::timestamptz - interval '7 days'
) as sent
cross join (
    select count(*)::integer as kinds,
        (count(*) filter (where s.next_scan_at < $2::timestamptz - interval '1 day'))::integer as late
    from vendor_assets as a
    join signal_schedule as s on s.asset_id = a.asset_id
    where a.tenant_id = $1 and a.removed_at is null
) as scans;
