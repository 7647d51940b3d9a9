"""Tenant isolation in the database.

Keys that lead with the tenant, forced row-level security, nothing that goes round it.
"""

from typing import Any

import pytest

pytestmark = pytest.mark.anyio

APART = {"schema_migrations", "tenants"}
"""Tables that are no tenant's: the ledger of migrations, and the tenants themselves (whose id is the tenant)."""

WATCHED = {
    "public_assets",
    "signal_schedule",
    "signal_states",
    "signal_observations",
    "signal_evaluations",
    "signal_scans",
}
"""Public tables: written by jobs, and read by a tenant only where it watches the asset."""

OPERATORS = {
    "registrable_domains": False,
    "signal_flips": False,
    "signal_pauses": True,
    "signal_feeds": True,
    "signal_feed_items": True,
    "key_checksum": True,
    "processes": False,
    "job_ticks": False,
    "installation": False,
}
"""Tables of the installation → whether any tenant may read them: no tenant's data is in them."""


async def tables(owner: Any) -> list[str]:
    rows = await owner.fetch("select tablename from pg_tables where schemaname = 'public' order by 1")
    return [row["tablename"] for row in rows]


async def test_every_tenant_table_leads_its_primary_key_with_the_tenant(owner: Any) -> None:
    rows = await owner.fetch(
        """
        select c.relname as name, (
            select array_agg(a.attname::text order by k.place)
            from pg_index i, unnest(i.indkey) with ordinality as k (number, place)
            join pg_attribute a on a.attnum = k.number
            where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid
        ) as key
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """
    )
    found = {row["name"]: row["key"] for row in rows}
    others = APART | WATCHED | set(OPERATORS)
    assert {name: key for name, key in found.items() if name not in others and (key or [""])[0] != "tenant_id"} == {}


async def test_every_foreign_key_between_tenant_tables_leads_with_the_tenant(owner: Any) -> None:
    rows = await owner.fetch(
        """
        select conname, conrelid::regclass::text as table, confrelid::regclass::text as other,
            (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1])::text as first,
            (select attname from pg_attribute where attrelid = confrelid and attnum = confkey[1])::text as theirs
        from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
        """
    )
    astray = [
        dict(row)
        for row in rows
        if row["first"] != "tenant_id" or row["theirs"] != ("id" if row["other"] == "tenants" else "tenant_id")
    ]
    assert astray == []


async def test_every_foreign_key_has_an_index_that_serves_it(owner: Any) -> None:
    """A deleted or changed row looks for those that refer to it; without an index it reads the whole table."""
    rows = await owner.fetch(
        """
        select c.conname, c.conrelid::regclass::text as table, array(
            select a.attname::text from unnest(c.conkey) with ordinality as k (number, place)
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number order by k.place
        ) as columns
        from pg_constraint c
        where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.conparentid = 0 and not exists (
            select from pg_index i
            where i.indrelid = c.conrelid
              and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) like '% IS NOT NULL%')
              and (select array_agg(n order by n) from unnest(c.conkey) as n)
                = (select array_agg(n order by n) from unnest((i.indkey::int2[])[0:cardinality(c.conkey) - 1]) as n)
        )
        """
    )
    assert [dict(row) for row in rows] == []


async def test_every_tenant_table_has_forced_row_level_security_for_both_roles_and_no_other(owner: Any) -> None:
    rows = await owner.fetch(
        """
        select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as has_rls, coalesce((
            select array_agg(p.polname::text || ' ' || p.polcmd::text || ' ' || p.polpermissive::text || ' '
                || (select string_agg(r::regrole::text, ',') from unnest(p.polroles) as r) order by 1)
            from pg_policy p where p.polrelid = c.oid
        ), '{}') as policies
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        """
    )
    policies = ["every_tenant * true vendorrisk_system", "one_tenant * true vendorrisk_tenant"]
    job = "every_job * true vendorrisk_system"
    expected = {
        **{name: [job, "who_watches r true vendorrisk_tenant"] for name in WATCHED},
        **{name: ["any_tenant r true vendorrisk_tenant", job] if read else [job] for name, read in OPERATORS.items()},
    }
    open_ones = {
        row["name"]: (row["has_rls"], row["policies"])
        for row in rows
        if row["name"] != "schema_migrations"
        and (not row["has_rls"] or sorted(row["policies"]) != expected.get(row["name"], policies))
    }
    assert open_ones == {}


async def test_partitions_have_row_level_security_and_are_reached_through_their_parents_alone(owner: Any) -> None:
    rows = await owner.fetch(
        """
        select c.relname::text as name, c.relrowsecurity and c.relforcerowsecurity as has_rls,
            has_table_privilege('vendorrisk_tenant', c.oid, 'select, insert, update, delete')
            or has_table_privilege('vendorrisk_system', c.oid, 'select, insert, update, delete') as reached
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relispartition
        """
    )
    assert len(rows) >= 4
    assert [row["name"] for row in rows if not row["has_rls"] or row["reached"]] == []


async def test_a_tenant_may_read_public_tables_and_write_none(owner: Any) -> None:
    for table in WATCHED | set(OPERATORS):
        for privilege in ("insert", "update", "delete", "truncate"):
            assert not await owner.fetchval("select has_table_privilege('vendorrisk_tenant', $1, $2)", table, privilege)


async def test_the_roles_own_nothing_and_bypass_nothing(owner: Any) -> None:
    roles = await owner.fetch(
        """
        select rolname::text as name, rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb
            or rolinherit as strong,
            exists (select from pg_class where relowner = r.oid) or exists (select from pg_proc where proowner = r.oid)
            as owns
        from pg_roles as r where rolname in ('vendorrisk_tenant', 'vendorrisk_system') order by 1
        """
    )
    assert [tuple(row) for row in roles] == [("vendorrisk_system", False, False), ("vendorrisk_tenant", False, False)]
    members = await owner.fetch(
        "select member::regrole::text from pg_auth_members where member in "
        "('vendorrisk_tenant'::regrole, 'vendorrisk_system'::regrole)"
    )
    assert members == []


async def test_only_the_functions_that_maintain_partitions_run_with_their_owners_rights_and_no_view_hides_the_caller(
    owner: Any,
) -> None:
    definers = await owner.fetch(
        """
        select p.oid::regprocedure::text from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.prosecdef
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        """
    )
    keepers = ["maintain_signal_partitions(timestamp with time zone,integer,integer)", "signal_rows_astray()"]
    assert sorted(row["oid"] for row in definers) == keepers
    for keeper in keepers:
        assert not await owner.fetchval("select has_function_privilege('vendorrisk_tenant', $1, 'execute')", keeper)
    views = await owner.fetch(
        """
        select relname::text from pg_class where relnamespace = 'public'::regnamespace
          and (relkind = 'm' or relkind = 'v' and not coalesce(reloptions, '{}') @> array['security_invoker=true'])
        """
    )
    assert views == []


async def test_the_application_role_sees_and_writes_nothing_without_a_tenant(
    owner: Any, company: Any, other_company: Any
) -> None:
    """By raw SQL, over every table, with what two companies have in it."""
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("set local role vendorrisk_tenant")
    for setting in ("", "00000000-0000-0000-0000-000000000000"):
        await owner.execute("select set_config('vendorrisk.tenant_id', $1, true)", setting)
        for table in await tables(owner):
            is_public = OPERATORS.get(table, False)
            if is_public or not await owner.fetchval("select has_table_privilege($1, 'select')", table):
                continue
            # One row of the installation, which has nothing of any tenant.
            expected = 1 if table == "key_checksum" and setting else 0
            assert await owner.fetchval(f"select count(*) from {table}") == expected, table
    await owner.execute("select set_config('vendorrisk.tenant_id', $1, true)", str(company.tenant.id))
    assert await owner.fetchval("select count(*) from api_keys") == 1
    assert await owner.fetchval("select count(*) from tenants") == 1
    assert await owner.fetchval("select count(*) from api_keys where tenant_id = $1", other_company.tenant.id) == 0
    touched = await owner.execute("update api_keys set name = 'x' where tenant_id = $1", other_company.tenant.id)
    assert touched == "UPDATE 0"
    await transaction.rollback()


async def test_a_row_cannot_be_planted_in_another_tenant(owner: Any, company: Any, other_company: Any) -> None:
    import asyncpg

    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("set local role vendorrisk_tenant")
    await owner.execute("select set_config('vendorrisk.tenant_id', $1, true)", str(company.tenant.id))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await owner.execute(
            "insert into members (tenant_id, id, name, email, roles, created_at, updated_at)"
            " values ($1, gen_random_uuid(), 'X', 'x@example.com', '{owner}', now(), now())",
            other_company.tenant.id,
        )
    await transaction.rollback()


async def test_neither_role_may_change_or_delete_what_is_append_only(owner: Any) -> None:
    for role in ("vendorrisk_tenant", "vendorrisk_system"):
        for privilege in ("update", "delete", "truncate", "trigger", "references"):
            assert not await owner.fetchval("select has_table_privilege($1, 'audit_entries', $2)", role, privilege), (
                role,
                privilege,
            )
        assert not await owner.fetchval("select has_schema_privilege($1, 'public', 'create')", role)


async def test_constraints_are_named_as_sentences(owner: Any) -> None:
    rows = await owner.fetch(
        """
        select t.relname || '.' || c.conname as name
        from pg_constraint c join pg_class t on t.oid = c.conrelid
        where c.connamespace = 'public'::regnamespace and t.relname <> 'schema_migrations' and not t.relispartition
            and (
            c.contype = 'c' and c.conname ~ '_check[0-9]*$'
            or c.contype = 'u' and c.conname = t.relname || '_' || (
                select string_agg(a.attname, '_' order by k.place)
                from unnest(c.conkey) with ordinality as k (number, place)
                join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
            ) || '_key'
        )
        """
    )
    assert [row["name"] for row in rows] == []
