"""Short constructors of evaluations, so that an evaluator reads like its rules.

Details and evidence contain text of others. Postgres stores no NUL, and a state should not hold a text of 64 KB. Both
are handled here, for every evaluator.
"""

from collections.abc import Iterable
from typing import TypedDict, Unpack

from vendorrisk.evaluation.model import Evaluation, Fact, Facts, RuleSeverity, Verdict

_MOST_CHARACTERS = 1000


class Rest(TypedDict, total=False):
    evidence: Facts
    severity: RuleSeverity
    confidence_percent: int
    cap: int | None
    subject: str


def passed(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Evaluation:
    return _evaluation(rule, Verdict.PASS, reason, detail, rest)


def warned(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Evaluation:
    return _evaluation(rule, Verdict.WARN, reason, detail, rest)


def failed(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Evaluation:
    return _evaluation(rule, Verdict.FAIL, reason, detail, rest)


def inapplicable(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Evaluation:
    return _evaluation(rule, Verdict.NA, reason, detail, rest)


def unknown(rule: str, reason: str, detail: str = "", **rest: Unpack[Rest]) -> Evaluation:
    """`reason` names the cause of the missing observation, never an opinion."""
    return _evaluation(rule, Verdict.UNKNOWN, reason, detail or f"Could not be seen: {reason}.", rest)


def _evaluation(rule: str, verdict: Verdict, reason: str, detail: str, rest: Rest) -> Evaluation:
    if "subject" in rest:
        rest["subject"] = _text(rest["subject"])
    if "evidence" in rest:
        rest["evidence"] = {name: _storable(fact) for name, fact in rest["evidence"].items()}
    return Evaluation(rule=rule, verdict=verdict, reason=reason, detail=_text(detail), **rest)


def _storable(fact: Fact) -> Fact:
    if isinstance(fact, tuple):
        return tuple(_text(one) for one in fact)
    return _text(fact) if isinstance(fact, str) else fact


def _text(text: str) -> str:
    return text[:_MOST_CHARACTERS].replace("\0", "\ufffd")


_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS, Verdict.NA)


def worst(evaluations: Iterable[Evaluation]) -> dict[str, Evaluation]:
    """Return one evaluation for each rule, because a score needs one if a rule evaluated several subjects.

    An unknown outweighs a warn, because an unobserved subject could be worse. If two are equal, the first stays.
    """
    found: dict[str, Evaluation] = {}
    for one in evaluations:
        there = found.get(one.rule)
        if there is None or _WORST_FIRST.index(one.verdict) < _WORST_FIRST.index(there.verdict):
            found[one.rule] = one
    return found
