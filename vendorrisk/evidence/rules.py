"""Decisions on evidence, other than coverage: a document's end, a report's limits, a service's needs."""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.evidence import criteria
from vendorrisk.evidence.coverage import AuditorOpinion, Letter, Report, ReportType, Support, plus_months
from vendorrisk.evidence.coverage_model import AuditAreaResult
from vendorrisk.evidence.document_model import Assurance, Document, DocumentKind
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.evidence.report_model import NewBridgeLetter, Soc2Exception, Soc2Report
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.vendors import rules as vendor_rules
from vendorrisk.vendors.model import TrustCategory
from vendorrisk.vendors.supply_chain_model import VendorService

_EARLIEST = date(1990, 1, 1)
_LATEST = date(2200, 1, 1)


class Validity(msgspec.Struct, frozen=True):
    """Until when a document is relied on, and its assurance."""

    expires_on: date | None
    assurance: Assurance


def validity_of(document: Document, policy: EvidencePolicy, today: date) -> Validity:
    """Return when a document ends by the rule of its kind.

    If the kind has no date of its own, a date that the document states wins. Months count from the date the kind counts
    from. SOC 2 reports and bridge letters have no end here: their coverage is computed.
    """
    issued, end = document.issued_on, document.stated_until_on
    kinds = {
        DocumentKind.SOC2_TYPE1: (None, Assurance.PARTIAL),
        DocumentKind.SOC2_TYPE2: (None, Assurance.FULL),
        DocumentKind.BRIDGE_LETTER: (None, Assurance.NONE),
        DocumentKind.SOC1: (_months_after(end or issued, policy.soc1_months), Assurance.NONE),
        DocumentKind.SOC3: (_months_after(end or issued, policy.soc3_months), Assurance.PARTIAL),
        DocumentKind.ISO27001_CERTIFICATE: (end, _iso_assurance(document, policy, today)),
        DocumentKind.PCI_AOC: (_months_after(issued, policy.pci_months), Assurance.FULL),
        DocumentKind.PEN_TEST_REPORT: (_months_after(end or issued, policy.pen_test_months), Assurance.FULL),
        DocumentKind.DPA: (end or _months_after(issued, policy.review_months), Assurance.NONE),
        DocumentKind.POLICY: (end or _months_after(issued, policy.review_months), Assurance.NONE),
    }
    return Validity(*kinds.get(document.kind, (end, Assurance.NONE)))


def _iso_assurance(document: Document, policy: EvidencePolicy, today: date) -> Assurance:
    """A certificate without a surveillance audit in the last twelve months proves only in part."""
    until = surveyed_until(document, policy)
    return Assurance.FULL if until is not None and today <= until else Assurance.PARTIAL


def surveyed_until(document: Document, policy: EvidencePolicy) -> date | None:
    """Return the last day on which a certificate's newest audit is recent enough. Null for other kinds."""
    seen = [d for d in (document.issued_on, document.valid_from_on, document.surveillance_on) if d is not None]
    if document.kind is not DocumentKind.ISO27001_CERTIFICATE or not seen:
        return None
    return plus_months(max(seen), policy.iso_surveillance_months)


def _months_after(day: date | None, months: int) -> date | None:
    return None if day is None else plus_months(day, months)


_EXAMINED = frozenset({DocumentKind.SOC1, DocumentKind.SOC3, DocumentKind.PEN_TEST_REPORT})
"""Kinds with a stated end that is the end of the examined period, which is over when the report is written."""


def check_document(document: Document, today: date) -> None:
    """Refuse dates that cannot be: before 1990, after 2200, issued in the future, ending before they begin.

    The examined period lies in the past, and the report is dated on or after its end.
    """
    field_errors = _sane(
        [
            ("/issued_on", document.issued_on),
            ("/valid_from_on", document.valid_from_on),
            ("/stated_until_on", document.stated_until_on),
            ("/surveillance_on", document.surveillance_on),
        ]
    )
    field_errors += _not_after(
        today, [("/issued_on", document.issued_on), ("/surveillance_on", document.surveillance_on)]
    )
    end = document.stated_until_on
    start = document.valid_from_on or (None if document.kind in _EXAMINED else document.issued_on)
    if start is not None and end is not None and end < start:
        field_errors.append(
            FieldError("It ends before it begins.", Code.DATES_INVALID.code, pointer="/stated_until_on")
        )
    if document.kind in _EXAMINED:
        field_errors += _not_after(today, [("/stated_until_on", end)])
        if end is not None and document.issued_on is not None and document.issued_on < end and not field_errors:
            field_errors.append(_dated_early(end, "/issued_on"))
    _refuse(field_errors)


def _dated_early(last: date, pointer: str) -> FieldError:
    detail = f"A report is dated on or after the last day it speaks of ({last})."
    return FieldError(detail, Code.DATES_INVALID.code, pointer=pointer)


def check_report(report: Soc2Report, today: date) -> None:
    """Refuse facts that are impossible for a SOC 2 report.

    A Type 1 has an as-of date, a Type 2 a period. Neither lies in the future. The report is dated on or after its end.
    Security is always in scope (AICPA TSP 100.02).
    """
    field_errors = _shape_errors(report)
    ends = [("/as_of_on", report.as_of_on), ("/period_end_on", report.period_end_on), ("/report_on", report.report_on)]
    field_errors += _sane([*ends, ("/period_start_on", report.period_start_on)])
    field_errors += _not_after(today, ends)
    start, end = report.period_start_on, report.period_end_on
    if start is not None and end is not None and end < start:
        field_errors.append(
            FieldError("The period ends before it begins.", Code.DATES_INVALID.code, pointer="/period_end_on")
        )
    last = end or report.as_of_on
    if report.report_on is not None and last is not None and report.report_on < last:
        field_errors.append(_dated_early(last, "/report_on"))
    if TrustCategory.SECURITY not in report.categories:
        detail = "Security is always in scope of a SOC 2 report. Add it."
        field_errors.append(FieldError(detail, Code.SECURITY_CATEGORY_MISSING.code, pointer="/categories"))
    _refuse(field_errors)


def check_letter(letter: NewBridgeLetter, at: str, today: date) -> None:
    """Refuse a letter with impossible dates, or one signed in the future."""
    issued = (f"{at}/issued_on", letter.issued_on)
    _refuse([*_sane([(f"{at}/ends_on", letter.ends_on), issued]), *_not_after(today, [issued])])


def _shape_errors(report: Soc2Report) -> list[FieldError]:
    wanted = {
        ReportType.TYPE_1: ("as_of_on",),
        ReportType.TYPE_2: ("period_start_on", "period_end_on"),
    }[report.report_type]
    field_errors = []
    for name in ("as_of_on", "period_start_on", "period_end_on"):
        value = getattr(report, name)
        words = report.report_type.value.replace("_", " ")
        if name in wanted and value is None:
            field_errors.append(FieldError(f"A {words} report needs this date.", "field_required", pointer=f"/{name}"))
        elif name not in wanted and value is not None:
            field_errors.append(FieldError(f"A {words} report has no such date.", "field_unknown", pointer=f"/{name}"))
    return field_errors


def _sane(dates: Iterable[tuple[str, date | None]]) -> list[FieldError]:
    return [
        FieldError("Send a date between 1990 and 2200.", Code.DATES_INVALID.code, pointer=pointer)
        for pointer, day in dates
        if day is not None and not _EARLIEST <= day <= _LATEST
    ]


def _not_after(today: date, dates: Iterable[tuple[str, date | None]]) -> list[FieldError]:
    return [
        FieldError(f"This lies in the future (today is {today}).", Code.DATES_INVALID.code, pointer=pointer)
        for pointer, day in dates
        if day is not None and today < day <= _LATEST
    ]


def _refuse(field_errors: list[FieldError]) -> None:
    if not field_errors:
        return
    only_security = all(field_error.code == Code.SECURITY_CATEGORY_MISSING.code for field_error in field_errors)
    code = Code.SECURITY_CATEGORY_MISSING if only_security else Code.DATES_INVALID
    raise Refusal(code, "Correct the fields listed in `errors`.", errors=field_errors)


def checked_criterion(text: str, pointer: str) -> str:
    """Return the criterion's id as the standard writes it, or refuse one that does not exist."""
    found = criteria.normalised(text)
    if found is None:
        raise Refusal(Code.CRITERION_UNKNOWN, "Send an id such as CC6.1, A1.2 or PI1.5.", pointer=pointer)
    return found


def report_for_coverage(report: Soc2Report, letters: tuple[Letter, ...]) -> Report:
    """Return the part of a report that coverage is computed from."""
    first = report.as_of_on or report.period_start_on
    last = report.as_of_on or report.period_end_on
    if first is None or last is None:  # the table's constraints rule it out
        raise ValueError(f"report {report.id} has no dates")
    return Report(report.id, report.report_type, first, last, report.opinion, frozenset(report.categories), letters)


def supports_of(document: Document, policy: EvidencePolicy) -> list[Support]:
    """Return the support that a document adds to coverage: a SOC 3 report, or an ISO 27001 certificate."""
    until = validity_of(document, policy, date.min).expires_on
    last = document.stated_until_on or document.issued_on
    if document.kind is DocumentKind.SOC3 and until is not None and last is not None:
        reason = f"A SOC 3 report to {last}: little detail, relied on to {until}."
        security = frozenset({TrustCategory.SECURITY})
        return [Support(document.id, document.valid_from_on or last, until, last, reason, security)]
    audited = surveyed_until(document, policy)
    first = document.valid_from_on or document.issued_on
    if audited is None or first is None or until is None:
        return []
    return _certified(document, first, until, audited)


def _certified(document: Document, first: date, until: date, audited: date) -> list[Support]:
    last = document.surveillance_on or first
    valid = f"An ISO/IEC 27001 certificate valid to {until}: no report of tests"
    missing = f"{valid}, and no surveillance audit is known since {last}."
    return [
        Support(document.id, first, min(until, audited), last, f"{valid}."),
        Support(document.id, min(until, audited) + timedelta(days=1), until, last, missing),
    ]


def categories_needed(service: VendorService | None) -> list[TrustCategory]:
    """Return the categories that a service's data and use call for. If one of two is enough, Privacy stands."""
    return sorted({_named(choice) for choice in _choices(service)}, key=list(TrustCategory).index)


def missing_categories(service: VendorService | None, relied_on: Iterable[str]) -> list[TrustCategory]:
    """Return the categories that the service needs and no relied-on report has in scope."""
    have = set(relied_on)
    missing = {_named(choice) for choice in _choices(service) if not choice & have}
    return sorted(missing, key=list(TrustCategory).index)


def _choices(service: VendorService | None) -> list[frozenset[TrustCategory]]:
    """Return sets of categories, of each of which one is needed. Those requested by name stand alone."""
    if service is None:
        return [frozenset({TrustCategory.SECURITY})]
    follow = vendor_rules.categories_needed(
        service.data_classes,
        uptime_critical=service.is_uptime_critical,
        transactions=service.handles_transactions,
    )
    return [*follow, *(frozenset({category}) for category in service.categories_needed)]


def _named(choice: frozenset[TrustCategory]) -> TrustCategory:
    return TrustCategory.PRIVACY if TrustCategory.PRIVACY in choice else min(choice)


OPINION_SEVERITY = {
    AuditorOpinion.QUALIFIED: FindingSeverity.HIGH,
    AuditorOpinion.ADVERSE: FindingSeverity.CRITICAL,
    AuditorOpinion.DISCLAIMER: FindingSeverity.CRITICAL,
}
"""Severity of the finding that each opinion opens that is not clean."""


def audit_areas(
    report: Soc2Report, exceptions: list[Soc2Exception]
) -> tuple[list[AuditAreaResult], list[Soc2Exception]]:
    """Return a report through the five audit areas, and the exceptions outside them.

    A report that does not list the criteria it tested counts as having tested all common ones: Security is in scope.
    """
    tested = set(report.criteria_tested) or {c for c in criteria.TITLES if c.startswith("CC")}
    views, seen = [], set()
    for area, ids in criteria.AREA_CRITERIA.items():
        mine = [e for e in exceptions if e.criterion in ids]
        seen |= {e.id for e in mine}
        inside = [c for c in ids if c in tested]
        verdict = "exceptions" if mine else "clean" if inside else "not_tested"
        views.append(AuditAreaResult(area, list(ids), inside, mine, verdict))
    return views, [e for e in exceptions if e.id not in seen]
