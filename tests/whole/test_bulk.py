"""Every operation on many items: one naming, one shape, and each item done or failed alone."""

import asyncio
import re
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.test_routes import SEVERAL_ENTRIES, entries, rows_of
from tests.whole.things import Things
from vendorrisk.background import JobContext
from vendorrisk.bulk import MOST_ITEMS

pytestmark = pytest.mark.anyio

ALL = operations(unopened_app())
BULK = [operation for operation in ALL if operation.is_bulk]


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


def test_every_bulk_operation_is_named_and_shaped_alike() -> None:
    components = unopened_app().litestar.state.document["components"]["schemas"]
    assert len(BULK) >= 16
    for operation in BULK:
        collection, _, last = operation.path.removeprefix("/v1/").partition("/")
        assert re.fullmatch("bulk-[a-z-]+s", last), operation.path
        assert any(o.method == "GET" and o.path.startswith(f"/v1/{collection}") for o in ALL) or last == (
            "bulk-decisions"  # proposals are read with their document
        ), operation.path
        content = operation.document["requestBody"]["content"]["application/json"]["schema"]
        body = components[content["$ref"].rpartition("/")[2]]
        assert set(body["properties"]) == {"items"}
        assert (body["properties"]["items"]["minItems"], body["properties"]["items"]["maxItems"]) == (1, MOST_ITEMS)
        item = components[body["properties"]["items"]["items"]["$ref"].rpartition("/")[2]]
        assert ("id" in item["properties"]) is ("version" in item["properties"]), operation.name
        given = operation.document["responses"]["200"]["content"]["application/json"]["schema"]
        assert given == {"$ref": "#/components/schemas/BulkResults"}
        assert not operation.match


def test_no_other_operation_takes_many_or_is_called_so() -> None:
    for operation in ALL:
        if not operation.is_bulk:
            assert "bulk" not in operation.path, operation.path
            body = operation.document.get("requestBody", {}).get("content", {}).get("application/json", {})
            assert not isinstance(body.get("example"), dict) or "items" not in body["example"], operation.name


@pytest.mark.parametrize("operation", BULK, ids=lambda o: o.name)
async def test_an_item_that_fails_leaves_nothing_and_its_neighbours_are_done(
    operation: Operation, things: Things
) -> None:
    first, last = [(await things.example_of(operation, {}))["items"][0] for _ in range(2)]
    first, last = distinct(first, 1), distinct(last, 2)
    wrong = distinct((await things.example_of(operation, {}))["items"][0], 3) | {"nope": 1}
    before = await entries(things)
    told = await things.made(operation.path, {"items": [first, wrong, last]})
    assert [(one["index"], one.get("code")) for one in told["items"]] == [(0, None), (1, "body_invalid"), (2, None)]
    assert (told["done"], told["failed"]) == (2, 1)
    assert [error["pointer"] for error in told["items"][1]["errors"]] == ["/items/1/nope"]
    assert all(one["id"] and one["version"] >= 1 for one in told["items"] if "code" not in one)
    assert await entries(things) == before + 2 * SEVERAL_ENTRIES.get(operation.name, 1)


def distinct(item: Any, number: int) -> Any:
    """Return the item with a name of its own."""
    names = {
        "name": f"item{number}.com",
        "email": f"item{number}@example.com",
        "title": f"Item {number}",
        "as_of_on": f"2025-12-0{number}",
    }
    return item | {key: value for key, value in names.items() if key in item}


@pytest.mark.parametrize("operation", [o for o in BULK if "id" in o.example["items"][0]], ids=lambda o: o.name)
async def test_an_item_of_an_old_version_or_an_unknown_record_fails_alone_and_changes_no_row(
    operation: Operation, things: Things
) -> None:
    item = (await things.example_of(operation, {}))["items"][0]
    before = await rows_of(things)
    items = [item | {"version": 999}, item | {"id": "018f0000-0000-7000-8000-000000000000"}]
    told = await things.made(operation.path, {"items": items})
    assert [one["code"] for one in told["items"]] == ["version_stale", "not_found"]
    assert await rows_of(things) == before


async def test_a_reference_to_nothing_fails_its_own_item(client: Client) -> None:
    item = {"vendor_id": "018f0000-0000-7000-8000-000000000000", "title": "No MFA", "severity": "high"}
    own = (await client.post("/v1/vendors", {"name": "Acme"})).json()["id"]
    told = (await client.post("/v1/findings/bulk-openings", {"items": [item, item | {"vendor_id": own}]})).json()
    assert [one.get("code") for one in told["items"]] == ["reference_unknown", None]
    assert [finding["vendor_id"] for finding in await client.items("/v1/findings")] == [own]


async def test_more_than_two_hundred_items_or_none_are_refused_whole(client: Client) -> None:
    for items in ([], [{"name": "Acme"}] * 201):
        refused = await client.post("/v1/vendors/bulk-registrations", {"items": items})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/items")
    assert await client.items("/v1/vendors") == []


async def test_an_item_that_succeeds_and_is_named_twice_is_stale_the_second_time(client: Client) -> None:
    made = (await client.post("/v1/vendors", {"name": "Acme"})).json()
    items = [{"id": made["id"], "version": 1, "tags": [tag]} for tag in ("a", "b")]
    told = (await client.post("/v1/vendors/bulk-changes", {"items": items})).json()
    assert [one.get("code") for one in told["items"]] == [None, "version_stale"]
    assert (await client.get(f"/v1/vendors/{made['id']}")).json()["tags"] == ["a"]


async def test_many_that_wait_for_a_vendor_do_not_hold_up_the_audit_log(
    client: Client, company: Company, owner: Any
) -> None:
    """One caller holds the second vendor and then writes its own entry, as any single change does."""
    first, second = [(await client.post("/v1/vendors", {"name": name})).json() for name in ("A", "B")]
    items = [{"id": one["id"], "version": 1, "tags": ["x"]} for one in (first, second)]
    async with owner.transaction():
        await owner.execute("select 1 from vendors where id = $1 for update", first["id"])
        waiting = asyncio.create_task(client.post("/v1/vendors/bulk-changes", {"items": [items[1], items[0]]}))
        await asyncio.sleep(0.3)
        head = "select 1 from audit_heads where tenant_id = $1 for update nowait"
        await owner.execute(head, company.tenant.id)
    told = (await waiting).json()
    assert told["done"] == 2
