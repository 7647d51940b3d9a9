"""SOC 2 reports and their parts: stored records, request bodies and responses."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body
from vendorrisk.evidence.coverage import AuditorOpinion, ReportType
from vendorrisk.evidence.model import _US, Categories, Criteria, Criterion, Line, ServiceIds, Text
from vendorrisk.findings.model import FindingSeverity, Title
from vendorrisk.vendors.model import TrustCategory


class CuecState(StrEnum):
    """Whether we operate a complementary user entity control. `in_place` needs an owner and a proof."""

    OPEN = "open"
    IN_PLACE = "in_place"
    NOT_APPLICABLE = "not_applicable"


class SubserviceMethod(StrEnum):
    """How a report treats a subservice organisation: its controls left out, or tested with the rest."""

    CARVE_OUT = "carve_out"
    INCLUSIVE = "inclusive"


_US_STATES = (
    r"^(?:A[KLRZ]|C[AOT]|D[CE]|FL|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ADEINOPST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT"
    r"|V[AIT]|W[AIVY])\Z"
)
UsState = Annotated[str, Meta(pattern=_US_STATES, extra=_US, description="Also DC, GU, MP, PR, VI.", examples=["CA"])]


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
    severity: FindingSeverity
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
    severity: FindingSeverity = FindingSeverity.MEDIUM


class Soc2ExceptionChanges(Body):
    """Changes to a report's exception."""

    control: Text | UnsetType = UNSET
    deviation: Text | UnsetType = UNSET
    sample: Text | UnsetType | None = UNSET
    management_response: Text | UnsetType | None = UNSET
    severity: FindingSeverity | UnsetType = UNSET


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
    """A company that the vendor's system depends on. `provider_id` is set if it is a vendor of ours too."""

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


class SubserviceOrganisationChanges(Body):
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


class BridgeLetterChanges(Body):
    """Changes to a bridge letter."""

    ends_on: date | UnsetType = UNSET
    issued_on: date | UnsetType | None = UNSET
    document_id: UUID | UnsetType | None = UNSET


class Soc2Report(msgspec.Struct, frozen=True, kw_only=True):
    """A SOC 2 report as a record. No `service_ids` means every service of the vendor."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    document_id: UUID | None
    report_type: ReportType
    as_of_on: date | None
    period_start_on: date | None
    period_end_on: date | None
    report_on: date | None
    auditor: str | None
    auditor_licence_state: str | None
    auditor_is_peer_reviewed: bool | None
    opinion: AuditorOpinion
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
    """A whole report: its own data, its exceptions, our controls, its suppliers, its bridge letters."""

    vendor_id: UUID
    report_type: ReportType
    opinion: AuditorOpinion
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
    opinion: AuditorOpinion | UnsetType = UNSET
    opinion_reason: Text | UnsetType | None = UNSET
    categories: Categories | UnsetType = UNSET
    criteria_tested: Criteria | UnsetType = UNSET
    system_name: Title | UnsetType | None = UNSET
    service_ids: ServiceIds | UnsetType = UNSET


class Soc2ReportDetail(Soc2Report, frozen=True, kw_only=True):
    """A report with all that belongs to it."""

    exceptions: list[Soc2Exception]
    cuecs: list[Cuec]
    subservice_organisations: list[SubserviceOrganisation]
    bridge_letters: list[BridgeLetter]
    warnings: list[str]
