"""Sources that open findings for other features, and acceptances that end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.findings.make import finding, transition, vendor
from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts.jobs import raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.findings import service
from vendorrisk.findings.jobs import end_acceptances
from vendorrisk.findings.model import Finding, FindingSeverity

pytestmark = pytest.mark.anyio
SOURCE = UUID("01900000-0000-7000-8000-0000000000aa")


@asynccontextmanager
async def _working(context: JobContext, company: Company) -> AsyncIterator[Work]:
    tenant = Tenant(company.tenant.id, company.tenant.time_zone)
    by = system(tenant, "a_test", Permission.FINDINGS_WRITE)
    async with context.database.tenant(tenant.id) as connection:
        yield Work(db=connection, by=by, now=context.clock(), request_id="a_test")


async def _open(context: JobContext, company: Company, vendor_id: str, title: str = "Expired certificate") -> Finding:
    async with _working(context, company) as work:
        return await service.open_for(
            work, "signal", SOURCE, vendor_id=UUID(vendor_id), severity=FindingSeverity.HIGH, title=title
        )


async def test_one_source_opens_one_finding_however_often_and_at_once(
    context: JobContext, company: Company, client: Client
) -> None:
    own = await vendor(client)
    opened = await asyncio.gather(*(_open(context, company, own) for _ in range(6)))
    assert len({each.id for each in opened}) == 1
    (listed,) = await client.items("/v1/findings")
    assert (listed["source_kind"], listed["source_id"], listed["version"]) == ("signal", str(SOURCE), 1)
    entries = await client.items("/v1/audit-entries")
    assert sum(entry["action"] == "finding:opened" for entry in entries) == 1


async def test_a_source_that_ends_remediates_and_one_that_returns_reopens(
    context: JobContext, company: Company, client: Client
) -> None:
    opened = await _open(context, company, await vendor(client))
    async with _working(context, company) as work:
        await service.close_for(work, "signal", SOURCE, reason="The certificate was renewed.")
        await service.close_for(work, "signal", SOURCE, reason="Once more.")
        await service.close_for(work, "signal", uuid4(), reason="Nothing to close.")
    again = await _open(context, company, str(opened.vendor_id))
    assert (again.id, again.state.value, again.times_reopened) == (opened.id, "open", 1)
    transitions = (await client.get(f"/v1/findings/{opened.id}")).json()["transitions"]
    assert [each["to_state"] for each in transitions] == ["open", "remediated", "open"]
    assert transitions[1]["transitioned_by_label"] == "a_test"


@pytest.mark.parametrize("judged", ["accepted", "false_positive"])
async def test_what_a_person_judged_stays_so_when_the_source_is_seen_again(
    context: JobContext, company: Company, client: Client, judged: str
) -> None:
    opened = await _open(context, company, await vendor(client))
    more = {"until_on": "2026-06-30"} if judged == "accepted" else {}
    await transition(client, {"id": str(opened.id), "version": 1}, judged, reason="Known.", **more)
    assert (await _open(context, company, str(opened.vendor_id))).state.value == judged


async def test_a_long_title_of_a_source_is_cut_not_refused(
    context: JobContext, company: Company, client: Client
) -> None:
    opened = await _open(context, company, await vendor(client), "x" * 1000)
    assert len(opened.title) == 300


async def test_a_rollback_of_the_caller_takes_the_finding_with_it(
    context: JobContext, company: Company, client: Client
) -> None:
    own = UUID(await vendor(client))

    async def fails() -> None:
        async with _working(context, company) as work:
            await service.open_for(work, "signal", SOURCE, vendor_id=own, severity=FindingSeverity.LOW, title="x")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await fails()
    assert await client.items("/v1/findings") == []


async def test_an_acceptance_ends_after_its_day_in_the_tenants_calendar_and_once(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock
) -> None:
    ours, theirs = await finding(client), await finding(other_company.client)
    for caller, opened in ((client, ours), (other_company.client, theirs)):
        await transition(caller, opened, "accepted", reason="Until the relocation.", until_on="2026-03-10")
    assert await end_acceptances(context) == 0
    # In Tokyo the eleventh has begun; in UTC it is still the tenth.
    clock.now = clock.now.replace(day=10, hour=16)
    assert await end_acceptances(context) == 1
    assert (await other_company.client.get(f"/v1/findings/{theirs['id']}")).json()["state"] == "open"
    assert (await client.get(f"/v1/findings/{ours['id']}")).json()["state"] == "accepted"
    clock.advance(days=1)
    assert await end_acceptances(context) == 1
    assert await end_acceptances(context) == 0
    shown = (await client.get(f"/v1/findings/{ours['id']}")).json()
    assert (shown["state"], shown["until_on"]) == ("open", None)
    assert shown["transitions"][-1]["reason"] == "The acceptance ended on 2026-03-10."
    assert shown["transitions"][-1]["transitioned_by_label"] == "end_acceptances"
    assert shown["due_on"] == "2026-04-10"


async def test_an_overdue_finding_is_told_while_it_stands_and_not_once_it_is_closed(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async def told() -> list[tuple[str, int]]:
        while await raise_due_alerts(context):
            pass
        alerts = await client.items("/v1/alerts", filter="alert_class:eq:finding_due", sort="raised_at")
        return [(alert["title"], alert["days_left"]) for alert in alerts]

    own = await vendor(client)
    await finding(client, own, title="Left", severity="critical")
    fixed = await finding(client, own, title="Fixed", severity="critical")
    assert {title for title, _ in await told()} == {"Left", "Fixed"}
    await transition(client, fixed, "remediated", reason="Done.")
    clock.advance(days=8)
    assert ("Left", -1) in await told()
    assert [days for title, days in await told() if title == "Fixed"] == [7]
