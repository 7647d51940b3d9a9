-- name: insert_tenant
insert into tenants (id, name, time_zone, created_at, updated_at)
values ($1, $2, $3, $4, $4)
returning id, name, time_zone, created_at, updated_at, version;

-- name: find_tenant
select id, name, time_zone, created_at, updated_at, version from tenants where id = $1;

-- name: lock_tenant
select id, name, time_zone, created_at, updated_at, version from tenants where id = $1 for update;

-- name: list_tenants
-- Across tenants: jobs and the command line go through every tenant.
select id, name, time_zone, created_at, updated_at, version from tenants order by id;

-- name: lock_tenant_names
-- Two commands that found a tenant at once wait for each other, so that the second one finds the first one's name.
select from pg_advisory_xact_lock(hashtext('vendorrisk: names of tenants'));

-- name: update_tenant
update tenants set name = $2, time_zone = $3, updated_at = $4, version = version + 1
where id = $1
returning id, name, time_zone, created_at, updated_at, version;

-- name: insert_member
insert into members (tenant_id, id, name, email, roles, slack_user_id, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7)
returning id, name, email, roles, slack_user_id, is_active, created_at, updated_at, version;

-- name: find_member
select id, name, email, roles, slack_user_id, is_active, created_at, updated_at, version
from members
where tenant_id = $1 and id = $2;

-- name: lock_member
select id, name, email, roles, slack_user_id, is_active, created_at, updated_at, version
from members
where tenant_id = $1 and id = $2
for update;

-- name: list_members
select id, name, email, roles, slack_user_id, is_active, created_at, updated_at, version
from members
where tenant_id = $1 /*where*/
/*order*/;

-- name: update_member
update members
set name = $3, email = $4, roles = $5, slack_user_id = $6, is_active = $7, updated_at = $8, version = version + 1
where tenant_id = $1 and id = $2
returning id, name, email, roles, slack_user_id, is_active, created_at, updated_at, version;

-- name: insert_api_key
insert into api_keys (
    tenant_id, id, public_id, name, secret_hash, roles, scopes, member_id, created_at, expires_at, rotated_from_id
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
returning id, public_id, name, roles, scopes, member_id, created_at, expires_at, revoked_at, last_used_at,
    rotated_from_id, version;

-- name: find_api_key
select id, public_id, name, roles, scopes, member_id, created_at, expires_at, revoked_at, last_used_at,
    rotated_from_id, version
from api_keys
where tenant_id = $1 and id = $2;

-- name: lock_api_key
select id, public_id, name, roles, scopes, member_id, created_at, expires_at, revoked_at, last_used_at,
    rotated_from_id, version
from api_keys
where tenant_id = $1 and id = $2
for update;

-- name: list_api_keys
select id, public_id, name, roles, scopes, member_id, created_at, expires_at, revoked_at, last_used_at,
    rotated_from_id, version
from api_keys
where tenant_id = $1 /*where*/
/*order*/;

-- name: end_api_key
update api_keys set expires_at = $3, revoked_at = $4, version = version + 1
where tenant_id = $1 and id = $2
returning id, public_id, name, roles, scopes, member_id, created_at, expires_at, revoked_at, last_used_at,
    rotated_from_id, version;

-- name: key_on_file
-- Across tenants: a caller's tenant is known only once its key is. A key of an inactive member is no key.
select k.id, k.tenant_id, t.time_zone, k.name, k.secret_hash, k.roles, k.scopes, k.member_id, k.expires_at,
    k.revoked_at, m.roles as member_roles
from api_keys as k
join tenants as t on t.id = k.tenant_id
left join members as m on m.tenant_id = k.tenant_id and m.id = k.member_id
where k.public_id = $1 and coalesce(m.is_active, true);

-- name: has_admin_key
-- A key with all permissions that goes on working: it has the role, without scopes, does not end before $3, and its
-- member is active and has the role too.
select exists (
    select from api_keys as k
    left join members as m on m.tenant_id = k.tenant_id and m.id = k.member_id
    where k.tenant_id = $1 and $2 = any(k.roles) and k.scopes is null and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > $3)
        and (m.id is null or (m.is_active and $2 = any(m.roles)))
) as found;

-- name: checksum_secret
-- The installation has one secret, which is no tenant's.
select secret from key_checksum;

-- name: announce_keys
-- API processes also cache the member's activity, the member's roles and the tenant's time zone with a key. Heard at the commit, as the
-- trigger on api_keys is, for one member or for the whole tenant.
select count(pg_notify('vendorrisk_api_keys', k.public_id)) as announced
from api_keys as k
where k.tenant_id = $1 and ($2::uuid is null or k.member_id = $2) and k.revoked_at is null;

-- name: holder_of_email
select id, name, null::text as value from members where tenant_id = $1 and email = $2;
