"""Imports of vendors by route: dry run first, an answer for every row and column, all or nothing, and twice is once."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client import Client
from tests.conftest import Company
from tests.imports.make import CSV, XLSX, accepted, counts, rows, sent
from tests.sheets.make import workbook
from tests.vendors import make
from tests.vendors.make import added, member, registered
from tests.whole.test_document import document

pytestmark = pytest.mark.anyio

SHEET = """\
Reference;Vendor name;Website;Country;Tier;Status;Spend;Currency;Business owner;Contact;Contact e-mail;Next review
V-1;Acme;acme.example;Germany;High;active;125000,50;EUR;dana@example.com;Kim Lee;kim@acme.example;2026-09-01
V-2;Globex;https://globex.example/x;US;;prospect;;;;;;
V-3;Initech;;;low;suspended;;;;;;
"""


async def test_a_dry_run_tells_what_each_row_would_do_and_changes_nothing(client: Client) -> None:
    dana = await member(client, "dana@example.com")
    response = await sent(client, SHEET, file_name="C:\\vendors\\list.csv")
    assert response.status_code == 201, response.text
    made = response.json()
    assert (made["state"], made["is_dry_run"], made["file_name"]) == ("checked", True, "list.csv")
    assert (made["rows_total"], counts(made)) == (3, (3, 0, 0, 0))
    assert await client.items("/v1/vendors") == []
    first = (await rows(client, made))[0]
    assert (first["row_number"], first["outcome"], first["problems"]) == (2, "create", [])
    assert first["given"]["annual_spend"] == "125000.50"
    assert first["given"]["business_owner_id"] == dana


async def test_the_file_of_the_document_is_taken_with_the_examples_of_the_parameters(client: Client) -> None:
    operation = document()["paths"]["/v1/vendor-imports"]["post"]
    content = operation["requestBody"]["content"]
    file = content["text/csv"]["example"]
    assert content["application/octet-stream"]["example"] == file, "a tool that sends the first type sends this"
    params = {p["name"]: p["example"] for p in operation["parameters"] if "example" in p and p["in"] == "query"}
    assert {"map", "file_name"} <= params.keys()
    made = await sent(client, file, **params)
    assert (made.status_code, counts(made.json())) == (201, (1, 0, 0, 0)), made.text


async def test_an_accepted_import_makes_the_vendors_as_the_rows_said(client: Client) -> None:
    dana = await member(client, "dana@example.com")
    made = (await sent(client, SHEET)).json()
    done = await accepted(client, made)
    assert (done.status_code, done.json()["state"]) == (200, "applied"), done.text
    by_name = {v["name"]: v for v in await client.items("/v1/vendors")}
    acme = (await client.get(f"/v1/vendors/{by_name['Acme']['id']}")).json()
    assert (acme["lifecycle"], acme["intake"], acme["tier"], acme["tier_source"]) == (
        "active",
        "waived",
        "high",
        "declared",
    )
    assert (acme["domains"], acme["country"], acme["business_owner_id"]) == (["acme.example"], "DE", dana)
    assert (acme["annual_spend"], acme["currency"], acme["next_review_on"]) == ("125000.50", "EUR", "2026-09-01")
    assert acme["contacts"] == [{"name": "Kim Lee", "email": "kim@acme.example", "phone": None, "role": None}]
    assert (by_name["Globex"]["lifecycle"], by_name["Globex"]["next_review_on"]) == ("prospect", None)
    assert by_name["Initech"]["next_review_on"] == "2028-03-02"
    assert [row["record_id"] for row in await rows(client, made)] == [
        by_name[name]["id"] for name in ("Acme", "Globex", "Initech")
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_same_file_twice_changes_nothing(client: Client, kind: str) -> None:
    await member(client, "dana@example.com")
    table = [line.split(";") for line in SHEET.splitlines()]
    content, headers = (SHEET.encode(), CSV) if kind == "csv" else (workbook(table), XLSX)
    first = await sent(client, content, headers, dry_run=False)
    assert (first.status_code, first.json()["state"], counts(first.json())) == (201, "applied", (3, 0, 0, 0))
    before = await client.items("/v1/vendors")
    again = (await sent(client, content, headers, dry_run=False)).json()
    assert (again["state"], counts(again)) == ("applied", (0, 0, 3, 0))
    assert await client.items("/v1/vendors") == before


async def test_a_change_keeps_what_the_file_does_not_give(client: Client) -> None:
    contacts = [{"name": "Kim", "phone": "1", "role": "sales"}, {"name": "Lou"}]
    vendor = await registered(client, name="Acme", reference="V-1", tags=["old"], country="DE", contacts=contacts)
    sheet = "Reference,Name,Country,Tags,Contact e-mail\nV-1,Acme Cloud,,new;x,kim@acme.example\n"
    made = (await sent(client, sheet)).json()
    (row,) = await rows(client, made)
    assert (row["outcome"], row["record_id"]) == ("change", vendor["id"])
    assert row["before"] == {"reference": "V-1", "name": "Acme", "tags": ["old"], "contact_email": None}
    await accepted(client, made)
    after = (await client.get(f"/v1/vendors/{vendor['id']}")).json()
    assert (after["name"], after["country"], after["tags"], after["version"]) == ("Acme Cloud", "DE", ["new", "x"], 2)
    assert after["contacts"][0] == {"name": "Kim", "email": "kim@acme.example", "phone": "1", "role": "sales"}
    assert after["contacts"][1]["name"] == "Lou"
    assert (await client.get("/v1/vendors/search", params={"q": "acme cloud"})).json()["items"][0]["similarity"] == 1


async def test_a_tier_that_changes_moves_the_next_review(client: Client) -> None:
    await sent(
        client, "Name,Tier,Status,Last review\nA,low,active,2026-01-31\nB,low,active,2026-01-31\n", dry_run=False
    )
    await sent(client, "Name,Tier\nA,critical\n", dry_run=False)
    dates = {v["name"]: v["next_review_on"] for v in await client.items("/v1/vendors")}
    assert dates == {"A": "2026-04-30", "B": "2028-01-31"}


async def test_every_problem_is_told_with_row_and_column_and_nothing_is_half_imported(client: Client) -> None:
    await registered(client, name="Taken", domains=["taken.example"], reference="V-9")
    sheet = (
        "Name,Country,Website,Owner,Spend,Currency,Status\n"
        "Good,DE,good.example,,,,\n"
        "Bad,Atlantis,printer.local,nobody@example.com,5,,\n"
        "Other,,taken.example,,,,terminated\n"
        "taken,,,,,,active\n"
    )
    made = (await sent(client, sheet, dry_run=False)).json()
    assert (made["state"], counts(made)) == ("checked", (1, 0, 0, 3))
    problems = [
        (p["row"], p.get("column"), p["code"])
        for row in await rows(client, made, filter="outcome:eq:problem")
        for p in row["problems"]
    ]
    assert problems == [
        (3, "Country", "country_invalid"),
        (3, "Website", "domains_invalid"),
        (3, None, "currency_missing"),
        (3, "Owner", "business_owner_unknown"),
        (4, "Status", "lifecycle_not_accepted"),
        (4, "Website", "domain_taken"),
        (5, "Status", "lifecycle_transition"),
    ]
    refused = await accepted(client, made)
    assert (refused.status_code, refused.json()["code"]) == (409, "import_has_problems")
    assert refused.json()["detail"] == (
        '3 rows have problems. Correct the file, or accept with the body {"partial": true} to leave them out.'
    )
    assert [v["name"] for v in await client.items("/v1/vendors")] == ["Taken"]
    done = await accepted(client, made, partial=True)
    assert done.json()["state"] == "applied"
    assert [v["name"] for v in await client.items("/v1/vendors")] == ["Good", "Taken"]


async def test_an_error_in_a_cell_is_a_problem_with_row_and_column_and_never_a_blank(client: Client) -> None:
    await registered(client, name="Acme", country="DE")
    table = [["Name", "Country", "Notes"], ["Acme", "#N/A", "x"], ["Initech", "FR", "#REF!"], ["Globex", "FR", "y"]]
    for sheet in (workbook(table), "\n".join(",".join(row) for row in table)):
        made = (await sent(client, sheet)).json()
        problems = [
            (p["row"], p.get("column"), p["code"], p["detail"])
            for row in await rows(client, made, filter="outcome:eq:problem")
            for p in row["problems"]
        ]
        assert problems == [
            (2, "Country", "country_invalid", "The cell holds the error #N/A. Correct its formula, or clear it."),
            (3, "Notes", "description_invalid", "The cell holds the error #REF!. Correct its formula, or clear it."),
        ]


async def test_vendors_are_found_by_id_then_reference_then_name(client: Client) -> None:
    first = await registered(client, name="A", reference="V-1")
    second = await registered(client, name="B")
    sheet = f"Id,Reference,Name\n{first['id']},,A2\n,V-2,B\n,V-3,a\n00000000-0000-0000-0000-000000000000,,C\n,V-4,\n"
    made = (await sent(client, sheet)).json()
    outcome = [
        (row["outcome"], row["record_id"], [p["code"] for p in row["problems"]]) for row in await rows(client, made)
    ]
    assert outcome == [
        ("change", first["id"], []),
        ("change", second["id"], []),
        ("problem", first["id"], ["name_taken"]),
        ("problem", None, ["id_unknown"]),
        ("problem", None, ["name_missing"]),
    ]


async def test_a_tier_from_answers_is_not_overwritten(client: Client) -> None:
    vendor = await registered(client, name="A")
    await client.put(f"/v1/vendors/{vendor['id']}/inherent-risk", make.GRAVE, etag='"1"')
    made = (await sent(client, "Name,Tier\nA,low\n")).json()
    assert (await rows(client, made))[0]["problems"][0]["code"] == "tier_is_computed"
    same = (await sent(client, "Name,Tier\nA,critical\n")).json()
    assert counts(same) == (0, 0, 1, 0)


async def test_a_review_that_lies_ahead_is_a_problem_of_its_cell(client: Client) -> None:
    made = (await sent(client, "Name,Last review\nA,2026-03-03\nB,2026-03-02\n", dry_run=False)).json()
    assert (made["state"], counts(made)) == ("checked", (1, 0, 0, 1))
    (row,) = await rows(client, made, filter="outcome:eq:problem")
    assert [(p["row"], p["column"], p["code"]) for p in row["problems"]] == [(2, "Last review", "review_ahead")]
    assert await client.items("/v1/vendors") == []


async def test_a_vendor_changed_after_the_check_stops_the_import(client: Client) -> None:
    vendor = await registered(client, name="A")
    made = (await sent(client, "Name,Tags\nA,x\nB,y\n")).json()
    await client.patch(f"/v1/vendors/{vendor['id']}", {"tags": ["z"]}, etag='"1"')
    refused = await accepted(client, made)
    assert (refused.status_code, refused.json()["code"]) == (409, "import_outdated")
    assert [(v["name"], v["tags"]) for v in await client.items("/v1/vendors")] == [("A", ["z"])]


async def test_a_name_taken_after_the_check_stops_the_import(client: Client) -> None:
    made = (await sent(client, "Name,Domains\nA,a.example\n")).json()
    other = (await sent(client, "Name,Domains\nB,b.example\n")).json()
    await registered(client, name="A")
    await registered(client, name="C", domains=["b.example"])
    assert (await accepted(client, made)).json()["code"] == "import_outdated"
    assert (await accepted(client, other)).json()["code"] == "import_outdated"
    assert len(await client.items("/v1/vendors")) == 2


async def test_headings_can_be_mapped_and_left_out(client: Client) -> None:
    made = await sent(client, "Firma: Name;Farbe\nAcme;rot\n", map=["Firma: Name:name", "Farbe:ignore"])
    assert (made.status_code, counts(made.json()), made.json()["notices"]) == (201, (1, 0, 0, 0), [])
    assert made.json()["headings"] == {"name": "Firma: Name"}
    for wrong in (["Firma:nothing"], ["Firma"], ["Other:name"]):
        assert (await sent(client, "Firma\nAcme\n", map=wrong)).status_code in {400, 422}
    unnamed = await sent(client, "Firma\nAcme\n")
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "import_unreadable")
    assert len(await client.items("/v1/vendor-imports")) == 1


async def test_another_tenant_cannot_see_accept_or_cancel_an_import(client: Client, other_company: Company) -> None:
    made = (await sent(client, "Name\nAcme\n")).json()
    place, stranger = f"/v1/vendor-imports/{made['id']}", other_company.client
    assert (await stranger.get(place)).status_code == 404
    assert (await stranger.get(f"{place}/rows")).status_code == 404
    assert (await stranger.post(f"{place}/acceptance", {}, etag='"2"')).status_code == 404
    assert (await stranger.delete(place, etag='"2"')).status_code == 404
    assert await stranger.items("/v1/vendor-imports") == []
    # An id from another tenant is as unknown as any.
    vendor = await registered(client, name="B")
    theirs = (await sent(stranger, f"Id,Name\n{vendor['id']},Stolen\n")).json()
    assert (await rows(stranger, theirs))[0]["problems"][0]["code"] == "id_unknown"


async def test_formulas_are_text_here_and_text_again_when_exported(client: Client) -> None:
    await sent(client, "Name,Description\n=1+1,@SUM(A1)\n", dry_run=False)
    (vendor,) = await client.items("/v1/vendors")
    assert vendor["name"] == "=1+1"
    exported = (await client.get("/v1/vendors/export")).content.decode("utf-8-sig")
    assert "'=1+1,,'@SUM(A1)" in exported.splitlines()[1]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_export_shows_what_the_filter_shows_in_its_order(client: Client, kind: str) -> None:
    for name, tier in (("B", "high"), ("A", "high"), ("C", "low")):
        await registered(client, name=name, tier=tier)
    params = {"format": kind, "filter": "tier:eq:high", "sort": "-name"}
    response = await client.get("/v1/vendors/export", params=params)
    assert response.status_code == 200
    assert response.headers["content-disposition"] == f'attachment; filename="vendors.{kind}"'
    headers = CSV if kind == "csv" else XLSX
    made = (await sent(client, response.content, headers)).json()
    assert [row["given"]["name"] for row in await rows(client, made)] == ["B", "A"]
    assert (await client.get("/v1/vendors/export", params={"sort": "lei"})).status_code == 400


names = st.text(
    alphabet=st.characters(categories=["L", "N", "P", "S"], codec="utf-8"), min_size=1, max_size=12
) | st.sampled_from(["=1", "'=1", "-x", "+", "@a", "a;b", 'q"q', "a,b"])
vendors = st.fixed_dictionaries(
    {"name": names},
    optional={
        "description": names,
        "tags": st.lists(st.sampled_from(["eu", "-x", "two words"]), max_size=3),
        "aliases": st.lists(names.filter(lambda t: ";" not in t), max_size=2),
        "country": st.sampled_from(["DE", "NO"]),
        "data_classes": st.lists(st.sampled_from(["card", "personal"]), max_size=2),
        "tier": st.sampled_from(["critical", "low"]),
        "contacts": st.just([{"name": "Kim", "email": "kim+x@acme.example"}, {"name": "Lou"}]),
        "last_reviewed_on": st.just("2024-02-29"),
        "legal_name": names,
    },
)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(items=st.lists(vendors, min_size=1, max_size=6))
async def test_importing_an_export_changes_nothing(client: Client, kind: str, items: list[dict[str, Any]]) -> None:
    await client.post("/v1/vendors/bulk-registrations", {"items": items})
    before = await client.items("/v1/vendors", limit=200)
    exported = await client.get("/v1/vendors/export", params={"format": kind})
    made = (await sent(client, exported.content, CSV if kind == "csv" else XLSX, dry_run=False)).json()
    problems = [p for row in await rows(client, made, filter="outcome:eq:problem") for p in row["problems"]]
    assert problems == []
    assert (made["state"], counts(made)) == ("applied", (0, 0, len(before), 0))
    assert await client.items("/v1/vendors", limit=200) == before


async def test_an_import_needs_the_permission_to_write(role_client: Any) -> None:
    auditor = await role_client("auditor")
    assert (await sent(auditor, "Name\nA\n")).status_code == 403
    assert (await auditor.get("/v1/vendors/export")).status_code == 200


async def test_a_service_of_an_imported_vendor_can_be_added(client: Client) -> None:
    made = (await sent(client, "Name\nAcme\n", dry_run=False)).json()
    (row,) = await rows(client, made)
    service = await added(client, f"/v1/vendors/{row['record_id']}/services", name="Hosting")
    assert service["vendor_id"] == row["record_id"]


async def test_a_name_that_cannot_be_taken_is_told_once_and_not_as_missing_too(client: Client) -> None:
    lines = ["Reference,Name,Website", f",{400 * 'x'},one.example.com", ",,two.example.com", "R-9,,", ",A\x01B,"]
    made = (await sent(client, "\n".join(lines) + "\n")).json()
    told = {row["row_number"]: [problem["code"] for problem in row["problems"]] for row in await rows(client, made)}
    assert told == {2: ["name_invalid"], 3: ["name_missing"], 4: ["name_missing"], 5: ["name_invalid"]}
    details = {row["row_number"]: row["problems"][0]["detail"] for row in await rows(client, made)}
    assert details[3] == "Give the vendor a name."
    assert details[4].startswith("No vendor has this reference.")


async def test_what_stands_twice_in_a_file_and_is_taken_besides_is_told_as_both(client: Client) -> None:
    await client.post("/v1/vendors", {"name": "Acme", "domains": ["acme.example"]})
    made = (await sent(client, "Name,Website\nOne,acme.example\nTwo,acme.example\n")).json()
    told = {row["row_number"]: {problem["code"] for problem in row["problems"]} for row in await rows(client, made)}
    assert told == {2: {"domain_taken"}, 3: {"domains_repeated", "domain_taken"}}

    nobody = "01a21a2a-e25e-75b3-a176-b1bffcce13a5"
    made = (await sent(client, f"Id,Name\n{nobody},One\n{nobody},Two\n")).json()
    told = {row["row_number"]: {problem["code"] for problem in row["problems"]} for row in await rows(client, made)}
    assert told == {2: {"id_unknown"}, 3: {"id_repeated", "id_unknown"}}
