"""Who waits gets a turn, and the turns go round."""

import asyncio

import pytest

from vendorrisk.sandbox.slots import Turns

pytestmark = pytest.mark.anyio


async def test_turns_go_round_the_keys_however_many_wait_for_one() -> None:
    turns, order = Turns(1), []

    async def take(key: str) -> None:
        async with turns.one(key, 10):
            order.append(key)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for key in ("greedy",) * 6 + ("second", "third", "second"):
            group.create_task(take(key))
    assert order == ["greedy", "greedy", "second", "third", "greedy", "second", "greedy", "greedy", "greedy"]


async def test_one_that_stops_waiting_loses_no_place() -> None:
    turns = Turns(1)
    async with turns.one("a", 10):
        waiting = [asyncio.create_task(_once(turns, key)) for key in "bc"]
        await asyncio.sleep(0)
        waiting[0].cancel()
        with pytest.raises(TimeoutError):
            async with turns.one("d", 0):
                pass
    await waiting[1]
    async with turns.one("e", 0):
        pass


async def test_a_turn_that_comes_as_the_wait_is_called_off_goes_to_the_next() -> None:
    turns = Turns(1)
    async with turns.one("a", 10):
        first, second = (asyncio.create_task(_once(turns, key)) for key in "bc")
        await asyncio.sleep(0)
    first.cancel()  # the place is its own already, and it has not run since
    await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def _once(turns: Turns, key: str) -> None:
    async with turns.one(key, 10):
        pass
