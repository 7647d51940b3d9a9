"""Change: when a new judgement is believed, when it is noise, and when it is our own fault.

worse      believed when seen twice alike, 15 minutes or more apart (5 for the critical class)
better     believed at once; a finding closes when it was seen good twice
unknown    changes nothing; three in a row are a gap, seven days of it are a finding of their own
flapping   three believed changes in seven days: told once, then in the digest only
storm      one rule changing on more than 5 % of assets within an hour is our resolver or our data
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from vendorrisk.evaluation.model import Change, Happening, Judgement, Rule, RuleState, Verdict

CONFIRM_AFTER = timedelta(minutes=15)
CONFIRM_SWIFTLY_AFTER = timedelta(minutes=5)
LOOKS_TO_CONFIRM = 2
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
DOMAIN_EXPIRY_STEPS_DAYS = (30, 7, 0)
CERTIFICATE_EXPIRY_STEPS_DAYS = (21, 7, 1, 0)

_RANK = {Verdict.NA: 0, Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2}


def observe(
    state: RuleState, seen: Judgement, value_hash: bytes, *, rule: Rule, now: datetime
) -> tuple[RuleState, tuple[Change, ...]]:
    """Return the state after one more judgement, and what it means. Looks must be given in order of time."""
    if seen.verdict is Verdict.UNKNOWN:
        return _unseen(state, seen.reason, now)
    back = _back_in_sight(state, seen)
    state = msgspec.structs.replace(state, unknown_n=0, unknown_since=None, unknown_reason="", known_at=now)
    if state.verdict is Verdict.UNKNOWN and _RANK[seen.verdict] == 0:
        return _accepted(state, seen.verdict, value_hash, now, flipped=False), back
    if (seen.verdict, value_hash) == (state.verdict, state.value_hash):
        return _steady(state, seen.verdict, back)
    if _RANK[seen.verdict] < _RANK.get(state.verdict, 0):
        return _improved(state, seen, value_hash, now, back)
    return _pending(state, seen, value_hash, now, rule, back)


def _back_in_sight(state: RuleState, seen: Judgement) -> tuple[Change, ...]:
    if state.unknown_n < UNKNOWNS_FOR_A_GAP:
        return ()
    return (_change(Happening.SEEN_AGAIN, state, seen.verdict, seen.reason),)


def _unseen(state: RuleState, reason: str, now: datetime) -> tuple[RuleState, tuple[Change, ...]]:
    since = min(state.unknown_since or now, now)  # a clock that ran ahead was put right
    after = msgspec.structs.replace(state, unknown_n=state.unknown_n + 1, unknown_since=since, unknown_reason=reason)
    changes = []
    if after.unknown_n == UNKNOWNS_FOR_A_GAP:
        changes.append(_change(Happening.GAP, state, Verdict.UNKNOWN, reason))
    if after.unknown_n >= UNKNOWNS_FOR_A_GAP and now - since >= UNOBSERVABLE_AFTER:
        changes.append(_change(Happening.UNOBSERVABLE, state, Verdict.UNKNOWN, reason))
    return after, tuple(changes)


def _steady(state: RuleState, verdict: Verdict, back: tuple[Change, ...]) -> tuple[RuleState, tuple[Change, ...]]:
    """The same again: what was pending was a passing fault."""
    passes = state.passes + 1 if _RANK[verdict] == 0 else 0
    closed = state.is_open and passes >= PASSES_TO_CLOSE
    after = msgspec.structs.replace(state, **NOTHING_PENDING, passes=passes, is_open=state.is_open and not closed)
    return after, (*back, _change(Happening.CLOSED, state, verdict, "")) if closed else back


def _improved(
    state: RuleState, seen: Judgement, value_hash: bytes, now: datetime, back: tuple[Change, ...]
) -> tuple[RuleState, tuple[Change, ...]]:
    after = _accepted(state, seen.verdict, value_hash, now, flipped=True)
    return after, (*back, _change(Happening.IMPROVED, state, seen.verdict, seen.reason), *_flapping(after, now))


def _pending(
    state: RuleState, seen: Judgement, value_hash: bytes, now: datetime, rule: Rule, back: tuple[Change, ...]
) -> tuple[RuleState, tuple[Change, ...]]:
    wait = CONFIRM_SWIFTLY_AFTER if rule.swift else CONFIRM_AFTER
    is_same = (seen.verdict, value_hash) == (state.pending_verdict, state.pending_hash)
    if not is_same or state.pending_at is None or now < state.pending_at:  # a clock that went back begins anew
        after = msgspec.structs.replace(
            state, pending_verdict=seen.verdict, pending_hash=value_hash, pending_n=1, pending_at=now, passes=0
        )
        return after, (*back, _change(Happening.LOOK_AGAIN, state, seen.verdict, seen.reason, wait))
    waited = now - state.pending_at
    if waited < wait:
        return state, (*back, _change(Happening.LOOK_AGAIN, state, seen.verdict, seen.reason, wait - waited))
    same = seen.verdict is state.verdict
    after = _accepted(state, seen.verdict, value_hash, now, flipped=not same and state.verdict is not Verdict.UNKNOWN)
    happening = Happening.CHANGED if same or _RANK[seen.verdict] == 0 else Happening.CONFIRMED
    return after, (*back, _change(happening, state, seen.verdict, seen.reason), *_flapping(after, now))


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
    return (_change(Happening.FLAPPING, after, after.verdict, ""),) if flapping else ()


def _recent(state: RuleState, now: datetime) -> tuple[datetime, ...]:
    """Return the flips of the last week; one of a day that has not come was written by a wrong clock."""
    return tuple(at for at in state.flips if timedelta(0) <= now - at < FLAP_WINDOW)


def _change(
    happening: Happening, before: RuleState, after: Verdict, reason: str, again: timedelta | None = None
) -> Change:
    return Change(happening=happening, before=before.verdict, after=after, reason=reason, again_after=again)


def is_flapping(state: RuleState, now: datetime) -> bool:
    """Whether changes of this rule go to the digest only."""
    return len(_recent(state, now)) >= FLIPS_TO_FLAP


def is_same_finding(closed_at: datetime, now: datetime) -> bool:
    """Whether a finding that comes back is the old one, reopened."""
    return now - closed_at <= REOPEN_WITHIN


def is_storm(changed_assets: int, watched_assets: int) -> bool:
    """Whether one rule changed, within `STORM_WINDOW`, on more assets than vendors could explain.

    Under `STORM_LEAST` changes nothing is a storm, or an installation of ten vendors could report nothing.
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


def score_fell(told: Graded, last_two: Sequence[Graded]) -> bool:
    """Whether both last scores lie 5 or more under the one last told, or a grade under it.

    Scores of two methodologies are never compared.
    """
    if len(last_two) < LOOKS_TO_CONFIRM or any(s.model_version != told.model_version for s in last_two):
        return False
    return all(_fell(told, s) for s in last_two)


def _fell(told: Graded, later: Graded) -> bool:
    if told.score is None or later.score is None:
        return False
    return told.score - later.score >= SCORE_DROP or later.grade > told.grade


def expiry_step(ends_on: date, today: date, steps: Sequence[int], told: frozenset[int] = frozenset()) -> int | None:
    """Return the step (days before the end) to tell now, or None.

    Each step is told once per thing that ends (certificate serial, expiry date); when looks were missed only
    the latest step is told.
    """
    due = [step for step in steps if (ends_on - today).days <= step]
    latest = min(due, default=None)
    return None if latest is None or latest in told else latest


def dedupe_key(rule: str, asset: str, discriminator: str, value_hash: bytes) -> str:
    """Return the key under which one alert is told once within `COOL_DOWN`."""
    return f"{rule}:{asset}:{discriminator}:{value_hash.hex()}"


def is_cooling_down(last_told_at: datetime | None, now: datetime) -> bool:
    return last_told_at is not None and timedelta(0) <= now - last_told_at < COOL_DOWN
