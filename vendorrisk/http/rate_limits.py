"""Rate limits as token buckets, kept in each API process so that they work while Redis is away."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from vendorrisk.errors import Code, Refusal

_MAX_BUCKETS: Final = 50_000
_WINDOW_SECONDS: Final = 60


class Allowance(msgspec.Struct, frozen=True):
    """The rest of a limit after one request. If there is a time to wait, no token was taken."""

    policy: str
    limit: int
    remaining: int
    reset_seconds: int
    wait_seconds: int = 0

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the RateLimit fields (draft-ietf-httpapi-ratelimit-headers)."""
        policy = f'"{self.policy}";q={self.limit};w={_WINDOW_SECONDS}'
        left = f'"{self.policy}";r={self.remaining};t={self.reset_seconds}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]

    def check(self) -> None:
        """Refuse with 429, and the time until there is a token again, where none was left."""
        if self.wait_seconds:
            detail = f"Wait {self.wait_seconds} s and send it again."
            raise Refusal(Code.RATE_LIMITED, detail, retry_after_seconds=self.wait_seconds)


class Limiter:
    """Buckets of one policy that fill evenly over a minute. The least recently used is dropped first."""

    def __init__(self, policy: str, per_minute: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self.policy, self.limit, self._seconds = policy, per_minute, seconds
        self._interval = _WINDOW_SECONDS / per_minute
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> Allowance:
        """Take one token, or say how long to wait for one."""
        now = self._seconds()
        full_at = max(self._full_at.get(key, now), now) + self._interval
        if full_at - now > _WINDOW_SECONDS + self._interval / 2:
            wait = max(1, math.ceil(full_at - now - _WINDOW_SECONDS))
            return Allowance(self.policy, self.limit, 0, wait, wait)
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > _MAX_BUCKETS:
            self._full_at.popitem(last=False)
        used = full_at - now
        remaining = max(0, int((_WINDOW_SECONDS - used) / self._interval + 1e-6))
        return Allowance(self.policy, self.limit, remaining, math.ceil(used))
