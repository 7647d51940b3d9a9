"""The score: integers from 0 to 100, every deduction named, no gain from hiding.

A verdict's deficit is in basis points of its rule's weight: pass 0, warn 4000, fail 10 000, unknown 5000. Weak evidence
counts less: at confidence c a warn or fail has c of its deficit, and a pass is pulled towards unknown by 1 - c, because
weak evidence of good is not good. (A warn never scores better than a pass: at c under 0.56 the plain product would do
that, so the pass's deficit is the floor.)

An unknown keeps its last known verdict for `rules.hold_for`. After that its deficit is the greater of 5000 and the last
known deficit, so that a fail stays a fail until it is seen fixed. A rule that did not apply when it was last seen
counts past its hold only if that costs points, so that hiding it cannot raise a worse mean.

    factor   = 10 000 - Σ weight·deficit / Σ weight        na leaves both sums
    overall  = (3 · weighted mean of factors + the worst factor of weight 10 or more) / 4
    score    = overall, lowered to the caps of failing rules of confidence 80 % or more

Every division rounds down on both sides of the sum, which keeps each step monotone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import lcm
from typing import NamedTuple

from vendorrisk.evaluation.model import (
    Rule,
    Scope,
    Score,
    ScoreDeduction,
    ScoreInput,
    SignalFactor,
    SignalFactorScore,
    Verdict,
)
from vendorrisk.evaluation.rules import FACTOR_WEIGHTS, MODEL_VERSION, RULES, hold_for

WHOLE = 10_000
UNKNOWN_DEFICIT = 5_000
DEFICITS_BP = {Verdict.PASS: 0, Verdict.WARN: 4_000, Verdict.FAIL: WHOLE, Verdict.UNKNOWN: UNKNOWN_DEFICIT}
CAP_CONFIDENCE_PERCENT = 80
HEAVY_FACTOR = 10
COVERAGE_FOR_A_NUMBER_BP = 5_000
COVERAGE_FOR_AN_A_BP = 8_000
HIGHEST_B = 89
GRADES = ((90, "A"), (80, "B"), (70, "C"), (60, "D"))


class HeldInput(NamedTuple):
    """A score input after holding: its cost now, at worst and at best."""

    rule: Rule
    score_input: ScoreInput
    deficit: int
    worst: int
    best: int
    covered: bool
    confidence: int


class _Shares(NamedTuple):
    """A deficit and its shares: each share, divided by `whole`, is exact, without rounding."""

    deficit: int
    whole: int
    shares: tuple[tuple[HeldInput, int], ...]


def deficit_of(verdict: Verdict, confidence_percent: int, percent: int = 100) -> int:
    """Return the deficit in basis points. `percent` is the part of a warn or fail that has not faded yet."""
    seen_well = UNKNOWN_DEFICIT * (100 - confidence_percent) // 100
    if verdict is Verdict.PASS:
        return seen_well
    if verdict is Verdict.UNKNOWN:
        return UNKNOWN_DEFICIT
    return max(seen_well, DEFICITS_BP[verdict] * confidence_percent * percent // 10_000)


def apply_hold(score_input: ScoreInput, now: datetime) -> HeldInput:
    """Apply the hold to one score input. The verdict must not be na."""
    rule = RULES[score_input.rule]
    confidence = score_input.confidence_percent or rule.confidence_percent
    faded = score_input.deficit_percent
    if score_input.verdict is not Verdict.UNKNOWN:
        cost = deficit_of(score_input.verdict, confidence, faded)
        return HeldInput(rule, score_input, cost, cost, cost, covered=True, confidence=confidence)
    worst, best = deficit_of(Verdict.FAIL, confidence), deficit_of(Verdict.PASS, confidence)
    worst = max(worst, UNKNOWN_DEFICIT)
    known = None if score_input.known in {None, Verdict.NA, Verdict.UNKNOWN} else score_input.known
    if known is None or score_input.known_at is None:
        return HeldInput(rule, score_input, UNKNOWN_DEFICIT, worst, best, covered=False, confidence=confidence)
    cost = deficit_of(known, confidence, faded)
    if _is_held(score_input, now):
        return HeldInput(
            rule, score_input, cost, max(cost, worst), min(cost, best), covered=True, confidence=confidence
        )
    cost = max(UNKNOWN_DEFICIT, cost)
    return HeldInput(rule, score_input, cost, max(cost, worst), best, covered=False, confidence=confidence)


def score(inputs: Iterable[ScoreInput], *, now: datetime, disabled_rules: frozenset[str] = frozenset()) -> Score:
    """Score a vendor. `disabled_rules` do not count (`rules.default_disabled_rules`), and are named in the result.

    Score inputs of unknown rules raise `KeyError`: a replay needs the methodology of its `model_version`.
    """
    scored = [s for s in inputs if RULES[s.rule].weight and s.rule not in disabled_rules and _applies(s, now)]
    suppressed = [s for s in scored if s.suppressed_until is not None and s.suppressed_until > now]
    counted = [apply_hold(s, now) for s in scored if s not in suppressed]
    everything = [apply_hold(s, now) for s in scored]
    borne = _borne(counted)
    result = _numbered(borne)
    coverage = _coverage(counted)
    return Score(
        score=None if coverage < COVERAGE_FOR_A_NUMBER_BP else result.number,
        grade=grade_of(result.number, coverage),
        number=result.number,
        low=min(result.number, _extreme(counted, _worst, worst=True)),
        high=max(result.number, _extreme(counted, _best, worst=False)),
        coverage_bp=coverage,
        confidence_percent=_confidence(counted),
        factors=_factor_scores(borne, counted),
        deductions=result.deductions,
        caps=tuple(d for d in result.deductions if d.kind in {"cap", "coverage"}),
        suppressed=tuple(_named(apply_hold(s, now)) for s in suppressed),
        score_unsuppressed=_numbered(_borne(everything)).number if suppressed else result.number,
        disabled_rules=tuple(name for name in RULES if name in disabled_rules),
        model_version=MODEL_VERSION,
    )


def _applies(score_input: ScoreInput, now: datetime) -> bool:
    """Return True if a score input counts. "Not applicable" is held like any verdict while the rule is unknown."""
    if score_input.verdict is not Verdict.UNKNOWN:
        return score_input.verdict is not Verdict.NA
    return score_input.known is not Verdict.NA or not _is_held(score_input, now)


def _borne(counted: Sequence[HeldInput]) -> Sequence[HeldInput]:
    """Return the score's inputs: all that count, with or without those that did not apply when last seen.

    The lower score wins. Past its hold such a rule costs as much as any unknown. If the other inputs are worse than
    that, hiding it would raise the mean.
    """
    applied = [
        s for s in counted if s.score_input.verdict is not Verdict.UNKNOWN or s.score_input.known is not Verdict.NA
    ]
    if len(applied) == len(counted):
        return counted
    return min(counted, applied, key=lambda held: _numbered(held).number)


def _is_held(score_input: ScoreInput, now: datetime) -> bool:
    """Return True if the known verdict still counts. One from the future never counts, because its clock was wrong."""
    at = score_input.known_at
    return at is not None and abs(now - at) <= hold_for(RULES[score_input.rule], score_input.slower)


def grade_of(number: int, coverage_bp: int) -> str:
    if coverage_bp < COVERAGE_FOR_A_NUMBER_BP:
        return "NR"
    return next((grade for least, grade in GRADES if number >= least), "F")


def top_deductions(result: Score, most: int = 5) -> tuple[ScoreDeduction, ...]:
    """Return the rules that cost most, dearest first."""
    of_rules = [d for d in result.deductions if d.kind == "rule"]
    return tuple(sorted(of_rules, key=lambda d: (-d.points_bp, d.rule, d.asset))[:most])


# ── factors


def _cost(held: HeldInput) -> int:
    return held.deficit


def _worst(held: HeldInput) -> int:
    return held.worst


def _best(held: HeldInput) -> int:
    return held.best


def _union(members: Sequence[HeldInput], cost: Callable[[HeldInput], int]) -> _Shares:
    weight = sum(s.rule.weight for s in members)
    shares = tuple((s, s.rule.weight * cost(s)) for s in members)
    return _Shares(sum(share for _, share in shares) // weight, weight, shares)


def _of_hosts(members: Sequence[HeldInput], cost: Callable[[HeldInput], int]) -> _Shares:
    """The worse of the primary host and the mean of all hosts."""
    hosts: dict[str, list[HeldInput]] = defaultdict(list)
    for member in members:
        hosts[member.score_input.asset].append(member)
    each = {asset: _union(of_host, cost) for asset, of_host in hosts.items()}
    mean = _joined(sum(host.deficit for host in each.values()) // len(each), [(1, host) for host in each.values()])
    primary = [each[asset] for asset, of_host in hosts.items() if any(s.score_input.primary for s in of_host)]
    return max([mean, *primary], key=lambda shares: shares.deficit)


def _joined(deficit: int, parts: Sequence[tuple[int, _Shares]]) -> _Shares:
    """Return the mean of shares by weight, over one whole."""
    whole = lcm(*(shares.whole for _, shares in parts))
    joined = [(s, weight * share * (whole // of.whole)) for weight, of in parts for s, share in of.shares]
    return _Shares(deficit, whole * sum(weight for weight, _ in parts), tuple(joined))


def _factors(held: Sequence[HeldInput], cost: Callable[[HeldInput], int]) -> dict[SignalFactor, _Shares]:
    by_factor: dict[SignalFactor, list[HeldInput]] = defaultdict(list)
    for one in held:
        by_factor[one.rule.factor].append(one)
    return {
        factor: _of_hosts(by_factor[factor], cost)
        if by_factor[factor][0].rule.scope is Scope.HOST
        else _union(by_factor[factor], cost)
        for factor in SignalFactor
        if factor in by_factor
    }


def _overall(factors: dict[SignalFactor, _Shares]) -> _Shares:
    """Join the factors. The worst heavy factor is a quarter of the result."""
    if not factors:
        return _Shares(0, 1, ())
    weights = sum(FACTOR_WEIGHTS[f] for f in factors)
    mean = sum(FACTOR_WEIGHTS[f] * (WHOLE - s.deficit) for f, s in factors.items()) // weights
    joined = _joined(WHOLE - mean, [(FACTOR_WEIGHTS[f], s) for f, s in factors.items()])
    heavy = [s for f, s in factors.items() if FACTOR_WEIGHTS[f] >= HEAVY_FACTOR]
    if not heavy:
        return joined
    weakest = max(heavy, key=lambda shares: shares.deficit)
    return _joined(WHOLE - (3 * mean + WHOLE - weakest.deficit) // 4, [(3, joined), (1, weakest)])


def _extreme(held: Sequence[HeldInput], cost: Callable[[HeldInput], int], *, worst: bool) -> int:
    """The number with every unknown at its worst, caps included, or at its best."""
    number = (WHOLE - _overall(_factors(held, cost)).deficit) // 100
    caps = [s.score_input.cap for s in held if _caps(s) and (worst or s.score_input.verdict is not Verdict.UNKNOWN)]
    if worst:
        caps += [s.rule.cap for s in held if _could_cap(s)]
    return min([number, *(cap for cap in caps if cap is not None)])


# ── caps and the sum


def _caps(held: HeldInput) -> bool:
    """Whether a fail is bad and sure enough to cap. An unknown after a fail still caps: it was not seen fixed."""
    score_input = held.score_input
    verdict = score_input.known if score_input.verdict is Verdict.UNKNOWN else score_input.verdict
    return verdict is Verdict.FAIL and score_input.cap is not None and held.confidence >= CAP_CONFIDENCE_PERCENT


def _could_cap(held: HeldInput) -> bool:
    return held.score_input.verdict is Verdict.UNKNOWN and held.confidence >= CAP_CONFIDENCE_PERCENT


class _Numbered(NamedTuple):
    number: int
    deductions: tuple[ScoreDeduction, ...]


def _numbered(held: Sequence[HeldInput]) -> _Numbered:
    overall = _overall(_factors(held, _cost))
    lines = list(_apportioned(overall))
    number, rest = divmod(WHOLE - overall.deficit, 100)
    if rest:
        lines.append(ScoreDeduction(kind="rounding", points_bp=rest))
    capping = sorted((s for s in held if _caps(s)), key=lambda s: (s.score_input.cap or 0, _key(s)))
    for one in capping:
        cap = one.score_input.cap
        lowered = 0 if cap is None else max(0, number - cap)
        number -= lowered
        lines.append(_named(one, kind="cap", points_bp=100 * lowered))
    if _coverage(held) < COVERAGE_FOR_AN_A_BP and number > HIGHEST_B:
        lines.append(ScoreDeduction(kind="coverage", points_bp=100 * (number - HIGHEST_B)))
        number = HIGHEST_B
    return _Numbered(number, tuple(lines))


def _apportioned(overall: _Shares) -> Iterable[ScoreDeduction]:
    """Divide a whole deficit by exact shares: largest remainders first, so that the parts add up to it."""
    shares: dict[tuple[str, str, str], int] = defaultdict(int)
    owner = {}
    for one, share in overall.shares:
        shares[_key(one)] += share
        owner[_key(one)] = one
    total = sum(shares.values())
    if not total:
        return
    divided = {key: divmod(overall.deficit * share, total) for key, share in shares.items()}
    parts = {key: points for key, (points, _) in divided.items()}
    short = overall.deficit - sum(parts.values())
    for key in sorted(divided, key=lambda k: (-divided[k][1], k))[:short]:
        parts[key] += 1
    yield from (_named(owner[key], points_bp=parts[key]) for key in sorted(parts) if parts[key])


def _key(held: HeldInput) -> tuple[str, str, str]:
    return (held.score_input.rule, held.score_input.asset, held.score_input.observation)


def _named(held: HeldInput, *, kind: str = "rule", points_bp: int = 0) -> ScoreDeduction:
    score_input = held.score_input
    return ScoreDeduction(
        kind=kind,
        rule=score_input.rule,
        asset=score_input.asset,
        verdict=score_input.verdict,
        points_bp=points_bp,
        observation=score_input.observation,
    )


# ── coverage


def _coverage(held: Sequence[HeldInput]) -> int:
    """The part of the applicable weight that was seen, factors by their weight, in basis points."""
    applicable: dict[SignalFactor, int] = defaultdict(int)
    covered: dict[SignalFactor, int] = defaultdict(int)
    for one in held:
        applicable[one.rule.factor] += one.rule.weight
        covered[one.rule.factor] += one.rule.weight if one.covered else 0
    total = sum(FACTOR_WEIGHTS[f] for f in applicable)
    seen = sum(FACTOR_WEIGHTS[f] * (WHOLE * covered[f] // applicable[f]) for f in applicable)
    return seen // total if total else 0


def _confidence(held: Sequence[HeldInput]) -> int:
    covered = [s for s in held if s.covered]
    weight = sum(s.rule.weight for s in covered)
    return sum(s.rule.weight * s.confidence for s in covered) // weight if weight else 0


def _factor_scores(borne: Sequence[HeldInput], counted: Sequence[HeldInput]) -> tuple[SignalFactorScore, ...]:
    return tuple(
        SignalFactorScore(
            factor=factor,
            weight=FACTOR_WEIGHTS[factor],
            score_bp=WHOLE - shares.deficit,
            coverage_bp=_coverage([s for s in counted if s.rule.factor is factor]),
        )
        for factor, shares in _factors(borne, _cost).items()
    )
