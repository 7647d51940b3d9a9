"""Method `q1`: a content prepared for scoring.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from collections import defaultdict
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from vendorrisk.questionnaires.content import QuestionKind
from vendorrisk.questionnaires.visibility import Compiled
from vendorrisk.scoring.q1_credits import Credit, credit_of

_FRAMEWORK: Final = "soc2"


class PlannedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question as the method takes it."""

    place: int
    key: str
    weight: int
    is_critical: bool
    wants_evidence: bool
    is_file: bool
    credit: Credit
    gates: tuple[int, ...]
    """Places of the earlier questions that decide whether it is shown."""


class Part(NamedTuple):
    """A section or a criterion, with the indexes of its questions from 0."""

    name: str
    members: tuple[int, ...]


class Plan(NamedTuple):
    """A content prepared for scoring."""

    questions: tuple[PlannedQuestion, ...]
    asking: tuple[PlannedQuestion, ...]
    """The questions that show or hide others, or raise flags."""
    places: tuple[int, ...]
    sections: tuple[Part, ...]
    criteria: tuple[Part, ...]
    """SOC 2 criteria, by id."""
    has_flags: bool


@lru_cache(maxsize=64)
def plan_of(compiled: Compiled) -> Plan:
    """Prepare a content for scoring. A plan is kept, because a compiled content never changes."""
    planned = [
        PlannedQuestion(
            place=place,
            key=question.key,
            weight=question.weight,
            is_critical=question.critical,
            wants_evidence=question.evidence is not None and question.evidence.wanted,
            is_file=question.kind is QuestionKind.FILE,
            credit=credit_of(compiled.content, question),
            gates=tuple(compiled.places[key] for key in compiled.gates[question.key]),
        )
        for place, _, question in compiled.questions
    ]
    sections: dict[str, list[int]] = {section.key: [] for section in compiled.content.sections}
    criteria: defaultdict[str, list[int]] = defaultdict(list)
    for place, section, question in compiled.questions:
        sections[section.key].append(place - 1)
        for criterion in {*question.maps.get(_FRAMEWORK, ())}:
            criteria[criterion].append(place - 1)
    asking = compiled.steering | compiled.flagging
    return Plan(
        questions=tuple(planned),
        asking=tuple(question for question in planned if question.key in asking),
        places=tuple(question.place for question in planned),
        sections=tuple(Part(name, tuple(members)) for name, members in sections.items()),
        criteria=tuple(Part(name, tuple(members)) for name, members in sorted(criteria.items())),
        has_flags=any(question.flags for _, _, question in compiled.questions),
    )
