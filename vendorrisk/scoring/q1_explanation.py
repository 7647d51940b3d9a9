"""Method `q1`: where the points went: losses by cause in tenths, sections, criteria, gates and overrides.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from vendorrisk.scoring.q1_plan import Part, Plan, PlannedQuestion
from vendorrisk.scoring.score_model import Cause, GateWeight, Loss, LostPart, Override, PartScore, fraction

THOUSAND: Final = 1000
MILLION: Final = 1_000_000

_ANSWER, _EVIDENCE = Cause.ANSWER, Cause.EVIDENCE  # looking a member up in its enum is slow


class Judged(msgspec.Struct, frozen=True, gc=False):
    """A shown question with its answer. `counted` is null if it is accepted as not applicable."""

    question: PlannedQuestion
    counted: int | None
    best: int
    """Millionths if everything open were answered as well as possible. An open question has 1,000,000."""
    confidence: int | None
    """Thousandths. Null: unanswered."""
    cause: Cause
    """The cause of the loss. `answer` stands for missing evidence too."""
    earned: int | None = None
    """Thousandths that the answer earns by itself."""
    override: int | None = None


def losses(applicable: Sequence[Judged], weight: int) -> tuple[Loss, ...]:
    """Return the questions that lost points. Their tenths add up to 1000 less the tenths of the score before caps."""
    lost = [one for one in applicable if one.counted != MILLION and one.question.weight]
    if not lost:
        return ()
    lacking = [MILLION - (one.counted or 0) for one in lost]
    weighed = [one.question.weight * amount for one, amount in zip(lost, lacking, strict=True)]
    per_tenth = THOUSAND * weight
    tenths = shares(weighed, per_tenth, -(-sum(weighed) // per_tenth))
    return tuple(
        [_loss(one, amount, share, per_tenth) for one, amount, share in zip(lost, lacking, tenths, strict=True)]
    )


def _loss(one: Judged, amount: int, tenths: int, per_tenth: int) -> Loss:
    """Split a loss by cause. Only an answer that counts as it stands has two: its own credit, and missing evidence."""
    question, cause = one.question, one.cause
    by_itself = MILLION - one.earned * THOUSAND if cause is _ANSWER and one.earned is not None else amount
    if by_itself == amount:
        parts: tuple[LostPart, ...] = (LostPart(cause, amount, tenths),)
    elif not by_itself:
        parts = (LostPart(_EVIDENCE, amount, tenths),)
    else:
        first, remainder = divmod(question.weight * by_itself, per_tenth)
        second, other = divmod(question.weight * (amount - by_itself), per_tenth)
        missing = tenths - first - second  # 0 to 2. The larger remainder is rounded up first, as in `shares`
        first += missing > (other > remainder)
        rest = LostPart(_EVIDENCE, amount - by_itself, tenths - first)
        parts = (LostPart(_ANSWER, by_itself, first), rest)
    return Loss(question.place, question.key, question.weight, amount, tenths, parts)


def shares(amounts: Sequence[int], per_tenth: int, total: int) -> list[int]:
    """Return tenths that add up to `total`: rounded down, then the largest remainders up, the earlier of two first."""
    whole = [amount // per_tenth for amount in amounts]
    if missing := total - sum(whole):
        remainders = [amount % per_tenth for amount in amounts]
        for number in sorted(range(len(amounts)), key=remainders.__getitem__, reverse=True)[:missing]:
            whole[number] += 1
    return whole


class PartScores(NamedTuple):
    """The scores of all sections and of all criteria."""

    sections: tuple[PartScore, ...]
    criteria: tuple[PartScore, ...]


def part_scores(plan: Plan, applicable: Iterable[Judged]) -> PartScores:
    """Return the score of each part over its own questions. A question counts whole in each of its criteria."""
    weights, counted = [0] * len(plan.questions), [0] * len(plan.questions)
    for one in applicable:
        place, weight = one.question.place, one.question.weight
        weights[place - 1] = weight
        counted[place - 1] = weight * (one.counted or 0)

    def scores(parts: Iterable[Part]) -> tuple[PartScore, ...]:
        return tuple(
            [
                _part_score(name, sum(map(weights.__getitem__, members)), sum(map(counted.__getitem__, members)))
                for name, members in parts
            ]
        )

    return PartScores(scores(plan.sections), scores(plan.criteria))


def _part_score(name: str, weight: int, counted: int) -> PartScore:
    if not weight:
        return PartScore(name, 0, None, None)
    return PartScore(name, weight, fraction(counted, 10_000 * weight), counted // (THOUSAND * weight))


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
