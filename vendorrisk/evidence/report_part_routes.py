"""The routes of one part of a SOC 2 report, beside those that add and change parts."""

from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.errors import Code
from vendorrisk.evidence import report_parts
from vendorrisk.evidence.report_model import (
    BridgeLetter,
    BridgeLetterChanges,
    Cuec,
    Soc2Exception,
    SubserviceOrganisation,
)
from vendorrisk.http.dependencies import ExpectedVersion, InWork
from vendorrisk.http.routing import changes, reads, removes

_EXCEPTION = "/soc2-reports/{report_id:uuid}/exceptions/{exception_id:uuid}"
_CUEC = "/soc2-reports/{report_id:uuid}/cuecs/{cuec_id:uuid}"
_ORGANISATION = "/soc2-reports/{report_id:uuid}/subservice-organisations/{organisation_id:uuid}"
_LETTER = "/soc2-reports/{report_id:uuid}/bridge-letters/{letter_id:uuid}"


@reads(_EXCEPTION, Permission.EVIDENCE_READ)
async def get_soc2_exception(work: InWork, report_id: FromPath[UUID], exception_id: FromPath[UUID]) -> Soc2Exception:
    """Return an exception of a report."""
    return await report_parts.exception(work, report_id, exception_id)


@removes(_EXCEPTION, Permission.EVIDENCE_WRITE, refuses=[Code.REPORT_WITHDRAWN])
async def remove_soc2_exception(
    work: InWork, expected: ExpectedVersion, report_id: FromPath[UUID], exception_id: FromPath[UUID]
) -> None:
    """Remove an exception that was recorded wrongly. Its finding is closed."""
    await report_parts.remove_exception(work, report_id, exception_id, expected)


@reads(_CUEC, Permission.EVIDENCE_READ)
async def get_cuec(work: InWork, report_id: FromPath[UUID], cuec_id: FromPath[UUID]) -> Cuec:
    """Return a complementary user entity control of a report."""
    return await report_parts.cuec(work, report_id, cuec_id)


@removes(_CUEC, Permission.EVIDENCE_WRITE, refuses=[Code.REPORT_WITHDRAWN])
async def remove_cuec(
    work: InWork, expected: ExpectedVersion, report_id: FromPath[UUID], cuec_id: FromPath[UUID]
) -> None:
    """Remove a complementary user entity control that was recorded wrongly."""
    await report_parts.remove_cuec(work, report_id, cuec_id, expected)


@reads(_ORGANISATION, Permission.EVIDENCE_READ)
async def get_subservice_organisation(
    work: InWork, report_id: FromPath[UUID], organisation_id: FromPath[UUID]
) -> SubserviceOrganisation:
    """Return a subservice organisation of a report."""
    return await report_parts.subservice(work, report_id, organisation_id)


@removes(_ORGANISATION, Permission.EVIDENCE_WRITE, refuses=[Code.REPORT_WITHDRAWN])
async def remove_subservice_organisation(
    work: InWork, expected: ExpectedVersion, report_id: FromPath[UUID], organisation_id: FromPath[UUID]
) -> None:
    """Remove a subservice organisation that was recorded wrongly."""
    await report_parts.remove_subservice(work, report_id, organisation_id, expected)


@reads(_LETTER, Permission.EVIDENCE_READ)
async def get_bridge_letter(work: InWork, report_id: FromPath[UUID], letter_id: FromPath[UUID]) -> BridgeLetter:
    """Return a bridge letter of a report."""
    return await report_parts.letter(work, report_id, letter_id)


@changes(
    _LETTER,
    Permission.EVIDENCE_WRITE,
    refuses=[
        Code.REPORT_WITHDRAWN,
        Code.REFERENCE_UNKNOWN,
        Code.DATES_INVALID,
        Code.DOCUMENT_SUPERSEDED,
        Code.BRIDGE_LETTER_INVALID,
        Code.BRIDGE_LETTER_KNOWN,
    ],
    example={"issued_on": "2026-02-27"},
)
async def change_bridge_letter(
    work: InWork,
    expected: ExpectedVersion,
    report_id: FromPath[UUID],
    letter_id: FromPath[UUID],
    data: JSONBody[BridgeLetterChanges],
) -> BridgeLetter:
    """Correct a bridge letter. Coverage is computed again."""
    return await report_parts.change_letter(work, report_id, letter_id, data, expected)


router = Router(
    "/",
    route_handlers=[
        get_soc2_exception,
        remove_soc2_exception,
        get_cuec,
        remove_cuec,
        get_subservice_organisation,
        remove_subservice_organisation,
        get_bridge_letter,
        change_bridge_letter,
    ],
    tags=["SOC 2 reports"],
)
