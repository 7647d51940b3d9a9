"""The steps of every operation on a stored record: find it, hold its version, apply a merge patch.

A request without a difference makes neither a version nor an audit entry: it returns the record as it is. Each
compares the wanted record with the stored one, after its checks. A test walks all of them.
"""

from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import UNSET, Meta

from vendorrisk.errors import Code, Refusal

Stored = TypeVar("Stored")
StoredStruct = TypeVar("StoredStruct", bound=msgspec.Struct)


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request body: keyword fields. Unknown ones are refused."""


Version = Annotated[int, Meta(ge=1, le=2**31 - 1, description="the version of the record that this is meant for")]
"""The version that an item among many is meant for. A single operation takes it as `If-Match`."""


Metadata = Annotated[
    dict[
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9_.-]{1,40}\Z",
                extra={"words": "1 to 40 letters, digits and the characters _ . -"},
            ),
        ],
        Annotated[str, Meta(max_length=500)],
    ],
    Meta(max_length=50, description="Texts by key that you keep with the record, at most 50. A change replaces all."),
]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^\S(?:.*\S)?\Z",
        extra={"words": "text on one line, without blanks around it"},
        description="your own number for the record",
    ),
]
"""The caller's own number for a finding or a document. That of a vendor is normalised, as its name is."""


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


def found(record: Stored | None) -> Stored:
    """Return the record, or refuse with 404. Another tenant's record is as absent as one that does not exist."""
    if record is None:
        raise Refusal(Code.NOT_FOUND, "Check the id.")
    return record


def stale() -> Refusal:
    return Refusal(Code.VERSION_STALE, "Read the record again, apply your change to it, and send its new ETag.")


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
