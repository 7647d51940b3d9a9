"""The lists of reports and of their parts: exceptions, complementary controls, subservice organisations."""

from datetime import date, datetime
from functools import partial
from uuid import UUID

from vendorrisk.db.paging import RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.evidence.coverage import AuditorOpinion, ReportType
from vendorrisk.evidence.report_model import Cuec, CuecState, Soc2Exception, SubserviceMethod, SubserviceOrganisation
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.vendors.model import TrustCategory

_sql = QueryFile("evidence")
LIST_ALL_EXCEPTIONS = _sql.rows("list_all_exceptions", Soc2Exception)
LIST_ALL_CUECS = _sql.rows("list_all_cuecs", Cuec)
LIST_ALL_SUBSERVICE = _sql.rows("list_all_subservice", SubserviceOrganisation)

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
