"""The statements of evidence: documents, proposals, reports and their parts, coverage, policy."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.evidence.coverage import CoverageState
from vendorrisk.evidence.coverage_model import EvidencePolicyDetail, StoredCoverage
from vendorrisk.evidence.document_model import Assurance, Document, DocumentClassification, DocumentKind, TextExtraction
from vendorrisk.evidence.holders import holders_of_document, holders_of_report
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.evidence.report_model import (
    Cuec,
    NewCuec,
    NewSoc2Exception,
    NewSubserviceOrganisation,
    Soc2Exception,
    Soc2Report,
    SubserviceOrganisation,
)
from vendorrisk.ids import new_id
from vendorrisk.vendors.identifiers import name_key
from vendorrisk.vendors.model import TrustCategory
from vendorrisk.vendors.supply_chain_model import VendorService


class VendorInBrief(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    lifecycle: str


class StoredPolicy(msgspec.Struct, frozen=True):
    policy: EvidencePolicy
    version: int


_sql = QueryFile("evidence")
_FIND_POLICY = _sql.rows("find_policy", StoredPolicy)
_LOCK_POLICY = _sql.rows("lock_policy", StoredPolicy)
_SAVE_POLICY = _sql.rows("save_policy", StoredPolicy)
_INSERT_DOCUMENT = _sql.rows("insert_document", Document)
_FIND_DOCUMENT = _sql.rows("find_document", Document)
_LOCK_DOCUMENT = _sql.rows("lock_document", Document)
_LOCK_DOCUMENT_OF_REFERENCE = _sql.rows("lock_document_of_reference", Document)
LIST_DOCUMENTS = _sql.rows("list_documents", Document)
_SUPPORTING_DOCUMENTS = _sql.rows("supporting_documents", Document)
_CURRENT_DOCUMENTS = _sql.rows("current_documents", Document)
_UPDATE_DOCUMENT = _sql.rows("update_document", Document)
_RECHECK_AFTER = _sql.command("recheck_after")
_DOCUMENTS_TO_RECHECK = _sql.scalar("documents_to_recheck", UUID)
_INSERT_REPORT = _sql.command("insert_report")
_COVER_SERVICES = _sql.command("cover_services")
_UNCOVER_SERVICES = _sql.command("uncover_services")
_FIND_REPORT = _sql.rows("find_report", Soc2Report)
_LOCK_REPORT = _sql.rows("lock_report", Soc2Report)
LIST_REPORTS = _sql.rows("list_reports", Soc2Report)
_REPORTS_OF_VENDORS = _sql.rows("reports_of_vendors", Soc2Report)
_REPORTS_RESTING_ON = _sql.scalar("reports_resting_on", int)
_UPDATE_REPORT = _sql.command("update_report")
_INSERT_EXCEPTION = _sql.rows("insert_exception", Soc2Exception)
_LIST_EXCEPTIONS = _sql.rows("list_exceptions", Soc2Exception)
_LOCK_EXCEPTION = _sql.rows("lock_exception", Soc2Exception)
_UPDATE_EXCEPTION = _sql.rows("update_exception", Soc2Exception)
_INSERT_CUEC = _sql.rows("insert_cuec", Cuec)
_LIST_CUECS = _sql.rows("list_cuecs", Cuec)
_LOCK_CUEC = _sql.rows("lock_cuec", Cuec)
_UPDATE_CUEC = _sql.rows("update_cuec", Cuec)
_INSERT_SUBSERVICE = _sql.rows("insert_subservice", SubserviceOrganisation)
_LIST_SUBSERVICE = _sql.rows("list_subservice", SubserviceOrganisation)
_LOCK_SUBSERVICE = _sql.rows("lock_subservice", SubserviceOrganisation)
_UPDATE_SUBSERVICE = _sql.rows("update_subservice", SubserviceOrganisation)
_FIND_VENDOR = _sql.rows("find_vendor_in_brief", VendorInBrief)
_LOCK_VENDOR = _sql.rows("lock_vendor", VendorInBrief)
_SERVICES = _sql.rows("services_of_vendor", VendorService)
_COVERAGE_OF_VENDOR = _sql.rows("coverage_of_vendor", StoredCoverage)
_SAVE_COVERAGE = _sql.rows("save_coverage", StoredCoverage)
_DROP_COVERAGE = _sql.command("drop_coverage")
LIST_COVERAGE = _sql.rows("list_coverage", StoredCoverage)
_VENDORS_WITH_COVERAGE = _sql.scalar("vendors_with_coverage", UUID)
_VENDORS_WITH_CHANGES = _sql.scalar("vendors_with_changes", UUID)

_AT = Column("created_at", datetime, "timestamptz", RANGE, sortable=True)
_UPDATED = Column("updated_at", datetime, "timestamptz", RANGE, sortable=True)
_DAY = partial(Column, kind=date, pg="date", operators=RANGE, sortable=True, nullable=True)
_ID = Column("id", UUID, "uuid")
_VENDOR = Column("vendor_id", UUID, "uuid")
_SERVICE = Column("service_id", UUID, "uuid", nullable=True)

DOCUMENTS = ListOf(
    "documents",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "service_id": _SERVICE,
        "kind": Column("kind", DocumentKind),
        "title": Column("title", sortable=True),
        "reference": Column("reference", nullable=True),
        "classification": Column("classification", DocumentClassification),
        "assurance": Column("assurance", Assurance),
        "issued_on": _DAY("issued_on"),
        "valid_from_on": _DAY("valid_from_on"),
        "stated_until_on": _DAY("stated_until_on"),
        "expires_on": _DAY("expires_on"),
        "superseded_at": Column("superseded_at", datetime, "timestamptz", RANGE, nullable=True),
        "withdrawn_at": Column("withdrawn_at", datetime, "timestamptz", RANGE, nullable=True),
        "file_sha256": Column("file_sha256", nullable=True),
        "extraction": Column("extraction", TextExtraction),
        "created_at": _AT,
        "updated_at": _UPDATED,
    },
    default_sort="-created_at",
)
COVERAGE = ListOf(
    "soc2_coverage",
    {
        "id": Column("id", UUID, "uuid", sortable=True),
        "vendor_id": _VENDOR,
        "service_id": _SERVICE,
        "state": Column("state", CoverageState),
        "is_qualified": Column("is_qualified", bool, "boolean", EQUALITY),
        "effective_until_on": Column("effective_until_on", date, "date", RANGE, sortable=True, nullable=True),
        "next_change_on": Column("next_change_on", date, "date", RANGE, nullable=True),
        "gap_days": Column("gap_days", int, "integer", RANGE),
        "missing_categories": Column("missing_categories", TrustCategory, operators=frozenset({Operator.HAS})),
        "updated_at": _UPDATED,
    },
    default_sort="effective_until_on",
)
_UNKNOWN_VENDOR = (Code.REFERENCE_UNKNOWN, "There is no such vendor.", "/vendor_id")
_UNKNOWN_SERVICE = (Code.REFERENCE_UNKNOWN, "There is no such service. Add it to the vendor first.", "/service_id")
UNKNOWN_DOCUMENT = (Code.REFERENCE_UNKNOWN, "There is no such document.", "/document_id")
_DOCUMENT_BROKEN = {
    "documents_reference_is_unique": (
        Code.DOCUMENT_REFERENCE_TAKEN,
        "Another document that counts has this reference.",
        "/reference",
    ),
    "documents_vendor_is_known": _UNKNOWN_VENDOR,
    "documents_service_is_known": _UNKNOWN_SERVICE,
    "documents_superseded_one_is_known": (Code.REFERENCE_UNKNOWN, "There is no such document.", "/supersedes_id"),
    "documents_are_superseded_once": (
        Code.DOCUMENT_SUPERSEDED,
        "It has a newer revision already. Supersede that one.",
        "/supersedes_id",
    ),
}
_KNOWN = (Code.SOC2_REPORT_KNOWN, "Change the recorded one, or withdraw it first.", None)
_REPORT_BROKEN = {
    "soc2_reports_vendor_is_known": _UNKNOWN_VENDOR,
    "soc2_reports_document_is_known": UNKNOWN_DOCUMENT,
    "soc2_reports_document_is_recorded_once": _KNOWN,
    "soc2_reports_period_is_recorded_once": _KNOWN,
    "soc2_report_services_service_is_known": (Code.REFERENCE_UNKNOWN, "There is no such service.", "/service_ids"),
}
_CUEC_BROKEN = {
    "soc2_cuecs_owner_is_known": (Code.REFERENCE_UNKNOWN, "There is no such member.", "/owner_id"),
    "soc2_cuecs_in_place_have_an_owner_and_a_proof": (
        Code.CUEC_WITHOUT_PROOF,
        "Name the control's owner and its proof.",
        "/state",
    ),
}
_SUBSERVICE_BROKEN = {
    "soc2_subservice_provider_is_known": (Code.REFERENCE_UNKNOWN, "There is no such vendor.", "/provider_id")
}


async def find_policy(work: Work) -> EvidencePolicyDetail | None:
    stored = await _FIND_POLICY.one_or_none(work.db, work.tenant_id)
    return None if stored is None else _detailed(stored)


async def lock_policy(work: Work) -> EvidencePolicyDetail | None:
    stored = await _LOCK_POLICY.one_or_none(work.db, work.tenant_id)
    return None if stored is None else _detailed(stored)


async def save_policy(work: Work, policy: EvidencePolicy) -> EvidencePolicyDetail:
    return _detailed(await _SAVE_POLICY.one(work.db, work.tenant_id, policy, work.now))


def _detailed(stored: StoredPolicy) -> EvidencePolicyDetail:
    return EvidencePolicyDetail(**msgspec.structs.asdict(stored.policy), version=stored.version)


async def insert_document(work: Work, d: Document) -> Document:
    own = (d.id, d.vendor_id, d.service_id, d.kind, d.title, d.classification, d.issued_on, d.valid_from_on)
    more = (d.stated_until_on, d.surveillance_on, d.expires_on, d.assurance, d.note, d.revision, d.supersedes_id)
    with refusing(_DOCUMENT_BROKEN, holders_of_document(d.reference), seen_by="evidence:read"):
        return await _INSERT_DOCUMENT.one(work.db, work.tenant_id, *own, *more, work.now, d.reference, d.metadata)


async def find_document(work: Work, document_id: UUID) -> Document | None:
    return await _FIND_DOCUMENT.one_or_none(work.db, work.tenant_id, document_id)


async def lock_document(work: Work, document_id: UUID) -> Document | None:
    return await _LOCK_DOCUMENT.one_or_none(work.db, work.tenant_id, document_id)


async def supporting_documents(work: Work, vendor_id: UUID) -> list[Document]:
    return await _SUPPORTING_DOCUMENTS.many(work.db, work.tenant_id, vendor_id)


async def current_documents(work: Work, after: UUID, most: int) -> list[Document]:
    return await _CURRENT_DOCUMENTS.many(work.db, work.tenant_id, after, most)


async def update_document(work: Work, d: Document) -> Document:
    own = (d.id, d.title, d.service_id, d.classification, d.issued_on, d.valid_from_on, d.stated_until_on)
    more = (d.surveillance_on, d.expires_on, d.assurance, d.note, d.superseded_at, d.withdrawn_at)
    with refusing(_DOCUMENT_BROKEN, holders_of_document(d.reference), seen_by="evidence:read"):
        return await _UPDATE_DOCUMENT.one(work.db, work.tenant_id, *own, *more, work.now, d.reference, d.metadata)


async def lock_document_of_reference(work: Work, reference: str) -> Document | None:
    return await _LOCK_DOCUMENT_OF_REFERENCE.one_or_none(work.db, work.tenant_id, reference)


async def recheck_after(work: Work, document_id: UUID, until: date | None) -> None:
    """Let the job evaluate a document again on the day after this one. Without a day, the job never does."""
    await _RECHECK_AFTER.run(work.db, work.tenant_id, document_id, until)


async def documents_to_recheck(work: Work, most: int) -> list[UUID]:
    return await _DOCUMENTS_TO_RECHECK.many(work.db, work.tenant_id, work.today, most, work.now)


async def insert_report(work: Work, r: Soc2Report) -> None:
    own = (r.id, r.vendor_id, r.document_id, r.report_type, r.as_of_on, r.period_start_on, r.period_end_on, r.report_on)
    auditor = (r.auditor, r.auditor_licence_state, r.auditor_is_peer_reviewed, r.opinion, r.opinion_reason)
    scope = (r.categories, r.criteria_tested, r.system_name)
    with refusing(_REPORT_BROKEN, holders_of_report(r), seen_by="evidence:read"):
        await _INSERT_REPORT.run(work.db, work.tenant_id, *own, *auditor, *scope, work.now)
        await _COVER_SERVICES.run(work.db, work.tenant_id, r.id, r.service_ids)


async def find_report(work: Work, report_id: UUID) -> Soc2Report | None:
    return await _FIND_REPORT.one_or_none(work.db, work.tenant_id, report_id)


async def lock_report(work: Work, report_id: UUID) -> Soc2Report | None:
    return await _LOCK_REPORT.one_or_none(work.db, work.tenant_id, report_id)


async def reports_of_vendor(work: Work, vendor_id: UUID) -> list[Soc2Report]:
    return await _REPORTS_OF_VENDORS.many(work.db, work.tenant_id, [vendor_id])


async def reports_resting_on(work: Work, document_id: UUID) -> int:
    """Count the reports that count and were recorded from a document."""
    return await _REPORTS_RESTING_ON.one(work.db, work.tenant_id, document_id)


async def update_report(work: Work, r: Soc2Report) -> None:
    dates = (r.id, r.as_of_on, r.period_start_on, r.period_end_on, r.report_on)
    auditor = (r.auditor, r.auditor_licence_state, r.auditor_is_peer_reviewed, r.opinion, r.opinion_reason)
    scope = (r.categories, r.criteria_tested, r.system_name, r.withdrawn_at, r.withdrawn_reason)
    with refusing(_REPORT_BROKEN, holders_of_report(r), seen_by="evidence:read"):
        await _UPDATE_REPORT.run(work.db, work.tenant_id, *dates, *auditor, *scope, work.now)
        await _UNCOVER_SERVICES.run(work.db, work.tenant_id, r.id)
        await _COVER_SERVICES.run(work.db, work.tenant_id, r.id, r.service_ids)


async def insert_exception(work: Work, report_id: UUID, e: NewSoc2Exception) -> Soc2Exception:
    own = (e.criterion, e.control, e.deviation, e.sample, e.management_response, e.severity)
    return await _INSERT_EXCEPTION.one(work.db, work.tenant_id, new_id(), report_id, *own, work.now)


async def exceptions(work: Work, report_id: UUID) -> list[Soc2Exception]:
    return await _LIST_EXCEPTIONS.many(work.db, work.tenant_id, report_id)


async def lock_exception(work: Work, report_id: UUID, exception_id: UUID) -> Soc2Exception | None:
    return await _LOCK_EXCEPTION.one_or_none(work.db, work.tenant_id, report_id, exception_id)


async def update_exception(work: Work, e: Soc2Exception) -> Soc2Exception:
    own = (e.id, e.control, e.deviation, e.sample, e.management_response, e.severity)
    return await _UPDATE_EXCEPTION.one(work.db, work.tenant_id, *own, work.now)


async def insert_cuec(work: Work, report_id: UUID, c: NewCuec) -> Cuec:
    own = (c.criterion, c.control, c.state, c.owner_id, c.proof)
    with refusing(_CUEC_BROKEN):
        return await _INSERT_CUEC.one(work.db, work.tenant_id, new_id(), report_id, *own, work.now)


async def cuecs(work: Work, report_id: UUID) -> list[Cuec]:
    return await _LIST_CUECS.many(work.db, work.tenant_id, report_id)


async def lock_cuec(work: Work, report_id: UUID, cuec_id: UUID) -> Cuec | None:
    return await _LOCK_CUEC.one_or_none(work.db, work.tenant_id, report_id, cuec_id)


async def update_cuec(work: Work, c: Cuec) -> Cuec:
    with refusing(_CUEC_BROKEN):
        return await _UPDATE_CUEC.one(work.db, work.tenant_id, c.id, c.control, c.state, c.owner_id, c.proof, work.now)


async def insert_subservice(work: Work, report_id: UUID, s: NewSubserviceOrganisation) -> SubserviceOrganisation:
    own = (s.name, s.purpose, s.method, s.complementary_controls, s.provider_id)
    with refusing(_SUBSERVICE_BROKEN):
        key = name_key(s.name)
        return await _INSERT_SUBSERVICE.one(work.db, work.tenant_id, new_id(), report_id, *own, work.now, key)


async def subservice(work: Work, report_id: UUID) -> list[SubserviceOrganisation]:
    return await _LIST_SUBSERVICE.many(work.db, work.tenant_id, report_id)


async def lock_subservice(work: Work, report_id: UUID, organisation_id: UUID) -> SubserviceOrganisation | None:
    return await _LOCK_SUBSERVICE.one_or_none(work.db, work.tenant_id, report_id, organisation_id)


async def update_subservice(work: Work, s: SubserviceOrganisation) -> SubserviceOrganisation:
    own = (s.id, s.name, s.purpose, s.method, s.complementary_controls, s.provider_id)
    with refusing(_SUBSERVICE_BROKEN):
        return await _UPDATE_SUBSERVICE.one(work.db, work.tenant_id, *own, work.now)


async def find_vendor(work: Work, vendor_id: UUID) -> VendorInBrief | None:
    return await _FIND_VENDOR.one_or_none(work.db, work.tenant_id, vendor_id)


async def lock_vendor(work: Work, vendor_id: UUID) -> VendorInBrief | None:
    return await _LOCK_VENDOR.one_or_none(work.db, work.tenant_id, vendor_id)


async def services_of_vendor(work: Work, vendor_id: UUID) -> list[VendorService]:
    return await _SERVICES.many(work.db, work.tenant_id, vendor_id)


async def coverage_of_vendor(work: Work, vendor_id: UUID) -> list[StoredCoverage]:
    return await _COVERAGE_OF_VENDOR.many(work.db, work.tenant_id, vendor_id)


async def save_coverage(work: Work, c: StoredCoverage) -> StoredCoverage:
    own = (c.id, c.vendor_id, c.service_id, c.state, c.is_qualified, c.reason, c.effective_until_on)
    more = (c.next_change_on, c.gap_days, c.missing_categories, c.computed_on, c.updated_at)
    return await _SAVE_COVERAGE.one(work.db, work.tenant_id, *own, *more)


async def drop_coverage(work: Work, ids: Sequence[UUID]) -> None:
    await _DROP_COVERAGE.run(work.db, work.tenant_id, list(ids))


async def vendors_with_coverage(work: Work, after: UUID, most: int) -> list[UUID]:
    return await _VENDORS_WITH_COVERAGE.many(work.db, work.tenant_id, after, most)


async def vendors_with_changes(work: Work, most: int) -> list[UUID]:
    return await _VENDORS_WITH_CHANGES.many(work.db, work.tenant_id, work.today, most, work.now)
