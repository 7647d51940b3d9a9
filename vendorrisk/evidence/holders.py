"""The report or letter that is recorded already, so that a conflict can name it."""

from datetime import date
from uuid import UUID

from vendorrisk.db.constraints import Finding, Holder
from vendorrisk.db.queries import QueryFile
from vendorrisk.evidence.report_model import Soc2Report

_sql = QueryFile("evidence")
_REPORT_OF_DOCUMENT = _sql.rows("report_of_document", Holder)
_REPORT_OF_PERIOD = _sql.rows("report_of_period", Holder)
_LETTER_OF_END = _sql.rows("letter_of_end", Holder)


def holders_of_report(r: Soc2Report) -> dict[str, Finding]:
    """Return, for each constraint that a report may break, the statement that finds the other report."""
    period = (r.id, r.vendor_id, r.report_type, r.as_of_on, r.period_start_on, r.period_end_on, r.system_name)
    return {
        "soc2_reports_document_is_recorded_once": (_REPORT_OF_DOCUMENT, (r.id, r.document_id)),
        "soc2_reports_period_is_recorded_once": (_REPORT_OF_PERIOD, period),
    }


def holders_of_letter(report_id: UUID, ends_on: date) -> dict[str, Finding]:
    return {"bridge_letters_end_is_recorded_once": (_LETTER_OF_END, (report_id, ends_on))}
