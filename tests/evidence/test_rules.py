"""What a report may say of itself, how severe its opinion is, and the five audit areas as a view of it."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from vendorrisk.errors import Refusal
from vendorrisk.evidence import rules
from vendorrisk.evidence.coverage import AuditorOpinion, ReportType
from vendorrisk.evidence.criteria import AREA_CRITERIA
from vendorrisk.evidence.report_model import Soc2Exception, Soc2Report
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.vendors.model import TrustCategory

TODAY = date(2026, 3, 2)


def a_report(**said: Any) -> Soc2Report:
    parts: dict[str, Any] = dict.fromkeys(Soc2Report.__struct_fields__)
    parts |= {
        "report_type": ReportType.TYPE_2,
        "opinion": AuditorOpinion.UNQUALIFIED,
        "categories": [TrustCategory.SECURITY],
    }
    parts |= {"period_start_on": date(2025, 1, 1), "period_end_on": date(2025, 12, 31), "criteria_tested": []}
    return Soc2Report(**{**parts, **said})


def an_exception(criterion: str, number: int = 1) -> Soc2Exception:
    parts: dict[str, Any] = dict.fromkeys(Soc2Exception.__struct_fields__)
    return Soc2Exception(**{**parts, "id": UUID(int=number), "criterion": criterion})


def field_errors_of(report: Soc2Report) -> set[str | None]:
    try:
        rules.check_report(report, TODAY)
    except Refusal as refusal:
        return {error.pointer for error in refusal.errors}
    return set()


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({}, set()),
        ({"report_on": date(2025, 12, 31)}, set()),
        ({"report_on": date(2025, 12, 30)}, {"/report_on"}),
        ({"report_on": TODAY}, set()),
        ({"report_on": date(2026, 3, 3)}, {"/report_on"}),
        ({"period_end_on": TODAY}, set()),
        ({"period_end_on": date(2026, 3, 3)}, {"/period_end_on"}),
        ({"period_start_on": date(1990, 1, 1)}, set()),
        ({"period_start_on": date(1989, 12, 31)}, {"/period_start_on"}),
        ({"period_start_on": date(2025, 12, 31)}, set()),
        ({"period_start_on": date(2026, 1, 1)}, {"/period_end_on"}),
        ({"period_start_on": None}, {"/period_start_on"}),
        ({"as_of_on": date(2025, 6, 1)}, {"/as_of_on"}),
        ({"categories": [TrustCategory.PRIVACY]}, {"/categories"}),
    ],
)
def test_dates_are_taken_to_their_last_day_and_no_further(said: dict[str, Any], wrong: set[str]) -> None:
    assert field_errors_of(a_report(**said)) == wrong


def test_a_type_1_speaks_of_a_day_alone() -> None:
    bare = {"report_type": ReportType.TYPE_1, "period_start_on": None, "period_end_on": None}
    assert field_errors_of(a_report(**bare)) == {"/as_of_on"}
    assert field_errors_of(a_report(**bare, as_of_on=TODAY)) == set()
    assert field_errors_of(a_report(report_type=ReportType.TYPE_1, as_of_on=TODAY)) == {
        "/period_start_on",
        "/period_end_on",
    }


def test_an_opinion_that_is_not_clean_is_severe_and_one_that_refutes_is_critical() -> None:
    assert rules.OPINION_SEVERITY == {
        AuditorOpinion.QUALIFIED: FindingSeverity.HIGH,
        AuditorOpinion.ADVERSE: FindingSeverity.CRITICAL,
        AuditorOpinion.DISCLAIMER: FindingSeverity.CRITICAL,
    }


def test_an_area_is_clean_only_where_something_of_it_was_tested() -> None:
    control, risk, communication, monitoring, activities = AREA_CRITERIA
    tested = a_report(criteria_tested=["CC1.1", "CC3.2", "CC4.1", "CC6.1"])
    views, others = rules.audit_areas(
        tested, [an_exception("CC3.2", 1), an_exception("CC6.1", 2), an_exception("CC5.1", 3)]
    )
    assert {view.area: view.verdict for view in views} == {
        control: "clean",
        risk: "exceptions",
        communication: "not_tested",
        monitoring: "clean",
        activities: "exceptions",
    }
    assert [exception.criterion for exception in others] == ["CC6.1"]
    listed_none, _ = rules.audit_areas(a_report(), [])
    assert {view.verdict for view in listed_none} == {"clean"}
