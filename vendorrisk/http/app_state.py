"""The API's state while it runs, made once in `app.py` and passed to its users."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

import msgspec

from vendorrisk.access.model import Actor
from vendorrisk.clock import Clock
from vendorrisk.db.pool import Database
from vendorrisk.http.pace import Paces
from vendorrisk.http.places import Places
from vendorrisk.http.rate_limits import Limiter
from vendorrisk.keys import Keyring
from vendorrisk.settings import Settings
from vendorrisk.storage.vault import EncryptedFileStore


class Authenticate(Protocol):
    """Turns an Authorization header into an actor. Refuses with 401. The identity feature provides it."""

    async def __call__(self, authorization: str | None, now: datetime) -> Actor: ...


class Service(msgspec.Struct, kw_only=True):
    settings: Settings
    database: Database
    keyring: Keyring
    clock: Clock
    authenticate: Authenticate
    nudge: Callable[[Iterable[str]], Awaitable[None]]
    ping_redis: Callable[[], Awaitable[None]]
    per_key: Limiter
    per_tenant: Limiter
    per_address: Limiter
    cursor_secrets: tuple[bytes, ...]
    file_store: EncryptedFileStore
    spool_folder: Path | None = None
    """Where bodies wait that are too large for memory. None: in the system's folder for temporary files."""
    places: Places = msgspec.field(default_factory=Places)
    paces: Paces = Paces()
    same_key: WeakValueDictionary[tuple[str, str], asyncio.Lock] = msgspec.field(default_factory=WeakValueDictionary)
    """One lock per Idempotency-Key in use, so that a storm of the same request waits without a connection each."""
    is_shutting_down: bool = False
    """Set when the process is to end: it still serves, and says that it is not ready and that connections end."""
