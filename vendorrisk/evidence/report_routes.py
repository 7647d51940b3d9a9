"""Routes of SOC 2 reports and their parts."""

from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.evidence import report_part_queries, reports
from vendorrisk.evidence.coverage_model import AuditAreas
from vendorrisk.evidence.document_model import Withdrawal
from vendorrisk.evidence.report_model import (
    BridgeLetter,
    Cuec,
    CuecChanges,
    NewBridgeLetter,
    NewCuec,
    NewSoc2Exception,
    NewSoc2Report,
    NewSubserviceOrganisation,
    Soc2Exception,
    Soc2ExceptionChanges,
    Soc2Report,
    Soc2ReportChanges,
    Soc2ReportDetail,
    SubserviceOrganisation,
    SubserviceOrganisationChanges,
)
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage
from vendorrisk.http.routing import acts, changes, creates, lists, reads, removes

_WHOLE = [
    Code.REFERENCE_UNKNOWN,
    Code.DATES_INVALID,
    Code.SECURITY_CATEGORY_MISSING,
    Code.CRITERION_UNKNOWN,
    Code.SOC2_REPORT_KNOWN,
    Code.CUEC_WITHOUT_PROOF,
    Code.BRIDGE_LETTER_INVALID,
    Code.BRIDGE_LETTER_KNOWN,
    Code.REPORT_WITHDRAWN,
    Code.DOCUMENT_SUPERSEDED,
    Code.FOURTH_PARTY_IS_THE_VENDOR,
]


@lists("/soc2-reports", Permission.EVIDENCE_READ, report_part_queries.REPORTS)
async def list_soc2_reports(work: InWork, page: ListPage) -> Page[Soc2Report]:
    """List SOC 2 reports."""
    return await reports.reports(work, page)


@creates(
    "/soc2-reports",
    Permission.EVIDENCE_WRITE,
    at="/v1/soc2-reports/{id}",
    refuses=_WHOLE,
    example={
        "vendor_id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10",
        "report_type": "type_2",
        "period_start_on": "2025-01-01",
        "period_end_on": "2025-12-31",
        "opinion": "unqualified",
        "categories": ["security", "availability"],
        "auditor": "Example CPA LLP",
    },
)
async def record_soc2_report(work: InWork, data: JSONBody[NewSoc2Report]) -> Soc2ReportDetail:
    """Record a report, whole. Coverage follows. An opinion that is not clean and each exception open a finding."""
    return await reports.record(work, data)


@reads("/soc2-reports/{report_id:uuid}", Permission.EVIDENCE_READ)
async def get_soc2_report(work: InWork, report_id: FromPath[UUID]) -> Soc2ReportDetail:
    """Read a report with its exceptions, our controls, its suppliers, its letters, and its questionable points."""
    return await reports.report(work, report_id)


@changes(
    "/soc2-reports/{report_id:uuid}",
    Permission.EVIDENCE_WRITE,
    refuses=_WHOLE,
    example={"auditor": "Example Auditors LLP"},
)
async def change_soc2_report(
    work: InWork, expected: ExpectedVersion, report_id: FromPath[UUID], data: JSONBody[Soc2ReportChanges]
) -> Soc2ReportDetail:
    """Change a SOC 2 report. Coverage is computed again."""
    return await reports.change(work, report_id, data, expected)


@acts(
    "/soc2-reports/{report_id:uuid}/withdrawal",
    Permission.EVIDENCE_WRITE,
    refuses=[Code.REPORT_WITHDRAWN],
    example={"reason": "The auditor withdrew it."},
)
async def withdraw_soc2_report(
    work: InWork, expected: ExpectedVersion, report_id: FromPath[UUID], data: JSONBody[Withdrawal]
) -> Soc2ReportDetail:
    """Withdraw a report. It stays on record but no longer counts, and the findings it opened end."""
    return await reports.withdraw(work, report_id, data, expected)


@reads("/soc2-reports/{report_id:uuid}/audit-areas", Permission.EVIDENCE_READ)
async def get_audit_areas(work: InWork, report_id: FromPath[UUID]) -> AuditAreas:
    """Look at a report through the five audit areas: control environment to control activities (CC1 to CC5)."""
    return await reports.audit_areas(work, report_id)


@lists("/exceptions", Permission.EVIDENCE_READ, report_part_queries.EXCEPTIONS)
async def list_exceptions(work: InWork, page: ListPage) -> Page[Soc2Exception]:
    """List the exceptions of all SOC 2 reports."""
    return await reports.all_exceptions(work, page)


@creates(
    "/soc2-reports/{report_id:uuid}/exceptions",
    Permission.EVIDENCE_WRITE,
    refuses=_WHOLE,
    example={
        "criterion": "CC6.1",
        "control": "Access is reviewed each quarter",
        "deviation": "One review of four was late",
        "severity": "medium",
    },
)
async def add_soc2_exception(
    work: InWork, report_id: FromPath[UUID], data: JSONBody[NewSoc2Exception]
) -> Soc2Exception:
    """Add an exception. It opens a finding."""
    return await reports.add_exception(work, report_id, data)


@changes(
    "/soc2-reports/{report_id:uuid}/exceptions/{exception_id:uuid}",
    Permission.EVIDENCE_WRITE,
    example={"management_response": "Reviews are scheduled centrally since May."},
)
async def change_soc2_exception(
    work: InWork,
    expected: ExpectedVersion,
    report_id: FromPath[UUID],
    exception_id: FromPath[UUID],
    data: JSONBody[Soc2ExceptionChanges],
) -> Soc2Exception:
    """Change a report's exception."""
    return await reports.change_exception(work, report_id, exception_id, data, expected)


@lists("/cuecs", Permission.EVIDENCE_READ, report_part_queries.CUECS)
async def list_cuecs(work: InWork, page: ListPage) -> Page[Cuec]:
    """List the complementary controls of all SOC 2 reports. Those without an owner: `filter=owner_id:null:true`."""
    return await reports.all_cuecs(work, page)


@creates(
    "/soc2-reports/{report_id:uuid}/cuecs",
    Permission.EVIDENCE_WRITE,
    refuses=_WHOLE,
    example={"control": "Customers remove leavers from their account", "criterion": "CC6.2"},
)
async def add_cuec(work: InWork, report_id: FromPath[UUID], data: JSONBody[NewCuec]) -> Cuec:
    """Add a control that is ours to operate (complementary user entity control)."""
    return await reports.add_cuec(work, report_id, data)


@changes(
    "/soc2-reports/{report_id:uuid}/cuecs/{cuec_id:uuid}",
    Permission.EVIDENCE_WRITE,
    refuses=[Code.CUEC_WITHOUT_PROOF, Code.REFERENCE_UNKNOWN],
    example={"state": "not_applicable"},
)
async def change_cuec(
    work: InWork,
    expected: ExpectedVersion,
    report_id: FromPath[UUID],
    cuec_id: FromPath[UUID],
    data: JSONBody[CuecChanges],
) -> Cuec:
    """Name the person who operates the control, and its proof."""
    return await reports.change_cuec(work, report_id, cuec_id, data, expected)


@lists("/subservice-organisations", Permission.EVIDENCE_READ, report_part_queries.SUBSERVICE)
async def list_subservice_organisations(work: InWork, page: ListPage) -> Page[SubserviceOrganisation]:
    """List the subservice organisations of all SOC 2 reports."""
    return await reports.all_subservice_organisations(work, page)


@creates(
    "/soc2-reports/{report_id:uuid}/subservice-organisations",
    Permission.EVIDENCE_WRITE,
    refuses=_WHOLE,
    example={"name": "Borealis Hosting", "method": "carve_out", "purpose": "Data centre"},
)
async def add_subservice_organisation(
    work: InWork, report_id: FromPath[UUID], data: JSONBody[NewSubserviceOrganisation]
) -> SubserviceOrganisation:
    """Add a company that the vendor's system stands on, carved out or included."""
    return await reports.add_subservice(work, report_id, data)


@changes(
    "/soc2-reports/{report_id:uuid}/subservice-organisations/{organisation_id:uuid}",
    Permission.EVIDENCE_WRITE,
    refuses=[Code.REFERENCE_UNKNOWN, Code.FOURTH_PARTY_IS_THE_VENDOR],
    example={"complementary_controls": "Physical access is logged"},
)
async def change_subservice_organisation(
    work: InWork,
    expected: ExpectedVersion,
    report_id: FromPath[UUID],
    organisation_id: FromPath[UUID],
    data: JSONBody[SubserviceOrganisationChanges],
) -> SubserviceOrganisation:
    """Change it, or link it to a vendor of ours."""
    return await reports.change_subservice(work, report_id, organisation_id, data, expected)


@creates(
    "/soc2-reports/{report_id:uuid}/bridge-letters",
    Permission.EVIDENCE_WRITE,
    refuses=_WHOLE,
    example={"ends_on": "2026-02-28", "issued_on": "2026-03-01"},
)
async def add_bridge_letter(work: InWork, report_id: FromPath[UUID], data: JSONBody[NewBridgeLetter]) -> BridgeLetter:
    """Add management's bridge letter for the time after the report's period. It bridges, and never covers."""
    return await reports.add_letter(work, report_id, data)


@removes(
    "/soc2-reports/{report_id:uuid}/bridge-letters/{letter_id:uuid}",
    Permission.EVIDENCE_WRITE,
    refuses=[Code.REPORT_WITHDRAWN],
)
async def remove_bridge_letter(
    work: InWork, expected: ExpectedVersion, report_id: FromPath[UUID], letter_id: FromPath[UUID]
) -> None:
    """Remove a letter that was recorded wrongly. Coverage follows."""
    await reports.remove_letter(work, report_id, letter_id, expected)


router = Router(
    "/",
    route_handlers=[
        list_soc2_reports,
        record_soc2_report,
        get_soc2_report,
        change_soc2_report,
        withdraw_soc2_report,
        get_audit_areas,
        list_exceptions,
        add_soc2_exception,
        change_soc2_exception,
        list_cuecs,
        add_cuec,
        change_cuec,
        list_subservice_organisations,
        add_subservice_organisation,
        change_subservice_organisation,
        add_bridge_letter,
        remove_bridge_letter,
    ],
    tags=["SOC 2 reports"],
)
