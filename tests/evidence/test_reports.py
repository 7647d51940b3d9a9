"""SOC 2 reports by route: what is recorded, what is refused, what follows."""

from typing import Any

import pytest

from tests.alerts.make import a_receiver, recording, run_jobs
from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.evidence.make import coverage, recorded, type_2, vendor
from vendorrisk.background import JobContext
from vendorrisk.evidence.jobs import age_coverage

pytestmark = pytest.mark.anyio


async def test_a_recorded_report_covers_its_vendor_and_is_watched_to_its_end(client: Client) -> None:
    vendor_id = await vendor(client)
    await recorded(client, type_2(vendor_id))
    (found,) = await coverage(client, vendor_id)
    assert (found["state"], found["effective_until_on"]) == ("in_reliance", "2026-12-31")
    (row,) = await client.items("/v1/soc2-coverage")
    assert (row["state"], row["effective_until_on"], row["next_change_on"]) == (
        "in_reliance",
        "2026-12-31",
        "2027-01-01",
    )


async def test_alerts_of_a_qualified_report_say_that_it_is_qualified(client: Client) -> None:
    await recorded(client, type_2(await vendor(client, "Sound")))
    await recorded(client, type_2(await vendor(client, "Flawed"), opinion="qualified"))
    coming = await client.items("/v1/alerts/upcoming", until="2026-12-31", limit=200)
    titles = {(one["vendor_name"], one["title"]) for one in coming if one["alert_class"] == "evidence_expiring"}
    assert titles == {("Sound", "SOC 2 coverage"), ("Flawed", "SOC 2 coverage by a qualified report")}


async def test_each_service_has_its_own_coverage_and_needs(client: Client) -> None:
    vendor_id = await vendor(client)
    ids = {}
    for name, more in (("Mail", {"data_classes": ["personal"]}), ("Backup", {"is_uptime_critical": True})):
        made = await client.post(f"/v1/vendors/{vendor_id}/services", {"name": name, **more})
        assert made.status_code == 201, made.text
        ids[name] = made.json()["id"]
    await recorded(client, type_2(vendor_id, service_ids=[ids["Mail"]], categories=["security", "privacy"]))
    found = {c["service_name"]: c for c in await coverage(client, vendor_id)}
    assert (found["Mail"]["state"], found["Mail"]["missing_categories"]) == ("in_reliance", [])
    assert (found["Backup"]["state"], found["Backup"]["missing_categories"]) == ("none", ["security", "availability"])


async def test_a_service_that_a_report_names_stays_so_that_the_report_does_not_begin_to_cover_all(
    client: Client,
) -> None:
    vendor_id = await vendor(client)
    ids = {}
    for name in ("Mail", "Backup"):
        ids[name] = (await client.post(f"/v1/vendors/{vendor_id}/services", {"name": name})).json()["id"]
    await recorded(client, type_2(vendor_id, service_ids=[ids["Mail"]]))
    refused = await client.delete(f"/v1/vendor-services/{ids['Mail']}", etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert (await client.delete(f"/v1/vendor-services/{ids['Backup']}", etag='"1"')).status_code == 204
    states = {c["service_name"]: c["state"] for c in await coverage(client, vendor_id)}
    assert states == {"Mail": "in_reliance"}


async def test_a_gap_between_two_periods_is_shown_and_notified_once(client: Client) -> None:
    vendor_id = await vendor(client)
    await recorded(client, type_2(vendor_id, "2024-01-01", "2024-12-31"))
    await recorded(client, type_2(vendor_id, "2025-02-01", "2026-01-31"))
    (found,) = await coverage(client, vendor_id)
    assert found["gaps"] == [{"from_on": "2025-01-01", "until_on": "2025-01-31", "days": 31, "bridged_days": 0}]
    alerts = await client.items("/v1/alerts", filter="alert_class:eq:coverage_gap")
    assert len(alerts) == 1
    assert alerts[0]["facts"] == {"Gap": "2025-01-01 to 2025-01-31", "Days": 31, "Days under a bridge letter": 0}
    report = (await client.items("/v1/soc2-reports"))[0]
    await client.patch(f"/v1/soc2-reports/{report['id']}", {"auditor": "Other LLP"}, etag='"1"')
    assert len(await client.items("/v1/alerts", filter="alert_class:eq:coverage_gap")) == 1


async def test_an_adverse_opinion_and_each_exception_open_a_finding(client: Client) -> None:
    vendor_id = await vendor(client)
    exception = {"criterion": "cc 6.1", "control": "Access is reviewed", "deviation": "2 of 25 were late"}
    shown = await recorded(client, type_2(vendor_id, opinion="adverse", exceptions=[exception]))
    assert shown["exceptions"][0]["criterion"] == "CC6.1"
    findings = await client.items("/v1/findings", filter=f"vendor_id:eq:{vendor_id}")
    assert sorted((f["source_kind"], f["severity"]) for f in findings) == [
        ("soc2_exception", "medium"),
        ("soc2_opinion", "critical"),
    ]
    (found,) = await coverage(client, vendor_id)
    assert found["state"] == "not_relied_on"


async def test_a_withdrawn_report_counts_no_more_and_its_findings_end(client: Client) -> None:
    vendor_id = await vendor(client)
    shown = await recorded(client, type_2(vendor_id, opinion="qualified"))
    gone = await client.post(f"/v1/soc2-reports/{shown['id']}/withdrawal", {"reason": "Wrong vendor"}, etag='"1"')
    assert gone.status_code == 200, gone.text
    (found,) = await coverage(client, vendor_id)
    assert found["state"] == "none"
    assert await client.items("/v1/soc2-coverage") == []
    (finding,) = await client.items("/v1/findings")
    assert finding["state"] == "remediated"
    again = await client.patch(f"/v1/soc2-reports/{shown['id']}", {"auditor": "X"}, etag='"2"')
    assert (again.status_code, again.json()["code"]) == (409, "report_withdrawn")


@pytest.mark.parametrize(
    ("dates", "pointer"),
    [
        ({"as_of_on": "2026-03-03"}, "/as_of_on"),
        ({}, "/as_of_on"),
        ({"as_of_on": "2025-08-31", "period_end_on": "2025-08-31"}, "/period_end_on"),
        ({"as_of_on": "2025-08-31", "report_on": "2025-08-30"}, "/report_on"),
    ],
)
async def test_a_type_1_report_speaks_of_one_day_that_has_been(
    client: Client, dates: dict[str, str], pointer: str
) -> None:
    body = {
        "vendor_id": await vendor(client),
        "report_type": "type_1",
        "opinion": "unqualified",
        "categories": ["security"],
    }
    refused = await client.post("/v1/soc2-reports", {**body, **dates})
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert await client.items("/v1/soc2-reports") == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"period_end_on": "2026-03-03"}, "/period_end_on"),
        ({"period_end_on": None}, "/period_end_on"),
        ({"as_of_on": "2025-06-01"}, "/as_of_on"),
        ({"report_on": "2025-12-30"}, "/report_on"),
        ({"report_on": "2026-03-03"}, "/report_on"),
        ({"period_start_on": "2026-01-01"}, "/period_end_on"),
        ({"categories": ["privacy"]}, "/categories"),
        ({"period_start_on": "0001-01-01"}, "/period_start_on"),
        ({"period_end_on": "9999-12-31"}, "/period_end_on"),
        ({"criteria_tested": ["CC9.9"]}, "/criteria_tested/0"),
        ({"exceptions": [{"criterion": "X1", "control": "c", "deviation": "d"}]}, "/exceptions/0/criterion"),
        ({"bridge_letters": [{"ends_on": "2025-12-31"}]}, "/bridge_letters/0/ends_on"),
        ({"service_ids": ["0192f0c1-2345-7abc-8def-0123456789ab"]}, "/service_ids"),
    ],
)
async def test_what_a_report_cannot_say_is_refused_with_its_pointer_and_nothing_is_kept(
    client: Client, wrong: dict[str, Any], pointer: str
) -> None:
    vendor_id = await vendor(client)
    refused = await client.post("/v1/soc2-reports", {**type_2(vendor_id), **wrong})
    assert refused.status_code == 422, refused.text
    assert pointer in {error["pointer"] for error in refused.json()["errors"]}
    assert await client.items("/v1/soc2-reports") == []
    assert await client.items("/v1/findings") == []


async def test_the_same_report_is_recorded_once(client: Client) -> None:
    vendor_id = await vendor(client)
    await recorded(client, type_2(vendor_id))
    twin = await client.post("/v1/soc2-reports", type_2(vendor_id))
    assert (twin.status_code, twin.json()["code"]) == (409, "soc2_report_known")


async def test_in_bulk_each_row_stands_or_falls_for_itself(client: Client) -> None:
    vendor_id = await vendor(client)
    rows = [
        type_2(vendor_id, "2023-01-01", "2023-12-31"),
        type_2(vendor_id, "2024-01-01", "2024-12-31", report_on="2024-01-01"),
        type_2(vendor_id, "2023-01-01", "2023-12-31"),
        type_2("0192f0c1-2345-7abc-8def-0123456789ab", "2024-01-01", "2024-12-31"),
        type_2(vendor_id, "2024-01-01", "2024-12-31"),
    ]
    response = await client.post("/v1/soc2-reports/bulk-records", {"items": rows})
    assert response.status_code == 200, response.text
    results = response.json()["items"]
    codes = [result.get("code") for result in results]
    assert codes == [None, "dates_invalid", "soc2_report_known", "reference_unknown", None]
    assert results[1]["errors"][0]["pointer"] == "/items/1/report_on"
    assert [result.get("version") for result in results] == [1, None, None, None, 1]
    assert len(await client.items("/v1/soc2-reports")) == 2


async def test_a_refused_control_of_a_new_report_is_named_by_its_place_in_the_body(client: Client) -> None:
    controls = [{"control": "Review access"}, {"control": "Keep logs", "state": "in_place"}]
    refused = await client.post("/v1/soc2-reports", type_2(await vendor(client), cuecs=controls))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/cuecs/1/state")
    controls[1] = {"control": "Keep logs", "criterion": "CC99.1"}
    refused = await client.post("/v1/soc2-reports", type_2(await vendor(client, "Other"), cuecs=controls))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/cuecs/1/criterion")
    assert await client.items("/v1/soc2-reports") == []


async def test_a_control_of_ours_is_in_place_only_with_an_owner_and_a_proof(client: Client, company: Company) -> None:
    vendor_id = await vendor(client)
    shown = await recorded(client, type_2(vendor_id, cuecs=[{"control": "Review access each quarter"}]))
    place = f"/v1/soc2-reports/{shown['id']}/cuecs/{shown['cuecs'][0]['id']}"
    refused = await client.patch(place, {"state": "in_place"}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (422, "cuec_without_proof")
    body = {"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}
    member = (await client.post("/v1/members", body)).json()["id"]
    blank = await client.patch(place, {"state": "in_place", "owner_id": member, "proof": "  "}, etag='"1"')
    assert (blank.status_code, blank.json()["errors"][0]["pointer"]) == (422, "/proof")
    done = await client.patch(place, {"state": "in_place", "owner_id": member, "proof": "Ticket 17"}, etag='"1"')
    assert (done.status_code, done.json()["state"]) == (200, "in_place")


async def test_a_subservice_organisation_is_linked_to_a_vendor_of_ours(client: Client) -> None:
    cloud = await vendor(client, "Cumulus Cloud")
    vendor_id = await vendor(client)
    shown = await recorded(
        client,
        type_2(vendor_id, subservice_organisations=[{"name": "Cumulus", "method": "carve_out"}]),
    )
    part = shown["subservice_organisations"][0]
    place = f"/v1/soc2-reports/{shown['id']}/subservice-organisations/{part['id']}"
    linked = await client.patch(place, {"provider_id": cloud}, etag='"1"')
    assert linked.json()["provider_id"] == cloud


async def test_a_subservice_organisation_named_as_a_vendor_of_ours_is_linked_and_can_be_unlinked(
    client: Client, other_company: Company
) -> None:
    cloud, vendor_id = await vendor(client, "Cumulus Cloud"), await vendor(client)
    await vendor(other_company.client, "Stratus Regions")
    names = ["cumulus CLOUD", "Stratus Regions", "Nimbus Storage"]
    organisations = [{"name": name, "method": "carve_out"} for name in names]
    shown = await recorded(client, type_2(vendor_id, subservice_organisations=organisations))
    linked = {part["name"]: part["provider_id"] for part in shown["subservice_organisations"]}
    assert linked == {"cumulus CLOUD": cloud, "Stratus Regions": None, "Nimbus Storage": None}
    part = next(p for p in shown["subservice_organisations"] if p["provider_id"])
    place = f"/v1/soc2-reports/{shown['id']}/subservice-organisations/{part['id']}"
    assert (await client.patch(place, {"provider_id": None}, etag='"1"')).json()["provider_id"] is None


async def test_a_vendor_is_no_subservice_organisation_of_its_own_report(client: Client) -> None:
    vendor_id = await vendor(client)
    own = {"name": "Nimbus", "method": "carve_out", "provider_id": vendor_id}
    other = {"name": "Cumulus", "method": "carve_out"}
    whole = await client.post("/v1/soc2-reports", type_2(vendor_id, subservice_organisations=[other, own]))
    assert told(whole) == (422, "fourth_party_is_the_vendor", "/subservice_organisations/1/provider_id")
    assert await client.items("/v1/soc2-reports") == []
    shown = await recorded(client, type_2(vendor_id, subservice_organisations=[other]))
    place = f"/v1/soc2-reports/{shown['id']}/subservice-organisations"
    assert told(await client.post(place, own)) == (422, "fourth_party_is_the_vendor", "/provider_id")
    part = f"{place}/{shown['subservice_organisations'][0]['id']}"
    changed = await client.patch(part, {"provider_id": vendor_id}, etag='"1"')
    assert told(changed) == (422, "fourth_party_is_the_vendor", "/provider_id")
    (kept,) = (await client.get(f"/v1/soc2-reports/{shown['id']}")).json()["subservice_organisations"]
    assert (kept["name"], kept["provider_id"]) == ("Cumulus", None)


def told(refused: Any) -> tuple[int, str, str]:
    return refused.status_code, refused.json()["code"], refused.json()["errors"][0]["pointer"]


async def test_nothing_is_recorded_from_a_withdrawn_document_but_from_an_older_revision(client: Client) -> None:
    vendor_id = await vendor(client)
    body = {"vendor_id": vendor_id, "kind": "soc2_type2", "title": "SOC 2"}
    older, gone = [(await client.post("/v1/documents", body)).json()["id"] for _ in range(2)]
    assert (await client.post("/v1/documents", {**body, "supersedes_id": older})).status_code == 201
    withdrawn = await client.post(f"/v1/documents/{gone}/withdrawal", {"reason": "Filed wrongly"}, etag='"1"')
    assert withdrawn.status_code == 200, withdrawn.text
    refused = await client.post("/v1/soc2-reports", type_2(vendor_id, document_id=gone))
    assert told(refused) == (409, "document_superseded", "/document_id")
    assert await client.items("/v1/soc2-reports") == []
    shown = await recorded(client, type_2(vendor_id, document_id=older))
    letter = {"ends_on": "2026-03-15", "document_id": gone}
    refused = await client.post(f"/v1/soc2-reports/{shown['id']}/bridge-letters", letter)
    assert told(refused) == (409, "document_superseded", "/document_id")


@pytest.mark.parametrize("state", ["CA", "DC", "PR", "GU", "VI", "MP"])
async def test_an_auditor_is_licensed_in_a_state_of_the_united_states(client: Client, state: str) -> None:
    shown = await recorded(client, type_2(await vendor(client), auditor_licence_state=state))
    assert shown["auditor_licence_state"] == state


@pytest.mark.parametrize("state", ["XX", "ZZ", "ca", "CAL", "", "UK"])
async def test_a_licence_of_no_state_is_refused(client: Client, state: str) -> None:
    vendor_id = await vendor(client)
    refused = await client.post("/v1/soc2-reports", type_2(vendor_id, auditor_licence_state=state))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/auditor_licence_state")
    shown = await recorded(client, type_2(vendor_id))
    changed = await client.patch(f"/v1/soc2-reports/{shown['id']}", {"auditor_licence_state": state}, etag='"1"')
    assert (changed.status_code, changed.json()["errors"][0]["pointer"]) == (422, "/auditor_licence_state")


async def test_a_bridge_letter_bridges_from_the_day_it_is_added(client: Client, clock: FakeClock) -> None:
    vendor_id = await vendor(client)
    shown = await recorded(client, type_2(vendor_id, "2025-01-01", "2025-12-31"))
    added = await client.post(f"/v1/soc2-reports/{shown['id']}/bridge-letters", {"ends_on": "2026-03-15"})
    assert added.status_code == 201, added.text
    (found,) = await coverage(client, vendor_id)
    assert found["state"] == "bridged"
    (later,) = await coverage(client, vendor_id, "2026-03-16")
    assert later["state"] == "in_reliance"


async def test_a_letter_recorded_wrongly_is_taken_back_and_bridges_no_more(
    client: Client, other_company: Company
) -> None:
    vendor_id = await vendor(client)
    shown = await recorded(client, type_2(vendor_id, bridge_letters=[{"ends_on": "2026-03-30"}]))
    place = f"/v1/soc2-reports/{shown['id']}/bridge-letters/{shown['bridge_letters'][0]['id']}"
    assert (await coverage(client, vendor_id))[0]["state"] == "bridged"
    assert (await other_company.client.delete(place, etag='"1"')).status_code == 404
    assert (await client.delete(place, etag='"2"')).status_code == 412
    assert (await client.delete(place, etag='"1"')).status_code == 204
    assert (await coverage(client, vendor_id))[0]["state"] == "in_reliance"
    assert (await client.delete(place, etag='"1"')).status_code == 404
    again = await client.post(f"/v1/soc2-reports/{shown['id']}/bridge-letters", {"ends_on": "2026-03-30"})
    assert again.status_code == 201, "the right one may end on the same day"


@pytest.mark.parametrize(
    ("letter", "pointer"),
    [
        ({"ends_on": "9999-12-31"}, "/ends_on"),
        ({"ends_on": "2026-02-28", "issued_on": "2026-03-03"}, "/issued_on"),
        ({"ends_on": "2026-02-28", "issued_on": "0001-01-01"}, "/issued_on"),
        ({"ends_on": "2025-12-31"}, "/ends_on"),
    ],
)
async def test_a_letter_whose_dates_cannot_be_is_refused(client: Client, letter: dict[str, str], pointer: str) -> None:
    vendor_id = await vendor(client)
    shown = await recorded(client, type_2(vendor_id))
    refused = await client.post(f"/v1/soc2-reports/{shown['id']}/bridge-letters", letter)
    assert refused.status_code == 422, refused.text
    assert pointer in {error["pointer"] for error in refused.json()["errors"]}
    whole = await client.post(
        "/v1/soc2-reports", type_2(vendor_id, "2024-01-01", "2025-12-31", bridge_letters=[letter])
    )
    assert f"/bridge_letters/0{pointer}" in {error["pointer"] for error in whole.json()["errors"]}
    assert (await coverage(client, vendor_id))[0]["state"] == "in_reliance"


async def test_time_alone_changes_coverage_by_the_calendar_of_the_tenant(
    client: Client, other_company: Company, context: JobContext, clock: FakeClock
) -> None:
    """Acme lives in UTC, Globex in Tokyo, where the day begins nine hours earlier."""
    for each in (client, other_company.client):
        await recorded(each, type_2(await vendor(each), "2024-03-05", "2025-03-04"))
    clock.advance(days=2, hours=8)  # 4 March 16:00 UTC is 5 March 01:00 in Tokyo
    assert await age_coverage(context) == 1
    assert await age_coverage(context) == 0
    assert (await client.items("/v1/soc2-coverage"))[0]["state"] == "in_reliance"
    assert (await other_company.client.items("/v1/soc2-coverage"))[0]["state"] == "lapsed"
    clock.advance(hours=10)
    assert await age_coverage(context) == 1
    assert (await client.items("/v1/soc2-coverage"))[0]["state"] == "lapsed"


async def test_a_category_is_missing_from_the_day_its_only_report_is_relied_on_no_more(
    client: Client, context: JobContext, clock: FakeClock
) -> None:
    vendor_id = await vendor(client)
    await client.post(f"/v1/vendors/{vendor_id}/services", {"name": "Mail", "categories_needed": ["privacy"]})
    await recorded(client, type_2(vendor_id, "2024-04-01", "2025-03-31", categories=["security", "privacy"]))
    await recorded(client, type_2(vendor_id, "2025-01-01", "2025-12-31"))
    (row,) = await client.items("/v1/soc2-coverage")
    assert (row["missing_categories"], row["next_change_on"]) == ([], "2026-04-01")
    clock.advance(days=30)
    assert await age_coverage(context) == 1
    (row,) = await client.items("/v1/soc2-coverage")
    assert (row["state"], row["missing_categories"], row["next_change_on"]) == (
        "in_reliance",
        ["privacy"],
        "2027-01-01",
    )


async def test_a_change_of_policy_computes_every_date_anew(client: Client) -> None:
    vendor_id = await vendor(client)
    await recorded(client, type_2(vendor_id))
    assert (await client.get("/v1/evidence-policy")).json()["version"] == 0
    refused = await client.put("/v1/evidence-policy", {"type2_months": 0}, etag='"0"')
    assert refused.status_code == 422
    kept = await client.put("/v1/evidence-policy", {"type2_months": 6}, etag='"0"')
    assert (kept.status_code, kept.json()["version"]) == (200, 1), kept.text
    (row,) = await client.items("/v1/soc2-coverage")
    assert row["effective_until_on"] == "2026-06-30"


async def test_the_five_audit_areas_show_where_exceptions_lie(client: Client) -> None:
    vendor_id = await vendor(client)
    exceptions = [
        {"criterion": "CC3.2", "control": "Risks are assessed", "deviation": "Not in 2025"},
        {"criterion": "CC6.1", "control": "Access", "deviation": "Late"},
    ]
    shown = await recorded(client, type_2(vendor_id, exceptions=exceptions))
    audit_areas = (await client.get(f"/v1/soc2-reports/{shown['id']}/audit-areas")).json()
    assert {a["area"]: a["verdict"] for a in audit_areas["areas"]} == {
        "control_environment": "clean",
        "communication": "clean",
        "risk_assessment": "exceptions",
        "monitoring": "clean",
        "control_activities": "clean",
    }
    assert [e["criterion"] for e in audit_areas["other_exceptions"]] == ["CC6.1"]


async def test_another_tenant_reads_changes_and_links_nothing(client: Client, other_company: Company) -> None:
    vendor_id = await vendor(client)
    shown = await recorded(client, type_2(vendor_id))
    other = other_company.client
    assert (await other.get(f"/v1/soc2-reports/{shown['id']}")).status_code == 404
    assert (await other.get(f"/v1/vendors/{vendor_id}/coverage")).status_code == 404
    refused = await other.post("/v1/soc2-reports", type_2(vendor_id))
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_unknown")
    assert await other.items("/v1/soc2-reports") == []


async def test_a_message_of_coverage_names_the_vendor_once_and_the_service_where_there_is_one(
    context: JobContext, company: Company, client: Client
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    whole = await vendor(client, "Juniper Grid")
    parted = await vendor(client, "Fjord Analytics")
    made = await client.post(f"/v1/vendors/{parted}/services", {"name": "Payroll"})
    await recorded(client, type_2(whole, "2024-04-01", "2025-03-20"))
    for start, end in (("2023-01-01", "2023-12-31"), ("2024-04-01", "2025-03-20")):
        await recorded(client, type_2(parted, start, end, service_ids=[made.json()["id"]]))
    await run_jobs(context)
    titles = {
        message.title
        for _, _, message in outlet.sent
        if message.kind in {"alert.evidence_expiring", "alert.coverage_gap"}
    }
    assert titles == {
        "SOC 2 coverage of Juniper Grid expires in 18 days",
        "SOC 2 coverage (Payroll) of Fjord Analytics expires in 18 days",
        "Gap in SOC 2 coverage (Payroll) of Fjord Analytics",
    }
