"""The score's promises, on random portfolios."""

import random
from datetime import timedelta
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.signals.make import NOW, SCORED, all_passing, score_input, score_inputs
from vendorrisk.evaluation.model import ScoreInput, Verdict
from vendorrisk.evaluation.rules import RULES, default_disabled_rules, hold_for
from vendorrisk.evaluation.score import WHOLE, deficit_of, score, top_deductions

LATER = NOW + timedelta(days=60)
SEEN = [Verdict.PASS, Verdict.WARN, Verdict.FAIL]


def changed(one: ScoreInput, **rest: object) -> ScoreInput:
    return msgspec.structs.replace(one, **rest)


def with_verdict(one: ScoreInput, verdict: Verdict) -> ScoreInput:
    """The score input as it would be had this verdict been seen just now."""
    return changed(one, verdict=verdict, known=verdict, known_at=NOW)


@given(score_inputs(), st.data())
def test_a_better_verdict_never_scores_less(portfolio: list[ScoreInput], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(portfolio) - 1))
    never_seen = changed(portfolio[place], verdict=Verdict.UNKNOWN, known=None, known_at=None)
    numbers = [
        score([*portfolio[:place], variant, *portfolio[place + 1 :]], now=NOW).number
        for variant in (
            with_verdict(portfolio[place], Verdict.PASS),
            with_verdict(portfolio[place], Verdict.WARN),
            with_verdict(portfolio[place], Verdict.FAIL),
        )
    ]
    unknown = score([*portfolio[:place], never_seen, *portfolio[place + 1 :]], now=NOW).number
    assert numbers == sorted(numbers, reverse=True)
    assert unknown <= numbers[0]


@given(st.integers(50, 100), st.integers(0, 100))
def test_a_deficit_grows_from_pass_over_warn_to_fail_at_every_confidence(confidence: int, percent: int) -> None:
    deficits = [deficit_of(verdict, confidence, percent) for verdict in SEEN]
    assert deficits == sorted(deficits)
    assert deficit_of(Verdict.PASS, confidence) <= deficit_of(Verdict.UNKNOWN, confidence)
    assert deficit_of(Verdict.UNKNOWN, confidence) <= deficit_of(Verdict.FAIL, confidence)


@pytest.mark.parametrize(("verdict", "confidence", "percent", "deficit"), [
    (Verdict.PASS, 100, 100, 0), (Verdict.WARN, 100, 100, 4_000), (Verdict.FAIL, 100, 100, 10_000),
    (Verdict.UNKNOWN, 100, 100, 5_000), (Verdict.PASS, 80, 100, 1_000), (Verdict.FAIL, 80, 100, 8_000),
    (Verdict.FAIL, 100, 50, 5_000), (Verdict.WARN, 50, 100, 2_500), (Verdict.FAIL, 80, 0, 1_000),
])  # fmt: skip
def test_the_published_deficits(verdict: Verdict, confidence: int, percent: int, deficit: int) -> None:
    assert deficit_of(verdict, confidence, percent) == deficit


@given(score_inputs(), st.integers())
def test_the_order_of_inputs_does_not_matter(portfolio: list[ScoreInput], seed: int) -> None:
    shuffled = list(portfolio)
    random.Random(seed).shuffle(shuffled)
    assert score(shuffled, now=NOW) == score(portfolio, now=NOW)


@given(score_inputs(), st.sampled_from([NOW, LATER]))
def test_the_score_lies_between_its_low_and_high(portfolio: list[ScoreInput], now: object) -> None:
    result = score(portfolio, now=now)  # type: ignore[arg-type]  # sampled from instants
    assert 0 <= result.low <= result.number <= result.high <= 100


@given(score_inputs())
def test_an_a_needs_four_fifths_of_the_weight_to_be_seen(portfolio: list[ScoreInput]) -> None:
    result = score(portfolio, now=LATER)
    if result.grade == "A":
        assert result.coverage_bp >= 8_000
    assert (result.score is None) == (result.grade == "NR") == (result.coverage_bp < 5_000)


@given(score_inputs(), st.data(), st.sampled_from([NOW, LATER]))
def test_going_blind_never_raises_the_score(portfolio: list[ScoreInput], data: st.DataObject, now: object) -> None:
    seen = [s for s in portfolio if s.verdict in SEEN]
    hidden = data.draw(st.sets(st.sampled_from(range(len(seen))))) if seen else set()
    before = [changed(s, known=s.verdict, known_at=NOW) for s in seen]
    after = [changed(s, verdict=Verdict.UNKNOWN) if i in hidden else s for i, s in enumerate(before)]
    assert score(after, now=now).number <= score(before, now=now).number  # type: ignore[arg-type]  # an instant


@given(score_inputs(), st.data(), st.sampled_from([NOW, LATER]))
def test_hiding_what_does_not_apply_never_raises_the_score(
    portfolio: list[ScoreInput], data: st.DataObject, now: object
) -> None:
    seen = [s for s in portfolio if s.verdict is not Verdict.UNKNOWN]
    hidden = data.draw(st.sets(st.sampled_from(range(len(seen))))) if seen else set()
    before = [changed(s, known=s.verdict, known_at=NOW) for s in seen]
    after = [changed(s, verdict=Verdict.UNKNOWN) if i in hidden else s for i, s in enumerate(before)]
    assert score(after, now=now).number <= score(before, now=now).number  # type: ignore[arg-type]  # an instant


@given(score_inputs(), st.sampled_from([NOW, LATER]))
def test_the_deductions_add_up_to_what_is_missing(portfolio: list[ScoreInput], now: object) -> None:
    result = score(portfolio, now=now)  # type: ignore[arg-type]  # sampled from instants
    assert 100 * result.number + sum(d.points_bp for d in result.deductions) == WHOLE
    assert all(d.points_bp >= 0 for d in result.deductions)


def test_a_vendor_with_nothing_wrong_gets_every_point_its_confidence_allows() -> None:
    sure = [changed(s, confidence_percent=100) for s in all_passing()]
    result = score(sure, now=NOW)
    assert (result.score, result.grade, result.low, result.high) == (100, "A", 100, 100)
    assert result.deductions == ()


def failing(*rules: str) -> list[ScoreInput]:
    """Everything seen well and passing, but for these."""
    sure = [changed(s, confidence_percent=100) for s in all_passing()]
    return [changed(s, verdict=Verdict.FAIL) if s.rule in rules else s for s in sure]


def test_the_worst_factor_of_a_tenth_or_more_counts_for_a_quarter_of_the_number() -> None:
    # Events weigh 10 of 100, a breach 10 of their 14: deficit 7142, mean 9285, (3 · 9285 + 2858) / 4 = 7678.
    assert score(failing("evt.breach"), now=NOW).number == 76
    # Transparency weighs 5, security.txt 5 of its 12: deficit 4166, mean 9791, (3 · 9791 + 10 000) / 4 = 9843.
    assert score(failing("tr.security_txt"), now=NOW).number == 98


def test_what_is_missing_is_shared_out_as_it_came_about() -> None:
    result = score(failing("evt.breach", "tr.security_txt"), now=NOW)
    points = {d.rule: d.points_bp for d in result.deductions if d.kind == "rule"}
    breach = Fraction(10, 14) * (Fraction(3, 4) * Fraction(10, 100) + Fraction(1, 4))
    text = Fraction(5, 12) * Fraction(3, 4) * Fraction(5, 100)
    assert points["evt.breach"] == pytest.approx(float(sum(points.values()) * breach / (breach + text)), abs=1)


def test_a_vendor_never_scanned_has_no_number() -> None:
    result = score([score_input(rule, Verdict.UNKNOWN) for rule in SCORED], now=NOW)
    assert (result.score, result.grade, result.coverage_bp, result.number) == (None, "NR", 0, 50)
    assert result.low < 10
    assert result.high > 90


def test_a_vendor_without_any_input_has_no_number() -> None:
    assert score([], now=NOW).grade == "NR"


def test_a_fail_nobody_can_see_any_more_stays_a_fail_and_keeps_its_cap() -> None:
    rest = [s for s in all_passing() if s.rule != "tls.cert_expired"]
    failing = score_input("tls.cert_expired", Verdict.FAIL, known=Verdict.FAIL, known_at=NOW, cap=59)
    hidden = changed(failing, verdict=Verdict.UNKNOWN)
    assert score([*rest, failing], now=NOW).number == 59
    assert score([*rest, hidden], now=NOW + timedelta(days=4000)).number == 59


def test_a_pass_nobody_can_see_any_more_becomes_unknown_after_its_hold_and_not_before() -> None:
    rule = RULES["tls.cert_name"]
    rest = [s for s in all_passing() if s.rule != rule.id]
    hidden = score_input(rule.id, Verdict.UNKNOWN, known=Verdict.PASS, known_at=NOW)
    held = score([*rest, hidden], now=NOW + hold_for(rule))
    unknown = score([*rest, hidden], now=NOW + hold_for(rule) + timedelta(seconds=1))
    assert unknown.coverage_bp < held.coverage_bp
    assert unknown.number < held.number


def test_what_does_not_apply_and_cannot_be_seen_stays_out_while_it_is_held_and_no_longer() -> None:
    rule = RULES["email.dane"]
    rest = [s for s in all_passing() if s.rule != rule.id]
    hidden = score_input(rule.id, Verdict.UNKNOWN, known=Verdict.NA, known_at=NOW)
    assert score([*rest, hidden], now=NOW + hold_for(rule)).coverage_bp == score(rest, now=NOW).coverage_bp
    late = NOW + hold_for(rule) + timedelta(seconds=1)
    assert score([*rest, hidden], now=late).coverage_bp < score(rest, now=late).coverage_bp


def test_a_cap_needs_eighty_percent_confidence() -> None:
    rest = [s for s in all_passing() if s.rule != "exp.kev"]
    weak = score_input("exp.kev", Verdict.FAIL, confidence_percent=79, cap=59)
    strong = changed(weak, confidence_percent=80)
    assert score([*rest, weak], now=NOW).number > 59
    assert score([*rest, strong], now=NOW).number == 59
    assert [c.rule for c in score([*rest, strong], now=NOW).caps] == ["exp.kev"]


def test_a_good_second_host_does_not_soften_the_first() -> None:
    hosts = [s for s in all_passing() if RULES[s.rule].factor.value == "tls"]
    bad = [changed(s, verdict=Verdict.FAIL) for s in hosts]
    good = [changed(s, asset="www.acme.example", primary=False) for s in hosts]
    assert score([*bad, *good], now=NOW).number == score(bad, now=NOW).number


def test_a_bad_second_host_lowers_the_score_by_its_part_of_the_mean() -> None:
    hosts = [s for s in all_passing() if RULES[s.rule].factor.value == "tls"]
    bad = [changed(s, asset="old.acme.example", primary=False, verdict=Verdict.FAIL) for s in hosts]
    both = score([*hosts, *bad], now=NOW).number
    assert score(bad, now=NOW).number < both < score(hosts, now=NOW).number


def test_of_several_main_hosts_the_worst_counts() -> None:
    hosts = [s for s in all_passing() if RULES[s.rule].factor.value == "tls"]
    bad = [changed(s, asset="app.acme.example", verdict=Verdict.FAIL) for s in hosts]
    assert score([*hosts, *bad], now=NOW).number == score([*bad, *hosts], now=NOW).number == score(bad, now=NOW).number


def test_low_and_high_say_what_a_cap_would_make_of_what_cannot_be_seen() -> None:
    rest = [s for s in all_passing() if s.rule != "tls.cert_expired"]
    never = score([*rest, score_input("tls.cert_expired", Verdict.UNKNOWN)], now=NOW)
    assert (never.low, never.number > 80, never.high > 90) == (59, True, True)
    gone = score_input("tls.cert_expired", Verdict.UNKNOWN, known=Verdict.FAIL, known_at=NOW, cap=59)
    hidden = score([*rest, gone], now=NOW)
    assert (hidden.low, hidden.number, hidden.high > 80) == (59, 59, True)


def test_what_does_not_apply_leaves_the_score_alone() -> None:
    without = [s for s in all_passing() if s.rule != "email.dane"]
    assert score([*without, score_input("email.dane", Verdict.NA)], now=NOW) == score(without, now=NOW)


def test_a_suppressed_fail_is_left_out_until_the_suppression_ends_and_is_named_beside_the_number() -> None:
    rest = [s for s in all_passing() if s.rule != "email.dmarc"]
    suppressed = score_input("email.dmarc", Verdict.FAIL, suppressed_until=NOW + timedelta(days=1))
    during = score([*rest, suppressed], now=NOW)
    after = score([*rest, suppressed], now=NOW + timedelta(days=1))
    assert during.number == score(rest, now=NOW).number
    assert [d.rule for d in during.suppressed] == ["email.dmarc"]
    assert during.score_unsuppressed == after.number < during.number
    assert after.suppressed == ()


def test_rules_that_are_off_count_nowhere_and_are_named() -> None:
    off = default_disabled_rules()
    failing = [changed(s, verdict=Verdict.FAIL) if s.rule in off else s for s in all_passing()]
    result = score(failing, now=NOW, disabled_rules=off)
    assert result.number == score([s for s in failing if s.rule not in off], now=NOW).number
    assert set(result.disabled_rules) == off
    assert "exp.kev" in result.disabled_rules


def test_a_faded_event_costs_less_and_never_less_than_a_pass() -> None:
    rest = [s for s in all_passing() if s.rule != "evt.breach"]
    numbers = [
        score([*rest, score_input("evt.breach", Verdict.FAIL, deficit_percent=p)], now=NOW).number for p in (100, 50, 0)
    ]
    assert numbers[0] < numbers[1] < numbers[2] == score(all_passing(), now=NOW).number


def test_the_dearest_deductions_come_first() -> None:
    portfolio = [changed(s, verdict=Verdict.FAIL) if s.rule in {"email.dmarc", "email.tlsrpt"} else s
                 for s in all_passing()]  # fmt: skip
    assert top_deductions(score(portfolio, now=NOW))[0].rule == "email.dmarc"


@pytest.mark.parametrize(("number", "coverage", "grade"), [
    (100, 10_000, "A"), (90, 8_000, "A"), (89, 8_000, "B"), (80, 8_000, "B"), (79, 8_000, "C"),
    (70, 8_000, "C"), (69, 8_000, "D"), (60, 8_000, "D"), (59, 8_000, "F"), (0, 8_000, "F"), (100, 4_999, "NR"),
])  # fmt: skip
def test_grades_change_at_their_bounds(number: int, coverage: int, grade: str) -> None:
    from vendorrisk.evaluation.score import grade_of

    assert grade_of(number, coverage) == grade
