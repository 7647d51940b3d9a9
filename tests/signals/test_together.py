"""Vendors that are reconciled at the same time."""

from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.signals.watching import DOMAIN, watching
from vendorrisk.background import JobContext
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def test_vendors_of_several_tenants_that_are_reconciled_at_once_are_each_reconciled_whole(
    context: JobContext, client: Client, other_company: Company, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock, with_www=True) as on:
        for number in range(8):
            await on.attach(await on.vendor(f"Acme {number}"))
        theirs = (await other_company.client.post("/v1/vendors", {"name": "Acme"})).json()["id"]
        await other_company.client.post(f"/v1/vendors/{theirs}/assets", {"kind": "domain", "name": DOMAIN})
        for _ in range(2):
            await on.run()
        on.internet.dns.zone[DOMAIN, "TXT"] = ['"v=spf1 mx +all"']
        clock.advance(days=58)
        await on.confirmed()
        titles = [f["title"] for f in await on.findings()]
        assert titles.count(f"{DOMAIN}: The certificate ends in 1 days.") == 8
        assert {titles.count(title) for title in titles} == {8}
        assert len(await other_company.client.items("/v1/findings")) == len(set(titles))
        left = await owner.fetchval("select count(*) from vendor_signals where reconciled_at < $1", clock())
        assert left == 0
