"""Responses that span features."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from vendorrisk.alerts.model import TimedClass
from vendorrisk.evidence.coverage import CoverageState
from vendorrisk.evidence.coverage_model import VendorCoverage
from vendorrisk.evidence.document_model import Assurance, DocumentClassification, DocumentKind, TextExtraction
from vendorrisk.findings.model import Finding, FindingSeverity
from vendorrisk.signals.score_model import SignalScore
from vendorrisk.vendors.model import Lifecycle, Tier, Vendor


class NotRatedReason(StrEnum):
    """Why a vendor has no score that counts."""

    NOTHING_ATTACHED = "nothing_attached"
    NOT_SCORED_YET = "not_scored_yet"
    TOO_LITTLE_KNOWN = "too_little_known"


class VendorPosture(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor as a row of the overview. Several services count as their weakest. `coverage_state` is null for none.

    `change_in_30_days` is null if there was no score by the same methodology. `next_due_on` may be overdue.
    """

    id: UUID
    reference: str | None
    name: str
    domain: str | None
    lifecycle: Lifecycle
    tier: Tier | None
    inherent_score: int | None
    coverage_state: CoverageState | None
    coverage_until_on: date | None
    """Last day that the SOC 2 evidence proves. Null if it proves none."""
    coverage_is_qualified: bool | None
    """True if the opinion on which coverage rests is qualified. Null without coverage."""
    covered_services: int
    """How many services have a coverage of their own."""
    score_id: UUID | None
    """The past signal score with every deduction. Null if there is none."""
    grade: str | None
    score: int | None
    number: int | None
    low: int | None
    """The number if everything unknown failed. Null without a score."""
    high: int | None
    """The number if everything unknown passed. Null without a score."""
    change_in_30_days: int | None
    """Points gained or lost in 30 days. Null if there is nothing to compare with."""
    scored_at: datetime | None
    not_rated_reason: NotRatedReason | None
    open_findings: int
    """Findings that are open or acknowledged."""
    open_critical: int
    """Open findings of critical severity."""
    open_high: int
    """Open findings of high severity."""
    open_medium: int
    """Open findings of medium severity."""
    open_low: int
    """Open findings of low severity."""
    overdue_findings: int
    """Open findings whose due date has passed."""
    next_due_on: date | None
    """The next date at which somebody must act. Null if there is none."""
    next_due_class: TimedClass | None
    next_due_title: str | None
    """The title of the next date. Null if there is none."""
    business_owner_id: UUID | None
    business_owner_name: str | None
    """The business owner's name. Null while nobody is."""
    security_owner_id: UUID | None
    security_owner_name: str | None
    """The security owner's name. Null while nobody is."""
    last_reviewed_on: date | None
    next_review_on: date | None
    created_at: datetime
    updated_at: datetime
    version: int


class VendorViewCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many vendors each view holds."""

    all_vendors: int
    in_use: int
    critical: int
    without_tier: int
    without_owner: int
    review_overdue: int
    coverage_lost: int
    with_findings: int
    findings_overdue: int
    graded_low: int
    not_rated: int


class VendorView(msgspec.Struct, frozen=True):
    """A view of `/v1/overview/vendors`: the filters that make it, and how many vendors it holds."""

    view: str
    """Name of the view, as a stable word."""
    filters: list[str]
    """Values of `filter` that make the view."""
    vendors: int
    """How many vendors the view holds."""


class VendorViews(msgspec.Struct, frozen=True):
    """All views, each with its filters and count."""

    items: list[VendorView]


class ComingDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date of the vendor at which somebody must act."""

    alert_class: TimedClass
    subject_kind: str
    subject_id: UUID
    title: str
    due_on: date


class DocumentInBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A document that counts. `to_confirm` of its proposals wait for a person."""

    id: UUID
    service_id: UUID | None
    kind: DocumentKind
    title: str
    classification: DocumentClassification
    expires_on: date | None
    """The last day on which the document proves anything. Null if it never expires."""
    assurance: Assurance
    extraction: TextExtraction
    file_name: str | None
    to_confirm: int
    """How many proposals wait for a person."""
    created_at: datetime
    updated_at: datetime
    version: int


class FourthPartyState(StrEnum):
    """Whether a fourth party is recorded, or only shown by the vendor's own list and not decided on."""

    RECORDED = "recorded"
    PROPOSED = "proposed"


class FourthPartyInBrief(msgspec.Struct, frozen=True, kw_only=True):
    """A company that the vendor depends on. A proposed one has the id of its sub-processor change."""

    state: FourthPartyState
    id: UUID
    name: str
    purpose: str | None
    provider_id: UUID | None
    change: str | None
    """The change of the vendor's own list. Null for a recorded fourth party."""
    seen_at: datetime
    """When the company was recorded, or first seen on the list."""


class VendorOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor on one page: its record, its posture, and the first of each list. `version` is the vendor's."""

    id: UUID
    vendor: Vendor
    posture: VendorPosture
    coverage: VendorCoverage
    findings: list[Finding]
    """The five most severe active findings."""
    score: SignalScore | None
    coming_dates: list[ComingDate]
    """The next seven dates."""
    documents: list[DocumentInBrief]
    """Documents that count, newest first."""
    fourth_parties: list[FourthPartyInBrief]
    """Recorded and proposed companies."""
    version: int


class DecisionKind(StrEnum):
    """The kinds of work that wait for a person."""

    FINDING_DUE = "finding_due"
    ACCEPTANCE_ENDING = "acceptance_ending"
    REVIEW_DUE = "review_due"
    PROPOSALS_TO_CONFIRM = "proposals_to_confirm"
    SUBPROCESSOR_CHANGE = "subprocessor_change"
    INTAKE_REQUEST = "intake_request"


class WaitingDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that waits. `owner_id` is the responsible member. Null means any member with the permission."""

    kind: DecisionKind
    subject_id: UUID
    vendor_id: UUID | None
    vendor_name: str | None
    tier: Tier | None
    title: str
    due_on: date
    owner_id: UUID | None


class WaitingDecisionsOfKind(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions of one kind that wait."""

    kind: DecisionKind
    waiting: int
    """How many decisions wait."""
    at_critical_vendors: int
    """How many of them are about critical vendors."""
    items: list[WaitingDecision]


class WaitingDecisionCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many decisions of one kind wait."""

    kind: DecisionKind
    waiting: int
    """How many decisions wait."""
    at_critical_vendors: int
    """How many of them are about critical vendors."""


class RecentChangeKind(StrEnum):
    """The kinds of changes, from worse to better."""

    COVERAGE_LAPSED = "coverage_lapsed"
    SIGNAL_SCORE_FELL = "signal_score_fell"
    FINDING_OPENED = "finding_opened"
    SCORE_UNKNOWN = "score_unknown"
    SCORE_ROSE = "score_rose"


class RecentChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change at a vendor. `before` and `after` are grade and number, a finding's title, or why coverage lapsed."""

    kind: RecentChangeKind
    vendor_id: UUID
    vendor_name: str
    tier: Tier | None
    subject_id: UUID
    before: str | None
    """The former value. Null if there was none."""
    after: str
    """The present value."""
    at: datetime
    """When it changed."""
    of_kind: int
    """How many changes of this kind there were."""


class DueInWeek(msgspec.Struct, frozen=True, kw_only=True):
    """Dates of a class in a week. Week 0 begins today, 12 is the last, -1 is overdue."""

    alert_class: TimedClass
    week: int
    """Weeks from today: 0 begins today, 12 is the last, -1 is overdue."""
    dates: int
    """How many dates fall due."""
    at_critical_vendors: int
    """How many of them are of critical vendors."""


class CoverageOfTier(msgspec.Struct, frozen=True, kw_only=True):
    """How many vendors of a tier are in a state of coverage."""

    tier: Tier | None
    state: CoverageState | None
    vendors: int
    """How many vendors."""
    qualified: int
    """How many of them rest on a qualified opinion."""


class OpenFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Open findings of a severity."""

    severity: FindingSeverity
    open: int
    """How many are open or acknowledged."""
    overdue: int
    """How many of them are past their due date."""


class ScoresInSum(msgspec.Struct, frozen=True, kw_only=True):
    """The signal scores of all vendors that were scored. `grades` has NR for those of which too little is known."""

    median: int | None
    """The middle number, 0 to 100. Null without scores."""
    lower_quartile: int | None
    """A quarter of the numbers is at or below it. Null without scores."""
    upper_quartile: int | None
    """A quarter of the numbers is at or above it. Null without scores."""
    rated: int
    """Vendors with a grade."""
    not_rated: int
    """Vendors of which too little is known for a grade."""
    grades: dict[str, int]
    """Vendors by grade, A to F and NR."""


class MessageHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether anything is silent. Alerts and messages are those of the last seven days.

    `dates_not_swept` are dates with a due alert that was not raised yet. `scans_late` are scans that should have been
    made more than a day ago.
    """

    has_vendors: bool
    """False while no vendor is registered."""
    has_documents: bool
    """False while no document is recorded."""
    receivers: int
    """Active receivers."""
    receivers_not_reached_in_30_days: int
    """Active receivers to which nothing was sent in 30 days."""
    alerts: int
    """Alerts raised."""
    alerts_without_recipients: int
    """Alerts that no receiver lets pass."""
    alerts_waiting: int
    """Alerts without deliveries as yet."""
    messages_sent: int
    """Messages that were sent."""
    messages_dead: int
    """Messages that were given up."""
    oldest_waiting_message_at: datetime | None
    """Since when the oldest message waits. Null if none waits."""
    dates_not_swept: int
    """Dates whose alert is due and not raised yet."""
    scans_scheduled: int
    """Scans with a next time."""
    scans_late: int
    """Scans that are more than a day late."""


class TodayHeadline(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of the first sentence. A week is the seven days from today."""

    decisions_waiting: int
    """Decisions that wait for the caller or everyone, as asked."""
    dates_this_week: int
    """Dates within seven days."""
    dates_this_week_at_critical_vendors: int
    """How many of them are of critical vendors."""
    vendors_worse: int
    """Vendors that got worse since the previous working day."""


class TodayOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A day's dashboard. `since` is the end of the previous working day in the tenant's time zone."""

    day: date
    """The tenant's day."""
    since: datetime
    """End of the previous working day."""
    headline: TodayHeadline
    waiting: list[WaitingDecision]
    """At most ten decisions, by due date and tier."""
    waiting_by_kind: list[WaitingDecisionCount]
    """Counts of all waiting decisions."""
    changes: list[RecentChange]
    """Changes since, worse first."""
    due: list[DueInWeek]
    """Dates of the next 13 weeks by class."""
    coverage: list[CoverageOfTier]
    """SOC 2 coverage of vendors in use, by tier."""
    findings: list[OpenFindings]
    """Open findings by severity."""
    scores: ScoresInSum
    messages: MessageHealth
    is_silent: bool
    """True if something that should be heard is not."""


class DecisionScope(StrEnum):
    """Decisions to show: those of the caller's member, or everyone's."""

    MINE = "mine"
    EVERYONE = "everyone"
