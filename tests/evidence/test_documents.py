"""Documents that are no SOC 2 reports: when each kind ends, by default and by policy, and what it proves."""

from datetime import date
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.evidence.make import coverage, recorded, type_2, vendor
from tests.vendors.make import member, transitioned
from vendorrisk.background import JobContext
from vendorrisk.evidence.jobs import age_coverage, age_documents

pytestmark = pytest.mark.anyio


async def _added(client: Client, vendor_id: str, kind: str, **dates: Any) -> Any:
    made = await client.post("/v1/documents", {"vendor_id": vendor_id, "kind": kind, "title": kind, **dates})
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize(
    ("kind", "dates", "expires_on", "assurance"),
    [
        ("soc2_type1", {"issued_on": "2025-08-31"}, None, "partial"),
        ("soc2_type2", {"issued_on": "2025-08-31"}, None, "full"),
        ("bridge_letter", {"issued_on": "2026-01-31"}, None, "none"),
        ("soc1", {"issued_on": "2025-11-15", "stated_until_on": "2025-09-30"}, "2026-09-30", "none"),
        ("soc3", {"issued_on": "2024-04-15", "stated_until_on": "2024-02-29"}, "2025-02-28", "partial"),
        ("iso27001_certificate", {"issued_on": "2025-06-01", "stated_until_on": "2028-05-31"}, "2028-05-31", "full"),
        ("iso27001_certificate", {"issued_on": "2024-06-01", "stated_until_on": "2027-05-31"}, "2027-05-31", "partial"),
        (
            "iso27001_certificate",
            {"issued_on": "2024-06-01", "stated_until_on": "2027-05-31", "surveillance_on": "2025-03-02"},
            "2027-05-31",
            "full",
        ),
        ("pci_aoc", {"issued_on": "2024-02-29"}, "2025-02-28", "full"),
        ("pen_test_report", {"issued_on": "2025-05-01", "stated_until_on": "2025-04-11"}, "2026-04-11", "full"),
        ("insurance_certificate", {"issued_on": "2025-07-01", "stated_until_on": "2026-06-30"}, "2026-06-30", "none"),
        ("dpa", {"issued_on": "2025-08-31"}, "2026-08-31", "none"),
        ("policy", {"issued_on": "2025-08-31", "stated_until_on": "2026-12-31"}, "2026-12-31", "none"),
        ("other", {"issued_on": "2025-08-31"}, None, "none"),
    ],
)
async def test_each_kind_ends_by_its_own_rule_and_proves_what_it_can(
    client: Client, kind: str, dates: dict[str, str], expires_on: str | None, assurance: str
) -> None:
    made = await _added(client, await vendor(client), kind, **dates)
    assert (made["expires_on"], made["assurance"]) == (expires_on, assurance)


async def test_a_document_speaks_of_a_service_of_its_own_vendor(client: Client) -> None:
    own, other = await vendor(client), await vendor(client, "Cumulus")
    ids = [(await client.post(f"/v1/vendors/{v}/services", {"name": "Mail"})).json()["id"] for v in (own, other)]
    body = {"vendor_id": own, "kind": "policy", "title": "A"}
    refused = await client.post("/v1/documents", {**body, "service_id": ids[1]})
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_unknown")
    made = (await client.post("/v1/documents", {**body, "service_id": ids[0]})).json()
    moved_away = await client.patch(f"/v1/documents/{made['id']}", {"service_id": ids[1]}, etag='"1"')
    assert (moved_away.status_code, moved_away.json()["errors"][0]["pointer"]) == (422, "/service_id")
    assert (await client.get(f"/v1/documents/{made['id']}")).json()["service_id"] == ids[0]


async def test_the_policy_of_the_tenant_moves_the_end_of_documents(client: Client) -> None:
    made = await _added(client, await vendor(client), "pen_test_report", issued_on="2025-08-31")
    await client.put("/v1/evidence-policy", {"pen_test_months": 6}, etag='"0"')
    assert (await client.get(f"/v1/documents/{made['id']}")).json()["expires_on"] == "2026-02-28"


@pytest.mark.parametrize("kind", ["soc1", "soc3", "pen_test_report"])
async def test_what_was_examined_lies_in_the_past_and_before_the_report_on_it(client: Client, kind: str) -> None:
    body = {"vendor_id": await vendor(client), "kind": kind, "title": kind}
    for dates, pointer in (
        ({"stated_until_on": "2026-03-03"}, "/stated_until_on"),
        ({"issued_on": "2025-12-30", "stated_until_on": "2025-12-31", "valid_from_on": "2025-01-01"}, "/issued_on"),
    ):
        refused = await client.post("/v1/documents", {**body, **dates})
        assert (refused.status_code, refused.json()["code"]) == (422, "dates_invalid"), refused.text
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await client.items("/v1/documents") == []


async def test_a_certificate_proves_only_in_part_from_the_day_its_surveillance_is_missing(
    client: Client, context: JobContext, clock: FakeClock
) -> None:
    dates = {"issued_on": "2025-03-03", "stated_until_on": "2028-03-02"}
    made = await _added(client, await vendor(client), "iso27001_certificate", **dates)
    place = f"/v1/documents/{made['id']}"
    assert made["assurance"] == "full"
    clock.advance(days=1)
    assert await age_documents(context) == 0
    clock.advance(days=1)
    assert await age_documents(context) == 1
    assert await age_documents(context) == 0
    assert (await client.get(place)).json()["assurance"] == "partial"
    assert (await client.items("/v1/audit-entries", limit=1))[0]["action"] == "document:changed"
    changed = await client.patch(place, {"surveillance_on": "2026-03-01"}, etag=await client.etag(place))
    assert changed.json()["assurance"] == "full"
    clock.advance(days=364)
    assert await age_documents(context) == 1
    assert (await client.get(place)).json()["assurance"] == "partial"


async def test_a_longer_surveillance_policy_moves_the_day_a_certificate_ages(
    client: Client, context: JobContext, clock: FakeClock
) -> None:
    dates = {"issued_on": "2025-06-01", "stated_until_on": "2028-05-31"}
    made = await _added(client, await vendor(client), "iso27001_certificate", **dates)
    await client.put("/v1/evidence-policy", {"iso_surveillance_months": 18}, etag='"0"')
    clock.advance(days=(date(2026, 6, 2) - clock().date()).days)
    assert await age_documents(context) == 0
    clock.advance(days=(date(2026, 12, 2) - clock().date()).days)
    assert await age_documents(context) == 1
    assert (await client.get(f"/v1/documents/{made['id']}")).json()["assurance"] == "partial"


async def _notified(client: Client) -> set[str]:
    coming = await client.items("/v1/alerts/upcoming", until="2027-12-31", limit=200)
    return {alert["due_on"] for alert in coming if alert["alert_class"] == "evidence_expiring"}


async def test_nobody_is_notified_of_the_documents_of_a_vendor_that_leaves_until_it_stays_after_all(
    client: Client, context: JobContext
) -> None:
    owner = await member(client, "dana@example.com")
    more = {"lifecycle": "active", "intake_note": "in use", "business_owner_id": owner, "tier": "low"}
    vendor_id = await vendor(client, **more)
    place = f"/v1/vendors/{vendor_id}"
    await _added(client, vendor_id, "insurance_certificate", stated_until_on="2026-06-30")
    await client.put(f"{place}/inherent-risk", {}, etag=await client.etag(place))
    assert await _notified(client) == {"2026-06-30"}
    await transitioned(client, place, "offboarding")
    assert await age_documents(context) == 1
    assert await _notified(client) == set()
    await _added(client, vendor_id, "dpa", issued_on="2025-08-01")
    assert await _notified(client) == set()
    await transitioned(client, place, "active", reason="They stay.")
    assert await age_documents(context) == 2
    assert await age_documents(context) == 0
    assert await _notified(client) == {"2026-06-30", "2026-08-01"}


async def test_a_soc_3_report_alone_covers_in_part_until_it_is_withdrawn(client: Client) -> None:
    vendor_id = await vendor(client)
    dates = {"valid_from_on": "2025-01-01", "stated_until_on": "2025-12-31", "issued_on": "2026-02-01"}
    made = await _added(client, vendor_id, "soc3", **dates)
    (found,) = await coverage(client, vendor_id)
    assert (found["state"], found["effective_until_on"], found["missing_categories"]) == ("partial", "2026-12-31", [])
    assert "SOC 3" in found["reason"]
    assert [(s["report_id"], s["document_id"]) for s in found["timeline"][:1]] == [(None, made["id"])]
    assert [row["state"] for row in await client.items("/v1/soc2-coverage")] == ["partial"]
    coming = await client.items("/v1/alerts/upcoming", until="2026-12-31", limit=200)
    assert {a["subject_kind"] for a in coming} == {"document"}, "its end is notified once, by itself"
    place = f"/v1/documents/{made['id']}"
    await client.post(f"{place}/withdrawal", {"reason": "Filed wrongly"}, etag=await client.etag(place))
    assert [c["state"] for c in await coverage(client, vendor_id)] == ["none"]
    assert await client.items("/v1/soc2-coverage") == []


async def test_a_certificate_supports_its_service_in_part_and_says_when_surveillance_is_missing(
    client: Client, context: JobContext, clock: FakeClock
) -> None:
    vendor_id = await vendor(client)
    made = [(await client.post(f"/v1/vendors/{vendor_id}/services", {"name": n})).json()["id"] for n in ("A", "B")]
    dates = {"issued_on": "2025-03-10", "stated_until_on": "2028-03-09", "service_id": made[0]}
    await _added(client, vendor_id, "iso27001_certificate", **dates)
    states = {row["service_id"]: row for row in await client.items("/v1/soc2-coverage")}
    assert {service: row["state"] for service, row in states.items()} == {made[0]: "partial", made[1]: "none"}
    assert (states[made[0]]["next_change_on"], states[made[0]]["missing_categories"]) == ("2026-03-11", ["security"])
    assert "surveillance" not in states[made[0]]["reason"]
    clock.advance(days=9)
    assert await age_coverage(context) == 1
    states = {row["service_id"]: row for row in await client.items("/v1/soc2-coverage")}
    assert "no surveillance audit is known since 2025-03-10" in states[made[0]]["reason"]


async def test_a_certificate_does_not_hide_that_a_report_has_lapsed(client: Client) -> None:
    vendor_id = await vendor(client)
    await recorded(client, type_2(vendor_id, "2024-01-01", "2024-12-31"))
    await _added(client, vendor_id, "iso27001_certificate", issued_on="2025-06-01", stated_until_on="2028-05-31")
    (found,) = await coverage(client, vendor_id)
    assert (found["state"], found["effective_until_on"]) == ("partial", "2025-12-31")
    coming = await client.items("/v1/alerts/upcoming", until="2026-03-20", limit=200)
    assert ("soc2_coverage", "2025-12-31") in {(a["subject_kind"], a["due_on"]) for a in coming}
