"""A look held against what was known: each judgement becomes a state, and now and then a happening. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.evaluation import change_detection, evaluate
from vendorrisk.evaluation.evaluate import Before, Datasets, Observation
from vendorrisk.evaluation.model import Change, Happening, Judgement, RuleState, Severity, Verdict
from vendorrisk.evaluation.results import inapplicable, passed
from vendorrisk.evaluation.rules import RULES
from vendorrisk.ids import new_id
from vendorrisk.probes.observation import value_hash
from vendorrisk.probes.web.page_parser import PageText
from vendorrisk.signals.queries import DueLook, NewObservation, Pause, StoredState

_TOLD = (
    Happening.CONFIRMED,
    Happening.CHANGED,
    Happening.CLOSED,
    Happening.IMPROVED,
    Happening.FLAPPING,
    Happening.UNOBSERVABLE,
    Happening.GAP,
    Happening.SEEN_AGAIN,
)
"""What the history tells of a look that means several things at once, what weighs most first: events are read there."""
_TURNS = frozenset({Happening.LOOK_AGAIN, Happening.CONFIRMED, Happening.IMPROVED})
_WELL = {Verdict.PASS, Verdict.NA}
_WAITING = "not_yet_confirmed"
_WAITING_WORDS = "Seen once; it is looked at again before it is believed."


class Seen(msgspec.Struct):
    """What one look brought, before it is written."""

    due: DueLook
    run_id: UUID
    status: str
    milliseconds: int
    judgements: tuple[Judgement, ...] = ()
    look: Observation | None = None
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
    """Judge a look, and hold each judgement against what was known of its rule."""
    if seen.look is not None:
        before = _before(states, pages.get(seen.due.asset_id))
        judge = partial(evaluate.judge, seen.look, now=now, datasets=datasets, kind=seen.due.kind)
        seen.judgements = judge(before=before)
        if _is_unlocked_by(seen.judgements, states):
            seen.judgements = judge(before=msgspec.structs.replace(before, lock_removed_at=now))
    known = {(s.rule, s.discriminator): s for s in states}
    for judgement in (*_of_each_subject(seen, states), *_gone(seen, states)):
        pause = pauses.get(judgement.rule)
        if pause is not None and pause.paused_until > now:
            seen.is_suspect = True
            seen.again = min(filter(None, (seen.again, _after(pause, seen.due, now))))
            continue
        _observe(seen, judgement, known.get((judgement.rule, judgement.discriminator)), now, pause)


def _after(pause: Pause, due: DueLook, now: datetime) -> timedelta:
    """Return how long until the pause is over, spread over some minutes."""
    return pause.paused_until - now + timedelta(seconds=due.asset_id.int % 600)


def _of_each_subject(seen: Seen, states: Sequence[StoredState]) -> Iterable[Judgement]:
    """Say what could not be seen of a rule at all of each subject that it is known to have."""
    for judgement in seen.judgements:
        own = [s.discriminator for s in states if s.rule == judgement.rule]
        if judgement.verdict is Verdict.UNKNOWN and not judgement.discriminator and any(own):
            yield from (msgspec.structs.replace(judgement, discriminator=subject) for subject in own)
        else:
            yield judgement


def _before(states: Sequence[StoredState], page: PageText | None) -> Before:
    values = {
        s.discriminator: tuple(s.believed["now"]) for s in states if s.rule == "dom.change" and "now" in s.believed
    }
    lock = next((s.remembered() for s in states if s.rule == "dom.lock"), None)
    gone_at = lock.changed_at if lock is not None and lock.verdict is Verdict.WARN and lock.flips else None
    return Before(values=values, page=page, lock_removed_at=gone_at)


def _is_unlocked_by(judgements: Iterable[Judgement], states: Iterable[StoredState]) -> bool:
    """Say whether this look is the first without the lock: what else changed in it, changed after that went."""
    was_locked = any(s.rule == "dom.lock" and s.known is Verdict.PASS for s in states)
    return was_locked and any(j.rule == "dom.lock" and j.verdict is Verdict.WARN for j in judgements)


def _gone(seen: Seen, states: Sequence[StoredState]) -> Iterable[Judgement]:
    """Say of every subject of a rule that was there and is no longer named that it is well.

    Only where the rule was judged at all: what could not be seen is not gone. What was said of the rule as a whole
    gives way to what is said of its subjects.
    """
    named = {(j.rule, j.discriminator) for j in seen.judgements}
    judged = {j.rule for j in seen.judgements if j.verdict is not Verdict.UNKNOWN}
    for state in states:
        key = (state.rule, state.discriminator)
        if state.look_group is not seen.due.look_group or state.rule not in judged or key in named:
            continue
        if not state.discriminator and state.known is not Verdict.NA:
            yield inapplicable(state.rule, "told_apart", "Told of each subject by itself.")
        elif state.discriminator and (state.known in {Verdict.WARN, Verdict.FAIL} or state.remembered().unknown_n):
            yield passed(state.rule, "gone", "No longer seen.", discriminator=state.discriminator)


def _observe(
    seen: Seen, judgement: Judgement, stored: StoredState | None, now: datetime, pause: Pause | None = None
) -> None:
    rule, due = RULES[judgement.rule], seen.due
    was = stored.remembered() if stored is not None else RuleState()
    if judgement.verdict is Verdict.UNKNOWN and was.unknown_n == 0 and was.known_at is not None:
        # Looks that saw the same left no trace here, so the last sight is the last look.
        was = msgspec.structs.replace(was, known_at=due.last_look_at or was.known_at)
    if pause is not None and was.pending_at is not None and was.pending_at <= pause.paused_until:
        was = msgspec.structs.replace(was, **change_detection.NOTHING_PENDING)  # seen in a storm: it confirms nothing
    hashed = _hashed(judgement)
    state, changes = change_detection.observe(was, judgement, hashed, rule=rule, now=now)
    state = msgspec.structs.replace(state, passes=min(state.passes, change_detection.PASSES_TO_CLOSE))
    for one in changes:
        if one.again_after is not None:
            seen.again = min(filter(None, (seen.again, one.again_after)))
    if _is_flip(was, judgement, changes):
        seen.flips.append(judgement.rule)
    if seen.again is None and state.is_open and judgement.verdict in {Verdict.PASS, Verdict.NA}:
        seen.again = change_detection.CONFIRM_AFTER  # seen good once: look again soon, so that the finding can close
    if stored is not None and _is_same(was, state) and not seen.is_keyframe:
        return
    seen.states.append(_state_row(seen, judgement, state, stored, hashed, now))
    meant = {one.happening for one in changes}
    happening = next((one for one in _TOLD if one in meant), None)
    if stored is None or happening is not None or (was.unknown_n > 0) != (state.unknown_n > 0):
        seen.history.append(_history_row(seen, judgement, was, happening, hashed, changes))


def _hashed(judgement: Judgement) -> bytes:
    """Hash what two sights must agree on. Details that read otherwise each time keep no change from being believed."""
    agreed = {key: value for key, value in judgement.evidence.items() if key != "details"}
    return value_hash([judgement.verdict, judgement.reason, judgement.severity, judgement.cap, agreed])


def _is_flip(was: RuleState, judgement: Judgement, changes: Sequence[Change]) -> bool:
    """Say whether a verdict turns that was known: that many do so at once is not the vendors' doing."""
    turned = was.verdict not in {Verdict.UNKNOWN, judgement.verdict} and {was.verdict, judgement.verdict} != _WELL
    return turned and any(one.happening in _TURNS for one in changes)


def _is_same(was: RuleState, state: RuleState) -> bool:
    """Whether nothing but the time of the last sight changed: such looks are not written."""
    return msgspec.structs.replace(state, known_at=was.known_at) == was


class _Face(msgspec.Struct):
    """What is shown of a state, and counted in the score."""

    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    confidence_percent: int
    cap: int | None


def _face(judgement: Judgement, stored: StoredState | None, *, is_believed: bool) -> _Face:
    """Return the judgement's face once it is believed; until then that of what was believed before.

    What could not be seen keeps the weight of what was known, and says why it was not seen.
    """
    rule = RULES[judgement.rule]
    fresh = _Face(
        judgement.reason,
        judgement.detail,
        dict(judgement.evidence),
        judgement.severity or rule.severity,
        judgement.confidence_percent or rule.confidence_percent,
        judgement.cap,
    )
    if is_believed:
        return fresh
    is_unseen = judgement.verdict is Verdict.UNKNOWN
    if stored is None:
        if is_unseen:
            return fresh
        return msgspec.structs.replace(fresh, reason=_WAITING, detail=_WAITING_WORDS, evidence={}, cap=None)
    kept = _Face(stored.reason, stored.detail, stored.evidence, stored.severity, stored.confidence_percent, stored.cap)
    return msgspec.structs.replace(kept, reason=fresh.reason, detail=fresh.detail) if is_unseen else kept


def _state_row(
    seen: Seen, judgement: Judgement, state: RuleState, stored: StoredState | None, hashed: bytes, now: datetime
) -> dict[str, Any]:
    unseen = judgement.verdict is Verdict.UNKNOWN
    observation = _observation_of(seen)
    believed = stored.believed if stored is not None else {}
    is_believed = not unseen and (state.verdict, state.value_hash) == (judgement.verdict, hashed)
    if is_believed:
        believed = _believed(judgement, observation)
    face = _face(judgement, stored, is_believed=is_believed)
    return {
        "id": new_id(),
        "asset_id": seen.due.asset_id,
        "rule": judgement.rule,
        "discriminator": judgement.discriminator,
        "look_group": seen.due.look_group,
        "verdict": Verdict.UNKNOWN if unseen else state.verdict,
        "known": None if state.verdict is Verdict.UNKNOWN else state.verdict,
        "known_at": state.known_at,
        **msgspec.structs.asdict(face),
        "believed": believed,
        "is_open": state.is_open,
        "is_flapping": change_detection.is_flapping(state, now),
        "value_hash": hashed.hex(),
        "changed_at": state.changed_at or now,
        "unseen_since": state.unknown_since,
        "unseen_looks": state.unknown_n,
        "observation_id": observation,
        "memory": msgspec.to_builtins(state),
    }


def _observation_of(seen: Seen) -> UUID | None:
    """Return what a look is judged by: what it brought, or what was stored before where it brought the same again."""
    if seen.observation is not None:
        return seen.observation.id
    return None if seen.look is None else seen.due.observation_id


def _believed(judgement: Judgement, observation: UUID | None) -> dict[str, Any]:
    """Return what the next judgement is compared with."""
    if judgement.rule != "tr.subprocessors" or observation is None:
        return dict(judgement.evidence)
    return {**judgement.evidence, "observation": str(observation)}


def _history_row(
    seen: Seen,
    judgement: Judgement,
    was: RuleState,
    happening: Happening | None,
    hashed: bytes,
    changes: Sequence[Change],
) -> dict[str, Any]:
    rule = RULES[judgement.rule]
    return {
        "id": new_id(),
        "asset_id": seen.due.asset_id,
        "rule": rule.id,
        "discriminator": judgement.discriminator,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "detail": judgement.detail,
        "evidence": judgement.evidence,
        "severity": judgement.severity or rule.severity,
        "happening": happening,
        "before": changes[0].before if changes else was.verdict,
        "value_hash": hashed.hex(),
        "observation_id": _observation_of(seen),
    }
