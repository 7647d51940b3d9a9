"""Raw observations: the canonical form in which scans are kept, hashed and replayed."""

import hashlib
from typing import TypeVar

import msgspec

HASH_BYTES = 16


class Raw(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of every part of an observation: immutable, with its fields in sorted order when written."""


class Unknown(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="unknown"):
    """A part that could not be seen. `reason` is a stable slug: an `egress.Reason`, or the collector's own."""

    reason: str


class Lookup(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """The outcome of a DNS question. Records are sorted, TXT as one Latin-1 string each, names without final dot.

    Only `ok`, `nodata` and `nxdomain` are evidence about the name. Any other outcome is a failed observation.
    """

    outcome: str
    records: tuple[str, ...] = ()
    authenticated: bool = False

    @property
    def unknown(self) -> str:
        """The reason nothing was learnt, or an empty string."""
        return "" if self.outcome in {"ok", "nodata", "nxdomain"} else f"dns_{self.outcome}"


Question = tuple[str, str]
"""A DNS name in lower case without final dot, and a record type."""

_Observation = TypeVar("_Observation", bound=msgspec.Struct)
_encoder = msgspec.json.Encoder(order="sorted")


def canonical(observation: object) -> bytes:
    """Return the observation as JSON with sorted keys: equal observations give equal bytes.

    A NUL becomes U+FFFD. Postgres stores no NUL in text or JSON, so a single byte from a vendor would block the write
    of its whole domain scan, and freeze its earlier states for ever.
    """
    return _encoder.encode(observation).replace(b"\\u0000", b"\\ufffd")


def value_hash(observation: object) -> bytes:
    """Return the 16 bytes that distinguish two observations."""
    return hashlib.blake2b(canonical(observation), digest_size=HASH_BYTES).digest()


def replay(stored: bytes, kind: type[_Observation]) -> _Observation:
    """Read a stored observation. Raises `msgspec.ValidationError` for another shape."""
    return msgspec.json.decode(stored, type=kind)
