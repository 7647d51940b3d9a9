"""Rows that break their job, or kill it: they end, with a reason, and hold up nobody."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.alerts.make import TODAY as MONDAY
from tests.alerts.make import Feature, a_receiver, a_vendor, expiry, recording, run_jobs
from tests.conftest import Company, FakeClock
from tests.evidence.reports import report
from tests.evidence.test_from_file_to_report import TOOLS, filed
from tests.imports.make import sent
from tests.imports.test_jobs import large
from tests.outbox.make import Death
from tests.whole.things import MAKERS, Things
from vendorrisk.background import JobContext
from vendorrisk.evidence import jobs as evidence
from vendorrisk.findings import service as findings
from vendorrisk.findings.jobs import end_acceptances
from vendorrisk.imports import jobs as imports
from vendorrisk.imports.columns import MappingError, match_headings
from vendorrisk.queues.rows import MOST_TRIES, wait
from vendorrisk.vendors import imports as vendor_imports
from vendorrisk.vendors.import_columns import LAYOUT

pytestmark = pytest.mark.anyio


def breaking(fault: BaseException, of: UUID) -> Any:
    """Return the kind of vendors' imports, in which the rows of one tenant raise a fault."""
    real = vendor_imports.KIND

    async def stage(work: Any, *more: Any) -> Any:
        if work.tenant_id == of:
            raise fault
        return await real.stage(work, *more)

    return msgspec.structs.replace(real, stage=stage)


async def test_imports_that_break_the_job_end_and_anothers_is_done_in_its_turn(
    context: JobContext, company: Company, other_company: Company
) -> None:
    kind = breaking(ValueError("a NUL in jsonb"), company.tenant.id)
    poison = [(await sent(company.client, large(2_600 + n))).headers["location"] for n in range(5)]
    good = (await sent(other_company.client, large(2_600))).headers["location"]
    for _ in range(2):
        assert await imports.run_imports(context, [kind]) == 1
    assert (await other_company.client.get(good)).json()["state"] == "checked", "in the second turn, not behind five"
    while await imports.run_imports(context, [kind]):
        pass
    ended = [(await company.client.get(place)).json() for place in poison]
    assert {one["state"] for one in ended} == {"rejected"}
    assert "ValueError" in ended[0]["rejection_reason"]
    assert "Send the rows in smaller files" in ended[0]["rejection_reason"]
    actions = [e["action"] for e in await company.client.items("/v1/audit-entries", limit=200)]
    assert actions.count("vendor_import:rejected") == 5
    assert await imports.run_imports(context, [kind]) == 0, "none is tried again"


async def test_an_import_that_kills_its_workers_is_rejected_after_three_deaths(
    context: JobContext, company: Company, clock: FakeClock
) -> None:
    kind = breaking(Death(), company.tenant.id)
    place = (await sent(company.client, large(2_600))).headers["location"]
    for _ in range(3):
        with pytest.raises(Death):
            await imports.run_imports(context, [kind])
        assert await imports.run_imports(context, [kind]) == 0, "its lease holds"
        clock.advance(minutes=6)
    assert await imports.run_imports(context, [kind]) == 1
    ended = (await company.client.get(place)).json()
    assert (ended["state"], "3 times" in ended["rejection_reason"]) == ("rejected", True)
    assert await imports.run_imports(context, [kind]) == 0


def test_a_heading_with_a_nul_is_refused_with_its_column() -> None:
    with pytest.raises(MappingError, match="heading of column 2"):
        match_headings(LAYOUT, ["Name", "Na\0me"], {})


async def test_a_file_that_breaks_its_reader_is_unreadable_and_anothers_is_read_in_its_turn(
    context: JobContext, company: Company, other_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = evidence.read_report
    mine = [await filed(company.client, report("plain"))]
    vendor = (await company.client.get(mine[0])).json()["vendor_id"]
    for number in range(2):
        body = {"vendor_id": vendor, "kind": "soc2_type2", "title": f"Another {number}"}
        place = (await company.client.post("/v1/documents", body)).headers["location"]
        kept = await company.client.put(
            f"{place}/file", report("plain"), etag=await company.client.etag(place), headers=TOOLS
        )
        assert kept.status_code == 200, kept.text
        mine.append(place)
    await filed(other_company.client, report("plain"))
    tried = list[int]()

    async def read_report(*of: Any, **more: Any) -> Any:
        tried.append(1)
        if len(tried) != 2:
            raise ValueError("a lone surrogate")
        return await real(*of, **more)

    monkeypatch.setattr(evidence, "read_report", read_report)
    while await evidence.read_evidence(context):
        pass
    assert len(tried) == 4, "each of them once"
    seen = [d["extraction"] for d in await company.client.items("/v1/documents")]
    assert seen == ["unreadable"] * len(mine)
    (theirs,) = await other_company.client.items("/v1/documents")
    assert theirs["extraction"] == "read", "in the second turn"
    entries = await company.client.items("/v1/audit-entries", limit=200)
    assert len([e for e in entries if e["action"] == "document:read"]) == 3


async def test_a_file_that_kills_its_readers_is_unreadable_after_three_deaths(
    context: JobContext, company: Company, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_report(*_of: Any, **_more: Any) -> Any:
        raise Death

    monkeypatch.setattr(evidence, "read_report", read_report)
    await filed(company.client, report("plain"))
    for _ in range(3):
        with pytest.raises(Death):
            await evidence.read_evidence(context)
        clock.advance(minutes=6)
    assert await evidence.read_evidence(context) == 1
    (document,) = await company.client.items("/v1/documents")
    assert (document["extraction"], document["extraction_detail"]) == ("unreadable", "failed")
    assert await evidence.read_evidence(context) == 0


async def test_one_finding_that_fails_waits_longer_and_longer_while_the_others_reopen(
    context: JobContext,
    company: Company,
    role_client: Any,
    owner: Any,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    things = Things(company, await role_client("admin"), context, owner)
    until = (clock() + timedelta(days=3)).date().isoformat()
    made = []
    for _ in range(3):
        finding = await MAKERS["finding_id"](things, {})
        place = f"/v1/findings/{finding}"
        move = {"to": "accepted", "reason": "Known.", "until_on": until}
        await things.made(f"{place}/transitions", move, etag=await things.client.etag(place))
        made.append(place)
    real, tried = findings._transitioned, list[Any]()

    async def transitioned(work: Any, before: Any, *more: Any) -> Any:
        tried.append(before.id)
        if str(before.id) in made[0]:
            raise ValueError("this one fails")
        return await real(work, before, *more)

    monkeypatch.setattr(findings, "_transitioned", transitioned)
    clock.advance(days=5)
    assert await end_acceptances(context) == 2
    states = [(await things.client.get(place)).json()["state"] for place in made]
    assert states == ["accepted", "open", "open"]
    assert await end_acceptances(context) == 0, "it is not tried again at once"
    row = await owner.fetchrow("select tries, reason from failed_rows")
    assert tuple(row) == (1, "ValueError: this one fails")
    for tries in range(1, MOST_TRIES):
        clock.now += wait(tries)
        assert await end_acceptances(context) == 0
    assert await owner.fetchval("select tries from failed_rows") == MOST_TRIES
    clock.advance(days=2)
    before = len(tried)
    await end_acceptances(context)
    assert len(tried) == before, "given up: tried weekly"
    monkeypatch.setattr(findings, "_transitioned", real)
    clock.advance(days=7)
    assert await end_acceptances(context) == 1
    assert (await things.client.get(made[0])).json()["state"] == "open"
    assert await owner.fetchval("select count(*) from failed_rows") == 0


async def test_a_tenant_with_an_unknown_time_zone_stops_nobodys_alerts(
    context: JobContext, company: Company, other_company: Company, owner: Any
) -> None:
    outlet = recording(context)
    for one in (company, other_company):
        await a_receiver(one)
        vendor = await a_vendor(owner, one)
        await Feature(context, one).watch(expiry(vendor, MONDAY))
    await owner.execute("update tenants set time_zone = 'Mars/Olympus' where id = $1", company.tenant.id)
    await run_jobs(context)
    assert len(outlet.sent) == 2, "its own days are counted in UTC meanwhile"
