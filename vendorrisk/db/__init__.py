"""The edge to Postgres.

    connection   the few calls the rest of the product may make; asyncpg's types stop here
    pool         a bounded pool, and the three ways to borrow from it: tenant, reading, system
    queries      named SQL from sql/queries/<feature>.sql, typed by the Struct it fills
    paging       declared filters, sorts and keyset cursors, turned into SQL from closed lists
    constraints  a constraint's name becomes a refusal at the one query that can break it
    migrations   forward-only, numbered, checksummed
    schema       the sum of the migrations, read back from the catalogue as SQL

Two database roles, neither of which owns a table: `vendorrisk_tenant` sees the rows of one tenant, named by the setting
`vendorrisk.tenant_id`. `vendorrisk_system` sees every tenant's and serves sweeps, credential look-ups and audit
verification. Row-level security is forced, so that even the owner sees nothing without a role.
"""
