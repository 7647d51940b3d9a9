"""The lists of reports and of their parts, and the statements of one part: find it, remove it, correct a letter."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import refusing
from vendorrisk.db.paging import RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.evidence.coverage import AuditorOpinion, ReportType
from vendorrisk.evidence.holders import holders_of_letter
from vendorrisk.evidence.queries import UNKNOWN_DOCUMENT
from vendorrisk.evidence.report_model import (
    BridgeLetter,
    Cuec,
    CuecState,
    NewBridgeLetter,
    Soc2Exception,
    SubserviceMethod,
    SubserviceOrganisation,
)
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.ids import new_id
from vendorrisk.vendors.model import TrustCategory

_sql = QueryFile("evidence")
LIST_ALL_EXCEPTIONS = _sql.rows("list_all_exceptions", Soc2Exception)
LIST_ALL_CUECS = _sql.rows("list_all_cuecs", Cuec)
LIST_ALL_SUBSERVICE = _sql.rows("list_all_subservice", SubserviceOrganisation)
_FIND_EXCEPTION = _sql.rows("find_exception", Soc2Exception)
_DELETE_EXCEPTION = _sql.command("delete_exception")
_FIND_CUEC = _sql.rows("find_cuec", Cuec)
_DELETE_CUEC = _sql.command("delete_cuec")
_FIND_SUBSERVICE = _sql.rows("find_subservice", SubserviceOrganisation)
_DELETE_SUBSERVICE = _sql.command("delete_subservice")
_FIND_LETTER = _sql.rows("find_letter", BridgeLetter)
_INSERT_LETTER = _sql.rows("insert_letter", BridgeLetter)
_LOCK_LETTER = _sql.rows("lock_letter", BridgeLetter)
_DELETE_LETTER = _sql.command("delete_letter")
_LIST_LETTERS = _sql.rows("list_letters", BridgeLetter)
_UPDATE_LETTER = _sql.rows("update_letter", BridgeLetter)

_COMMON = {
    "id": Column("p.id", UUID, "uuid"),
    "report_id": Column("p.report_id", UUID, "uuid"),
    "vendor_id": Column("r.vendor_id", UUID, "uuid"),
    "report_withdrawn_at": Column("r.withdrawn_at", datetime, "timestamptz", RANGE, nullable=True),
    "created_at": Column("p.created_at", datetime, "timestamptz", RANGE, sortable=True),
    "updated_at": Column("p.updated_at", datetime, "timestamptz", RANGE, sortable=True),
}
_DAY = partial(Column, kind=date, pg="date", operators=RANGE, sortable=True, nullable=True)
REPORTS = ListOf(
    "soc2_reports",
    {
        "id": Column("r.id", UUID, "uuid"),
        "vendor_id": Column("r.vendor_id", UUID, "uuid"),
        "report_type": Column("r.report_type", ReportType),
        "opinion": Column("r.opinion", AuditorOpinion),
        "categories": Column("r.categories", TrustCategory, operators=frozenset({Operator.HAS})),
        "as_of_on": _DAY("r.as_of_on"),
        "period_end_on": _DAY("r.period_end_on"),
        "report_on": _DAY("r.report_on"),
        "withdrawn_at": Column("r.withdrawn_at", datetime, "timestamptz", RANGE, nullable=True),
        "created_at": Column("r.created_at", datetime, "timestamptz", RANGE, sortable=True),
        "updated_at": Column("r.updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-created_at",
    key_sql="r.id",
)
EXCEPTIONS = ListOf(
    "soc2_exceptions",
    {
        **_COMMON,
        "criterion": Column("p.criterion"),
        "severity": Column("p.severity", FindingSeverity, operators=RANGE, weight_sql="level_weight({})"),
    },
    default_sort="-created_at",
    key_sql="p.id",
)
CUECS = ListOf(
    "soc2_cuecs",
    {
        **_COMMON,
        "criterion": Column("p.criterion", nullable=True),
        "state": Column("p.state", CuecState),
        "owner_id": Column("p.owner_id", UUID, "uuid", nullable=True),
    },
    default_sort="-created_at",
    key_sql="p.id",
)
SUBSERVICE = ListOf(
    "soc2_subservice_organisations",
    {
        **_COMMON,
        "name": Column("p.name", sortable=True),
        "method": Column("p.method", SubserviceMethod),
        "provider_id": Column("p.provider_id", UUID, "uuid", nullable=True),
    },
    default_sort="name",
    key_sql="p.id",
)
_LETTER_BROKEN = {
    "bridge_letters_end_is_recorded_once": (Code.BRIDGE_LETTER_KNOWN, "A letter to this day is recorded.", "/ends_on"),
    "bridge_letters_document_is_known": UNKNOWN_DOCUMENT,
}


async def find_exception(work: Work, report_id: UUID, exception_id: UUID) -> Soc2Exception | None:
    return await _FIND_EXCEPTION.one_or_none(work.db, work.tenant_id, report_id, exception_id)


async def delete_exception(work: Work, exception_id: UUID) -> None:
    await _DELETE_EXCEPTION.run(work.db, work.tenant_id, exception_id)


async def find_cuec(work: Work, report_id: UUID, cuec_id: UUID) -> Cuec | None:
    return await _FIND_CUEC.one_or_none(work.db, work.tenant_id, report_id, cuec_id)


async def delete_cuec(work: Work, cuec_id: UUID) -> None:
    await _DELETE_CUEC.run(work.db, work.tenant_id, cuec_id)


async def find_subservice(work: Work, report_id: UUID, organisation_id: UUID) -> SubserviceOrganisation | None:
    return await _FIND_SUBSERVICE.one_or_none(work.db, work.tenant_id, report_id, organisation_id)


async def delete_subservice(work: Work, organisation_id: UUID) -> None:
    await _DELETE_SUBSERVICE.run(work.db, work.tenant_id, organisation_id)


async def find_letter(work: Work, report_id: UUID, letter_id: UUID) -> BridgeLetter | None:
    return await _FIND_LETTER.one_or_none(work.db, work.tenant_id, report_id, letter_id)


async def insert_letter(work: Work, report_id: UUID, letter: NewBridgeLetter) -> BridgeLetter:
    own = (letter.document_id, letter.ends_on, letter.issued_on)
    with refusing(_LETTER_BROKEN, holders_of_letter(report_id, letter.ends_on), seen_by="evidence:read"):
        return await _INSERT_LETTER.one(work.db, work.tenant_id, new_id(), report_id, *own, work.now)


async def lock_letter(work: Work, report_id: UUID, letter_id: UUID) -> BridgeLetter | None:
    return await _LOCK_LETTER.one_or_none(work.db, work.tenant_id, report_id, letter_id)


async def delete_letter(work: Work, letter_id: UUID) -> None:
    await _DELETE_LETTER.run(work.db, work.tenant_id, letter_id)


async def letters(work: Work, report_ids: Sequence[UUID]) -> list[BridgeLetter]:
    return await _LIST_LETTERS.many(work.db, work.tenant_id, list(report_ids))


async def update_letter(work: Work, letter: BridgeLetter) -> BridgeLetter:
    own = (letter.id, letter.document_id, letter.ends_on, letter.issued_on)
    with refusing(_LETTER_BROKEN, holders_of_letter(letter.report_id, letter.ends_on), seen_by="evidence:read"):
        return await _UPDATE_LETTER.one(work.db, work.tenant_id, *own, work.now)
