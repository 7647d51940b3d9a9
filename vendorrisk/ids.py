"""Ids are UUIDv7 (RFC 9562, section 5.7), made here so that no Postgres version matters.

They sort by the time they were made, to the millisecond and, within one process, strictly.
"""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """Return an id greater than every id this process made before."""
    global _last  # noqa: PLW0603 - the monotonic counter is the point of this module
    # 48 bits of milliseconds, then 12 + 62 bits: a fraction of the millisecond first, then chance.
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    ticks = (milliseconds << 12) | ((rest << 12) // 1_000_000)
    with _lock:
        ticks = max(ticks, _last + 1)
        _last = ticks
    high = ((ticks >> 12) << 16) | 0x7000 | (ticks & 0xFFF)
    low = (int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
    return UUID(int=(high << 64) | low)
