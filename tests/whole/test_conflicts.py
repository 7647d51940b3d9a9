"""A conflict names the other record, by name and id, to a caller who may see it; a walk over everything unique."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.http.make import DANA
from vendorrisk.errors import Code

pytestmark = pytest.mark.anyio

LEI = "529900T8BM49AURSDO55"


async def made(client: Client, path: str, body: Any) -> Any:
    response = await client.post(path, body)
    assert response.status_code == 201, response.text
    return response.json()


async def acme(client: Client) -> Any:
    return await made(
        client, "/v1/vendors", {"name": "Acme", "reference": "V-1", "domains": ["a.example", "b.example"], "lei": LEI}
    )


def named(refused: Any, code: str, holder: Any, name: str) -> None:
    told = refused.json()
    assert (refused.status_code, told["code"]) == (409, code), refused.text
    assert f'"{name}" ({holder["id"]}).' in told["detail"]
    assert [fault["record_id"] for fault in told["errors"]] == [holder["id"]]
    assert told["errors"][0]["detail"] == told["detail"]
    assert told["request_id"]


VENDORS = {
    "vendor_name_taken": {"name": "ACME"},
    "vendor_domain_taken": {"domains": ["free.example", "b.example"]},
    "vendor_reference_taken": {"reference": "V-1"},
    "vendor_lei_taken": {"lei": LEI},
}


@pytest.mark.parametrize(("code", "body"), VENDORS.items(), ids=VENDORS.keys())
async def test_what_another_vendor_has_is_refused_with_that_vendor(client: Client, code: str, body: Any) -> None:
    other = await acme(client)
    named(await client.post("/v1/vendors", {"name": "Nimbus", **body}), code, other, "Acme")
    second = await made(client, "/v1/vendors", {"name": "Second"})
    named(await client.patch(f"/v1/vendors/{second['id']}", body, etag='"1"'), code, other, "Acme")
    items = [{"name": "Nimbus", **body}]
    told = (await client.post("/v1/vendors/bulk-registrations", {"items": items})).json()["items"][0]
    assert (told["code"], told["errors"][0]["record_id"]) == (code, other["id"])
    assert told["errors"][0]["pointer"] == f"/items/0/{next(iter(body))}"
    assert {one["name"] for one in await client.items("/v1/vendors")} == {"Acme", "Second"}


async def test_of_several_domains_the_one_that_is_taken_is_named(client: Client) -> None:
    other = await acme(client)
    refused = await client.post("/v1/vendors", {"name": "Nimbus", **VENDORS["vendor_domain_taken"]})
    assert f'"b.example" is with "Acme" ({other["id"]}).' in refused.json()["detail"]


async def test_every_other_conflict_names_the_other_record_too(client: Client) -> None:
    vendor_id = (await acme(client))["id"]
    vendor = f"/v1/vendors/{vendor_id}"
    finding = {"vendor_id": vendor_id, "title": "No MFA", "severity": "low", "reference": "R-1"}
    document = {"vendor_id": vendor_id, "title": "Policy", "kind": "policy", "reference": "R-1"}
    codes = set()
    for path, code, name, body in (
        ("/v1/members", "member_email_taken", "Dana Reyes", {**DANA, "name": "Dana Reyes"}),
        ("/v1/receivers", "receiver_name_taken", "Ops", {"name": "Ops", "target": {"kind": "console"}}),
        (f"{vendor}/services", "service_name_taken", "Hosting", {"name": "Hosting"}),
        (f"{vendor}/fourth-parties", "fourth_party_name_taken", "Chips", {"name": "Chips"}),
        (f"{vendor}/assets", "asset_attached", "acme.com", {"kind": "domain", "name": "acme.com"}),
        ("/v1/findings", "finding_reference_taken", "No MFA", finding),
        ("/v1/documents", "document_reference_taken", "Policy", document),
        ("/v1/questionnaires", "questionnaire_key_taken", "Cloud", {"key": "cloud", "title": "Cloud"}),
        (f"{vendor}/products", "product_noted", "Connect", {"maker": "Ivanti", "product": "Connect"}),
    ):
        other = await made(client, path, body)
        named(await client.post(path, body), code, other, name)
        codes.add(code)
    taken = {code.code for code in Code if code.code.endswith("_taken")} - set(VENDORS) - {"tenant_name_taken"}
    assert taken <= codes


async def test_a_report_that_is_recorded_already_is_named(client: Client) -> None:
    vendor = await acme(client)
    body = {
        "vendor_id": vendor["id"],
        "report_type": "type_2",
        "period_start_on": "2025-01-01",
        "period_end_on": "2025-12-31",
        "opinion": "unqualified",
        "categories": ["security"],
    }
    other = await made(client, "/v1/soc2-reports", body)
    named(await client.post("/v1/soc2-reports", body), "soc2_report_known", other, "type_2 to 2025-12-31")
    letters = f"/v1/soc2-reports/{other['id']}/bridge-letters"
    letter = await made(client, letters, {"ends_on": "2026-01-31"})
    again = await client.post(letters, {"ends_on": "2026-01-31"})
    named(again, "bridge_letter_known", letter, "letter to 2026-01-31")


async def test_a_report_without_security_is_refused_with_a_code_that_says_so(client: Client) -> None:
    vendor = await acme(client)
    body = {
        "vendor_id": vendor["id"],
        "report_type": "type_1",
        "as_of_on": "2025-12-31",
        "opinion": "unqualified",
        "categories": ["availability"],
    }
    refused = await client.post("/v1/soc2-reports", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "security_category_missing")
    faults = [(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]]
    assert faults == [("/categories", "security_category_missing")]


async def test_who_may_not_read_vendors_learns_no_name(client: Client, company: Company, api: Any) -> None:
    from tests.conftest import client_of

    await acme(client)
    body = {"name": "ci", "roles": ["admin"], "scopes": ["vendors:write"]}
    key = (await made(client, "/v1/api-keys", body))["secret"]
    refused = await client_of(api, key).post("/v1/vendors", {"name": "acme"})
    assert (refused.status_code, refused.json()["code"]) == (409, "vendor_name_taken")
    assert "Acme" not in refused.text
    assert "record_id" not in refused.text
    assert company.tenant.name not in refused.text


async def test_another_tenant_takes_the_same_names_and_meets_nobody(client: Client, other_company: Company) -> None:
    await acme(client)
    assert (await acme(other_company.client))["name"] == "Acme"


async def test_a_score_that_is_not_there_yet_is_null_and_says_why(client: Client) -> None:
    place = f"/v1/vendors/{(await made(client, '/v1/vendors', {'name': 'Nimbus'}))['id']}"
    bare = await client.get(f"{place}/signal-score")
    told = bare.json()
    assert (bare.status_code, told["score"], told["number"], told["grade"]) == (200, None, None, "NR")
    assert (told["reason"], told["id"], told["scored_at"]) == ("not_watched", None, None)
    await made(client, f"{place}/assets", {"kind": "domain", "name": "nimbus.com"})
    assert (await client.get(f"{place}/signal-score")).json()["reason"] == "not_scored_yet"
    assert await client.items(f"{place}/signal-scores") == []


async def test_what_follows_from_a_record_that_exists_is_never_told_as_an_unknown_id(client: Client) -> None:
    vendor = f"/v1/vendors/{(await made(client, '/v1/vendors', {'name': 'Nimbus'}))['id']}"
    body = {"vendor_id": vendor.rpartition("/")[2], "title": "By hand", "severity": "low"}
    finding = f"/v1/findings/{(await made(client, '/v1/findings', body))['id']}"
    risk = await client.get(f"{vendor}/inherent-risk")
    assert (risk.status_code, risk.json()["assessment"]) == (200, None)
    assert risk.headers["etag"] == '"1"'
    step = await client.get(f"{vendor}/offboarding/access_removed")
    assert (step.status_code, step.json()["code"]) == (409, "offboarding_not_begun")
    signal = await client.get(f"{finding}/signal")
    assert (signal.status_code, signal.json()["code"]) == (404, "finding_without_signal")
    nobody = await client.get("/v1/findings/018f0000-0000-7000-8000-000000000000/signal")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")
