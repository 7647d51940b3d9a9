"""The promises of method `q1`, on random questionnaires, and beside a second, slow arithmetic."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.scoring.make import FACTS, ON, answer, assessed, content, option, question, scored
from tests.scoring.oracle import Item, points
from tests.scoring.oracle import score as slowly
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.questionnaires.content import Flag, QuestionKind, Stance
from vendorrisk.questionnaires.visibility import Compiled
from vendorrisk.scoring import q1
from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.score_model import RaisedFlag, Result

CRITERIA = ("CC1.1", "CC6.1", "CC7.2")
ITEMS = st.builds(
    Item,
    weight=st.integers(0, 50),
    credit=st.none() | st.integers(0, 1000) | st.sampled_from([0, 250, 500, 1000]),
    stance=st.sampled_from(["none", "answered", "answered", "answered", "not_applicable"]),
    critical=st.booleans(),
    wants_evidence=st.booleans(),
    shown=st.sampled_from([True, True, True, False]),
    not_applicable=st.sampled_from(["pending", "accepted", "refused"]),
    verdict=st.sampled_from(["pending", "accepted", "insufficient", "needs_evidence", "wrong"]),
    override=st.none() | st.integers(0, 1000),
    evidence=st.sampled_from(["none", "given", "verified"]),
    criteria=st.lists(st.sampled_from(CRITERIA), unique=True, max_size=3).map(tuple),
)
LISTS = st.lists(ITEMS, min_size=1, max_size=8)


def number(text: str | None) -> Fraction:
    return Fraction(-1) if text is None else Fraction(text)


def changed(items: list[Item], place: int, **fields: Any) -> list[Item]:
    return [replace(item, **fields) if index == place else item for index, item in enumerate(items)]


@st.composite
def one_of(draw: st.DrawFn, /, **fields: Any) -> tuple[list[Item], int]:
    items = draw(LISTS)
    place = draw(st.integers(0, len(items) - 1))
    return changed(items, place, **fields), place


@given(LISTS)
def test_the_score_is_the_one_of_a_second_slow_arithmetic(items: list[Item]) -> None:
    result, slow = scored(items), slowly(items)
    assert result.exact() == slow.score
    exact = (result.before, result.high, result.completeness, result.confidence)
    assert [None if text is None else Fraction(text) for text in exact] == [
        *(slow.before, slow.high, slow.completeness, slow.confidence),
    ]
    assert (result.grade, tuple(cap.place for cap in result.caps)) == (slow.grade, slow.caps)
    assert (result.applicable, result.answered, result.hidden_weight) == (
        *(slow.applicable, slow.answered, slow.hidden_weight),
    )
    assert {loss.place: loss.tenths for loss in result.losses} == slow.tenths
    weight = 10_000 * result.weight
    assert {one.place: Fraction(one.weight * one.millionths, weight) for one in result.losses} == slow.losses


@given(LISTS)
def test_every_loss_is_split_by_its_causes(items: list[Item]) -> None:
    for loss in scored(items).losses:
        causes = items[loss.place - 1].causes
        assert {part.cause.value: Fraction(part.millionths, 10**6) for part in loss.parts} == causes
        assert sum(part.millionths for part in loss.parts) == loss.millionths
        assert sum(part.tenths for part in loss.parts) == loss.tenths
        exact = [Fraction(loss.weight * part.millionths, 1000 * scored(items).weight) for part in loss.parts]
        assert all(abs(part.tenths - tenths) < 2 for part, tenths in zip(loss.parts, exact, strict=True))


@given(LISTS, st.integers(0, 89))
def test_losses_the_cap_and_the_score_make_a_hundred(items: list[Item], cap: int) -> None:
    result = scored(items, ScoringPolicy(cap=cap))
    assume(result.score_tenths is not None)
    before, final = number(result.before), number(result.score)
    lost = sum(Fraction(one.weight * one.millionths, 10_000 * result.weight) for one in result.losses)
    assert lost == 100 - before
    assert sum(one.tenths for one in result.losses) + result.cap_tenths == 1000 - (result.score_tenths or 0)
    assert final == (min(before, cap) if result.caps else before)
    assert result.score_tenths == 10 * final // 1


@given(LISTS)
def test_numbers_lie_within_their_bounds(items: list[Item]) -> None:
    result = scored(items)
    assume(result.score is not None)
    assert 0 <= number(result.score) <= number(result.high) <= 100
    assert number(result.score) <= number(result.before)
    assert 0 <= number(result.confidence) <= number(result.completeness) <= 1


@given(LISTS)
def test_no_grade_stands_beside_a_cap_or_without_completeness(items: list[Item]) -> None:
    result = scored(items)
    if result.score is None or number(result.completeness) < Fraction(4, 5):
        assert result.grade == "NR"
    if result.grade in {"A", "B", "C", "D"}:
        assert result.caps == ()


@given(LISTS, st.randoms())
def test_the_order_of_questions_changes_no_number(items: list[Item], random: Any) -> None:
    other = items[:]
    random.shuffle(other)
    assert numbers(scored(items)) == numbers(scored(other))


@given(LISTS, st.integers(1, 9))
def test_the_scale_of_weights_changes_no_number(items: list[Item], times: int) -> None:
    larger = [replace(item, weight=times * item.weight) for item in items]
    assert numbers(scored(items)) == numbers(scored(larger))


def numbers(result: Result) -> tuple[object, ...]:
    shown = (result.score_tenths, result.before_tenths, result.high_tenths, result.cap_tenths)
    return result.grade, result.score, result.before, result.high, result.completeness, result.confidence, *shown


@given(one_of(stance="answered"), st.integers(0, 1000), st.integers(0, 1000))
def test_more_credit_never_lowers_the_score(case: tuple[list[Item], int], one: int, other: int) -> None:
    items, place = case
    less, more = sorted((one, other))
    assert number(scored(changed(items, place, credit=less)).score) <= number(
        scored(changed(items, place, credit=more)).score
    )


@given(one_of())
def test_more_evidence_never_lowers_score_or_confidence(case: tuple[list[Item], int]) -> None:
    items, place = case
    results = [scored(changed(items, place, evidence=level)) for level in ("none", "given", "verified")]
    for field in ("score", "high", "confidence"):
        found = [number(getattr(result, field)) for result in results]
        assert found == sorted(found)


@given(one_of(stance="none"), st.none() | st.integers(0, 1000))
def test_to_answer_never_lowers_the_score_and_never_raises_the_high(
    case: tuple[list[Item], int], credit: int | None
) -> None:
    items, place = case
    silent, said = scored(items), scored(changed(items, place, stance="answered", credit=credit))
    assert number(silent.score) <= number(said.score)
    assert number(silent.completeness) <= number(said.completeness)
    assert number(silent.high) >= number(said.high)


@given(one_of())
def test_silence_is_never_better_than_any_answer(case: tuple[list[Item], int]) -> None:
    items, place = case
    assume(items[place].applies)
    assert number(scored(changed(items, place, stance="none")).score) <= number(scored(items).score)


@given(one_of(stance="not_applicable"))
def test_a_pending_not_applicable_is_never_better_than_an_accepted_one(case: tuple[list[Item], int]) -> None:
    items, place = case
    accepted, pending, refused = (
        scored(changed(items, place, not_applicable=verdict)) for verdict in ("accepted", "pending", "refused")
    )
    assume(accepted.score is not None)
    assert number(pending.score) <= number(accepted.score)
    assert number(pending.completeness) <= number(accepted.completeness)
    assert number(pending.score) == number(refused.score)


@given(LISTS)
def test_hidden_questions_change_nothing(items: list[Item]) -> None:
    shown = [item for item in items if item.shown]
    assume(shown)
    assert numbers(scored(items)) == numbers(scored(shown))


@given(LISTS)
def test_a_criterion_is_scored_by_all_of_its_questions(items: list[Item]) -> None:
    found = {part.key: part.exact for part in scored(items).criteria}
    for criterion in CRITERIA:
        slow = points(item for item in items if criterion in item.criteria)
        exact = found.get(criterion)
        assert (None if exact is None else Fraction(exact)) == slow


@given(one_of(stance="answered"))
def test_an_unconfirmed_or_cleared_answer_counts_as_none(case: tuple[list[Item], int]) -> None:
    items, place = case
    compiled, answers, marks = assessed(items)
    index = next(index for index, one in enumerate(answers) if one.place == place + 1)
    for fields in ({"is_confirmed": False}, {"stance": Stance.CLEARED, "value": None}):
        other = [*answers[:index], _replaced(answers[index], **fields), *answers[index + 1 :]]
        result = q1.score(compiled, other, marks, ScoringPolicy(), FACTS, ON)
        assert numbers(result) == numbers(scored(changed(items, place, stance="none")))


@given(one_of())
def test_a_mark_of_an_older_answer_does_not_count(case: tuple[list[Item], int]) -> None:
    items, place = case
    compiled, answers, marks = assessed(items)
    newer = [_replaced(one, version=2) if one.place == place + 1 else one for one in answers]
    result = q1.score(compiled, newer, marks, ScoringPolicy(), FACTS, ON)
    unmarked = {"verdict": "pending", "override": None, "not_applicable": "pending", "evidence": "none"}
    assert numbers(result) == numbers(scored(changed(items, place, **unmarked)))


def _replaced(struct: Any, **fields: Any) -> Any:

    return msgspec.structs.replace(struct, **fields)


def test_a_file_is_its_own_evidence_and_a_question_without_its_files_earns_nothing() -> None:
    asked = question("report", QuestionKind.FILE, weight=1)
    compiled = Compiled(content(asked), "files")
    given, emptied = (q1.score(compiled, [answer(1, value)], [], ScoringPolicy(), FACTS, ON) for value in (["f1"], []))
    assert (given.score, given.confidence) == ("100", "4/5")
    assert (emptied.score, emptied.confidence) == ("0", "1/2")


def test_weight_behind_a_hidden_gate_is_charged_to_the_shown_one() -> None:
    options = (option("on"), option("off"))
    asked = (
        question("outer", QuestionKind.SINGLE, options=options),
        question("inner", QuestionKind.SINGLE, options=options, when="outer = on", weight=1),
        question("deep", QuestionKind.TEXT, when="inner = on", weight=4),
        question("record", QuestionKind.TEXT, when="vendor.tier = low", weight=8),
    )
    compiled = Compiled(content(*asked), "gates")
    off = q1.score(compiled, [answer(1, "off")], [], ScoringPolicy(), FACTS, ON)
    assert (off.hidden_weight, [(gate.key, gate.weight) for gate in off.gates]) == (13, [("outer", 5)])
    on = q1.score(compiled, [answer(1, "on"), answer(2, "off")], [], ScoringPolicy(), FACTS, ON)
    assert (on.hidden_weight, [(gate.key, gate.weight) for gate in on.gates]) == (12, [("inner", 4)])


def test_a_flag_is_raised_with_its_place_and_never_changes_the_score() -> None:
    flag = Flag(
        key="bad",
        when="plain = no and vendor.tier = high",
        severity=FindingSeverity.HIGH,
        title={"en": "Bad"},
        shown=False,
    )
    asked = question("plain", weight=1, flags=(flag,))
    results = {
        value: q1.score(Compiled(content(asked), "flags"), [answer(1, value)], [], ScoringPolicy(), FACTS, ON)
        for value in ("yes", "no")
    }
    assert results["yes"].flags == ()
    assert results["no"].flags == (RaisedFlag(1, "bad", FindingSeverity.HIGH, shown=False),)
    assert (results["yes"].score, results["no"].score) == ("100", "0")
