"""Every record that an operation or a job writes has an entry of its own in the audit log, by its id.

How many entries a write leaves is counted in `test_routes`; here each row that changed is looked for.
"""

from typing import Any

import pytest

from tests.conftest import Company, FakeClock
from tests.whole.surface import operations
from tests.whole.test_bad_input import BAD_FILES
from tests.whole.things import Things, finding, vendor
from vendorrisk.app import Api
from vendorrisk.background import JobContext, run_job
from vendorrisk.imports import service as imports
from vendorrisk.signals.jobs import reconcile_vendors
from vendorrisk.worker import SCHEDULE

pytestmark = pytest.mark.anyio

DERIVED = {
    "deadlines": "follow from the record whose date they are",
    "alerts": "are themselves the record of what people were told",
    "deliveries": "are themselves the record of what was sent",
    "delivery_attempts": "are themselves the record of what was tried",
    "soc2_coverage": "is computed from reports",
    "score_snapshots": "are computed from states, and append-only",
    "signal_findings": "join a state to its finding, which has its entry",
    "vendor_exploits": "note that a finding was opened, which has its entry",
    "finding_transitions": "are recorded in the finding's entry",
    "proposals": "bind nobody until a person decides, which has its entry",
    "subprocessor_changes": "bind nobody until a person decides, which has its entry",
    "import_rows": "are told by their digest in the import's entry",
}
"""Tables whose rows are written without an entry of their own, and why. May only shrink."""

BY_DIGEST = {("run_imports", "vendors"), ("accept_vendor_import", "vendors")}
"""What the entry of an import tells by the digest of its rows."""

IN_ITS_PARENTS = {
    ("answer_inherent_risk", "inherent_risk_assessments"),
    ("answer_inherent_risks", "inherent_risk_assessments"),
    ("record_vendor_review", "vendor_reviews"),
    ("record_vendor_reviews", "vendor_reviews"),
    ("add_receiver", "receiver_confirmations"),
    ("change_receiver", "receiver_confirmations"),
    ("request_receiver_confirmation", "receiver_confirmations"),
}
"""What is made together with a change of its vendor or receiver, and told in that entry."""

NOBODY_S = "{scan_requested_at,last_used_at,lease_token,leased_until}"
"""Columns that say when something is looked at next, by whom, or was used last."""


async def test_what_a_job_writes_of_a_record_leaves_its_audit_entry(
    api: Api,
    company: Company,
    role_client: Any,
    context: JobContext,
    owner: Any,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things = Things(company, await role_client("admin"), context, owner)
    await give_jobs_something_to_do(things, monkeypatch)
    faults, audited = [], set()
    for days in (0, 2, 40):
        clock.advance(days=days)
        for job in SCHEDULE:
            before, last = await records(owner), await length(owner)
            await run_job(job, context)
            told = await targets_after(owner, last)
            for table, id_ in changed(before, await records(owner)):
                if id_ in told:
                    audited.add((job.name, table))
                elif table not in DERIVED and (job.name, table) not in BY_DIGEST:
                    faults.append(f"{job.name} wrote {table} {id_}")
    assert faults == []
    assert {
        ("reconcile_vendors", "vendor_assets"),
        ("end_acceptances", "findings"),
        ("read_evidence", "documents"),
        ("run_imports", "imports"),
    } <= audited


async def test_what_an_operation_writes_of_a_record_leaves_its_audit_entry(
    api: Api, company: Company, role_client: Any, context: JobContext, owner: Any
) -> None:
    things = Things(company, await role_client("admin"), context, owner)
    faults, audited = [], 0
    for operation in operations(api):
        if not operation.writes:
            continue
        known = await things.known_for(operation)
        body = await things.body_of(operation, known)
        etag = await things.etag(operation.path.format(**known)) if operation.match else None
        before, last = await records(owner), await length(owner)
        await things.send(operation, known, body, etag=etag)
        told = await targets_after(owner, last)
        if len(told) != len(set(told)):
            faults.append(f"{operation.name} told one record twice")
        for table, id_ in changed(before, await records(owner)):
            audited += id_ in told
            place = (operation.name, table)
            if id_ not in told and table not in DERIVED and place not in BY_DIGEST | IN_ITS_PARENTS:
                faults.append(f"{operation.name} wrote {table} {id_}")
    assert "\n".join(faults) == ""
    assert audited > 50


async def test_an_asset_that_is_primary_no_more_tells_it_as_the_one_that_took_its_place_does(
    company: Company, role_client: Any, context: JobContext, owner: Any
) -> None:
    things = Things(company, await role_client("admin"), context, owner)
    place = f"/v1/vendors/{await vendor(things, {})}/assets"
    first, second = [
        await things.made(place, {"kind": "domain", "name": f"watched-{n}.com", "is_primary": True}) for n in "ab"
    ]
    again = f"/v1/vendor-assets/{first['id']}"
    response = await things.client.patch(again, {"is_primary": True}, etag=await things.client.etag(again))
    assert response.status_code == 200, response.text
    log = {"filter": "action:in:vendor_asset:attached,vendor_asset:changed", "sort": "sequence"}
    told = [
        (entry["target_id"], entry["action"], (entry["before"] or {}).get("is_primary"), entry["after"]["is_primary"])
        for entry in await things.client.items("/v1/audit-entries", **log)
    ]
    assert told == [
        (first["id"], "vendor_asset:attached", None, True),
        (first["id"], "vendor_asset:changed", True, False),
        (second["id"], "vendor_asset:attached", None, True),
        (second["id"], "vendor_asset:changed", True, False),
        (first["id"], "vendor_asset:changed", False, True),
    ]


async def targets_after(owner: Any, last: int) -> list[Any]:
    rows = await owner.fetch("select target_id from audit_entries where sequence > $1", last)
    return [row["target_id"] for row in rows]


async def give_jobs_something_to_do(things: Things, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a domain to attach and one to take off, a suppressed finding, a report to read, an import to apply."""
    client = things.client
    body = {"name": "Watched", "domains": ["watched-a.com", "watched-b.com"]}
    place = f"/v1/vendors/{(await things.made('/v1/vendors', body))['id']}"
    while await reconcile_vendors(things.context):
        pass
    assert len(await client.items(f"{place}/assets")) == 2
    changed = await client.patch(place, {"domains": ["watched-a.com", "watched-c.com"]}, etag=await client.etag(place))
    assert changed.status_code == 200, changed.text
    found = f"/v1/findings/{await finding(things, {})}"
    aside = {"to": "accepted", "reason": "For now", "until_on": "2026-03-20"}
    await things.made(f"{found}/transitions", aside, etag=await client.etag(found))
    report = {"vendor_id": place.rpartition("/")[2], "kind": "soc2_type2", "title": "A report"}
    document = f"/v1/documents/{(await things.made('/v1/documents', report))['id']}"
    stored = await client.put(
        f"{document}/file", BAD_FILES["a PDF without an end"], etag='"1"', headers={"content-type": "application/pdf"}
    )
    assert stored.json()["extraction"] == "waiting", stored.text
    monkeypatch.setattr(imports, "SMALL_BYTES", 0)
    monkeypatch.setattr(imports, "SMALL_ROWS", 0)
    sheet = b"name\nImported by a job\n"
    await things.made("/v1/vendor-imports?dry_run=false", sheet, headers={"content-type": "text/csv"})


Records = dict[tuple[str, Any], str]


async def records(owner: Any) -> Records:
    """Return a fingerprint of every row that has an id in a tenant, but for what is nobody's business."""
    tables = await owner.fetch(
        """
        select c.relname::text as name from pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
            and 2 = (select count(*) from pg_attribute where attrelid = c.oid and attname in ('tenant_id', 'id'))
        """
    )
    return {
        (table["name"], row["id"]): row["print"]
        for table in tables
        for row in await owner.fetch(
            f"select id, md5((to_jsonb(t) - '{NOBODY_S}'::text[])::text) as print from {table['name']} as t"
        )
    }


def changed(before: Records, after: Records) -> set[tuple[str, Any]]:
    return {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}


async def length(owner: Any) -> int:
    count: int = await owner.fetchval("select max(sequence) from audit_entries")
    return count
