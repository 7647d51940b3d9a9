"""A store in memory, for tests of features; it passes the conformance suite of the real ones (tests/storage)."""

from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime

from vendorrisk.storage.port import Listed, MissingError, checked_name, checked_prefix


class MemoryStore:
    """`objects` maps a name to its bytes, for a test to look at or to damage; `written_at` says when."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.written_at: dict[str, datetime] = {}

    async def put(self, name: str, chunks: AsyncIterable[bytes]) -> None:
        checked_name(name)
        self.objects[name] = b"".join([chunk async for chunk in chunks])
        self.written_at[name] = datetime.now(UTC)

    async def open(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        found = self.objects.get(checked_name(name))
        if found is None:
            raise MissingError(name)
        return _once(found[start:] if length is None else found[start : start + length])

    async def size(self, name: str) -> int | None:
        found = self.objects.get(checked_name(name))
        return None if found is None else len(found)

    async def delete(self, name: str) -> None:
        self.objects.pop(checked_name(name), None)

    async def list(self, prefix: str) -> AsyncIterator[Listed]:
        checked_prefix(prefix)
        for name, body in list(self.objects.items()):
            if name.startswith(prefix):
                yield Listed(name, len(body), self.written_at[name])

    async def tidy(self, before: datetime) -> int:  # noqa: ARG002 - the port's
        return 0

    async def check(self) -> None:
        """It always works."""

    async def close(self) -> None:
        """Nothing is held."""


async def _once(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data
