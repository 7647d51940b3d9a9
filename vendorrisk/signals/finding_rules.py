"""Rules of findings: the states that open one, its severity, and its end. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from vendorrisk.evaluation import change_detection
from vendorrisk.evaluation.model import RuleSeverity, Verdict
from vendorrisk.evaluation.rules import RULES
from vendorrisk.findings.model import FindingSeverity, FindingState
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.reconcile_queries import SignalFinding, VendorState
from vendorrisk.signals.shared_assets import CERTIFICATE_RULES, Key, awaiting_a_scan, key_of, of_one_thing

UNOBSERVABLE = "unobservable"
EVENT_RULES = frozenset({
    "dom.change", "tr.subprocessors", "tls.ct_issuer", "evt.breach", "evt.breach_unverified", "evt.status",
})  # fmt: skip
"""Rules of events: an event stays so whatever is done about it, so that seeing it again disproves nobody."""
_FALSE_FOR = timedelta(days=365)
_RANKED = (RuleSeverity.INFO, RuleSeverity.LOW, RuleSeverity.MEDIUM, RuleSeverity.HIGH, RuleSeverity.CRITICAL)


def suppressed_until(source: SignalFinding) -> datetime | None:
    if source.state in {FindingState.ACCEPTED, FindingState.DISPUTED} and source.until_on is not None:
        day = datetime.fromisoformat(str(source.until_on)).replace(tzinfo=source.opened_at.tzinfo)
        return day + timedelta(days=1)
    if source.state is FindingState.FALSE_POSITIVE:
        return source.state_changed_at + _FALSE_FOR
    return None


def finding_severity(state: VendorState) -> FindingSeverity | None:
    """Return how severe the finding of a state is: a warn without its own severity is one level milder than a fail."""
    rank = _RANKED.index(state.severity)
    if state.known is Verdict.WARN and state.severity is RULES[state.rule].severity:
        rank -= 1
    return FindingSeverity(_RANKED[rank].value) if rank > 0 else None


def is_more_severe(severity: FindingSeverity, than: FindingSeverity) -> bool:
    order = tuple(FindingSeverity)  # from critical to low
    return order.index(severity) < order.index(than)


def is_finding(state: VendorState) -> bool:
    return state.is_open and state.known in {Verdict.WARN, Verdict.FAIL} and finding_severity(state) is not None


def is_disproved(source: SignalFinding, state: VendorState) -> bool:
    """Return True if a person called a finding remediated, and a later scan still saw the problem."""
    if source.closed_at is not None or source.state is not FindingState.REMEDIATED or source.rule in EVENT_RULES:
        return False
    if state.verdict not in {Verdict.WARN, Verdict.FAIL} or state.last_scan_at is None:
        return False
    return state.last_scan_at > source.state_changed_at


def unobservable(states: Iterable[VendorState], now: datetime) -> dict[tuple[UUID, str, str], list[VendorState]]:
    """Return the states that have been unknown for seven days, by asset and group of signals."""
    found: dict[tuple[UUID, str, str], list[VendorState]] = {}
    for state in states:
        since = state.unknown_since
        if since is None or state.unknown_scans < change_detection.UNKNOWNS_FOR_A_GAP:
            continue
        if now - since >= change_detection.UNOBSERVABLE_AFTER:
            found.setdefault((state.vendor_asset_id, UNOBSERVABLE, state.scan_kind.value), []).append(state)
    return found


def covered_by_another(
    assets: Sequence[VendorAsset], states: Sequence[VendorState], sources: Iterable[SignalFinding]
) -> dict[Key, Key | None]:
    """Map each state that must not open a finding to the state whose finding covers it.

    Hosts can share one problem, such as a certificate, and it gets one finding. An active finding covers states of the
    same or lower severity. If there is none, the first asset that could be observed gets it. An unknown state covers
    nothing. None means: scan this asset again before deciding.
    """
    active = {(f.vendor_asset_id, f.rule, f.subject): f for f in sources if f.closed_at is None}
    waiting = awaiting_a_scan(assets, states)
    found: dict[Key, Key | None] = {}
    for together in of_one_thing(assets, states):
        for place, state in enumerate(together):
            if not is_finding(state) or key_of(state) in active:
                continue
            covering = [s for s in together if s.is_open and _covers(active.get(key_of(s)), state)]
            covering += [s for s in together[:place] if s.unknown_since is None]
            if covering or (state.rule in CERTIFICATE_RULES and state.vendor_asset_id in waiting):
                found[key_of(state)] = key_of(covering[0]) if covering else None
    return found


def _covers(source: SignalFinding | None, state: VendorState) -> bool:
    """Return True if an active finding covers another asset's state too."""
    severity = finding_severity(state)
    if source is None or severity is None or source.state is FindingState.REMEDIATED:
        return False
    return not is_more_severe(severity, source.severity)


def suppressions(sources: Iterable[SignalFinding]) -> dict[tuple[UUID, str], datetime]:
    """Return until when a rule on an asset is left out of the score: accepted, disputed or called false.

    A rule is left out only if all its findings on the asset are suppressed. An active one counts.
    """
    found: dict[tuple[UUID, str], list[datetime | None]] = {}
    for source in sources:
        if source.closed_at is None:
            found.setdefault((source.vendor_asset_id, source.rule), []).append(suppressed_until(source))
    return {key: min(e for e in ends if e) for key, ends in found.items() if all(ends)}
