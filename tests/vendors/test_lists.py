"""Lists: filters that normalise as writes do, weights, and the lists across vendors."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.evidence.make import recorded, type_2
from tests.vendors.make import ACME, added, registered

pytestmark = pytest.mark.anyio


async def names(client: Client, *filters: str, sort: str = "name", path: str = "/v1/vendors") -> list[str]:
    found = await client.get(path, params={"filter": list(filters), "sort": sort})
    assert found.status_code == 200, found.text
    return [item["name"] for item in found.json()["items"]]


@pytest.mark.parametrize(
    "text",
    [
        "country:eq:de",
        "country:eq:Germany",
        "tags:has:SaaS",
        "name:eq:acme cloud",
        "name:in:ACME  CLOUD,other",
        "aliases:has: ACME ",
        "domains:has:https://www.acme.example/",
        "domains:has:BÜCHER.de",
        "data_countries:has:ie",
        "legal_name:eq:Acme  Cloud GmbH",
        "vat:eq:de 136695976",
        "duns:eq:15-048-3782",
        "lei:eq:213800kud8lajwsq9d15",
        "currency:eq:eur",
        "reference:eq: V-001",
    ],
)
@pytest.mark.parametrize("path", ["/v1/vendors", "/v1/overview/vendors"])
async def test_a_filter_takes_a_value_as_a_write_does(company: Company, text: str, path: str) -> None:
    await registered(company.client, **ACME)
    await registered(company.client, name="Another", country="FR", tags=["paas"])
    assert await names(company.client, text, path=path) == ["Acme Cloud"]


async def test_a_value_that_no_record_can_have_is_refused_with_what_to_write(company: Company) -> None:
    refused = await company.client.get("/v1/vendors", params={"filter": "country:eq:Atlantis"})
    assert (refused.status_code, refused.json()["code"]) == (400, "filter_invalid")
    assert "two-letter code" in refused.json()["detail"]


async def test_tiers_are_sorted_and_compared_by_weight(company: Company) -> None:
    client = company.client
    for tier in ("low", "critical", None, "medium", "high"):
        await registered(client, name=str(tier), **({"tier": tier} if tier else {}))
    by_weight = ["critical", "high", "medium", "low", "None"]
    assert await names(client, sort="-tier") == by_weight
    assert await names(client, sort="tier") == by_weight[::-1]
    assert await names(client, "tier:gte:high", sort="-tier") == ["critical", "high"]
    paged = await client.items("/v1/vendors", sort="-tier", limit=2)
    assert [item["name"] for item in paged] == by_weight
    paged = await client.items("/v1/vendors", sort="tier", limit=1)
    assert [item["name"] for item in paged] == by_weight[::-1]


async def test_findings_are_sorted_by_weight_and_filtered_by_the_tier_of_their_vendor(company: Company) -> None:
    client = company.client
    for tier in ("critical", "low"):
        vendor = await registered(client, name=tier, tier=tier)
        for severity in ("medium", "critical"):
            await added(client, "/v1/findings", vendor_id=vendor["id"], title=f"{tier} {severity}", severity=severity)
    sorted_ones = await client.items("/v1/findings", sort="-severity", limit=1)
    assert [item["severity"] for item in sorted_ones] == ["critical", "critical", "medium", "medium"]
    grave = await client.items("/v1/findings", filter=["tier:gte:high", "severity:gte:high"])
    assert [item["title"] for item in grave] == ["critical critical"]


async def test_lists_across_vendors_show_each_vendors_own_by_name_and_keep_to_the_tenant(
    company: Company, other_company: Company
) -> None:
    client = company.client
    for name in ("Nimbus", "Borealis"):
        vendor_id = (await registered(client, name=name))["id"]
        await added(client, f"/v1/vendors/{vendor_id}/services", name="Storage")
        await added(client, f"/v1/vendors/{vendor_id}/fourth-parties", name="Hosting")
        await added(client, f"/v1/vendors/{vendor_id}/assets", kind="domain", name=f"{name.lower()}.com")
        await added(client, f"/v1/vendors/{vendor_id}/products", maker="Ivanti", product="Connect Secure")
        report = type_2(
            vendor_id,
            cuecs=[{"control": "Review access"}],
            exceptions=[{"criterion": "CC6.1", "control": "x", "deviation": "y"}],
            subservice_organisations=[{"name": "Host", "method": "carve_out"}],
        )
        await recorded(client, report)
    for path in (
        *("vendor-services", "fourth-parties", "vendor-assets", "vendor-products"),
        *("cuecs", "exceptions", "subservice-organisations"),
    ):
        rows = await client.items(f"/v1/{path}", limit=1)
        assert sorted(row["vendor_name"] for row in rows) == ["Borealis", "Nimbus"], path
        one = await client.items(f"/v1/{path}", filter=f"vendor_id:eq:{vendor_id}")
        assert [row["vendor_name"] for row in one] == ["Borealis"], path
        assert await other_company.client.items(f"/v1/{path}") == [], path


async def test_cuecs_without_an_owner_are_listed_across_reports(company: Company) -> None:
    client = company.client
    owner = (await added(client, "/v1/members", name="O", email="o@example.com", roles=["owner"]))["id"]
    vendor_id = (await registered(client))["id"]
    cuecs: list[dict[str, Any]] = [{"control": "Owned", "owner_id": owner}, {"control": "Unowned"}]
    await recorded(client, type_2(vendor_id, cuecs=cuecs))
    rows = await client.items("/v1/cuecs", filter="owner_id:null:true")
    assert [row["control"] for row in rows] == ["Unowned"]


async def test_a_vendor_that_changed_comes_last_of_what_changed(company: Company, clock: Any) -> None:
    client = company.client
    first = await registered(client, name="First")
    clock.advance(minutes=1)
    await registered(client, name="Second")
    clock.advance(minutes=1)
    place = f"/v1/vendors/{first['id']}"
    changed = await client.patch(place, {"tags": ["x"]}, etag=await client.etag(place))
    assert await names(client, sort="updated_at") == ["Second", "First"]
    since = changed.json()["updated_at"]
    assert await names(client, f"updated_at:gte:{since}", sort="updated_at") == ["First"]
