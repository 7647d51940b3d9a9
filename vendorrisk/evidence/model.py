"""What is stored of evidence, what comes in, and what is shown."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body
from vendorrisk.evidence.coverage import Coverage, CoverageState, Gap, Opinion, ReportType, Segment
from vendorrisk.evidence.criteria import AuditArea
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.findings.model import Severity, Title
from vendorrisk.vendors.model import TrustCategory


class DocumentKind(StrEnum):
    """What a document proves, and so how long it is relied on."""

    SOC2_TYPE1 = "soc2_type1"
    SOC2_TYPE2 = "soc2_type2"
    BRIDGE_LETTER = "bridge_letter"
    SOC1 = "soc1"
    SOC3 = "soc3"
    ISO27001_CERTIFICATE = "iso27001_certificate"
    PCI_AOC = "pci_aoc"
    PEN_TEST_REPORT = "pen_test_report"
    INSURANCE_CERTIFICATE = "insurance_certificate"
    DPA = "dpa"
    POLICY = "policy"
    OTHER = "other"


class Classification(StrEnum):
    """How confidential a document is."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Assurance(StrEnum):
    """What a document proves about security: `partial` is design only, little detail, or a missing surveillance."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class Reading(StrEnum):
    """Whether the text of a document's file was read for proposals."""

    NONE = "none"
    WAITING = "waiting"
    READ = "read"
    UNREADABLE = "unreadable"


class Decision(StrEnum):
    """Whether a proposal was decided, and how."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class CuecState(StrEnum):
    """Whether we operate a complementary user entity control; `in_place` needs an owner and a proof."""

    OPEN = "open"
    IN_PLACE = "in_place"
    NOT_APPLICABLE = "not_applicable"


class SubserviceMethod(StrEnum):
    """How a report treats a subservice organisation: its controls left out, or tested with the rest."""

    CARVE_OUT = "carve_out"
    INCLUSIVE = "inclusive"


_NOT_BLANK, _US = {"words": "text that is not blank"}, {"words": "two letters of a US state, like CA"}
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", extra=_NOT_BLANK)]
Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S", extra=_NOT_BLANK)]
Criterion = Annotated[str, Meta(min_length=2, max_length=10, examples=["CC6.1"])]
_US_STATES = (
    r"^(?:A[KLRZ]|C[AOT]|D[CE]|FL|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEINOPST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT"
    r"|V[AIT]|W[AIVY])\Z"
)
UsState = Annotated[str, Meta(pattern=_US_STATES, extra=_US, description="Also DC, GU, MP, PR, VI.", examples=["CA"])]
Categories = Annotated[list[TrustCategory], Meta(min_length=1, max_length=5)]
Criteria = Annotated[list[Criterion], Meta(max_length=80)]
ServiceIds = Annotated[list[UUID], Meta(max_length=100)]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence. `expires_on` follows from its kind and dates; null where coverage decides, or nothing ends."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    service_id: UUID | None
    kind: DocumentKind
    title: str
    classification: Classification
    issued_on: date | None
    valid_from_on: date | None
    stated_until_on: date | None
    surveillance_on: date | None
    expires_on: date | None
    """Last day the document is relied on, by its kind and dates. Null if coverage decides, or nothing ends."""
    assurance: Assurance
    note: str | None
    revision: int
    """Counts the revisions of the document, from 1."""
    supersedes_id: UUID | None
    superseded_at: datetime | None
    withdrawn_at: datetime | None
    file_sha256: str | None
    file_bytes: int | None
    file_name: str | None
    media_type: str | None
    reading: Reading
    reading_detail: str | None
    """Why the text could not be extracted. Null if it could."""
    created_at: datetime
    updated_at: datetime
    version: int


class DocumentChanges(Body):
    """Changes to a document."""

    title: Title | UnsetType = UNSET
    service_id: UUID | UnsetType | None = UNSET
    classification: Classification | UnsetType = UNSET
    issued_on: date | UnsetType | None = UNSET
    valid_from_on: date | UnsetType | None = UNSET
    stated_until_on: date | UnsetType | None = UNSET
    surveillance_on: date | UnsetType | None = UNSET
    note: Text | UnsetType | None = UNSET


class NewDocument(Body):
    """A document. With `supersedes_id` it is the next revision of that one, which then no longer counts."""

    vendor_id: UUID
    kind: DocumentKind
    title: Title
    classification: Classification = Classification.CONFIDENTIAL
    service_id: UUID | None = None
    issued_on: date | None = None
    valid_from_on: date | None = None
    stated_until_on: date | None = None
    surveillance_on: date | None = None
    note: Text | None = None
    supersedes_id: UUID | None = None


class Withdrawal(Body):
    """Why a record no longer counts; it stays on record."""

    reason: Text


class Soc2Exception(msgspec.Struct, frozen=True, kw_only=True):
    """A test of a control that did not pass."""

    id: UUID
    report_id: UUID
    vendor_id: UUID
    vendor_name: str
    criterion: str
    """Trust services criterion, such as `CC6.1`."""
    control: str
    deviation: str
    sample: str | None
    management_response: str | None
    severity: Severity
    created_at: datetime
    updated_at: datetime
    version: int


class NewSoc2Exception(Body):
    """A test of a control that did not pass."""

    criterion: Criterion
    """Trust services criterion, such as `CC6.1`."""
    control: Text
    deviation: Text
    sample: Text | None = None
    management_response: Text | None = None
    severity: Severity = Severity.MEDIUM


class Soc2ExceptionChanges(Body):
    """Changes to a report's exception."""

    control: Text | UnsetType = UNSET
    deviation: Text | UnsetType = UNSET
    sample: Text | UnsetType | None = UNSET
    management_response: Text | UnsetType | None = UNSET
    severity: Severity | UnsetType = UNSET


class Cuec(msgspec.Struct, frozen=True, kw_only=True):
    """A complementary user entity control: ours to operate."""

    id: UUID
    report_id: UUID
    vendor_id: UUID
    vendor_name: str
    criterion: str | None
    control: str
    state: CuecState
    owner_id: UUID | None
    proof: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewCuec(Body):
    """A complementary user entity control."""

    control: Text
    criterion: Criterion | None = None
    state: CuecState = CuecState.OPEN
    owner_id: UUID | None = None
    proof: Text | None = None


class CuecChanges(Body):
    """Changes to a complementary user entity control."""

    control: Text | UnsetType = UNSET
    state: CuecState | UnsetType = UNSET
    owner_id: UUID | UnsetType | None = UNSET
    proof: Text | UnsetType | None = UNSET


class SubserviceOrganisation(msgspec.Struct, frozen=True, kw_only=True):
    """A company that the vendor's system stands on; `provider_id` where it is a vendor of ours too."""

    id: UUID
    report_id: UUID
    vendor_id: UUID
    vendor_name: str
    name: str
    purpose: str | None
    method: SubserviceMethod
    complementary_controls: str | None
    provider_id: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewSubserviceOrganisation(Body):
    """A company that the vendor's system depends on."""

    name: Line
    method: SubserviceMethod
    purpose: Text | None = None
    complementary_controls: Text | None = None
    provider_id: UUID | None = None


class SubserviceChanges(Body):
    """Changes to a subservice organisation."""

    name: Line | UnsetType = UNSET
    method: SubserviceMethod | UnsetType = UNSET
    purpose: Text | UnsetType | None = UNSET
    complementary_controls: Text | UnsetType | None = UNSET
    provider_id: UUID | UnsetType | None = UNSET


class BridgeLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Management's word that nothing has changed since the report's period."""

    id: UUID
    report_id: UUID
    vendor_id: UUID
    vendor_name: str
    document_id: UUID | None
    ends_on: date
    issued_on: date | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewBridgeLetter(Body):
    """A letter of the vendor's management."""

    ends_on: date
    issued_on: date | None = None
    document_id: UUID | None = None


class Soc2Report(msgspec.Struct, frozen=True, kw_only=True):
    """A SOC 2 report as a record. No `service_ids` means every service of the vendor."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    document_id: UUID | None
    type: ReportType
    as_of_on: date | None
    period_start_on: date | None
    period_end_on: date | None
    report_on: date | None
    auditor: str | None
    auditor_licence_state: str | None
    auditor_is_peer_reviewed: bool | None
    opinion: Opinion
    opinion_reason: str | None
    categories: list[TrustCategory]
    criteria_tested: list[str]
    system_name: str | None
    service_ids: list[UUID]
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewSoc2Report(Body):
    """A report, whole: what it says of itself, its exceptions, our controls, its suppliers, its bridge letters."""

    vendor_id: UUID
    type: ReportType
    opinion: Opinion
    categories: Categories
    as_of_on: date | None = None
    period_start_on: date | None = None
    period_end_on: date | None = None
    report_on: date | None = None
    auditor: Line | None = None
    auditor_licence_state: UsState | None = None
    auditor_is_peer_reviewed: bool | None = None
    opinion_reason: Text | None = None
    criteria_tested: Criteria = msgspec.field(default_factory=list)
    system_name: Title | None = None
    service_ids: ServiceIds = msgspec.field(default_factory=list)
    document_id: UUID | None = None
    exceptions: Annotated[list[NewSoc2Exception], Meta(max_length=200)] = msgspec.field(default_factory=list)
    cuecs: Annotated[list[NewCuec], Meta(max_length=200)] = msgspec.field(default_factory=list)
    subservice_organisations: Annotated[list[NewSubserviceOrganisation], Meta(max_length=200)] = msgspec.field(
        default_factory=list
    )
    bridge_letters: Annotated[list[NewBridgeLetter], Meta(max_length=20)] = msgspec.field(default_factory=list)


class Soc2ReportChanges(Body):
    """Changes to a SOC 2 report."""

    as_of_on: date | UnsetType | None = UNSET
    period_start_on: date | UnsetType | None = UNSET
    period_end_on: date | UnsetType | None = UNSET
    report_on: date | UnsetType | None = UNSET
    auditor: Line | UnsetType | None = UNSET
    auditor_licence_state: UsState | UnsetType | None = UNSET
    auditor_is_peer_reviewed: bool | UnsetType | None = UNSET
    opinion: Opinion | UnsetType = UNSET
    opinion_reason: Text | UnsetType | None = UNSET
    categories: Categories | UnsetType = UNSET
    criteria_tested: Criteria | UnsetType = UNSET
    system_name: Title | UnsetType | None = UNSET
    service_ids: ServiceIds | UnsetType = UNSET


class Soc2ReportShown(msgspec.Struct, frozen=True, kw_only=True):
    """A report with all that belongs to it."""

    id: UUID
    report: Soc2Report
    exceptions: list[Soc2Exception]
    cuecs: list[Cuec]
    subservice_organisations: list[SubserviceOrganisation]
    bridge_letters: list[BridgeLetter]
    warnings: list[str]
    version: int


class NewReports(Body):
    """Up to 200 reports. Each is recorded or rejected alone."""

    reports: Annotated[list[NewSoc2Report], Meta(min_length=1, max_length=200)]
    """Each as in recording one report."""


class BulkResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one row: an id, or the problem's code, detail and pointer. Rows stand or fall each for itself."""

    index: int
    status: int
    """The status that the row alone would have been given."""
    id: UUID | None = None
    """The record. Missing if it was not written."""
    code: str | None = None
    detail: str | None = None
    """What to do about the problem. Missing if there is none."""
    pointer: str | None = None
    """JSON pointer (RFC 6901) into the row. Missing if there is no problem."""


class BulkAnswer(msgspec.Struct, frozen=True):
    """The results of many reports."""

    results: list[BulkResult]
    """One result for each row, in the order sent."""


class AreaView(msgspec.Struct, frozen=True):
    """One audit area of a report. `verdict` is "exceptions", "clean", or "not_tested" where none is in scope."""

    area: AuditArea
    criteria: list[str]
    """All criteria of the area."""
    tested: list[str]
    """Criteria of the area that the report tested."""
    exceptions: list[Soc2Exception]
    """Tests of the area that did not pass."""
    verdict: str
    """`exceptions`, `clean`, or `not_tested`."""


class Lens(msgspec.Struct, frozen=True):
    """A report through the five audit areas, and what lies outside them."""

    report_id: UUID
    areas: list[AreaView]
    """The five audit areas."""
    other_exceptions: list[Soc2Exception]
    """Tests outside the five areas that did not pass."""


class StoredCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage of one service as lists show it, as of `computed_on`."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    service_id: UUID | None
    state: CoverageState
    is_qualified: bool
    reason: str
    """Which evidence decides, in a sentence."""
    effective_until_on: date | None
    next_change_on: date | None
    gap_days: int
    """Days between report periods that none covers."""
    missing_categories: list[TrustCategory]
    computed_on: date
    """The day for which it was computed."""
    updated_at: datetime
    version: int


class ServiceCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage of one service at a day, with the whole timeline and the reason for each date."""

    service_id: UUID | None
    service_name: str | None
    at: date
    """The day it was computed for."""
    state: CoverageState
    is_qualified: bool
    reason: str
    """Which evidence decides, in a sentence."""
    effective_until_on: date | None
    preparation_from_on: date | None
    """Day from which to ask for the next report. Null if nothing counts."""
    next_change_on: date | None
    gaps: list[Gap]
    """Days between report periods that none covers."""
    warnings: list[str]
    categories_needed: list[TrustCategory]
    categories_relied_on: list[TrustCategory]
    """Categories that evidence covers on the day."""
    missing_categories: list[TrustCategory]
    timeline: list[Segment]
    """The days in stretches of one state each, oldest first."""

    @classmethod
    def of(cls, found: Coverage, **more: Any) -> "ServiceCoverage":
        return cls(
            at=found.at,
            state=found.state,
            is_qualified=found.qualified,
            reason=found.reason,
            effective_until_on=found.effective_until_on,
            preparation_from_on=found.preparation_from_on,
            next_change_on=found.next_change_on,
            gaps=list(found.gaps),
            warnings=list(found.warnings),
            timeline=list(found.timeline),
            **more,
        )


class VendorCoverage(msgspec.Struct, frozen=True):
    """The coverage of every service of a vendor at a day."""

    vendor_id: UUID
    vendor_name: str
    at: date
    """The day it was computed for."""
    services: list[ServiceCoverage]
    """One entry for each service, or one for the vendor as a whole."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What our rules read in a file: a field, a value, and where it stands. `confidence` runs from 0 to 1."""

    id: UUID
    document_id: UUID
    """The document that was read."""
    field: str
    """The field of the record that the value is for."""
    value: Any
    """Its type depends on the field."""
    page: int
    """Page of the file, from 1."""
    quotation: str
    """The page's own words."""
    confidence: float
    """0 to 1. It orders proposals and is no probability."""
    decision: Decision
    decided_by_label: str | None
    decided_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewDecision(Body):
    """A person's word on a proposal."""

    decision: Literal["confirmed", "rejected"]
    """Whether the value is right."""


class PolicyShown(msgspec.Struct, frozen=True):
    """The policy in force; version 0 is the default that nobody has changed."""

    policy: EvidencePolicy
    """The policy."""
    version: int
