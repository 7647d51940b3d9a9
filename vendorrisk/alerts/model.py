"""Deadlines, alerts, receivers and deliveries: stored records, request bodies and responses."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from vendorrisk.access.records import Body
from vendorrisk.outbox.model import DeliveryState
from vendorrisk.vendors.model import Tier


class AlertClass(StrEnum):
    """The closed list of things people are notified of. Append only. A class with dates has a policy (`TIMED`)."""

    EVIDENCE_EXPIRING = "evidence_expiring"
    COVERAGE_GAP = "coverage_gap"
    REVIEW_DUE = "review_due"
    FINDING_DUE = "finding_due"
    RECEIVER_TEST = "receiver_test"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    DOMAIN_EXPIRING = "domain_expiring"
    SIGNAL_FINDING = "signal_finding"
    SIGNAL_SCORE_FELL = "signal_score_fell"
    DOMAIN_CHANGED = "domain_changed"
    SUBPROCESSORS_CHANGED = "subprocessors_changed"
    BREACH_LISTED = "breach_listed"
    KNOWN_EXPLOITED = "known_exploited"
    VENDOR_OUTAGE = "vendor_outage"
    SIGNAL_DIGEST = "signal_digest"


class TimedClass(StrEnum):
    """The classes with a date. Each has a policy in every tenant (see the migration)."""

    EVIDENCE_EXPIRING = "evidence_expiring"
    REVIEW_DUE = "review_due"
    FINDING_DUE = "finding_due"
    CERTIFICATE_EXPIRING = "certificate_expiring"
    DOMAIN_EXPIRING = "domain_expiring"


class ReceiverKind(StrEnum):
    """How a receiver is reached."""

    SLACK_WEBHOOK = "slack_webhook"
    SLACK_BOT = "slack_bot"
    EMAIL = "email"
    WEBHOOK = "webhook"
    CONSOLE = "console"
    OWNERS = "owners"


# Deadlines and alerts


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """A date of another feature. One per class and subject. A changed `due_on` restarts its thresholds."""

    alert_class: TimedClass
    subject_kind: str
    subject_id: UUID
    vendor_id: UUID
    title: str
    due_on: date


class Alert(msgspec.Struct, frozen=True):
    """`threshold_days` is the threshold that was crossed, `days_left` the days really left when it was noticed.

    `has_recipients` is null before dispatch. False means that the alert passed no receiver's filters.
    """

    id: UUID
    alert_class: AlertClass
    deadline_id: UUID | None
    dedupe_key: str | None
    """Two alerts of one class with the same key are one. Null if a deadline raised the alert."""
    vendor_id: UUID | None
    """The vendor. Null for an alert about none."""
    vendor_name: str | None
    subject_kind: str
    subject_id: UUID
    title: str
    tier: Tier | None
    """The vendor's tier when the alert was raised. Null if it had none."""
    due_on: date | None
    """The date that the alert is about. Null if there is none."""
    threshold_days: int | None
    """Days left at the threshold that was crossed, negative once past. Null if there is no date."""
    days_left: int | None
    facts: dict[str, Any]
    raised_at: datetime
    """When the alert was raised."""
    dispatched_at: datetime | None
    """When deliveries were made. Null before."""
    has_recipients: bool | None


class Recipient(msgspec.Struct, frozen=True):
    """A recipient who would be notified. `destination` is the part of the address that may be shown."""

    receiver_id: UUID
    name: str
    kind: ReceiverKind
    destination: str


class UpcomingAlert(msgspec.Struct, frozen=True):
    """An alert that would be raised on `alert_on`, with its recipients, if nothing changes until then."""

    id: str
    alert_on: date
    """Day on which the alert will be raised."""
    alert_class: TimedClass
    title: str
    vendor_id: UUID
    vendor_name: str
    tier: Tier | None
    subject_kind: str
    subject_id: UUID
    due_on: date
    threshold_days: int
    """Days left at that threshold."""
    days_left: int
    recipients: list[Recipient]
    """Who will be notified, as receivers are set now."""


class SweepResult(msgspec.Struct, frozen=True):
    """The result of one slice of the sweep."""

    checked: int
    raised: int


class Dispatched(msgspec.Struct, frozen=True):
    """One slice of the fan-out. `without_recipients` counts the alerts that pass no receiver's filters."""

    dispatched: int
    made: int
    without_recipients: int


# Policies

ThresholdDays = Annotated[
    list[Annotated[int, Meta(ge=0, le=730)]],
    Meta(min_length=1, max_length=20, examples=[[180, 90, 60, 30, 14, 7, 1, 0]]),
]


class AlertPolicy(msgspec.Struct, frozen=True):
    """Thresholds by tier. `critical` also holds for vendors without a tier."""

    alert_class: TimedClass
    critical: list[int]
    """Days before the date at which vendors of the tier, or of no tier, raise an alert."""
    high: list[int]
    """Days before the date at which vendors of the tier raise an alert."""
    medium: list[int]
    """Days before the date at which vendors of the tier raise an alert."""
    low: list[int]
    """Days before the date at which vendors of the tier raise an alert."""
    overdue_every_days: int | None
    updated_at: datetime
    version: int


class NewAlertPolicy(Body):
    """The whole policy of a class. Null `overdue_every_days` sends no reminders of overdue dates."""

    critical: ThresholdDays
    """Days before the date at which vendors of the tier, or of no tier, raise an alert."""
    high: ThresholdDays
    """Days before the date at which vendors of the tier raise an alert."""
    medium: ThresholdDays
    """Days before the date at which vendors of the tier raise an alert."""
    low: ThresholdDays
    """Days before the date at which vendors of the tier raise an alert."""
    overdue_every_days: Annotated[int, Meta(ge=1, le=365)] | None


# Receivers


# The body sent to a webhook's receiver. Fields are only ever added


class AlertVendor(msgspec.Struct, frozen=True):
    """The vendor of an alert."""

    id: UUID
    name: str


class AlertSubject(msgspec.Struct, frozen=True):
    """The record that the alert is about, such as a document. `kind` is the noun of its feature."""

    kind: str
    """Kind of the record, such as `document`."""
    id: UUID


class AlertOwners(msgspec.Struct, frozen=True):
    """Who is responsible for the vendor."""

    business: str | None
    """E-mail address of the business owner. Null if there is none."""
    security: str | None
    """E-mail address of the security owner. Null if there is none."""


class AlertData(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it is sent. `due_on`, `threshold_days` and `days_left` are null for an alert without a date."""

    alert_id: UUID
    alert_class: AlertClass
    vendor: AlertVendor | None
    """Null for an alert about no vendor."""
    tier: Tier | None
    subject: AlertSubject
    title: str
    due_on: date | None
    """The date that the alert is about. Null if there is none."""
    threshold_days: int | None
    """Days left at the threshold that was crossed, negative once past. Null if there is no date."""
    days_left: int | None
    facts: dict[str, Any]
    owners: AlertOwners
    """Who is responsible for the vendor."""


class AlertEvent(msgspec.Struct, frozen=True):
    """The body of a webhook. `timestamp` is when the alert was raised, and the same at every try."""

    type: str
    """`alert.` and the alert class."""
    timestamp: datetime
    """When the alert was raised. The same at every attempt."""
    data: AlertData


# Deliveries


class Delivery(msgspec.Struct, frozen=True):
    """One alert to one recipient. `possible_duplicates` counts attempts that followed one with an unknown end."""

    id: UUID
    alert_id: UUID
    receiver_id: UUID
    recipient: str
    state: DeliveryState
    attempts: int
    """How many attempts were made."""
    attempts_allowed: int
    """How many attempts are made at most."""
    next_attempt_at: datetime | None
    """When the next attempt is due. Null if none is."""
    possible_duplicates: int
    """How many attempts followed one with an unknown end."""
    failure: str | None
    detail: str | None
    sent_at: datetime | None
    """When the receiver took it. Null before."""
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
    threshold_days: int | None
    days_left: int | None
    facts: dict[str, Any]
    raised_at: datetime
    vendor_id: UUID | None
    vendor_name: str | None
    business_owner: str | None
    security_owner: str | None
