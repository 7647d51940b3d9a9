"""How often vendors are reviewed is the tenant's to say, and the dates follow."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.vendors.make import GRAVE, member, registered

pytestmark = pytest.mark.anyio

DEFAULT = {"critical_months": 3, "high_months": 6, "medium_months": 12, "low_months": 24}


async def _active(client: Client, name: str, tier: str, **more: Any) -> str:
    owner = await member(client, f"{name.lower()}@example.com")
    body = {"lifecycle": "active", "intake_note": "in use", "business_owner_id": owner, "tier": tier, **more}
    return str((await registered(client, name=name, **body))["id"])


async def _next(client: Client, vendor_id: str) -> str:
    return str((await client.get(f"/v1/vendors/{vendor_id}")).json()["next_review_on"])


async def _set(client: Client, **months: int) -> None:
    version = (await client.get("/v1/review-policy")).headers["etag"]
    kept = await client.put("/v1/review-policy", {**DEFAULT, **months}, etag=version)
    assert kept.status_code == 200, kept.text


async def test_without_a_policy_critical_vendors_are_reviewed_quarterly(client: Client) -> None:
    assert (await client.get("/v1/review-policy")).json() == {**DEFAULT, "version": 0}
    assert (await client.get("/v1/inherent-risk-model")).json()["cadence_months"] == {
        "critical": 3,
        "high": 6,
        "medium": 12,
        "low": 24,
    }


async def test_dates_that_follow_from_the_cadence_follow_the_new_one_and_those_set_by_hand_stay(
    client: Client, other_company: Company
) -> None:
    reviewed = await _active(client, "A", "high", last_reviewed_on="2025-08-31")
    taken_over = await _active(client, "B", "high")
    by_hand = await _active(client, "C", "high", next_review_on="2026-05-05")
    critical = await _active(client, "D", "critical", last_reviewed_on="2026-01-31")
    theirs = await _active(other_company.client, "A", "high", last_reviewed_on="2025-08-31")
    assert await _next(client, reviewed) == "2026-02-28"
    await _set(client, high_months=9)
    assert await _next(client, reviewed) == "2026-05-31"
    assert await _next(client, taken_over) == "2026-12-02"
    assert await _next(client, by_hand) == "2026-05-05"
    assert await _next(client, critical) == "2026-04-30"
    assert await _next(other_company.client, theirs) == "2026-02-28"
    (entry, *_) = await client.items("/v1/audit-entries", limit=1)
    assert (entry["action"], entry["after"]["vendors_rescheduled"]) == ("review_policy:changed", 2)
    coming = await client.items("/v1/alerts/upcoming", until="2027-01-31", limit=200)
    assert {a["due_on"] for a in coming if a["alert_class"] == "review_due"} >= {"2026-05-31", "2026-12-02"}


async def test_reviews_answers_and_imports_go_by_the_tenants_cadence(client: Client) -> None:
    await _set(client, critical_months=1, low_months=36)
    vendor_id = await _active(client, "A", "low", last_reviewed_on="2026-01-31")
    place = f"/v1/vendors/{vendor_id}"
    assert await _next(client, vendor_id) == "2029-01-31"
    await client.put(f"{place}/inherent-risk", GRAVE, etag=await client.etag(place))
    assert await _next(client, vendor_id) == "2026-02-28"
    await client.post(f"{place}/reviews", {"outcome": "satisfactory"}, etag=await client.etag(place))
    assert await _next(client, vendor_id) == "2026-04-02"
    sheet = b"Name,Tier,Status,Last review\nB,low,active,2026-01-31\n"
    sent = await client.post(
        "/v1/vendor-imports", sheet, headers={"content-type": "text/csv"}, params={"dry_run": False}
    )
    assert sent.json()["state"] == "applied", sent.text
    dates = {v["name"]: v["next_review_on"] for v in await client.items("/v1/vendors")}
    assert dates["B"] == "2029-01-31"


@pytest.mark.parametrize("wrong", [{"low_months": 0}, {"low_months": 61}, {"low_months": None}, {"tiny_months": 3}])
async def test_a_policy_takes_months_within_reason_only(client: Client, wrong: dict[str, Any]) -> None:
    refused = await client.put("/v1/review-policy", {**DEFAULT, **wrong}, etag='"0"')
    assert refused.status_code == 422
    assert (await client.get("/v1/review-policy")).json()["version"] == 0
