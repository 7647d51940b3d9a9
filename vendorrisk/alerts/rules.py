"""Decisions: which addresses a receiver may have. Thresholds are decided in SQL, where the sweep is."""

import base64
import secrets
from collections.abc import Container
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from vendorrisk.alerts.model import NewAlertPolicy, ReceiverKind, ThresholdDays
from vendorrisk.alerts.receiver_model import (
    ConsoleTarget,
    EmailTarget,
    OwnersTarget,
    SlackBotTarget,
    SlackWebhookTarget,
    Target,
    WebhookTarget,
)
from vendorrisk.channels.mail_form import mailbox
from vendorrisk.channels.port import (
    Address,
    Console,
    EmailAddress,
    SlackConversation,
    SlackWebhook,
    WebhookEndpoint,
)
from vendorrisk.egress.hosts import normalise_host
from vendorrisk.egress.reasons import EgressError
from vendorrisk.errors import Code, Refusal
from vendorrisk.keys import Keyring

_HTTPS_PORTS = (None, 443)


def kind_of(target: Target) -> ReceiverKind:
    return ReceiverKind(str(target.__struct_config__.tag))


def address_of(target: Target, inside: Container[str] = ()) -> Address | None:
    """Return the address to seal, or refuse one we could never reach. Return None for owners.

    Webhooks may lead to the hosts of `inside`, which the operator lists.
    """
    match target:
        case SlackWebhookTarget(url=url):
            return SlackWebhook(_checked(url))
        case SlackBotTarget(token=token, conversation=conversation):
            return SlackConversation(token, conversation)
        case EmailTarget(address=address):
            try:
                return EmailAddress(mailbox(address))
            except ValueError as error:
                detail = f"Send one plain address: {error}."
                raise Refusal(Code.RECEIVER_ADDRESS_INVALID, detail, pointer="/target/address") from None
        case WebhookTarget(url=url, secret=secret):
            return WebhookEndpoint(_checked(url, inside), secret or new_secret())
        case ConsoleTarget():
            return Console()
        case OwnersTarget():
            return None


def destination_of(target: Target) -> str:
    """Return the part of an address that may be shown.

    The path of a webhook is a secret at Slack, Discord, Teams, Zapier and others. So only its host is shown.
    """
    match target:
        case SlackWebhookTarget(url=url) | WebhookTarget(url=url):
            return f"https://{urlsplit(url).hostname}/…"
        case SlackBotTarget(conversation=conversation):
            return conversation
        case EmailTarget(address=address):
            return mailbox(address)
        case ConsoleTarget():
            return "the worker's output"
        case OwnersTarget():
            return "the vendor's owners"


def new_secret() -> str:
    """Return a signing secret of Standard Webhooks with 32 random bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def policy_in_order(policy: NewAlertPolicy) -> NewAlertPolicy:
    """Return the policy with each list once and descending, so that equal policies are stored equal."""
    lists = {tier: _descending(getattr(policy, tier)) for tier in ("critical", "high", "medium", "low")}
    return msgspec.structs.replace(policy, **lists)


def _descending(days: ThresholdDays) -> ThresholdDays:
    return sorted(set(days), reverse=True)


def _checked(url: str, inside: Container[str] = ()) -> str:
    """Refuse a URL that the guard would refuse whatever its name resolves to."""
    try:
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.port not in _HTTPS_PORTS:
            raise _bad_url("leave out user names and ports")
        if any(ord(c) <= ord(" ") or c in "\\\x7f" for c in url) or not url.isascii():
            raise _bad_url("leave out blanks and write other characters percent-encoded")
        if (parts.hostname or "").removesuffix(".") not in inside:
            normalise_host(parts.hostname or "")
    except EgressError as error:
        raise _bad_url(error.detail) from None
    except ValueError:
        raise _bad_url("it cannot be read") from None
    return url


def _bad_url(why: str) -> Refusal:
    detail = f"Send an https URL with a public host name: {why}."
    return Refusal(Code.RECEIVER_ADDRESS_INVALID, detail, pointer="/target/url")


def sealed_address(keyring: Keyring, tenant_id: UUID, receiver_id: UUID, address: Address | None) -> bytes | None:
    """Seal an address for its receiver. It opens for no other."""
    return None if address is None else keyring.seal(msgspec.json.encode(address), seal_context(tenant_id, receiver_id))


def opened_address(keyring: Keyring, tenant_id: UUID, receiver_id: UUID, sealed: bytes) -> Address:
    """Open what `sealed_address` made. Raises `SealError` if its key is gone."""
    address: Address = msgspec.json.decode(keyring.open(sealed, seal_context(tenant_id, receiver_id)), type=Address)
    return address


def seal_context(tenant_id: UUID, receiver_id: UUID) -> bytes:
    """Return what a receiver's address is sealed for."""
    return b"receiver" + tenant_id.bytes + receiver_id.bytes
