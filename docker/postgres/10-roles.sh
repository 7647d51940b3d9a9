#!/bin/sh
# Run once, by the database's image, when the cluster is made: the owner of the schema, the login of the service, and
# the two roles that the service takes. Neither login passes row-level security; the superuser serves nobody.
set -eu
secrets=${VENDORRISK_SECRETS:-/run/secrets}

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-vendorrisk}" \
    --set database="${POSTGRES_DB:-vendorrisk}" \
    --set owner_password="$(cat "$secrets/database_owner_password")" \
    --set service_password="$(cat "$secrets/database_service_password")" <<'SQL'
create role vendorrisk_tenant nologin noinherit;
create role vendorrisk_system nologin noinherit;
create role vendorrisk_owner login password :'owner_password';
create role vendorrisk_service login noinherit password :'service_password';
grant vendorrisk_tenant, vendorrisk_system to vendorrisk_owner with admin option;
grant vendorrisk_tenant, vendorrisk_system to vendorrisk_service;
alter database :"database" owner to vendorrisk_owner;
revoke all on database :"database" from public;
grant connect on database :"database" to vendorrisk_service;
SQL
