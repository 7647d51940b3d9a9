"""A day's budget of requests: enough for what is promised, never more, and no rule starves by another's."""

from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.egress.pacing import OwnTurns, PolitePacer
from vendorrisk.signals.schedule import registrable_domain_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


def counted(on: Watching) -> None:
    """Count requests as a worker does, without waiting for turns."""
    on.context.pacer = PolitePacer(registrable_domain_of, OwnTurns(), seconds_between=0, seconds_between_of_address=0)
    on.internet.guard.pacer = on.context.pacer


async def scans(owner: Any, group: str) -> dict[str, int]:
    rows = await owner.fetch("select status, count(*) from signal_scans where scan_kind = $1 group by 1", group)
    return {row["status"]: row["count"] for row in rows}


async def test_a_critical_vendors_status_page_is_scanned_every_quarter_hour_and_starves_nothing(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        counted(on)
        vendor = await on.vendor()
        await owner.execute("update vendors set tier = 'critical', tier_source = 'declared'")
        await on.attach(vendor)
        await on.attach(vendor, f"https://status.{DOMAIN}/", "status_page")
        for _ in range(4 * 30):
            await on.run()
            clock.advance(minutes=15)
        assert (await scans(owner, "status"))["seen"] >= 110
        assert (await scans(owner, "http"))["seen"] >= 2
        assert (await scans(owner, "cert"))["seen"] >= 2
        asked = [r.path for r in on.good.requests if r.headers["host"] == f"status.{DOMAIN}"]
        assert asked.count("/robots.txt") <= 4, "once a day, not with each scan"


async def test_each_asset_of_a_domain_has_its_part_of_the_days_budget(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        counted(on)
        vendor = await on.vendor()
        await on.attach(vendor)
        for number in range(12):
            on.internet.dns.zone[f"h{number}.{DOMAIN}", "A"] = ["127.0.0.2"]
            await on.attach(vendor, f"h{number}.{DOMAIN}", "host")
        await on.run()
        waited = 0
        for _ in range(4 * 34):
            clock.advance(minutes=15)
            await on.run()
            waited += await owner.fetchval("select count(*) from signal_schedule where last_status = 'budget_spent'")
        assert waited == 0, "none waits for the next day because of the others"


async def test_one_asset_has_no_more_than_two_rounds_a_day(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        counted(on)
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        for _ in range(8):
            clock.advance(minutes=61)
            assert (await client.post(f"/v1/vendors/{vendor}/signals/refreshes", None)).status_code == 202
            await on.run()
        spent = await owner.fetchval("select spent_requests from registrable_domains where name = $1", DOMAIN)
        assert 14 < spent <= 2 * 14 + 8, "a scan that began within the budget ends, none begins past it"
