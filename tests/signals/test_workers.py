"""Several workers, and such as die: one at a place at a time, nothing lost, nothing twice."""

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import World
from vendorrisk.lab.world import good_vendor, good_zone
from vendorrisk.signals import jobs
from vendorrisk.signals.feed_fetch import Lists
from vendorrisk.signals.schedule import place_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


class Watched:
    """Looks that note who is where at the same time."""

    def __init__(self, looks: Any, worker: str, here: Counter[str], seen: dict[str, set[str]]) -> None:
        self._looks, self._worker, self._here, self._seen = looks, worker, here, seen

    def __getattr__(self, name: str) -> Any:
        look = getattr(self._looks, name)

        async def noting(subject: str, *arguments: Any, **more: Any) -> Any:
            place = place_of(subject)
            self._here[place] += 1
            assert self._here[place] == 1, f"two looks at {place} at once"
            self._seen.setdefault(place, set()).add(self._worker)
            try:
                await asyncio.sleep(0.005)
                return await look(subject, *arguments, **more)
            finally:
                self._here[place] -= 1

        return noting


async def many_vendors(on: Watching, many: int) -> None:
    for number in range(many):
        name, address = f"vendor{number}.test", f"127.0.0.{10 + number}"
        on.internet.dns.zone.update(good_zone(name, address))
        await good_vendor(on.internet, name, address)
        await on.attach(await on.vendor(f"Vendor {number}"), name)
    await jobs.keep_partitions(on.world)
    await jobs.enrol_assets(on.world)


async def test_two_workers_share_the_places_and_are_never_at_one_together(
    world: World, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(world, client, clock, signal_places_at_once=2) as on:
        await many_vendors(on, 8)
        here: Counter[str] = Counter()
        seen: dict[str, set[str]] = {}
        workers = []
        for name in ("one", "other"):
            lists = Lists()
            lists.registries = world.lists.registries
            looks = Watched(world.looks, name, here, seen)
            workers.append(msgspec.structs.replace(world, looks=looks, lists=lists))
        made = await asyncio.gather(*(jobs.look_at_vendors(worker) for worker in workers))
        assert sum(made) == 8 * 7
        assert min(made) > 0, "both had work"
        assert all(len(workers_there) == 1 for workers_there in seen.values()), "a round at a place is one worker's"
        assert len(seen) == 8
        assert await owner.fetchval("select count(*) from signal_runs") == 8 * 7
        twice = "select count(*) from signal_runs group by asset_id, look_group having count(*) > 1"
        assert await owner.fetch(twice) == []


async def test_a_worker_that_is_killed_between_seeing_and_writing_loses_nothing_and_doubles_nothing(
    world: World, client: Client, clock: FakeClock, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(world, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await jobs.keep_partitions(world)
        await jobs.enrol_assets(world)
        reached = asyncio.Event()

        async def never(*_: Any) -> None:
            reached.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr("vendorrisk.signals.domain_scan.queries.append_runs", never)
            dying = asyncio.create_task(jobs.look_at_vendors(world))
            await reached.wait()
            dying.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dying
        assert await owner.fetchval("select count(*) from signal_observations") == 0, "half a visit is none"
        assert await owner.fetchval("select count(*) from signal_states") == 0
        assert await jobs.look_at_vendors(world) == 0, "its lease still runs"
        clock.advance(minutes=11)
        assert await jobs.look_at_vendors(world) == 7
        doubled = "select look_group from signal_observations group by 1 having count(*) > 1"
        assert await owner.fetch(doubled) == []
        assert (await owner.fetchval("select count(*) from signal_runs")) == 7
        assert (await on.signals(vendor))["web.hsts"]["verdict"] == "pass"


async def test_an_asset_attached_while_its_place_is_being_visited_is_looked_at_next(
    world: World, client: Client, clock: FakeClock
) -> None:
    async with watching(world, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await jobs.keep_partitions(world)
        await jobs.enrol_assets(world)
        whole, attached = world.looks.email, False

        async def meanwhile(*arguments: Any, **more: Any) -> Any:
            nonlocal attached
            if not attached:
                attached = True
                await on.attach(vendor, f"www.{DOMAIN}", "host")
                await jobs.enrol_assets(world)
            return await whole(*arguments, **more)

        world.looks.email = meanwhile
        assert await jobs.look_at_vendors(world) == 7
        assert await jobs.look_at_vendors(world) == 4, "the place is due again as soon as it is given back"
        del world.looks.email
        hosts = await client.items(f"/v1/vendors/{vendor}/signals", filter="rule:eq:tls.cert_name")
        assert {s["asset_name"] for s in hosts} == {DOMAIN, f"www.{DOMAIN}"}
