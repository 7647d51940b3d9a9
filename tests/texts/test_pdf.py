"""From a PDF to proposals: right ones, with their place; and a reason, in bounded time, for what cannot be read."""

import io
import time
import zlib
from collections import defaultdict

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from tests.evidence.reports import SPECS, Spec, pages_pdf, report
from tests.evidence.unseen import UNSEEN
from vendorrisk.evidence.extract_fields import Extraction, propose, read, read_report
from vendorrisk.evidence.report_text import Field
from vendorrisk.sandbox.running import Limits, Sandbox
from vendorrisk.texts.pdf import Problem
from vendorrisk.texts.text import Text
from vendorrisk.texts.written_dates import days, periods

pytestmark = pytest.mark.anyio
Values = dict[Field, set[object]]


def _expected(spec: Spec) -> Values:
    values: Values = {
        Field.KIND: {"soc_2"},
        Field.REPORT_TYPE: {"type_2" if spec.start else "type_1"},
        Field.REPORT_ON: {spec.report_on.isoformat()},
        Field.AUDITOR: {spec.auditor},
        Field.OPINION: {spec.opinion},
        Field.CATEGORY: set(spec.categories),
        Field.SYSTEM: {spec.system},
        Field.EXCEPTION: {(each.criterion, each.control, each.text, each.response) for each in spec.deviations},
        Field.CUEC: set(spec.cuecs),
        Field.SUBSERVICE: {(name.split(" (")[0], spec.method) for name in spec.subservice},
    }
    if spec.start:
        values |= {Field.PERIOD_START_ON: {spec.start.isoformat()}, Field.PERIOD_END_ON: {spec.end.isoformat()}}
    else:
        values |= {Field.AS_OF_ON: {spec.end.isoformat()}}
    return {field: found for field, found in values.items() if found}


def _proposed(reading: Extraction, *, whole: bool) -> Values:
    values: Values = defaultdict(set)
    for each in reading.proposals:
        value: object = each.value
        if whole and each.field is Field.EXCEPTION:
            value = (each.value, each.more["control"], each.more["deviation"], each.more.get("response", ""))
        if whole and each.field is Field.SUBSERVICE:
            value = (each.value, each.more["method"])
        values[each.field].add(value)
    return dict(values)


@pytest.mark.parametrize("name", SPECS)
def test_a_full_length_report_is_read_as_a_careful_reader_would(name: str) -> None:
    reading = read(report(name))
    assert reading.problem is None
    assert len(reading.pages) >= 29
    assert _proposed(reading, whole=True) == _expected(SPECS[name])
    for each in reading.proposals:
        assert each.quotation
        assert each.quotation in reading.pages[each.page - 1]
        assert 0 < each.confidence < 1


@pytest.mark.parametrize("name", UNSEEN)
def test_reports_in_others_wording_are_read_too(name: str) -> None:
    pages, expected = UNSEEN[name]
    assert _proposed(read(pages_pdf(pages)), whole=False) == {Field(field): found for field, found in expected.items()}


def test_a_quotation_keeps_ligatures_and_divided_words_that_the_value_has_not() -> None:
    said = "In our opinion, in all mate\x02\r\nrial respects, the \ufb01rm is \ufb01ne."
    page = f"We have examined the description.\r\n{said}\r\nRestricted use"
    (opinion,) = [each for each in propose([page]) if each.field is Field.OPINION]
    assert opinion.quotation == "In our opinion, in all mate\x02\r\nrial respects"
    text = Text([page])
    assert "in all material respects, the firm is fine" in text.plain


def test_running_heads_and_feet_do_not_come_between() -> None:
    pages = [f"ACME | Page {n}\r\nExceptions noted.\r\n" + "x\r\n" * 5 + f"Confidential {n}" for n in range(1, 12)]
    plain = Text(pages).plain
    assert plain.count("ACME") == plain.count("Confidential") == 1


def test_nothing_is_proposed_from_what_only_looks_like_a_report() -> None:
    text = (
        "Our policy: where exceptions are noted, they are told. No exceptions noted. No deviations were identified. "
        "'Exception noted' means that a test failed. Exceptions noted: none. A user of the service is in scope."
    )
    assert [each for each in propose([text] * 8) if each.field is not Field.KIND] == []


def test_an_opinion_is_not_taken_from_the_disclaimer_about_other_information() -> None:
    page = (
        "We have examined the description. The other information has not been subjected to our procedures and, "
        "accordingly, we do not express an opinion on it. In our opinion, in all material respects, it is presented."
    )
    assert [each.value for each in propose([page]) if each.field is Field.OPINION] == ["unqualified"]


DATES = {
    "October 1, 2024 to September 30, 2025": ("2024-10-01", "2025-09-30"),
    "1 October 2024 through 30 September 2025": ("2024-10-01", "2025-09-30"),
    "OCTOBER 1,\n2024 THROUGH SEPTEMBER 30,\n2025": ("2024-10-01", "2025-09-30"),
    "2024-10-01 - 2025-09-30": ("2024-10-01", "2025-09-30"),
    "10/1/2024 - 9/30/2025": ("2024-10-01", "2025-09-30"),
    "13/1/2024 to 14/1/2025": ("2024-01-13", "2025-01-14"),
    "1.10.2024 to 30.9.2025": ("2024-10-01", "2025-09-30"),
    "October 1 through December 31, 2025": ("2025-10-01", "2025-12-31"),
    "November 1 to January 31, 2026": ("2025-11-01", "2026-01-31"),
    "Oct. 1st, 2024 until Sept. 30th, 2025": ("2024-10-01", "2025-09-30"),
    "March 1, 2023 to February 29, 2024": ("2023-03-01", "2024-02-29"),
    "February 29, 2023 to March 1, 2024": None,
    "September 30, 2025 to October 1, 2024": None,
    "2024-10-01 - 2025-09-305": None,
}


@pytest.mark.parametrize("text", DATES)
def test_a_period_is_understood_however_it_is_written(text: str) -> None:
    found = [(period.first.isoformat(), period.last.isoformat()) for period in periods(f"for {text}.")]
    expected = DATES[text]
    assert found == ([] if expected is None else [expected])


def test_a_date_whose_day_and_month_might_be_swapped_is_less_sure() -> None:
    assert [day.sureness for day in days("3/4/2025, 3/14/2025, 2025-03-04, 4/4/2025")] == [0.7, 1.0, 1.0, 1.0]


def _scan(pages: int) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1)
    for _ in range(pages):
        canvas.rect(50, 50, 400, 600, fill=1)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _locked(user: str) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1, encrypt=StandardEncryption(user, "owner", canCopy=0))
    canvas.drawString(72, 700, "SOC 2 Type 2 Report. We have examined the description. In our opinion, yes.")
    canvas.save()
    return file.getvalue()


def _objects(count: int) -> bytes:
    body = b"".join(b"%d 0 obj\n<<>>\nendobj\n" % number for number in range(4, count))
    return (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
        + body
        + b"trailer\n<</Root 1 0 R>>\n%%EOF\n"
    )


def _recursive() -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
    )


def _bomb() -> bytes:
    """A page whose content is 150 MB of text operators, packed."""
    packer = zlib.compressobj(1)
    shown = b"BT /F1 9 Tf 1 0 0 1 9 9 Tm (aaaa) Tj ET\n" * 25_000
    packed = b"".join(packer.compress(shown) for _ in range(150)) + packer.flush()
    head = (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F1"
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>\nendobj\n"
    )
    stream = b"4 0 obj\n<</Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n" % (len(packed), packed)
    return head + stream + b"trailer\n<</Root 1 0 R>>\n%%EOF\n"


UNREADABLE = {
    "no PDF": (lambda: b"hello", {Problem.BROKEN, Problem.TRUNCATED}),
    "nothing": (lambda: b"", {Problem.BROKEN, Problem.TRUNCATED}),
    "a scan": (lambda: _scan(12), {Problem.NO_TEXT}),
    "a password": (lambda: _locked("secret"), {Problem.ENCRYPTED}),
    "only its beginning": (lambda: report("plain")[:20_000], {Problem.TRUNCATED}),
    "only its end": (lambda: b"%PDF-1.7\n" + report("plain")[-2_000:], {Problem.BROKEN}),
    "pages within pages": (_recursive, {Problem.BROKEN, Problem.NO_TEXT}),
    "a million objects": (lambda: _objects(1_000_000), {Problem.NO_TEXT, Problem.TOO_COMPLEX}),
    "a bomb": (_bomb, {Problem.TOO_COMPLEX, Problem.BROKEN}),
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_what_cannot_be_read_says_why_in_bounded_time(case: str) -> None:
    make, problems = UNREADABLE[case]
    pdf = make()
    started = time.monotonic()
    limits = Limits(cpu_seconds=4, wall_seconds=10)
    reading = await read_report(Sandbox(), pdf, limits)
    assert reading.problem in problems
    assert reading.proposals == []
    assert time.monotonic() - started < 12


async def test_a_report_read_in_the_child_gives_what_it_gives_here() -> None:
    assert await read_report(Sandbox(), report("qualified")) == read(report("qualified"))


async def test_a_pdf_that_only_its_owner_may_copy_is_read() -> None:
    reading = await read_report(Sandbox(), _locked(""))
    assert reading.problem is None
    assert {each.field for each in reading.proposals} >= {Field.KIND, Field.REPORT_TYPE}


def test_a_report_cut_before_its_last_mark_is_read_and_said_to_be_cut() -> None:
    whole = report("plain")
    reading = read(whole[: whole.rindex(b"%%EOF")])
    assert reading.problem is Problem.TRUNCATED
    assert len(reading.pages) == len(pypdfium2.PdfDocument(whole))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 40_000), st.binary(min_size=1, max_size=40))
def test_a_damaged_report_never_raises(place: int, noise: bytes) -> None:
    pdf = report("type 1")
    place %= len(pdf)
    reading = read(pdf[:place] + noise + pdf[place + len(noise) :])
    assert isinstance(reading, Extraction)


_WORDS = st.sampled_from(
    [
        "in our opinion,",
        "exception noted",
        "management's response:",
        "CC6.1",
        "6.1.1",
        "\n",
        "uses",
        "to provide",
        "subservice organizations",
        "Acme",
        "(Acme)",
        "LLP",
        "October 1, 2024",
        "to",
        "complementary user entity controls\n",
        "\u2022",
        "we have examined",
        "restricted use",
        "relevant to security,",
        "and privacy",
        "as of",
        "bridge letter",
        "\ufb01",
        "\x02",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(_WORDS, max_size=40).map(" ".join) | st.text(max_size=80), max_size=5))
def test_any_pages_give_proposals_that_quote_them(pages: list[str]) -> None:
    for each in propose(pages):
        assert each.quotation in pages[each.page - 1]


JUNK = [
    "a",
    "A ",
    "A\n",
    "1 ",
    "\n",
    "in our opinion, ",
    "exception noted ",
    "exception noted.\nCC6.1 ",
    "CC6.1 6.1.1 ",
    "October 1, 2024 to ",
    "October 1, 2024 ",
    "1/1/",
    "security, ",
    "relevant to security, availability, ",
    "description of its A A A A A A A A ",
    "uses A ",
    "subservice organization uses Aa Bb Cc Dd Ee Ff, ",
    "\nSubservice Organizations\nAa Bb (",
    "\nComplementary User Entity Controls\n\u2022 A",
    "management's response: ",
    "we have examined restricted use ",
    "provided by Aa ",
    "\ufb01",
    "-\na",
    "\x02",
    "Control 1.1 ",
    "(",
    "A, ",
    "as of ",
    "customers should ",
    "\nOther information provided by A",
    "Inc. ",
    "through ",
    ". ",
    "A.A ",
    "\n\u2022 Amazon Web Services (",
]


@pytest.mark.parametrize("unit", JUNK)
def test_four_times_the_junk_takes_four_times_as_long_and_no_more(unit: str) -> None:
    page = (unit * (50_000 // len(unit) + 1))[:50_000]
    spent = []
    for pages in (1, 4):
        started = time.process_time()
        propose([page] * pages)
        spent.append(time.process_time() - started)
    # Quadratic time would be sixteen times as long; a megabyte would take five times what four pages take.
    assert spent[1] < max(0.25, 8 * spent[0])
    assert spent[1] < 1.5
