"""Contents, answers and marks for the tests of scoring."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.scoring.oracle import Item
from vendorrisk.questionnaires.content import (
    Content,
    EvidenceWanted,
    NotApplicable,
    Option,
    Question,
    QuestionKind,
    Section,
    Stance,
)
from vendorrisk.questionnaires.visibility import Compiled
from vendorrisk.scoring import q1
from vendorrisk.scoring.answers import Answer, EvidenceLevel, Mark, NotApplicableVerdict, Verdict
from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.score_model import Result

ON = date(2026, 11, 23)
FACTS = {"vendor.tier": "high"}
HIDDEN = "vendor.tier = low"


def content(*questions: Question, **more: Any) -> Content:
    """A content of one section, or of the sections given."""
    sections = more.pop("sections", (Section(key="all", title={"en": "All"}, questions=questions),))
    return Content(
        format="vendorrisk-questionnaire/1",
        key="cases",
        title={"en": "Cases"},
        languages=("en",),
        default_language="en",
        method="q1",
        sections=sections,
        **more,
    )


def question(key: str, kind: QuestionKind = QuestionKind.YES_NO, **more: Any) -> Question:
    return Question(key=key, kind=kind, text=more.pop("text", {"en": f"Is it so ({key})?"}), **more)


def option(key: str, credit: int = 0, **more: Any) -> Option:
    return Option(key=key, label={"en": key}, credit=credit, **more)


def answer(place: int, value: Any = None, **more: Any) -> Answer:
    return Answer(place=place, stance=more.pop("stance", Stance.ANSWERED), value=value, **more)


def mark(place: int, **more: Any) -> Mark:
    return Mark(place=place, answer_version=more.pop("answer_version", 1), **more)


def _question(place: int, item: Item) -> Question:
    is_text = item.credit is None and item.stance == "answered"
    return question(
        item.key or f"q{place}",
        QuestionKind.TEXT if is_text else QuestionKind.SINGLE,
        options=None if is_text else (option("chosen", item.credit or 0), option("other", 1000)),
        weight=item.weight,
        critical=item.critical,
        evidence=EvidenceWanted(wanted=True) if item.wants_evidence else None,
        not_applicable=NotApplicable.WITH_REASON,
        when=None if item.shown else HIDDEN,
        maps={"soc2": item.criteria} if item.criteria else {},
    )


def assessed(items: Sequence[Item]) -> tuple[Compiled, list[Answer], list[Mark]]:
    """Return real questions, answers and marks of items. Sections come in the order of their first item."""
    names = list(dict.fromkeys(item.section for item in items))
    assert [item.section for item in items] == sorted((item.section for item in items), key=names.index)
    placed = list(enumerate(items, 1))
    sections = tuple(
        Section(
            key=name,
            title={"en": name},
            questions=tuple(_question(place, item) for place, item in placed if item.section == name),
        )
        for name in names
    )
    answers = [
        answer(place, "chosen" if item.stance == "answered" else None, stance=Stance(item.stance))
        for place, item in placed
        if item.stance != "none"
    ]
    marks = [
        mark(
            place,
            verdict=Verdict(item.verdict),
            not_applicable=None if item.not_applicable == "pending" else NotApplicableVerdict(item.not_applicable),
            evidence=EvidenceLevel(item.evidence),
            credit_override=item.override,
        )
        for place, item in placed
        if item.stance != "none"
    ]
    return Compiled(content(sections=sections), "a case"), answers, marks


def scored(items: Sequence[Item], policy: ScoringPolicy | None = None) -> Result:
    compiled, answers, marks = assessed(items)
    return q1.score(compiled, answers, marks, policy or ScoringPolicy(), FACTS, ON)
