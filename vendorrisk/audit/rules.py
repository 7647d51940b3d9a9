"""The chain: how an entry is hashed, and what is wrong with one that does not hold."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

import msgspec

from vendorrisk.audit.model import Content, Entry, Head

_encoder = msgspec.json.Encoder(order="deterministic")


def canonical(content: Content) -> str:
    """Return the text that is hashed: JSON with sorted keys, no blanks, UTF-8."""
    return _encoder.encode(content).decode()


def genesis(tenant_id: UUID) -> bytes:
    """Return the hash before the first entry, so that chains of two tenants never share one."""
    return hashlib.sha256(tenant_id.bytes).digest()


def next_hash(previous: bytes, sequence: int, content: str) -> bytes:
    return hashlib.sha256(previous + sequence.to_bytes(8) + content.encode()).digest()


class Verifier:
    """Walks one chain in order and remembers the first thing that is wrong."""

    def __init__(self, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.sequence, self.hash = 0, genesis(tenant_id)
        self.fault: str | None = None

    def walk(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if self.fault is None:
                self.fault = self._fault_of(entry)
                self.sequence, self.hash = entry.sequence, entry.hash

    def finish(self, head: Head | None) -> str | None:
        """Return what is wrong with the chain as a whole, or None."""
        if self.fault is None:
            if head is None and self.sequence:
                self.fault = "the head of the chain is gone"
            elif head is not None and (head.sequence, head.hash) != (self.sequence, self.hash):
                self.fault = f"entries after {self.sequence} are gone, or the head was changed"
        return self.fault

    def _fault_of(self, entry: Entry) -> str | None:
        if entry.sequence != self.sequence + 1:
            return f"entry {self.sequence + 1} is gone or out of order"
        if entry.previous_hash != self.hash:
            return f"entry {entry.sequence} does not follow the one before it"
        if entry.hash != next_hash(self.hash, entry.sequence, entry.content):
            return f"entry {entry.sequence} was changed"
        content = msgspec.json.decode(entry.content, type=Content)
        shown = (content.at, content.actor_kind, content.actor_id, content.action, content.target_kind)
        stored = (entry.at, entry.actor_kind, entry.actor_id, entry.action, entry.target_kind)
        if shown != stored or content.target_id != entry.target_id:
            return f"entry {entry.sequence} has columns that differ from its content"
        return None
