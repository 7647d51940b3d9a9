"""Politeness: turns by registrable domain and by address, one pace for all workers, and waiting that costs the waiter
nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from itertools import pairwise
from uuid import uuid4

import pytest

from vendorrisk.background import Nudger
from vendorrisk.egress.dialling import dial
from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.pacing import OwnTurns, PolitePacer, time_limit
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.lab.http import Received, Reply, tcp_fake
from vendorrisk.lab.world import lab
from vendorrisk.settings import Settings
from vendorrisk.signals.schedule import registrable_domain_of

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def workers(url: str, many: int) -> AsyncIterator[list[Nudger]]:
    made = [Nudger(url) for _ in range(many)]
    try:
        yield made
    finally:
        for nudger in made:
            await nudger.close()


async def instants(
    reserve: Callable[[str, float], Awaitable[float]], key: str, seconds: float, turns: int
) -> list[float]:
    """Take turns without waiting for them; returns when each would be."""
    found = []
    for _ in range(turns):
        wait = await reserve(key, seconds)
        found.append(asyncio.get_running_loop().time() + wait)
    return found


async def test_two_workers_never_go_faster_than_one(settings: Settings) -> None:
    key = f"domain:{uuid4()}"
    async with workers(settings.redis_url, 2) as (one, other):
        taken = await asyncio.gather(*(instants(w.reserve, key, 1.0, 12) for w in (one, other)))
    turns = sorted(instant for each in taken for instant in each)
    assert len(turns) == 24
    assert all(later - earlier > 0.9 for earlier, later in pairwise(turns)), "an hour of one second each, by both"
    assert turns[-1] - turns[0] < 24, "nor slower than they may"


async def test_domains_and_addresses_do_not_wait_for_each_other(settings: Settings) -> None:
    async with workers(settings.redis_url, 1) as (worker,):
        for name in ("domain:a", "domain:b", "address:a"):
            assert await worker.reserve(f"{name}:{uuid4()}", 5.0) == 0


async def test_a_turn_that_nobody_took_for_long_is_free_at_once(settings: Settings) -> None:
    key = f"domain:{uuid4()}"
    async with workers(settings.redis_url, 1) as (worker,):
        await worker.reserve(key, 0.05)
        await asyncio.sleep(0.1)
        assert await worker.reserve(key, 0.05) == 0


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
async def test_without_redis_each_worker_is_polite_by_itself(*, silent: bool) -> None:
    async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_fake(never) as port, workers(f"redis://127.0.0.1:{port if silent else 1}/0", 1) as (worker,):
        async with asyncio.timeout(10):
            turns = await instants(worker.reserve, "domain:acme.test", 3.0, 3)
    assert all(later - earlier > 2.9 for earlier, later in pairwise(turns))


async def test_own_turns_forget_what_is_past() -> None:
    turns = OwnTurns()
    for number in range(20_100):
        await turns(f"domain:{number}", 0.0)
    assert len(turns._free_at) < 20_001


async def waits(*seconds: float) -> Callable[[str, float], Awaitable[float]]:
    left = list(seconds)

    async def reserve(key: str, _interval: float) -> float:
        return left.pop(0) if left and not key.startswith("back_off:") else 0.0

    return reserve


async def test_a_turn_waits_for_the_later_of_domain_and_address() -> None:
    asked: list[tuple[str, float]] = []

    async def reserve(key: str, interval: float) -> float:
        asked.append((key, interval))
        return {"back_off": 0.0, "domain": 0.05}.get(key.partition(":")[0], 0.15)

    pacer = PolitePacer(registrable_domain_of, reserve)
    began = asyncio.get_running_loop().time()
    await pacer.turn("www.acme.test", "127.0.0.2")
    assert 0.14 < asyncio.get_running_loop().time() - began < 1
    assert asked == [("back_off:www.acme.test", 0.0), ("domain:acme.test", 1.0), ("address:127.0.0.2", 0.5)]


async def test_every_connection_counts_against_the_domain_of_its_host() -> None:
    pacer = PolitePacer(registrable_domain_of, await waits(), seconds_between=0, seconds_between_of_address=0)
    for host in ("acme.test", "www.acme.test", "a.b.acme.test", "other.test"):
        await pacer.turn(host, "127.0.0.2")
    assert dict(pacer.spent) == {"acme.test": 3, "other.test": 1}


async def test_waiting_for_a_turn_is_not_the_other_sides_time() -> None:
    async with lab({("acme.test", "A"): ["127.0.0.2"]}) as world:
        web = await world.host("127.0.0.2")
        web.on("/", Reply(200, [], b"here"))
        world.guard.pacer = PolitePacer(registrable_domain_of, await waits(0.6))
        patient = Fetcher(world.guard, user_agent="x", limits=Limits(total_seconds=0.4))
        assert (await patient.get("http://acme.test/")).body == b"here"
        await patient.aclose()
        assert world.guard.pacer.spent["acme.test"] == 1


async def test_asking_for_a_turn_is_not_the_other_sides_time_either() -> None:
    async def slow(_key: str, _interval: float) -> float:
        await asyncio.sleep(0.3)
        return 0.0

    pacer = PolitePacer(registrable_domain_of, slow)
    async with time_limit(0.5):
        await pacer.turn("acme.test", "127.0.0.2")
        await asyncio.sleep(0.1)


async def test_a_server_that_drips_still_ends_when_its_own_time_is_up() -> None:
    async with lab({("acme.test", "A"): ["127.0.0.2"]}) as world:

        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            while True:
                writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)

        await world.raw("127.0.0.2", 80, drip)
        world.guard.pacer = PolitePacer(registrable_domain_of, await waits(0.3))
        fetcher = Fetcher(world.guard, user_agent="x", limits=Limits(total_seconds=0.4))
        began = asyncio.get_running_loop().time()
        with pytest.raises(EgressError) as refused:
            await fetcher.get("http://acme.test/")
        await fetcher.aclose()
        assert refused.value.reason is Reason.TIMEOUT
        assert 0.6 < asyncio.get_running_loop().time() - began < 2


# ── those who asked us to come later


def busy(status: int, after: str) -> Callable[[Received], Reply]:
    return lambda _: Reply(status, [("Retry-After", after)] if after else [])


async def test_a_host_that_asks_us_to_come_later_is_left_alone_by_every_worker(settings: Settings) -> None:
    async with lab({(f"{n}.test", "A"): ["127.0.0.2"] for n in ("acme", "other")}) as world:
        web = await world.host("127.0.0.2")
        web.on("/", busy(429, "3600"))
        web.on("/other", Reply(200))
        async with workers(settings.redis_url, 2) as (one, other):
            await forget(one, "back_off:acme.test")
            world.guard.pacer = PolitePacer(
                registrable_domain_of, one.reserve, seconds_between=0.01, seconds_between_of_address=0
            )
            assert (await world.fetcher.get("http://acme.test/")).status == 429
            for worker in (one, other):
                world.guard.pacer = PolitePacer(
                    registrable_domain_of, worker.reserve, seconds_between=0.01, seconds_between_of_address=0
                )
                with pytest.raises(EgressError) as refused:
                    await world.fetcher.get("http://acme.test/other")
                assert refused.value.reason is Reason.ASKED_TO_WAIT
                with pytest.raises(EgressError, match="asked_to_wait"):
                    async with dial(world.guard, "acme.test", 443, timeout_seconds=1):
                        pytest.fail("it asked not to be disturbed")
            assert (await world.fetcher.get("http://other.test/other")).status == 200, "another host asked for nothing"
            await forget(one, "back_off:acme.test")
        assert [request.target for request in web.requests] == ["/", "/other"]


async def forget(worker: Nudger, key: str) -> None:
    await (await worker.connected()).delete(f"vendorrisk:turn:{key}")


@pytest.mark.parametrize(
    ("status", "after", "backs_off"),
    [(429, "60", True), (503, "60", True), (503, "Fri, 31 Dec 9999 23:59:59 GMT", True), (429, "", False),
     (429, "soon", False), (429, "-1", False), (429, "0", False), (503, "Mon, 05 Jan 2015 12:01:30 GMT", False),
     (200, "60", False), (301, "60", False)],
)  # fmt: skip
async def test_only_who_is_busy_and_says_until_when_is_left_alone(status: int, after: str, *, backs_off: bool) -> None:
    async with lab({("acme.test", "A"): ["127.0.0.2"]}) as world:
        web = await world.host("127.0.0.2")
        web.on("/", busy(status, after))
        world.guard.pacer = PolitePacer(
            registrable_domain_of, OwnTurns(), seconds_between=0, seconds_between_of_address=0
        )
        await world.fetcher.get("http://acme.test/")
        with pytest.raises(EgressError, match="asked_to_wait") if backs_off else nullcontext():
            await world.fetcher.get("http://acme.test/")
        assert len(web.requests) == (1 if backs_off else 2)


async def test_a_back_off_is_as_long_as_the_longest_that_was_asked_for_and_ends_with_the_day() -> None:
    turns = OwnTurns()
    pacer = PolitePacer(registrable_domain_of, turns)
    for seconds in (100, 400, 200):
        await pacer.back_off("acme.test", seconds)
    assert 399 < await turns("back_off:acme.test", 0.0) <= 400
    await pacer.back_off("acme.test", 10**9)
    assert await turns("back_off:acme.test", 0.0) <= 24 * 3600


async def test_a_short_back_off_is_waited_for() -> None:
    pacer = PolitePacer(registrable_domain_of, OwnTurns(), seconds_between=0, seconds_between_of_address=0)
    await pacer.back_off("acme.test", 0.3)
    began = asyncio.get_running_loop().time()
    async with time_limit(0.2):
        await pacer.turn("acme.test", "127.0.0.2")
    assert asyncio.get_running_loop().time() - began > 0.25
