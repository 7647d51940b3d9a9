"""A change that changes nothing makes no version and no audit entry: each PATCH, and each PUT that replaces a record.

An empty PATCH is sent to each, and then the operation's own example twice: the second time it changes nothing.
"""

from typing import Any

import pytest

from tests.conftest import Company
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.test_routes import entries
from tests.whole.things import Things
from vendorrisk.background import JobContext
from vendorrisk.http.routing import Kind

pytestmark = pytest.mark.anyio

AN_EVENT = {"answer_inherent_risk"}
"""PUTs that record something that happened: answers are given again on another day."""

CHANGES = [o for o in operations(unopened_app()) if o.kind is Kind.CHANGE and o.name not in AN_EVENT]
PATCHES = [operation for operation in CHANGES if operation.method == "PATCH"]


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


@pytest.mark.parametrize("operation", PATCHES, ids=lambda o: o.name)
async def test_an_empty_patch_makes_no_version_and_no_audit_entry(operation: Operation, things: Things) -> None:
    known = await things.known_for(operation)
    etag = await things.etag(operation.path.format(**known))
    before = await entries(things)
    response = await things.send(operation, known, b"{}", etag=etag)
    if response.status_code == 422:
        assert operation.name == "change_vendor_asset", response.text  # its one field is required
        return
    assert (response.status_code, response.headers["etag"]) == (200, etag), response.text
    assert await entries(things) == before
    assert await things.etag(operation.path.format(**known)) == etag


@pytest.mark.parametrize("operation", CHANGES, ids=lambda o: o.name)
async def test_a_change_that_is_sent_twice_is_made_once(operation: Operation, things: Things) -> None:
    known = await things.known_for(operation)
    body = await things.body_of(operation, known)
    first = await things.send(operation, known, body)
    assert first.status_code in {200, 201}, first.text
    before = await entries(things)
    again = await things.send(operation, known, body, etag=first.headers["etag"])
    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"]), again.text
    assert again.json() == first.json()
    assert await entries(things) == before


@pytest.mark.parametrize("operation", [o for o in CHANGES if o.match], ids=lambda o: o.name)
async def test_a_change_of_nothing_is_still_held_to_its_version(operation: Operation, things: Things) -> None:
    known = await things.known_for(operation)
    body = await things.body_of(operation, known)
    first = await things.send(operation, known, body)
    stale = await things.send(operation, known, body, etag='"999"')
    assert (first.status_code, stale.status_code, stale.json()["code"]) == (200, 412, "version_stale")


async def test_an_equal_change_among_many_vendors_counts_as_done_and_makes_no_version(things: Things) -> None:
    made = await things.made("/v1/vendors", {"name": "Acme", "tags": ["eu"]})
    before = await entries(things)
    item = {"id": made["id"], "version": 1, "name": "Acme", "tags": ["eu"]}
    told = await things.made("/v1/vendors/bulk-changes", {"items": [item]})
    assert (told["done"], told["failed"], told["items"][0]["version"]) == (1, 0, 1)
    assert await entries(things) == before
