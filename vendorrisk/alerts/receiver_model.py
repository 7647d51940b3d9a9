"""Receivers as they are stored and returned, and the targets of new ones."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body
from vendorrisk.alerts.model import AlertClass, ReceiverKind
from vendorrisk.vendors.model import Tier

Url = Annotated[
    str,
    Meta(
        min_length=12,
        max_length=2000,
        pattern=r"^https://",
        examples=["https://hooks.example.com/x"],
        extra={"words": "an address that begins with https://"},
    ),
]
Token = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=300,
        pattern=r"^xox[a-z]-[A-Za-z0-9-]+\Z",
        extra={"words": "a token of Slack, which begins with xoxb-"},
    ),
]
Conversation = Annotated[
    str,
    Meta(
        min_length=2,
        max_length=80,
        pattern=r"^(?:[CGD][A-Z0-9]{2,20}|#[^\s@<>&]{1,79})\Z",
        extra={"words": "the id of a Slack channel, like C024BE91L, or its name, like #security"},
    ),
]
Secret = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^whsec_[A-Za-z0-9+/]{32,88}={0,2}\Z",
        description="24 to 64 bytes in base64",
        extra={"words": "whsec_ and 24 to 64 bytes in base64"},
    ),
]
ReceiverName = Annotated[str, Meta(min_length=1, max_length=200, examples=["Security channel"])]
Classes = Annotated[list[AlertClass], Meta(min_length=1, max_length=50)]
Tiers = Annotated[
    list[Tier],
    Meta(
        min_length=1,
        max_length=4,
        description="`critical` also lets vendors without a tier pass: what is not known is not trusted.",
    ),
]
OwnerIds = Annotated[list[UUID], Meta(min_length=1, max_length=100)]


class SlackWebhookTarget(Body, tag_field="kind", tag="slack_webhook"):
    """An incoming webhook of Slack."""

    url: Url
    """The incoming webhook's address. Stored sealed and never shown."""


class SlackBotTarget(Body, tag_field="kind", tag="slack_bot"):
    """A conversation that a Slack bot posts to."""

    token: Token
    """The bot's token, beginning with `xoxb-`. Stored sealed and never shown."""
    conversation: Conversation
    """Id of the conversation, or its name with `#`."""


class EmailTarget(Body, tag_field="kind", tag="email"):
    """An e-mail address."""

    address: Annotated[str, Meta(min_length=3, max_length=254, examples=["risk@example.com"])]
    """The e-mail address."""


class WebhookTarget(Body, tag_field="kind", tag="webhook"):
    """`secret` signs. If none is sent, one is made and shown once."""

    url: Url
    """The https address that events are posted to."""
    secret: Secret | None = None


class ConsoleTarget(Body, tag_field="kind", tag="console"):
    """The worker's standard output."""


class OwnersTarget(Body, tag_field="kind", tag="owners"):
    """The vendor's business and security owner, by e-mail."""


Target = SlackWebhookTarget | SlackBotTarget | EmailTarget | WebhookTarget | ConsoleTarget | OwnersTarget


class NewReceiver(Body):
    """A null filter matches everything. Values within a filter are ORed. Filters are ANDed."""

    name: ReceiverName
    target: Target
    """Where alerts are sent."""
    classes: Classes | None = None
    tiers: Tiers | None = None
    owner_ids: OwnerIds | None = None


class ReceiverChanges(Body):
    """Changes to a receiver."""

    name: ReceiverName | UnsetType = UNSET
    target: Target | UnsetType = UNSET
    """Where alerts are sent. It replaces the whole target."""
    classes: Classes | UnsetType | None = UNSET
    tiers: Tiers | UnsetType | None = UNSET
    owner_ids: OwnerIds | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class Receiver(msgspec.Struct, frozen=True):
    """A receiver without its secrets. `destination` is the part of the address that may be shown."""

    id: UUID
    name: str
    kind: ReceiverKind
    destination: str
    classes: list[AlertClass] | None
    tiers: list[Tier] | None
    owner_ids: list[UUID] | None
    is_active: bool
    confirmed_at: datetime | None
    """When the owner of its e-mail address confirmed it. Until then it gets no alerts. Null for other kinds."""
    created_at: datetime
    updated_at: datetime
    version: int


class CreatedReceiver(Receiver, frozen=True, kw_only=True):
    """A receiver just made. A webhook's signing secret is shown this once."""

    secret: str | None
    """The signing secret of a webhook, shown this once. Null for other kinds."""


class Limits(msgspec.Struct, frozen=True):
    """The limits of a tenant's receivers, by the operator's settings."""

    receivers: int = 100
    messages_an_hour: int = 60
    """Tests and confirmations: mail to addresses of which nobody knows whose they are."""
    inside: frozenset[str] = frozenset()
    """Hosts inside that webhooks may lead to."""
