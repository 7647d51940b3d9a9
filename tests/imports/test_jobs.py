"""Large files, by the job: taken at once, done later, once, and by another worker if the first one dies."""

import asyncio
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.imports.make import accepted, counts, rows, run_imports, sent
from tests.vendors.make import registered
from vendorrisk.background import JobContext
from vendorrisk.imports.service import SMALL_ROWS

pytestmark = pytest.mark.anyio


def large(count: int) -> bytes:
    lines = [f"R{n},Vendor number {n},v{n}.example,DE,{'x' * 60}" for n in range(count)]
    return ("Reference,Name,Domain,Country,Description\n" + "\n".join(lines)).encode()


async def test_a_large_file_is_taken_at_once_and_done_by_the_job(client: Client, context: JobContext) -> None:
    count = SMALL_ROWS + 1_000
    response = await sent(client, large(count))
    assert (response.status_code, response.json()["state"], response.json()["rows_total"]) == (202, "received", None)
    place = response.headers["location"]
    assert await run_imports(context) == 1
    made = (await client.get(place)).json()
    assert (made["state"], counts(made), made["rows_done"]) == ("checked", (count, 0, 0, 0), count)
    assert await run_imports(context) == 0
    done = await accepted(client, made)
    assert (done.status_code, done.json()["state"]) == (202, "accepted")
    assert await run_imports(context) == 1
    assert (await client.get(place)).json()["state"] == "applied"
    assert (await client.get("/v1/vendors", params={"total": True})).json()["total"] == count
    assert await run_imports(context) == 0
    actions = [e["action"] for e in await client.items("/v1/audit-entries", limit=10)][:4]
    assert actions == [f"vendor_import:{what}" for what in ("applied", "accepted", "checked", "received")]


async def test_a_worker_that_died_is_followed_by_another_and_nothing_is_duplicated(
    client: Client, context: JobContext, clock: FakeClock, owner: Any
) -> None:
    place = (await sent(client, large(4_000), dry_run=False)).headers["location"]
    running = asyncio.create_task(run_imports(context))
    while not await owner.fetchval("select count(*) from import_rows") and not running.done():  # noqa: ASYNC110 - there is no event to wait for: the rows are the sign
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    if (await client.get(place)).json()["state"] == "received":
        assert await run_imports(context) == 0, "the lease still holds"
        clock.advance(minutes=6)
        assert await run_imports(context) == 1
    made = (await client.get(place)).json()
    assert (made["state"], counts(made)) == ("applied", (4_000, 0, 0, 0))
    assert len(await rows(client, made, limit=200)) == 4_000


async def test_two_workers_do_not_take_the_same_import(client: Client, context: JobContext) -> None:
    await sent(client, large(4_000), dry_run=False)
    assert sorted(await asyncio.gather(run_imports(context), run_imports(context))) == [0, 1]
    assert (await client.get("/v1/vendors", params={"total": True})).json()["total"] == 4_000


async def test_a_large_file_that_cannot_be_read_says_so_in_its_import(client: Client, context: JobContext) -> None:
    response = await sent(client, b"Colour\n" + b"red\n" * 100_000)
    assert response.status_code == 202
    assert await run_imports(context) == 1
    made = (await client.get(response.headers["location"])).json()
    assert made["state"] == "rejected"
    assert "No column gives the vendor's name" in made["rejection_reason"]
    assert await run_imports(context) == 0


async def test_an_accepted_import_that_was_overtaken_is_refused_by_the_job(client: Client, context: JobContext) -> None:
    made = (await sent(client, large(4_000))).json()
    await run_imports(context)
    assert (await accepted(client, made)).status_code == 202
    await registered(client, name="Vendor number 7")
    assert await run_imports(context) == 1
    after = (await client.get(f"/v1/vendor-imports/{made['id']}")).json()
    assert (after["state"], after["rejection_reason"][:20]) == ("rejected", "Vendors were changed")
    assert len(await client.items("/v1/vendors")) == 1


async def test_a_large_import_can_be_called_off_before_it_was_read(client: Client, context: JobContext) -> None:
    place = (await sent(client, large(4_000))).headers["location"]
    assert (await client.delete(place, etag='"1"')).status_code == 204
    assert await run_imports(context) == 0
    assert (await client.get(place)).json()["state"] == "cancelled"
