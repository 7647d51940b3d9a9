-- The roles of one installation, made by a superuser once, on any PostgreSQL: inside the image's first start, or by hand:
--
--   psql "$SUPERUSER_URL" -v database=vendorrisk -v owner=vendorrisk_owner -v service=vendorrisk_service \
--       -v owner_password=… -v service_password=… -f docker/postgres/roles.sql
--
-- Several installations on one cluster have an owner and a service each. They share the two group roles, which own
-- nothing and cannot log in. No login passes row-level security. The superuser serves nobody.
\set ON_ERROR_STOP on
select 'create role vendorrisk_tenant nologin noinherit'
where not exists (select from pg_roles where rolname = 'vendorrisk_tenant') \gexec
select 'create role vendorrisk_system nologin noinherit'
where not exists (select from pg_roles where rolname = 'vendorrisk_system') \gexec
create role :"owner" login password :'owner_password';
create role :"service" login noinherit password :'service_password';
grant vendorrisk_tenant, vendorrisk_system to :"owner" with admin option;
grant vendorrisk_tenant, vendorrisk_system to :"service";
alter database :"database" owner to :"owner";
revoke all on database :"database" from public;
grant connect on database :"database" to :"service";
