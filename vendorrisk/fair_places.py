"""Places that callers share fairly: each key, such as a tenant, has a share, and free places go to the keys in turn.

A *place* is the right to hold something scarce: a connection, a child process, a large body in memory. A key that asks
for much waits behind its own requests. Another key is served at the next free place, however many wait before it.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class NoPlaceError(Exception):
    """No place became free in time, or too many wait already. `is_own` says that the key's own requests hold them."""

    def __init__(self, *, is_own: bool) -> None:
        super().__init__("no place")
        self.is_own = is_own


class FairPlaces:
    """At most `most` places are held at once, and at most `share` of them by one key.

    At most `most_waiting` requests wait. If one more comes, the newest request of the key with the most waiting is
    refused, so that a key with a long queue never keeps another key out of the queue. `taken` counts the places that
    were ever taken, and `peak` the most that were held at once.

    A key that rests waits like a key that has its whole share.
    """

    def __init__(self, most: int, *, share: int | None = None, most_waiting: int = 1024) -> None:
        self.most, self.share, self._most_waiting = most, share or most, most_waiting
        self.peak = self.taken = 0
        self._held: dict[Hashable, int] = {}
        self._free = most
        self._queues: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0
        self._rests: dict[Hashable, asyncio.TimerHandle] = {}
        self._newest: tuple[Hashable, float] | None = None  # the last key that took a place, and the last other key
        self._before: tuple[Hashable, float] | None = None

    @property
    def held(self) -> int:
        """Return the number of places that are held now."""
        return self.most - self._free

    @property
    def waiting(self) -> int:
        """Return the number of requests that wait for a place."""
        return self._waiting

    def held_by(self, key: Hashable) -> int:
        return self._held.get(key, 0)

    def is_alone(self, key: Hashable, seconds: float) -> bool:
        """Return True if no other key took a place within the last `seconds`."""
        other = self._before if self._newest is not None and self._newest[0] == key else self._newest
        return other is None or time.monotonic() - other[1] > seconds

    def rest(self, key: Hashable, seconds: float) -> None:
        """Give the key no further place for `seconds`, beyond the rest that it has already."""
        loop = asyncio.get_running_loop()
        begins = loop.time()
        if (before := self._rests.get(key)) is not None:
            before.cancel()
            begins = max(begins, before.when())
        self._rests[key] = loop.call_at(begins + seconds, self._end_rest, key)

    def _end_rest(self, key: Hashable) -> None:
        """End a rest when its timer fires, even if a clock says that it is early: no rest is for ever."""
        del self._rests[key]
        self._serve()

    def _may_take(self, key: Hashable) -> bool:
        return self.held_by(key) < self.share and key not in self._rests

    @asynccontextmanager
    async def place(self, key: Hashable, seconds: float) -> AsyncIterator[None]:
        """Hold a place. Raises `NoPlaceError` if none is free within `seconds`."""
        await self.take(key, seconds)
        try:
            yield
        finally:
            self.give_back(key)

    async def take(self, key: Hashable, seconds: float) -> None:
        """Take a place, to be given back by `give_back`. Raises `NoPlaceError`."""
        if self._free and key not in self._queues and self._may_take(key):
            self._grant(key)
            return
        turn = self._queued(key)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except TimeoutError:
            if not self._withdrawn(key, turn):
                return
            raise self._refusal(key) from None
        except asyncio.CancelledError:
            if not self._withdrawn(key, turn):
                self.give_back(key)
            raise

    def take_now(self, key: Hashable) -> None:
        """Take a place without waiting. Raises `NoPlaceError`."""
        if not self._free or not self._may_take(key):
            raise self._refusal(key)
        self._grant(key)

    def give_back(self, key: Hashable) -> None:
        """Give a place back. It goes to the next key in turn that has not its whole share."""
        self._free += 1
        if self._held[key] == 1:
            del self._held[key]
        else:
            self._held[key] -= 1
        self._serve()

    def _serve(self) -> None:
        """Hand free places to the keys that wait, in turn."""
        for key in list(self._queues):
            while self._free and self._may_take(key) and key in self._queues:
                turn = self._queues[key].popleft()
                self._queues.move_to_end(key)
                self._shrunk(key)
                if not turn.done():  # a request that was cancelled has not left its queue yet
                    self._grant(key)
                    turn.set_result(None)
                    break

    def _grant(self, key: Hashable) -> None:
        self._free -= 1
        self._held[key] = self.held_by(key) + 1
        self.taken += 1
        self.peak = max(self.peak, self.held)
        if self._newest is not None and self._newest[0] != key:
            self._before = self._newest
        self._newest = (key, time.monotonic())

    def _queued(self, key: Hashable) -> asyncio.Future[None]:
        if self._waiting >= self._most_waiting:
            longest = max(self._queues, key=lambda one: len(self._queues[one]), default=key)
            if len(self._queues.get(key, ())) + 1 >= len(self._queues.get(longest, ())):
                raise self._refusal(key)
            newest = self._queues[longest].pop()
            if not newest.done():
                newest.set_exception(self._refusal(longest))
            self._shrunk(longest)
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(turn)
        self._waiting += 1
        return turn

    def _withdrawn(self, key: Hashable, turn: asyncio.Future[None]) -> bool:
        """Take a request out of its queue. Return False if it was given a place meanwhile."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            return False
        if turn in self._queues.get(key, ()):
            self._queues[key].remove(turn)
            self._shrunk(key)
        return True

    def _shrunk(self, key: Hashable) -> None:
        self._waiting -= 1
        if not self._queues[key]:
            del self._queues[key]

    def _refusal(self, key: Hashable) -> NoPlaceError:
        return NoPlaceError(is_own=not self._may_take(key) or self.held_by(key) == self.held > 0)
