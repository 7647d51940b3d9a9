"""From the states of a vendor's assets to the inputs of its score. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from vendorrisk.evaluation import change_detection, rules
from vendorrisk.evaluation.model import Scope, ScoreInput, Verdict
from vendorrisk.evaluation.rules import RULES
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.finding_rules import is_finding
from vendorrisk.signals.reconcile_queries import VendorState
from vendorrisk.signals.shared_assets import Key, key_of, of_one_thing, with_a_main_one

_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS, Verdict.NA)


def _counted_of_another(assets: Sequence[VendorAsset], states: Sequence[VendorState]) -> frozenset[Key]:
    """Return the states that count on another asset, of rules that count once: known ones, and better if observed."""
    found = set()
    for first, *more in of_one_thing(assets, states):
        if RULES[first.rule].scope is not Scope.HOST and first.known is not None:
            found |= {key_of(s) for s in more if first.unknown_since is None or _worst_first(first) <= _worst_first(s)}
    return frozenset(found)


def score_inputs_of(
    assets: Sequence[VendorAsset],
    states: Sequence[VendorState],
    suppressed: Mapping[tuple[UUID, str], datetime],
    disabled_rules: frozenset[str],
    slower: int,
    of_another: Mapping[Key, Key | None] = MappingProxyType({}),
) -> Iterable[ScoreInput]:
    """Return one score input for every rule that applies to every asset. A rule that was never observed is unknown.

    If a rule has several subjects on an asset, the worst represents it. A rule whose every subject counts by itself has
    no such input. A state that another asset covers (`of_another`) is left out of the score with that asset's state.
    """
    by_rule: dict[tuple[UUID, str], list[VendorState]] = {}
    counted_of_another = _counted_of_another(assets, states)
    for state in states:
        by_rule.setdefault((state.vendor_asset_id, state.rule), []).append(state)
    for asset in with_a_main_one(assets):
        for rule in rules.rules_of(asset.kind):
            if rule.id in disabled_rules or not rule.weight:
                continue
            found = by_rule.get((asset.id, rule.id), [])
            left = [state for state in found if key_of(state) not in counted_of_another]
            if found and not left:
                continue
            until = suppressed.get((asset.id, rule.id)) or _suppressed_there(left, suppressed, of_another)
            yield _score_input(asset, rule.id, min(left, key=_worst_first, default=None), until, slower)


def _suppressed_there(
    found: Iterable[VendorState], suppressed: Mapping[tuple[UUID, str], datetime], of_another: Mapping[Key, Key | None]
) -> datetime | None:
    """Return until when a state without a finding of its own is suppressed: with the findings that cover it."""
    covering = [of_another.get(key_of(state)) for state in found if is_finding(state)]
    ends = [suppressed.get(key[:2]) if key is not None else None for key in covering]
    return min((end for end in ends if end), default=None) if all(ends) else None


def waits_for_a_scan(
    assets: Iterable[VendorAsset], states: Iterable[VendorState], disabled_rules: frozenset[str], now: datetime
) -> bool:
    """Return True if a newly attached asset was not scanned yet by every group that counts.

    A new asset lowers the score, because unknown is not good. But do not alert on that drop: the vendor did not get
    worse.
    """
    scanned = {(state.vendor_asset_id, state.scan_kind) for state in states}
    return any(
        rule.weight and rule.id not in disabled_rules and (asset.id, rule.group) not in scanned
        for asset in assets
        if now - asset.attached_at < change_detection.UNOBSERVABLE_AFTER
        for rule in rules.rules_of(asset.kind)
    )


def _score_input(
    asset: VendorAsset, rule: str, state: VendorState | None, until: datetime | None, slower: int
) -> ScoreInput:
    if state is None:
        return ScoreInput(rule=rule, asset=asset.name, verdict=Verdict.UNKNOWN, primary=asset.is_primary)
    return ScoreInput(
        rule=rule,
        asset=asset.name,
        verdict=state.verdict,
        primary=asset.is_primary,
        known=state.known,
        known_at=state.known_at,
        confidence_percent=state.confidence_percent,
        cap=state.cap,
        deficit_percent=_left_percent(state),
        suppressed_until=until,
        slower=slower,
        observation="" if state.observation_id is None else str(state.observation_id),
    )


def _worst_first(state: VendorState) -> tuple[int, int, int, int]:
    """Order the subjects of a rule. A fail that became unknown is still a fail.

    If two are alike, the one with the lower cap, less fading and more confidence comes first.
    """
    verdict = state.known if state.verdict is Verdict.UNKNOWN and state.known is Verdict.FAIL else state.verdict
    cap = 101 if state.cap is None else state.cap
    return (_WORST_FIRST.index(verdict), cap, -_left_percent(state), -state.confidence_percent)


def _left_percent(state: VendorState) -> int:
    """Return how much of a deficit time has left."""
    faded = state.believed.get("faded_percent")
    return faded if isinstance(faded, int) else 100
