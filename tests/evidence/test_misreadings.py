"""Wordings that were misread, or could be: what is proposed is right, or is not sure of itself."""

import pytest

from vendorrisk.evidence.extract_fields import propose
from vendorrisk.evidence.report_text import Field, Proposal
from vendorrisk.texts.written_dates import days, periods

_FILL = "The entity keeps written procedures. Backups are taken nightly and watched by operations.\n" * 30
_PERIOD = "throughout the period January 1, 2025 to December 31, 2025"
_CLEAN = "In our opinion, in all material respects, the controls operated effectively.\n"
_SURE = 0.75


def _report(
    opinion: str = _CLEAN, *, cover: str = "", period: str = _PERIOD, more: str = "", lists: str = ""
) -> list[str]:
    """Return the pages of a short report; `more` stands in the auditor's scope, `lists` after management's part."""
    scope = (
        f"Independent Service Auditor's Report\nWe have examined Quill's description of its Note System {period} and "
        f"the suitability of the design and operating effectiveness of its controls relevant to security.\n{more}\n"
    )
    signed = (
        "Restricted use\nThis report is intended solely for the information of Quill.\nBracken Hythe LLP\n"
        "Dallas, Texas\nFebruary 20, 2026\nSection II Management's assertion\nWe assert.\n"
    )
    return [f"Quill\nSOC 2 Type 2 Report\n{cover}", scope + opinion + signed, _FILL, lists or _FILL, _FILL]


def _of(pages: list[str], field: Field) -> list[Proposal]:
    return [each for each in propose(pages) if each.field is field]


@pytest.mark.parametrize(
    ("opinion", "value"),
    [
        (
            (
                "In our opinion, in all material respects, based on the description criteria and the applicable trust "
                "services criteria identified in Quill's assertion, a. the description fairly presents the system that "
                "was designed and implemented; b. the controls were suitably designed throughout the period to provide "
                "reasonable assurance; and c. except for the matter described in the preceding paragraph, the controls "
                "operated effectively.\n"
            ),
            "qualified",
        ),
        (
            "In our opinion, except for the deviations noted in Section IV, in all material respects, it is so.\n",
            "qualified",
        ),
        (
            "In our opinion, except as described in the paragraph above, in all material respects, it is so.\n",
            "qualified",
        ),
        (
            (
                "In our opinion, because of the effects of the matters above, the controls stated in the description "
                "were not operating effectively.\n"
            ),
            "adverse",
        ),
        (
            (
                "In our opinion, because of the significance of the matter above, the description does not present the "
                "system, except for the effects of what follows.\n"
            ),
            "adverse",
        ),
        (_CLEAN, "unqualified"),
    ],
)
def test_an_opinion_is_told_by_all_of_its_sentence(opinion: str, value: str) -> None:
    assert [each.value for each in _of(_report(opinion), Field.OPINION)] == [value]


@pytest.mark.parametrize(
    "more",
    [
        "Controls over leavers did not operate for four months, with the exception of the head office.",
        "We express a modified opinion on the controls below.",
    ],
)
def test_a_clean_sentence_beside_words_that_modify_an_opinion_is_not_sure(more: str) -> None:
    assert [each.confidence for each in _of(_report(), Field.OPINION)] == [0.95]
    assert all(each.confidence < _SURE for each in _of(_report(more=more), Field.OPINION))


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("the year ended March 31, 2025", "2024-04-01", "2025-03-31"),
        ("the twelve-month period ended February 28, 2025", "2024-03-01", "2025-02-28"),
        ("the twelve months ended 29 February 2024", "2023-03-01", "2024-02-29"),
        ("the six months ending September 30, 2025", "2025-04-01", "2025-09-30"),
        ("1/4/2025 - 31/3/2026", "2025-04-01", "2026-03-31"),
        ("4/1/2025 - 3/31/2026", "2025-04-01", "2026-03-31"),
    ],
)
def test_a_period_named_by_its_end_or_by_numbers_is_understood(written: str, first: str, last: str) -> None:
    (found,) = periods(f"for {written}.")
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)


def test_the_year_that_an_auditor_examined_is_no_as_of_date() -> None:
    pages = _report(
        period="for the twelve-month period ended March 31, 2025", more="As of March 31, 2025 it had 9 staff."
    )
    assert _of(pages, Field.AS_OF_ON) == []
    assert [each.value for each in _of(pages, Field.PERIOD_START_ON)] == ["2024-04-01"]
    bare = _report(period="", more="As of March 31, 2025 it had 9 staff.")
    assert all(each.confidence < _SURE for each in _of(bare, Field.AS_OF_ON))


def test_one_date_that_reads_one_way_only_says_how_the_report_writes_the_others() -> None:
    pages = _report(period="throughout the period 1/4/2025 to 31/3/2026")
    pages[1] = pages[1].replace("February 20, 2026", "5/6/2026")
    assert [each.value for each in _of(pages, Field.REPORT_ON)] == ["2026-06-05"]
    assert [each.on.isoformat() for each in days("3/4/2025", day_first=True)] == ["2025-04-03"]


def test_dates_that_read_in_two_ways_are_never_sure() -> None:
    pages = _report(period="throughout the period 1/4/2025 to 1/3/2026")
    found = [*_of(pages, Field.PERIOD_START_ON), *_of(pages, Field.PERIOD_END_ON)]
    assert found
    assert all(each.confidence < _SURE for each in found)
    first = [
        "Quill SOC 2 Type 1 report as of 3/4/2025",
        "We have examined the design of controls as of 3/4/2025.",
        _FILL,
    ]
    (day,) = _of(first, Field.AS_OF_ON)
    assert day.confidence < _SURE


def test_an_item_of_a_list_goes_on_over_its_line_whatever_word_begins_it() -> None:
    lists = (
        "Complementary User Entity Controls\nUser entities are to operate:\n\u2022 Telling Quill of\nchanges to "
        "contacts.\n\u2022 Reporting\nincidents without delay.\nIncidents\nNone.\n\u2022 No control.\n"
    )
    assert [each.value for each in _of(_report(lists=lists), Field.CUEC)] == [
        "Telling Quill of changes to contacts.",
        "Reporting incidents without delay.",
    ]


def test_a_deviation_that_ends_at_no_mark_is_less_sure() -> None:
    told = "CC6.2\n6.2.1 Leavers lose access.\nException noted. Three of 25 were late.\n"
    (ended,) = _of(_report(lists=f"{told}6.2.2 Joiners.\n"), Field.EXCEPTION)
    (endless,) = _of(_report(lists=told), Field.EXCEPTION)
    assert ended.confidence > _SURE > endless.confidence


def test_a_heading_over_responses_is_no_exception_and_one_that_tells_nothing_is_not_sure() -> None:
    told = "CC6.2\n6.2.1 Leavers.\nDeviation noted. Three of 25 were late.\n6.2.2 Joiners.\nNo deviations noted.\n"
    heading = "Management's Responses to Deviations Noted\n6.2.1 It is mended.\n"
    (found,) = _of(_report(lists=told + heading), Field.EXCEPTION)
    assert found.more["response"] == "It is mended."
    bare = "CC6.2\n6.2.1 Leavers lose access.\nException noted\n6.2.2 Joiners.\n"
    (empty,) = _of(_report(lists=bare), Field.EXCEPTION)
    assert empty.confidence < _SURE


def test_who_is_carved_out_is_not_sure_where_a_report_speaks_of_both_methods() -> None:
    more = (
        "Quill uses Northquay Ltd, a subservice organization, for hosting, by the inclusive method, and Amazon Web "
        "Services for storage, to which the carve-out method applies."
    )
    found = _of(_report(more=more), Field.SUBSERVICE)
    assert {each.value for each in found} == {"Northquay Ltd", "Amazon Web Services"}
    assert all(each.confidence < _SURE for each in found)


def test_a_word_with_a_glyph_that_means_no_character_is_read() -> None:
    opinion = _CLEAN.replace("material", "ma\ufffeterial")
    (found,) = _of(_report(opinion), Field.OPINION)
    assert (found.value, found.quotation) == ("unqualified", "In our opinion, in all ma\ufffeterial respects")


def test_a_text_without_an_auditors_report_is_read_with_doubt() -> None:
    plan = "Our SOC 2 roadmap: we will be examined for the period January 1, 2026 to December 31, 2026, a Type 2."
    assert all(each.confidence < _SURE for each in propose([plan]))
