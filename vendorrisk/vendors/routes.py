"""Vendors, what is done about them, what they supply, and how they come in. Imports have their own routes."""

from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage
from vendorrisk.http.routing import acts, changes, creates, lists, reads, removes, replaces
from vendorrisk.sheets.reading import FileFormat
from vendorrisk.sheets.writing import as_file
from vendorrisk.storage.media_types import MediaType
from vendorrisk.vendors import diligence, export, intake, queries, service, supply, supply_queries
from vendorrisk.vendors.diligence_model import (
    Approval,
    Assessed,
    Assessment,
    Checklist,
    InherentAnswers,
    IntakeRefusal,
    IntakeRequest,
    ModelShown,
    NewIntakeRequest,
    NewReview,
    OffboardingStep,
    Review,
    ReviewHeld,
    Settlement,
    Step,
)
from vendorrisk.vendors.model import (
    Move,
    NewVendor,
    NewVendors,
    RowResults,
    Vendor,
    VendorChanges,
    VendorsChanges,
    VendorsFound,
    VendorSummary,
)
from vendorrisk.vendors.supply_model import (
    FourthParty,
    FourthPartyChanges,
    NewFourthParty,
    NewVendorService,
    VendorService,
    VendorServiceChanges,
)
from vendorrisk.vendors.vendor_list import VENDORS

_READ, _WRITE = Permission.VENDORS_READ, Permission.VENDORS_WRITE
_TAKEN = [
    Code.VENDOR_NAME_TAKEN,
    Code.VENDOR_DOMAIN_TAKEN,
    Code.VENDOR_REFERENCE_TAKEN,
    Code.VENDOR_LEI_TAKEN,
    Code.VENDOR_FIELD_INVALID,
    Code.REFERENCE_UNKNOWN,
]
_WRITTEN_AS = {FileFormat.CSV: "text/csv; charset=utf-8", FileFormat.XLSX: MediaType.XLSX.text}


@lists("/vendors", _READ, VENDORS)
async def list_vendors(work: InWork, page: ListPage) -> Page[VendorSummary]:
    """List vendors."""
    return await service.vendors(work, page)


@creates(
    "/vendors",
    _WRITE,
    at="/v1/vendors/{id}",
    refuses=_TAKEN,
    example={"name": "Acme Cloud", "domains": ["acme.example"], "country": "DE", "data_classes": ["personal"]},
)
async def register_vendor(work: InWork, data: JSONBody[NewVendor]) -> Vendor:
    """Register a vendor: as a prospect, in onboarding, or, where it is in use already, as active."""
    return await service.register(work, data)


@acts(
    "/vendors/bulk",
    _WRITE,
    match=False,
    refuses=_TAKEN,
    example={"items": [{"name": "Acme Cloud"}, {"name": "Nimbus Storage", "country": "IE"}]},
)
async def register_vendors(work: InWork, data: JSONBody[NewVendors]) -> RowResults:
    """Register up to 200 vendors, each on its own: the answer tells for each what became of it."""
    return await service.register_many(work, data)


@acts(
    "/vendors/bulk-changes",
    _WRITE,
    match=False,
    refuses=[*_TAKEN, Code.VENDOR_TIER_IS_COMPUTED],
    example={"items": [{"id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10", "version": 1, "changes": {"tags": ["hosting"]}}]},
)
async def change_vendors(work: InWork, data: JSONBody[VendorsChanges]) -> RowResults:
    """Change up to 200 vendors, each held to its version: the answer tells for each what became of it."""
    return await service.change_many(work, data)


@reads("/vendors/search", _READ)
async def search_vendors(
    work: InWork,
    q: Annotated[str, QueryParameter(min_length=1, max_length=200, description="A name, another name, or a domain.")],
    limit: Annotated[int, QueryParameter(ge=1, le=50, required=False)] = 20,
) -> VendorsFound:
    """Find vendors whose name, other names or domains are like the text; typing errors are forgiven."""
    return await service.search(work, q, limit)


@reads("/vendors/export", _READ, opt={"of": VENDORS}, streams=(MediaType.CSV.text, MediaType.XLSX.text))
async def export_vendors(
    work: InWork,
    page: ListPage,
    format: Annotated[FileFormat, QueryParameter(required=False)] = FileFormat.CSV,  # noqa: A002 - the parameter's name
) -> Stream:
    """Download all that a list shows, with the same filters and order. What comes out can be imported again."""
    return Stream(
        as_file(format, export.HEADING, service.exported(work, page)),
        media_type=_WRITTEN_AS[format],
        headers={"content-disposition": f'attachment; filename="vendors.{format}"'},
    )


@reads("/vendors/{vendor_id:uuid}", _READ)
async def get_vendor(work: InWork, vendor_id: FromPath[UUID]) -> Vendor:
    """Return a vendor."""
    return await service.vendor(work, vendor_id)


@changes(
    "/vendors/{vendor_id:uuid}",
    _WRITE,
    refuses=[*_TAKEN, Code.VENDOR_TIER_IS_COMPUTED],
    example={"description": "Hosting of the shop", "tags": ["hosting"]},
)
async def change_vendor(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[VendorChanges]
) -> Vendor:
    """Change a vendor's record. Its state, reviews and computed tier move by their own routes."""
    return await service.change(work, vendor_id, data, expected)


@acts(
    "/vendors/{vendor_id:uuid}/moves",
    _WRITE,
    refuses=[Code.VENDOR_MOVE_NOT_ALLOWED, Code.VENDOR_MOVE_INCOMPLETE, Code.VENDOR_FIELD_INVALID],
    example={"to": "onboarding"},
)
async def move_vendor(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[Move]
) -> Vendor:
    """Move a vendor to another state. Where something is missing, all of it is told."""
    return await diligence.move(work, vendor_id, data, expected)


@reads("/inherent-risk-model", _READ)
async def get_inherent_risk_model(work: InWork) -> ModelShown:
    """Return what is asked about inherent risk, the scales, weights and floors, and the review cadence by tier."""
    return await diligence.risk_model(work)


@reads("/vendors/{vendor_id:uuid}/inherent-risk", _READ)
async def get_inherent_risk(work: InWork, vendor_id: FromPath[UUID]) -> Assessed:
    """Return the newest answers with score, tier and every reason; null while they were never given."""
    return await diligence.assessment(work, vendor_id)


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
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[InherentAnswers]
) -> Assessed:
    """Answer the inherent-risk questions. Score, tier and the next review follow; earlier answers are kept."""
    return await diligence.assess(work, vendor_id, data, expected)


@lists("/vendors/{vendor_id:uuid}/inherent-risk/history", _READ, queries.ASSESSMENTS)
async def list_inherent_risk_history(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[Assessment]:
    """List all inherent-risk assessments of the vendor."""
    return await diligence.assessments(work, vendor_id, page)


@lists("/vendors/{vendor_id:uuid}/reviews", _READ, queries.REVIEWS)
async def list_vendor_reviews(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[Review]:
    """List the reviews of a vendor."""
    return await diligence.reviews(work, vendor_id, page)


@acts(
    "/vendors/{vendor_id:uuid}/reviews",
    Permission.VENDORS_APPROVE,
    status_code=201,
    refuses=[Code.VENDOR_NOT_REVIEWED, Code.VENDOR_FIELD_INVALID],
    example={"outcome": "satisfactory", "note": "No open findings."},
)
async def record_vendor_review(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[NewReview]
) -> ReviewHeld:
    """Record a review that was held; the next one falls due by the vendor's tier."""
    return await diligence.hold_review(work, vendor_id, data, expected)


@reads("/vendors/{vendor_id:uuid}/offboarding", _READ)
async def get_offboarding(work: InWork, vendor_id: FromPath[UUID]) -> Checklist:
    """Return the offboarding checklist; empty while none was begun."""
    return await diligence.checklist(work, vendor_id)


@reads("/vendors/{vendor_id:uuid}/offboarding/{step:str}", _READ, refuses=[Code.OFFBOARDING_NOT_BEGUN])
async def get_offboarding_step(work: InWork, vendor_id: FromPath[UUID], step: FromPath[OffboardingStep]) -> Step:
    """Return a step of the offboarding."""
    return await diligence.step(work, vendor_id, step)


@replaces(
    "/vendors/{vendor_id:uuid}/offboarding/{step:str}",
    _WRITE,
    refuses=[Code.OFFBOARDING_NOT_BEGUN, Code.SETTLEMENT_INCOMPLETE, Code.VENDOR_FIELD_INVALID],
    example={"state": "done", "note": "Accounts closed, keys revoked.", "proof": "ticket 4711"},
)
async def settle_offboarding_step(
    work: InWork,
    expected: ExpectedVersion,
    vendor_id: FromPath[UUID],
    step: FromPath[OffboardingStep],
    data: JSONBody[Settlement],
) -> Step:
    """Say how a step was settled: done, or waived with a reason. Who and when is taken down."""
    return await diligence.settle_step(work, vendor_id, step, data, expected)


@lists("/vendors/{vendor_id:uuid}/services", _READ, supply_queries.SERVICES)
async def list_vendor_services(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[VendorService]:
    """List the services that you use of a vendor."""
    return await supply.services(work, vendor_id, page)


@creates(
    "/vendors/{vendor_id:uuid}/services",
    _WRITE,
    at="/v1/vendor-services/{id}",
    refuses=[Code.SERVICE_NAME_TAKEN, Code.VENDOR_FIELD_INVALID],
    example={"name": "Object storage", "data_classes": ["personal"], "is_uptime_critical": True},
)
async def add_vendor_service(
    work: InWork, vendor_id: FromPath[UUID], data: JSONBody[NewVendorService]
) -> VendorService:
    """Add a service that we use of the vendor. Evidence covers services."""
    return await supply.add_service(work, vendor_id, data)


@reads("/vendor-services/{service_id:uuid}", _READ)
async def get_vendor_service(work: InWork, service_id: FromPath[UUID]) -> VendorService:
    """Return a vendor's service."""
    return await supply.service(work, service_id)


@changes(
    "/vendor-services/{service_id:uuid}",
    _WRITE,
    refuses=[Code.SERVICE_NAME_TAKEN, Code.VENDOR_FIELD_INVALID],
    example={"is_uptime_critical": True},
)
async def change_vendor_service(
    work: InWork, expected: ExpectedVersion, service_id: FromPath[UUID], data: JSONBody[VendorServiceChanges]
) -> VendorService:
    """Change a vendor's service. Its coverage is computed again."""
    return await supply.change_service(work, service_id, data, expected)


@removes("/vendor-services/{service_id:uuid}", _WRITE, refuses=[Code.IN_USE])
async def remove_vendor_service(work: InWork, expected: ExpectedVersion, service_id: FromPath[UUID]) -> None:
    """Remove a service that nothing refers to."""
    await supply.remove_service(work, service_id, expected)


@lists("/vendors/{vendor_id:uuid}/fourth-parties", _READ, supply_queries.FOURTH_PARTIES)
async def list_fourth_parties(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[FourthParty]:
    """List the companies that a vendor depends on."""
    return await supply.fourth_parties(work, vendor_id, page)


_LINKS = [
    Code.FOURTH_PARTY_NAME_TAKEN,
    Code.FOURTH_PARTY_IS_THE_VENDOR,
    Code.REFERENCE_UNKNOWN,
    Code.VENDOR_FIELD_INVALID,
]


@creates(
    "/vendors/{vendor_id:uuid}/fourth-parties",
    _WRITE,
    at="/v1/fourth-parties/{id}",
    refuses=_LINKS,
    example={"name": "Borealis Hosting", "purpose": "Data centre"},
)
async def add_fourth_party(work: InWork, vendor_id: FromPath[UUID], data: JSONBody[NewFourthParty]) -> FourthParty:
    """Add a company that the vendor stands on; link it where it is a vendor of ours too."""
    return await supply.add_fourth_party(work, vendor_id, data)


@reads("/fourth-parties/{fourth_party_id:uuid}", _READ)
async def get_fourth_party(work: InWork, fourth_party_id: FromPath[UUID]) -> FourthParty:
    """Return a fourth party."""
    return await supply.fourth_party(work, fourth_party_id)


@changes(
    "/fourth-parties/{fourth_party_id:uuid}",
    _WRITE,
    refuses=_LINKS,
    example={"purpose": "Data centre in Oslo"},
)
async def change_fourth_party(
    work: InWork, expected: ExpectedVersion, fourth_party_id: FromPath[UUID], data: JSONBody[FourthPartyChanges]
) -> FourthParty:
    """Change a fourth party."""
    return await supply.change_fourth_party(work, fourth_party_id, data, expected)


@removes("/fourth-parties/{fourth_party_id:uuid}", _WRITE)
async def remove_fourth_party(work: InWork, expected: ExpectedVersion, fourth_party_id: FromPath[UUID]) -> None:
    """Remove a fourth party."""
    await supply.remove_fourth_party(work, fourth_party_id, expected)


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
    refuses=[*_DECIDING, Code.VENDOR_NAME_TAKEN, Code.VENDOR_DOMAIN_TAKEN, Code.VENDOR_MOVE_NOT_ALLOWED],
    example={"reason": "Fits the budget and the architecture."},
)
async def approve_intake_request(
    work: InWork, expected: ExpectedVersion, request_id: FromPath[UUID], data: JSONBody[Approval]
) -> IntakeRequest:
    """Approve a request: its vendor goes into onboarding. Whoever asked cannot."""
    return await intake.approve(work, request_id, data, expected)


@acts(
    "/intake-requests/{request_id:uuid}/refusal",
    Permission.VENDORS_APPROVE,
    refuses=_DECIDING,
    example={"reason": "A vendor in use does the same."},
)
async def refuse_intake_request(
    work: InWork, expected: ExpectedVersion, request_id: FromPath[UUID], data: JSONBody[IntakeRefusal]
) -> IntakeRequest:
    """Refuse a request, with the reason. Whoever asked cannot."""
    return await intake.refuse(work, request_id, data, expected)


router = Router(
    "/",
    route_handlers=[
        list_vendors,
        register_vendor,
        register_vendors,
        change_vendors,
        search_vendors,
        export_vendors,
        get_vendor,
        change_vendor,
        move_vendor,
        get_inherent_risk_model,
        get_inherent_risk,
        answer_inherent_risk,
        list_inherent_risk_history,
        list_vendor_reviews,
        record_vendor_review,
        get_offboarding,
        get_offboarding_step,
        settle_offboarding_step,
        list_vendor_services,
        add_vendor_service,
        get_vendor_service,
        change_vendor_service,
        remove_vendor_service,
        list_fourth_parties,
        add_fourth_party,
        get_fourth_party,
        change_fourth_party,
        remove_fourth_party,
        list_intake_requests,
        request_vendor,
        get_intake_request,
        approve_intake_request,
        refuse_intake_request,
    ],
    tags=["Vendors"],
)
