"""A tenant that watches vendors of the lab: the whole way from an attached domain to a message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.client import Client
from tests.conftest import FakeClock
from vendorrisk.background import JobContext
from vendorrisk.feeds.fetch import fetch_feeds
from vendorrisk.lab import pki
from vendorrisk.lab.dns import Zone
from vendorrisk.lab.http import HttpFake
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab, registries, trusting_lab
from vendorrisk.probes.scanner import LiveScanner
from vendorrisk.signals import jobs

DOMAIN = "acme.test"
FEEDS = {"signal_kev_url": "", "signal_hibp_url": "", "signal_rdap_url": "", "signal_epss_url": ""}


class Watching:
    """The lab, the jobs' context with its eyes in the lab, and a client of one tenant."""

    def __init__(self, internet: Lab, good: HttpFake, context: JobContext, client: Client, clock: FakeClock) -> None:
        self.internet, self.good, self.context, self.client, self.clock = internet, good, context, client, clock

    async def vendor(self, name: str = "Acme", **more: Any) -> str:
        response = await self.client.post("/v1/vendors", {"name": name, **more})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def attach(self, vendor_id: str, name: str = DOMAIN, kind: str = "domain", **more: Any) -> Any:
        body = {"kind": kind, "name": name, **more}
        response = await self.client.post(f"/v1/vendors/{vendor_id}/assets", body)
        assert response.status_code == 201, response.text
        return response.json()

    async def run(self) -> int:
        """Run every job of signals until nothing is left at this instant; returns how many scans were made."""
        scans = 0
        for job in (jobs.maintain_partitions, jobs.reconcile_vendors, jobs.enrol_assets, fetch_feeds):
            while await job(self.context):
                pass
        while made := await jobs.scan_vendors(self.context):
            scans += made
        while await jobs.reconcile_vendors(self.context):
            pass
        return scans

    async def reconciled(self) -> None:
        """Reconcile every vendor now, whether or not something was seen."""
        async with self.context.database.system() as connection:
            await connection.execute("update vendor_signals set reconcile_at = $1", self.context.clock())
        while await jobs.reconcile_vendors(self.context):
            pass

    async def confirmed(self) -> None:
        """Scan, scan again a quarter of an hour later, and reconcile."""
        await self.run()
        self.clock.advance(minutes=16)
        await self.run()

    async def signals(self, vendor_id: str, **params: Any) -> dict[str, Any]:
        found = await self.client.items(f"/v1/vendors/{vendor_id}/signals", **params)
        return {f"{s['rule']}:{s['subject']}" if s["subject"] else s["rule"]: s for s in found}

    async def score(self, vendor_id: str) -> Any:
        response = await self.client.get(f"/v1/vendors/{vendor_id}/signal-score")
        assert response.status_code == 200, response.text
        return response.json()

    async def findings(self, **params: Any) -> list[Any]:
        return await self.client.items("/v1/findings", **params)

    async def notified(self) -> list[tuple[str, str]]:
        found = await self.client.items("/v1/alerts", sort="raised_at")
        return [(alert["alert_class"], alert["title"]) for alert in found]


@asynccontextmanager
async def watching(
    context: JobContext,
    client: Client,
    clock: FakeClock,
    zone: Zone | None = None,
    *,
    with_www: bool = False,
    **more: Any,
) -> AsyncIterator[Watching]:
    """Put the job context's eyes into a lab with one good vendor; registries answer over RDAP.

    Its domain has no `www`, which would be watched too, unless the test is about that.
    """
    clock.now = pki.NOW
    names = dict(zone if zone is not None else good_zone())
    if not with_www:
        names.pop((f"www.{DOMAIN}", "A"), None)
    # Names here answer, or fail at once. On a busy machine an answer is late, and must not count as silence.
    async with lab(names, authenticated=True, dns_seconds=20) as internet:
        good = await good_vendor(internet)
        await registries(internet)
        eyes = context.scanner
        context.scanner = LiveScanner(
            internet.guard,
            contact_url="https://example.org/bot",
            sandbox=context.sandbox,
            trusted=trusting_lab(),
        )
        context.store, context.pacer = pki.store(), None
        context.lists.registries = {"test": "https://rdap.test/"}
        context.settings = msgspec.structs.replace(context.settings, **{**FEEDS, **more})
        try:
            yield Watching(internet, good, context, client, clock)
        finally:
            await context.scanner.aclose()
            context.scanner = eyes
