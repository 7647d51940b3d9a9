"""From a file to a report: sent, read by the job, proposed with page and quotation, decided by a person, recorded."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.evidence.make import coverage, recorded, type_2, vendor
from tests.evidence.reports import pages_pdf, report
from tests.evidence.unseen import UNSEEN
from vendorrisk.background import JobContext
from vendorrisk.evidence.jobs import read_evidence

pytestmark = pytest.mark.anyio

PDF = {"content-type": "application/pdf"}
TOOLS = {"content-type": "application/octet-stream"}


async def filed(client: Client, content: bytes, **more: Any) -> str:
    """Make a document, send its file, and return its place."""
    body = {"vendor_id": await vendor(client), "kind": "soc2_type2", "title": "SOC 2 Type 2", **more}
    made = await client.post("/v1/documents", body)
    assert made.status_code == 201, made.text
    place = f"/v1/documents/{made.json()['id']}"
    sent = await client.put(f"{place}/file", content, etag=await client.etag(place), headers=TOOLS)
    assert sent.status_code == 200, sent.text
    return place


async def read_all(context: JobContext) -> int:
    runs = 0
    while await read_evidence(context):
        runs += 1
    return runs


async def decide(client: Client, place: str, proposal: Any, decision: str) -> Any:
    target = f"{place}/proposals/{proposal['id']}/decision"
    return await client.post(target, {"decision": decision}, etag=f'"{proposal["version"]}"')


async def test_a_report_is_read_proposed_confirmed_and_covers(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    clock.advance(days=-90)
    place = await filed(client, report("plain"))
    assert (await client.get(place)).json()["extraction"] == "waiting"
    assert await client.items(f"{place}/proposals") == []
    assert await read_all(context) == 1
    assert (await client.get(place)).json()["extraction"] == "read"
    proposals = await client.items(f"{place}/proposals", limit=200)
    fields = {p["field"]: p for p in proposals}
    assert fields["auditor"]["value"] == "Harrow & Finch LLP"
    assert all(p["page"] >= 1 and p["quotation"].strip() and p["decision"] == "open" for p in proposals)
    early = await client.post(f"{place}/soc2-reports", None)
    assert (early.status_code, early.json()["code"]) == (409, "proposals_incomplete")
    assert await client.items("/v1/soc2-reports") == []
    for proposal in proposals:
        response = await decide(client, place, proposal, "rejected" if proposal["field"] == "cuec" else "confirmed")
        assert response.status_code == 200, response.text
    recorded = await client.post(f"{place}/soc2-reports", None)
    assert recorded.status_code == 201, recorded.text
    shown = recorded.json()
    assert (shown["report_type"], shown["period_start_on"], shown["period_end_on"]) == (
        "type_2",
        "2024-10-01",
        "2025-09-30",
    )
    assert set(shown["categories"]) == {"security", "availability", "confidentiality"}
    assert shown["opinion"] == "unqualified"
    assert shown["document_id"] == place.rpartition("/")[2]
    assert recorded.json()["cuecs"] == [], "what was rejected is not recorded"
    [covered] = await coverage(client, shown["vendor_id"])
    assert covered["state"] in {"covered", "in_reliance"}
    assert any(step["report_id"] == shown["id"] for step in covered["timeline"])


async def test_a_bridge_letter_is_read_confirmed_and_bridges_the_report_it_names(
    context: JobContext, client: Client
) -> None:
    pages, _ = UNSEEN["bridge letter"]
    place = await filed(client, pages_pdf(pages), kind="bridge_letter", title="Bridge letter")
    await read_all(context)
    early = await client.post(f"{place}/bridge-letters", None)
    assert (early.status_code, early.json()["code"]) == (409, "proposals_incomplete")
    for proposal in await client.items(f"{place}/proposals", limit=200):
        await decide(client, place, proposal, "confirmed")
    alone = await client.post(f"{place}/bridge-letters", None)
    assert (alone.status_code, alone.json()["code"]) == (409, "proposals_incomplete")
    assert "2025-09-30" in alone.json()["detail"]
    vendor_id = (await client.get(place)).json()["vendor_id"]
    shown = await recorded(client, type_2(vendor_id, "2024-10-01", "2025-09-30"))
    made = await client.post(f"{place}/bridge-letters", None)
    assert made.status_code == 201, made.text
    assert (made.json()["report_id"], made.json()["ends_on"], made.json()["issued_on"]) == (
        shown["id"],
        "2025-12-31",
        "2025-12-15",
    )
    assert (await coverage(client, vendor_id, "2025-12-20"))[0]["state"] == "bridged"
    twice = await client.post(f"{place}/bridge-letters", None)
    assert (twice.status_code, twice.json()["code"]) == (409, "bridge_letter_known")


async def test_a_second_click_a_stale_version_and_no_version_change_nothing(
    context: JobContext, client: Client
) -> None:
    place = await filed(client, report("plain"))
    await read_all(context)
    proposal = (await client.items(f"{place}/proposals", limit=1))[0]
    target = f"{place}/proposals/{proposal['id']}/decision"
    assert (await client.post(target, {"decision": "confirmed"})).status_code == 428
    assert (await client.post(target, {"decision": "confirmed"}, etag='"7"')).status_code == 412
    first = await decide(client, place, proposal, "confirmed")
    assert first.status_code == 200
    stale = await decide(client, place, proposal, "rejected")
    assert stale.status_code == 412
    again = await decide(client, place, first.json(), "rejected")
    assert (again.status_code, again.json()["code"]) == (409, "proposal_decided")
    shown = next(p for p in await client.items(f"{place}/proposals", limit=200) if p["id"] == proposal["id"])
    assert shown["decision"] == "confirmed"


async def test_the_same_report_is_recorded_once(context: JobContext, client: Client) -> None:
    place = await filed(client, report("plain"))
    await read_all(context)
    for proposal in await client.items(f"{place}/proposals", limit=200):
        await decide(client, place, proposal, "confirmed")
    assert (await client.post(f"{place}/soc2-reports", None)).status_code == 201
    second = await client.post(f"{place}/soc2-reports", None)
    assert (second.status_code, second.json()["code"]) == (409, "soc2_report_known")
    assert len(await client.items("/v1/soc2-reports")) == 1


async def test_who_may_not_confirm_may_not_and_strangers_see_nothing(
    context: JobContext, client: Client, other_company: Company, role_client: Any
) -> None:
    place = await filed(client, report("plain"))
    await read_all(context)
    proposal = (await client.items(f"{place}/proposals", limit=1))[0]
    for role in ("procurement", "owner", "auditor"):
        refused = await decide(await role_client(role), place, proposal, "confirmed")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert (await decide(other_company.client, place, proposal, "confirmed")).status_code == 404
    assert (await other_company.client.get(f"{place}/file")).status_code == 404
    assert (await other_company.client.get(f"{place}/proposals")).status_code == 404
    reviewer = await decide(await role_client("reviewer"), place, proposal, "confirmed")
    assert reviewer.status_code == 200


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\nnot a file at all", "soc2_type2"),
        (report("plain")[:3000], "soc2_type2"),
        (pages_pdf([[]]), "soc2_type2"),
    ],
    ids=["only a heading", "cut off", "no text"],
)
async def test_a_file_that_cannot_be_read_says_so_and_stays(
    context: JobContext, client: Client, content: bytes, kind: str
) -> None:
    place = await filed(client, content, kind=kind)
    await read_all(context)
    shown = (await client.get(place)).json()
    assert shown["extraction"] == "unreadable", shown
    assert shown["extraction_detail"]
    assert await client.items(f"{place}/proposals") == []
    assert (await client.get(f"{place}/file")).content == content, "the file itself is kept as it came"
    assert await read_all(context) == 0, "it is not tried for ever"


async def test_a_reader_that_died_is_followed_by_another_and_nothing_is_proposed_twice(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    place = await filed(client, report("plain"))
    await owner.execute(
        "update documents set extraction_leased_until = $1, extraction_token = gen_random_uuid() where id = $2",
        clock() + timedelta(minutes=5),
        place.rpartition("/")[2],
    )
    assert await read_all(context) == 0, "somebody holds it"
    clock.advance(minutes=6)
    assert await read_all(context) == 1
    found = await client.items(f"{place}/proposals", limit=200)
    assert len({p["id"] for p in found}) == len(found) > 5
    assert await read_all(context) == 0


async def test_a_file_is_served_as_an_attachment_that_no_browser_opens(client: Client) -> None:
    content = report("plain")
    place = await filed(client, content, title="Report")
    etag = await client.etag(place)
    named = "..%2F..%2Fetc%2Fpasswd%00%0d%0aSet-Cookie:%20a=b.pdf"
    sent = await client.put(f"{place}/file", content, etag=etag, headers=TOOLS, params={"file_name": named})
    assert sent.status_code in {200, 400, 422}
    served = await client.get(f"{place}/file")
    assert served.content == content
    assert served.headers["content-type"] == "application/pdf"
    disposition = served.headers["content-disposition"]
    assert disposition.startswith("attachment")
    assert not {"/", "\\", "\r", "\n", "\0"} & set(disposition)
    assert served.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in served.headers["content-security-policy"]
    assert "no-store" in served.headers["cache-control"]
    assert "set-cookie" not in served.headers
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert served.headers["repr-digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"MZ\x90\x00\x03" + bytes(200), "file_type_refused"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "file_type_refused"),
        (b"PK\x03\x04" + bytes(300), "file_type_refused"),
        (b"<html><script>alert(1)</script></html>", "file_type_refused"),
    ],
    ids=["empty", "a program", "another program", "any zip", "a page"],
)
async def test_a_file_of_no_kind_that_is_accepted_is_refused_and_nothing_is_kept(
    client: Client, content: bytes, code: str
) -> None:
    made = await client.post("/v1/documents", {"vendor_id": await vendor(client), "kind": "policy", "title": "A"})
    place = f"/v1/documents/{made.json()['id']}"
    sent = await client.put(f"{place}/file", content, etag=await client.etag(place), headers=PDF)
    assert sent.json()["code"] == code, sent.text
    shown = (await client.get(place)).json()
    assert (shown["file_sha256"], shown["version"]) == (None, 1)


async def test_a_newer_revision_takes_the_place_and_the_dates_of_the_older(client: Client) -> None:
    own = await vendor(client, lifecycle="prospect")
    until = {"kind": "iso27001_certificate", "valid_from_on": "2025-06-01"}
    old = await client.post(
        "/v1/documents", {"vendor_id": own, "title": "ISO 2025", "stated_until_on": "2026-05-31", **until}
    )
    coming = await client.items("/v1/alerts/upcoming", until="2027-12-31", limit=200)
    assert {a["due_on"] for a in coming if a["alert_class"] == "evidence_expiring"} == {"2026-05-31"}
    new = await client.post(
        "/v1/documents",
        {"vendor_id": own, "title": "ISO 2026", "stated_until_on": "2027-05-31",
         "supersedes_id": old.json()["id"], **until},
    )  # fmt: skip
    assert (new.status_code, new.json()["revision"]) == (201, 2)
    coming = await client.items("/v1/alerts/upcoming", until="2027-12-31", limit=200)
    assert {a["due_on"] for a in coming if a["alert_class"] == "evidence_expiring"} == {"2027-05-31"}
    place = f"/v1/documents/{old.json()['id']}"
    changed = await client.patch(place, {"title": "B"}, etag=await client.etag(place))
    assert (changed.status_code, changed.json()["code"]) == (409, "document_superseded")
    newest = f"/v1/documents/{new.json()['id']}"
    body = {"reason": "Filed wrongly."}
    assert (await client.post(f"{newest}/withdrawal", body, etag=await client.etag(newest))).status_code == 200
    coming = await client.items("/v1/alerts/upcoming", until="2027-12-31", limit=200)
    assert [a for a in coming if a["alert_class"] == "evidence_expiring"] == []
