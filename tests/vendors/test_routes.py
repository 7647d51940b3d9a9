"""Vendors by route: the record, its transitions, risk, reviews, offboarding, what it supplies, and intake."""

import asyncio
import json
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.vendors.make import ACME, GRAVE, added, member, registered, transitioned
from vendorrisk.vendors.lifecycle_model import NewIntakeRequest
from vendorrisk.vendors.model import NewVendor
from vendorrisk.vendors.supply_chain_model import NewFourthParty, NewVendorService

pytestmark = pytest.mark.anyio


async def test_a_vendor_is_registered_in_its_stored_form_and_read_back(client: Client) -> None:
    made = await client.post("/v1/vendors", ACME)
    assert made.status_code == 201, made.text
    vendor = made.json()
    assert vendor["name"] == "Acme Cloud"
    assert vendor["domains"] == ["acme.example", "xn--bcher-kva.de"]
    assert (vendor["country"], vendor["data_countries"]) == ("DE", ["DE", "IE"])
    assert (vendor["annual_spend"], vendor["currency"]) == ("125000.50", "EUR")
    assert vendor["vat"] == "DE136695976"
    assert vendor["tags"] == ["hosting", "saas"]
    assert (vendor["lifecycle"], vendor["intake"], vendor["tier"]) == ("prospect", "open", None)
    read = await client.get(made.headers["location"])
    assert (read.json(), read.headers["etag"]) == (vendor, '"1"')


async def test_every_error_of_a_vendor_is_told_with_its_place(client: Client) -> None:
    body = {
        "name": "Ac\u202eme",
        "lei": "213800KUD8LAJWSQ9D51",
        "country": "Atlantis",
        "domains": ["acme.example", "printer.local"],
        "contacts": [{"name": "Kim", "email": "kim@"}],
        "duns": "123",
    }
    refused = await client.post("/v1/vendors", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "vendor_field_invalid")
    pointers = {error["pointer"] for error in refused.json()["errors"]}
    assert pointers == {"/name", "/lei", "/country", "/domains/1", "/contacts/0/email", "/duns"}
    assert await client.items("/v1/vendors") == []


@pytest.mark.parametrize(
    ("first", "second", "code", "pointer"),
    [
        ({"name": "Café"}, {"name": "CAFE\u0301"}, "vendor_name_taken", "/name"),
        ({"name": "A", "domains": ["x.example"]}, {"name": "B", "domains": ["X.example"]}, "vendor_domain_taken", None),
        ({"name": "A", "reference": "R1"}, {"name": "B", "reference": "R1"}, "vendor_reference_taken", "/reference"),
        (
            {"name": "A", "lei": "213800KUD8LAJWSQ9D15"},
            {"name": "B", "lei": "213800kud8lajwsq9d15"},
            "vendor_lei_taken",
            "/lei",
        ),
    ],
)
async def test_what_belongs_to_one_vendor_cannot_be_given_to_another(
    client: Client, first: dict[str, Any], second: dict[str, Any], code: str, pointer: str | None
) -> None:
    await registered(client, **first)
    refused = await client.post("/v1/vendors", second)
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    assert pointer is None or refused.json()["errors"][0]["pointer"] == pointer
    assert len(await client.items("/v1/vendors")) == 1


async def test_a_domain_that_was_given_up_is_free_again(client: Client) -> None:
    first = await registered(client, name="A", domains=["a.example", "b.example"])
    changed = await client.patch(f"/v1/vendors/{first['id']}", {"domains": ["b.example"]}, etag='"1"')
    assert changed.status_code == 200
    assert (await client.post("/v1/vendors", {"name": "B", "domains": ["a.example"]})).status_code == 201
    assert (await client.post("/v1/vendors", {"name": "C", "domains": ["b.example"]})).status_code == 409


async def test_spend_needs_a_currency(client: Client) -> None:
    refused = await client.post("/v1/vendors", {"name": "A", "annual_spend": "5"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/currency")
    vendor = await registered(client, name="A", annual_spend="5", currency="USD")
    place = f"/v1/vendors/{vendor['id']}"
    assert (await client.patch(place, {"currency": None}, etag='"1"')).status_code == 422
    both = await client.patch(place, {"currency": None, "annual_spend": None}, etag='"1"')
    assert (both.json()["annual_spend"], both.json()["currency"]) == (None, None)


async def test_a_merge_patch_changes_what_it_names_and_nothing_else(client: Client) -> None:
    made = (await client.post("/v1/vendors", ACME)).json()
    changed = await client.patch(f"/v1/vendors/{made['id']}", {"description": None, "tags": ["B", "a"]}, etag='"1"')
    after = changed.json()
    assert (after["description"], after["tags"], after["version"]) == (None, ["a", "b"], 2)
    kept = {k: v for k, v in made.items() if k not in {"description", "tags", "version", "updated_at"}}
    assert {k: after[k] for k in kept} == kept


async def test_of_two_writers_one_is_told_that_the_record_has_moved_on(client: Client) -> None:
    vendor = await registered(client)
    place = f"/v1/vendors/{vendor['id']}"
    answers = await asyncio.gather(*(client.patch(place, {"tags": [f"t{n}"]}, etag='"1"') for n in range(5)))
    assert sorted(response.status_code for response in answers) == [200, 412, 412, 412, 412]
    (won,) = [response.json() for response in answers if response.status_code == 200]
    assert (await client.get(place)).json()["tags"] == won["tags"]


async def test_an_owner_must_be_a_member_of_the_same_tenant(client: Client, other_company: Company) -> None:
    foreign = await member(other_company.client, "x@example.com")
    refused = await client.post("/v1/vendors", {"name": "A", "business_owner_id": foreign})
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_unknown")
    own = await member(client, "x@example.com")
    assert (await registered(client, name="A", business_owner_id=own))["business_owner_id"] == own


async def test_another_tenant_sees_finds_and_changes_nothing(client: Client, other_company: Company) -> None:
    vendor = await registered(client, **ACME)
    service = await added(client, f"/v1/vendors/{vendor['id']}/services", name="Hosting")
    party = await added(client, f"/v1/vendors/{vendor['id']}/fourth-parties", name="Chips Inc")
    stranger, place = other_company.client, f"/v1/vendors/{vendor['id']}"
    for path in (
        place,
        f"{place}/inherent-risk",
        f"{place}/inherent-risk/history",
        f"{place}/reviews",
        f"{place}/offboarding",
        f"{place}/services",
        f"{place}/fourth-parties",
        f"/v1/vendor-services/{service['id']}",
        f"/v1/fourth-parties/{party['id']}",
    ):
        assert (await stranger.get(path)).status_code == 404, path
    assert (await stranger.patch(place, {"name": "X"}, etag='"1"')).status_code == 404
    assert (await stranger.post(f"{place}/transitions", {"to": "onboarding"}, etag='"1"')).status_code == 404
    assert (await stranger.post(f"{place}/services", {"name": "X"})).status_code == 404
    assert (await stranger.get("/v1/vendors/search", params={"q": "Acme"})).json() == {"items": []}
    assert await stranger.items("/v1/vendors") == []
    # Names and domains are unique within a tenant, so that none learns of another's vendors.
    assert (await stranger.post("/v1/vendors", ACME)).status_code == 201


async def test_roles_may_do_what_the_page_of_permissions_says(role_client: Any, client: Client) -> None:
    vendor = await registered(client)
    place = f"/v1/vendors/{vendor['id']}"
    auditor, owner = await role_client("auditor"), await role_client("owner")
    procurement = await role_client("procurement")
    for reader in (auditor, owner):
        assert (await reader.get(place)).status_code == 200
        assert (await reader.patch(place, {"tags": []}, etag='"1"')).status_code == 403
    assert (await auditor.post("/v1/intake-requests", {"name": "N", "purpose": "P"})).status_code == 403
    assert (await owner.post("/v1/intake-requests", {"name": "N", "purpose": "P"})).status_code == 201
    review = {"outcome": "satisfactory"}
    assert (await procurement.post(f"{place}/reviews", review, etag='"1"')).status_code == 403
    assert (await procurement.patch(place, {"tags": ["x"]}, etag='"1"')).status_code == 200


async def test_a_list_is_filtered_and_sorted_by_what_it_declares(client: Client) -> None:
    dana = await member(client, "dana@example.com")
    await registered(client, name="Beta", tier="low", tags=["eu"], annual_spend="5", currency="EUR")
    await registered(client, name="Alpha", tier="high", data_classes=["card", "personal"], business_owner_id=dana)
    await registered(client, name="Gamma", country="NO", annual_spend="70", currency="EUR", tags=["eu", "x"])

    async def names(*filters: str, **more: str) -> list[str]:
        return [v["name"] for v in await client.items("/v1/vendors", filter=list(filters), **more)]

    assert await names() == ["Alpha", "Beta", "Gamma"]
    assert await names("tier:in:low,high", sort="-name") == ["Beta", "Alpha"]
    assert await names("tier:null:true") == ["Gamma"]
    assert await names("tags:has:eu", "annual_spend:gt:10") == ["Gamma"]
    assert await names("data_classes:has:card") == ["Alpha"]
    assert await names(f"business_owner_id:eq:{dana}") == ["Alpha"]
    assert await names("country:eq:NO") == ["Gamma"]
    assert await names("name:eq:%") == []
    assert await names(sort="-annual_spend", limit="1") == ["Gamma", "Beta", "Alpha"]
    for wrong in ("contacts:eq:1", "tier:eq:huge", "tags:eq:eu", "annual_spend:gt:NaN", "search_text:eq:x"):
        assert (await client.get("/v1/vendors", params={"filter": wrong})).status_code == 400, wrong
    assert (await client.get("/v1/vendors", params={"sort": "lei"})).status_code == 400


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Nortwind Trders", "Northwind Traders"),
        ("northwnd", "Northwind Traders"),
        ("contso", "Contoso Payments"),
        ("wide-world.exmple", "Wide JobContext Importers"),
        ("WWI", "Wide JobContext Importers"),
        ("Müller", "Müller & Söhne"),
    ],
)
async def test_search_forgives_typing_errors_over_names_other_names_and_domains(
    client: Client, typed: str, found: str
) -> None:
    await registered(client, name="Northwind Traders")
    await registered(client, name="Contoso Payments", domains=["contoso.example"])
    await registered(client, name="Wide JobContext Importers", aliases=["WWI"], domains=["wide-world.example"])
    await registered(client, name="Müller & Söhne")
    items = (await client.get("/v1/vendors/search", params={"q": typed})).json()["items"]
    assert items[0]["name"] == found
    assert [item["similarity"] for item in items] == sorted((i["similarity"] for i in items), reverse=True)


@pytest.mark.parametrize("typed", ["%", "_", "\\", "'; drop table vendors", "xq", "🦊"])
async def test_search_takes_any_text_as_text(client: Client, typed: str) -> None:
    await registered(client)
    response = await client.get("/v1/vendors/search", params={"q": typed})
    assert (response.status_code, response.json()) == (200, {"items": []})


async def test_search_refuses_what_is_no_text(client: Client) -> None:
    for wrong in ("", " ", "a\x00b", "\u202e", "x" * 201):
        assert (await client.get("/v1/vendors/search", params={"q": wrong})).status_code == 400


async def test_a_vendor_becomes_active_when_all_is_there_and_hears_all_that_is_missing(client: Client) -> None:
    vendor = await registered(client)
    place = f"/v1/vendors/{vendor['id']}"
    jumped = await client.post(f"{place}/transitions", {"to": "active"}, etag='"1"')
    assert (jumped.status_code, jumped.json()["code"]) == (409, "vendor_transition_not_allowed")
    await transitioned(client, place, "onboarding")
    refused = await client.post(f"{place}/transitions", {"to": "active"}, etag=await client.etag(place))
    assert refused.json()["code"] == "vendor_transition_incomplete"
    codes = [error["code"] for error in refused.json()["errors"]]
    assert codes == ["intake_open", "inherent_risk_unanswered", "business_owner_missing"]
    await client.put(f"{place}/inherent-risk", GRAVE, etag=await client.etag(place))
    dana = await member(client, "dana@example.com")
    await client.patch(place, {"business_owner_id": dana}, etag=await client.etag(place))
    after = await transitioned(client, place, "active", intake_note="In use since 2019")
    assert (after["lifecycle"], after["intake"], after["intake_note"]) == ("active", "waived", "In use since 2019")
    assert (after["tier"], after["next_review_on"]) == ("critical", "2026-06-02")


async def test_waiving_the_intake_is_for_those_who_may_approve(client: Client, role_client: Any) -> None:
    vendor = await registered(client)
    place = f"/v1/vendors/{vendor['id']}"
    await transitioned(client, place, "onboarding")
    procurement = await role_client("procurement")
    body = {"to": "active", "intake_note": "trust me"}
    refused = await procurement.post(f"{place}/transitions", body, etag=await client.etag(place))
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


async def test_a_vendor_in_use_is_taken_over_as_active_with_owner_tier_and_reason(client: Client) -> None:
    refused = await client.post("/v1/vendors", {"name": "A", "lifecycle": "active"})
    pointers = [error["pointer"] for error in refused.json()["errors"]]
    assert (refused.status_code, pointers) == (422, ["/intake_note", "/business_owner_id", "/tier"])
    for state in ("suspended", "offboarding", "terminated"):
        assert (await client.post("/v1/vendors", {"name": "A", "lifecycle": state})).status_code == 422
    dana = await member(client, "dana@example.com")
    body = {"name": "A", "lifecycle": "active", "intake_note": "since 2019", "business_owner_id": dana, "tier": "high"}
    taken = await registered(client, **body, last_reviewed_on="2025-08-31")
    assert (taken["tier_source"], taken["next_review_on"]) == ("declared", "2026-02-28")


async def test_a_vendor_cannot_have_been_reviewed_on_a_day_to_come(client: Client) -> None:
    refused = await client.post("/v1/vendors", {"name": "A", "last_reviewed_on": "2026-03-03"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/last_reviewed_on")
    assert await client.items("/v1/vendors") == []


async def test_a_suspension_says_why_and_the_next_review_stays(client: Client) -> None:
    place = await active(client)
    silent = await client.post(f"{place}/transitions", {"to": "suspended"}, etag=await client.etag(place))
    assert (silent.status_code, silent.json()["errors"][0]["pointer"]) == (409, "/reason")
    after = await transitioned(client, place, "suspended", reason="Breach under investigation")
    assert (after["lifecycle_reason"], after["next_review_on"]) == ("Breach under investigation", "2026-06-02")


async def active(client: Client, name: str = "Acme") -> str:
    """Take a critical vendor over as active, with answers; return its place."""
    dana = await member(client, f"dana-{name.lower()}@example.com")
    body = {"name": name, "lifecycle": "active", "intake_note": "in use", "business_owner_id": dana, "tier": "low"}
    vendor = await registered(client, **body)
    place = f"/v1/vendors/{vendor['id']}"
    assert (await client.put(f"{place}/inherent-risk", GRAVE, etag='"1"')).status_code == 200
    return place


async def test_answers_give_a_tier_with_every_reason_and_move_the_next_review(client: Client) -> None:
    place = await active(client)
    shown = await client.get(f"{place}/inherent-risk")
    result = shown.json()["assessment"]["result"]
    assert (result["score"], result["tier"], result["model_version"]) == (77, "critical", "inherent-1")
    assert sum(factor["points"] for factor in result["factors"]) == 77
    assert {floor["key"] for floor in result["floors"]} >= {"special_categories_at_scale"}
    assert result["unknown"] == []
    vendor = (await client.get(place)).json()
    assert (vendor["tier"], vendor["tier_source"], vendor["inherent_score"]) == ("critical", "inherent_risk", 77)
    assert vendor["next_review_on"] == "2026-06-02"
    milder = await client.put(f"{place}/inherent-risk", dict.fromkeys(GRAVE, 0), etag=shown.headers["etag"])
    assert (milder.json()["assessment"]["tier"], milder.json()["next_review_on"]) == ("low", "2028-03-02")
    history = await client.items(f"{place}/inherent-risk/history")
    assert [entry["tier"] for entry in history] == ["low", "critical"]


async def test_unanswered_factors_are_listed_as_unknown(client: Client) -> None:
    vendor = await registered(client)
    place = f"/v1/vendors/{vendor['id']}"
    assert (await client.get(f"{place}/inherent-risk")).json()["assessment"] is None
    answered = await client.put(f"{place}/inherent-risk", {"access": 0, "criticality": None}, etag='"1"')
    assert len(answered.json()["assessment"]["result"]["unknown"]) == 7
    for wrong in ({"access": 5}, {"access": -1}, {"access": "3"}, {"acess": 1}, {"access": 2**63}, {"access": 1.5}):
        assert (await client.put(f"{place}/inherent-risk", wrong, etag='"2"')).status_code == 422


async def test_a_computed_tier_cannot_be_declared_away(client: Client) -> None:
    place = await active(client)
    refused = await client.patch(place, {"tier": "low"}, etag=await client.etag(place))
    assert (refused.status_code, refused.json()["code"]) == (409, "vendor_tier_is_computed")
    same = await client.patch(place, {"tier": "critical"}, etag=await client.etag(place))
    assert same.status_code == 200


async def test_the_questions_are_shown_with_scale_weights_and_floors(client: Client) -> None:
    model = (await client.get("/v1/inherent-risk-model")).json()
    assert [q["weight"] for q in model["questions"]] == [5, 3, 4, 5, 2, 4, 1, 2]
    assert all(len(q["scale"]) == 5 for q in model["questions"])
    assert model["cadence_months"] == {"critical": 3, "high": 6, "medium": 12, "low": 24}


async def test_a_review_moves_the_next_one_by_the_tier(client: Client, clock: FakeClock) -> None:
    place = await active(client)
    clock.advance(days=88)
    held = await client.post(
        f"{place}/reviews", {"outcome": "conditions", "note": "ok "}, etag=await client.etag(place)
    )
    assert held.status_code == 201, held.text
    assert (held.json()["reviewed_on"], held.json()["note"]) == ("2026-05-29", "ok")
    vendor = (await client.get(place)).json()
    assert (vendor["last_reviewed_on"], vendor["next_review_on"]) == ("2026-05-29", "2026-08-29")
    older = {"outcome": "satisfactory", "reviewed_on": "2026-04-01"}
    await client.post(f"{place}/reviews", older, etag=await client.etag(place))
    vendor = (await client.get(place)).json()
    assert (vendor["last_reviewed_on"], vendor["next_review_on"]) == ("2026-05-29", "2026-08-29")
    assert len(await client.items(f"{place}/reviews")) == 2


async def test_a_review_cannot_lie_ahead_nor_be_of_a_vendor_not_in_use(client: Client) -> None:
    place = await active(client)
    etag = await client.etag(place)
    for wrong in ({"reviewed_on": "2026-03-03"}, {"next_review_on": "2026-03-02"}, {"reviewed_on": "1776-07-04"}):
        refused = await client.post(f"{place}/reviews", {"outcome": "satisfactory", **wrong}, etag=etag)
        assert (refused.status_code, refused.json()["code"]) == (422, "vendor_field_invalid")
    prospect = await registered(client, name="New")
    unused = await client.post(f"/v1/vendors/{prospect['id']}/reviews", {"outcome": "satisfactory"}, etag='"1"')
    assert unused.json()["code"] == "vendor_not_reviewed"
    assert await client.items(f"{place}/reviews") == []


async def test_a_vendor_is_terminated_once_its_checklist_is_resolved(client: Client) -> None:
    place = await active(client)
    after = await transitioned(client, place, "offboarding")
    assert after["next_review_on"] is None
    steps = (await client.get(f"{place}/offboarding")).json()["items"]
    assert [(step["step"], step["state"]) for step in steps] == [
        ("access_removed", "open"),
        ("data_returned", "open"),
        ("deletion_proven", "open"),
    ]
    early = await client.post(f"{place}/transitions", {"to": "terminated"}, etag=await client.etag(place))
    assert len(early.json()["errors"]) == 3
    bare = await client.put(f"{place}/offboarding/deletion_proven", {"state": "done"}, etag='"1"')
    assert (bare.status_code, bare.json()["errors"][0]["pointer"]) == (422, "/proof")
    silent = await client.put(f"{place}/offboarding/data_returned", {"state": "waived"}, etag='"1"')
    assert (silent.status_code, silent.json()["errors"][0]["pointer"]) == (422, "/note")
    for step, body in (
        ("deletion_proven", {"state": "done", "proof": "certificate 4711"}),
        ("data_returned", {"state": "waived", "note": "None was held"}),
        ("access_removed", {"state": "done"}),
    ):
        resolved = await client.put(f"{place}/offboarding/{step}", body, etag='"1"')
        assert (resolved.status_code, resolved.json()["resolved_at"]) == (200, "2026-03-02T08:00:00Z")
    assert (await transitioned(client, place, "terminated"))["lifecycle"] == "terminated"
    late = await client.put(f"{place}/offboarding/access_removed", {"state": "open"}, etag='"2"')
    assert (late.status_code, late.json()["code"]) == (409, "offboarding_not_begun")


async def test_a_vendor_that_comes_back_is_asked_about_anew(client: Client) -> None:
    vendor = await registered(client, intake_note="known")
    place = f"/v1/vendors/{vendor['id']}"
    await transitioned(client, place, "terminated", reason="Not chosen")
    after = await transitioned(client, place, "prospect", reason="Chosen after all")
    assert (after["intake"], after["intake_note"]) == ("open", None)


async def test_services_are_kept_apart_by_name_and_removed_while_unused(client: Client) -> None:
    vendor = await registered(client)
    place = f"/v1/vendors/{vendor['id']}/services"
    body = {"name": "Hosting", "data_classes": ["personal"], "is_uptime_critical": True}
    made = await client.post(place, body)
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/vendor-services/{made.json()['id']}")
    assert (await client.post(place, {"name": "HOSTING"})).json()["code"] == "service_name_taken"
    changed = await client.patch(made.headers["location"], {"handles_transactions": True}, etag='"1"')
    assert (changed.json()["handles_transactions"], changed.json()["is_uptime_critical"]) == (True, True)
    assert (await client.delete(made.headers["location"], etag='"1"')).status_code == 412
    party = await added(client, f"/v1/vendors/{vendor['id']}/fourth-parties", name="DC", service_id=made.json()["id"])
    assert (await client.delete(made.headers["location"], etag='"2"')).json()["code"] == "in_use"
    assert (await client.delete(f"/v1/fourth-parties/{party['id']}", etag='"1"')).status_code == 204
    assert (await client.delete(made.headers["location"], etag='"2"')).status_code == 204
    assert await client.items(place) == []


async def test_fourth_parties_link_to_own_services_and_to_vendors_we_know(client: Client) -> None:
    vendor, provider = await registered(client, name="A"), await registered(client, name="B")
    elsewhere = await added(client, f"/v1/vendors/{provider['id']}/services", name="Hosting")
    place = f"/v1/vendors/{vendor['id']}/fourth-parties"
    linked = await client.post(place, {"name": "B", "provider_id": provider["id"], "purpose": "Data centre"})
    assert (linked.status_code, linked.json()["provider_id"]) == (201, provider["id"])
    assert (await client.post(place, {"name": "b"})).json()["code"] == "fourth_party_name_taken"
    itself = await client.post(place, {"name": "A", "provider_id": vendor["id"]})
    assert itself.json()["code"] == "fourth_party_is_the_vendor"
    foreign = await client.post(place, {"name": "C", "service_id": elsewhere["id"]})
    assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "/service_id")
    nobody = await client.post(place, {"name": "C", "provider_id": "00000000-0000-0000-0000-000000000000"})
    assert (nobody.status_code, nobody.json()["errors"][0]["pointer"]) == (422, "/provider_id")


async def test_a_request_is_approved_by_someone_else_and_its_vendor_goes_into_onboarding(
    client: Client, role_client: Any
) -> None:
    dana = await member(client, "dana@example.com")
    business = await role_client("owner", member_id=dana)
    body = {"name": "Acme", "purpose": "New shop", "domain": "https://acme.example/x", "data_classes": ["card"]}
    asked = (await business.post("/v1/intake-requests", body)).json()
    assert (asked["state"], asked["domain"], asked["business_owner_id"]) == ("open", "acme.example", dana)
    place = f"/v1/intake-requests/{asked['id']}"
    reviewer = await role_client("reviewer")
    approved = await reviewer.post(f"{place}/approval", {"reason": "fits"}, etag='"1"')
    assert approved.status_code == 200, approved.text
    vendor = (await client.get(f"/v1/vendors/{approved.json()['vendor_id']}")).json()
    assert (vendor["lifecycle"], vendor["intake"], vendor["business_owner_id"]) == ("onboarding", "approved", dana)
    assert (vendor["domains"], vendor["data_classes"]) == (["acme.example"], ["card"])
    again = await reviewer.post(f"{place}/rejection", {"reason": "no"}, etag='"2"')
    assert (again.status_code, again.json()["code"]) == (409, "intake_decided")


async def test_whoever_asked_cannot_decide_neither_by_another_key_of_theirs(client: Client, role_client: Any) -> None:
    body = {"name": "Dana", "email": "dana@example.com", "roles": ["reviewer"]}
    dana = (await client.post("/v1/members", body)).json()["id"]
    asking, deciding = await role_client("reviewer", member_id=dana), await role_client("reviewer", member_id=dana)
    asked = (await asking.post("/v1/intake-requests", {"name": "Acme", "purpose": "P"})).json()
    for same in (asking, deciding):
        for path, body in (("approval", {}), ("rejection", {"reason": "no"})):
            refused = await same.post(f"/v1/intake-requests/{asked['id']}/{path}", body, etag='"1"')
            assert (refused.status_code, refused.json()["code"]) == (409, "four_eyes_needed")
    assert await client.items("/v1/vendors") == []


async def test_a_request_for_a_known_prospect_moves_that_one(client: Client, role_client: Any) -> None:
    vendor = await registered(client)
    business, reviewer = await role_client("owner"), await role_client("reviewer")
    body = {"name": "Acme", "purpose": "P", "vendor_id": vendor["id"]}
    asked = (await business.post("/v1/intake-requests", body)).json()
    await reviewer.post(f"/v1/intake-requests/{asked['id']}/approval", {}, etag='"1"')
    after = (await client.get(f"/v1/vendors/{vendor['id']}")).json()
    assert (after["lifecycle"], after["intake"]) == ("onboarding", "approved")
    assert len(await client.items("/v1/vendors")) == 1


async def test_a_request_for_a_terminated_vendor_is_approved_only_once_it_is_a_prospect_again(
    client: Client, role_client: Any
) -> None:
    vendor = await registered(client)
    place, reason = f"/v1/vendors/{vendor['id']}", "No longer needed"
    ended = await client.post(f"{place}/transitions", {"to": "terminated", "reason": reason}, etag='"1"')
    assert ended.status_code == 200, ended.text
    business, reviewer = await role_client("owner"), await role_client("reviewer")
    body = {"name": "Acme", "purpose": "P", "vendor_id": vendor["id"]}
    asked = (await business.post("/v1/intake-requests", body)).json()
    approval = f"/v1/intake-requests/{asked['id']}/approval"
    refused = await reviewer.post(approval, {}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "vendor_transition_not_allowed")
    assert "prospect" in refused.json()["detail"]
    assert (await client.get(f"/v1/intake-requests/{asked['id']}")).json()["state"] == "open"
    after = (await client.get(place)).json()
    assert (after["lifecycle"], after["intake"], after["version"]) == ("terminated", "open", 2)
    await client.post(f"{place}/transitions", {"to": "prospect", "reason": "Needed again"}, etag='"2"')
    assert (await reviewer.post(approval, {}, etag='"1"')).status_code == 200
    back = (await client.get(place)).json()
    assert (back["lifecycle"], back["intake"]) == ("onboarding", "approved")


async def test_a_rejected_request_makes_no_vendor(client: Client, role_client: Any) -> None:
    business, reviewer = await role_client("owner"), await role_client("reviewer")
    asked = (await business.post("/v1/intake-requests", {"name": "Acme", "purpose": "P"})).json()
    place = f"/v1/intake-requests/{asked['id']}"
    assert (await reviewer.post(f"{place}/rejection", {}, etag='"1"')).status_code == 422
    refused = await reviewer.post(f"{place}/rejection", {"reason": "Duplicate"}, etag='"1"')
    assert (refused.json()["state"], refused.json()["decision_reason"]) == ("rejected", "Duplicate")
    assert await client.items("/v1/vendors") == []


async def test_in_a_bulk_each_item_stands_or_falls_alone(client: Client) -> None:
    items = [{"name": "A"}, {"name": "a"}, {"nam": "B"}, {"name": "C", "country": "XX"}, {"name": "D"}]
    response = (await client.post("/v1/vendors/bulk-registrations", {"items": items})).json()
    assert [item.get("code") for item in response["items"]] == [
        None,
        "vendor_name_taken",
        "body_invalid",
        "vendor_field_invalid",
        None,
    ]
    assert (response["done"], response["failed"]) == (2, 3)
    assert {error["pointer"] for error in response["items"][2]["errors"]} == {"/items/2/nam", "/items/2/name"}
    assert [v["name"] for v in await client.items("/v1/vendors")] == ["A", "D"]
    actions = [entry["action"] for entry in await client.items("/v1/audit-entries")]
    assert actions.count("vendor:registered") == 2


async def test_bulk_changes_hold_each_vendor_to_its_version(client: Client) -> None:
    first, second = await registered(client, name="A"), await registered(client, name="B")
    items = [
        {"id": first["id"], "version": 1, "tags": ["x"]},
        {"id": second["id"], "version": 9, "tags": ["x"]},
        {"id": second["id"], "version": 1, "name": "A"},
        {"id": "00000000-0000-0000-0000-000000000000", "version": 1},
    ]
    response = (await client.post("/v1/vendors/bulk-changes", {"items": items})).json()
    codes = [item.get("code") for item in response["items"]]
    assert codes == [None, "version_stale", "vendor_name_taken", "not_found"]
    assert (await client.get(f"/v1/vendors/{second['id']}")).json()["version"] == 1


async def test_every_write_leaves_one_entry_and_a_refused_one_none(client: Client) -> None:
    place = await active(client)
    before = len(await client.items("/v1/audit-entries"))
    etag = await client.etag(place)
    await client.patch(place, {"tags": ["x"]}, etag=etag)
    await client.patch(place, {"tags": ["y"]}, etag=etag)
    await client.post(f"{place}/reviews", {"outcome": "satisfactory"}, etag=await client.etag(place))
    await transitioned(client, place, "offboarding")
    await client.put(f"{place}/offboarding/access_removed", {"state": "done"}, etag='"1"')
    entries = await client.items("/v1/audit-entries")
    actions = [entry["action"] for entry in entries[: len(entries) - before]]
    assert actions == ["offboarding_step:resolved", "vendor:transitioned", "vendor:reviewed", "vendor:changed"]
    assert entries[3]["before"]["tags"] == []
    assert entries[3]["after"]["tags"] == ["x"]


BAD_VALUES = [
    *("", " ", "a\x00", "\ud800", "\u202eevil", "x" * 5000, "a" + "\u0301" * 50, 5, -5, None, [], [None], {}, True),
    *([[]], [{}], ["", ""], 2**63, 10**400, 1.5, -0.0, "NaN", "0000-00-00"),
]
BAD_DATES = ["0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "2025-02-29", "2026-02-30", "now", 5, "2026-1-1"]


@pytest.mark.parametrize("path", ["/v1/vendors", "/v1/intake-requests", "services", "fourth-parties"])
async def test_no_value_of_any_field_is_an_error_of_ours(client: Client, path: str) -> None:
    vendor = await registered(client, name="First")
    place = path if path.startswith("/") else f"/v1/vendors/{vendor['id']}/{path}"
    whole = {"/v1/vendors": NewVendor, "/v1/intake-requests": NewIntakeRequest, "services": NewVendorService}
    good = {"name": "Acme", "purpose": "P"} if "intake" in path else {"name": "Acme"}
    for field in whole.get(path, NewFourthParty).__struct_fields__:
        for value in BAD_VALUES:
            response = await client.post(place, json.dumps({**good, field: value}).encode())
            assert response.status_code in {201, 400, 409, 422}, (field, value, response.text)


async def test_no_date_is_an_error_of_ours(client: Client) -> None:
    for value in BAD_DATES:
        response = await client.post("/v1/vendors", {"name": "Acme", "last_reviewed_on": value})
        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["pointer"] == "/last_reviewed_on"
