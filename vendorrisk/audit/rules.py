"""The chain: how an entry is hashed, and why one does not hold."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

import msgspec

from vendorrisk.audit.model import Content, Ends, Entry, Head, Verified

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
    """Walks one chain in order, up to its head, and remembers the first thing that is wrong.

    `anchor` is a head of this chain that was seen before: the walk must come past it.
    """

    def __init__(self, tenant_id: UUID, ends: Ends, anchor: Head | None = None) -> None:
        self.tenant_id, self._ends, self._anchor = tenant_id, ends, anchor
        self.sequence, self.hash = 0, genesis(tenant_id)
        self.last = ends.head_sequence or 0
        self.fault = self._fault_of_ends()

    def walk(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if self.fault is not None:
                return
            self.fault = self._fault_of(entry)
            if self.fault is None:
                self.sequence, self.hash = entry.sequence, entry.hash
                self.fault = self._fault_at_anchor()

    def finish(self) -> Verified:
        """Return the result, when nothing is left to walk."""
        if self.fault is None:
            self.fault = self._fault_at_end()
        head = None if self.fault else Head(self.tenant_id, self.sequence, self.hash.hex())
        return Verified(self.tenant_id, self.sequence, head, self.fault)

    def _fault_of_ends(self) -> str | None:
        ends = self._ends
        if ends.head_sequence is None and ends.last_sequence is not None:
            return "the head of the chain is gone"
        if ends.head_sequence is None:
            return "the whole chain is gone, head and all: a tenant has at least the entry of its founding"
        if ends.first_sequence is not None and ends.first_sequence < 1:
            return f"entry {ends.first_sequence} stands before the beginning of the chain"
        return None

    def _fault_of(self, entry: Entry) -> str | None:
        if entry.sequence != self.sequence + 1:
            return f"entry {self.sequence + 1} is gone or out of order"
        if entry.previous_hash != self.hash:
            return f"entry {entry.sequence} does not follow the one before it"
        if entry.hash != next_hash(self.hash, entry.sequence, entry.content):
            return f"entry {entry.sequence} was changed"
        try:
            content = msgspec.json.decode(entry.content, type=Content)
        except msgspec.MsgspecError:
            return f"entry {entry.sequence} was changed: its text is not that of an entry"
        shown = (content.at, content.actor_kind, content.actor_id, content.action, content.target_kind)
        stored = (entry.at, entry.actor_kind, entry.actor_id, entry.action, entry.target_kind)
        if shown != stored or content.target_id != entry.target_id:
            return f"entry {entry.sequence} has columns that differ from its content"
        return None

    def _fault_at_anchor(self) -> str | None:
        anchor = self._anchor
        if anchor is not None and anchor.sequence == self.sequence and anchor.hash != self.hash.hex():
            return f"the chain was written again: entry {self.sequence} is not the one that the anchor knows"
        return None

    def _fault_at_end(self) -> str | None:
        """Return the contradiction of the head or the anchor to the entries, once all up to the head were walked."""
        ends = self._ends
        if self.sequence < self.last:
            return f"entries after {self.sequence} are gone, or the head was changed"
        if (ends.last_sequence or 0) > self.last:
            return f"entry {self.last + 1} was added past the head of the chain, or the head was set back"
        if ends.head_hash != self.hash:
            return f"the head does not fit entry {self.sequence}: it was changed, or the last entry was"
        if self._anchor is not None and self._anchor.sequence > self.sequence:
            return f"entries after {self.sequence} are gone: the anchor knows entry {self._anchor.sequence}"
        return None
