"""Which states of assets open a finding, how severe it is, and what ends it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from vendorrisk.evaluation import change_detection
from vendorrisk.evaluation.model import Severity, Verdict
from vendorrisk.evaluation.rules import RULES
from vendorrisk.findings.model import Severity as FindingSeverity
from vendorrisk.findings.model import State
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.reconcile_queries import SignalFinding, VendorState
from vendorrisk.signals.shared_assets import CERTIFICATE_RULES, Key, awaiting_a_look, key_of, of_one_thing

UNOBSERVABLE = "unobservable"
HAPPENED = frozenset({
    "dom.change", "tr.subprocessors", "tls.ct_issuer", "evt.breach", "evt.breach_unverified", "evt.status",
})  # fmt: skip
"""Rules of what happened: it stays so whatever is done about it, so that seeing it again disproves nobody."""
_FALSE_FOR = timedelta(days=365)
_RANKED = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


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
        if since is None or state.unseen_looks < change_detection.UNKNOWNS_FOR_A_GAP:
            continue
        if now - since >= change_detection.UNOBSERVABLE_AFTER:
            found.setdefault((state.vendor_asset_id, UNOBSERVABLE, state.look_group.value), []).append(state)
    return found


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
    for together in of_one_thing(assets, states):
        for place, state in enumerate(together):
            if not is_finding(state) or key_of(state) in standing:
                continue
            told = [s for s in together if s.is_open and _tells(standing.get(key_of(s)), state)]
            told += [s for s in together[:place] if s.unseen_since is None]
            if told or (state.rule in CERTIFICATE_RULES and state.vendor_asset_id in waiting):
                found[key_of(state)] = key_of(told[0]) if told else None
    return found


def _tells(source: SignalFinding | None, state: VendorState) -> bool:
    """Say whether a finding that stands tells of what another asset shows as well."""
    severity = finding_severity(state)
    if source is None or severity is None or source.state is State.REMEDIATED:
        return False
    return not is_graver(severity, source.severity)


def waived_until(sources: Iterable[SignalFinding]) -> dict[tuple[UUID, str], datetime]:
    """Return until when a rule on an asset is left out of the number: accepted, disputed or called false.

    Only where every finding of the rule there is set aside; one that stands counts.
    """
    found: dict[tuple[UUID, str], list[datetime | None]] = {}
    for source in sources:
        if source.closed_at is None:
            found.setdefault((source.vendor_asset_id, source.rule), []).append(set_aside_until(source))
    return {key: min(e for e in ends if e) for key, ends in found.items() if all(ends)}
