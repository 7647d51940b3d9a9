-- name: export_snapshot
select pg_export_snapshot() as snapshot;

-- name: list_tables
-- Across tenants: a backup holds the whole database. A partitioned table has no rows of its own.
select c.relname::text as name, c.relkind = 'p' as is_partitioned,
    (select i.inhparent::regclass::text from pg_inherits as i where i.inhrelid = c.oid) as parent
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
order by c.relname;

-- name: count_rows
-- Across tenants: a backup holds the whole database. The table's name is put in place of pg_class.
select count(*) as rows from pg_class;

-- name: count_tenants
-- Across tenants: compared between the login and the role that sees every tenant.
select count(*) as tenants from tenants;

-- name: list_heads
-- Across tenants: a backup holds every chain.
select tenant_id, sequence, encode(hash, 'hex') as hash from audit_heads order by tenant_id;

-- name: list_applied
select number, name, checksum from schema_migrations order by number;

-- name: insert_applied
insert into schema_migrations (number, name, checksum) values ($1, $2, $3);

-- name: referenced_files
-- Across tenants: a backup holds every file.
select distinct tenant_id, file_sha256 as sha256
from documents
where file_sha256 is not null
order by tenant_id, file_sha256;

-- name: become_another
-- Across tenants: one row for all of them. A copy has an id of its own, and holds its deliveries until it is activated.
update installation set id = gen_random_uuid(), restored_at = $1, deliveries_held_at = $1
returning id;

-- name: make_roles
-- Roles belong to the cluster, so a dump of a database holds none.
do $$
begin
    if not exists (select from pg_roles where rolname = 'vendorrisk_tenant') then
        create role vendorrisk_tenant nologin noinherit;
    end if;
    if not exists (select from pg_roles where rolname = 'vendorrisk_system') then
        create role vendorrisk_system nologin noinherit;
    end if;
    if not (select rolsuper from pg_roles where rolname = current_user) then
        if not pg_has_role('vendorrisk_system', 'member') then
            execute format('grant vendorrisk_tenant, vendorrisk_system to %I', current_user);
        end if;
    end if;
end
$$;
