"""Decisions: what may be a receiver, what follows an attempt. Steps are decided in SQL, where the sweep is."""

import base64
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from vendorrisk.alerts.model import (
    Claimed,
    DeliveryState,
    LeadDays,
    NewAlertPolicy,
    Outcome,
    ReceiverKind,
    Result,
    Target,
    ToConsole,
    ToEmail,
    ToOwners,
    ToSlackBot,
    ToSlackWebhook,
    ToWebhook,
)
from vendorrisk.channels.mail_form import mailbox
from vendorrisk.channels.port import (
    Address,
    Console,
    EmailAddress,
    Failure,
    SlackConversation,
    SlackWebhook,
    Undeliverable,
    WebhookEndpoint,
)
from vendorrisk.egress.hosts import normalise_host
from vendorrisk.egress.reasons import EgressError
from vendorrisk.errors import Code, Refusal

TRIES = 12
"""Attempts before a delivery is dead: with the back-off below, most of a day."""

_FIRST_WAIT_SECONDS = 30
_LONGEST_WAIT_SECONDS = 6 * 3600
_LONGEST_REST_SECONDS = 600
_HTTPS_PORTS = (None, 443)
_RESTS = frozenset({Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.NOT_CONFIGURED})


def sent(claimed: Claimed, token: UUID, detail: str) -> Result:
    return Result(claimed, token, DeliveryState.SENT, Outcome.SENT, None, None, detail, None)


def not_sent(claimed: Claimed, token: UUID, why: Undeliverable, now: datetime) -> Result:
    """Say what follows a failure: another try later, or none. What left without an answer may have been taken."""
    outcome = Outcome.UNCERTAIN if why.perhaps_taken else Outcome.FAILED
    again = why.retryable and claimed.attempts < claimed.attempts_allowed
    state = DeliveryState.PENDING if again else DeliveryState.DEAD
    wait = wait_seconds(claimed.id, claimed.attempts, why.retry_after_seconds)
    rest = min(wait, max(_LONGEST_REST_SECONDS, why.retry_after_seconds or 0))
    return Result(
        claimed,
        token,
        state,
        outcome,
        now + timedelta(seconds=wait) if again else None,
        why.failure.value,
        why.detail,
        now + timedelta(seconds=rest) if why.failure in _RESTS and why.retryable else None,
    )


def wait_seconds(delivery_id: UUID, attempts: int, retry_after_seconds: int | None) -> int:
    """Return the back-off after `attempts` tries: doubling, spread by the delivery's id, never under Retry-After.

    The spread is ±20 % and always the same for one delivery, so that a thousand that failed together do not come
    back together, and a test knows what to expect.
    """
    doubled = _FIRST_WAIT_SECONDS << min(attempts - 1, 20)
    spread = 0.8 + 0.4 * (delivery_id.int % 1000) / 999
    return max(round(min(doubled, _LONGEST_WAIT_SECONDS) * spread), retry_after_seconds or 0)


def kind_of(target: Target) -> ReceiverKind:
    return ReceiverKind(str(target.__struct_config__.tag))


def address_of(target: Target) -> Address | None:
    """Return the address to seal, or refuse one we could never reach; None for owners."""
    match target:
        case ToSlackWebhook(url=url):
            return SlackWebhook(_checked(url))
        case ToSlackBot(token=token, conversation=conversation):
            return SlackConversation(token, conversation)
        case ToEmail(address=address):
            try:
                return EmailAddress(mailbox(address))
            except ValueError as error:
                detail = f"Send one plain address: {error}."
                raise Refusal(Code.RECEIVER_ADDRESS_INVALID, detail, pointer="/target/address") from None
        case ToWebhook(url=url, secret=secret):
            return WebhookEndpoint(_checked(url), secret or new_secret())
        case ToConsole():
            return Console()
        case ToOwners():
            return None


def destination_of(target: Target) -> str:
    """Return what may be shown of an address: a Slack webhook's path is its secret, a query often holds one."""
    match target:
        case ToSlackWebhook(url=url):
            return f"https://{urlsplit(url).hostname}/…"
        case ToWebhook(url=url):
            parts = urlsplit(url)
            return f"https://{parts.hostname}{parts.path[:200]}{'?…' if parts.query else ''}"
        case ToSlackBot(conversation=conversation):
            return conversation
        case ToEmail(address=address):
            return mailbox(address)
        case ToConsole():
            return "the worker's output"
        case ToOwners():
            return "the vendor's owners"


def new_secret() -> str:
    """Return a signing secret of Standard Webhooks with 32 random bytes."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def policy_in_order(policy: NewAlertPolicy) -> NewAlertPolicy:
    """Return the policy with each list once and descending, so that equal policies are stored equal."""
    lists = {tier: _descending(getattr(policy, tier)) for tier in ("critical", "high", "medium", "low")}
    return msgspec.structs.replace(policy, **lists)


def _descending(days: LeadDays) -> LeadDays:
    return sorted(set(days), reverse=True)


def _checked(url: str) -> str:
    """Refuse a URL that the guard would refuse whatever its name resolves to."""
    try:
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.port not in _HTTPS_PORTS:
            raise _bad_url("leave out user names and ports")
        if any(ord(c) <= ord(" ") or c in "\\\x7f" for c in url) or not url.isascii():
            raise _bad_url("leave out blanks and write other characters percent-encoded")
        normalise_host(parts.hostname or "")
    except EgressError as error:
        raise _bad_url(error.detail) from None
    except ValueError:
        raise _bad_url("it cannot be read") from None
    return url


def _bad_url(why: str) -> Refusal:
    detail = f"Send an https URL with a public host name: {why}."
    return Refusal(Code.RECEIVER_ADDRESS_INVALID, detail, pointer="/target/url")
