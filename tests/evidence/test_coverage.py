"""Coverage: the worked examples, and properties against a day-by-day oracle."""

from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.evidence.coverage import (
    DAY,
    RELIED_ON,
    AuditorOpinion,
    CoverageGap,
    CoverageState,
    Letter,
    Report,
    ReportType,
    Support,
    categories_relied_on,
    coverage,
    gaps,
    plus_months,
)
from vendorrisk.evidence.policy import EvidencePolicy

POLICY = EvidencePolicy()
S = CoverageState


def type_2(
    start: str, end: str, *, opinion: AuditorOpinion = AuditorOpinion.UNQUALIFIED, letter: str | None = None
) -> Report:
    letters = () if letter is None else (Letter(UUID(int=9), date.fromisoformat(letter)),)
    number = UUID(int=date.fromisoformat(start).toordinal())
    return Report(
        number, ReportType.TYPE_2, date.fromisoformat(start), date.fromisoformat(end), opinion, letters=letters
    )


def type_1(day: str) -> Report:
    on = date.fromisoformat(day)
    return Report(UUID(int=on.toordinal()), ReportType.TYPE_1, on, on, AuditorOpinion.UNQUALIFIED)


def at(day: str, *reports: Report) -> tuple[CoverageState, str | None]:
    found = coverage(reports, date.fromisoformat(day), POLICY)
    return found.state, found.effective_until_on and found.effective_until_on.isoformat()


def test_after_its_period_a_report_is_relied_on_for_twelve_months() -> None:
    assert at("2026-01-15", type_2("2024-10-01", "2025-09-30")) == (S.IN_RELIANCE, "2026-09-30")
    assert at("2025-09-30", type_2("2024-10-01", "2025-09-30")) == (S.COVERED, "2026-09-30")
    assert at("2026-10-01", type_2("2024-10-01", "2025-09-30")) == (S.LAPSED, "2026-09-30")
    assert at("2024-09-30", type_2("2024-10-01", "2025-09-30")) == (S.NONE, None)


def test_a_change_is_the_next_one_even_on_the_day_of_one() -> None:
    report = type_2("2024-10-01", "2025-09-30")
    for day, change in (("2024-09-30", "2024-10-01"), ("2024-10-01", "2025-10-01"), ("2025-10-01", "2026-10-01")):
        assert coverage([report], date.fromisoformat(day), POLICY).next_change_on == date.fromisoformat(change)
    assert coverage([report], date(2026, 10, 1), POLICY).next_change_on is None


def test_a_letter_of_the_next_report_bridges_nothing_before_it() -> None:
    early, late = type_2("2024-01-01", "2024-12-31"), type_2("2025-02-01", "2026-01-31", letter="2026-03-31")
    assert gaps([early, late], POLICY) == (CoverageGap(date(2025, 1, 1), date(2025, 1, 31), 31, 0),)


@pytest.mark.parametrize(
    ("end", "letter", "warned"),
    [
        ("2025-03-31", None, []),
        ("2025-03-30", None, ["shorter"]),
        ("2026-06-30", None, []),
        ("2026-07-01", None, ["longer"]),
        ("2025-12-31", "2026-03-31", []),
        ("2025-12-31", "2026-04-01", ["beyond the limit"]),
    ],
)
def test_a_warning_begins_a_day_past_what_is_usual(end: str, letter: str | None, warned: list[str]) -> None:
    found = coverage([type_2("2025-01-01", end, letter=letter)], date(2025, 2, 1), POLICY).warnings
    assert len(found) == len(warned)
    assert all(word in warning for word, warning in zip(warned, found, strict=True))


def test_a_bridge_letter_bridges_three_months_at_most_and_is_flagged_beyond() -> None:
    report = type_2("2024-10-01", "2025-09-30", letter="2026-01-31")
    assert at("2025-12-30", report) == (S.BRIDGED, "2026-09-30")
    found = coverage([report], date(2026, 1, 15), POLICY)
    assert (found.state, found.effective_until_on) == (S.IN_RELIANCE, date(2026, 9, 30))
    assert found.warnings == ("The bridge letter to 2026-01-31 goes beyond the limit. It counts to 2025-12-30.",)


def test_a_type_1_report_ages_in_six_months_clamped_to_the_end_of_the_month() -> None:
    assert at("2026-02-28", type_1("2025-08-31")) == (S.PARTIAL, "2026-02-28")
    assert at("2026-03-01", type_1("2025-08-31")) == (S.LAPSED, "2026-02-28")
    assert at("2024-02-29", type_1("2023-08-31")) == (S.PARTIAL, "2024-02-29")


def test_a_period_that_ends_on_a_leap_day_expires_on_28_february() -> None:
    assert at("2025-02-28", type_2("2023-03-01", "2024-02-29")) == (S.IN_RELIANCE, "2025-02-28")


def test_an_adverse_opinion_is_not_relied_on_inside_its_own_period() -> None:
    report = type_2("2025-01-01", "2025-12-31", opinion=AuditorOpinion.ADVERSE)
    assert at("2025-06-01", report) == (S.NOT_RELIED_ON, None)


def test_an_adverse_report_ends_the_reliance_on_older_ones_and_not_on_newer_ones() -> None:
    older = type_2("2024-01-01", "2024-12-31")
    adverse = type_2("2025-01-01", "2025-06-30", opinion=AuditorOpinion.ADVERSE)
    newer = type_2("2025-07-01", "2026-06-30")
    assert at("2025-03-01", older) == (S.IN_RELIANCE, "2025-12-31")
    assert at("2025-03-01", older, adverse)[0] is S.NOT_RELIED_ON
    assert at("2024-12-31", older, adverse) == (S.COVERED, "2024-12-31")
    assert at("2025-07-01", older, adverse, newer) == (S.COVERED, "2027-06-30")


def test_a_qualified_opinion_is_relied_on_and_flagged() -> None:
    found = coverage([type_2("2025-01-01", "2025-12-31", opinion=AuditorOpinion.QUALIFIED)], date(2025, 6, 1), POLICY)
    assert (found.state, found.is_qualified) == (S.COVERED, True)


def test_the_days_between_two_periods_are_a_gap_that_a_letter_does_not_remove() -> None:
    first, second = type_2("2025-01-01", "2025-12-31"), type_2("2026-02-01", "2027-01-31")
    assert gaps([first, second], POLICY) == (CoverageGap(date(2026, 1, 1), date(2026, 1, 31), 31, 0),)
    bridged = type_2("2025-01-01", "2025-12-31", letter="2026-01-20")
    assert gaps([bridged, second], POLICY) == (CoverageGap(date(2026, 1, 1), date(2026, 1, 31), 31, 20),)


def test_overlapping_and_touching_periods_leave_no_gap() -> None:
    whole = type_2("2025-01-01", "2025-12-31")
    inside = type_2("2025-03-01", "2025-06-30")
    assert gaps([whole, inside, type_2("2025-12-01", "2026-06-30"), type_2("2026-07-01", "2027-06-30")], POLICY) == ()


def test_a_lapse_is_bridged_to_the_future_only_by_a_report_that_begins_in_time() -> None:
    first, later = type_2("2024-01-01", "2024-12-31"), type_2("2026-02-01", "2026-12-31")
    assert at("2025-06-01", first, later) == (S.IN_RELIANCE, "2025-12-31")
    assert at("2026-01-10", first, later) == (S.LAPSED, "2025-12-31")
    assert at("2026-02-01", first, later) == (S.COVERED, "2027-12-31")


@pytest.mark.parametrize(
    ("start", "end", "word"), [("2025-01-01", "2025-02-28", "shorter"), ("2024-01-01", "2025-07-31", "longer")]
)
def test_a_period_of_unusual_length_is_questioned(start: str, end: str, word: str) -> None:
    (warning,) = coverage([type_2(start, end)], date(2025, 6, 1), POLICY).warnings
    assert word in warning


@pytest.mark.parametrize(("start", "end"), [("2025-01-01", "2025-03-31"), ("2024-01-01", "2025-06-30")])
def test_a_period_of_three_to_eighteen_months_is_not_questioned(start: str, end: str) -> None:
    assert coverage([type_2(start, end)], date(2025, 6, 1), POLICY).warnings == ()


def test_the_policy_of_the_tenant_decides() -> None:
    report = type_2("2024-10-01", "2025-09-30", letter="2026-01-31")
    lenient = EvidencePolicy(type2_months=18, bridge_months=6)
    found = coverage([report], date(2026, 1, 15), lenient)
    assert (found.state, found.effective_until_on, found.warnings) == (S.BRIDGED, date(2027, 3, 30), ())


_DAYS = st.integers(0, 1500).map(lambda n: date(2023, 8, 15) + timedelta(days=n))


@st.composite
def _reports(draw: st.DrawFn) -> list[Report]:
    found = []
    for number in range(draw(st.integers(0, 5))):
        start = draw(_DAYS)
        kind = draw(st.sampled_from(ReportType))
        end = start if kind is ReportType.TYPE_1 else start + timedelta(days=draw(st.integers(0, 600)))
        letters = tuple(
            Letter(UUID(int=i), end + timedelta(days=draw(st.integers(-20, 200))))
            for i in range(draw(st.integers(0, 2)))
        )
        opinion = draw(st.sampled_from(AuditorOpinion))
        categories = frozenset(draw(st.lists(st.sampled_from(["security", "privacy"]))))
        found.append(Report(UUID(int=number), kind, start, end, opinion, categories, letters))
    return found


def _oracle(reports: list[Report], day: date) -> CoverageState:
    """Decide one day by the words of the rules, without intervals."""
    bad = {AuditorOpinion.ADVERSE, AuditorOpinion.DISCLAIMER}

    def relied_until(r: Report) -> date:
        return r.to_on + relativedelta(months=6 if r.report_type is ReportType.TYPE_1 else 12)

    speaking = [r for r in reports if r.from_on <= day <= relied_until(r)]
    refuting = [r.to_on for r in speaking if r.opinion in bad]
    good = [r for r in speaking if r.opinion not in bad]
    if any(r.report_type is ReportType.TYPE_2 and day <= r.to_on for r in good):
        return S.COVERED
    good = [r for r in good if not refuting or r.to_on > max(refuting)]
    after = [r for r in good if r.report_type is ReportType.TYPE_2]
    if any(day <= min(x.ends_on, r.to_on + relativedelta(months=3)) for r in after for x in r.letters):
        return S.BRIDGED
    if after:
        return S.IN_RELIANCE
    if good:
        return S.PARTIAL
    if refuting:
        return S.NOT_RELIED_ON
    return S.LAPSED if any(r.from_on <= day for r in reports) else S.NONE


@given(_reports(), _DAYS)
def test_every_day_is_evaluated_as_the_rules_say_word_by_word(reports: list[Report], day: date) -> None:
    for shift in range(-3, 4):
        seen = day + timedelta(days=shift)
        state = coverage(reports, seen, POLICY).state
        expected = _oracle(reports, seen)
        if expected is S.NONE and reports and state is S.LAPSED:
            assert any(r.from_on < seen for r in reports)
        else:
            assert state is expected


@given(_reports(), _DAYS)
def test_the_effective_date_is_the_last_day_before_the_first_hole(reports: list[Report], day: date) -> None:
    found = coverage(reports, day, POLICY)
    if found.state not in RELIED_ON:
        assert found.effective_until_on is None or found.effective_until_on < day
        return
    assert found.effective_until_on is not None
    walk = day
    while walk <= found.effective_until_on:
        assert _oracle(reports, walk) in RELIED_ON
        walk += timedelta(days=17)
    assert _oracle(reports, found.effective_until_on) in RELIED_ON
    assert _oracle(reports, found.effective_until_on + DAY) not in RELIED_ON


@given(_reports(), _DAYS)
def test_the_timeline_is_ordered_without_overlap_or_hole(reports: list[Report], day: date) -> None:
    timeline = coverage(reports, day, POLICY).timeline
    for before, after in pairwise(timeline):
        assert before.until_on is not None
        assert after.from_on == before.until_on + DAY
        assert (before.state, before.report_id, before.reason) != (after.state, after.report_id, after.reason)
    if timeline:
        assert timeline[-1].until_on is None


@given(_reports(), _DAYS)
def test_nothing_changes_before_the_day_of_the_next_change_and_something_does_on_it(
    reports: list[Report], day: date
) -> None:
    def seen(at: date) -> tuple[object, ...]:
        found = coverage(reports, at, POLICY)
        here = [s for s in found.timeline if s.from_on <= at and (s.until_on is None or at <= s.until_on)]
        by = [segment.report_id for segment in here]
        return found.state, found.is_qualified, found.reason, by, categories_relied_on(reports, at, POLICY)

    change = coverage(reports, day, POLICY).next_change_on
    last = day + timedelta(days=900) if change is None else change - DAY
    walk = day
    while walk < last:
        assert seen(walk) == seen(day)
        walk += timedelta(days=13)
    assert seen(last) == seen(day)
    assert change is None or seen(change) != seen(day)


@given(_reports(), _DAYS, st.randoms())
def test_the_order_of_reports_does_not_matter(reports: list[Report], day: date, chance: object) -> None:
    shuffled = list(reports)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # drawn: a random.Random
    assert coverage(shuffled, day, POLICY) == coverage(reports, day, POLICY)


@given(_reports(), _DAYS, st.integers(0, 500))
def test_another_clean_report_never_makes_the_effective_date_earlier(
    reports: list[Report], day: date, length: int
) -> None:
    more = Report(
        UUID(int=77),
        ReportType.TYPE_2,
        day - timedelta(days=30),
        day + timedelta(days=length),
        AuditorOpinion.UNQUALIFIED,
    )
    before = coverage(reports, day, POLICY).effective_until_on
    after = coverage([*reports, more], day, POLICY).effective_until_on
    assert after is not None
    assert before is None or after >= before


@given(_reports(), _DAYS, _DAYS, st.integers(0, 600), st.sampled_from(ReportType))
def test_another_clean_report_of_any_kind_never_makes_a_day_worse(
    reports: list[Report], day: date, first: date, length: int, kind: ReportType
) -> None:
    last = first if kind is ReportType.TYPE_1 else first + timedelta(days=length)
    more = Report(UUID(int=77), kind, first, last, AuditorOpinion.UNQUALIFIED)
    order = list(CoverageState)
    before, after = (coverage(each, day, POLICY).state for each in (reports, [*reports, more]))
    assert order.index(after) <= order.index(before)


@given(_reports())
def test_gaps_and_covered_days_make_up_the_whole_span(reports: list[Report]) -> None:
    periods = [
        r
        for r in reports
        if r.report_type is ReportType.TYPE_2 and r.opinion in {AuditorOpinion.UNQUALIFIED, AuditorOpinion.QUALIFIED}
    ]
    if not periods:
        assert gaps(reports, POLICY) == ()
        return
    first, last = min(r.from_on for r in periods), max(r.to_on for r in periods)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    covered = sum(any(r.from_on <= d <= r.to_on for r in periods) for d in days)
    found = gaps(reports, POLICY)
    assert covered + sum(g.days for g in found) == len(days)
    assert all(0 <= g.bridged_days <= g.days == (g.until_on - g.from_on).days + 1 for g in found)


@given(_reports(), _DAYS)
def test_categories_come_only_from_reports_that_are_relied_on(reports: list[Report], day: date) -> None:
    found = categories_relied_on(reports, day, POLICY)
    alone = [r for r in reports if coverage([r], day, POLICY).state in RELIED_ON]
    assert found <= frozenset[str]().union(*(r.categories for r in alone))
    if coverage(reports, day, POLICY).state not in RELIED_ON:
        assert found == frozenset()


def _supports() -> st.SearchStrategy[list[Support]]:
    made = st.builds(
        lambda number, start, length: Support(
            UUID(int=number), start, start + timedelta(days=length), start, "A certificate.", frozenset({"security"})
        ),
        st.integers(500, 600),
        _DAYS,
        st.integers(0, 900),
    )
    return st.lists(made, min_size=1, max_size=3)


@given(_reports(), _supports(), _DAYS)
def test_a_document_supports_in_part_what_nothing_better_does_and_moves_no_end_of_reports(
    reports: list[Report], supports: list[Support], day: date
) -> None:
    alone, both = coverage(reports, day, POLICY), coverage(reports, day, POLICY, supports)
    if alone.state in RELIED_ON:
        assert (both.state, both.reason, both.is_qualified) == (alone.state, alone.reason, alone.is_qualified)
    else:
        assert both.state in {alone.state, S.PARTIAL, S.LAPSED}
    supported = [s for s in supports if s.from_on <= day <= s.until_on]
    if both.state is S.PARTIAL and alone.state is not S.PARTIAL:
        assert both.reason in {s.reason for s in supported}
    if reports:
        assert both.effective_until_on == alone.effective_until_on
    assert both.gaps == alone.gaps
    assert categories_relied_on(reports, day, POLICY) <= categories_relied_on(reports, day, POLICY, supports)


def test_an_adverse_report_puts_aside_what_supported_days_before_it() -> None:
    adverse = type_2("2025-01-01", "2025-06-30", opinion=AuditorOpinion.ADVERSE)
    older = Support(UUID(int=5), date(2024, 6, 1), date(2027, 5, 31), date(2024, 6, 1), "A certificate.")
    newer = Support(UUID(int=5), date(2024, 6, 1), date(2027, 5, 31), date(2025, 9, 1), "A certificate.")
    assert coverage([adverse], date(2025, 10, 1), POLICY, [older]).state is S.NOT_RELIED_ON
    assert coverage([adverse], date(2025, 10, 1), POLICY, [newer]).state is S.PARTIAL
    assert coverage([adverse], date(2026, 10, 1), POLICY, [older]).state is S.PARTIAL


def test_months_are_clamped_at_the_end_of_the_calendar() -> None:
    assert plus_months(date(9999, 6, 1), 12) == date.max
