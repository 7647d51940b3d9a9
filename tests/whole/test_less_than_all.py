"""What a caller gets who asks for less: some fields of a record, or no body. The document says the same."""

from typing import Any

import pytest

from tests.conftest import Company
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.things import Things
from vendorrisk.background import JobContext
from vendorrisk.openapi.operations import EMPTY

pytestmark = pytest.mark.anyio

_ALL = operations(unopened_app())
READS = [operation for operation in _ALL if "fields" in operation.document_parameters]
WRITES = [operation for operation in _ALL if "Prefer" in operation.document_parameters]


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


def names_of(operation: Operation) -> list[str]:
    fields = next(p for p in operation.document["parameters"] if p["name"] == "fields")
    return list(fields["schema"]["items"]["enum"])


def rows_of(value: Any) -> list[Any]:
    return list(value["items"]) if isinstance(value, dict) and "items" in value else [value]


async def test_a_read_has_exactly_the_fields_that_were_asked_for(things: Things) -> None:
    faults, seen = [], 0
    for operation in READS:
        place = operation.path.format(**await things.known_for(operation))
        whole = (await things.client.get(place, params=operation.query)).json()
        names = names_of(operation)
        for asked in (names[:1], names[1:] or names):
            params = {**operation.query, "fields": ",".join(asked)}
            response = await things.client.get(place, params=params)
            if response.status_code != 200:
                faults.append(f"{operation.name}: {response.status_code} {response.text[:200]}")
                continue
            there = [{name: row[name] for name in asked if name in row} for row in rows_of(whole)]
            seen += len(there)
            if rows_of(response.json()) != there:
                faults.append(f"{operation.name}: {asked} gives {response.text[:200]}")
        unknown = await things.client.get(place, params={**operation.query, "fields": "no_such_field"})
        if (unknown.status_code, unknown.json()["code"]) != (400, "parameter_invalid"):
            faults.append(f"{operation.name}: an unknown field is answered {unknown.status_code}")
    assert "\n".join(faults) == ""
    assert seen > 60


async def test_a_write_that_is_asked_for_no_body_sends_none_and_the_rest_as_its_document_says(things: Things) -> None:
    faults = []
    for operation in WRITES:
        known = await things.known_for(operation)
        body = await things.body_of(operation, known)
        response = await things.send(operation, known, body, headers={"prefer": "return=minimal"})
        documented = operation.document["responses"].get(str(response.status_code))
        if response.content or "content-type" in response.headers or response.status_code not in {201, 202, 204}:
            faults.append(f"{operation.name}: {response.status_code} {response.text[:200]}")
        elif documented is None:
            faults.append(f"{operation.name}: its document does not show {response.status_code}")
        elif "content" in documented and EMPTY not in documented["description"]:
            faults.append(f"{operation.name}: its document promises a body of {response.status_code}")
        elif response.headers.get("preference-applied") != "return=minimal":
            faults.append(f"{operation.name}: does not say that it did as it was asked")
        else:
            promised = {name.lower() for name in documented["headers"]} & {"etag", "location"}
            faults += [f"{operation.name}: sends no {name}" for name in promised if name not in response.headers]
    assert "\n".join(faults) == ""
    assert len(WRITES) > 60
