"""What is stored and returned of coverage, and the view by audit area."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.evidence.coverage import Coverage, CoverageState, Gap, Segment
from vendorrisk.evidence.criteria import AuditArea
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.evidence.report_model import Soc2Exception
from vendorrisk.vendors.model import TrustCategory


class AreaView(msgspec.Struct, frozen=True):
    """One audit area of a report. `verdict` is "exceptions", "clean", or "not_tested" where none is in scope."""

    area: AuditArea
    criteria: list[str]
    tested: list[str]
    exceptions: list[Soc2Exception]
    verdict: str


class Lens(msgspec.Struct, frozen=True):
    """A report through the five audit areas, and what lies outside them."""

    report_id: UUID
    areas: list[AreaView]
    other_exceptions: list[Soc2Exception]


class StoredCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage of one service as lists show it, as of `computed_on`."""

    id: UUID
    vendor_id: UUID
    service_id: UUID | None
    state: CoverageState
    is_qualified: bool
    reason: str
    effective_until_on: date | None
    next_change_on: date | None
    gap_days: int
    missing_categories: list[TrustCategory]
    computed_on: date
    version: int


class ServiceCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The coverage of one service at a day, with the whole timeline and the reason for each date."""

    service_id: UUID | None
    service_name: str | None
    at: date
    state: CoverageState
    is_qualified: bool
    reason: str
    effective_until_on: date | None
    preparation_from_on: date | None
    next_change_on: date | None
    gaps: list[Gap]
    warnings: list[str]
    categories_needed: list[TrustCategory]
    categories_relied_on: list[TrustCategory]
    missing_categories: list[TrustCategory]
    timeline: list[Segment]

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
    at: date
    services: list[ServiceCoverage]


class PolicyShown(msgspec.Struct, frozen=True):
    """The policy in force; version 0 is the default that nobody has changed."""

    policy: EvidencePolicy
    version: int
