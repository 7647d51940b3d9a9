"""Method `q1`: a content prepared for scoring.

This file is part of a released method, so it never changes. A change of arithmetic is another method.
"""

from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from vendorrisk.questionnaires.content import QuestionKind
from vendorrisk.questionnaires.visibility import Compiled
from vendorrisk.scoring.q1_credits import Credit, credit_of

_FRAMEWORK: Final = "soc2"


class PlannedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question as the method takes it. Sections and criteria are numbers in the plan's lists."""

    place: int
    key: str
    weight: int
    is_critical: bool
    wants_evidence: bool
    is_file: bool
    section: int
    criteria: tuple[int, ...]
    credit: Credit
    gates: tuple[int, ...]
    """Places of the earlier questions that decide whether it is shown."""


class Plan(NamedTuple):
    """A content prepared for scoring."""

    questions: tuple[PlannedQuestion, ...]
    asking: tuple[PlannedQuestion, ...]
    """Those whose answers show or hide others, or raise flags."""
    places: tuple[int, ...]
    sections: tuple[str, ...]
    criteria: tuple[str, ...]
    has_flags: bool


@lru_cache(maxsize=64)
def plan_of(compiled: Compiled) -> Plan:
    """Prepare a content for scoring. A plan is kept, because a compiled content never changes."""
    content = compiled.content
    sections = {section.key: number for number, section in enumerate(content.sections)}
    ids = {question.key: sorted({*question.maps.get(_FRAMEWORK, ())}) for _, _, question in compiled.questions}
    criteria = {criterion: number for number, criterion in enumerate(sorted({*chain.from_iterable(ids.values())}))}
    planned = [
        PlannedQuestion(
            place=place,
            key=question.key,
            weight=question.weight,
            is_critical=question.critical,
            wants_evidence=question.evidence is not None and question.evidence.wanted,
            is_file=question.kind is QuestionKind.FILE,
            section=sections[section.key],
            criteria=tuple(criteria[criterion] for criterion in ids[question.key]),
            credit=credit_of(content, question),
            gates=tuple(compiled.places[key] for key in compiled.gates[question.key]),
        )
        for place, section, question in compiled.questions
    ]
    asking = compiled.steering | compiled.flagging
    return Plan(
        questions=tuple(planned),
        asking=tuple(question for question in planned if question.key in asking),
        places=tuple(question.place for question in planned),
        sections=tuple(sections),
        criteria=tuple(criteria),
        has_flags=any(question.flags for _, _, question in compiled.questions),
    )
