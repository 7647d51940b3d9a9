"""Something of every kind, made by the API, for whatever an operation's path names.

MAKERS maps a path parameter to the function that makes one; a parameter without a maker fails the tests over all
routes. SITUATIONS makes what an operation needs to succeed, where any such thing would not do.
"""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec

from tests.client import Client
from tests.conftest import Company
from tests.whole.surface import Operation
from vendorrisk.background import JobContext
from vendorrisk.questionnaires.draft_routes import EXAMPLE as DRAFT

Known = dict[str, str]
Maker = Callable[["Things", Known], Awaitable[str]]


class Things:
    """Makes things for one company; `second` is another admin key, where four eyes are needed."""

    def __init__(self, company: Company, second: Client, context: JobContext, owner: Any) -> None:
        self.company, self.client, self.second, self.context, self.owner = (
            company,
            company.client,
            second,
            context,
            owner,
        )
        self._numbers = itertools.count(1)

    @property
    def number(self) -> int:
        return next(self._numbers)

    async def made(self, path: str, body: Any, client: Client | None = None, **more: Any) -> Any:
        response = await (client or self.client).post(path, body, **more)
        assert response.status_code in {200, 201, 202}, (path, response.text)
        return response.json()

    async def known_for(self, operation: Operation) -> Known:
        """Make what the path names, in its order: a child is made inside its parent."""
        known: Known = {}
        for parameter in operation.parameters:
            maker = SITUATIONS.get((operation.name, parameter)) or MAKERS.get(parameter)
            assert maker is not None, f"{operation.name}: no maker for {parameter} in tests/whole/things.py"
            known[parameter] = str(await maker(self, known))
        return known

    async def fit(self, value: Any, known: Known) -> Any:
        """Return an example in which ids are those of things that exist."""
        if isinstance(value, list):
            return [await self.fit(item, known) for item in value]
        if isinstance(value, dict):
            return {
                key: await MAKERS[key](self, known)
                if key in MAKERS and key.endswith("_id") and item is not None
                else await self.fit(item, known)
                for key, item in value.items()
            }
        return value

    async def body_of(self, operation: Operation, known: Known) -> bytes | None:
        """Return the operation's file or example, with what it refers to made."""
        if operation.raw:
            return FILES[operation.name][1]
        if not operation.takes_json:
            return None
        assert operation.example is not None, f"{operation.name} declares no example"
        return msgspec.json.encode(await self.example_of(operation, known))

    async def example_of(self, operation: Operation, known: Known) -> Any:
        """Return the operation's example with ids of things that exist; an item of many names one in its place."""
        if not operation.is_bulk:
            return await self.fit(operation.example, known)
        return {"items": [await self.item_of(operation, item) for item in operation.example["items"]]}

    async def item_of(self, operation: Operation, example: Any) -> Any:
        """Return an item of a bulk operation that names a record as it is now."""
        item = await self.fit(example, {})
        if "id" in item:
            item["id"] = await ITEMS[operation.name](self, item)
            shown = await self.client.get(f"{operation.path.rpartition('/')[0]}/{item['id']}")
            item["version"] = int(shown.headers["etag"].strip('"')) if shown.status_code == 200 else 1
        return item

    async def send(
        self,
        operation: Operation,
        known: Known,
        body: bytes | None,
        client: Client | None = None,
        etag: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Send the operation whole and well, with its version."""
        client = client or self.client
        place = operation.path.format(**known)
        headers = dict(headers or {})
        if operation.match:
            headers["if-match"] = etag or await self.etag(place)
        if operation.raw:
            headers["content-type"] = FILES[operation.name][0]
        elif body:
            headers["content-type"] = "application/json"
        return await client.http.request(operation.method, place, params=operation.query, headers=headers, content=body)

    async def etag(self, place: str) -> str:
        """Return the ETag of the record that a place belongs to: itself, or what it stands under."""
        while place.count("/") > 1:
            response = await self.client.get(place)
            if "etag" in response.headers:
                return response.headers["etag"]
            place = place.rpartition("/")[0]
        raise AssertionError("nothing on the way up has a version")


async def vendor(things: Things, _known: Known) -> str:
    return (await things.made("/v1/vendors", {"name": f"Vendor {things.number}"}))["id"]


async def active_vendor(things: Things, known: Known) -> str:
    body = {
        "name": f"Vendor {things.number}",
        "lifecycle": "active",
        "business_owner_id": await member(things, known),
        "tier": "high",
        "intake_note": "In use since 2020.",
    }
    return (await things.made("/v1/vendors", body))["id"]


async def leaving_vendor(things: Things, known: Known) -> str:
    found = await active_vendor(things, known)
    place = f"/v1/vendors/{found}"
    await things.made(f"{place}/transitions", {"to": "offboarding"}, etag=await things.client.etag(place))
    return found


async def assessed_vendor(things: Things, known: Known) -> str:
    found = await vendor(things, known)
    place = f"/v1/vendors/{found}"
    response = await things.client.put(
        f"{place}/inherent-risk", {"criticality": 2}, etag=await things.client.etag(place)
    )
    assert response.status_code == 200, response.text
    return found


async def member(things: Things, _known: Known) -> str:
    number = things.number
    body = {"name": f"Member {number}", "email": f"member{number}@example.com", "roles": ["owner"]}
    return (await things.made("/v1/members", body))["id"]


async def key(things: Things, _known: Known) -> str:
    return (await things.made("/v1/api-keys", {"name": f"Key {things.number}", "roles": ["auditor"]}))["id"]


async def receiver(things: Things, _known: Known) -> str:
    body = {"name": f"Receiver {things.number}", "target": {"kind": "console"}}
    return (await things.made("/v1/receivers", body))["id"]


async def unconfirmed_receiver(things: Things, _known: Known) -> str:
    body = {"name": f"Mail {things.number}", "target": {"kind": "email", "address": f"mail{things.number}@example.com"}}
    return (await things.made("/v1/receivers", body))["id"]


async def alert(things: Things, known: Known) -> str:
    from tests.alerts.make import Feature

    assert await Feature(things.context, things.company).raise_gap(
        UUID(await vendor(things, known)), f"gap-{things.number}"
    )
    return (await things.client.get("/v1/alerts", params={"limit": 1})).json()["items"][0]["id"]


async def delivery(things: Things, known: Known) -> str:
    return (await things.made(f"/v1/receivers/{await receiver(things, known)}/tests", None))["id"]


async def cancelled_delivery(things: Things, known: Known) -> str:
    place = f"/v1/receivers/{await receiver(things, known)}"
    sent = (await things.made(f"{place}/tests", None))["id"]
    for is_active in (False, True):
        response = await things.client.patch(place, {"is_active": is_active}, etag=await things.client.etag(place))
        assert response.status_code == 200, response.text
    return sent


async def alert_class(_things: Things, _known: Known) -> str:
    return "review_due"


async def service(things: Things, known: Known) -> str:
    parent = known.get("vendor_id") or await vendor(things, known)
    return (await things.made(f"/v1/vendors/{parent}/services", {"name": f"Service {things.number}"}))["id"]


async def fourth_party(things: Things, known: Known) -> str:
    parent = await vendor(things, known)
    return (await things.made(f"/v1/vendors/{parent}/fourth-parties", {"name": f"Below {things.number}"}))["id"]


async def intake_request(things: Things, _known: Known) -> str:
    body = {"name": f"Wanted {things.number}", "purpose": "Hosting"}
    return (await things.made("/v1/intake-requests", body, things.second))["id"]


async def vendor_import(things: Things, _known: Known) -> str:
    sheet = f"name\nImported {things.number}\n".encode()
    return (await things.made("/v1/vendor-imports", sheet, headers={"content-type": "text/csv"}))["id"]


async def step(_things: Things, _known: Known) -> str:
    return "access_removed"


async def document(things: Things, known: Known) -> str:
    body = {"vendor_id": known.get("vendor_id") or await vendor(things, known), "kind": "policy", "title": "A policy"}
    return (await things.made("/v1/documents", body))["id"]


async def filed_document(things: Things, known: Known) -> str:
    found = await document(things, known)
    place = f"/v1/documents/{found}"
    media, content = FILES["store_document_file"]
    response = await things.client.put(
        f"{place}/file", content, etag=await things.client.etag(place), headers={"content-type": media}
    )
    assert response.status_code == 200, response.text
    return found


async def proposal(things: Things, known: Known) -> str:
    """Insert what the extraction job would have proposed."""
    document_id = known.get("document_id") or await document(things, known)
    return await proposed(things, document_id, "auditor", "Example CPA LLP")


async def proposed(things: Things, document_id: str, field: str, value: str, decision: str = "open") -> str:
    made = uuid4()
    decided = (things.company.key.id, "Test", things.context.clock()) if decision != "open" else (None, None, None)
    await things.owner.execute(
        "insert into proposals (tenant_id, id, document_id, field, value, page, quotation, confidence, created_at,"
        " decision, decided_by_id, decided_by_label, decided_at) values"
        " ($1, $2, $3, $4, to_jsonb($5::text), 1, 'as it stands', 0.9, $6, $7, $8, $9, $10)",
        *(things.company.tenant.id, made, UUID(document_id), field, value, things.context.clock(), decision, *decided),
    )
    return str(made)


async def confirmed_document(things: Things, known: Known) -> str:
    found = await document(things, known)
    for field, value in (("report_type", "type_1"), ("opinion", "unqualified"), ("as_of_on", "2025-12-31")):
        await proposed(things, found, field, value, "confirmed")
    return found


async def report(things: Things, known: Known) -> str:
    body = {
        "vendor_id": await vendor(things, known),
        "report_type": "type_2",
        "period_start_on": "2025-01-01",
        "period_end_on": "2025-12-31",
        "opinion": "unqualified",
        "categories": ["security"],
    }
    return (await things.made("/v1/soc2-reports", body))["id"]


async def confirmed_letter(things: Things, known: Known) -> str:
    made = await things.client.get(f"/v1/soc2-reports/{await report(things, known)}")
    found = await document(things, {"vendor_id": made.json()["vendor_id"]})
    for field, value in (("period_end_on", "2025-12-31"), ("letter_end_on", "2026-01-31")):
        await proposed(things, found, field, value, "confirmed")
    return found


async def report_exception(things: Things, known: Known) -> str:
    body = {"criterion": "CC6.1", "control": f"Control {things.number}", "deviation": "Late"}
    return (await things.made(f"/v1/soc2-reports/{known['report_id']}/exceptions", body))["id"]


async def cuec(things: Things, known: Known) -> str:
    body = {"control": f"Control {things.number}"}
    return (await things.made(f"/v1/soc2-reports/{known['report_id']}/cuecs", body))["id"]


async def organisation(things: Things, known: Known) -> str:
    body = {"name": f"Organisation {things.number}", "method": "carve_out"}
    return (await things.made(f"/v1/soc2-reports/{known['report_id']}/subservice-organisations", body))["id"]


async def letter(things: Things, known: Known) -> str:
    body = {"ends_on": f"2026-01-{things.number % 28 + 1:02}"}
    return (await things.made(f"/v1/soc2-reports/{known['report_id']}/bridge-letters", body))["id"]


async def finding(things: Things, known: Known) -> str:
    body = {"vendor_id": await vendor(things, known), "title": f"Finding {things.number}", "severity": "high"}
    return (await things.made("/v1/findings", body))["id"]


async def asset(things: Things, known: Known) -> str:
    parent = known.get("vendor_id") or await vendor(things, known)
    body = {"kind": "domain", "name": f"watched{things.number}.com"}
    return (await things.made(f"/v1/vendors/{parent}/assets", body))["id"]


async def product(things: Things, known: Known) -> str:
    parent = known.get("vendor_id") or await vendor(things, known)
    body = {"maker": "Ivanti", "product": f"Product {things.number}"}
    return (await things.made(f"/v1/vendors/{parent}/products", body))["id"]


async def observation(things: Things, known: Known) -> str:
    """Insert what a scan would have kept of an asset."""
    own = await things.client.get(f"/v1/vendor-assets/{await asset(things, known)}")
    made = uuid4()
    await things.owner.execute(
        "insert into signal_observations (observed_at, id, asset_id, scan_kind, raw, raw_hash, scan_id,"
        " scanner_version, datasets) values ($1, $2, $3, 'dns', '{}', 'x', $2, '1', '{}')",
        *(things.context.clock(), made, UUID(own.json()["asset_id"])),
    )
    return str(made)


async def signal_finding(things: Things, known: Known) -> str:
    """Open a finding, and say that an asset's signal did."""
    parent, made = await vendor(things, known), uuid4()
    own = {"vendor_id": parent}
    opened, watched = await finding(things, own), await asset(things, own)
    await things.owner.execute(
        "insert into signal_findings (tenant_id, id, vendor_id, vendor_asset_id, rule, subject, generation,"
        " finding_id, opened_at) values ($1, $2, $3, $4, 'web.csp', '', 1, $5, $6)",
        *(things.company.tenant.id, made, UUID(parent), UUID(watched), UUID(opened), things.context.clock()),
    )
    return opened


async def scored_vendor(things: Things, known: Known) -> str:
    """Reconcile a vendor whose domain nobody has scanned: everything is unknown, and so is the grade."""
    from vendorrisk.signals.jobs import reconcile_vendors

    known = {"vendor_id": await vendor(things, known)}
    await asset(things, known)
    while await reconcile_vendors(things.context):
        pass
    return known["vendor_id"]


async def past_score(things: Things, known: Known) -> str:
    found = await things.client.get(f"/v1/vendors/{await scored_vendor(things, known)}/signal-score")
    return found.json()["id"]


async def list_change(things: Things, known: Known) -> str:
    """Insert a change as a reconciliation would have proposed it."""
    parent, made = await vendor(things, known), uuid4()
    page = await asset(things, {"vendor_id": parent})
    await things.owner.execute(
        "insert into subprocessor_changes (tenant_id, id, vendor_id, vendor_asset_id, change, name, value_hash,"
        " observed_at) values ($1, $2, $3, $4, 'added', $5, 'x', $6)",
        *(things.company.tenant.id, made, UUID(parent), UUID(page), f"Hoster {things.number}", things.context.clock()),
    )
    return str(made)


async def questionnaire(things: Things, _known: Known) -> str:
    number = things.number
    return (await things.made("/v1/questionnaires", {"key": f"own-{number}", "title": f"Own {number}"}))["id"]


async def drafted_questionnaire(things: Things, known: Known) -> str:
    found = await questionnaire(things, known)
    key = (await things.client.get(f"/v1/questionnaires/{found}")).json()["key"]
    response = await things.client.put(f"/v1/questionnaires/{found}/draft", {**DRAFT, "key": key}, etag='"0"')
    assert response.status_code == 200, response.text
    return found


async def published_questionnaire(things: Things, known: Known) -> str:
    found = await drafted_questionnaire(things, known)
    place = f"/v1/questionnaires/{found}/draft/publication"
    await things.made(place, {}, etag=await things.client.etag(f"/v1/questionnaires/{found}/draft"))
    return found


async def questionnaire_of_the_example(things: Things, _known: Known) -> str:
    """Return the one questionnaire that has the key of the example of a draft."""
    there = await things.client.items("/v1/questionnaires", filter=f"key:eq:{DRAFT['key']}")
    body = {"key": DRAFT["key"], "title": "Of the example"}
    return there[0]["id"] if there else (await things.made("/v1/questionnaires", body))["id"]


async def version_number(_things: Things, _known: Known) -> str:
    return "1"


async def built_in_key(_things: Things, _known: Known) -> str:
    return "baseline"


MAKERS: dict[str, Maker] = {
    "questionnaire_id": questionnaire,
    "number": version_number,
    "built_in_key": built_in_key,
    "asset_id": asset,
    "product_id": product,
    "observation_id": observation,
    "score_id": past_score,
    "change_id": list_change,
    "member_id": member,
    "key_id": key,
    "receiver_id": receiver,
    "alert_id": alert,
    "delivery_id": delivery,
    "alert_class": alert_class,
    "vendor_id": vendor,
    "service_id": service,
    "fourth_party_id": fourth_party,
    "request_id": intake_request,
    "import_id": vendor_import,
    "step": step,
    "document_id": document,
    "proposal_id": proposal,
    "report_id": report,
    "exception_id": report_exception,
    "cuec_id": cuec,
    "organisation_id": organisation,
    "letter_id": letter,
    "finding_id": finding,
}

SITUATIONS: dict[tuple[str, str], Maker] = {
    ("list_questionnaire_versions", "questionnaire_id"): published_questionnaire,
    ("get_questionnaire_version", "questionnaire_id"): published_questionnaire,
    ("export_questionnaire_version", "questionnaire_id"): published_questionnaire,
    ("get_questionnaire_comparison", "questionnaire_id"): published_questionnaire,
    ("set_questionnaire_draft", "questionnaire_id"): questionnaire_of_the_example,
    ("check_questionnaire_draft", "questionnaire_id"): questionnaire_of_the_example,
    ("remove_questionnaire_draft", "questionnaire_id"): drafted_questionnaire,
    ("publish_questionnaire_draft", "questionnaire_id"): drafted_questionnaire,
    ("record_vendor_review", "vendor_id"): active_vendor,
    ("get_signal_score", "vendor_id"): scored_vendor,
    ("get_finding_signal", "finding_id"): signal_finding,
    ("get_offboarding_step", "vendor_id"): leaving_vendor,
    ("resolve_offboarding_step", "vendor_id"): leaving_vendor,
    ("get_inherent_risk", "vendor_id"): assessed_vendor,
    ("request_receiver_confirmation", "receiver_id"): unconfirmed_receiver,
    ("resend_delivery", "delivery_id"): cancelled_delivery,
    ("get_document_file", "document_id"): filed_document,
    ("record_proposed_report", "document_id"): confirmed_document,
    ("record_proposed_letter", "document_id"): confirmed_letter,
}

ITEMS: dict[str, Maker] = {
    "change_vendors": vendor,
    "transition_vendors": vendor,
    "record_vendor_reviews": active_vendor,
    "answer_inherent_risks": vendor,
    "approve_intake_requests": intake_request,
    "transition_findings": finding,
    "decide_proposals": proposal,
    "resend_deliveries": cancelled_delivery,
}
"""What the `id` of an item of a bulk operation names. The maker is given the item, which may name a parent."""

FILES: dict[str, tuple[str, bytes]] = {
    "import_vendors": ("text/csv", b"name,country\nImported whole,DE\n"),
    "import_vendor_ratings": ("text/csv", b"domain,provider,date,score\nexample.com,Rater,2026-01-31,87\n"),
    "set_questionnaire_draft": ("application/json", msgspec.json.encode(DRAFT)),
    "check_questionnaire_draft": ("application/json", msgspec.json.encode(DRAFT)),
    "store_document_file": ("text/plain", b"We encrypt what we keep.\n"),
}
"""A well-formed body for each operation that takes a file."""
