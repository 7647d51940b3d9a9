"""Method `q1`: answers and marks become a score of 0 to 100 points that explains itself to the last tenth.

A question is *applicable* if it is shown and not accepted as not applicable. It counts, in millionths of its weight:

    0                   unanswered, not applicable but not accepted, insufficient, wrong, or nothing to score yet
    override x 1000     where a reviewer gave a credit
    credit x 800        where a reviewer needs evidence, or evidence is wanted and none is given (policy)
    credit x 1000       otherwise

    before        100 x Σ weight·counted / (10^6 x Σ weight), over all applicable questions
    score         before, at most 59 (policy) while a critical question counts 0, whatever its weight
    high          the same with 10^6 for each *open* question, which then caps nothing
    completeness  Σ weight answered / Σ weight
    confidence    Σ weight·k / Σ weight: k is 1 verified, 0.8 given, 0.5 claimed, 0 unanswered (policy)
    grade         of the exact score. NR while completeness is below 0.8 (policy)

Open are: unanswered, not applicable without acceptance, and an answer that earns no credit by itself and has no
reviewer's credit. A verdict does not settle the last, only a credit does.

Everything shown in tenths is rounded down: 89.96 points are 89.9, a B. Losses are exact. In tenths, the largest
remainders are rounded up (the earlier place of two), so that they and the shown score before caps make 100.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from operator import mul
from typing import Any, Final, NamedTuple

from vendorrisk.questionnaires.content import Stance
from vendorrisk.questionnaires.visibility import Answered, Compiled, Fact
from vendorrisk.scoring.answers import Answer, EvidenceLevel, Mark, NotApplicableVerdict, Verdict
from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.q1_explanation import (
    MILLION,
    THOUSAND,
    Judged,
    gate_weights,
    losses,
    overrides,
    part_scores,
)
from vendorrisk.scoring.q1_plan import Plan, PlannedQuestion, plan_of
from vendorrisk.scoring.score_model import Cap, Cause, Grade, RaisedFlag, Result, fraction

METHOD: Final = "q1"

# To look a member up in its enum costs more than the rest of a question's arithmetic.
_CLEARED, _NOT_APPLICABLE = Stance.CLEARED, Stance.NOT_APPLICABLE
_ACCEPTED, _REFUSED = NotApplicableVerdict.ACCEPTED, NotApplicableVerdict.REFUSED
_PENDING, _NEEDS_EVIDENCE = Verdict.PENDING, Verdict.NEEDS_EVIDENCE
_GIVEN, _NOTHING = EvidenceLevel.GIVEN, EvidenceLevel.NONE
_UNANSWERED, _NOT_MARKED, _OVERRIDE, _ANSWER = Cause.UNANSWERED, Cause.NOT_MARKED, Cause.OVERRIDE, Cause.ANSWER
_NO_CREDIT: Final = {Verdict.INSUFFICIENT: Cause.INSUFFICIENT, Verdict.WRONG: Cause.WRONG}


class Columns(NamedTuple):
    """The applicable questions, column by column."""

    weights: Sequence[int]
    counted: Sequence[int]
    best: Sequence[int]
    answered: Sequence[int]
    """The weight where the question is answered, else 0."""
    confidence: Sequence[int]


class Sums(NamedTuple):
    """Sums over applicable questions: the weight, the answered weight, and the weight times each other column."""

    weight: int
    got: int
    best: int
    answered: int
    confidence: int


def score(
    compiled: Compiled,
    answers: Iterable[Answer],
    marks: Iterable[Mark],
    policy: ScoringPolicy,
    facts: Mapping[str, Fact],
    submitted_on: date,
) -> Result:
    """Score the answers of one assessment. `submitted_on` is the day in the tenant's zone, from which dates age."""
    plan = plan_of(compiled)
    given = {one.place: one for one in answers if one.is_confirmed and one.stance is not _CLEARED}
    standing = {
        one.place: one for one in marks if one.place in given and one.answer_version == given[one.place].version
    }
    known = {
        question.key: Answered(given[question.place].stance, given[question.place].value)
        for question in plan.asking
        if question.place in given
    }
    shown = compiled.shown(known, facts)
    steps = policy.confidence
    confidence = {
        EvidenceLevel.VERIFIED: steps.verified,
        EvidenceLevel.GIVEN: steps.given,
        EvidenceLevel.NONE: steps.claim,
    }
    judge = partial(_judge, confidence, policy.evidence, submitted_on)
    judged = [
        judge(question, given.get(question.place), standing.get(question.place))
        for question in plan.questions
        if question.key in shown
    ]
    flags = tuple(_flags(compiled, known, facts)) if plan.has_flags else ()
    return _result(plan, judged, shown, policy, flags)


def _flags(compiled: Compiled, known: Mapping[str, Answered], facts: Mapping[str, Fact]) -> Iterator[RaisedFlag]:
    for question, flag in compiled.flags(known, facts):
        yield RaisedFlag(compiled.places[question], flag.key, flag.severity, flag.shown)


def _judge(
    confidence: Mapping[EvidenceLevel, int],
    without_evidence: int,
    on: date,
    question: PlannedQuestion,
    answer: Answer | None,
    mark: Mark | None,
) -> Judged:
    if answer is None:
        return Judged(question, 0, MILLION, None, _UNANSWERED)
    if answer.stance is _NOT_APPLICABLE:
        verdict = mark.not_applicable if mark is not None else None
        cause = Cause.NOT_APPLICABLE_REFUSED if verdict is _REFUSED else Cause.NOT_APPLICABLE_PENDING
        return Judged(question, None if verdict is _ACCEPTED else 0, MILLION, None, cause)
    level = _GIVEN if answer.files or (question.is_file and answer.value) else _NOTHING
    verdict_, override = _PENDING, None
    if mark is not None:
        verdict_, override, level = mark.verdict, mark.credit_override, mark.evidence or level
    earned, sure = question.credit(answer.value, on), confidence[level]
    if override is not None:
        counted = override * THOUSAND
        return Judged(question, counted, counted, sure, _OVERRIDE, earned, override)
    if verdict_ in _NO_CREDIT:
        return Judged(question, 0, MILLION if earned is None else 0, sure, _NO_CREDIT[verdict_], earned)
    if earned is None:
        return Judged(question, 0, MILLION, sure, _NOT_MARKED)
    lacks = verdict_ is _NEEDS_EVIDENCE or (question.wants_evidence and level is _NOTHING)
    counted = earned * (without_evidence if lacks else THOUSAND)
    return Judged(question, counted, counted, sure, _ANSWER, earned)


def sums_of(columns: Columns) -> Sums:
    """Return the sums that all numbers of the whole follow from."""
    weights, counted, best, answered, confidence = columns
    return Sums(
        sum(weights),
        sum(map(mul, weights, counted)),
        sum(map(mul, weights, best)),
        sum(answered),
        sum(map(mul, weights, confidence)),
    )


def columns_of(applicable: Sequence[Judged]) -> Columns:
    return Columns(
        [one.question.weight for one in applicable],
        [one.counted or 0 for one in applicable],
        [one.best for one in applicable],
        [one.question.weight if one.confidence is not None else 0 for one in applicable],
        [one.confidence or 0 for one in applicable],
    )


def _result(
    plan: Plan, judged: Sequence[Judged], shown: Collection[str], policy: ScoringPolicy, flags: tuple[RaisedFlag, ...]
) -> Result:
    applicable = [one for one in judged if one.counted is not None]
    sums = sums_of(columns_of(applicable))
    caps = tuple(
        Cap(one.question.place, one.question.key, one.best > 0)
        for one in applicable
        if one.question.is_critical and one.counted == 0
    )
    parts = part_scores(plan, applicable)
    counted = {one.question.place: one.counted for one in applicable}
    return Result(
        **_numbers(sums, caps, policy),
        asked=len(judged),
        applicable=len(applicable),
        answered=sum(one.confidence is not None for one in applicable),
        weight=sums.weight,
        hidden_weight=sum(question.weight for question in plan.questions if question.key not in shown),
        set_aside_weight=sum(one.question.weight for one in judged if one.counted is None),
        losses=losses(applicable, sums.weight),
        caps=caps,
        sections=parts.sections,
        criteria=parts.criteria,
        gates=gate_weights(plan, shown),
        overrides=overrides(applicable),
        flags=flags,
        counted=tuple(map(counted.get, plan.places)),
    )


def _numbers(sums: Sums, caps: Sequence[Cap], policy: ScoringPolicy) -> dict[str, Any]:
    """Return the numbers of the whole, each exact and rounded down."""
    if not sums.weight:
        names = ("score", "before", "high", "completeness", "confidence")
        rounded = ("score_tenths", "before_tenths", "high_tenths", "completeness_bp", "confidence_bp")
        return {"grade": Grade.NOT_RATED, "cap_tenths": 0, **dict.fromkeys((*names, *rounded))}
    points = 10_000 * sums.weight  # the denominator of a score in points
    cap = policy.cap * points
    got = min(sums.got, cap) if caps else sums.got
    best = min(sums.best, cap) if any(not one.is_open for one in caps) else sums.best
    before_tenths, score_tenths = 10 * sums.got // points, 10 * got // points
    return {
        "grade": _grade(got, points, sums, policy),
        "score": fraction(got, points),
        "score_tenths": score_tenths,
        "before": fraction(sums.got, points),
        "before_tenths": before_tenths,
        "cap_tenths": before_tenths - score_tenths,
        "high": fraction(best, points),
        "high_tenths": 10 * best // points,
        "completeness": fraction(sums.answered, sums.weight),
        "completeness_bp": 10_000 * sums.answered // sums.weight,
        "confidence": fraction(sums.confidence, THOUSAND * sums.weight),
        "confidence_bp": 10 * sums.confidence // sums.weight,
    }


def _grade(got: int, points: int, sums: Sums, policy: ScoringPolicy) -> Grade:
    if THOUSAND * sums.answered < policy.completeness * sums.weight:
        return Grade.NOT_RATED
    steps = policy.grades
    least = ((steps.a, Grade.A), (steps.b, Grade.B), (steps.c, Grade.C), (steps.d, Grade.D))
    return next((grade for step, grade in least if got >= step * points), Grade.F)
