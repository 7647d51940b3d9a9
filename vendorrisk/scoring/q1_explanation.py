"""Method `q1`: where the points went: losses by cause in tenths, sections, criteria, gates and overrides.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from vendorrisk.scoring.q1_plan import Plan, PlannedQuestion
from vendorrisk.scoring.score_model import Cause, GateWeight, Loss, LostPart, Override, PartScore, fraction

THOUSAND: Final = 1000
MILLION: Final = 1_000_000


class Judged(NamedTuple):
    """A shown question with its answer. `counted` is null if it is accepted as not applicable."""

    question: PlannedQuestion
    counted: int | None
    confidence: int | None
    """Thousandths. Null: unanswered."""
    cause: Cause
    """Of what it loses. `answer` stands for missing evidence too."""
    earned: int | None = None
    """Thousandths that the answer earns by itself."""
    override: int | None = None

    @property
    def is_open(self) -> bool:
        """Return True if an answer, or a reviewer's credit, is still to come."""
        return self.confidence is None or (self.earned is None and self.override is None)


def losses(applicable: Sequence[Judged], weight: int) -> tuple[Loss, ...]:
    """Return the questions that lost points. Their tenths add up to 1000 less the tenths of the score before caps."""
    lost = [one for one in applicable if one.question.weight and one.counted != MILLION]
    if not lost:
        return ()
    amounts = [one.question.weight * (MILLION - (one.counted or 0)) for one in lost]
    per_tenth = THOUSAND * weight
    total = -(-sum(amounts) // per_tenth)
    return tuple(
        Loss(
            one.question.place,
            one.question.key,
            one.question.weight,
            MILLION - (one.counted or 0),
            tenths,
            _lost_parts(one, tenths, per_tenth),
        )
        for one, tenths in zip(lost, shares(amounts, per_tenth, total), strict=True)
    )


def _lost_parts(one: Judged, tenths: int, per_tenth: int) -> tuple[LostPart, ...]:
    """Split a loss by cause. Only an answer that counts as it stands has two: its own credit, and missing evidence."""
    counted = one.counted or 0
    if one.cause is not Cause.ANSWER or one.earned is None:
        return (LostPart(one.cause, MILLION - counted, tenths),)
    by_itself = MILLION - one.earned * THOUSAND
    split = [(Cause.ANSWER, by_itself), (Cause.EVIDENCE, MILLION - counted - by_itself)]
    split = [(cause, amount) for cause, amount in split if amount]
    if len(split) == 1:
        return (LostPart(*split[0], tenths),)
    parts = shares([one.question.weight * amount for _, amount in split], per_tenth, tenths)
    return tuple(LostPart(cause, amount, part) for (cause, amount), part in zip(split, parts, strict=True))


def shares(amounts: Sequence[int], per_tenth: int, total: int) -> list[int]:
    """Return tenths that add up to `total`: rounded down, then the largest remainders up, the earlier of two first."""
    whole = [amount // per_tenth for amount in amounts]
    if missing := total - sum(whole):
        order = sorted(range(len(amounts)), key=lambda number: -(amounts[number] % per_tenth))
        for number in order[:missing]:
            whole[number] += 1
    return whole


def part_scores(names: Sequence[str], members: Iterable[tuple[Judged, Iterable[int]]]) -> tuple[PartScore, ...]:
    """Return the score of each part over its own questions. A question counts whole in each of its parts."""
    weights, got = [0] * len(names), [0] * len(names)
    for one, parts in members:
        weight = one.question.weight
        counted = weight * (one.counted or 0)
        for part in parts:
            weights[part] += weight
            got[part] += counted
    return tuple(
        PartScore(name, weights[part], fraction(got[part], 10_000 * weights[part]), got[part] // (1000 * weights[part]))
        if weights[part]
        else PartScore(name, 0, None, None)
        for part, name in enumerate(names)
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
