"""A content as the database holds it: its canonical text with digest and counts, and its questions spread out."""

from collections.abc import Iterable

from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.questionnaires.content import (
    FORMAT,
    METHOD,
    MOST_FAULTS,
    Content,
    ContentFault,
    canonical,
    digest,
    questions_of,
)
from vendorrisk.questionnaires.model import AskedQuestion, ContentProblem, FrozenContent


def frozen(content: Content) -> FrozenContent:
    """Return the canonical text of a content with its key, digest and counts."""
    text = canonical(content)
    asked = questions_of(content)
    return FrozenContent(
        key=content.key,
        text=text.decode(),
        sha256=digest(text),
        method=content.method,
        question_count=len(asked),
        weight_total=sum(question.weight for _, _, question in asked),
    )


def spread(content: Content) -> list[AskedQuestion]:
    """Return the questions of a content, each with its place from 1, for statements across vendors."""
    return [
        AskedQuestion(
            place=place,
            key=question.key,
            section=section.key,
            kind=question.kind.value,
            meaning=question.meaning,
            weight=question.weight,
            is_critical=question.critical,
            wants_evidence=question.evidence is not None and question.evidence.wanted,
            criteria=tuple(question.maps.get("soc2", ())),
            same_as=tuple(question.same_as),
        )
        for place, section, question in questions_of(content)
    ]


def empty(key: str, title: str) -> Content:
    """Return a content without questions: the first draft of a questionnaire."""
    return Content(format=FORMAT, key=key, title={"en": title}, languages=("en",), default_language="en", method=METHOD)


def problems(faults: Iterable[ContentFault]) -> list[ContentProblem]:
    """Return faults or warnings as a response shows them."""
    return [
        ContentProblem(code=fault.code, pointer=fault.pointer, detail=fault.detail, offset=fault.offset)
        for fault in faults
    ]


def refusal(faults: Iterable[ContentFault]) -> Refusal:
    """Return the refusal of a content with faults. Its code says whether all of them stand in conditions."""
    shown = [FieldError(fault.detail, fault.code, pointer=fault.pointer, offset=fault.offset) for fault in faults][
        :MOST_FAULTS
    ]
    if all(error.pointer is not None and error.pointer.endswith("/when") for error in shown):
        return Refusal(Code.CONDITION_INVALID, "Correct the conditions listed in `errors`.", errors=shown)
    return Refusal(Code.QUESTIONNAIRE_INVALID, "Correct the faults listed in `errors`.", errors=shown)
