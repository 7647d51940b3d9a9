"""The statements of vendors and all that hangs on them, but for imports."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.ids import new_id
from vendorrisk.normal_form import clean_line
from vendorrisk.vendors.holders import holders_of
from vendorrisk.vendors.identifiers import name_key
from vendorrisk.vendors.inherent_risk_model import InherentRisk, InherentRiskAssessment
from vendorrisk.vendors.lifecycle_model import (
    IntakeRequest,
    IntakeState,
    NewIntakeRequest,
    NewVendorReview,
    OffboardingStep,
    OffboardingStepKind,
    OffboardingStepResolution,
    OffboardingStepState,
    ReviewOutcome,
    ReviewPolicy,
    ReviewPolicyDetail,
    VendorReview,
)
from vendorrisk.vendors.model import (
    ExportedVendor,
    Lifecycle,
    Tier,
    TierSource,
    Vendor,
    VendorIntake,
    VendorMatch,
    VendorSummary,
)
from vendorrisk.vendors.rules import Cadence

_sql = QueryFile("vendors")
_INSERT = _sql.rows("insert_vendor", Vendor)
_FIND = _sql.rows("find_vendor", Vendor)
_LOCK = _sql.rows("lock_vendor", Vendor)
_LOCK_OF_REFERENCE = _sql.rows("lock_vendor_of_reference", Vendor)
LIST = _sql.rows("list_vendors", VendorSummary, as_is=True)
_SEARCH = _sql.rows("search_vendors", VendorMatch)
_UPDATE = _sql.rows("update_vendor", Vendor)
_TRANSITION = _sql.rows("transition_vendor", Vendor)
_RATE = _sql.rows("rate_vendor", Vendor)
_NOTE_REVIEW = _sql.rows("note_review", Vendor)
EXPORT = _sql.rows("export_vendors", ExportedVendor)
_FIND_REVIEW_POLICY = _sql.rows("find_review_policy", ReviewPolicyDetail)
_LOCK_REVIEW_POLICY = _sql.rows("lock_review_policy", ReviewPolicyDetail)
_SAVE_REVIEW_POLICY = _sql.rows("save_review_policy", ReviewPolicyDetail)
_RESCHEDULE_REVIEWS = _sql.command("reschedule_reviews")
_INSERT_ASSESSMENT = _sql.rows("insert_assessment", InherentRiskAssessment)
_NEWEST_ASSESSMENT = _sql.rows("newest_assessment", InherentRiskAssessment)
LIST_ASSESSMENTS = _sql.rows("list_assessments", InherentRiskAssessment)
_INSERT_REVIEW = _sql.rows("insert_review", VendorReview)
LIST_REVIEWS = _sql.rows("list_reviews", VendorReview)
_OPEN_STEPS = _sql.command("open_steps")
_STEPS_OF = _sql.rows("steps_of", OffboardingStep)
_LOCK_STEP = _sql.rows("lock_step", OffboardingStep)
_RESOLVE_STEP = _sql.rows("resolve_step", OffboardingStep)
_INSERT_REQUEST = _sql.rows("insert_intake_request", IntakeRequest)
_FIND_REQUEST = _sql.rows("find_intake_request", IntakeRequest)
_LOCK_REQUEST = _sql.rows("lock_intake_request", IntakeRequest)
LIST_REQUESTS = _sql.rows("list_intake_requests", IntakeRequest)
_DECIDE_REQUEST = _sql.rows("decide_intake_request", IntakeRequest)

_HAS = frozenset({Operator.HAS})
_ID = Column("id", UUID, "uuid", EQUALITY, sortable=False)
_CREATED = Column("created_at", datetime, "timestamptz", RANGE, sortable=True)
_UPDATED = Column("updated_at", datetime, "timestamptz", RANGE, sortable=True)
_OWNER = Column("business_owner_id", UUID, "uuid", nullable=True)
_VENDOR = Column("vendor_id", UUID, "uuid")


ASSESSMENTS = ListOf(
    "inherent_risk",
    {
        "id": _ID,
        "tier": Column("tier", Tier),
        "assessed_at": Column("assessed_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-assessed_at",
)
REVIEWS = ListOf(
    "vendor_reviews",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "outcome": Column("outcome", ReviewOutcome),
        "reviewed_by_id": Column("reviewed_by_id", UUID, "uuid"),
        "reviewed_on": Column("reviewed_on", date, "date", RANGE, sortable=True),
        "next_review_on": Column("next_review_on", date, "date", RANGE, nullable=True),
        "created_at": Column("created_at", datetime, "timestamptz", RANGE),
    },
    default_sort="-reviewed_on",
)
REQUESTS = ListOf(
    "intake_requests",
    {
        "id": _ID,
        "vendor_id": Column("vendor_id", UUID, "uuid", nullable=True),
        "state": Column("state", IntakeState),
        "requested_by_id": Column("requested_by_id", UUID, "uuid"),
        "business_owner_id": _OWNER,
        "name": Column("name", sortable=True, normalise=clean_line),
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    default_sort="-created_at",
)

_NO_OWNER = "There is no such member. Send the id of one from /v1/members."
_BROKEN = {
    "vendors_name_is_unique": (
        Code.VENDOR_NAME_TAKEN,
        "Another vendor has this name. Use that one, or choose a name that differs.",
        "/name",
    ),
    "vendors_reference_is_unique": (Code.VENDOR_REFERENCE_TAKEN, "Another vendor has this reference.", "/reference"),
    "vendors_lei_is_unique": (
        Code.VENDOR_LEI_TAKEN,
        "Another vendor has this LEI: it may be the same company.",
        "/lei",
    ),
    "vendor_domains_domain_is_unique": (
        Code.VENDOR_DOMAIN_TAKEN,
        "Another vendor has one of these domains. Remove it from that vendor first.",
        "/domains",
    ),
    "vendors_business_owner_is_known": (Code.REFERENCE_UNKNOWN, _NO_OWNER, "/business_owner_id"),
    "vendors_security_owner_is_known": (Code.REFERENCE_UNKNOWN, _NO_OWNER, "/security_owner_id"),
}
_REQUEST_BROKEN = {
    "intake_requests_vendor_is_known": (Code.REFERENCE_UNKNOWN, "There is no such vendor.", "/vendor_id"),
    "intake_requests_owner_is_known": (Code.REFERENCE_UNKNOWN, _NO_OWNER, "/business_owner_id"),
}

Fields = Mapping[str, Any]
"""Field → value in its stored form, as `normalised` gives it."""


async def insert(work: Work, fields: Fields, *, intake: VendorIntake, tier_source: TierSource | None) -> Vendor:
    names = (
        "business_owner_id", "security_owner_id", "contacts", "domains", "country", "data_countries", "data_classes",
        "legal_name", "lei", "vat", "duns", "annual_spend", "currency", "tags", "tier",
    )  # fmt: skip
    vendor_id = new_id()
    holders = holders_of(vendor_id, *(fields[name] for name in ("name", "reference", "lei", "domains")))
    with refusing(_BROKEN, holders, seen_by="vendors:read"):
        return await _INSERT.one(
            work.db,
            work.tenant_id,
            vendor_id,
            fields["reference"],
            fields["name"],
            name_key(fields["name"]),
            fields["aliases"],
            fields["description"],
            fields["lifecycle"],
            intake,
            fields["intake_note"],
            *(fields[name] for name in names),
            tier_source,
            fields["last_reviewed_on"],
            fields["next_review_on"],
            work.now,
            fields["metadata"],
        )


async def find(work: Work, vendor_id: UUID) -> Vendor | None:
    return await _FIND.one_or_none(work.db, work.tenant_id, vendor_id)


async def lock(work: Work, vendor_id: UUID) -> Vendor | None:
    return await _LOCK.one_or_none(work.db, work.tenant_id, vendor_id)


async def lock_of_reference(work: Work, reference: str) -> Vendor | None:
    return await _LOCK_OF_REFERENCE.one_or_none(work.db, work.tenant_id, reference)


async def search(work: Work, text: str, limit: int, least: float) -> list[VendorMatch]:
    return await _SEARCH.many(work.db, work.tenant_id, text.lower(), limit, least)


async def update(work: Work, vendor: Vendor) -> Vendor:
    holders = holders_of(vendor.id, vendor.name, vendor.reference, vendor.lei, vendor.domains)
    with refusing(_BROKEN, holders, seen_by="vendors:read"):
        return await _UPDATE.one(
            work.db,
            work.tenant_id,
            vendor.id,
            vendor.reference,
            vendor.name,
            name_key(vendor.name),
            vendor.aliases,
            vendor.description,
            vendor.business_owner_id,
            vendor.security_owner_id,
            vendor.contacts,
            vendor.domains,
            vendor.country,
            vendor.data_countries,
            vendor.data_classes,
            vendor.legal_name,
            vendor.lei,
            vendor.vat,
            vendor.duns,
            vendor.annual_spend,
            vendor.currency,
            vendor.tags,
            vendor.tier,
            vendor.tier_source,
            vendor.next_review_on,
            work.now,
            vendor.metadata,
        )


async def transition(
    work: Work,
    vendor: Vendor,
    to: Lifecycle,
    *,
    reason: str | None,
    next_review_on: date | None,
    intake: VendorIntake,
    intake_note: str | None,
) -> Vendor:
    return await _TRANSITION.one(
        work.db, work.tenant_id, vendor.id, to, reason, work.now, next_review_on, intake, intake_note
    )


async def find_review_policy(work: Work) -> ReviewPolicyDetail | None:
    return await _FIND_REVIEW_POLICY.one_or_none(work.db, work.tenant_id)


async def lock_review_policy(work: Work) -> ReviewPolicyDetail | None:
    return await _LOCK_REVIEW_POLICY.one_or_none(work.db, work.tenant_id)


async def save_review_policy(work: Work, p: ReviewPolicy) -> ReviewPolicyDetail:
    months = (p.critical_months, p.high_months, p.medium_months, p.low_months)
    return await _SAVE_REVIEW_POLICY.one(work.db, work.tenant_id, *months, work.now)


async def reschedule_reviews(work: Work, before: Cadence, after: Cadence) -> int:
    """Move the next reviews that follow from the cadence before to where they follow from the one after."""
    tiers = [tier for tier in after if after[tier] != before[tier]]
    months = ([before[tier] for tier in tiers], [after[tier] for tier in tiers])
    zone = work.by.actor.tenant.time_zone
    return await _RESCHEDULE_REVIEWS.run(work.db, work.tenant_id, tiers, *months, zone, work.now)


async def rate(work: Work, vendor: Vendor, result: InherentRisk, next_review_on: date | None) -> Vendor:
    return await _RATE.one(
        work.db,
        work.tenant_id,
        vendor.id,
        result.tier,
        result.score,
        result.model_version,
        next_review_on,
        work.now,
    )


async def insert_assessment(
    work: Work, vendor_id: UUID, answers: Mapping[str, int | None], result: InherentRisk
) -> InherentRiskAssessment:
    actor = work.by.actor
    return await _INSERT_ASSESSMENT.one(
        work.db,
        work.tenant_id,
        new_id(),
        vendor_id,
        answers,
        result,
        result.score,
        result.tier,
        result.model_version,
        actor.id,
        actor.label,
        work.now,
    )


async def newest_assessment(work: Work, vendor_id: UUID) -> InherentRiskAssessment | None:
    return await _NEWEST_ASSESSMENT.one_or_none(work.db, work.tenant_id, vendor_id)


async def insert_review(
    work: Work, vendor_id: UUID, new: NewVendorReview, reviewed_on: date, next_review_on: date | None
) -> VendorReview:
    actor = work.by.actor
    return await _INSERT_REVIEW.one(
        work.db,
        work.tenant_id,
        new_id(),
        vendor_id,
        reviewed_on,
        new.outcome,
        new.note,
        next_review_on,
        actor.id,
        actor.label,
        work.now,
    )


async def note_review(work: Work, vendor_id: UUID, reviewed_on: date, next_review_on: date | None) -> Vendor:
    return await _NOTE_REVIEW.one(work.db, work.tenant_id, vendor_id, reviewed_on, next_review_on, work.now)


async def open_steps(work: Work, vendor_id: UUID) -> None:
    steps = list(OffboardingStepKind)
    await _OPEN_STEPS.run(work.db, work.tenant_id, vendor_id, [new_id() for _ in steps], steps)


async def steps_of(work: Work, vendor_id: UUID) -> list[OffboardingStep]:
    return await _STEPS_OF.many(work.db, work.tenant_id, vendor_id)


async def lock_step(work: Work, vendor_id: UUID, step: OffboardingStepKind) -> OffboardingStep | None:
    return await _LOCK_STEP.one_or_none(work.db, work.tenant_id, vendor_id, step)


async def resolve_step(work: Work, step_id: UUID, resolution: OffboardingStepResolution) -> OffboardingStep:
    actor = work.by.actor
    by = (None, None, None) if resolution.state is OffboardingStepState.OPEN else (actor.id, actor.label, work.now)
    return await _RESOLVE_STEP.one(
        work.db, work.tenant_id, step_id, resolution.state, resolution.note, resolution.proof, *by
    )


async def insert_request(work: Work, new: NewIntakeRequest) -> IntakeRequest:
    actor = work.by.actor
    with refusing(_REQUEST_BROKEN):
        return await _INSERT_REQUEST.one(
            work.db,
            work.tenant_id,
            new_id(),
            new.vendor_id,
            new.name,
            new.domain,
            new.purpose,
            new.data_classes,
            new.business_owner_id,
            actor.id,
            actor.label,
            actor.member_id,
            work.now,
        )


async def find_request(work: Work, request_id: UUID) -> IntakeRequest | None:
    return await _FIND_REQUEST.one_or_none(work.db, work.tenant_id, request_id)


async def lock_request(work: Work, request_id: UUID) -> IntakeRequest | None:
    return await _LOCK_REQUEST.one_or_none(work.db, work.tenant_id, request_id)


async def decide_request(
    work: Work, request_id: UUID, state: IntakeState, vendor_id: UUID | None, reason: str | None
) -> IntakeRequest:
    actor = work.by.actor
    return await _DECIDE_REQUEST.one(
        work.db, work.tenant_id, request_id, state, vendor_id, actor.id, actor.label, work.now, reason
    )
