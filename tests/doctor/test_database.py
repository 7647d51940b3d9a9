"""What the doctor finds in the database: away, old, open, behind, ahead, changed by hand."""

from typing import Any

import msgspec
import pytest

from tests.conftest import Company, Servers, with_database
from tests.doctor.make import NOW, finding, in_production, report
from vendorrisk.db import migrations, schema
from vendorrisk.doctor import database
from vendorrisk.doctor.database import evaluated_roles, evaluated_server
from vendorrisk.doctor.model import Level
from vendorrisk.doctor.queries import Role, Server
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio

SERVER = Server(180006, "app", False, False, 100, "off", False, 1024**2, NOW)  # noqa: FBT003 - as in the Struct
ROLE = Role("vendorrisk_system", False, False, False, True, False)  # noqa: FBT003 - as in the Struct
ROLES = [ROLE, msgspec.structs.replace(ROLE, name="vendorrisk_tenant")]


async def test_a_database_that_is_away_is_told_once_and_without_its_password(settings: Settings) -> None:
    away = in_production(settings, database_url="postgresql://app:canary-of-db@127.0.0.1:1/risk")
    told = await report(away)
    assert not told.healthy
    [found] = [f for f in told.findings if f.check == "database"]
    assert found.level is Level.FAILURE
    assert "cannot be reached" in found.said
    assert "DATABASE_URL" in found.todo
    depend = {"roles", "row-level security", "schema", "clock", "slack", "backups"}
    assert not depend & {f.check for f in told.findings}
    assert "canary-of-db" not in msgspec.json.encode(told).decode()


async def test_no_database_at_all_is_a_failure_that_says_how_to_have_one(settings: Settings) -> None:
    found = await finding(in_production(settings, database_url=""), "database")
    assert (found.level, found.said) == (Level.FAILURE, "DATABASE_URL is not set")


async def test_embedded_mode_that_was_never_started_is_no_failure(settings: Settings) -> None:
    found = await finding(in_production(settings, database_url=""), "database", is_embedded=True, is_new=True)
    assert found.level is Level.WARNING
    assert "vendorrisk up" in found.todo


@pytest.mark.parametrize(
    ("changes", "took", "level", "said"),
    [
        ({}, 0.001, Level.OK, "PostgreSQL 18.6, as app, 1.0 ms"),
        ({"version_number": 150000}, 0.001, Level.OK, "PostgreSQL 15.0"),
        ({"version_number": 140013}, 0.001, Level.FAILURE, "PostgreSQL 14.13"),
        ({"version_number": 190000}, 0.001, Level.WARNING, "PostgreSQL 19.0"),
        ({"is_standby": True}, 0.001, Level.FAILURE, "a standby"),
        ({}, 0.3, Level.WARNING, "300.0 ms"),
    ],
    ids=["18", "oldest", "too old", "newer than tested", "standby", "slow"],
)
def test_a_server_is_evaluated_by_version_kind_and_distance(
    changes: dict[str, Any], took: float, level: Level, said: str
) -> None:
    found = evaluated_server(msgspec.structs.replace(SERVER, **changes), took)
    assert found.level is level
    assert said in found.said
    assert bool(found.todo) == (level is not Level.OK)


@pytest.mark.parametrize(
    ("change", "todo"),
    [
        ({"can_login": True}, "nologin"),
        ({"is_superuser": True}, "nosuperuser"),
        ({"bypasses_rls": True}, "nobypassrls"),
        ({"owns_tables": True}, "another owner"),
        ({"may_be_taken": False}, "grant vendorrisk_tenant to app;"),
    ],
    ids=["login", "superuser", "bypass", "owner", "not granted"],
)
def test_a_role_that_may_more_or_less_than_it_must_is_a_failure(change: dict[str, bool], todo: str) -> None:
    found = evaluated_roles(SERVER, [ROLE, msgspec.structs.replace(ROLES[1], **change)], is_embedded=False)
    assert found.level is Level.FAILURE
    assert "vendorrisk_tenant" in found.said
    assert todo in found.todo


def test_a_login_that_bypasses_row_level_security_is_a_warning_but_in_embedded_mode() -> None:
    for change in ({"is_superuser": True}, {"bypasses_rls": True}):
        login = msgspec.structs.replace(SERVER, **change)
        assert evaluated_roles(login, ROLES, is_embedded=False).level is Level.WARNING
        assert evaluated_roles(login, ROLES, is_embedded=True).level is Level.OK
    assert evaluated_roles(SERVER, ROLES, is_embedded=False).level is Level.OK
    assert evaluated_roles(SERVER, ROLES[:1], is_embedded=False).level is Level.FAILURE


async def test_an_ordinary_login_must_have_been_granted_the_roles(
    settings: Settings, servers: Servers, database_name: str, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if servers.pooled:
        pytest.skip("the pooler logs in as one user")
    release = await schema.dump(owner)
    monkeypatch.setattr(database, "release_schema", lambda: release)
    login = f"login_{database_name}"
    await owner.execute(f"create role {login} login noinherit")
    try:
        url = with_database(servers.admin_url, database_name).replace("vendorrisk@", f"{login}@")
        mine = in_production(settings, database_url=url)
        without = await report(mine, "roles", "row-level security", "schema")
        assert [f.level for f in without.findings] == [Level.FAILURE] * 3
        assert f"grant vendorrisk_system to {login};" in without.findings[0].todo
        await owner.execute(f"grant vendorrisk_tenant, vendorrisk_system to {login}")
        granted = await report(mine, "roles", "row-level security", "schema")
        assert [f.level for f in granted.findings] == [Level.OK] * 3, granted
        assert f"{login} is an ordinary login" in granted.findings[0].said
    finally:
        await owner.execute(f"drop owned by {login}; drop role {login}")


async def test_a_table_whose_row_level_security_is_not_forced_is_named(
    settings: Settings, company: Company, owner: Any
) -> None:
    del company
    assert (await finding(settings, "row-level security")).level is Level.OK
    await owner.execute("alter table members no force row level security")
    found = await finding(settings, "row-level security")
    assert (found.level, found.said) == (Level.FAILURE, "not forced on members")
    await owner.execute("alter table members force row level security; alter table vendors disable row level security")
    assert (await finding(settings, "row-level security")).said == "not forced on vendors"


async def test_a_policy_that_lets_everyone_see_is_found_by_looking(
    settings: Settings, company: Company, other_company: Company, owner: Any
) -> None:
    del company, other_company
    await owner.execute("alter policy one_tenant on tenants using (true)")
    found = await finding(settings, "row-level security")
    assert (found.level, found.said) == (Level.FAILURE, "2 tenants are seen without naming one")


async def test_a_schema_is_right_line_by_line_or_says_what_to_do(
    settings: Settings, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = migrations.all_migrations()[-1]
    release = await schema.dump(owner)
    monkeypatch.setattr(database, "release_schema", lambda: release)
    right = await finding(settings, "schema")
    assert (right.level, right.todo) == (Level.OK, ""), right
    assert f"at {latest.number:04} {latest.name}" in right.said

    await owner.execute("alter table vendors add column planted text")
    drifted = await finding(settings, "schema")
    assert drifted.level is Level.WARNING
    assert "1 lines differ" in drifted.said
    assert "planted text" in drifted.said

    await owner.execute("insert into schema_migrations values (9999, 'from_the_future', 'x')")
    ahead = await finding(settings, "schema")
    assert ahead.level is Level.WARNING
    assert "from_the_future" in ahead.said

    await owner.execute("delete from schema_migrations where number = $1", latest.number)
    behind = await finding(settings, "schema")
    assert (behind.level, behind.todo) == (Level.FAILURE, "Run `vendorrisk migrate`.")
    assert latest.name in behind.said

    await owner.execute("update schema_migrations set checksum = 'x' where number = 1")
    other = await finding(settings, "schema")
    assert other.level is Level.FAILURE
    assert "foundation" in other.said


async def test_a_database_that_was_never_migrated_leads_to_migrate(settings: Settings, owner: Any) -> None:
    await owner.execute("drop schema public cascade; create schema public")
    told = await report(settings)
    by_check = {f.check: f for f in told.findings}
    assert not told.healthy
    for name in ("row-level security", "schema"):
        assert by_check[name].level is Level.FAILURE
        assert "vendorrisk migrate" in by_check[name].todo
    assert not [f for f in told.findings if "report this as a fault" in f.todo]


async def test_the_doctor_changes_nothing(settings: Settings, company: Company, owner: Any) -> None:
    del company

    async def everything() -> dict[str, int]:
        await owner.execute("set row_security = off")
        names = await owner.fetch("select relname::text as n from pg_stat_user_tables where schemaname = 'public'")
        return {r["n"]: await owner.fetchval(f"select count(*) from {r['n']}") for r in names}

    before = await everything()
    await report(settings)
    assert await everything() == before
