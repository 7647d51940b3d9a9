"""Deliveries lead up to their owners and destinations without foreign keys: every one leads somewhere."""

import re
from typing import Any

import pytest

from tests.conftest import Company
from tests.whole.surface import operations
from tests.whole.things import Things
from vendorrisk.app import Api
from vendorrisk.background import JobContext, run_job
from vendorrisk.worker import MESSAGE_KINDS, SCHEDULE

pytestmark = pytest.mark.anyio

OWNERS = {"alert": "alerts", "confirmation": "receiver_confirmations"}
"""Kind of owner → the table of its rows."""

DESTINATIONS = {"receiver": "receivers"}
"""Kind of destination → the table of its rows."""


async def known(owner: Any, constraint: str) -> set[str]:
    rule = await owner.fetchval("select pg_get_constraintdef(oid) from pg_constraint where conname = $1", constraint)
    return set(re.findall(r"'(\w+)'", rule))


async def astray(owner: Any) -> list[tuple[str, str]]:
    """Return (part, kind) of each delivery whose owner or destination is in no table of the same tenant."""
    return [
        (part, kind)
        for part, tables in (("owner", OWNERS), ("destination", DESTINATIONS))
        for kind, table in tables.items()
        for _ in await owner.fetch(
            f"select id from deliveries d where {part}_kind = $1 and not exists"
            f" (select from {table} t where t.tenant_id = d.tenant_id and t.id = d.{part}_id)",
            kind,
        )
    ]


async def test_the_database_the_worker_and_this_test_know_the_same_kinds(owner: Any) -> None:
    kinds = [kind.owner_kind for kind in MESSAGE_KINDS]
    assert sorted(kinds) == sorted(OWNERS)
    assert await known(owner, "deliveries_owner_kind_is_known") == set(OWNERS)
    assert await known(owner, "deliveries_destination_kind_is_known") == set(DESTINATIONS)


async def test_every_delivery_has_an_owner_and_a_destination(
    api: Api, company: Company, role_client: Any, context: JobContext, owner: Any
) -> None:
    things = Things(company, await role_client("admin"), context, owner)
    for operation in operations(api):
        await things.known_for(operation)
    mail = {"name": "Mail", "target": {"kind": "email", "address": "risk@example.com"}}
    await company.client.post("/v1/receivers", mail)
    for job in SCHEDULE:
        await run_job(job, context)
    assert await owner.fetchval("select count(*) from deliveries where owner_kind = 'alert'") > 1
    assert await astray(owner) == []
    await owner.execute("update deliveries set owner_id = gen_random_uuid(), destination_id = gen_random_uuid()")
    assert set(await astray(owner)) == {("owner", "alert"), ("owner", "confirmation"), ("destination", "receiver")}
