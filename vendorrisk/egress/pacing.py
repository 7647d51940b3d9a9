"""Politeness: before each new connection of a look, a turn is waited for, by host and by address.

A `Pacer` is asked by whoever dials. The time spent waiting is not the other side's, so it is added to the deadline of
the request that waits (`time_limit`).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Protocol

Reserve = Callable[[str, float], Awaitable[float]]
"""(key, seconds between turns) → seconds until the caller's turn; the turn is taken."""

_limit: ContextVar[asyncio.Timeout | None] = ContextVar("_limit", default=None)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Bound what is done inside, like `asyncio.timeout`, but for the time spent waiting for a turn."""
    async with asyncio.timeout(seconds) as timeout:
        token = _limit.set(timeout)
        try:
            yield
        finally:
            _limit.reset(token)


class Pacer(Protocol):
    async def turn(self, host: str, address: str) -> None:
        """Wait until a connection to the host, at this address, is polite."""


class OwnTurns:
    """Turns of one process: each key's next free instant."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

    async def __call__(self, key: str, interval_seconds: float) -> float:
        now = asyncio.get_running_loop().time()
        begins = max(now, self._free_at.get(key, 0.0))
        self._free_at[key] = begins + interval_seconds
        if len(self._free_at) > _MOST_KEYS:
            self._free_at = {k: at for k, at in self._free_at.items() if at > now}
        return begins - now


_MOST_KEYS = 20_000


class PolitePacer:
    """At most one connection a second to a registrable domain and two to an address, counted by domain.

    `place_of` names what a host belongs to; `reserve` keeps turns, for one process or for all.
    """

    def __init__(
        self,
        place_of: Callable[[str], str],
        reserve: Reserve,
        *,
        seconds_between: float = 1.0,
        seconds_between_of_address: float = 0.5,
    ) -> None:
        self._place_of, self._reserve = place_of, reserve
        self._between, self._between_of_address = seconds_between, seconds_between_of_address
        self.spent: Counter[str] = Counter()

    async def turn(self, host: str, address: str) -> None:
        place = self._place_of(host)
        self.spent[place] += 1
        wait = max(
            await self._take(f"place:{place}", self._between),
            await self._take(f"address:{address}", self._between_of_address),
        )
        if wait > 0:
            _put_off(wait)
            await asyncio.sleep(wait)

    async def _take(self, key: str, seconds: float) -> float:
        """Take a turn; asking for it is waiting too, where Redis is slow."""
        if seconds <= 0:
            return 0.0
        clock = asyncio.get_running_loop().time
        asked_at = clock()
        wait = await self._reserve(key, seconds)
        _put_off(clock() - asked_at)
        return wait


def _put_off(seconds: float) -> None:
    """Give the request that waits as much more time."""
    limit = _limit.get()
    if limit is not None and (when := limit.when()) is not None:
        limit.reschedule(when + seconds)
