"""The parts of an audit entry."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.model import ActorKind
from vendorrisk.audit.actions import Action


class Target(msgspec.Struct, frozen=True):
    """The record that was written: its kind (the singular noun of its feature) and id."""

    kind: str
    id: UUID


class Content(msgspec.Struct, frozen=True):
    """An entry as it is hashed, in canonical JSON. `before` is null where something was made."""

    at: datetime
    actor_kind: ActorKind
    actor_id: UUID
    actor_label: str
    action: str
    target_kind: str
    target_id: UUID
    request_id: str
    before: Any = None
    after: Any = None


class Entry(msgspec.Struct, frozen=True):
    """An entry as it is stored."""

    sequence: int
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    action: str
    target_kind: str
    target_id: UUID
    content: str
    previous_hash: bytes
    hash: bytes


class AuditEntry(msgspec.Struct, frozen=True):
    """An entry as the API shows it. `hash` is hexadecimal."""

    sequence: int
    """Position in the tenant's log, from 1, without gaps."""
    at: datetime
    """When it happened."""
    actor_kind: ActorKind
    actor_id: UUID
    actor_label: str
    action: str
    """`record:verb`, such as `vendor:registered`."""
    target_kind: str
    """Kind of the record that was changed, such as `vendor`."""
    target_id: UUID
    request_id: str
    before: Any
    """The values before the change. Null where the record was created."""
    after: Any
    """The values after the change. Null where the record was removed."""
    hash: str
    """SHA-256 over this entry and the hash before it, in hexadecimal."""


class Ends(msgspec.Struct, frozen=True):
    """The end of a chain by its head, and the entries there are, all of one moment."""

    head_sequence: int | None
    head_hash: bytes | None
    first_sequence: int | None
    last_sequence: int | None


class Head(msgspec.Struct, frozen=True):
    """The end of a tenant's chain, as an anchor keeps it. `hash` is hexadecimal."""

    tenant_id: UUID
    sequence: int
    hash: str


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Heads that were seen whole, to be kept where those who administer the database cannot write."""

    made_at: datetime
    heads: list[Head]


class Verified(msgspec.Struct, frozen=True):
    """The result of walking a chain: how many entries hold, the head they lead to, and the first fault."""

    tenant_id: UUID
    entries: int
    head: Head | None
    fault: str | None


class Change(msgspec.Struct, frozen=True):
    """One write, as a service tells it. Structs are given as they are. Fields that hold secrets are left out."""

    action: Action
    target: Target
    before: Any = None
    after: Any = None
