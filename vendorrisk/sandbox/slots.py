"""The children that run at once, the memory they may take together, and the turns of those that wait."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import Final

import msgspec

SMALL_BYTES: Final = 32 << 20
"""The most memory of a child in a small slot."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The children of one process: `small` slots for pages and the like, and one slot for a large input.

    A small input never waits behind a large one. `large_bytes` is the memory of the one large child.
    """

    small: int
    large_bytes: int

    @property
    def most_bytes(self) -> int:
        """Return the most memory that all children of the process take together."""
        return self.small * SMALL_BYTES + self.large_bytes


API_ROOM: Final = Room(small=2, large_bytes=96 << 20)
WORKER_ROOM: Final = Room(small=3, large_bytes=256 << 20)
"""Together 512 MB, beside one API and one worker."""


class Turns:
    """Some places, taken in turns: a key that waits often gets no more turns than one that waits once."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def one(self, key: Hashable, seconds: float) -> AsyncIterator[None]:
        """Hold a place. Raises `TimeoutError` if none comes free in time."""
        await self._take(key, seconds)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, key: Hashable, seconds: float) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._pass_on()  # the place came in the moment in which the wait ended
            raise

    def _pass_on(self) -> None:
        """Give the place to the key that had its last turn the longest ago."""
        while self._waiting:
            key = next(iter(self._waiting))
            queue = self._waiting.pop(key)
            turn = queue.popleft()
            if queue:
                self._waiting[key] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
