"""Coverage and the view by audit area: stored records and responses."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.evidence.coverage import Coverage, CoverageGap, CoverageSegment, CoverageState
from vendorrisk.evidence.criteria import AuditArea
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.evidence.report_model import Soc2Exception
from vendorrisk.vendors.model import TrustCategory


class AuditAreaResult(msgspec.Struct, frozen=True):
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


class AuditAreas(msgspec.Struct, frozen=True):
    """A report through the five audit areas, and the criteria outside them."""

    report_id: UUID
    areas: list[AuditAreaResult]
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
    gaps: list[CoverageGap]
    """Days between report periods that none covers."""
    warnings: list[str]
    categories_needed: list[TrustCategory]
    categories_relied_on: list[TrustCategory]
    """Categories that evidence covers on the day."""
    missing_categories: list[TrustCategory]
    timeline: list[CoverageSegment]
    """The days in stretches of one state each, oldest first."""

    @classmethod
    def of(cls, found: Coverage, **more: Any) -> "ServiceCoverage":
        return cls(
            at=found.at,
            state=found.state,
            is_qualified=found.is_qualified,
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


class EvidencePolicyDetail(EvidencePolicy, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The policy in force. Version 0 is the unchanged default."""

    version: int
