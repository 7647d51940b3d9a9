"""Builders for signals: score inputs and evaluations with sensible rest."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from vendorrisk.evaluation.model import Evaluation, Scope, ScoreInput, Verdict
from vendorrisk.evaluation.rules import RULES

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCORED = [rule.id for rule in RULES.values() if rule.weight]


def score_input(rule: str, verdict: Verdict = Verdict.PASS, asset: str = "acme.example", **rest: object) -> ScoreInput:
    return ScoreInput(**{"rule": rule, "asset": asset, "verdict": verdict, **rest})  # type: ignore[arg-type]  # msgspec checks nothing here; tests do


def all_passing() -> list[ScoreInput]:
    return [score_input(rule) for rule in SCORED]


def evaluation(verdict: Verdict, rule: str = "web.csp", reason: str = "seen") -> Evaluation:
    return Evaluation(rule=rule, verdict=verdict, reason=reason, detail="")


@st.composite
def score_inputs(draw: st.DrawFn) -> list[ScoreInput]:
    """A vendor of one to three hosts, any verdicts, some unknown and held, some capped, faded or suppressed."""
    hosts = ["acme.example", "www.acme.example", "api.acme.example"][: draw(st.integers(1, 3))]
    made = []
    for name in draw(st.lists(st.sampled_from(SCORED), min_size=1, unique=True)):
        rule = RULES[name]
        for asset in hosts if rule.scope is Scope.HOST else hosts[:1]:
            known = draw(st.sampled_from([None, Verdict.PASS, Verdict.WARN, Verdict.FAIL]))
            made.append(
                score_input(
                    name,
                    draw(st.sampled_from(Verdict)),
                    asset,
                    primary=asset == hosts[0],
                    known=known,
                    known_at=NOW if known else None,
                    confidence_percent=draw(st.sampled_from([None, 50, 80, 100])),
                    cap=draw(st.sampled_from([None, rule.cap])),
                    observation=f"{name}/{asset}",
                )
            )
    return made
