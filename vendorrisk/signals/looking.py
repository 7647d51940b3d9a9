"""One visit to a place: what is due there is looked at, judged and compared with the past, then written at once.

Everything a visit learnt is kept in one transaction, and only by whoever still holds the lease: a worker that dies
loses nothing but its own time, and one that comes back from the dead writes nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter, Gauge

from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import Database
from vendorrisk.ids import new_id
from vendorrisk.probes.observation import canonical, replay, value_hash
from vendorrisk.probes.page_text import PageText
from vendorrisk.probes.pages import Page, PageLook
from vendorrisk.signals import change, judging, queries, schedule
from vendorrisk.signals.collecting import Collector, OptedOutError
from vendorrisk.signals.judging import Before, Datasets, Observation
from vendorrisk.signals.model import Change, Group, Happening, Judgement, RuleState, Severity, Verdict
from vendorrisk.signals.queries import ClaimedPlace, DueLook, NewObservation, Pause, StoredState
from vendorrisk.signals.rules import CHECKER_VERSION, RULES
from vendorrisk.signals.verdicts import inapplicable, passed

LOOKS = Counter("vendorrisk_signal_looks_total", "Looks at vendors' assets.", ["group", "status"])
PAUSED = Counter("vendorrisk_signal_rules_paused_total", "Rules paused: they turned on too many assets.", ["rule"])
LAG = Gauge("vendorrisk_signal_lag_seconds", "How long the look that has waited longest has been due.")

KEYFRAME = timedelta(days=30)
_REQUESTS_OF_A_ROUND = 14
_ROUNDS_A_DAY = 2
_MOST_OF_A_VISIT = 60
_LOOK_SECONDS = 120
_ENOUGH_SECONDS = 300.0  # then a visit begins no look more, so that what it saw is written within its lease
_PAUSE, _LONGEST_PAUSE = timedelta(hours=1), timedelta(hours=24)
_SHOWS_ROBOTS = frozenset({Group.HTTP, Group.PAGES})
_log = structlog.get_logger("signals")


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
    is_suspect: bool = False
    again: timedelta | None = None
    states: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    flips: list[str] = []


class Visit:
    """One visit under a lease; `go` returns how many looks were made."""

    def __init__(
        self,
        place: ClaimedPlace,
        token: UUID,
        *,
        database: Database,
        collector: Collector,
        datasets: Datasets,
        clock: Callable[[], datetime],
        spent: Callable[[str], int],
    ) -> None:
        self._place, self._token = place, token
        self._database, self._collector, self._datasets = database, collector, datasets
        self._clock, self._spent = clock, spent
        self._opted_out = place.is_opted_out
        self._robots_said: bool | None = None
        self._pauses: Mapping[str, Pause] = {}

    async def go(self) -> int:
        now = self._clock()
        async with self._database.system() as connection:
            due = await queries.due_looks(connection, self._place.name, now, _MOST_OF_A_VISIT)
            unwatched = sorted({each.asset_id for each in due if not each.watchers})
            if unwatched:
                await queries.forget_unwatched(connection, unwatched, self._place.name, self._token)
                return len(unwatched)
            states = await queries.states_of(connection, {each.asset_id for each in due})
            pages = await _last_pages(connection, states)
            self._pauses = await queries.last_pauses(connection)
        budget = _REQUESTS_OF_A_ROUND * _ROUNDS_A_DAY * max(1, len({each.asset_id for each in due}))
        seen = await self._look_at(due, now, budget)
        for one in seen:
            own = [s for s in states if s.asset_id == one.due.asset_id]
            _compare(one, own, pages, now, self._datasets, self._pauses)
        await self._write(seen, now)
        return len(seen)

    async def _look_at(self, due: Sequence[DueLook], now: datetime, budget: int) -> list[Seen]:
        """Make one look after another until time is up; the rest stays due. Those that read robots.txt come first."""
        begun, seen = perf_counter(), list[Seen]()
        for each in sorted(due, key=lambda look: look.look_group not in _SHOWS_ROBOTS):
            seen.append(await self._look(each, now, budget))
            if perf_counter() - begun >= _ENOUGH_SECONDS:
                break
        return seen

    def _must_not(self, group: Group) -> bool:
        """Say whether the place does not want this look. Where robots.txt said so, it alone is read again."""
        asks_again = self._place.is_by_robots and self._robots_said is None and group in _SHOWS_ROBOTS
        return self._opted_out and group in schedule.ON_THEIR_MACHINES and not asks_again

    async def _look(self, due: DueLook, now: datetime, budget: int) -> Seen:
        """Make a look; whatever goes wrong in it is a reason not to have seen."""
        begun, run_id = perf_counter(), new_id()
        observation, reason = None, ""
        if self._must_not(due.look_group):
            reason = "opt_out"
        elif due.look_group in schedule.ON_THEIR_MACHINES and self._spent_today() >= budget:
            return Seen(due, run_id, "budget_spent", 0)
        else:
            observation, reason = await self._collected(due, now)
        status = "seen" if observation is not None else reason
        LOOKS.labels(due.look_group.value, status).inc()
        seen = Seen(due, run_id, status, round((perf_counter() - begun) * 1000))
        if observation is None:
            seen.judgements = judging.blind(due.kind, due.look_group, reason)
        else:
            _keep(seen, observation, now)
        return seen

    async def _collected(self, due: DueLook, now: datetime) -> tuple[Observation | None, str]:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                found = await self._collector.look(
                    due.kind, due.name, due.look_group, now, is_opted_out=self._opted_out
                )
        except OptedOutError:
            self._opted_out = self._robots_said = True
            return None, "opt_out"
        except TimeoutError:
            return None, "look_timeout"
        except Exception:  # noqa: BLE001 - see below
            # A collector promises not to raise; where one does, that asset is unseen and all others go on.
            _log.exception("look_failed", asset=str(due.asset_id), group=due.look_group.value)
            return None, "collector_failed"
        if due.look_group in _SHOWS_ROBOTS and self._robots_said is None:
            self._robots_said = self._opted_out = False
        return found, ""

    def _spent_today(self) -> int:
        return self._place.spent + self._spent(self._place.name)

    async def _write(self, seen: Sequence[Seen], now: datetime) -> None:
        versions = {"checker": CHECKER_VERSION, **self._datasets.versions}
        async with self._database.system() as connection:
            if not await queries.hold_lease(connection, self._place.name, self._token):
                _log.warning("signal_lease_lost", place=self._place.name)
                return
            await self._write_looks(connection, seen, now, versions)
            await _watch_for_storms(connection, seen, now, self._pauses)
            changed = [one.due.asset_id for one in seen if one.states]
            if changed:
                await queries.ask_to_settle(connection, changed, now)
            await queries.release(
                connection,
                self._place.name,
                self._token,
                now,
                self._spent(self._place.name),
                opted_out=self._robots_said is True,
                opted_in=self._robots_said is False,
            )

    async def _write_looks(
        self, connection: Connection, seen: Sequence[Seen], now: datetime, versions: Mapping[str, str]
    ) -> None:
        observations = [one.observation for one in seen if one.observation is not None]
        if observations:
            await queries.append_observations(connection, now, CHECKER_VERSION, versions, observations)
        if states := [row for one in seen for row in one.states]:
            await queries.keep_states(connection, now, states)
        if history := [row for one in seen for row in one.history]:
            await queries.append_judgements(connection, now, history)
        made = [one for one in seen if one.status != "budget_spent"]
        if made:
            await queries.append_runs(connection, now, versions, [_run(one) for one in made])
        await queries.keep_schedule(connection, now, [_next(one, now) for one in seen])


def _keep(seen: Seen, observation: Observation, now: datetime) -> None:
    """Append the observation where it changed, or where the last was kept a month ago."""
    due, raw = seen.due, canonical(observation)
    seen.raw_hash = value_hash(observation)
    is_old = due.observed_at is None or now - due.observed_at >= KEYFRAME
    if seen.raw_hash != due.raw_hash or is_old:
        seen.observation = NewObservation(
            new_id(), due.asset_id, due.look_group, raw, seen.raw_hash, due.raw_hash, seen.run_id
        )
    # What is judged is what would be read back: nothing can count that is not in the stored form.
    seen.look = replay(raw, type(observation))


async def _last_pages(connection: Connection, states: Iterable[StoredState]) -> dict[UUID, PageText]:
    """Read the lists of sub-processors that were last believed."""
    found = {}
    for state in states:
        if state.rule == "tr.subprocessors" and state.believed.get("observation"):
            raw = await queries.raw_observation(connection, UUID(str(state.believed["observation"])))
            look = None if raw is None else replay(raw, PageLook)
            if look is not None and isinstance(look.page, Page) and look.page.text is not None:
                found[state.asset_id] = look.page.text
    return found


def _compare(
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
        seen.judgements = judging.judge(seen.look, now=now, datasets=datasets, kind=seen.due.kind, before=before)
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
        was = msgspec.structs.replace(was, **change.NOTHING_PENDING)  # seen in a storm: it confirms nothing
    hashed = value_hash([judgement.verdict, judgement.reason, judgement.severity, judgement.cap, judgement.evidence])
    state, changes = change.observe(was, judgement, hashed, rule=rule, now=now)
    state = msgspec.structs.replace(state, passes=min(state.passes, change.PASSES_TO_CLOSE))
    for one in changes:
        if one.again_after is not None:
            seen.again = min(filter(None, (seen.again, one.again_after)))
    if _is_flip(was, judgement, changes):
        seen.flips.append(judgement.rule)
    if seen.again is None and state.is_open and judgement.verdict in {Verdict.PASS, Verdict.NA}:
        seen.again = change.CONFIRM_AFTER  # seen good once: look again soon, so that the finding can close
    if stored is not None and _is_same(was, state):
        return
    seen.states.append(_state_row(seen, judgement, state, stored, hashed, now))
    happening = next((c.happening for c in changes if c.happening in _TOLD), None)
    if stored is None or happening is not None or (was.unknown_n > 0) != (state.unknown_n > 0):
        seen.history.append(_history_row(seen, judgement, was, happening, hashed, changes))


_TOLD = frozenset(Happening) - {Happening.LOOK_AGAIN}
_TURNS = frozenset({Happening.LOOK_AGAIN, Happening.CONFIRMED, Happening.IMPROVED})
_WELL = {Verdict.PASS, Verdict.NA}


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


_WAITING = "not_yet_confirmed"
_WAITING_WORDS = "Seen once; it is looked at again before it is believed."


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
        "is_flapping": change.is_flapping(state, now),
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


def _run(seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.run_id,
        "asset_id": seen.due.asset_id,
        "look_group": seen.due.look_group,
        "milliseconds": seen.milliseconds,
        "status": "suspect" if seen.is_suspect else seen.status,
        "judged": len(seen.judgements),
        "changed": len(seen.states),
    }


def _next(seen: Seen, now: datetime) -> dict[str, Any]:
    """Say when the look is made next: soon to confirm, later where nothing could be seen, else in its place."""
    due = seen.due
    is_blind = bool(seen.judgements) and all(j.verdict is Verdict.UNKNOWN for j in seen.judgements)
    failures = due.failures + 1 if is_blind and seen.status != "opt_out" else 0
    if seen.status == "budget_spent":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        failures, when = due.failures, midnight + timedelta(seconds=due.asset_id.int % 3600)
    elif failures:
        when = schedule.after_unseen(due.asset_id, due.look_group, failures, now)
    else:
        when = schedule.after_seen(
            due.asset_id,
            due.look_group,
            due.tier_rank,
            now,
            again=seen.again,
            ends_at=schedule.ends_at(seen.judgements),
        )
    return {
        "asset_id": due.asset_id,
        "look_group": due.look_group,
        "next_look_at": when,
        "status": seen.status,
        "failures": failures,
        "observation_id": None if seen.observation is None else seen.observation.id,
        "raw_hash": None if seen.raw_hash is None else seen.raw_hash.hex(),
    }


async def _watch_for_storms(
    connection: Connection, seen: Sequence[Seen], now: datetime, pauses: Mapping[str, Pause]
) -> None:
    """Pause a rule that has turned on too many assets within the hour: then it is us, and nobody is told."""
    flips = sorted({(rule, one.due.asset_id) for one in seen for rule in one.flips})
    if not flips:
        return
    await queries.note_flips(connection, now, flips)
    groups = {rule: one.due.look_group for one in seen for rule in one.flips}
    for counted in await queries.count_flips(connection, now, groups):
        if change.is_storm(counted.flips, counted.watched):
            await queries.pause(connection, counted, now, now + _pause_for(pauses.get(counted.rule), now))
            PAUSED.labels(counted.rule).inc()
            _log.error("signal_rule_paused", rule=counted.rule, flips=counted.flips, watched=counted.watched)


def _pause_for(last: Pause | None, now: datetime) -> timedelta:
    """Return how long to pause: an hour, and twice as long as the last time where that has helped nothing."""
    if last is None or now - last.paused_until > _LONGEST_PAUSE:
        return _PAUSE
    return min(2 * max(_PAUSE, last.paused_until - last.paused_at), _LONGEST_PAUSE)
