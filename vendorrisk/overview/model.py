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


class VendorStanding(msgspec.Struct, frozen=True, kw_only=True):
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
    coverage_is_qualified: bool | None
    covered_services: int
    score_id: UUID | None
    grade: str | None
    score: int | None
    number: int | None
    low: int | None
    high: int | None
    change_in_30_days: int | None
    scored_at: datetime | None
    not_rated_reason: NotRatedReason | None
    open_findings: int
    open_critical: int
    open_high: int
    open_medium: int
    open_low: int
    overdue_findings: int
    next_due_on: date | None
    next_due_class: TimedClass | None
    next_due_title: str | None
    business_owner_id: UUID | None
    business_owner_name: str | None
    security_owner_id: UUID | None
    security_owner_name: str | None
    last_reviewed_on: date | None
    next_review_on: date | None
    created_at: datetime
    updated_at: datetime
    version: int


class VendorViewCounts(msgspec.Struct, frozen=True, kw_only=True):
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
    filters: list[str]
    vendors: int


class VendorViews(msgspec.Struct, frozen=True):
    items: list[VendorView]


class ComingDate(msgspec.Struct, frozen=True, kw_only=True):
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
    assurance: Assurance
    reading: TextExtraction
    file_name: str | None
    to_confirm: int
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
    seen_at: datetime


class VendorOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor on one page: its record, its standing, and the first of each list. `version` is the vendor's."""

    id: UUID
    vendor: Vendor
    standing: VendorStanding
    coverage: VendorCoverage
    findings: list[Finding]
    score: SignalScore | None
    coming_dates: list[ComingDate]
    documents: list[DocumentInBrief]
    fourth_parties: list[FourthPartyInBrief]
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
    kind: DecisionKind
    waiting: int
    at_critical_vendors: int
    items: list[WaitingDecision]


class WaitingDecisionCount(msgspec.Struct, frozen=True, kw_only=True):
    kind: DecisionKind
    waiting: int
    at_critical_vendors: int


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
    after: str
    at: datetime
    of_kind: int


class DueInWeek(msgspec.Struct, frozen=True, kw_only=True):
    """Dates of a class in a week. Week 0 begins today, 12 is the last, -1 is overdue."""

    alert_class: TimedClass
    week: int
    dates: int
    at_critical_vendors: int


class CoverageOfTier(msgspec.Struct, frozen=True, kw_only=True):
    tier: Tier | None
    state: CoverageState | None
    vendors: int
    qualified: int


class OpenFindings(msgspec.Struct, frozen=True, kw_only=True):
    severity: FindingSeverity
    open: int
    overdue: int


class ScoresInSum(msgspec.Struct, frozen=True, kw_only=True):
    """The signal scores of all vendors that were scored. `grades` has NR for those of which too little is known."""

    median: int | None
    lower_quartile: int | None
    upper_quartile: int | None
    rated: int
    not_rated: int
    grades: dict[str, int]


class MessageHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether anything is silent. Alerts and messages are those of the last seven days.

    `dates_not_swept` are dates with a due alert that was not raised yet. `scans_late` are scans that should have been
    made more than a day ago.
    """

    has_vendors: bool
    has_documents: bool
    receivers: int
    receivers_not_reached_in_30_days: int
    alerts: int
    alerts_without_recipients: int
    alerts_waiting: int
    messages_sent: int
    messages_dead: int
    oldest_waiting_message_at: datetime | None
    dates_not_swept: int
    scans_scheduled: int
    scans_late: int


class TodayHeadline(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of the first sentence. A week is the seven days from today."""

    decisions_waiting: int
    dates_this_week: int
    dates_this_week_at_critical_vendors: int
    vendors_worse: int


class TodayOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A day's dashboard. `since` is the end of the previous working day in the tenant's time zone."""

    day: date
    since: datetime
    headline: TodayHeadline
    waiting: list[WaitingDecision]
    waiting_by_kind: list[WaitingDecisionCount]
    changes: list[RecentChange]
    due: list[DueInWeek]
    coverage: list[CoverageOfTier]
    findings: list[OpenFindings]
    scores: ScoresInSum
    messages: MessageHealth
    is_silent: bool


class DecisionsOf(StrEnum):
    """Decisions to show: those of the caller's member, or everyone's."""

    MINE = "mine"
    EVERYONE = "everyone"
