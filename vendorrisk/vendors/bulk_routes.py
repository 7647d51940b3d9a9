"""The operations on vendors, what they supply and intake requests, for many at once. Each declares what one item is."""

from uuid import UUID

from litestar import Router

from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import Version
from vendorrisk.access.work import Work
from vendorrisk.bulk import bulk, part
from vendorrisk.vendors import fourth_parties, inherent_risk, intake, lifecycle, reviews, service, services
from vendorrisk.vendors.inherent_risk_model import InherentRiskAnswers, InherentRiskAssessmentDetail
from vendorrisk.vendors.lifecycle_model import IntakeApproval, IntakeRequest, NewVendorReview, VendorReviewDetail
from vendorrisk.vendors.model import NewVendor, Vendor, VendorChanges, VendorTransition
from vendorrisk.vendors.supply_chain_model import FourthParty, NewFourthParty, NewVendorService, VendorService

_WRITE, _APPROVE = Permission.VENDORS_WRITE, Permission.VENDORS_APPROVE
_ID = "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10"


class ChangedVendor(VendorChanges, kw_only=True):
    """A merge patch for one vendor, and the version it is meant for."""

    id: UUID
    """The vendor."""
    version: Version


class TransitionedVendor(VendorTransition, kw_only=True):
    """A transition of one vendor, and the version it is meant for."""

    id: UUID
    """The vendor."""
    version: Version


class ReviewedVendor(NewVendorReview, kw_only=True):
    """A review of one vendor, and the version it is meant for."""

    id: UUID
    """The vendor."""
    version: Version


class AnsweredVendor(InherentRiskAnswers, kw_only=True):
    """The inherent-risk answers of one vendor, and the version they are meant for."""

    id: UUID
    """The vendor."""
    version: Version


class AddedVendorService(NewVendorService, kw_only=True):
    """A service, and its vendor."""

    vendor_id: UUID


class AddedFourthParty(NewFourthParty, kw_only=True):
    """A company, and the vendor that depends on it."""

    vendor_id: UUID


class ApprovedIntakeRequest(IntakeApproval, kw_only=True):
    """The approval of one intake request, and the version it is meant for."""

    id: UUID
    """The intake request."""
    version: Version


@bulk(
    "/vendors/bulk-registrations",
    _WRITE,
    example=[{"name": "Nimbus Storage"}, {"name": "Harbour Logistics", "country": "IE"}],
)
async def register_vendors(work: Work, item: NewVendor) -> Vendor:
    """Register up to 200 vendors. Each is registered or rejected alone."""
    return await service.register(work, item)


@bulk("/vendors/bulk-changes", _WRITE, example=[{"id": _ID, "version": 1, "tags": ["hosting"]}])
async def change_vendors(work: Work, item: ChangedVendor) -> Vendor:
    """Change up to 200 vendors. Each change is held to the version it names, and is made or rejected alone."""
    return await service.change(work, item.id, part(item, VendorChanges), item.version)


@bulk("/vendors/bulk-transitions", _WRITE, example=[{"id": _ID, "version": 1, "to": "onboarding"}])
async def transition_vendors(work: Work, item: TransitionedVendor) -> Vendor:
    """Transition up to 200 vendors to other states. Each is transitioned or rejected alone."""
    return await lifecycle.transition(work, item.id, part(item, VendorTransition), item.version)


@bulk("/vendors/bulk-reviews", _APPROVE, example=[{"id": _ID, "version": 1, "outcome": "satisfactory"}])
async def record_vendor_reviews(work: Work, item: ReviewedVendor) -> VendorReviewDetail:
    """Record up to 200 reviews that were held. A result has the vendor's id and its new version."""
    return await reviews.hold_review(work, item.id, part(item, NewVendorReview), item.version)


@bulk(
    "/vendors/bulk-inherent-risk-answers",
    _WRITE,
    example=[{"id": _ID, "version": 1, "data_classification": 3, "access": 2, "criticality": 3}],
)
async def answer_inherent_risks(work: Work, item: AnsweredVendor) -> InherentRiskAssessmentDetail:
    """Answer the inherent-risk questions of up to 200 vendors. A result has the vendor's id and its new version."""
    return await inherent_risk.assess(work, item.id, part(item, InherentRiskAnswers), item.version)


@bulk("/vendor-services/bulk-additions", _WRITE, example=[{"vendor_id": _ID, "name": "Object storage"}])
async def add_vendor_services(work: Work, item: AddedVendorService) -> VendorService:
    """Add up to 200 services that we use of vendors. Each is added or rejected alone."""
    return await services.add_service(work, item.vendor_id, part(item, NewVendorService))


@bulk(
    "/fourth-parties/bulk-additions",
    _WRITE,
    example=[{"vendor_id": _ID, "name": "Borealis Hosting", "purpose": "Data centre"}],
)
async def add_fourth_parties(work: Work, item: AddedFourthParty) -> FourthParty:
    """Add up to 200 companies that vendors depend on. Each is added or rejected alone."""
    return await fourth_parties.add_fourth_party(work, item.vendor_id, part(item, NewFourthParty))


@bulk(
    "/intake-requests/bulk-approvals",
    _APPROVE,
    example=[{"id": _ID, "version": 1, "reason": "Fits the budget and the architecture."}],
)
async def approve_intake_requests(work: Work, item: ApprovedIntakeRequest) -> IntakeRequest:
    """Approve up to 200 intake requests. A caller cannot approve a request of their own."""
    return await intake.approve(work, item.id, part(item, IntakeApproval), item.version)


router = Router(
    "/",
    route_handlers=[
        register_vendors,
        change_vendors,
        transition_vendors,
        record_vendor_reviews,
        answer_inherent_risks,
        add_vendor_services,
        add_fourth_parties,
        approve_intake_requests,
    ],
    tags=["Vendors"],
)
