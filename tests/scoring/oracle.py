"""The arithmetic of `q1` a second time, slowly: one item after the other, in fractions, from the text of the method."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor


@dataclass(frozen=True)
class Item:
    """A question with its answer and mark. `credit` None: nothing to score before a reviewer has."""

    weight: int = 1
    credit: int | None = None
    stance: str = "none"
    critical: bool = False
    wants_evidence: bool = False
    shown: bool = True
    not_applicable: str = "pending"
    verdict: str = "pending"
    override: int | None = None
    evidence: str = "none"
    section: str = "all"
    criteria: tuple[str, ...] = ()
    key: str = ""

    @property
    def applies(self) -> bool:
        return self.shown and not (self.stance == "not_applicable" and self.not_applicable == "accepted")

    @property
    def answered(self) -> bool:
        return self.stance == "answered"

    @property
    def open(self) -> bool:
        return not self.answered or (self.credit is None and self.override is None)

    @property
    def counted(self) -> Fraction:
        """The part of the weight that counts, 0 to 1."""
        if not self.answered:
            return Fraction(0)
        if self.override is not None:
            return Fraction(self.override, 1000)
        if self.credit is None or self.verdict in ("insufficient", "wrong"):
            return Fraction(0)
        part = Fraction(self.credit, 1000)
        if self.verdict == "needs_evidence" or (self.wants_evidence and self.evidence == "none"):
            part *= Fraction(8, 10)
        return part

    @property
    def causes(self) -> dict[str, Fraction]:
        """What is lost, by cause, in parts of the weight."""
        lost = 1 - self.counted
        by_itself = 1 - Fraction(self.credit or 0, 1000)
        if self.stance == "not_applicable":
            found = {"not_applicable_refused" if self.not_applicable == "refused" else "not_applicable_pending": lost}
        elif not self.answered:
            found = {"unanswered": lost}
        elif self.override is not None:
            found = {"override": lost}
        elif self.verdict in ("insufficient", "wrong"):
            found = {self.verdict: lost}
        elif self.credit is None:
            found = {"not_marked": lost}
        else:
            found = {"answer": by_itself, "evidence": lost - by_itself}
        return {cause: part for cause, part in found.items() if part}


@dataclass(frozen=True)
class Scored:
    """What the oracle finds. Scores in points."""

    score: Fraction | None
    before: Fraction | None
    high: Fraction | None
    completeness: Fraction | None
    confidence: Fraction | None
    grade: str
    caps: tuple[int, ...]
    losses: dict[int, Fraction]
    tenths: dict[int, int]
    applicable: int
    answered: int
    hidden_weight: int


def mean(items: Iterable[Item], part: Callable[[Item], Fraction | int]) -> Fraction | None:
    members = list(items)
    weight = sum(item.weight for item in members)
    return sum((item.weight * Fraction(part(item)) for item in members), Fraction(0)) / weight if weight else None


def points(items: Iterable[Item]) -> Fraction | None:
    found = mean((item for item in items if item.applies), lambda item: item.counted)
    return None if found is None else 100 * found


def score(items: Sequence[Item], cap: int = 59) -> Scored:
    """Return the score. Places count from 1."""
    applicable = {place: item for place, item in enumerate(items, 1) if item.applies}
    here = applicable.values()
    before, best = points(here), mean(here, lambda item: 1 if item.open else item.counted)
    caps = tuple(place for place, item in applicable.items() if item.critical and item.counted == 0)
    hard = [place for place in caps if not applicable[place].open]
    sure = {"verified": Fraction(1), "given": Fraction(8, 10), "none": Fraction(1, 2)}
    completeness = mean(here, lambda item: item.answered)
    hidden_weight = sum(item.weight for item in items if not item.shown)
    answered = sum(item.answered for item in here)
    if before is None or best is None or completeness is None:
        return Scored(None, None, None, None, None, "NR", caps, {}, {}, len(applicable), answered, hidden_weight)
    final = min(before, Fraction(cap)) if caps else before
    whole = sum(item.weight for item in here)
    losses = {place: 100 * item.weight * (1 - item.counted) / whole for place, item in applicable.items()}
    return Scored(
        final,
        before,
        min(100 * best, Fraction(cap)) if hard else 100 * best,
        completeness,
        mean(here, lambda item: sure[item.evidence] if item.answered else 0),
        grade_of(final) if completeness >= Fraction(8, 10) else "NR",
        caps,
        {place: loss for place, loss in losses.items() if loss},
        {place: tenths for place, tenths in shown(losses, 1000 - floor(10 * before)).items() if losses[place]},
        len(applicable),
        answered,
        hidden_weight,
    )


def grade_of(number: Fraction) -> str:
    return next((grade for least, grade in ((90, "A"), (80, "B"), (70, "C"), (60, "D")) if number >= least), "F")


def shown(losses: dict[int, Fraction], total: int) -> dict[int, int]:
    """Give out single tenths to the largest remainder, until the total is reached."""
    tenths = {place: floor(10 * loss) for place, loss in losses.items()}
    left = {place: 10 * loss - tenths[place] for place, loss in losses.items()}
    while sum(tenths.values()) < total:
        place = max(left, key=lambda one: (left[one], -one))
        tenths[place] += 1
        left[place] = Fraction(-1)
    return tenths
