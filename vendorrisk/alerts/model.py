"""What is stored of deadlines, alerts, receivers and deliveries, what comes in, and what is shown."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body
from vendorrisk.outbox.model import DeliveryState
from vendorrisk.vendors.model import Tier


class AlertClass(StrEnum):
    """The closed list of what people are told. Append only; a class with dates has a policy (`TIMED`)."""

    EVIDENCE_EXPIRING = "evidence_expiring"
    COVERAGE_GAP = "coverage_gap"
    REVIEW_DUE = "review_due"
    FINDING_OVERDUE = "finding_overdue"
    RECEIVER_TEST = "receiver_test"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    DOMAIN_EXPIRING = "domain_expiring"
    SIGNAL_FINDING = "signal_finding"
    SCORE_FELL = "score_fell"
    DOMAIN_CHANGED = "domain_changed"
    SUBPROCESSORS_CHANGED = "subprocessors_changed"
    BREACH_LISTED = "breach_listed"
    KNOWN_EXPLOITED = "known_exploited"
    VENDOR_OUTAGE = "vendor_outage"
    SIGNAL_DIGEST = "signal_digest"


class TimedClass(StrEnum):
    """The classes that stand on a date; each has a policy in every tenant (see the migration)."""

    EVIDENCE_EXPIRING = "evidence_expiring"
    REVIEW_DUE = "review_due"
    FINDING_OVERDUE = "finding_overdue"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    DOMAIN_EXPIRING = "domain_expiring"


class ReceiverKind(StrEnum):
    SLACK_WEBHOOK = "slack_webhook"
    SLACK_BOT = "slack_bot"
    EMAIL = "email"
    WEBHOOK = "webhook"
    CONSOLE = "console"
    OWNERS = "owners"


# Deadlines and alerts


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A date another feature wants told of. One per class and subject; a changed `due_on` begins its steps anew."""

    alert_class: TimedClass
    subject_kind: str
    subject_id: UUID
    vendor_id: UUID
    title: str
    due_on: date


class Alert(msgspec.Struct, frozen=True):
    """`step` is the days left at the step that was crossed, `days_left` what was really left when it was noticed.

    `has_recipients` is null until receivers were looked for; false says that none let it pass, and nobody was told.
    """

    id: UUID
    alert_class: AlertClass
    deadline_id: UUID | None
    dedupe_key: str | None
    vendor_id: UUID | None
    subject_kind: str
    subject_id: UUID
    title: str
    tier: Tier | None
    due_on: date | None
    step: int | None
    days_left: int | None
    facts: dict[str, Any]
    raised_at: datetime
    dispatched_at: datetime | None
    has_recipients: bool | None


class Recipient(msgspec.Struct, frozen=True):
    """Who would be told; `destination` is what may be shown of the address."""

    receiver_id: UUID
    name: str
    kind: ReceiverKind
    destination: str


class UpcomingAlert(msgspec.Struct, frozen=True):
    """What would be told on `step_on`, and to whom, if nothing changes until then."""

    id: str
    step_on: date
    alert_class: TimedClass
    title: str
    vendor_id: UUID
    vendor_name: str
    tier: Tier | None
    subject_kind: str
    subject_id: UUID
    due_on: date
    step: int
    days_left: int
    recipients: list[Recipient]


class Looked(msgspec.Struct, frozen=True):
    """What one slice of the sweep did."""

    looked_at: int
    raised: int


class Dispatched(msgspec.Struct, frozen=True):
    """What one slice of the fan-out did; `untold` are the alerts that no receiver lets pass."""

    dispatched: int
    made: int
    untold: int


# Policies

LeadDays = Annotated[
    list[Annotated[int, Meta(ge=0, le=730)]],
    Meta(min_length=1, max_length=20, examples=[[180, 90, 60, 30, 14, 7, 1, 0]]),
]


class AlertPolicy(msgspec.Struct, frozen=True):
    """Lead days by tier; `critical` also holds for vendors without a tier."""

    alert_class: TimedClass
    critical: list[int]
    high: list[int]
    medium: list[int]
    low: list[int]
    overdue_every_days: int | None
    updated_at: datetime
    version: int


class NewAlertPolicy(Body):
    """The whole policy of a class. Null `overdue_every_days` tells what is overdue no more."""

    critical: LeadDays
    high: LeadDays
    medium: LeadDays
    low: LeadDays
    overdue_every_days: Annotated[int, Meta(ge=1, le=365)] | None


# Receivers

Url = Annotated[
    str, Meta(min_length=12, max_length=2000, pattern=r"^https://", examples=["https://hooks.example.com/x"])
]
Token = Annotated[str, Meta(min_length=8, max_length=300, pattern=r"^xox[a-z]-[A-Za-z0-9-]+\Z")]
Conversation = Annotated[str, Meta(min_length=2, max_length=80, pattern=r"^(?:[CGD][A-Z0-9]{2,20}|#[^\s@<>&]{1,79})\Z")]
Secret = Annotated[
    str,
    Meta(max_length=100, pattern=r"^whsec_[A-Za-z0-9+/]{32,88}={0,2}\Z", description="24 to 64 bytes in base64"),
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


class ToSlackWebhook(Body, tag_field="kind", tag="slack_webhook"):
    url: Url


class ToSlackBot(Body, tag_field="kind", tag="slack_bot"):
    token: Token
    conversation: Conversation


class ToEmail(Body, tag_field="kind", tag="email"):
    address: Annotated[str, Meta(min_length=3, max_length=254, examples=["risk@example.com"])]


class ToWebhook(Body, tag_field="kind", tag="webhook"):
    """`secret` signs; where none is sent one is made, and shown once."""

    url: Url
    secret: Secret | None = None


class ToConsole(Body, tag_field="kind", tag="console"):
    pass


class ToOwners(Body, tag_field="kind", tag="owners"):
    """The vendor's business and security owner, by e-mail."""


Target = ToSlackWebhook | ToSlackBot | ToEmail | ToWebhook | ToConsole | ToOwners


class NewReceiver(Body):
    """Null filters let everything pass; what is listed in one is enough, all that are given must pass."""

    name: ReceiverName
    target: Target
    classes: Classes | None = None
    tiers: Tiers | None = None
    owner_ids: OwnerIds | None = None


class ReceiverChanges(Body):
    name: ReceiverName | UnsetType = UNSET
    target: Target | UnsetType = UNSET
    classes: Classes | UnsetType | None = UNSET
    tiers: Tiers | UnsetType | None = UNSET
    owner_ids: OwnerIds | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET


class Receiver(msgspec.Struct, frozen=True):
    """A receiver without its secrets; `destination` is what may be shown of the address."""

    id: UUID
    name: str
    kind: ReceiverKind
    destination: str
    classes: list[AlertClass] | None
    tiers: list[Tier] | None
    owner_ids: list[UUID] | None
    is_active: bool
    created_at: datetime
    updated_at: datetime
    version: int


class ShownReceiver(msgspec.Struct, frozen=True):
    """A receiver just made. A webhook's signing secret is shown this once."""

    id: UUID
    receiver: Receiver
    secret: str | None
    version: int


# What a webhook's receiver is sent; fields are only ever added


class ToldVendor(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class ToldSubject(msgspec.Struct, frozen=True):
    """What the alert is about, such as a document; `kind` is the noun of its feature."""

    kind: str
    id: UUID


class ToldOwners(msgspec.Struct, frozen=True):
    business: str | None
    security: str | None


class ToldAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it is told. `due_on`, `step` and `days_left` are null for what is no date."""

    alert_id: UUID
    alert_class: AlertClass = msgspec.field(name="class")
    vendor: ToldVendor | None
    tier: Tier | None
    subject: ToldSubject
    title: str
    due_on: date | None
    step: int | None
    days_left: int | None
    facts: dict[str, Any]
    owners: ToldOwners


class AlertEvent(msgspec.Struct, frozen=True):
    """The body of a webhook. `timestamp` is when the alert was raised, and the same at every try."""

    type: str
    timestamp: datetime
    data: ToldAlert


# Deliveries


class Delivery(msgspec.Struct, frozen=True):
    """One alert to one recipient. `possibly_doubled` counts tries after one whose end is unknown."""

    id: UUID
    alert_id: UUID
    receiver_id: UUID
    recipient: str
    state: DeliveryState
    attempts: int
    attempts_allowed: int
    next_attempt_at: datetime | None
    possibly_doubled: int
    failure: str | None
    detail: str | None
    sent_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class AlertToSend(msgspec.Struct, frozen=True):
    """An alert for one recipient, with all that its message says."""

    delivery_id: UUID
    recipient: str
    receiver_id: UUID
    tenant_id: UUID
    kind: ReceiverKind
    receiver_name: str
    address_sealed: bytes | None
    alert_id: UUID
    alert_class: AlertClass
    subject_kind: str
    subject_id: UUID
    title: str
    tier: Tier | None
    due_on: date | None
    step: int | None
    days_left: int | None
    facts: dict[str, Any]
    raised_at: datetime
    vendor_id: UUID | None
    vendor_name: str | None
    business_owner: str | None
    security_owner: str | None
