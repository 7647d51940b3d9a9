"""Common steps of operations on a stored record: find it, check its version, apply a merge patch.

A request without a difference makes neither a version nor an audit entry: it returns the record as it is. Each
operation compares the requested values with the current ones, after its checks. A test walks all operations.
"""

from typing import Protocol, TypeVar

import msgspec
from msgspec import UNSET

from vendorrisk.errors import Code, Refusal

Stored = TypeVar("Stored")
StoredStruct = TypeVar("StoredStruct", bound=msgspec.Struct)


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request body: keyword fields. Unknown fields are refused."""


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


def found(record: Stored | None) -> Stored:
    """Return the record, or refuse with 404. Another tenant's record is as absent as one that does not exist."""
    if record is None:
        raise Refusal(Code.NOT_FOUND, "Check the id.")
    return record


def stale() -> Refusal:
    return Refusal(Code.VERSION_STALE, "Read it again, apply your change to it, and send its new ETag.")


def check_version(record: Versioned, expected: int) -> None:
    """Refuse with 412 a change that was meant for another version."""
    if record.version != expected:
        raise stale()


def patched(record: StoredStruct, changes: Body) -> StoredStruct:
    """Return the record with the fields that a merge patch (RFC 7396) sets. An `UNSET` field was not sent."""
    given = {name: value for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET}
    return msgspec.structs.replace(record, **given)


def says_already(record: msgspec.Struct, wanted: msgspec.Struct) -> bool:
    """Return True if the record has the value of each field of a body that replaces it."""
    return all(getattr(record, name) == value for name, value in msgspec.structs.asdict(wanted).items())
