"""What is believed, what is noise, and what is our own fault."""

from datetime import date, datetime, timedelta
from itertools import chain
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.signals.make import NOW, all_passing, evaluation, score_input
from vendorrisk.evaluation import change_detection
from vendorrisk.evaluation.model import Change, ChangeKind, RuleState, Score, Verdict
from vendorrisk.evaluation.rules import RULES
from vendorrisk.evaluation.score import score

MINUTE = timedelta(minutes=1)
CSP, EXPIRED = RULES["web.csp"], RULES["tls.cert_expired"]
P, W, F, U = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN


def scan(state: RuleState, verdict: Verdict, at: datetime, value: bytes = b"", rule: object = CSP) -> tuple[
    RuleState, list[ChangeKind]
]:  # fmt: skip
    seen = evaluation(verdict, reason="dns_timeout" if verdict is U else "seen")
    state, changes = change_detection.observe(state, seen, value or verdict.value.encode(), rule=rule, now=at)  # type: ignore[arg-type]  # a rule
    return state, [c.kind for c in changes]


def run(verdicts: str, every: timedelta = 20 * MINUTE) -> tuple[RuleState, list[list[ChangeKind]]]:
    state, kinds = RuleState(), []
    for n, letter in enumerate(verdicts):
        state, meant = scan(state, {"p": P, "w": W, "f": F, "u": U}[letter], NOW + n * every)
        kinds.append(meant)
    return state, kinds


def flat(kinds: list[list[ChangeKind]]) -> list[ChangeKind]:
    return list(chain.from_iterable(kinds))


def test_a_first_pass_is_believed_in_silence() -> None:
    state, kinds = run("pp")
    assert (state.verdict, kinds) == (P, [[], []])


def test_a_worse_verdict_is_believed_when_seen_twice() -> None:
    state, kinds = run("pff")
    assert kinds == [[], [ChangeKind.SCAN_AGAIN], [ChangeKind.CONFIRMED]]
    assert state.verdict is F


def test_a_first_fail_needs_its_second_scan_too() -> None:
    assert run("f")[0].verdict is U
    assert run("ff")[1][-1] == [ChangeKind.CONFIRMED]


def test_one_bad_scan_is_noise() -> None:
    state, kinds = run("pfp")
    assert state.verdict is P
    assert state.pending_n == 0
    assert ChangeKind.CONFIRMED not in flat(kinds)


def test_a_second_scan_too_soon_confirms_nothing_and_says_when_to_scan() -> None:
    state, _ = scan(run("p")[0], F, NOW + 20 * MINUTE)
    seen = change_detection.observe(state, evaluation(F), b"fail", rule=CSP, now=NOW + 30 * MINUTE)
    assert seen[0].verdict is P
    assert seen[1][0].again_after == 5 * MINUTE


def test_the_critical_class_is_confirmed_after_five_minutes() -> None:
    state, _ = scan(run("p")[0], F, NOW + 20 * MINUTE, rule=EXPIRED)
    assert scan(state, F, NOW + 24 * MINUTE, rule=EXPIRED)[1] == [ChangeKind.SCAN_AGAIN]
    assert scan(state, F, NOW + 25 * MINUTE, rule=EXPIRED)[1] == [ChangeKind.CONFIRMED]


def test_two_different_bad_values_do_not_confirm_each_other() -> None:
    state, _ = scan(run("p")[0], F, NOW + 20 * MINUTE, b"one")
    assert scan(state, F, NOW + 40 * MINUTE, b"two")[1] == [ChangeKind.SCAN_AGAIN]


def test_a_clock_that_went_back_confirms_nothing() -> None:
    state, _ = scan(run("p")[0], F, NOW + 20 * MINUTE)
    assert scan(state, F, NOW - 500 * MINUTE)[1] == [ChangeKind.SCAN_AGAIN]
    _, (again,) = change_detection.observe(state, evaluation(F), b"fail", rule=CSP, now=NOW - 500 * MINUTE)
    assert again.again_after == 15 * MINUTE


def test_a_better_verdict_is_believed_at_once_and_closes_when_seen_twice() -> None:
    _, kinds = run("pffpppp")
    assert kinds[3:] == [[ChangeKind.IMPROVED], [ChangeKind.CLOSED], [], []]


def test_a_bad_scan_between_two_good_ones_keeps_it_open() -> None:
    assert run("pffpfp")[1][-1] == []
    assert run("pffpfpp")[1][-1] == [ChangeKind.CLOSED]


def test_nothing_closes_that_was_never_open() -> None:
    assert ChangeKind.CLOSED not in flat(run("ppppp")[1])


def test_unknown_neither_opens_nor_closes_and_does_not_break_a_confirmation() -> None:
    assert run("pfuf")[1][-1] == [ChangeKind.CONFIRMED]
    assert run("pffpup")[1][-1] == [ChangeKind.CLOSED]
    assert run("pffu")[0].verdict is F


def test_what_is_known_dates_from_the_last_scan_that_saw_anything() -> None:
    assert run("pp")[0].known_at == NOW + 20 * MINUTE
    assert run("ppuu")[0].known_at == NOW + 20 * MINUTE
    assert run("ppuf")[0].known_at == NOW + 60 * MINUTE
    assert run("uu")[0].known_at is None


def test_three_unknowns_are_a_gap_notified_once_and_seven_days_are_a_finding() -> None:
    _, kinds = run("puuuuu")
    assert [ChangeKind.GAP in t for t in kinds] == [False, False, False, True, False, False]
    _, kinds = run("puuuuuuuuu", every=timedelta(days=1))
    assert [ChangeKind.UNOBSERVABLE in t for t in kinds] == [False] * 8 + [True, True]


def test_the_gap_ends_when_something_is_seen_again() -> None:
    assert run("puuup")[1][-1] == [ChangeKind.SEEN_AGAIN]


def test_the_third_believed_change_in_a_week_is_flapping_and_a_week_of_calm_ends_it() -> None:
    state, kinds = run("pffpffp")
    assert kinds[5] == [ChangeKind.CONFIRMED, ChangeKind.FLAPPING]
    assert ChangeKind.FLAPPING not in kinds[6]
    assert change_detection.is_flapping(state, NOW + timedelta(days=1))
    assert not change_detection.is_flapping(state, NOW + timedelta(days=9))


@given(st.text("pwfu", max_size=40))
def test_a_state_is_never_worse_than_two_scans_that_saw_it_have_shown(verdicts: str) -> None:
    state, kinds = run(verdicts)
    letter = {P: "p", W: "w", F: "f"}.get(state.verdict)
    if letter in {"w", "f"} and ChangeKind.IMPROVED not in flat(kinds):
        assert verdicts.count(letter) >= 2
    confirmed, closed = flat(kinds).count(ChangeKind.CONFIRMED), flat(kinds).count(ChangeKind.CLOSED)
    assert closed <= confirmed


@pytest.mark.parametrize(("changed", "watched", "storm"), [
    (4, 4, False), (5, 99, True), (5, 100, False), (6, 100, True), (5_000, 100_000, False), (5_001, 100_000, True),
    (0, 0, False),
])  # fmt: skip
def test_a_storm_is_more_than_a_twentieth_and_more_than_a_handful(changed: int, watched: int, storm: bool) -> None:  # noqa: FBT001 - a table
    assert change_detection.is_storm(changed, watched) is storm


def scored(failing: int) -> Score:
    kept = [s for s in all_passing() if s.rule.startswith(("web", "email"))]
    return score([*(score_input(s.rule, F) for s in kept[:failing]), *kept[failing:]], now=NOW)


def test_a_fall_is_notified_when_it_survives_two_runs() -> None:
    best, worse = scored(0), scored(3)
    assert best.number - worse.number >= 5
    assert change_detection.score_fell(best, [worse, worse])
    assert not change_detection.score_fell(best, [worse, best])
    assert not change_detection.score_fell(best, [worse])
    assert not change_detection.score_fell(worse, [best, best])


class Brief(NamedTuple):
    score: int | None
    grade: str
    model_version: str = "1.0.0"


@pytest.mark.parametrize(("before", "after", "fell"), [
    (Brief(85, "B"), Brief(80, "B"), True),
    (Brief(85, "B"), Brief(81, "B"), False),
    (Brief(91, "A"), Brief(89, "B"), True),
    (Brief(89, "B"), Brief(91, "A"), False),
    (Brief(None, "NR"), Brief(80, "B"), False),
    (Brief(80, "B"), Brief(None, "NR"), False),
])  # fmt: skip
def test_a_fall_is_five_points_or_a_grade(before: Brief, after: Brief, *, fell: bool) -> None:
    assert change_detection.score_fell(before, [after, after]) is fell


def test_scores_of_two_methodologies_are_never_compared() -> None:
    import msgspec

    later = msgspec.structs.replace(scored(3), model_version="2.0.0")
    assert not change_detection.score_fell(scored(0), [later, later])


@pytest.mark.parametrize(("days", "notified", "threshold"), [
    (31, (), None), (30, (), 30), (29, (30,), None), (7, (30,), 7), (6, (), 7), (0, (30, 7), 0),
    (-4, (30, 7, 0), None),
    (-400, (), 0),
])  # fmt: skip
def test_each_expiry_threshold_is_notified_once_and_missed_ones_together(
    days: int, notified: tuple[int, ...], threshold: int | None
) -> None:
    today = date(2026, 11, 23)
    ends = today + timedelta(days=days)
    assert (
        change_detection.expiry_threshold(
            ends, today, change_detection.DOMAIN_EXPIRY_THRESHOLD_DAYS, frozenset(notified)
        )
        == threshold
    )


def test_an_alert_cools_down_for_a_day() -> None:
    assert change_detection.is_cooling_down(NOW, NOW + timedelta(hours=23))
    assert not change_detection.is_cooling_down(NOW, NOW + timedelta(hours=24))
    assert not change_detection.is_cooling_down(None, NOW)
    assert not change_detection.is_cooling_down(NOW + MINUTE, NOW), "kinds by a clock that ran ahead"


def test_a_finding_that_comes_back_within_thirty_days_is_the_same() -> None:
    assert change_detection.is_same_finding(NOW, NOW + timedelta(days=30))
    assert not change_detection.is_same_finding(NOW, NOW + timedelta(days=31))


def test_a_change_names_before_and_after() -> None:
    _, changes = change_detection.observe(run("pf")[0], evaluation(F), b"fail", rule=CSP, now=NOW + 60 * MINUTE)
    assert changes == (Change(kind=ChangeKind.CONFIRMED, before=P, after=F, reason="seen"),)
