"""A feature's part of the outbox, so that the outbox need not know the feature."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.channels.port import Address, Message
from vendorrisk.db.connection import Connection
from vendorrisk.keys import Keyring
from vendorrisk.outbox.model import Due, Recorded

Facts = TypeVar("Facts")


class Kind(msgspec.Struct, Generic[Facts], frozen=True, kw_only=True):
    """How the messages of one kind of owner are sent. Only `load` and `ended` reach the database."""

    owner_kind: str
    load: Callable[[Connection, Sequence[Due]], Awaitable[Mapping[UUID, Facts]]]
    """Load the messages' data, across tenants and in one statement that only reads. Return it by the delivery's id.

    A delivery that must not be sent any more is left out: its destination is switched off, or its message is no longer
    true. It is cancelled, without an attempt.
    """
    channel: Callable[[Facts], str]
    """Return the word by which metrics count the delivery."""
    address: Callable[[Facts, Keyring], Address]
    """Open the address. Raises `Undeliverable` if that is not possible."""
    render: Callable[[Facts, str], Message]
    """Return the message. Its links begin with the public URL. Pure, and the same at every attempt."""
    opened: Callable[[Facts, Keyring], Facts] | None = None
    """Fill in secrets of the message just before it leaves, if it has any."""
    ended: Callable[[Connection, Sequence[Recorded]], Awaitable[None]] | None = None
    """Hear of deliveries that were sent or are dead, in the transaction that records it.

    A fault in it is logged, and undoes only its own writes: the delivery itself is the record.
    """


Kinds = Mapping[str, Kind[Any]]
"""Kinds by the name of their owners."""
