"""Every job of the schedule, run twice: nothing the second time, in a company that has something of every kind."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Company, FakeClock
from tests.evidence.reports import report
from tests.evidence.test_from_file_to_report import filed
from tests.signals.watching import watching
from tests.whole.surface import operations
from tests.whole.things import MAKERS, Things
from vendorrisk.app import Api
from vendorrisk.background import JobContext, run_job
from vendorrisk.imports.service import SMALL_ROWS
from vendorrisk.worker import SCHEDULE

pytestmark = pytest.mark.anyio


def test_the_schedule_names_every_job_once_and_every_period_divides_the_clock() -> None:
    names = [job.name for job in SCHEDULE]
    assert len(names) == len(set(names))
    for job in SCHEDULE:
        assert 60 % job.every_seconds == 0 or 3600 % job.every_seconds == 0 or 86400 % job.every_seconds == 0, job.name
        assert 0 < job.timeout_seconds <= 3600, job.name
        assert job.at_start == (job.every_seconds > 3600), f"{job.name} would wait for one minute of the day"


HARD_TO_ARRANGE = {"fetch_signal_feeds"}
"""Jobs that a company with something of every kind leaves idle; tests/signals runs them. May only shrink."""


async def test_every_job_does_nothing_the_second_time(
    api: Api, company: Company, role_client: Any, context: JobContext, owner: Any, clock: FakeClock
) -> None:
    things = Things(company, await role_client("admin"), context, owner)
    async with watching(context, company.client, clock):
        for operation in operations(api):
            await things.known_for(operation)
        await leave_work_for_jobs(things, clock)
        busy = await run_all(context)
        await owner.execute("delete from signal_schedule where scan_kind = 'dns'")
        busy |= await run_all(context)
        assert {job.name for job in SCHEDULE} - busy == HARD_TO_ARRANGE, "what did nothing proves nothing"
        again = {}
        for job in SCHEDULE:
            before = await rows(owner)
            handled = await run_job(job, context)
            changed = {table for table, print_ in (await rows(owner)).items() if before[table] != print_}
            if handled or changed:
                again[job.name] = (handled, changed)
    assert again == {}


async def leave_work_for_jobs(things: Things, clock: FakeClock) -> None:
    """Leave what falls due as time passes, an upload that died, and an import too large to be done at once."""
    finding = await MAKERS["finding_id"](things, {})
    place = f"/v1/findings/{finding}"
    until = (clock() + timedelta(days=30)).date().isoformat()
    move = {"to": "accepted", "reason": "Known.", "until_on": until}
    await things.made(f"{place}/transitions", move, etag=await things.client.etag(place))
    await things.made("/v1/vendors", {"name": "Repeated"}, headers={"idempotency-key": "k"})
    await filed(things.client, report("plain"))
    certificate = {
        "vendor_id": await MAKERS["vendor_id"](things, {}),
        "kind": "iso27001_certificate",
        "title": "ISO 27001",
        "issued_on": (clock() - timedelta(days=30)).date().isoformat(),
        "stated_until_on": (clock() + timedelta(days=1000)).date().isoformat(),
    }
    await things.made("/v1/documents", certificate)
    names = "\n".join(f"Imported {number}" for number in range(SMALL_ROWS + 1))
    sheet = {"content-type": "text/csv"}
    taken = await things.client.http.post(
        "/v1/vendor-imports", params={"dry_run": "false"}, content=f"name\n{names}\n".encode(), headers=sheet
    )
    assert taken.status_code == 202, taken.text
    cut_off = uuid4().hex
    bodies = Path(things.context.settings.home) / "files" / "bodies" / str(things.company.tenant.id)
    body = bodies / cut_off[-2:] / cut_off
    body.parent.mkdir(parents=True, exist_ok=True)
    body.write_bytes(b"cut off")
    os.utime(body, (0, 0))
    clock.advance(days=400)


async def run_all(context: JobContext) -> set[str]:
    """Run every job in the schedule's order; returns the names of those that had something to do."""
    return {job.name for job in SCHEDULE if await run_job(job, context)}


async def rows(owner: Any) -> dict[str, str]:
    tables = await owner.fetch("select tablename::text as name from pg_tables where schemaname = 'public'")
    return {
        table["name"]: await owner.fetchval(
            f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table['name']} as t"
        )
        for table in tables
    }
