-- name: find_demo_tenant
-- Across tenants: a second run must find the first one's tenant.
select id from tenants where name = $1 order by id limit 1;

-- name: count_for_summary
select 'tier' as heading, coalesce(tier, 'not tiered yet') as value, count(*) as count
from vendors where tenant_id = $1 group by tier
union all
select 'lifecycle', lifecycle, count(*) from vendors where tenant_id = $1 group by lifecycle
union all
select 'SOC 2 coverage', state, count(*) from soc2_coverage where tenant_id = $1 group by state
union all
select 'active findings', severity, count(*)
from findings where tenant_id = $1 and state in ('open', 'acknowledged') group by severity
order by heading, count desc, value;

-- name: gravest_deliveries
-- The messages that a person reads first: those of the most critical vendors, the longest overdue first.
select d.id
from alerts as a
inner join deliveries as d on d.tenant_id = a.tenant_id and d.owner_kind = 'alert' and d.owner_id = a.id
where a.tenant_id = $1
order by level_weight(a.tier) desc, a.due_on, a.id
limit $2;
