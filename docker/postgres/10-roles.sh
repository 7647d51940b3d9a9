#!/bin/sh
# Run once, by the database's image, when the cluster is made: the roles of roles.sql, with the passwords of make-secrets.
set -eu
secrets=${VENDORRISK_SECRETS:-/run/secrets}
roles=${VENDORRISK_ROLES_SQL:-/etc/vendorrisk/roles.sql}

psql --no-psqlrc --quiet \
    --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-vendorrisk}" \
    --set database="${POSTGRES_DB:-vendorrisk}" \
    --set owner="${VENDORRISK_OWNER_ROLE:-vendorrisk_owner}" \
    --set service="${VENDORRISK_SERVICE_ROLE:-vendorrisk_service}" \
    --set owner_password="$(cat "$secrets/database_owner_password")" \
    --set service_password="$(cat "$secrets/database_service_password")" \
    --file "$roles"
