"""How much of the process one tenant may take: each kind of place has a total, and a share of one tenant.

The totals bound the memory of the process. Beside its bases it holds at most `_LARGE_BODIES` JSON bodies of
`body_max_bytes`, one of them decoded to check it, and one piece (64 KiB, or the part of an S3 upload) of each file.
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import msgspec

from vendorrisk.errors import Code, Refusal
from vendorrisk.fair_places import FairPlaces, NoPlaceError

MOST_REQUESTS = 512
_REQUESTS_OF_ONE = 128
_LARGE_BODIES = 32
_FILES = 16
_WAIT_SECONDS = 10.0
_RESTS = 4.0  # times what the work took: heavy work of one tenant takes at most a fifth of the time
_LONGEST_REST_SECONDS = 5.0
_FILE_BYTES_PER_SECOND = 4 * 1024 * 1024
_OTHERS_SECONDS = 2.0


class Places(msgspec.Struct, frozen=True):
    """The places of one process."""

    requests: FairPlaces = msgspec.field(default_factory=lambda: FairPlaces(MOST_REQUESTS, share=_REQUESTS_OF_ONE))
    """Requests under way. A tenant beyond its share is refused at once."""
    strangers: FairPlaces = msgspec.field(default_factory=lambda: FairPlaces(MOST_REQUESTS, share=_REQUESTS_OF_ONE))
    """Requests without credentials that are under way, by address."""
    large_bodies: FairPlaces = msgspec.field(
        default_factory=lambda: FairPlaces(_LARGE_BODIES, share=_LARGE_BODIES // 2)
    )
    """JSON bodies of some size that are in memory."""
    checks: FairPlaces = msgspec.field(default_factory=lambda: FairPlaces(1))
    """JSON bodies of some size that are decoded and checked in a thread."""
    imports: FairPlaces = msgspec.field(default_factory=lambda: FairPlaces(2, share=1))
    """Small imports that are checked while their caller waits."""
    files: FairPlaces = msgspec.field(default_factory=lambda: FairPlaces(_FILES, share=_FILES // 2))
    """Files on their way in: on the disk, or on to the store."""

    @asynccontextmanager
    async def heavy(self, places: FairPlaces, tenant_id: UUID) -> AsyncIterator[None]:
        """Hold a place for work that takes the processor, and rest after it while other tenants are served."""
        async with in_turn(places, tenant_id):
            begun = time.monotonic()
            try:
                yield
            finally:
                self._rest(places, tenant_id, _RESTS * (time.monotonic() - begun))

    def rest_after_file(self, tenant_id: UUID, size: int) -> None:
        """Let the next file of the tenant wait as long as its `size` in bytes asks, while other tenants are served."""
        self._rest(self.files, tenant_id, size / _FILE_BYTES_PER_SECOND)

    def _rest(self, places: FairPlaces, tenant_id: UUID, seconds: float) -> None:
        if not self.requests.is_alone(tenant_id, _OTHERS_SECONDS):
            places.rest(tenant_id, min(seconds, _LONGEST_REST_SECONDS))


@contextmanager
def at_once(places: FairPlaces, key: UUID | str) -> Iterator[None]:
    """Hold a place, or refuse at once: with 429 if the caller's own requests hold them, else with 503."""
    try:
        places.take_now(key)
    except NoPlaceError as error:
        raise _refusal(error) from None
    try:
        yield
    finally:
        places.give_back(key)


@asynccontextmanager
async def in_turn(places: FairPlaces, key: UUID | str, seconds: float = _WAIT_SECONDS) -> AsyncIterator[None]:
    """Hold a place once it is the tenant's turn. Refuses if that takes too long."""
    try:
        await places.take(key, seconds)
    except NoPlaceError as error:
        raise _refusal(error) from None
    try:
        yield
    finally:
        places.give_back(key)


def _refusal(error: NoPlaceError) -> Refusal:
    if error.is_own:
        detail = "Wait until some of your requests have ended, and send it again."
        return Refusal(Code.RATE_LIMITED, detail, retry_after_seconds=1)
    return Refusal(Code.OVERLOADED, "Too many requests are under way. Send it again.", retry_after_seconds=2)
