"""`vendorrisk tenants`: founding one and getting in again, on real servers and on the embedded ones."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.commands.make import command
from tests.conftest import Company, client_of
from tests.embedded.make import Stack, data_folder
from vendorrisk.app import Api
from vendorrisk.commands.tenants import found_on
from vendorrisk.db.pool import Database
from vendorrisk.identity import service as identity
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


_IS_WAITING = """
    select exists (
        select from pg_locks join pg_database d on d.oid = database
        where datname = current_database() and locktype = 'advisory' and not granted
    )
"""


def key_of(out: str) -> str:
    return out.strip().rpartition(" ")[2]


@pytest.mark.embedded_only
async def test_a_tenant_is_added_to_the_embedded_stack_while_it_runs_and_while_it_does_not() -> None:
    with data_folder() as home:
        stack = await asyncio.to_thread(Stack, home)
        try:
            added = await command("tenants", "add", "Second", VENDORRISK_HOME=str(home))
            assert (added.code, added.err) == (0, "")
            assert await asyncio.to_thread(name_of_tenant, stack, key_of(added.out)) == "Second"
        finally:
            await asyncio.to_thread(stack.stop)
        stopped = await command("tenants", "add", "Third", VENDORRISK_HOME=str(home))
        assert (stopped.code, stopped.err) == (0, "")
        listed = await command("tenants", "list", VENDORRISK_HOME=str(home))
        assert [line.split("  ")[2] for line in listed.out.splitlines()][1:] == ["Second", "Third"]


def name_of_tenant(stack: Stack, key: str) -> str:
    response = httpx.get(f"{stack.address}/v1/tenant", headers={"authorization": f"Bearer {key}"})
    return str(response.json()["name"])


@pytest.mark.embedded_only
async def test_where_nothing_was_ever_started_no_tenant_is_added_and_one_line_says_what_to_do() -> None:
    with data_folder() as home:
        for words in (["add", "Acme"], ["admin-key", str(uuid4())], ["list"]):
            ran = await command("tenants", *words, VENDORRISK_HOME=str(home))
            assert (ran.code, ran.out) == (1, "")
            assert ran.err.startswith(f"vendorrisk: there is nothing in {home} yet; `vendorrisk up` makes it")
            assert ran.err.count("\n") == 1
        assert not await asyncio.to_thread(home.exists)


async def test_a_tenant_whose_keys_are_lost_gets_another_admin_key_and_its_log_says_so(
    settings: Settings, api: Api, company: Company, other_company: Company
) -> None:
    ran = await command("tenants", "admin-key", str(company.tenant.id), settings=settings)
    assert (ran.code, ran.err) == (0, "")
    keys = {one["name"]: one for one in await company.client.items("/v1/api-keys")}
    made = keys["Admin key of the command line"]
    assert made["roles"] == ["admin"]
    found = await company.client.items("/v1/audit-entries", filter=f"target_id:eq:{made['id']}")
    assert [(entry["action"], entry["actor_label"]) for entry in found] == [("api_key:created", "command line")]
    again = client_of(api, key_of(ran.out))
    assert (await again.get("/v1/tenant")).json()["id"] == str(company.tenant.id)
    names = [one["name"] for one in await other_company.client.items("/v1/api-keys")]
    assert "Admin key of the command line" not in names


async def test_a_key_for_a_tenant_that_is_none_is_refused_in_one_line(settings: Settings, company: Company) -> None:
    del company
    nobody = uuid4()
    ran = await command("tenants", "admin-key", str(nobody), settings=settings)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"vendorrisk: there is no tenant {nobody}; `vendorrisk tenants list` names them\n"


async def test_a_second_tenant_of_the_same_name_is_refused_with_the_id_of_the_first(
    settings: Settings, company: Company
) -> None:
    again = await command("tenants", "add", company.tenant.name.upper(), settings=settings)
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("vendorrisk: There is a tenant ")
    assert f"({company.tenant.id}). Choose another name." in again.err
    listed = await command("tenants", "list", settings=settings)
    assert sum(line.endswith(f"  {company.tenant.name}") for line in listed.out.splitlines()) == 1


async def test_a_command_waits_for_another_that_founds_a_tenant_and_is_then_refused_its_name(
    settings: Settings, database: Database, owner: Any
) -> None:
    async with database.system() as connection:
        await identity.check_new_name(connection, "Twin")
        second = asyncio.create_task(command("tenants", "add", "Twin", settings=settings))
        while not await owner.fetchval(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        ):
            assert not second.done(), second.result()
            await asyncio.sleep(0.05)
        await found_on(connection, "Twin", "UTC")
    assert (await second).code == 1
    listed = await command("tenants", "list", settings=settings)
    assert sum(line.endswith("  Twin") for line in listed.out.splitlines()) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 300])
async def test_a_name_that_no_tenant_can_have_is_refused_in_words(settings: Settings, name: str) -> None:
    ran = await command("tenants", "add", name, settings=settings)
    assert (ran.code, ran.out) == (2, "")
    assert "Send text that is not blank (1 to 200 characters)." in ran.err
