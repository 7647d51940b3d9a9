"""Records by the caller's own reference, with texts of the caller's own: vendors, findings and documents."""

import asyncio
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.whole.surface import operations, unopened_app

pytestmark = pytest.mark.anyio

BODIES: dict[str, dict[str, Any]] = {
    "vendors": {"name": "Acme Cloud", "tags": ["hosting"]},
    "findings": {"title": "Backups are not tested", "severity": "high"},
    "documents": {"title": "Access policy", "kind": "policy"},
}
RENAMED = {"vendors": "description", "findings": "description", "documents": "note"}
TAKEN = {noun: f"{noun[:-1]}_reference_taken" for noun in BODIES}


async def body_of(client: Client, noun: str, **more: Any) -> dict[str, Any]:
    if noun == "vendors":
        return BODIES[noun] | more
    known = await client.items("/v1/vendors", filter="name:eq:Owner of it")
    vendor = known[0] if known else (await client.post("/v1/vendors", {"name": "Owner of it"})).json()
    return BODIES[noun] | {"vendor_id": vendor["id"]} | more


async def put(client: Client, noun: str, reference: str, body: Any) -> Any:
    place, params = f"/v1/{noun}/by-reference", {"reference": reference}
    return await client.http.request("PUT", place, params=params, json=body)


async def entries(client: Client) -> int:
    return len(await client.items("/v1/audit-entries"))


def test_every_noun_with_metadata_can_be_put_by_reference() -> None:
    paths = {operation.path for operation in operations(unopened_app()) if operation.path.endswith("/by-reference")}
    assert paths == {f"/v1/{noun}/by-reference" for noun in BODIES}


@pytest.mark.parametrize("noun", BODIES)
async def test_a_reference_creates_once_and_then_changes_that_record(client: Client, noun: str) -> None:
    body = await body_of(client, noun, metadata={"system": "erp"})
    created = await put(client, noun, "R-1", body)
    assert created.status_code == 201, created.text
    before = await entries(client)
    same = await put(client, noun, "R-1", body)
    assert (same.status_code, same.headers["etag"]) == (200, created.headers["etag"]), same.text
    assert same.json() == created.json()
    assert await entries(client) == before
    changed = await put(client, noun, "R-1", body | {RENAMED[noun]: "Other words"})
    assert (changed.status_code, changed.json()["id"]) == (200, created.json()["id"]), changed.text
    assert changed.headers["etag"] != created.headers["etag"]
    assert await entries(client) == before + 1
    assert [row["id"] for row in await client.items(f"/v1/{noun}", filter="reference:eq:R-1")] == [changed.json()["id"]]
    left_out = await put(client, noun, "R-1", await body_of(client, noun))
    assert left_out.status_code == 200
    row = (await client.items(f"/v1/{noun}", filter="reference:eq:R-1"))[0]
    assert row["metadata"] == {}


@pytest.mark.parametrize("noun", BODIES)
async def test_two_callers_that_send_the_same_at_once_make_one_record(client: Client, noun: str) -> None:
    body = await body_of(client, noun)
    responses = await asyncio.gather(*(put(client, noun, "R-1", body) for _ in range(4)))
    assert sorted(response.status_code for response in responses) == [200, 200, 200, 201]
    assert len({response.json()["id"] for response in responses}) == 1
    assert len(await client.items(f"/v1/{noun}", filter="reference:eq:R-1")) == 1


@pytest.mark.parametrize("noun", BODIES)
async def test_a_reference_is_taken_once_in_a_tenant_and_free_in_another(
    client: Client, other_company: Company, noun: str
) -> None:
    first = await put(client, noun, "R-1", await body_of(client, noun))
    second = await body_of(client, noun, reference="R-1") | ({"name": "Nimbus"} if noun == "vendors" else {})
    refused = await client.post(f"/v1/{noun}", second)
    assert (refused.status_code, refused.json()["code"]) == (409, TAKEN[noun])
    assert refused.json()["errors"][0]["record_id"] == first.json()["id"]
    theirs = await put(other_company.client, noun, "R-1", await body_of(other_company.client, noun))
    assert (theirs.status_code, theirs.json()["id"] == first.json()["id"]) == (201, False)


@pytest.mark.parametrize("noun", BODIES)
async def test_a_body_with_another_reference_than_its_address_is_refused(client: Client, noun: str) -> None:
    refused = await put(client, noun, "R-1", await body_of(client, noun, reference="R-2"))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reference")
    assert await client.items(f"/v1/{noun}", filter="reference:eq:R-1") == []


@pytest.mark.parametrize("noun", ["findings", "documents"])
async def test_a_record_of_another_vendor_is_not_moved_by_its_reference(client: Client, noun: str) -> None:
    body = await body_of(client, noun)
    await put(client, noun, "R-1", body)
    other = (await client.post("/v1/vendors", {"name": "Other"})).json()["id"]
    refused = await put(client, noun, "R-1", body | {"vendor_id": other})
    assert (refused.status_code, refused.json()["code"]) == (409, TAKEN[noun])
    assert [row["vendor_id"] for row in await client.items(f"/v1/{noun}")] == [body["vendor_id"]]


async def test_the_next_revision_of_a_document_takes_its_reference_over(client: Client) -> None:
    body = await body_of(client, "documents")
    first = (await put(client, "documents", "R-1", body)).json()
    revision = body | {"supersedes_id": first["id"]}
    second = await put(client, "documents", "R-1", revision)
    assert (second.status_code, second.json()["revision"]) == (201, 2)
    again = await put(client, "documents", "R-1", revision)
    assert (again.status_code, again.json()) == (200, second.json())
    assert len(await client.items("/v1/documents")) == 2


@pytest.mark.parametrize("noun", BODIES)
async def test_a_change_of_metadata_replaces_the_whole_map(client: Client, noun: str) -> None:
    made = (await client.post(f"/v1/{noun}", await body_of(client, noun, metadata={"a": "1", "b": "2"}))).json()
    place = f"/v1/{noun}/{made['id']}"
    changed = await client.patch(place, {"metadata": {"c": "3"}}, etag='"1"')
    assert changed.status_code == 200, changed.text
    row = next(row for row in await client.items(f"/v1/{noun}") if row["id"] == made["id"])
    assert row["metadata"] == {"c": "3"}


@pytest.mark.parametrize("noun", BODIES)
@pytest.mark.parametrize(
    "metadata",
    [{"a b": "x"}, {"": "x"}, {"a" * 41: "x"}, {"a": "x" * 501}, {"a": 1}, {f"k{n}": "" for n in range(51)}, ["a"]],
    ids=["blank", "empty", "long key", "long value", "number", "too many", "list"],
)
async def test_metadata_outside_its_bounds_is_refused_at_its_place(client: Client, noun: str, metadata: Any) -> None:
    refused = await client.post(f"/v1/{noun}", await body_of(client, noun, metadata=metadata))
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid")
    assert refused.json()["errors"][0]["pointer"].startswith("/metadata")
