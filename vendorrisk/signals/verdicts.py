"""Short ways to write a judgement, so that an evaluator reads as its rules do."""

from collections.abc import Iterable
from typing import TypedDict, Unpack

from vendorrisk.signals.model import Facts, Judgement, Severity, Verdict


class Rest(TypedDict, total=False):
    evidence: Facts
    severity: Severity
    confidence_percent: int
    cap: int | None
    discriminator: str


def passed(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Judgement:
    return Judgement(rule=rule, verdict=Verdict.PASS, reason=reason, detail=detail, **rest)


def warned(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Judgement:
    return Judgement(rule=rule, verdict=Verdict.WARN, reason=reason, detail=detail, **rest)


def failed(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Judgement:
    return Judgement(rule=rule, verdict=Verdict.FAIL, reason=reason, detail=detail, **rest)


def inapplicable(rule: str, reason: str, detail: str, **rest: Unpack[Rest]) -> Judgement:
    return Judgement(rule=rule, verdict=Verdict.NA, reason=reason, detail=detail, **rest)


def unknown(rule: str, reason: str, detail: str = "", **rest: Unpack[Rest]) -> Judgement:
    """`reason` says what kept us from seeing, never what we think of it."""
    return Judgement(
        rule=rule, verdict=Verdict.UNKNOWN, reason=reason, detail=detail or f"Could not be seen: {reason}.", **rest
    )


_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS, Verdict.NA)


def worst(judgements: Iterable[Judgement]) -> dict[str, Judgement]:
    """Return one judgement for each rule, as a score needs it where a rule judged several subjects.

    An unknown outweighs a warn: what was not seen could be worse. Of equals the first stays.
    """
    found: dict[str, Judgement] = {}
    for one in judgements:
        there = found.get(one.rule)
        if there is None or _WORST_FIRST.index(one.verdict) < _WORST_FIRST.index(there.verdict):
            found[one.rule] = one
    return found
