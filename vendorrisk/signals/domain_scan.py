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
from vendorrisk.egress.sessions import session
from vendorrisk.evaluation import change_detection, evaluate
from vendorrisk.evaluation.evaluate import Datasets, Observation
from vendorrisk.evaluation.model import Group, Verdict
from vendorrisk.evaluation.rules import CHECKER_VERSION
from vendorrisk.ids import new_id
from vendorrisk.probes.observation import canonical, replay, value_hash
from vendorrisk.probes.web.page_parser import PageText
from vendorrisk.probes.web.pages import Page, PageLook
from vendorrisk.signals import queries, schedule
from vendorrisk.signals.collectors import Collector, OptedOutError
from vendorrisk.signals.queries import ClaimedPlace, DueLook, NewObservation, Pause, StoredState
from vendorrisk.signals.rule_states import Seen, compare

LOOKS = Counter("vendorrisk_signal_looks_total", "Looks at vendors' assets.", ["group", "status"])
JUDGEMENTS = Counter("vendorrisk_signal_judgements_total", "Judgements of looks.", ["rule", "verdict"])
UNSEEN = Counter("vendorrisk_signal_unseen_total", "Looks of which a part was not seen, and why.", ["group", "reason"])
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
        self._unbudgeted = 0
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
        budget = _REQUESTS_OF_A_ROUND * _ROUNDS_A_DAY * max([1, *(each.assets_here for each in due)])
        async with session():
            seen = await self._look_at(due, now, budget)
        for one in seen:
            own = [s for s in states if s.asset_id == one.due.asset_id]
            self._judge(one, own, pages, now)
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
        elif due.look_group in schedule.BUDGETED and self._spent_today() >= budget:
            return Seen(due, run_id, "budget_spent", 0)
        else:
            spent = self._spent(self._place.name)
            observation, reason = await self._collected(due, now)
            if due.look_group not in schedule.BUDGETED:
                self._unbudgeted += self._spent(self._place.name) - spent
        status = "seen" if observation is not None else reason
        seen = Seen(due, run_id, status, round((perf_counter() - begun) * 1000), look=observation)
        if observation is None:
            seen.judgements = evaluate.blind(due.kind, due.look_group, reason)
        return seen

    def _judge(self, one: Seen, states: Sequence[StoredState], pages: Mapping[UUID, PageText], now: datetime) -> None:
        """Judge a look and compare it with the past; one that breaks its judge is unseen, and all others go on."""
        try:
            _keep(one, now)
            compare(one, states, pages, now, self._datasets, self._pauses)
        except Exception:  # noqa: BLE001 - a vendor whose answer breaks us must not keep what is known of it standing
            _log.exception("judging_failed", asset=str(one.due.asset_id), group=one.due.look_group.value)
            one.status, one.look, one.again = "judging_failed", None, None
            one.states, one.history, one.flips = [], [], []
            one.judgements = evaluate.blind(one.due.kind, one.due.look_group, one.status)
            compare(one, states, pages, now, self._datasets, self._pauses)
        _count(one)

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
        return self._place.spent + self._spent_here()

    def _spent_here(self) -> int:
        return self._spent(self._place.name) - self._unbudgeted

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
                self._spent_here(),
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


def _count(seen: Seen) -> None:
    """Count a look for operators: what became of it, of each rule, and each reason why a part was not seen."""
    group = seen.due.look_group.value
    if seen.status != "budget_spent":
        LOOKS.labels(group, seen.status).inc()
    for judgement in seen.judgements:
        JUDGEMENTS.labels(judgement.rule, judgement.verdict.value).inc()
    for reason in {j.reason for j in seen.judgements if j.verdict is Verdict.UNKNOWN}:
        UNSEEN.labels(group, reason).inc()


def _keep(seen: Seen, now: datetime) -> None:
    """Append the observation where it changed, or where the last was kept a month ago."""
    if seen.look is None:
        return
    due, raw = seen.due, canonical(seen.look)
    seen.raw_hash = value_hash(msgspec.Raw(raw))
    is_old = due.observed_at is None or abs(now - due.observed_at) >= KEYFRAME
    # With it the states move on to it, so that none rests on what its retention drops.
    seen.is_keyframe = is_old and due.observed_at is not None
    if seen.raw_hash != due.raw_hash or is_old:
        seen.observation = NewObservation(
            new_id(), due.asset_id, due.look_group, raw, seen.raw_hash, due.raw_hash, seen.run_id
        )
    # What is judged is what would be read back: nothing can count that is not in the stored form.
    seen.look = replay(raw, type(seen.look))


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
        if change_detection.is_storm(counted.flips, counted.watched):
            await queries.pause(connection, counted, now, now + _pause_for(pauses.get(counted.rule), now))
            PAUSED.labels(counted.rule).inc()
            _log.error("signal_rule_paused", rule=counted.rule, flips=counted.flips, watched=counted.watched)


def _pause_for(last: Pause | None, now: datetime) -> timedelta:
    """Return how long to pause: an hour, and twice as long as the last time where that has helped nothing."""
    if last is None or now - last.paused_until > _LONGEST_PAUSE:
        return _PAUSE
    return min(2 * max(_PAUSE, last.paused_until - last.paused_at), _LONGEST_PAUSE)
