"""Conditions that no answers and facts can make true, through the whole chain of conditions before them.

All answers are tried that make a difference to a test: each option a test names and one that none names, numbers and
days at, between and outside the thresholds, each count near a threshold, and the answers without a value. Neither an
answer outside the question's own bounds is tried, nor one to a hidden question.

At most 20,000 combinations are tried for one condition. Beyond them the result is undecided.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from vendorrisk.questionnaires.answer_space import answer_space
from vendorrisk.questionnaires.condition_checks import FACT_SUBJECTS, Subject
from vendorrisk.questionnaires.condition_tree import (
    AllOf,
    AnswerState,
    AnyOf,
    Condition,
    Given,
    Is,
    Not,
    Test,
    Truth,
    leaves_of,
    truth_of,
)

MOST_WORLDS: Final = 20_000
"""Combinations of answers and facts that are tried for one condition."""
MOST_STEPS: Final = 400_000
"""Single answers that are tried for all conditions of a content together: about a second."""


_STEPS_TO_PREPARE: Final = 4


class Reach(Enum):
    """Whether answers and facts can make a condition true."""

    SOMETIMES = "sometimes"
    NEVER = "never"
    UNDECIDED = "undecided"


class _Variable(NamedTuple):
    key: str
    truths: tuple[Truth, ...]  # under which it is asked
    answers: tuple[Given | None, ...]  # null: unanswered. The most promising stand last
    goals: tuple[Truth, ...]  # which are decided once it is known


class Reachability:
    """The conditions of a content. `subjects` are its questions in their order, `conditions` those that show each."""

    def __init__(self, subjects: Mapping[str, Subject], conditions: Mapping[str, Sequence[Condition]]) -> None:
        self._subjects = {**FACT_SUBJECTS, **subjects}
        self._order = {key: number for number, key in enumerate(self._subjects)}
        self._conditions = conditions
        self._truths = {key: tuple(map(truth_of, found)) for key, found in conditions.items()}
        self._decided: dict[tuple[Condition, ...], Reach] = {}
        self._steps_left = MOST_STEPS

    def of(self, conditions: Sequence[Condition]) -> Reach:
        """Decide conditions that must hold together."""
        goals = tuple(dict.fromkeys(part for condition in conditions for part in _conjuncts(condition)))
        if self._steps_left < 0:
            return Reach.UNDECIDED
        if goals not in self._decided:
            reaches = {self._search(needed, *self._parts(together, needed)) for needed, together in self._apart(goals)}
            worst = (reach for reach in (Reach.NEVER, Reach.UNDECIDED) if reach in reaches)
            self._decided[goals] = next(worst, Reach.SOMETIMES)
        return self._decided[goals]

    def shows_early(self, conditions: Sequence[Condition]) -> bool:
        """Return True if a `not` makes the conditions true while no question is answered, whatever is meant.

        The test `is not answered` means just that, and does not count.
        """
        leaves = [leaf for condition in conditions for leaf in leaves_of(condition)]
        facts = sorted({leaf.ref for leaf in leaves if leaf.ref in FACT_SUBJECTS}, key=self._order.__getitem__)
        if len(facts) == len({leaf.ref for leaf in leaves}):
            return False
        truths = [truth_of(condition) for condition in conditions]
        doubts = [_doubted(condition) for condition in conditions]

        def is_early(given: Mapping[str, Given]) -> bool:
            return all(truth(given) for truth in truths) and not all(doubt(given) for doubt in doubts)

        if not facts:
            return is_early({})
        tests = {key: [leaf for leaf in leaves if leaf.ref == key] for key in facts}
        return self._search(facts, tests, [(is_early, set(facts))]) is Reach.SOMETIMES

    def _closure(self, goals: Iterable[Condition]) -> list[str]:
        """Return the facts and questions that the goals depend on, in their order."""
        needed: set[str] = set()
        refs = [leaf.ref for goal in goals for leaf in leaves_of(goal)]
        while refs:
            key = refs.pop()
            if key not in needed:
                needed.add(key)
                refs += [leaf.ref for condition in self._conditions.get(key, ()) for leaf in leaves_of(condition)]
        return sorted(needed, key=self._order.__getitem__)

    def _apart(self, goals: Iterable[Condition]) -> list[tuple[list[str], list[Condition]]]:
        """Return groups of goals without a question or fact in common, each with those that it depends on."""
        groups: list[tuple[list[str], list[Condition]]] = []
        for goal in goals:
            needed, together = self._closure([goal]), [goal]
            for group in [group for group in groups if not set(group[0]).isdisjoint(needed)]:
                groups.remove(group)
                needed, together = [*needed, *group[0]], [*group[1], *together]
            groups.append((sorted(set(needed), key=self._order.__getitem__), together))
        return groups

    def _parts(
        self, goals: Sequence[Condition], needed: Iterable[str]
    ) -> tuple[dict[str, list[Test]], list[tuple[Truth, set[str]]]]:
        """Return the tests of each question and fact, and the goals with those that they refer to."""
        tests: dict[str, list[Test]] = {key: [] for key in needed}
        for condition in (*goals, *(one for key in tests for one in self._conditions.get(key, ()))):
            for leaf in leaves_of(condition):
                tests[leaf.ref].append(leaf)
        return tests, [(truth_of(goal), {leaf.ref for leaf in leaves_of(goal)}) for goal in goals]

    def _search(
        self, needed: Sequence[str], tests: Mapping[str, list[Test]], goals: Sequence[tuple[Truth, set[str]]]
    ) -> Reach:
        self._steps_left -= _STEPS_TO_PREPARE * len(needed)
        place = {key: number for number, key in enumerate(needed)}
        decided: list[list[Truth]] = [[] for _ in needed]
        for truth, refs in goals:
            decided[max(map(place.__getitem__, refs))].append(truth)
        variables = []
        for key, truths in zip(needed, decided, strict=True):
            answers = answer_space(self._subjects[key], tests[key], most=MOST_WORLDS)
            if answers is None:
                return Reach.UNDECIDED
            variables.append(_Variable(key, self._truths.get(key, ()), answers, tuple(truths)))
        return self._tried(variables)

    def _tried(self, variables: Sequence[_Variable]) -> Reach:
        """Walk the tree of answers, a level for each variable, until all goals hold."""
        given: dict[str, Given] = {}
        levels, worlds = [_open(variables[0], given)], 0
        while levels:
            variable = variables[len(levels) - 1]
            given.pop(variable.key, None)
            if not levels[-1]:
                levels.pop()
                continue
            answer = levels[-1].pop()
            if answer is not None:
                given[variable.key] = answer
            self._steps_left -= 1
            if not all(goal(given) for goal in variable.goals):
                worlds += 1
            elif len(levels) == len(variables):
                return Reach.SOMETIMES
            else:
                levels.append(_open(variables[len(levels)], given))
            if worlds > MOST_WORLDS or self._steps_left < 0:
                return Reach.UNDECIDED
        return Reach.NEVER


def _open(variable: _Variable, given: Mapping[str, Given]) -> list[Given | None]:
    """Return the answers to try. A hidden question is unanswered."""
    return list(variable.answers) if all(truth(given) for truth in variable.truths) else [None]


def _conjuncts(condition: Condition) -> Iterable[Condition]:
    if isinstance(condition, AllOf):
        for part in condition.parts:
            yield from _conjuncts(part)
    else:
        yield condition


def _doubted(condition: Condition, *, is_negated: bool = False) -> Truth:
    """Return the truth of a condition with no question answered, if no `not` could profit from that."""
    match condition:
        case Not():
            inner = _doubted(condition.inner, is_negated=not is_negated)
            return lambda given: not inner(given)
        case AllOf():
            parts = [_doubted(part, is_negated=is_negated) for part in condition.parts]
            return lambda given: all(part(given) for part in parts)
        case AnyOf():
            parts = [_doubted(part, is_negated=is_negated) for part in condition.parts]
            return lambda given: any(part(given) for part in parts)
    if condition.ref in FACT_SUBJECTS or (isinstance(condition, Is) and condition.state is AnswerState.ANSWERED):
        return truth_of(condition)
    return lambda _: is_negated
