"""Products that a vendor runs: corrected in place."""

import pytest

from tests.client import Client
from tests.evidence.make import vendor

pytestmark = pytest.mark.anyio


async def test_a_product_is_corrected_under_its_own_id(client: Client) -> None:
    place = f"/v1/vendors/{await vendor(client)}/products"
    made = (await client.post(place, {"maker": "Ivanti", "product": "Conect Secure"})).json()
    own = f"/v1/vendor-products/{made['id']}"
    changed = await client.patch(own, {"product": "Connect Secure"}, etag='"1"')
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    assert (await client.get(own)).json() == changed.json()
    found = await client.items("/v1/vendor-products", filter="product:eq:connect secure")
    assert [product["id"] for product in found] == [made["id"]], "what it is compared by follows its name"
    log = await client.items("/v1/audit-entries", filter="action:eq:vendor_product:changed")
    assert [(entry["before"]["product"], entry["after"]["product"]) for entry in log] == [
        ("Conect Secure", "Connect Secure")
    ]


async def test_a_product_that_is_there_already_or_has_no_name_is_refused_and_nothing_changes(client: Client) -> None:
    place = f"/v1/vendors/{await vendor(client)}/products"
    await client.post(place, {"maker": "Ivanti", "product": "Connect Secure"})
    made = (await client.post(place, {"maker": "Ivanti", "product": "Policy Secure"})).json()
    own = f"/v1/vendor-products/{made['id']}"
    twin = await client.patch(own, {"product": "CONNECT-SECURE"}, etag='"1"')
    assert (twin.status_code, twin.json()["code"]) == (409, "product_noted")
    nameless = await client.patch(own, {"product": "--"}, etag='"1"')
    assert (nameless.status_code, nameless.json()["code"]) == (422, "product_nameless")
    stale = await client.patch(own, {"product": "Other"}, etag='"9"')
    assert stale.status_code == 412
    assert (await client.get(own)).json() == made
