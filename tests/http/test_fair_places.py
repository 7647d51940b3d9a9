"""Places go to the keys in turn, and none is lost."""

import asyncio

import pytest

from vendorrisk.fair_places import FairPlaces, NoPlaceError

pytestmark = pytest.mark.anyio


async def test_turns_go_round_the_keys_however_many_wait_for_one() -> None:
    places, order = FairPlaces(1), []

    async def take(key: str) -> None:
        async with places.place(key, 10):
            order.append(key)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for key in ("greedy",) * 6 + ("second", "third", "second"):
            group.create_task(take(key))
    assert order == ["greedy", "greedy", "second", "third", "greedy", "second", "greedy", "greedy", "greedy"]


async def test_one_that_stops_waiting_loses_no_place() -> None:
    places = FairPlaces(1)
    async with places.place("a", 10):
        waiting = [asyncio.create_task(_once(places, key)) for key in "bc"]
        await asyncio.sleep(0)
        waiting[0].cancel()
        with pytest.raises(NoPlaceError):
            async with places.place("d", 0):
                pass
    await waiting[1]
    async with places.place("e", 0):
        pass


async def test_a_turn_that_comes_as_the_wait_is_called_off_goes_to_the_next() -> None:
    places = FairPlaces(1)
    async with places.place("a", 10):
        first, second = (asyncio.create_task(_once(places, key)) for key in "bc")
        await asyncio.sleep(0)
    first.cancel()  # the place is its own already, and it has not run since
    await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def _once(places: FairPlaces, key: str) -> None:
    async with places.place(key, 10):
        pass
