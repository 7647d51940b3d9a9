"""The port: named objects of bytes. One conformance suite runs over every adapter (tests/storage)."""

import re
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime
from typing import Protocol

import msgspec


class StorageError(Exception):
    """A file cannot be written or read. The message is for the operator, never for a caller."""


class MissingError(StorageError):
    """There is no such object."""


class DamagedError(StorageError):
    """The stored object differs from the written one."""


class UnreachableError(StorageError):
    """The store does not answer, or denies access. A retry may help."""


class DeniedError(UnreachableError):
    """The store belongs to another user, or denies access. Only the operator can change that."""


class FullError(UnreachableError):
    """There is no room left in the store. A retry helps once the operator has made some."""


class LockedError(UnreachableError):
    """Whole, but sealed with a key that this process does not hold. A process that does will open it."""

    def __init__(self, sha256: str, key_id: str) -> None:
        super().__init__(f"the key of {sha256} is sealed with key {key_id}, which this process does not hold")
        self.key_id = key_id


class Listed(msgspec.Struct, frozen=True):
    """An object in a listing. `modified_at` is by the store's own clock."""

    name: str
    size: int
    modified_at: datetime


class Store(Protocol):
    """Names are lower-case segments between slashes (see `checked_name`)."""

    async def put(self, name: str, chunks: AsyncIterable[bytes]) -> None:
        """Write an object, replacing any of that name.

        The name shows the new object only once all of it is durable. An exception out of `chunks` passes through
        unchanged and leaves the earlier object.
        """

    async def open(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Return the bytes [start, start + length), as a slice would. Raises `MissingError` before the first."""

    async def size(self, name: str) -> int | None:
        """Return the size in bytes. None if there is no such object."""

    async def delete(self, name: str) -> None:
        """Remove the object. A missing object is no error."""

    def list(self, prefix: str) -> AsyncIterator[Listed]:
        """List the objects under a prefix that ends with a slash, in any order."""

    async def tidy(self, before: datetime) -> int:
        """Remove invisible remains of writers that died before an instant. Return their number."""

    async def check(self) -> None:
        """Raise `UnreachableError`, or its kind `FullError`, if objects could not be written now."""

    async def close(self) -> None:
        """Let go of connections."""


_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}(/[a-z0-9][a-z0-9-]{0,99}){0,5}")


def checked_name(name: str) -> str:
    """Return the name. Raises ValueError if it could mean another place on some store."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name for an object")
    return name


def checked_prefix(prefix: str) -> str:
    """Return the prefix. Raises ValueError as `checked_name` does."""
    checked_name(prefix.removesuffix("/"))
    if not prefix.endswith("/"):
        raise ValueError(f"{prefix!r} must end with a slash")
    return prefix
