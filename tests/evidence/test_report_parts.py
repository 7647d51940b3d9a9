"""One part of a SOC 2 report: read alone, corrected, removed when it was recorded wrongly."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.evidence.make import coverage, recorded, type_2, vendor

pytestmark = pytest.mark.anyio

PARTS = [
    ("exceptions", {"criterion": "CC6.1", "control": "Access is reviewed", "deviation": "One review was late"}),
    ("cuecs", {"control": "Users are removed on time"}),
    ("subservice-organisations", {"name": "Borealis Hosting", "method": "carve_out"}),
    ("bridge-letters", {"ends_on": "2026-03-30"}),
]


async def actions(client: Client) -> list[str]:
    return [entry["action"] for entry in await client.items("/v1/audit-entries")]


async def part(client: Client, kind: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Add a part to a new report; return the report's place and the part."""
    place = f"/v1/soc2-reports/{(await recorded(client, type_2(await vendor(client))))['id']}"
    made = await client.post(f"{place}/{kind}", body)
    assert made.status_code == 201, made.text
    return place, dict(made.json())


@pytest.mark.parametrize(("kind", "body"), PARTS, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_part_is_read_alone_as_it_was_made_and_only_under_its_own_report(
    client: Client, kind: str, body: dict[str, Any]
) -> None:
    place, made = await part(client, kind, body)
    alone = await client.get(f"{place}/{kind}/{made['id']}")
    assert (alone.status_code, alone.json(), alone.headers["etag"]) == (200, made, '"1"')
    other = await recorded(client, type_2(made["vendor_id"], "2024-01-01", "2024-12-31"))
    astray = f"/v1/soc2-reports/{other['id']}/{kind}/{made['id']}"
    assert (await client.get(astray)).status_code == 404
    assert (await client.delete(astray, etag='"1"')).status_code == 404
    assert (await client.get(f"{place}/{kind}/{made['id']}")).json() == made


@pytest.mark.parametrize(("kind", "body"), PARTS, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_part_is_removed_at_its_version_and_never_from_a_withdrawn_report(
    client: Client, kind: str, body: dict[str, Any]
) -> None:
    place, made = await part(client, kind, body)
    own = f"{place}/{kind}/{made['id']}"
    assert (await client.delete(own, etag='"2"')).status_code == 412
    assert (await client.get(own)).status_code == 200
    assert (await client.delete(own, etag='"1"')).status_code == 204
    assert (await client.get(own)).status_code == 404
    assert (await client.delete(own, etag='"1"')).status_code == 404
    removed = [action for action in await actions(client) if action.endswith(":removed")]
    assert len(removed) == 1

    again = f"{place}/{kind}/{(await client.post(f'{place}/{kind}', body)).json()['id']}"
    withdrawn = await client.post(f"{place}/withdrawal", {"reason": "Wrong"}, etag=await client.etag(place))
    assert withdrawn.status_code == 200, withdrawn.text
    refused = await client.delete(again, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "report_withdrawn")
    assert (await client.get(again)).status_code == 200


async def test_the_finding_of_an_exception_closes_when_the_exception_is_removed(client: Client) -> None:
    place, made = await part(client, *PARTS[0])
    (opened,) = await client.items("/v1/findings")
    assert (opened["source_id"], opened["state"]) == (made["id"], "open")
    assert (await client.delete(f"{place}/exceptions/{made['id']}", etag='"1"')).status_code == 204
    (closed,) = await client.items("/v1/findings")
    assert (closed["id"], closed["state"]) == (opened["id"], "remediated")
    assert await client.items("/v1/exceptions") == []
    assert (await client.get(place)).json()["exceptions"] == []


async def test_a_bridge_letter_is_corrected_and_coverage_follows(client: Client) -> None:
    place, made = await part(client, *PARTS[3])
    own = f"{place}/bridge-letters/{made['id']}"
    assert (await coverage(client, made["vendor_id"]))[0]["state"] == "bridged"
    changed = await client.patch(own, {"ends_on": "2026-01-31", "issued_on": "2026-01-15"}, etag='"1"')
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    assert (await client.get(own)).json() == changed.json()
    (row,) = await client.items("/v1/soc2-coverage")
    (found,) = await coverage(client, made["vendor_id"])
    assert (row["state"], found["state"]) == ("in_reliance", "in_reliance")
    assert "bridge_letter:changed" in await actions(client)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ends_on": "2025-12-31"}, "bridge_letter_invalid"),
        ({"ends_on": "2026-02-28"}, "bridge_letter_known"),
        ({"issued_on": "2026-04-01"}, "dates_invalid"),
        ({"document_id": "0192f0c1-2345-7abc-8def-0123456789ab"}, "reference_unknown"),
    ],
)
async def test_a_correction_that_no_new_letter_could_have_is_refused_and_changes_nothing(
    client: Client, wrong: dict[str, Any], code: str
) -> None:
    place, made = await part(client, *PARTS[3])
    await client.post(f"{place}/bridge-letters", {"ends_on": "2026-02-28"})
    own = f"{place}/bridge-letters/{made['id']}"
    refused = await client.patch(own, wrong, etag='"1"')
    assert (refused.status_code in {409, 422}, refused.json()["code"]) == (True, code), refused.text
    assert (await client.get(own)).json() == made
    assert "bridge_letter:changed" not in await actions(client)


async def test_parts_of_another_company_are_not_there(client: Client, other_company: Company) -> None:
    for kind, body in PARTS:
        made = await recorded(client, type_2(await vendor(client, f"Vendor of {kind}")))
        added = (await client.post(f"/v1/soc2-reports/{made['id']}/{kind}", body)).json()
        own = f"/v1/soc2-reports/{made['id']}/{kind}/{added['id']}"
        assert (await other_company.client.get(own)).status_code == 404
        assert (await other_company.client.delete(own, etag='"1"')).status_code == 404
        assert (await client.get(own)).status_code == 200
