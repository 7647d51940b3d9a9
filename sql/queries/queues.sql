-- name: due_tenants
-- Across tenants, in the order of their turns.
select t.id, t.time_zone
from due_tenants as d
join tenants as t on t.id = d.tenant_id
where d.queue = $1
order by d.turn, d.due_at, t.id;

-- name: tenant_served
-- Behind the last one. Two workers may give the same turn to two tenants, which costs neither of them anything.
update due_tenants
set turn = 1 + (select max(turn) from due_tenants where queue = $2)
where tenant_id = $1 and queue = $2;

-- name: tenant_leaves
delete from due_tenants where tenant_id = $1 and queue = $2;

-- name: begin_try
-- Counts the try before it begins. If its worker dies, the row waits until $5, and the try stays counted.
insert into failed_rows (tenant_id, queue, row_id, tries, retry_at, reason, failed_at)
values ($1, $2, $3, 1, $5, 'its worker died', $4)
on conflict (tenant_id, queue, row_id) do update
set tries = failed_rows.tries + 1, retry_at = excluded.retry_at, reason = excluded.reason, failed_at = excluded.failed_at
returning tries;

-- name: try_failed
update failed_rows set retry_at = $4, reason = $5 where tenant_id = $1 and queue = $2 and row_id = $3;

-- name: try_ended
delete from failed_rows where tenant_id = $1 and queue = $2 and row_id = $3;
