"""Change detection: whether a new evaluation is a confirmed change, noise, or our own fault.

worse      believed when seen twice alike, 15 minutes or more apart (5 for the critical class)
better     believed at once; a finding closes after two good scans
unknown    changes nothing; three in a row are a gap, seven days of it are a finding of their own
flapping   three believed changes in seven days: notified once, then in the digest only
storm      one rule changing on more than 5 % of assets within an hour is our resolver or our data
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from vendorrisk.evaluation.model import Change, ChangeKind, Evaluation, Rule, RuleState, Verdict

CONFIRM_AFTER = timedelta(minutes=15)
CONFIRM_SWIFTLY_AFTER = timedelta(minutes=5)
SCANS_TO_CONFIRM = 2
PASSES_TO_CLOSE = 2
UNKNOWNS_FOR_A_GAP = 3
UNOBSERVABLE_AFTER = timedelta(days=7)
FLIPS_TO_FLAP = 3
FLAP_WINDOW = timedelta(days=7)
REOPEN_WITHIN = timedelta(days=30)
STORM_PERCENT = 5
STORM_LEAST = 5
STORM_WINDOW = timedelta(hours=1)
SCORE_DROP = 5
COOL_DOWN = timedelta(hours=24)
DOMAIN_EXPIRY_THRESHOLD_DAYS = (30, 7, 0)
CERTIFICATE_EXPIRY_THRESHOLD_DAYS = (21, 7, 1, 0)

_RANK = {Verdict.NA: 0, Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2}


def observe(
    state: RuleState, seen: Evaluation, value_hash: bytes, *, rule: Rule, now: datetime
) -> tuple[RuleState, tuple[Change, ...]]:
    """Return the state after one more evaluation, and the kind of change. Scans must be given in order of time."""
    if seen.verdict is Verdict.UNKNOWN:
        return _unknown(state, seen.reason, now)
    back = _known_again(state, seen)
    state = msgspec.structs.replace(state, unknown_n=0, unknown_since=None, unknown_reason="", known_at=now)
    if state.verdict is Verdict.UNKNOWN and _RANK[seen.verdict] == 0:
        return _accepted(state, seen.verdict, value_hash, now, flipped=False), back
    if (seen.verdict, value_hash) == (state.verdict, state.value_hash):
        return _steady(state, seen.verdict, back)
    if _RANK[seen.verdict] < _RANK.get(state.verdict, 0):
        return _improved(state, seen, value_hash, now, back)
    return _pending(state, seen, value_hash, now, rule, back)


def _known_again(state: RuleState, seen: Evaluation) -> tuple[Change, ...]:
    if state.unknown_n < UNKNOWNS_FOR_A_GAP:
        return ()
    return (_change(ChangeKind.SEEN_AGAIN, state, seen.verdict, seen.reason),)


def _unknown(state: RuleState, reason: str, now: datetime) -> tuple[RuleState, tuple[Change, ...]]:
    since = min(state.unknown_since or now, now)  # a clock that ran ahead was put right
    after = msgspec.structs.replace(state, unknown_n=state.unknown_n + 1, unknown_since=since, unknown_reason=reason)
    changes = []
    if after.unknown_n == UNKNOWNS_FOR_A_GAP:
        changes.append(_change(ChangeKind.GAP, state, Verdict.UNKNOWN, reason))
    if after.unknown_n >= UNKNOWNS_FOR_A_GAP and now - since >= UNOBSERVABLE_AFTER:
        changes.append(_change(ChangeKind.UNOBSERVABLE, state, Verdict.UNKNOWN, reason))
    return after, tuple(changes)


def _steady(state: RuleState, verdict: Verdict, back: tuple[Change, ...]) -> tuple[RuleState, tuple[Change, ...]]:
    """The same again: the pending change was a passing fault."""
    passes = state.passes + 1 if _RANK[verdict] == 0 else 0
    closed = state.is_open and passes >= PASSES_TO_CLOSE
    after = msgspec.structs.replace(state, **NOTHING_PENDING, passes=passes, is_open=state.is_open and not closed)
    return after, (*back, _change(ChangeKind.CLOSED, state, verdict, "")) if closed else back


def _improved(
    state: RuleState, seen: Evaluation, value_hash: bytes, now: datetime, back: tuple[Change, ...]
) -> tuple[RuleState, tuple[Change, ...]]:
    after = _accepted(state, seen.verdict, value_hash, now, flipped=True)
    return after, (*back, _change(ChangeKind.IMPROVED, state, seen.verdict, seen.reason), *_flapping(after, now))


def _pending(
    state: RuleState, seen: Evaluation, value_hash: bytes, now: datetime, rule: Rule, back: tuple[Change, ...]
) -> tuple[RuleState, tuple[Change, ...]]:
    wait = CONFIRM_SWIFTLY_AFTER if rule.swift else CONFIRM_AFTER
    is_same = (seen.verdict, value_hash) == (state.pending_verdict, state.pending_hash)
    if not is_same or state.pending_at is None or now < state.pending_at:  # if the clock went back, counting restarts
        after = msgspec.structs.replace(
            state, pending_verdict=seen.verdict, pending_hash=value_hash, pending_n=1, pending_at=now, passes=0
        )
        return after, (*back, _change(ChangeKind.SCAN_AGAIN, state, seen.verdict, seen.reason, wait))
    waited = now - state.pending_at
    if waited < wait:
        return state, (*back, _change(ChangeKind.SCAN_AGAIN, state, seen.verdict, seen.reason, wait - waited))
    same = seen.verdict is state.verdict
    after = _accepted(state, seen.verdict, value_hash, now, flipped=not same and state.verdict is not Verdict.UNKNOWN)
    kind = ChangeKind.CHANGED if same or _RANK[seen.verdict] == 0 else ChangeKind.CONFIRMED
    return after, (*back, _change(kind, state, seen.verdict, seen.reason), *_flapping(after, now))


NOTHING_PENDING = {"pending_verdict": None, "pending_hash": b"", "pending_n": 0, "pending_at": None}


def _accepted(state: RuleState, verdict: Verdict, value_hash: bytes, now: datetime, *, flipped: bool) -> RuleState:
    recent = _recent(state, now)
    return msgspec.structs.replace(
        state,
        **NOTHING_PENDING,
        verdict=verdict,
        value_hash=value_hash,
        first_seen_at=state.first_seen_at or now,
        changed_at=now,
        passes=1 if _RANK[verdict] == 0 else 0,
        is_open=state.is_open or _RANK[verdict] > 0,
        flips=(*recent, now) if flipped else recent,
    )


def _flapping(after: RuleState, now: datetime) -> tuple[Change, ...]:
    flapping = len(_recent(after, now)) == FLIPS_TO_FLAP
    return (_change(ChangeKind.FLAPPING, after, after.verdict, ""),) if flapping else ()


def _recent(state: RuleState, now: datetime) -> tuple[datetime, ...]:
    """Return the flips of the last week. A flip in the future was written by a wrong clock, and is dropped."""
    return tuple(at for at in state.flips if timedelta(0) <= now - at < FLAP_WINDOW)


def _change(kind: ChangeKind, before: RuleState, after: Verdict, reason: str, again: timedelta | None = None) -> Change:
    return Change(kind=kind, before=before.verdict, after=after, reason=reason, again_after=again)


def is_flapping(state: RuleState, now: datetime) -> bool:
    """Whether changes of this rule go to the digest only."""
    return len(_recent(state, now)) >= FLIPS_TO_FLAP


def is_same_finding(closed_at: datetime, now: datetime) -> bool:
    """Whether a finding that comes back is the old one, reopened."""
    return now - closed_at <= REOPEN_WITHIN


def is_storm(changed_assets: int, watched_assets: int) -> bool:
    """Return True if one rule changed, within `STORM_WINDOW`, on more assets than vendors could explain.

    Fewer than `STORM_LEAST` changes are no storm. Otherwise an installation of ten vendors could never report a change.
    """
    return changed_assets >= STORM_LEAST and changed_assets * 100 > watched_assets * STORM_PERCENT


class Graded(Protocol):
    """A score, in as much as falls are measured by it."""

    @property
    def score(self) -> int | None: ...

    @property
    def grade(self) -> str: ...

    @property
    def model_version(self) -> str: ...


def score_fell(baseline: Graded, last_two: Sequence[Graded]) -> bool:
    """Whether both last scores lie 5 or more under the one last notified, or a grade under it.

    Scores of two methodologies are never compared.
    """
    if len(last_two) < SCANS_TO_CONFIRM or any(s.model_version != baseline.model_version for s in last_two):
        return False
    return all(_fell(baseline, s) for s in last_two)


def _fell(baseline: Graded, later: Graded) -> bool:
    if baseline.score is None or later.score is None:
        return False
    return baseline.score - later.score >= SCORE_DROP or later.grade > baseline.grade


def expiry_threshold(
    ends_on: date, today: date, thresholds: Sequence[int], notified: frozenset[int] = frozenset()
) -> int | None:
    """Return the threshold (days before the end) to notify now, or None.

    Each threshold is notified once per certificate serial or expiry date. If scans were missed, only the latest
    threshold is notified.
    """
    due = [days for days in thresholds if (ends_on - today).days <= days]
    latest = min(due, default=None)
    return None if latest is None or latest in notified else latest


def dedupe_key(rule: str, asset: str, subject: str, value_hash: bytes) -> str:
    """Return the key under which one alert is raised once within `COOL_DOWN`."""
    return f"{rule}:{asset}:{subject}:{value_hash.hex()}"


def is_cooling_down(last_notified_at: datetime | None, now: datetime) -> bool:
    return last_notified_at is not None and timedelta(0) <= now - last_notified_at < COOL_DOWN
