"""Intake, transitions, inherent risk, reviews and offboarding of vendors."""

from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage
from vendorrisk.http.routing import acts, creates, lists, reads, replaces
from vendorrisk.vendors import (
    inherent_risk,
    intake,
    lifecycle,
    offboarding,
    queries,
    review_policy,
    reviews,
)
from vendorrisk.vendors.inherent_risk_model import (
    InherentRiskAnswers,
    InherentRiskAssessment,
    InherentRiskAssessmentDetail,
    InherentRiskModel,
)
from vendorrisk.vendors.lifecycle_model import (
    IntakeApproval,
    IntakeRejection,
    IntakeRequest,
    NewIntakeRequest,
    NewVendorReview,
    OffboardingChecklist,
    OffboardingStep,
    OffboardingStepKind,
    OffboardingStepResolution,
    ReviewPolicy,
    ReviewPolicyDetail,
    VendorReview,
    VendorReviewDetail,
)
from vendorrisk.vendors.model import (
    Vendor,
    VendorTransition,
)
from vendorrisk.vendors.reviews import all_reviews

_READ, _WRITE = Permission.VENDORS_READ, Permission.VENDORS_WRITE


@acts(
    "/vendors/{vendor_id:uuid}/transitions",
    _WRITE,
    refuses=[Code.VENDOR_TRANSITION_NOT_ALLOWED, Code.VENDOR_TRANSITION_INCOMPLETE, Code.VENDOR_FIELD_INVALID],
    example={"to": "onboarding"},
)
async def transition_vendor(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[VendorTransition]
) -> Vendor:
    """Transition a vendor to another state. If requirements are missing, the error lists all of them."""
    return await lifecycle.transition(work, vendor_id, data, expected)


@reads("/inherent-risk-model", _READ)
async def get_inherent_risk_model(work: InWork) -> InherentRiskModel:
    """Return the questions of inherent risk, the scales, weights and floors, and the review cadence by tier."""
    return await inherent_risk.risk_model(work)


@reads("/vendors/{vendor_id:uuid}/inherent-risk", _READ)
async def get_inherent_risk(work: InWork, vendor_id: FromPath[UUID]) -> InherentRiskAssessmentDetail:
    """Return the newest answers with score, tier and every reason, or null while they were never given."""
    return await inherent_risk.assessment(work, vendor_id)


@replaces(
    "/vendors/{vendor_id:uuid}/inherent-risk",
    _WRITE,
    example={
        "data_classification": 3,
        "data_volume": 2,
        "access": 2,
        "criticality": 3,
        "substitutability": 2,
        "regulatory_weight": 1,
        "geography": 0,
        "fourth_parties": None,
    },
)
async def answer_inherent_risk(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[InherentRiskAnswers]
) -> InherentRiskAssessmentDetail:
    """Answer the inherent-risk questions. Score, tier and the next review follow. Earlier answers are kept."""
    return await inherent_risk.assess(work, vendor_id, data, expected)


@lists("/vendors/{vendor_id:uuid}/inherent-risk/history", _READ, queries.ASSESSMENTS)
async def list_inherent_risk_history(
    work: InWork, vendor_id: FromPath[UUID], page: ListPage
) -> Page[InherentRiskAssessment]:
    """List all inherent-risk assessments of the vendor."""
    return await inherent_risk.assessments(work, vendor_id, page)


@lists("/vendors/{vendor_id:uuid}/reviews", _READ, queries.REVIEWS)
async def list_vendor_reviews(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[VendorReview]:
    """List the reviews of a vendor."""
    return await reviews.reviews(work, vendor_id, page)


@acts(
    "/vendors/{vendor_id:uuid}/reviews",
    Permission.VENDORS_APPROVE,
    status_code=201,
    refuses=[Code.VENDOR_NOT_REVIEWED, Code.VENDOR_FIELD_INVALID],
    example={"outcome": "satisfactory", "note": "No open findings."},
)
async def record_vendor_review(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[NewVendorReview]
) -> VendorReviewDetail:
    """Record a review that was held. The next one falls due by the vendor's tier."""
    return await reviews.hold_review(work, vendor_id, data, expected)


@reads("/vendors/{vendor_id:uuid}/offboarding", _READ)
async def get_offboarding(work: InWork, vendor_id: FromPath[UUID]) -> OffboardingChecklist:
    """Return the offboarding checklist, empty while none was begun."""
    return await offboarding.checklist(work, vendor_id)


@reads("/vendors/{vendor_id:uuid}/offboarding/{step:str}", _READ, refuses=[Code.OFFBOARDING_NOT_BEGUN])
async def get_offboarding_step(
    work: InWork, vendor_id: FromPath[UUID], step: FromPath[OffboardingStepKind]
) -> OffboardingStep:
    """Return a step of the offboarding."""
    return await offboarding.step(work, vendor_id, step)


@replaces(
    "/vendors/{vendor_id:uuid}/offboarding/{step:str}",
    _WRITE,
    refuses=[Code.OFFBOARDING_NOT_BEGUN, Code.RESOLUTION_INCOMPLETE, Code.VENDOR_FIELD_INVALID],
    example={"state": "done", "note": "Accounts closed, keys revoked.", "proof": "ticket 4711"},
)
async def resolve_offboarding_step(
    work: InWork,
    expected: ExpectedVersion,
    vendor_id: FromPath[UUID],
    step: FromPath[OffboardingStepKind],
    data: JSONBody[OffboardingStepResolution],
) -> OffboardingStep:
    """Resolve a step: done, or waived with a reason. Who and when is taken down."""
    return await offboarding.resolve_step(work, vendor_id, step, data, expected)


@lists("/intake-requests", _READ, queries.REQUESTS)
async def list_intake_requests(work: InWork, page: ListPage) -> Page[IntakeRequest]:
    """List requests to take a vendor on."""
    return await intake.requests(work, page)


@creates(
    "/intake-requests",
    Permission.VENDORS_REQUEST,
    at="/v1/intake-requests/{id}",
    refuses=[Code.REFERENCE_UNKNOWN, Code.VENDOR_FIELD_INVALID],
    example={"name": "Acme Cloud", "purpose": "Hosting for the new shop", "domain": "acme.example"},
)
async def request_vendor(work: InWork, data: JSONBody[NewIntakeRequest]) -> IntakeRequest:
    """Ask for a vendor to be taken on. Someone else decides."""
    return await intake.ask(work, data)


@reads("/intake-requests/{request_id:uuid}", _READ)
async def get_intake_request(work: InWork, request_id: FromPath[UUID]) -> IntakeRequest:
    """Return an intake request."""
    return await intake.request(work, request_id)


_DECIDING = [Code.INTAKE_DECIDED, Code.FOUR_EYES_NEEDED, Code.VENDOR_FIELD_INVALID]


@acts(
    "/intake-requests/{request_id:uuid}/approval",
    Permission.VENDORS_APPROVE,
    refuses=[*_DECIDING, Code.VENDOR_NAME_TAKEN, Code.VENDOR_DOMAIN_TAKEN, Code.VENDOR_TRANSITION_NOT_ALLOWED],
    example={"reason": "Fits the budget and the architecture."},
)
async def approve_intake_request(
    work: InWork, expected: ExpectedVersion, request_id: FromPath[UUID], data: JSONBody[IntakeApproval]
) -> IntakeRequest:
    """Approve a request: its vendor goes into onboarding. Whoever asked cannot."""
    return await intake.approve(work, request_id, data, expected)


@acts(
    "/intake-requests/{request_id:uuid}/rejection",
    Permission.VENDORS_APPROVE,
    refuses=_DECIDING,
    example={"reason": "A vendor in use does the same."},
)
async def reject_intake_request(
    work: InWork, expected: ExpectedVersion, request_id: FromPath[UUID], data: JSONBody[IntakeRejection]
) -> IntakeRequest:
    """Reject a request, with the reason. Whoever asked cannot."""
    return await intake.reject(work, request_id, data, expected)


@lists("/reviews", _READ, queries.REVIEWS)
async def list_all_reviews(work: InWork, page: ListPage) -> Page[VendorReview]:
    """List the reviews of all vendors."""
    return await all_reviews(work, page)


@reads("/review-policy", Permission.VENDORS_READ)
async def get_review_policy(work: InWork) -> ReviewPolicyDetail:
    """Return how often vendors are reviewed. Version 0 is the default: quarterly for critical ones."""
    return await review_policy.policy(work)


@replaces(
    "/review-policy",
    Permission.TENANT_MANAGE,
    example={"critical_months": 3, "high_months": 6, "medium_months": 12, "low_months": 12},
)
async def set_review_policy(
    work: InWork, expected: ExpectedVersion, data: JSONBody[ReviewPolicy]
) -> ReviewPolicyDetail:
    """Say the whole policy again. Next reviews that follow from it move. Dates that were set by hand stay."""
    return await review_policy.set_policy(work, data, expected)


router = Router(
    "/",
    route_handlers=[
        transition_vendor,
        get_inherent_risk_model,
        get_inherent_risk,
        answer_inherent_risk,
        list_inherent_risk_history,
        list_vendor_reviews,
        record_vendor_review,
        get_offboarding,
        get_offboarding_step,
        resolve_offboarding_step,
        list_intake_requests,
        request_vendor,
        get_intake_request,
        approve_intake_request,
        reject_intake_request,
        list_all_reviews,
        get_review_policy,
        set_review_policy,
    ],
    tags=["Vendors"],
)
