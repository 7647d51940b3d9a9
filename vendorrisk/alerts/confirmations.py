"""The owner of an e-mail address confirms it, before the receiver gets more than the mail that asks for it.

A token is the tenant, the confirmation and a code that only this installation can make. Only its hash is stored. An
invented token is refused by its code, without a look into the database.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import found
from vendorrisk.access.work import Work
from vendorrisk.alerts import confirmation_queries, messages, queries
from vendorrisk.alerts.confirmation_queries import MailToConfirm, StoredConfirmation
from vendorrisk.alerts.model import ReceiverKind
from vendorrisk.alerts.receiver_model import Limits, Receiver
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target as Audited
from vendorrisk.channels.port import Address, Message
from vendorrisk.channels.text import one_line
from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import Database
from vendorrisk.errors import Code, Refusal
from vendorrisk.ids import new_id
from vendorrisk.keys import Keyring
from vendorrisk.outbox import service as outbox
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.model import Due, NewDelivery

OWNER_KIND = "confirmation"
LASTS = timedelta(days=7)
TRIES = 6

_PURPOSE = "receiver confirmation"
_IDS, _MOST_NAME = 32, 80


class State(StrEnum):
    """Where a link stands. `confirmed` is the result of confirming it now."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    UNKNOWN = "unknown"


class Confirmation(msgspec.Struct, frozen=True):
    """The state of a link, with tenant and address while it is open."""

    state: State
    tenant_name: str = ""
    address: str = ""


class ToConfirm(msgspec.Struct, frozen=True):
    """A mail to send. `token` is filled in just before it leaves."""

    mail: MailToConfirm
    token: str = ""


async def ask(work: Work, keyring: Keyring, receiver: Receiver, limits: Limits) -> None:
    """Ask the owner of a receiver's address by mail. Links of earlier mails end."""
    await check_quota(work, limits)
    confirmation_id = new_id()
    token = _token(keyring.derive(_PURPOSE), work.tenant_id, confirmation_id)
    await confirmation_queries.end_earlier(work, receiver.id)
    await confirmation_queries.insert(work, confirmation_id, receiver.id, _hash(token), work.now + LASTS)
    new = NewDelivery(
        owner_kind=OWNER_KIND, owner_id=confirmation_id, destination_kind="receiver", destination_id=receiver.id
    )
    await outbox.deliver(work, new, tries=TRIES)


async def ask_again(work: Work, keyring: Keyring, receiver_id: UUID, limits: Limits) -> Receiver:
    """Send the mail again, with a new link."""
    receiver = found(await queries.lock_receiver(work, receiver_id))
    if receiver.kind is not ReceiverKind.EMAIL or receiver.confirmed_at is not None:
        raise Refusal(Code.RECEIVER_CONFIRMED, "Only an e-mail address that is not confirmed yet needs this.")
    await ask(work, keyring, receiver, limits)
    await audit.record(work, Action.RECEIVER_CONFIRMATION_SENT, Audited("receiver", receiver_id), after=receiver)
    return receiver


async def check_quota(work: Work, limits: Limits) -> None:
    """Refuse where the tenant has sent as many tests and confirmations in the last hour as it may."""
    if await confirmation_queries.count_unasked(work, work.now - timedelta(hours=1)) >= limits.messages_an_hour:
        detail = f"A tenant may send {limits.messages_an_hour} tests and confirmations in an hour. Send it later."
        raise Refusal(Code.RECEIVER_MESSAGES_TOO_MANY, detail, retry_after_seconds=600)


async def find(database: Database, keyring: Keyring, token: str, now: datetime) -> Confirmation:
    """Return the state of a link."""
    place = _place(keyring, token)
    if place is None:
        return Confirmation(State.UNKNOWN)
    async with database.tenant(place[0]) as connection:
        return _shown(await confirmation_queries.find(connection, *place, now), token)


async def confirm(database: Database, keyring: Keyring, token: str, now: datetime) -> Confirmation:
    """Confirm the address of a link, once."""
    place = _place(keyring, token)
    if place is None:
        return Confirmation(State.UNKNOWN)
    async with database.tenant(place[0]) as connection:
        await confirmation_queries.lock(connection, *place)
        stored = await confirmation_queries.find(connection, *place, now)
        shown = _shown(stored, token)
        if stored is None or shown.state is not State.OPEN:
            return shown
        by = system(Tenant(place[0], stored.time_zone), "confirmation link", Permission.ALERTS_MANAGE)
        work = Work(db=connection, by=by, now=now, request_id="confirmation link")
        before = found(await queries.lock_receiver(work, stored.receiver_id))
        after = await confirmation_queries.confirm(work, stored.id, stored.receiver_id)
        target = Audited("receiver", stored.receiver_id)
        await audit.record(work, Action.RECEIVER_CONFIRMED, target, before=before, after=after)
    return msgspec.structs.replace(shown, state=State.CONFIRMED)


def _shown(stored: StoredConfirmation | None, token: str) -> Confirmation:
    if stored is None or not hmac.compare_digest(stored.token_hash, _hash(token)):
        return Confirmation(State.UNKNOWN)
    if not stored.is_open:
        return Confirmation(State.ENDED)
    return Confirmation(State.OPEN, one_line(stored.tenant_name, _MOST_NAME), stored.address)


def _token(key: bytes, tenant_id: UUID, confirmation_id: UUID) -> str:
    ids = tenant_id.bytes + confirmation_id.bytes
    code = hmac.digest(key, ids, "sha256")
    return base64.urlsafe_b64encode(ids + code).rstrip(b"=").decode()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _place(keyring: Keyring, token: str) -> tuple[UUID, UUID] | None:
    """Return (tenant, confirmation) of a token that this installation made, or None."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    ids, code = raw[:_IDS], raw[_IDS:]
    known = [hmac.digest(key, ids, "sha256") for key in keyring.derive_all(_PURPOSE)]
    if len(raw) != _IDS + hashlib.sha256().digest_size or not any(hmac.compare_digest(code, one) for one in known):
        return None
    return UUID(bytes=ids[:16]), UUID(bytes=ids[16:])


# The mail, as the outbox is handed it


async def _load(connection: Connection, due: Sequence[Due]) -> dict[UUID, ToConfirm]:
    return {mail.delivery_id: ToConfirm(mail) for mail in await confirmation_queries.load(connection, due)}


def _opened(facts: ToConfirm, keyring: Keyring) -> ToConfirm:
    """Fill in the token: the one of the keys' whose hash is stored."""
    made = [_token(key, facts.mail.tenant_id, facts.mail.id) for key in keyring.derive_all(_PURPOSE)]
    return ToConfirm(facts.mail, next(one for one in made if _hash(one) == facts.mail.token_hash))


def _address(facts: ToConfirm, keyring: Keyring) -> Address:
    mail = facts.mail
    return messages.receiver_address(keyring, mail.tenant_id, mail.receiver_id, mail.address_sealed)


def _message(facts: ToConfirm, public_url: str) -> Message:
    name = one_line(facts.mail.tenant_name, _MOST_NAME)
    return Message(
        kind="receiver.confirmation",
        title="Confirm this address for vendor risk alerts",
        summary=f"{name} wants to send alerts about its vendors to this address. The link works for {LASTS.days} days.",
        action="Open the link and confirm, or do nothing: then nothing more is sent to this address.",
        link=f"{public_url.rstrip('/')}/confirm/{facts.token}",
        link_label="Confirm this address",
        why=f"You get this once, because somebody at {name} entered this address.",
        at=facts.mail.created_at,
    )


CONFIRMATION = Kind(
    owner_kind=OWNER_KIND,
    load=_load,
    channel=lambda _facts: ReceiverKind.EMAIL.value,
    address=_address,
    render=_message,
    opened=_opened,
)
