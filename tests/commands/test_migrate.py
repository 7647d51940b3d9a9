"""`vendorrisk migrate` by a login that may not, and an API and a worker before anybody migrated."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from tests.commands.make import command
from tests.conftest import Servers, client_of, with_database
from tests.embedded.make import Command, until
from vendorrisk.app import create_app
from vendorrisk.identity.rules import make_key
from vendorrisk.settings import VARIABLES, Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service_login(servers: Servers, owner: Any, settings: Settings) -> AsyncIterator[Settings]:
    """Settings with the login of the service alone: it takes the two roles, and owns nothing."""
    name = f"service_{uuid4().hex[:8]}"
    await owner.execute(f"create role {name} login noinherit password 'secret'")
    await owner.execute(f"grant vendorrisk_tenant, vendorrisk_system to {name}")
    there = urlsplit(settings.database_migration_url)
    user = f"{there.username}@" if there.username else ""
    url = settings.database_migration_url.replace(user, f"{name}:{quote('secret')}@", 1)
    yield msgspec.structs.replace(settings, database_url=url, database_migration_url="")
    await owner.execute(f"drop role {name}")


@pytest.fixture
async def unmigrated(servers: Servers, settings: Settings) -> AsyncIterator[Settings]:
    """Settings of a database that exists and is empty."""
    name = f"empty_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
    url = with_database(servers.admin_url, name)
    yield msgspec.structs.replace(settings, database_url=url, database_migration_url=url, database_pooling="session")
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


async def test_the_services_login_finds_nothing_to_do_on_a_migrated_database(service_login: Settings) -> None:
    ran = await command("migrate", settings=service_login)
    assert (ran.code, ran.out, ran.err) == (0, "nothing to do\n", "")


async def test_the_services_login_names_the_setting_that_is_missing_if_there_is_something_to_do(
    service_login: Settings, owner: Any
) -> None:
    await owner.execute("delete from schema_migrations where number = (select max(number) from schema_migrations)")
    ran = await command("migrate", settings=service_login)
    assert ran.code == 1
    assert "Set DATABASE_MIGRATION_URL to the address of the schema's owner" in ran.err
    assert len(ran.err.splitlines()) == 1


async def test_an_unmigrated_database_answers_503_with_a_code_and_readiness_says_why(unmigrated: Settings) -> None:
    api = create_app(unmigrated)
    async with api.running():
        client = client_of(api, make_key(bytes(32)).text)
        for path in ("/v1/vendors", "/v1/me"):
            response = await client.get(path)
            assert (response.status_code, response.json()["code"]) == (503, "database_not_migrated")
            assert int(response.headers["retry-after"]) > 0
        ready = await client.get("/health/ready")
    assert ready.status_code == 503
    # The roles belong to the cluster, so they may be there already.
    assert ready.json()["checks"]["database"].startswith(("needs migrations: foundation", "was never migrated"))


async def test_a_worker_waits_for_the_migration_says_so_once_and_then_works(unmigrated: Settings) -> None:
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(unmigrated).items() if value != ""}
    worker = Command("worker", settings=said)
    try:
        await asyncio.to_thread(until, lambda: "worker_waits" in worker.text, "it says what it waits for", 60)
        assert worker.process.poll() is None
        assert (await command("migrate", settings=unmigrated)).code == 0
        await asyncio.to_thread(until, lambda: "worker_started" in worker.text, "it works", 60)
        assert worker.text.count("worker_waits") <= 2, "each reason once"
    finally:
        worker.shut_down()
