"""Method `q1`: where the points went: losses by cause in tenths, sections, criteria, gates and overrides.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from vendorrisk.scoring.q1_plan import Plan, PlannedQuestion
from vendorrisk.scoring.score_model import Cause, GateWeight, Loss, LostPart, Override, PartScore, fraction

THOUSAND: Final = 1000
MILLION: Final = 1_000_000


class Judged(msgspec.Struct, frozen=True, gc=False):
    """A shown question with its answer. `counted` is null if it is accepted as not applicable."""

    question: PlannedQuestion
    counted: int | None
    best: int
    """Millionths if everything open were answered as well as possible. An open question has 1,000,000."""
    confidence: int | None
    """Thousandths. Null: unanswered."""
    cause: Cause
    """Of what it loses. `answer` stands for missing evidence too."""
    earned: int | None = None
    """Thousandths that the answer earns by itself."""
    override: int | None = None


def losses(applicable: Sequence[Judged], weight: int) -> tuple[Loss, ...]:
    """Return the questions that lost points. Their tenths add up to 1000 less the tenths of the score before caps."""
    lost = [(one, one.question, MILLION - (one.counted or 0)) for one in applicable]
    lost = [(one, question, amount) for one, question, amount in lost if amount and question.weight]
    if not lost:
        return ()
    amounts = [question.weight * amount for _, question, amount in lost]
    per_tenth = THOUSAND * weight
    tenths = shares(amounts, per_tenth, -(-sum(amounts) // per_tenth))
    return tuple(
        Loss(question.place, question.key, question.weight, amount, share, _lost_parts(one, amount, share, per_tenth))
        for (one, question, amount), share in zip(lost, tenths, strict=True)
    )


def _lost_parts(one: Judged, amount: int, tenths: int, per_tenth: int) -> tuple[LostPart, ...]:
    """Split a loss by cause. Only an answer that counts as it stands has two: its own credit, and missing evidence."""
    if one.cause is not Cause.ANSWER or one.earned is None:
        return (LostPart(one.cause, amount, tenths),)
    by_itself = MILLION - one.earned * THOUSAND
    if by_itself == amount:
        return (LostPart(Cause.ANSWER, amount, tenths),)
    if not by_itself:
        return (LostPart(Cause.EVIDENCE, amount, tenths),)
    lacking = amount - by_itself
    first, remainder = divmod(one.question.weight * by_itself, per_tenth)
    second, other = divmod(one.question.weight * lacking, per_tenth)
    missing = tenths - first - second  # 0 to 2. The larger remainder is rounded up first, as in `shares`
    first += missing > (other > remainder)
    return LostPart(Cause.ANSWER, by_itself, first), LostPart(Cause.EVIDENCE, lacking, tenths - first)


def shares(amounts: Sequence[int], per_tenth: int, total: int) -> list[int]:
    """Return tenths that add up to `total`: rounded down, then the largest remainders up, the earlier of two first."""
    whole = [amount // per_tenth for amount in amounts]
    if missing := total - sum(whole):
        order = sorted((-(amount % per_tenth), number) for number, amount in enumerate(amounts))
        for _, number in order[:missing]:
            whole[number] += 1
    return whole


def section_scores(plan: Plan, applicable: Iterable[Judged]) -> tuple[PartScore, ...]:
    return _part_scores(plan.sections, ((one, (one.question.section,)) for one in applicable))


def criterion_scores(plan: Plan, applicable: Iterable[Judged]) -> tuple[PartScore, ...]:
    """Return the score of each criterion over its own questions. A question counts whole in each of its criteria."""
    return _part_scores(plan.criteria, ((one, one.question.criteria) for one in applicable))


def _part_scores(names: Sequence[str], members: Iterable[tuple[Judged, Iterable[int]]]) -> tuple[PartScore, ...]:
    weights, got = [0] * len(names), [0] * len(names)
    for one, parts in members:
        weight = one.question.weight
        counted = weight * (one.counted or 0)
        for part in parts:
            weights[part] += weight
            got[part] += counted
    return tuple(
        PartScore(name, weight, fraction(earned, 10_000 * weight), earned // (THOUSAND * weight))
        if weight
        else PartScore(name, 0, None, None)
        for name, weight, earned in zip(names, weights, got, strict=True)
    )


def gate_weights(plan: Plan, shown: Collection[str]) -> tuple[GateWeight, ...]:
    """Return the shown questions that hide weight. A hidden gate passes the weight on to its own gates."""
    roots: dict[int, frozenset[int]] = {}
    hidden: dict[int, int] = {}
    for question in plan.questions:
        if question.key in shown:
            continue
        found = (roots.get(gate, frozenset({gate})) for gate in question.gates)
        roots[question.place] = frozenset[int]().union(*found)
        for gate in roots[question.place] if question.weight else ():
            hidden[gate] = hidden.get(gate, 0) + question.weight
    return tuple(GateWeight(gate, plan.questions[gate - 1].key, hidden[gate]) for gate in sorted(hidden))


def overrides(applicable: Iterable[Judged]) -> tuple[Override, ...]:
    return tuple(
        Override(one.question.place, one.question.key, one.earned, one.override)
        for one in applicable
        if one.override is not None
    )
