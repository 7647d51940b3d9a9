"""The methods of this release, described for the people whose scores they make."""

from collections.abc import Mapping
from typing import Final

import msgspec

from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.score_model import Cause


class MethodRule(msgspec.Struct, frozen=True):
    """One rule of a method: a name, and its formula or sentence."""

    name: str
    rule: str


class ScoringMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A method. It never changes. Other arithmetic is another method."""

    method: str
    title: str
    rules: tuple[MethodRule, ...]
    causes: Mapping[str, str]
    """Cause of a loss → its meaning."""
    default_policy: ScoringPolicy


_CAUSES: Final[Mapping[Cause, str]] = {
    Cause.UNANSWERED: "The question has no confirmed answer.",
    Cause.NOT_APPLICABLE_PENDING: "No reviewer has accepted that it is not applicable.",
    Cause.NOT_APPLICABLE_REFUSED: "A reviewer refused that it is not applicable.",
    Cause.NOT_MARKED: "The answer is text, and no reviewer has given it a credit.",
    Cause.INSUFFICIENT: "A reviewer found the answer insufficient.",
    Cause.WRONG: "A reviewer found the answer wrong.",
    Cause.OVERRIDE: "A reviewer gave a credit below 1000.",
    Cause.ANSWER: "The answer itself earns less than the whole credit.",
    Cause.EVIDENCE: "Evidence is missing, so that only a part of the credit counts.",
}
_Q1: Final = ScoringMethod(
    method="q1",
    title="Weighted mean of credits, with caps",
    rules=(
        MethodRule("applicable", "A question that is asked and not accepted as not applicable."),
        MethodRule("counted", "0 to 1,000,000 millionths: the credit in thousandths x 1000, or x policy.evidence."),
        MethodRule("before", "100 x sum(weight x counted) / (1,000,000 x sum(weight)), over applicable questions."),
        MethodRule("score", "before, at most policy.cap while a critical question counts 0, whatever its weight."),
        MethodRule("high", "The score if everything open were answered as well as possible."),
        MethodRule("completeness", "sum(weight answered) / sum(weight)."),
        MethodRule("confidence", "sum(weight x step) / sum(weight). policy.confidence has the steps. Unanswered is 0."),
        MethodRule("grade", "By the exact score. NR while the completeness is below policy.completeness."),
        MethodRule("tenths", "Rounded down. Losses are rounded by largest remainder, so that all parts make 100."),
    ),
    causes={cause.value: meaning for cause, meaning in _CAUSES.items()},
    default_policy=ScoringPolicy(),
)

DESCRIBED: Final[Mapping[str, ScoringMethod]] = {_Q1.method: _Q1}
"""All methods, by name."""
