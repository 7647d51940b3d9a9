# ruff: noqa: E501, ISC004 - a report's paragraphs are read better as they are printed
"""Full-length PDF reports in the manner of real ones, each with what a careful reader would take from it.

Words, firms and companies are invented. Layouts differ: wording of the scope, date styles, covers, tables with three to
five columns, responses in the table or in section 5, lists as bullets, numbers, tables or sentences, and things that
mislead: last year's dates, the title of TSP 100, explanations of what "exception noted" means, others' auditors.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from random import Random
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

_SHEET = getSampleStyleSheet()
_BODY = ParagraphStyle("body", parent=_SHEET["BodyText"], fontSize=10, leading=13, spaceAfter=7)
_CELL = ParagraphStyle("cell", parent=_BODY, fontSize=8, leading=10, spaceAfter=0)
_HEAD = ParagraphStyle("head", parent=_SHEET["Heading2"], spaceBefore=10)
_COVER = ParagraphStyle("cover", parent=_SHEET["Title"], fontSize=18, leading=24)

US, US_SHORT, WORLD, ISO = "us", "us_short", "world", "iso"
_CRITERIA = [
    f"CC{s}.{n}" for s, c in {1: 5, 2: 3, 3: 4, 4: 2, 5: 3, 6: 8, 7: 5, 8: 1, 9: 2}.items() for n in range(1, c + 1)
]


@dataclass(frozen=True)
class Deviation:
    criterion: str
    control: str
    text: str
    response: str = ""


@dataclass(frozen=True)
class Spec:
    """What the report says. `variant` picks wording and layout."""

    company: str
    system: str
    auditor: str
    place: str
    report_on: date
    end: date
    start: date | None = None
    opinion: str = "unqualified"
    categories: tuple[str, ...] = ("security",)
    dates: str = US
    variant: int = 0
    deviations: tuple[Deviation, ...] = ()
    cuecs: tuple[str, ...] = ()
    cuec_style: str = "bullets"
    subservice: dict[str, str] = field(default_factory=dict)
    subservice_style: str = "sentence"
    method: str = "carve_out"
    seed: int = 1


def written(day: date, style: str) -> str:
    if style == ISO:
        return day.isoformat()
    if style == US_SHORT:
        return f"{day.month}/{day.day}/{day.year}"
    return f"{day.day} {day:%B %Y}" if style == WORLD else f"{day:%B} {day.day}, {day.year}"


def _listed(words: tuple[str, ...]) -> str:
    plain = [word.replace("_", " ") for word in words]
    return (
        plain[0] if len(plain) == 1 else ", ".join(plain[:-1]) + (", and " if len(plain) > 2 else " and ") + plain[-1]
    )


class _Writer:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.random = Random(spec.seed)
        self.parts: list[Flowable] = []
        own = spec
        self.span = (
            f"as of {written(own.end, own.dates)}"
            if own.start is None
            else f"throughout the period {written(own.start, own.dates)} {('to', 'through')[own.variant % 2]} {written(own.end, own.dates)}"
        )
        self.operating = own.start is not None
        self.short = own.company.split(",")[0].split(" ")[0]

    def p(self, text: str, style: ParagraphStyle = _BODY) -> None:
        self.parts.append(Paragraph(escape(text), style))

    def lines(self, *texts: str) -> None:
        for text in texts:
            self.p(text)

    def page(self) -> None:
        self.parts.append(PageBreak())

    def table(self, rows: list[list[str]], widths: list[int]) -> None:
        cells = [[Paragraph(escape(text), _CELL) for text in row] for row in rows]
        style = TableStyle([("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("VALIGN", (0, 0), (-1, -1), "TOP")])
        self.parts.append(Table(cells, colWidths=widths, repeatRows=1, style=style))
        self.parts.append(Spacer(1, 8))


_NOISE = (
    "The Company's security team reviews the risk register at least once a year, and the results are presented to the "
    "executive committee. Changes in the business, in laws and in technology are considered.",
    "Access to the production environment requires multi-factor authentication over an encrypted connection. Requests are "
    "recorded in the ticketing system and approved by the owner of the system before they are granted.",
    "Backups are taken daily and kept for thirty-five days. A restore is tested twice a year, and the result is recorded. "
    "No exceptions noted during the tests are left open for more than ten days.",
    "New employees pass a background check where the law permits it, sign the code of conduct, and complete security "
    "awareness training within thirty days of hire and every year after. The policy was last approved on March 3, 2023.",
    "Vulnerability scans run weekly. Findings are ranked by severity and mended within the times that the policy sets. An "
    "independent firm performs a penetration test at least once a year; the last was completed in February 2024.",
    "The organisation's structure gives clear lines of reporting. The board meets each quarter, most recently on "
    "January 15, 2024, and has members who are independent of management.",
    "Customer data is encrypted at rest and in transit. Keys are held in a managed key service and rotated each year.",
    "Incidents are classified, contained, and reviewed. Affected customers are told without undue delay, as agreed.",
)


def _noise(w: _Writer, paragraphs: int) -> None:
    for number in range(paragraphs):
        if number % 5 == 0:
            w.p(
                w.random.choice(
                    [
                        "Control Activities",
                        "Information and Communication",
                        "Monitoring",
                        "Risk Assessment",
                        "Logical Access",
                        "System Operations",
                    ]
                ),
                _HEAD,
            )
        w.p(" ".join(w.random.sample(_NOISE, 3)))


def _cover(w: _Writer) -> None:
    s = w.spec
    number, roman = ("2", "II") if w.operating else ("1", "I")
    when = (
        f"For the Period {written(s.start, s.dates)} to {written(s.end, s.dates)}"
        if s.start
        else f"As of {written(s.end, s.dates)}"
    )
    covers = (
        (
            f"{s.company}",
            f"SOC 2\u00ae Type {number} Report",
            f"Report on {w.short}'s Description of Its {s.system} and on the Suitability of the Design{' and Operating Effectiveness' if w.operating else ''} of Its Controls Relevant to {_listed(s.categories).title()}",
            when,
        ),
        ("System and Organization Controls (SOC) 2", f"Type {roman} Report", s.company, s.system, when.upper()),
        (
            f"SOC 2 - TYPE {roman}",
            f"Independent Service Auditor's Report on Management's Description of {w.short}'s System",
            when,
            f"Prepared by {s.auditor}",
        ),
    )
    for text in covers[s.variant % 3]:
        w.p(text, _COVER)
    w.p("CONFIDENTIAL. This report is intended for the specified parties named in section 1.")
    w.page()
    w.p("Table of Contents", _HEAD)
    for number_, title in enumerate(
        (
            "Independent Service Auditor's Report",
            f"Assertion of {w.short} Management",
            "Description of the System",
            "Complementary User Entity Controls",
            "Subservice Organizations",
            "Trust Services Criteria, Related Controls, and Tests of Controls",
            "Other Information Provided by Management",
        ),
        1,
    ):
        w.p(f"{title} {'.' * 40} {number_ * 4}")
    w.page()


def _uses(w: _Writer) -> str:
    said = []
    for name, service in w.spec.subservice.items():
        said.append(f"{name} to provide {service}")
    return f"{w.short} uses " + " and ".join(said)


def _scope(w: _Writer) -> None:
    s = w.spec
    w.p(
        "Section 1: Independent Service Auditor's Report"
        if s.variant % 2
        else "I. Independent Service Auditor's Report",
        _HEAD,
    )
    w.p(f"To: {s.company}")
    w.p("Scope", _HEAD)
    examined = "were engaged to examine" if s.opinion == "disclaimer" else ("have examined", "examined")[s.variant % 2]
    what = "design and operating effectiveness" if w.operating else "design"
    aim = f"to provide reasonable assurance that {w.short}'s service commitments and system requirements were achieved based on the trust services criteria relevant to {_listed(s.categories)} (applicable trust services criteria) set forth in TSP section 100, 2017 Trust Services Criteria for Security, Availability, Processing Integrity, Confidentiality, and Privacy (With Revised Points of Focus - 2022) (AICPA, Trust Services Criteria)."
    w.p(
        f"We {examined} {s.company}'s (\u201c{w.short}\u201d or \u201cthe service organization\u201d) accompanying description of its {s.system} titled \u201c{w.short}'s Description of Its {s.system} {w.span}\u201d (description) based on the criteria for a description of a service organization's system set forth in DC section 200, 2018 Description Criteria for a Description of a Service Organization's System in a SOC 2\u00ae Report, and the suitability of the {what} of controls stated in the description {w.span}, {aim}"
    )
    if s.subservice and s.subservice_style == "sentence":
        names = len(s.subservice) > 1
        w.p(f"{_uses(w)} (subservice organization{'s' if names else ''}). " + _method_words(s.method))
    elif s.subservice:
        w.p("The description identifies the subservice organizations. " + _method_words(s.method))
    if s.cuecs:
        w.p(
            "The description indicates that complementary user entity controls that are suitably designed and operating effectively are necessary, along with controls at the service organization. Our examination did not include such complementary user entity controls, and we have not evaluated the suitability of the design or operating effectiveness of such controls."
        )
    w.p(
        "The information included in section 5, \u201cOther Information Provided by Management\u201d, is presented by management to provide additional information and is not a part of the description. It has not been subjected to the procedures applied in our examination and, accordingly, we do not express an opinion on it."
    )


def _method_words(method: str) -> str:
    if method == "inclusive":
        return "The description includes the controls of the subservice organization, and has been prepared using the inclusive method. Our examination extended to the controls of the subservice organization."
    return "The description presents the types of complementary subservice organization controls assumed in the design of the controls, using the carve-out method. The description does not disclose the actual controls at the subservice organization. Our examination did not include the services provided by the subservice organization."


def _opinion(w: _Writer) -> None:
    s = w.spec
    w.p("Service Auditor's Responsibilities", _HEAD)
    w.p(
        "Our responsibility is to express an opinion on the description and on the suitability of design of controls stated in the description based on our examination. Our examination was conducted in accordance with attestation standards established by the American Institute of Certified Public Accountants. Those standards require that we plan and perform our examination to obtain reasonable assurance about whether, in all material respects, the description is presented in accordance with the description criteria and the controls stated therein were suitably designed and operated effectively."
    )
    matter = "The controls over the removal of access of terminated personnel did not operate effectively, because access of 9 of 25 persons was removed after 30 days or not at all. As a result, the service commitments relating to criterion CC6.2 were not achieved."
    points = f"a. the description presents the {s.system} that was designed and implemented {w.span} in accordance with the description criteria. b. the controls stated in the description were suitably designed {w.span}."
    if w.operating:
        points += f" c. the controls stated in the description operated effectively {w.span}."
    if s.opinion == "unqualified":
        w.p("Opinion", _HEAD)
        w.p(f"In our opinion, in all material respects, {points}")
    elif s.opinion == "qualified":
        w.p("Basis for Qualified Opinion", _HEAD)
        w.p(matter)
        w.p("Qualified Opinion", _HEAD)
        w.p(
            (
                f"In our opinion, except for the matter described in the preceding paragraph, in all material respects, {points}",
                f"In our opinion, except for the effects of the matter giving rise to the modification described in the Basis for Qualified Opinion section of our report, in all material respects, {points}",
            )[s.variant % 2]
        )
    elif s.opinion == "adverse":
        w.p("Basis for Adverse Opinion", _HEAD)
        w.p(matter)
        w.p("Adverse Opinion", _HEAD)
        w.p(
            "In our opinion, because of the significance of the matter referred to in the Basis for Adverse Opinion section, the controls stated in the description were not suitably designed and did not operate effectively to provide reasonable assurance that the service commitments were achieved."
        )
    else:
        w.p("Basis for Disclaimer of Opinion", _HEAD)
        w.p(
            "Management did not provide the records of changes for seven of the twelve months. We were not able to obtain sufficient appropriate evidence to provide a basis for an opinion."
        )
        w.p("Disclaimer of Opinion", _HEAD)
        w.p(
            "Because of the significance of the matter described in the Basis for Disclaimer of Opinion section, we do not express an opinion on whether the description presents the system or whether the controls were suitably designed or operated effectively."
        )
    w.p("Restricted Use", _HEAD)
    w.p(
        f"This report, including the description of tests of controls and results thereof in section 4, is intended solely for the information and use of {w.short}, user entities of its {s.system} during some or all of the period, business partners, and prospective user entities who have sufficient knowledge and understanding of the matters. This report is not intended to be, and should not be, used by anyone other than these specified parties."
    )
    day = written(s.report_on, s.dates)
    w.lines(*((s.auditor, s.place, day), (day, s.auditor, s.place), (f"/s/ {s.auditor}", day))[s.variant % 3])
    w.page()


def _assertion(w: _Writer) -> None:
    s = w.spec
    w.p(f"Section 2: Assertion of {w.short} Management", _HEAD)
    w.p(
        f"We have prepared the accompanying description of {w.short}'s {s.system} {w.span}. We confirm, to the best of our knowledge and belief, that the description presents the system in accordance with the description criteria, and that the controls were suitably designed {w.span}, in all material respects."
    )
    w.page()


def _description(w: _Writer) -> None:
    s = w.spec
    w.p("Section 3: Description of the System", _HEAD)
    before = (date(s.end.year - 2, 10, 1), date(s.end.year - 1, 9, 29))
    w.p(
        f"A prior report covered the period {written(before[0], s.dates)} to {written(before[1], s.dates)}. Last year an exception was noted in CC6.2; it was remediated in the first month after. The opinion of that report was qualified."
    )
    if s.subservice:
        first = next(iter(s.subservice)).split(" (")[0]
        w.p(
            f"{first} publishes its own SOC 2 Type 2 report, issued by Somebody Else & Partners LLP and dated {written(date(s.end.year - 1, 5, 5), s.dates)}, for the period {written(date(s.end.year - 2, 4, 1), s.dates)} to {written(date(s.end.year - 1, 3, 31), s.dates)}. Management reviewed it."
        )
    _noise(w, 50)
    if s.subservice:
        _subservice_part(w)
    if s.cuecs:
        _cuec_part(w)
    w.p("Trust Services Categories", _HEAD)
    _noise(w, 12)
    w.page()


def _subservice_part(w: _Writer) -> None:
    s = w.spec
    w.p("Subservice Organizations", _HEAD)
    if s.subservice_style == "table":
        w.p("The following table lists the subservice organizations and their services:")
        w.table(
            [
                ["Subservice organization", "Services"],
                *([name, service.capitalize()] for name, service in s.subservice.items()),
            ],
            [220, 260],
        )
    elif s.subservice_style == "bullets":
        w.p(f"{w.short} relies on the following subservice organizations:")
        for name, service in s.subservice.items():
            w.p(f"\u2022 {name} - {service}")
    else:
        w.p(f"{_uses(w)}. These are carved out." if s.method == "carve_out" else f"{_uses(w)}.")
    if s.method == "inclusive":
        w.p("The description includes the subservice organization's controls under the inclusive method.")
    else:
        w.p(
            "The carve-out method is used. The following controls are expected to be in place there: physical access is restricted to authorised persons; media are destroyed safely."
        )


def _cuec_part(w: _Writer) -> None:
    s = w.spec
    w.p("Complementary User Entity Controls", _HEAD)
    w.p(
        f"{w.short}'s controls were designed with the assumption that certain controls would be implemented by user entities. The following should be considered:"
    )
    if s.cuec_style == "table":
        w.table(
            [
                ["Criteria", "Complementary user entity control"],
                *([_CRITERIA[22 + n], text] for n, text in enumerate(s.cuecs)),
            ],
            [70, 400],
        )
    elif s.cuec_style == "sentences":
        w.p(" ".join(s.cuecs))
    else:
        for number, text in enumerate(s.cuecs, 1):
            mark = {"bullets": "\u2022", "numbers": f"{number}.", "coded": f"CUEC-{number:02}:"}[s.cuec_style]
            w.p(f"{mark} {text}")


def _tests(w: _Writer) -> None:
    s = w.spec
    w.p("Section 4: Trust Services Criteria, Related Controls, and Tests of Controls", _HEAD)
    w.p(
        "Tests included inquiry, observation, inspection and re-performance. \u201cNo exceptions noted\u201d means that the control operated as described. \u201cException noted\u201d means that a deviation from the control was found. Where exceptions were noted, management's response is given."
    )
    by_criterion: dict[str, list[Deviation]] = {}
    for each in s.deviations:
        by_criterion.setdefault(each.criterion, []).append(each)
    extra = [
        f"{letter_}1.{n}"
        for letter_, name in (("A", "availability"), ("C", "confidentiality"))
        if name in s.categories
        for n in (1, 2)
    ]
    for criterion in [*_CRITERIA, *extra]:
        _criterion_table(w, criterion, by_criterion.get(criterion, []))


def _criterion_table(w: _Writer, criterion: str, deviations: list[Deviation]) -> None:
    s = w.spec
    w.p(f"{criterion} The entity meets the objectives of this criterion by the controls below.")
    rows = [["Control", "Description of control", "Test performed", "Results of tests"]]
    clean = ("No exceptions noted.", "No exceptions were noted.", "No deviations noted.")[s.variant % 3]
    for number in range(1, 4):
        control = _control(criterion, number, s.variant)
        rows.append(
            [
                control,
                w.random.choice(_NOISE),
                f"Inspected the records for a sample of {w.random.randint(5, 40)} items.",
                clean,
            ]
        )
    for each in deviations:
        lead = ("Exception noted. ", "Exceptions noted: ", "Deviation noted. ")[s.variant % 3]
        told = f" Management's Response: {each.response}" if each.response and s.variant != 1 else ""
        rows.append(
            [
                each.control,
                w.random.choice(_NOISE),
                "Inspected the records for a sample of 25 items.",
                f"{lead}{each.text}{told}",
            ]
        )
    w.table(rows, [55, 180, 120, 125])


def _control(criterion: str, number: int, variant: int) -> str:
    return (
        f"AC-{abs(hash(criterion)) % 1:01}{criterion.replace('.', '').strip('CPIA')}{number}",
        f"{criterion.strip('CPIA')}.{number}",
        f"{criterion}-{number:02}",
    )[variant % 3]


def _other(w: _Writer) -> None:
    s = w.spec
    w.page()
    w.p("Section 5: Other Information Provided by Management", _HEAD)
    if s.variant == 1:
        for each in s.deviations:
            w.p(f"Control {each.control}: {each.response}")
    _noise(w, 14)


def _furniture(spec: Spec) -> "object":
    def draw(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 20, f"{spec.company} | SOC 2 | Page {document.page}")
        canvas.drawString(72, document.pagesize[1] - 30, "Proprietary and confidential. Exception noted.")
        canvas.restoreState()

    return draw


@cache
def report(spec_name: str) -> bytes:
    """Build a report's PDF; the name is one of `SPECS`."""
    spec = SPECS[spec_name]
    w = _Writer(spec)
    for part in (_cover, _scope, _opinion, _assertion, _description, _tests, _other):
        part(w)
    file = io.BytesIO()
    document = SimpleDocTemplate(file, pagesize=A4 if spec.dates == WORLD else letter, invariant=1)
    draw = _furniture(spec)
    document.build(w.parts, onFirstPage=draw, onLaterPages=draw)
    return file.getvalue()


def pages_pdf(pages: list[list[str]]) -> bytes:
    """A document of these pages, each a list of paragraphs."""
    file = io.BytesIO()
    parts: list[Flowable] = []
    for page in pages:
        parts += [*(Paragraph(escape(text), _BODY) for text in page), PageBreak()]
    SimpleDocTemplate(file, pagesize=letter, invariant=1).build(parts)
    return file.getvalue()


_CUECS = (
    "User entities are responsible for assigning and removing the accounts of their own users in time.",
    "User entities are responsible for choosing strong authentication, such as single sign-on with a second factor.",
    "User entities are responsible for reporting suspected incidents to the service organization without delay.",
    "User entities are responsible for the accuracy and completeness of the data that they send.",
    "User entities are responsible for reviewing the access rights of their users at least every quarter.",
)
_LATE = Deviation(
    "CC6.2",
    "6.2.9",
    "For 2 of 25 terminated users sampled, access was not removed within 24 hours.",
    "The off-boarding job was repaired in July and now runs every hour.",
)
_REVIEW = Deviation(
    "CC6.3",
    "6.3.9",
    "One of four quarterly access reviews was not performed.",
    "A reminder was added, and the review was made up in the next month.",
)
_CHANGE = Deviation(
    "CC8.1",
    "8.1.9",
    "For 3 of 40 changes sampled, approval was recorded after deployment.",
    "Branch protection is now enforced for all repositories.",
)
_AWS = {"Amazon Web Services, Inc. (\u201cAWS\u201d)": "cloud hosting services"}


def _specs() -> Iterator[tuple[str, Spec]]:
    yield (
        "plain",
        Spec(
            "Aldermoor Cloud, Inc.",
            "Ledger Platform System",
            "Harrow & Finch LLP",
            "Tampa, Florida",
            date(2025, 11, 14),
            date(2025, 9, 30),
            date(2024, 10, 1),
            categories=("security", "availability", "confidentiality"),
            cuecs=_CUECS,
            subservice=_AWS,
        ),
    )
    yield (
        "world dates",
        Spec(
            "Brightfen Limited",
            "Payroll System",
            "Wexcombe Assurance Limited",
            "Leeds, England",
            date(2025, 11, 3),
            date(2025, 9, 30),
            date(2024, 10, 1),
            dates=WORLD,
            variant=1,
            categories=("security", "confidentiality"),
            cuecs=_CUECS[:3],
            cuec_style="numbers",
            subservice={"Microsoft Azure": "cloud infrastructure", "Equinix, Inc.": "colocation of servers"},
            subservice_style="bullets",
            deviations=(_LATE,),
            seed=2,
        ),
    )
    yield (
        "iso dates",
        Spec(
            "Corvane GmbH",
            "Telemetry Platform",
            "Norrmann Audit GmbH",
            "Hamburg, Germany",
            date(2026, 1, 20),
            date(2025, 12, 31),
            date(2025, 1, 1),
            dates=ISO,
            variant=2,
            categories=("security", "availability"),
            cuecs=_CUECS[:4],
            cuec_style="coded",
            subservice={"Google Cloud Platform (GCP)": "cloud hosting"},
            subservice_style="table",
            deviations=(_REVIEW, _CHANGE),
            seed=3,
        ),
    )
    yield (
        "qualified",
        Spec(
            "Dunmere Systems, LLC",
            "Claims Exchange System",
            "Pell Ashworth CPAs",
            "Denver, Colorado",
            date(2025, 8, 29),
            date(2025, 6, 30),
            date(2024, 7, 1),
            opinion="qualified",
            categories=("security", "processing_integrity"),
            cuecs=_CUECS,
            deviations=(_LATE, _REVIEW, _CHANGE),
            subservice=_AWS,
            seed=4,
        ),
    )
    yield (
        "qualified otherwise",
        Spec(
            "Elmbrook Data, Inc.",
            "Warehouse System",
            "Tolliver Grange, P.C.",
            "Austin, Texas",
            date(2025, 5, 16),
            date(2025, 3, 31),
            date(2024, 4, 1),
            opinion="qualified",
            variant=1,
            categories=("security", "availability"),
            cuecs=_CUECS[:2],
            deviations=(_LATE,),
            seed=5,
        ),
    )
    yield (
        "adverse",
        Spec(
            "Farrowgate, Inc.",
            "Messaging System",
            "Quillon Rowe PLLC",
            "Boise, Idaho",
            date(2025, 7, 7),
            date(2025, 5, 31),
            date(2024, 6, 1),
            opinion="adverse",
            variant=2,
            categories=("security", "privacy"),
            cuecs=_CUECS[:3],
            cuec_style="table",
            deviations=(_LATE, _CHANGE),
            subservice=_AWS,
            seed=6,
        ),
    )
    yield (
        "disclaimer",
        Spec(
            "Glenhollow, Inc.",
            "Scheduling System",
            "Harrow & Finch LLP",
            "Tampa, Florida",
            date(2025, 4, 11),
            date(2025, 2, 28),
            date(2024, 3, 1),
            opinion="disclaimer",
            cuecs=_CUECS[:3],
            seed=7,
        ),
    )
    yield (
        "type 1",
        Spec(
            "Hestercombe Labs, Inc.",
            "Signing System",
            "Orrin & Vale LLP",
            "Portland, Oregon",
            date(2025, 9, 26),
            date(2025, 8, 31),
            categories=("security", "confidentiality"),
            cuecs=_CUECS[:4],
            subservice={"DigitalOcean, LLC": "cloud hosting"},
            seed=8,
        ),
    )
    yield (
        "type 1 iso",
        Spec(
            "Islingfield Limited",
            "Ticketing Platform",
            "Wexcombe Assurance Limited",
            "Leeds, England",
            date(2026, 2, 2),
            date(2026, 1, 15),
            dates=ISO,
            variant=1,
            cuecs=_CUECS[:2],
            cuec_style="numbers",
            seed=9,
        ),
    )
    yield (
        "inclusive",
        Spec(
            "Jurnby, Inc.",
            "Lending Cloud System",
            "Sable Crane & Company, LLC",
            "Chicago, Illinois",
            date(2025, 12, 19),
            date(2025, 10, 31),
            date(2024, 11, 1),
            variant=1,
            categories=("security", "availability", "processing_integrity", "confidentiality", "privacy"),
            cuecs=_CUECS,
            cuec_style="sentences",
            subservice={"Northquay Hosting, Inc. (\u201cNorthquay\u201d)": "data centre operations"},
            method="inclusive",
            deviations=(_CHANGE,),
            seed=10,
        ),
    )
    yield (
        "short dates",
        Spec(
            "Kestrelway, Inc.",
            "Routing Platform System",
            "Bram Tully LLP",
            "Columbus, Ohio",
            date(2025, 10, 30),
            date(2025, 8, 31),
            date(2024, 9, 1),
            dates=US_SHORT,
            variant=2,
            categories=("security", "availability", "confidentiality"),
            cuecs=_CUECS[:4],
            cuec_style="coded",
            subservice={"Amazon Web Services (AWS)": "cloud hosting", "Snowflake Inc. (Snowflake)": "data warehousing"},
            subservice_style="table",
            deviations=(_LATE, _REVIEW),
            seed=11,
        ),
    )
    yield (
        "six months",
        Spec(
            "Lanyard Works, Inc.",
            "Identity System",
            "Moorgate Ellery LLP",
            "Atlanta, Georgia",
            date(2025, 8, 8),
            date(2025, 6, 30),
            date(2025, 1, 1),
            categories=("security",),
            cuecs=(),
            deviations=(_CHANGE,),
            seed=12,
        ),
    )


SPECS = dict(_specs())
