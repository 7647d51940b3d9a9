"""Places that are shared fairly: never more than there are, never more than a share, and in turn."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk import fair_places
from vendorrisk.fair_places import FairPlaces, NoPlaceError

pytestmark = pytest.mark.anyio


async def test_free_places_go_to_the_keys_in_turn() -> None:
    places, served = FairPlaces(1), []

    async def asks(key: str) -> None:
        async with places.place(key, 60):
            served.append(key)

    await places.take("a", 1)
    asking = [asyncio.ensure_future(asks(key)) for key in "aaaabbc"]
    await asyncio.sleep(0)
    places.give_back("a")
    await asyncio.gather(*asking)
    assert "".join(served) == "abcabaa"
    assert (places.held, places.waiting, places.peak) == (0, 0, 1)


async def test_a_key_has_no_more_than_its_share_and_waits_for_its_own() -> None:
    places = FairPlaces(4, share=3)
    for _ in range(3):
        places.take_now("a")
    with pytest.raises(NoPlaceError) as refused:
        places.take_now("a")
    assert refused.value.is_own
    places.take_now("b")
    with pytest.raises(NoPlaceError) as refused:
        places.take_now("c")
    assert not refused.value.is_own


async def test_a_key_that_rests_waits_while_others_are_served() -> None:
    places, served = FairPlaces(2), []

    async def asks(key: str) -> None:
        async with places.place(key, 60):
            served.append(key)

    places.rest("a", 0.05)
    places.rest("a", 0.05)
    with pytest.raises(NoPlaceError) as refused:
        places.take_now("a")
    assert refused.value.is_own
    asking = [asyncio.ensure_future(asks(key)) for key in "aab"]
    await asyncio.sleep(0)
    assert (served, places.waiting) == (["b"], 2)
    await asyncio.gather(*asking)
    assert (served, places.held, places.waiting) == (["b", "a", "a"], 0, 0)
    places.take_now("a")


async def test_a_rest_ends_even_if_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    places, now = FairPlaces(1), time.monotonic()
    monkeypatch.setattr(fair_places, "time", SimpleNamespace(monotonic=lambda: now))
    for number in range(20):
        places.rest(number, 0.0003 * number)
        places.rest(number, 0.001)
    for number in range(20):
        async with places.place(number, 60):
            assert places.held_by(number) == 1


async def test_a_key_is_alone_until_another_takes_a_place() -> None:
    places = FairPlaces(4)
    assert places.is_alone("a", 60)
    places.take_now("a")
    places.take_now("a")
    assert places.is_alone("a", 60)
    assert not places.is_alone("b", 60)
    places.take_now("b")
    places.take_now("a")
    assert not places.is_alone("a", 60)
    assert places.is_alone("a", -1), "it was too long ago"


async def test_a_full_queue_refuses_the_newest_of_the_longest_and_lets_another_key_in() -> None:
    places = FairPlaces(1, most_waiting=3)
    places.take_now("x")
    greedy = [asyncio.ensure_future(places.take("a", 60)) for _ in range(3)]
    await asyncio.sleep(0)
    modest = asyncio.ensure_future(places.take("b", 60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [task.done() for task in greedy] == [False, False, True]
    assert isinstance(greedy[2].exception(), NoPlaceError)
    places.give_back("x")
    await greedy[0]
    places.give_back("a")
    await modest
    greedy[1].cancel()
    await asyncio.gather(greedy[1], return_exceptions=True)
    assert (places.held, places.waiting) == (1, 0)


async def test_who_waits_too_long_or_is_cancelled_leaves_the_queue() -> None:
    places = FairPlaces(1)
    places.take_now("a")
    with pytest.raises(NoPlaceError):
        await places.take("b", 0.01)
    gone = asyncio.ensure_future(places.take("b", 60))
    await asyncio.sleep(0)
    gone.cancel()
    places.give_back("a")
    await asyncio.gather(gone, return_exceptions=True)
    assert (places.held, places.waiting) == (0, 0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=40), st.integers(1, 4))
def test_whatever_happens_no_place_is_lost_or_given_twice(requests: list[tuple[str, int, bool]], most: int) -> None:
    share = max(1, most - 1)

    async def asks(places: FairPlaces, key: str, turns: int) -> None:
        async with places.place(key, 60):
            assert places.held <= most
            assert places.held_by(key) <= share
            for _ in range(turns):
                await asyncio.sleep(0)

    async def run() -> None:
        places = FairPlaces(most, share=share)
        tasks = []
        for key, turns, leaves in requests:
            tasks.append(asyncio.ensure_future(asks(places, key, turns)))
            await asyncio.sleep(0)
            if leaves:
                tasks[len(tasks) // 2].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [one for one in done if isinstance(one, AssertionError | NoPlaceError)]
        assert (places.held, places.waiting) == (0, 0)
        assert places.peak <= most

    asyncio.run(run())
