"""Compare a scan with the known states: each evaluation becomes a state, and sometimes a change. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.evaluation import change_detection, evaluate
from vendorrisk.evaluation.evaluate import Before, Datasets, Observation
from vendorrisk.evaluation.model import Change, ChangeKind, Evaluation, RuleSeverity, RuleState, Verdict
from vendorrisk.evaluation.results import inapplicable, passed
from vendorrisk.evaluation.rules import RULES
from vendorrisk.ids import new_id
from vendorrisk.probes.observation import value_hash
from vendorrisk.probes.web.page_parser import PageText
from vendorrisk.signals.queries import DueScan, NewObservation, Pause, StoredState

_PRECEDENCE = (
    ChangeKind.CONFIRMED,
    ChangeKind.CHANGED,
    ChangeKind.CLOSED,
    ChangeKind.IMPROVED,
    ChangeKind.FLAPPING,
    ChangeKind.UNOBSERVABLE,
    ChangeKind.GAP,
    ChangeKind.SEEN_AGAIN,
)
"""The change that the history shows if a scan means several at once, most important first. Events are read there."""
_TURNS = frozenset({ChangeKind.SCAN_AGAIN, ChangeKind.CONFIRMED, ChangeKind.IMPROVED})
_WELL = {Verdict.PASS, Verdict.NA}
_WAITING = "not_yet_confirmed"
_WAITING_WORDS = "Seen once. A second scan must confirm it."


class Seen(msgspec.Struct):
    """The results of one scan, before they are written."""

    due: DueScan
    scan_id: UUID
    status: str
    milliseconds: int
    evaluations: tuple[Evaluation, ...] = ()
    result: Observation | None = None
    observation: NewObservation | None = None
    raw_hash: bytes | None = None
    is_keyframe: bool = False
    is_suspect: bool = False
    again: timedelta | None = None
    states: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    flips: list[str] = []


def compare(
    seen: Seen,
    states: Sequence[StoredState],
    pages: Mapping[UUID, PageText],
    now: datetime,
    datasets: Datasets,
    pauses: Mapping[str, Pause],
) -> None:
    """Evaluate a scan, and compare each evaluation with the known state of its rule."""
    if seen.result is not None:
        before = _before(states, pages.get(seen.due.asset_id))
        evaluated = partial(evaluate.evaluate, seen.result, now=now, datasets=datasets, kind=seen.due.kind)
        seen.evaluations = evaluated(before=before)
        if _is_unlocked_by(seen.evaluations, states):
            seen.evaluations = evaluated(before=msgspec.structs.replace(before, lock_removed_at=now))
    known = {(s.rule, s.subject): s for s in states}
    for evaluation in (*_of_each_subject(seen, states), *_gone(seen, states)):
        pause = pauses.get(evaluation.rule)
        if pause is not None and pause.paused_until > now:
            seen.is_suspect = True
            seen.again = min(filter(None, (seen.again, _after(pause, seen.due, now))))
            continue
        _observe(seen, evaluation, known.get((evaluation.rule, evaluation.subject)), now, pause)


def _after(pause: Pause, due: DueScan, now: datetime) -> timedelta:
    """Return how long until the pause is over, spread over some minutes."""
    return pause.paused_until - now + timedelta(seconds=due.asset_id.int % 600)


def _of_each_subject(seen: Seen, states: Sequence[StoredState]) -> Iterable[Evaluation]:
    """Yield an unknown rule's evaluation for each subject that it is known to have."""
    for evaluation in seen.evaluations:
        own = [s.subject for s in states if s.rule == evaluation.rule]
        if evaluation.verdict is Verdict.UNKNOWN and not evaluation.subject and any(own):
            yield from (msgspec.structs.replace(evaluation, subject=subject) for subject in own)
        else:
            yield evaluation


def _before(states: Sequence[StoredState], page: PageText | None) -> Before:
    values = {s.subject: tuple(s.believed["now"]) for s in states if s.rule == "dom.change" and "now" in s.believed}
    lock = next((s.remembered() for s in states if s.rule == "dom.lock"), None)
    gone_at = lock.changed_at if lock is not None and lock.verdict is Verdict.WARN and lock.flips else None
    return Before(values=values, page=page, lock_removed_at=gone_at)


def _is_unlocked_by(evaluations: Iterable[Evaluation], states: Iterable[StoredState]) -> bool:
    """Return True if the transfer lock disappeared in this scan.

    Other changes in the same scan count as made after it.
    """
    was_locked = any(s.rule == "dom.lock" and s.known is Verdict.PASS for s in states)
    return was_locked and any(j.rule == "dom.lock" and j.verdict is Verdict.WARN for j in evaluations)


def _gone(seen: Seen, states: Sequence[StoredState]) -> Iterable[Evaluation]:
    """Yield a pass for each subject that the rule reported before and does not report now.

    This applies only if the rule was evaluated: an unknown subject is not gone. An evaluation of the rule as a whole is
    replaced by the evaluations of its subjects.
    """
    named = {(j.rule, j.subject) for j in seen.evaluations}
    evaluated = {j.rule for j in seen.evaluations if j.verdict is not Verdict.UNKNOWN}
    for state in states:
        key = (state.rule, state.subject)
        if state.scan_kind is not seen.due.scan_kind or state.rule not in evaluated or key in named:
            continue
        if not state.subject and state.known is not Verdict.NA:
            yield inapplicable(state.rule, "per_subject", "Each subject has a verdict of its own.")
        elif state.subject and (state.known in {Verdict.WARN, Verdict.FAIL} or state.remembered().unknown_n):
            yield passed(state.rule, "gone", "No longer seen.", subject=state.subject)


def _observe(
    seen: Seen, evaluation: Evaluation, stored: StoredState | None, now: datetime, pause: Pause | None = None
) -> None:
    rule, due = RULES[evaluation.rule], seen.due
    was = stored.remembered() if stored is not None else RuleState()
    if evaluation.verdict is Verdict.UNKNOWN and was.unknown_n == 0 and was.known_at is not None:
        # Scans that saw the same left no trace here, so the last observation is the last scan.
        was = msgspec.structs.replace(was, known_at=due.last_scan_at or was.known_at)
    if pause is not None and was.pending_at is not None and was.pending_at <= pause.paused_until:
        was = msgspec.structs.replace(was, **change_detection.NOTHING_PENDING)  # seen in a storm: it confirms nothing
    hashed = _hashed(evaluation)
    state, changes = change_detection.observe(was, evaluation, hashed, rule=rule, now=now)
    state = msgspec.structs.replace(state, passes=min(state.passes, change_detection.PASSES_TO_CLOSE))
    for one in changes:
        if one.again_after is not None:
            seen.again = min(filter(None, (seen.again, one.again_after)))
    if _is_flip(was, evaluation, changes):
        seen.flips.append(evaluation.rule)
    if seen.again is None and state.is_open and evaluation.verdict in {Verdict.PASS, Verdict.NA}:
        seen.again = change_detection.CONFIRM_AFTER  # seen good once: scan again soon, so that the finding can close
    if stored is not None and _is_same(was, state) and not seen.is_keyframe:
        return
    seen.states.append(_state_row(seen, evaluation, state, stored, hashed, now))
    meant = {one.kind for one in changes}
    kind = next((one for one in _PRECEDENCE if one in meant), None)
    if stored is None or kind is not None or (was.unknown_n > 0) != (state.unknown_n > 0):
        seen.history.append(_history_row(seen, evaluation, was, kind, hashed, changes))


def _hashed(evaluation: Evaluation) -> bytes:
    """Hash the parts on which two observations must agree.

    `details` is left out, because it differs on every scan and would prevent confirmation.
    """
    agreed = {key: value for key, value in evaluation.evidence.items() if key != "details"}
    return value_hash([evaluation.verdict, evaluation.reason, evaluation.severity, evaluation.cap, agreed])


def _is_flip(was: RuleState, evaluation: Evaluation, changes: Sequence[Change]) -> bool:
    """Return True if a known verdict changes. If many change at once, the cause is not the vendors."""
    turned = was.verdict not in {Verdict.UNKNOWN, evaluation.verdict} and {was.verdict, evaluation.verdict} != _WELL
    return turned and any(one.kind in _TURNS for one in changes)


def _is_same(was: RuleState, state: RuleState) -> bool:
    """True if only the time of the last observation changed. Such scans are not written."""
    return msgspec.structs.replace(state, known_at=was.known_at) == was


class _Face(msgspec.Struct):
    """The part of a state that is returned, and counted in the score."""

    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: RuleSeverity
    confidence_percent: int
    cap: int | None


def _face(evaluation: Evaluation, stored: StoredState | None, *, is_believed: bool) -> _Face:
    """Return the evaluation's face once it is confirmed. Until then, return the last confirmed one.

    An unknown evaluation keeps the weight of the known one, and names the reason.
    """
    rule = RULES[evaluation.rule]
    fresh = _Face(
        evaluation.reason,
        evaluation.detail,
        dict(evaluation.evidence),
        evaluation.severity or rule.severity,
        evaluation.confidence_percent or rule.confidence_percent,
        evaluation.cap,
    )
    if is_believed:
        return fresh
    is_unknown = evaluation.verdict is Verdict.UNKNOWN
    if stored is None:
        if is_unknown:
            return fresh
        return msgspec.structs.replace(fresh, reason=_WAITING, detail=_WAITING_WORDS, evidence={}, cap=None)
    kept = _Face(stored.reason, stored.detail, stored.evidence, stored.severity, stored.confidence_percent, stored.cap)
    return msgspec.structs.replace(kept, reason=fresh.reason, detail=fresh.detail) if is_unknown else kept


def _state_row(
    seen: Seen, evaluation: Evaluation, state: RuleState, stored: StoredState | None, hashed: bytes, now: datetime
) -> dict[str, Any]:
    is_unknown = evaluation.verdict is Verdict.UNKNOWN
    observation = _observation_of(seen)
    believed = stored.believed if stored is not None else {}
    is_believed = not is_unknown and (state.verdict, state.value_hash) == (evaluation.verdict, hashed)
    if is_believed:
        believed = _believed(evaluation, observation)
    face = _face(evaluation, stored, is_believed=is_believed)
    return {
        "id": new_id(),
        "asset_id": seen.due.asset_id,
        "rule": evaluation.rule,
        "subject": evaluation.subject,
        "scan_kind": seen.due.scan_kind,
        "verdict": Verdict.UNKNOWN if is_unknown else state.verdict,
        "known": None if state.verdict is Verdict.UNKNOWN else state.verdict,
        "known_at": state.known_at,
        **msgspec.structs.asdict(face),
        "believed": believed,
        "is_open": state.is_open,
        "is_flapping": change_detection.is_flapping(state, now),
        "value_hash": hashed.hex(),
        "changed_at": state.changed_at or now,
        "unknown_since": state.unknown_since,
        "unknown_scans": state.unknown_n,
        "observation_id": observation,
        "memory": msgspec.to_builtins(state),
    }


def _observation_of(seen: Seen) -> UUID | None:
    """Return the observation to evaluate: the new one, or the stored one if both are the same."""
    if seen.observation is not None:
        return seen.observation.id
    return None if seen.result is None else seen.due.observation_id


def _believed(evaluation: Evaluation, observation: UUID | None) -> dict[str, Any]:
    """Return the memory that the next evaluation is compared with."""
    if evaluation.rule != "tr.subprocessors" or observation is None:
        return dict(evaluation.evidence)
    return {**evaluation.evidence, "observation": str(observation)}


def _history_row(
    seen: Seen,
    evaluation: Evaluation,
    was: RuleState,
    kind: ChangeKind | None,
    hashed: bytes,
    changes: Sequence[Change],
) -> dict[str, Any]:
    rule = RULES[evaluation.rule]
    return {
        "id": new_id(),
        "asset_id": seen.due.asset_id,
        "rule": rule.id,
        "subject": evaluation.subject,
        "verdict": evaluation.verdict,
        "reason": evaluation.reason,
        "detail": evaluation.detail,
        "evidence": evaluation.evidence,
        "severity": evaluation.severity or rule.severity,
        "change": kind,
        "before": changes[0].before if changes else was.verdict,
        "value_hash": hashed.hex(),
        "observation_id": _observation_of(seen),
    }
