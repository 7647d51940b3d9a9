"""Several workers, and such as die: one at a registrable domain at a time, nothing lost, nothing twice."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.feeds.fetch import Lists
from vendorrisk.lab.world import good_vendor, good_zone
from vendorrisk.signals import jobs
from vendorrisk.signals.schedule import registrable_domain_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


class Watched:
    """Scans that note who is where at the same time."""

    def __init__(self, scanner: Any, worker: str, here: Counter[str], seen: dict[str, set[str]]) -> None:
        self._scanner, self._worker, self._here, self._seen = scanner, worker, here, seen

    def __getattr__(self, name: str) -> Any:
        scan = getattr(self._scanner, name)

        async def noting(subject: str, *arguments: Any, **more: Any) -> Any:
            domain = registrable_domain_of(subject)
            self._here[domain] += 1
            assert self._here[domain] == 1, f"two scans of {domain} at once"
            self._seen.setdefault(domain, set()).add(self._worker)
            try:
                await asyncio.sleep(0.005)
                return await scan(subject, *arguments, **more)
            finally:
                self._here[domain] -= 1

        return noting


async def many_vendors(on: Watching, many: int) -> None:
    for number in range(many):
        name, address = f"vendor{number}.test", f"127.0.0.{10 + number}"
        on.internet.dns.zone.update(good_zone(name, address))
        await good_vendor(on.internet, name, address)
        await on.attach(await on.vendor(f"Vendor {number}"), name)
    await jobs.maintain_partitions(on.context)
    await jobs.enrol_assets(on.context)


async def test_two_workers_share_the_domains_and_are_never_at_one_together(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock, signal_scan_concurrency=2) as on:
        await many_vendors(on, 8)
        here: Counter[str] = Counter()
        seen: dict[str, set[str]] = {}
        workers = []
        for name in ("one", "other"):
            lists = Lists()
            lists.registries = context.lists.registries
            scanner = Watched(context.scanner, name, here, seen)
            workers.append(msgspec.structs.replace(context, scanner=scanner, lists=lists))
        made = await asyncio.gather(*(jobs.scan_vendors(worker) for worker in workers))
        assert sum(made) == 8 * 7
        assert min(made) > 0, "both had work"
        assert all(len(workers_there) == 1 for workers_there in seen.values()), (
            "a round at a registrable domain is one worker's"
        )
        assert len(seen) == 8
        assert await owner.fetchval("select count(*) from signal_scans") == 8 * 7
        twice = "select count(*) from signal_scans group by asset_id, scan_kind having count(*) > 1"
        assert await owner.fetch(twice) == []


async def test_a_worker_that_is_killed_between_seeing_and_writing_loses_nothing_and_duplicates_nothing(
    context: JobContext, client: Client, clock: FakeClock, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await jobs.maintain_partitions(context)
        await jobs.enrol_assets(context)
        reached = asyncio.Event()

        async def never(*_: Any) -> None:
            reached.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr("vendorrisk.signals.domain_scan.queries.append_scans", never)
            dying = asyncio.create_task(jobs.scan_vendors(context))
            await reached.wait()
            dying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dying
        assert await owner.fetchval("select count(*) from signal_observations") == 0, "half a domain scan is none"
        assert await owner.fetchval("select count(*) from signal_states") == 0
        assert await jobs.scan_vendors(context) == 0, "its lease still runs"
        clock.advance(minutes=11)
        assert await jobs.scan_vendors(context) == 7
        doubled = "select scan_kind from signal_observations group by 1 having count(*) > 1"
        assert await owner.fetch(doubled) == []
        assert (await owner.fetchval("select count(*) from signal_scans")) == 7
        assert (await on.signals(vendor))["web.hsts"]["verdict"] == "pass"


async def test_an_asset_attached_while_its_domain_is_being_scanned_is_scanned_next(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await jobs.maintain_partitions(context)
        await jobs.enrol_assets(context)
        whole, attached = context.scanner.email, False

        async def meanwhile(*arguments: Any, **more: Any) -> Any:
            nonlocal attached
            if not attached:
                attached = True
                await on.attach(vendor, f"www.{DOMAIN}", "host")
                await jobs.enrol_assets(context)
            return await whole(*arguments, **more)

        context.scanner.email = meanwhile
        assert await jobs.scan_vendors(context) == 7 + 4, "the domain is due again as soon as it is given back"
        del context.scanner.email
        hosts = await client.items(f"/v1/vendors/{vendor}/signals", filter="rule:eq:tls.cert_name")
        assert {s["asset_name"] for s in hosts} == {DOMAIN, f"www.{DOMAIN}"}
