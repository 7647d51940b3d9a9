"""Politeness: each new connection of a scan waits for a turn, by host and by address.

The dialling code asks a `Pacer`. The waiting time is not the server's fault, so it is added to the deadline of the
waiting request (`time_limit`). A host that asked for a back-off is left alone until its end, by every worker.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Protocol

from vendorrisk.egress.reasons import EgressError, Reason

Reserve = Callable[[str, float], Awaitable[float]]
"""(key, seconds between turns) → seconds until the caller's turn. The turn is taken."""

_limit: ContextVar[asyncio.Timeout | None] = ContextVar("_limit", default=None)


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Bound the block's time, like `asyncio.timeout`, without the time spent waiting for a turn."""
    async with asyncio.timeout(seconds) as timeout:
        token = _limit.set(timeout)
        try:
            yield
        finally:
            _limit.reset(token)


class Pacer(Protocol):
    async def turn(self, host: str, address: str) -> None:
        """Wait until a connection to the host at this address, or a request on one, is polite."""

    async def back_off(self, host: str, seconds: float) -> None:
        """Make no connection to the host for so long: it asked for that."""


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
_WAITED_FOR = 5.0  # seconds of back-off that a request waits for; a longer back-off refuses the request
_LONGEST_BACK_OFF = 24 * 3600.0


class PolitePacer:
    """At most one connection or request a second to a registrable domain, two to an address.

    They are counted by domain. `registrable_domain_of` names a host's registrable domain. `reserve` stores turns and
    back-offs, for one process or for all. Without a pace each process keeps its own back-offs.
    """

    def __init__(
        self,
        registrable_domain_of: Callable[[str], str],
        reserve: Reserve,
        *,
        seconds_between: float = 1.0,
        seconds_between_of_address: float = 0.5,
    ) -> None:
        self._registrable_domain_of, self._reserve = registrable_domain_of, reserve
        self._between, self._between_of_address = seconds_between, seconds_between_of_address
        self._back_offs = reserve if seconds_between > 0 else OwnTurns()
        self.spent: Counter[str] = Counter()

    async def turn(self, host: str, address: str) -> None:
        """Wait for a turn. Refuses a host that asked for a longer back-off."""
        await self._wait_out_back_off(host)
        domain = self._registrable_domain_of(host)
        self.spent[domain] += 1
        wait = max(
            await self._take(f"domain:{domain}", self._between),
            await self._take(f"address:{address}", self._between_of_address),
        )
        if wait > 0:
            _put_off(wait)
            await asyncio.sleep(wait)

    async def back_off(self, host: str, seconds: float) -> None:
        wanted = min(seconds, _LONGEST_BACK_OFF)
        left = await _asked(self._back_offs, f"back_off:{host}", 0.0)
        if wanted > left:
            await _asked(self._back_offs, f"back_off:{host}", wanted - left)

    async def _wait_out_back_off(self, host: str) -> None:
        left = await _asked(self._back_offs, f"back_off:{host}", 0.0)
        if left > _WAITED_FOR:
            raise EgressError(Reason.ASKED_TO_WAIT, f"{host} asked not to be disturbed for {left:.0f} s more")
        if left > 0:
            _put_off(left)
            await asyncio.sleep(left)

    async def _take(self, key: str, seconds: float) -> float:
        return await _asked(self._reserve, key, seconds) if seconds > 0 else 0.0


async def _asked(reserve: Reserve, key: str, seconds: float) -> float:
    """Take a turn. If Redis is slow, its response time counts as waiting too."""
    clock = asyncio.get_running_loop().time
    asked_at = clock()
    wait = await reserve(key, seconds)
    _put_off(clock() - asked_at)
    return wait


def _put_off(seconds: float) -> None:
    """Give the request that waits as much more time."""
    limit = _limit.get()
    if limit is not None and (when := limit.when()) is not None:
        limit.reschedule(when + seconds)
