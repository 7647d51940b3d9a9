"""From the states of a vendor's assets to what is scored and what opens a finding. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

import msgspec

from vendorrisk.findings.model import Severity as FindingSeverity
from vendorrisk.findings.model import State
from vendorrisk.signals import change, schedule
from vendorrisk.signals.model import Scope, Severity, Standing, Verdict
from vendorrisk.signals.rules import RULES
from vendorrisk.signals.settling_queries import SignalFinding, VendorState
from vendorrisk.signals.watch_model import AssetKind, VendorAsset

Key = tuple[UUID, str, str]
"""An asset of a vendor, a rule and its subject: what a finding is of."""

UNOBSERVABLE = "unobservable"
HAPPENED = frozenset({
    "dom.change", "tr.subprocessors", "tls.ct_issuer", "evt.breach", "evt.breach_unverified", "evt.status",
})  # fmt: skip
"""Rules of what happened: it stays so whatever is done about it, so that seeing it again disproves nobody."""
_FALSE_FOR = timedelta(days=365)
_RANKED = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_OF_CERTIFICATES = ("tls.cert_expired", "tls.cert_expiring")
_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS, Verdict.NA)


def set_aside_until(source: SignalFinding) -> datetime | None:
    if source.state in {State.ACCEPTED, State.DISPUTED} and source.until_on is not None:
        day = datetime.fromisoformat(str(source.until_on)).replace(tzinfo=source.opened_at.tzinfo)
        return day + timedelta(days=1)
    if source.state is State.FALSE_POSITIVE:
        return source.state_changed_at + _FALSE_FOR
    return None


def finding_severity(state: VendorState) -> FindingSeverity | None:
    """Return how grave the finding of a state is: a warn without a grade of its own is one step milder than a fail."""
    rank = _RANKED.index(state.severity)
    if state.known is Verdict.WARN and state.severity is RULES[state.rule].severity:
        rank -= 1
    return FindingSeverity(_RANKED[rank].value) if rank > 0 else None


def is_graver(severity: FindingSeverity, than: FindingSeverity) -> bool:
    order = tuple(FindingSeverity)  # from critical to low
    return order.index(severity) < order.index(than)


def is_finding(state: VendorState) -> bool:
    return state.is_open and state.known in {Verdict.WARN, Verdict.FAIL} and finding_severity(state) is not None


def is_disproved(source: SignalFinding, state: VendorState) -> bool:
    """Say whether a person called a finding remediated, and a look since then saw it as it was."""
    if source.closed_at is not None or source.state is not State.REMEDIATED or source.rule in HAPPENED:
        return False
    if state.verdict not in {Verdict.WARN, Verdict.FAIL} or state.last_look_at is None:
        return False
    return state.last_look_at > source.state_changed_at


def unobservable(states: Iterable[VendorState], now: datetime) -> dict[tuple[UUID, str, str], list[VendorState]]:
    """Return what has not been seen for seven days, by asset and group of signals."""
    found: dict[tuple[UUID, str, str], list[VendorState]] = {}
    for state in states:
        since = state.unseen_since
        if since is None or state.unseen_looks < change.UNKNOWNS_FOR_A_GAP:
            continue
        if now - since >= change.UNOBSERVABLE_AFTER:
            found.setdefault((state.vendor_asset_id, UNOBSERVABLE, state.look_group.value), []).append(state)
    return found


def serving_together(
    assets: Iterable[VendorAsset], states: Iterable[VendorState]
) -> dict[UUID, tuple[VendorAsset, ...]]:
    """Return of each asset with a certificate those that serve the same one, the main one first."""
    shown = _certificates(states)
    serving: dict[tuple[object, ...], list[VendorAsset]] = {}
    for asset in _main_one_first(assets):
        if asset.id in shown:
            serving.setdefault(shown[asset.id], []).append(asset)
    return {asset.id: tuple(together) for together in serving.values() for asset in together}


def _certificates(states: Iterable[VendorState]) -> dict[UUID, tuple[object, ...]]:
    shown = {s.vendor_asset_id: s.evidence for s in states if s.rule == "tls.cert_expired" and s.evidence.get("serial")}
    return {asset: (of["serial"], of.get("issuer"), of.get("not_after")) for asset, of in shown.items()}


def awaiting_a_look(assets: Iterable[VendorAsset], states: Iterable[VendorState]) -> frozenset[UUID]:
    """Return whose certificate was not looked at since that of an asset before it, of the same place, changed.

    What they served together is replaced together as a rule, and looked at hours apart: the old one is no news yet.
    """
    shown = {s.vendor_asset_id: s for s in states if s.rule == "tls.cert_expired"}
    changed_at: dict[str, datetime] = {}
    found = set()
    for asset in _main_one_first(assets):
        state = shown.get(asset.id)
        if state is None or state.last_look_at is None:
            continue
        if asset.place in changed_at and state.last_look_at < changed_at[asset.place]:
            found.add(asset.id)
        if state.unseen_since is None:
            changed_at[asset.place] = max(state.changed_at, changed_at.get(asset.place, state.changed_at))
    return frozenset(found)


def _of_one_thing(assets: Iterable[VendorAsset], states: Sequence[VendorState]) -> Iterable[list[VendorState]]:
    """Put together what several assets show of one thing, that of the asset it is told of first.

    A certificate that serves several hosts is told of the main one, an alias of the host itself where that is watched.
    """
    shown, order = _certificates(states), [asset.id for asset in _main_one_first(assets)]
    hosts = {asset.name: asset.id for asset in assets if asset.kind is AssetKind.HOST}
    things: dict[tuple[object, ...], list[VendorState]] = {}
    for state in states:
        if state.rule in _OF_CERTIFICATES and state.vendor_asset_id in shown:
            things.setdefault((state.rule, *shown[state.vendor_asset_id]), []).append(state)
        elif state.rule == "dns.dangling" and state.discriminator in hosts:
            things.setdefault((state.rule, state.discriminator), []).append(state)
    for together in things.values():
        yield sorted(
            together, key=lambda s: (hosts.get(s.discriminator) != s.vendor_asset_id, order.index(s.vendor_asset_id))
        )


def told_of_another(
    assets: Sequence[VendorAsset], states: Sequence[VendorState], sources: Iterable[SignalFinding]
) -> dict[Key, Key | None]:
    """Return which states open no finding because another asset's tells of it, or is about to, and which that is.

    One that stands tells of what is no graver; else the first that is seen does. What can no longer be seen says
    nothing of how things are now, so it speaks for nobody. None stands for what waits for a look of its own.
    """
    standing = {(f.vendor_asset_id, f.rule, f.discriminator): f for f in sources if f.closed_at is None}
    waiting = awaiting_a_look(assets, states)
    found: dict[Key, Key | None] = {}
    for together in _of_one_thing(assets, states):
        for place, state in enumerate(together):
            if not is_finding(state) or key_of(state) in standing:
                continue
            told = [s for s in together if s.is_open and _tells(standing.get(key_of(s)), state)]
            told += [s for s in together[:place] if s.unseen_since is None]
            if told or (state.rule in _OF_CERTIFICATES and state.vendor_asset_id in waiting):
                found[key_of(state)] = key_of(told[0]) if told else None
    return found


def _tells(source: SignalFinding | None, state: VendorState) -> bool:
    """Say whether a finding that stands tells of what another asset shows as well."""
    severity = finding_severity(state)
    if source is None or severity is None or source.state is State.REMEDIATED:
        return False
    return not is_graver(severity, source.severity)


def _counted_of_another(assets: Sequence[VendorAsset], states: Sequence[VendorState]) -> frozenset[Key]:
    """Return what counts on another asset, of rules that count once: unless unseen, and better when it was seen."""
    found = set()
    for first, *more in _of_one_thing(assets, states):
        if RULES[first.rule].scope is not Scope.HOST and first.known is not None:
            found |= {key_of(s) for s in more if first.unseen_since is None or _worst_first(first) <= _worst_first(s)}
    return frozenset(found)


def key_of(state: VendorState) -> Key:
    return state.vendor_asset_id, state.rule, state.discriminator


def standings_of(
    assets: Sequence[VendorAsset],
    states: Sequence[VendorState],
    waived: Mapping[tuple[UUID, str], datetime],
    off: frozenset[str],
    slower: int,
    of_another: Mapping[Key, Key | None] = MappingProxyType({}),
) -> Iterable[Standing]:
    """Return one standing for every rule that applies to every asset; what was never seen is unknown.

    Where a rule has several subjects on an asset, the worst stands for it. One of which every subject stands for itself
    has none. What is told of another asset (`of_another`) is left out of the number with that.
    """
    by_rule: dict[tuple[UUID, str], list[VendorState]] = {}
    counted_of_another = _counted_of_another(assets, states)
    for state in states:
        by_rule.setdefault((state.vendor_asset_id, state.rule), []).append(state)
    for asset in _with_a_main_one(assets):
        for rule in schedule.rules_of(asset.kind):
            if rule.id in off or not rule.weight:
                continue
            found = by_rule.get((asset.id, rule.id), [])
            left = [state for state in found if key_of(state) not in counted_of_another]
            if found and not left:
                continue
            until = waived.get((asset.id, rule.id)) or _waived_there(left, waived, of_another)
            yield _standing(asset, rule.id, min(left, key=_worst_first, default=None), until, slower)


def _waived_there(
    found: Iterable[VendorState], waived: Mapping[tuple[UUID, str], datetime], of_another: Mapping[Key, Key | None]
) -> datetime | None:
    """Return until when what opens no finding of its own is set aside: with the findings that tell of it."""
    told_of = [of_another.get(key_of(state)) for state in found if is_finding(state)]
    ends = [waived.get(key[:2]) if key is not None else None for key in told_of]
    return min((end for end in ends if end), default=None) if all(ends) else None


def waits_for_a_look(
    assets: Iterable[VendorAsset], states: Iterable[VendorState], off: frozenset[str], now: datetime
) -> bool:
    """Say whether something attached of late was not looked at yet in every way that counts.

    It counts in the score, for what is unknown is not good; but that it was attached is no fall of the vendor's.
    """
    looked_at = {(state.vendor_asset_id, state.look_group) for state in states}
    return any(
        rule.weight and rule.id not in off and (asset.id, rule.group) not in looked_at
        for asset in assets
        if now - asset.attached_at < change.UNOBSERVABLE_AFTER
        for rule in schedule.rules_of(asset.kind)
    )


def _main_one_first(assets: Iterable[VendorAsset]) -> list[VendorAsset]:
    return sorted(_with_a_main_one(assets), key=lambda asset: not asset.is_primary)


def _with_a_main_one(assets: Iterable[VendorAsset]) -> list[VendorAsset]:
    """Return the assets in order; where nobody named a main one, the domain or host attached first is it.

    Without one, good hosts attached later would soften the first by their mean.
    """
    ordered = sorted(assets, key=lambda a: (a.kind, a.name))
    hosts = [a for a in ordered if a.kind in {AssetKind.DOMAIN, AssetKind.HOST}]
    if not hosts or any(a.is_primary for a in hosts):
        return ordered
    first = min(hosts, key=lambda a: a.attached_at)
    return [msgspec.structs.replace(a, is_primary=True) if a is first else a for a in ordered]


def _standing(
    asset: VendorAsset, rule: str, state: VendorState | None, until: datetime | None, slower: int
) -> Standing:
    if state is None:
        return Standing(rule=rule, asset=asset.name, verdict=Verdict.UNKNOWN, primary=asset.is_primary)
    return Standing(
        rule=rule,
        asset=asset.name,
        verdict=state.verdict,
        primary=asset.is_primary,
        known=state.known,
        known_at=state.known_at,
        confidence_percent=state.confidence_percent,
        cap=state.cap,
        deficit_percent=_left_percent(state),
        waived_until=until,
        slower=slower,
        observation="" if state.observation_id is None else str(state.observation_id),
    )


def _worst_first(state: VendorState) -> tuple[int, int, int, int]:
    """Order the subjects of a rule: a fail that cannot be seen any more is still a fail.

    Of two alike, the one that caps lower, has faded less and is surer.
    """
    verdict = state.known if state.verdict is Verdict.UNKNOWN and state.known is Verdict.FAIL else state.verdict
    cap = 101 if state.cap is None else state.cap
    return (_WORST_FIRST.index(verdict), cap, -_left_percent(state), -state.confidence_percent)


def _left_percent(state: VendorState) -> int:
    """Return how much of a deficit time has left."""
    faded = state.believed.get("faded_percent")
    return faded if isinstance(faded, int) else 100


def waived_until(sources: Iterable[SignalFinding]) -> dict[tuple[UUID, str], datetime]:
    """Return until when a rule on an asset is left out of the number: accepted, disputed or called false.

    Only where every finding of the rule there is set aside; one that stands counts.
    """
    found: dict[tuple[UUID, str], list[datetime | None]] = {}
    for source in sources:
        if source.closed_at is None:
            found.setdefault((source.vendor_asset_id, source.rule), []).append(set_aside_until(source))
    return {key: min(e for e in ends if e) for key, ends in found.items() if all(ends)}
