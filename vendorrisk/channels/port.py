"""The port: the arguments, results and errors of every channel."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlsplit

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """One line of a message: a label and its value, as plain text."""

    label: str
    value: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a message. Every text is plain and untrusted. The channel's form escapes it."""

    kind: str  # the webhook's event type, as `alert.review_due`
    title: str
    summary: str
    facts: tuple[Fact, ...] = ()
    action: str = ""  # the reader's next step
    link: str  # where it can be done
    link_label: str = "Open"
    why: str = ""  # why this reader gets it
    manage_link: str = ""  # where that can be changed
    at: datetime  # the instant of the event
    payload: Mapping[str, object] = {}  # a webhook's `data`


class SlackWebhook(msgspec.Struct, frozen=True, tag_field="channel", tag="slack_webhook"):
    """An incoming webhook. Its URL is the secret."""

    url: str


class SlackConversation(msgspec.Struct, frozen=True, tag_field="channel", tag="slack_bot"):
    """A conversation that a bot token may write to. `conversation` is an id (C…) or a #name."""

    token: str
    conversation: str


class EmailAddress(msgspec.Struct, frozen=True, tag_field="channel", tag="email"):
    address: str


class WebhookEndpoint(msgspec.Struct, frozen=True, tag_field="channel", tag="webhook"):
    """An endpoint of Standard Webhooks. `secret` is `whsec_` and base64."""

    url: str
    secret: str


class Console(msgspec.Struct, frozen=True, tag_field="channel", tag="console"):
    """The worker's own output."""


Address = SlackWebhook | SlackConversation | EmailAddress | WebhookEndpoint | Console


def host_of(address: Address) -> str:
    """Return the host that messages to an address leave for. All mail leaves for the one mail server."""
    if isinstance(address, SlackWebhook | WebhookEndpoint):
        return urlsplit(address.url).hostname or ""
    return {SlackConversation: "slack", EmailAddress: "mail", Console: "console"}[type(address)]


class Failure(StrEnum):
    """The reason why a message was not accepted. Append only. Stored with attempts."""

    NOT_CONFIGURED = "not_configured"  # the operator has not set this channel up, or has set it up wrongly
    ADDRESS_INVALID = "address_invalid"
    ADDRESS_REFUSED = "address_refused"  # the guard does not let us go there
    REJECTED = "rejected"  # the receiver will not take it, now or later
    RATE_LIMITED = "rate_limited"
    TEMPORARY = "temporary"  # the receiver says: later
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"  # no response in time


class Sent(msgspec.Struct, frozen=True):
    """The receiver accepted the message. `detail` is its response, in short."""

    detail: str


class Undeliverable(Exception):  # noqa: N818 - an outcome the port names, not a fault of the service
    """The receiver did not accept the message, or did not confirm it. `retryable` says whether a retry makes sense.

    `perhaps_accepted`: the message had left, and its arrival is uncertain. A retry may duplicate it.
    """

    def __init__(
        self,
        failure: Failure,
        detail: str,
        *,
        retryable: bool,
        retry_after_seconds: int | None = None,
        perhaps_accepted: bool | None = None,
    ) -> None:
        super().__init__(f"{failure.value}: {detail}")
        self.failure = failure
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        self.perhaps_accepted = failure is Failure.TIMEOUT if perhaps_accepted is None else perhaps_accepted


class Channel(Protocol):
    """An adapter. `key` is stable over retries of one delivery, 1 to 64 characters of `[A-Za-z0-9_-]`."""

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        """Send once, within the adapter's timeout. Raises only `Undeliverable`."""
        ...
