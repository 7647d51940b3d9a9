"""Scans belong to no tenant: domains are claimed for the tenant that asked, and for the schedule, in turns."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Company, FakeClock
from vendorrisk.background import JobContext
from vendorrisk.signals import jobs
from vendorrisk.signals.jobs import enrol_assets, scan_vendors
from vendorrisk.signals.queries import ClaimedDomain

pytestmark = pytest.mark.anyio

_ASKED = """
insert into registrable_domains (name, next_scan_at, asked_by)
select $1 || n || '.example.com', $2, $3 from generate_series(1, $4::int) as n
"""


class Slow:
    """Scans of domains that begin with `slow` end when the test lets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = list[str]()
        self.full, self.quick, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(jobs._Round, "_scan", lambda _round, domain, _token: self.scan(domain))

    async def scan(self, domain: ClaimedDomain) -> int:
        self.begun.append(domain.name)
        if not domain.name.startswith("slow"):
            self.quick.set()
            return 1
        if self.slow == 60:
            self.full.set()
        await self.go_on.wait()
        return 1

    @property
    def slow(self) -> int:
        return sum(name.startswith("slow") for name in self.begun)


@pytest.mark.parametrize("asks", ["another tenant", "the schedule"])
async def test_a_thousand_new_domains_of_one_tenant_leave_places_to_others_that_ask(
    context: JobContext,
    company: Company,
    other_company: Company,
    owner: Any,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    asks: str,
) -> None:
    slow = Slow(monkeypatch)
    monkeypatch.setattr(jobs, "_LOOK_SECONDS", 0.05)
    await owner.execute(_ASKED, "slow", clock(), company.tenant.id, 1000)
    running = asyncio.create_task(scan_vendors(context))
    try:
        async with asyncio.timeout(60):
            while slow.slow < 45:  # noqa: ASYNC110 - there is no event for most of the places
                await asyncio.sleep(0.01)
            asker = other_company.tenant.id if asks == "another tenant" else None
            await owner.execute(_ASKED, "quick", clock(), asker, 1)
            await slow.quick.wait()
        assert slow.slow <= 60, "the setting's number, and the quarter beyond it is for others"
    finally:
        context.stopping.set()
        slow.go_on.set()
        await running
    held = await owner.fetchval("select count(*) from registrable_domains where tries = 0")
    assert held == 1001 - len(slow.begun), "the others wait untouched"


async def test_a_domain_that_a_tenant_registers_is_asked_for_by_it(
    context: JobContext, company: Company, other_company: Company, owner: Any
) -> None:
    for one in (company, other_company):
        made = await one.client.post("/v1/vendors", {"name": "Acme"})
        asset = {"kind": "domain", "name": "acme-vendor.com"}
        attached = await one.client.post(f"/v1/vendors/{made.json()['id']}/assets", asset)
        assert attached.status_code == 201, attached.text
        assert await enrol_assets(context) == 1
        asked = await owner.fetch("select distinct asked_by from registrable_domains")
        assert [row["asked_by"] for row in asked] == [one.tenant.id], "the last one that asked"
