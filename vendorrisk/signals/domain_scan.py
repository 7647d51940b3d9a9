"""One domain scan: the due assets of a domain are scanned, evaluated and compared with the past, then written at once.

All results of a domain scan are saved in one transaction, and only while the lease is held. A worker that dies loses
only its own time. A worker that resumes after its lease expired writes nothing.
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
from vendorrisk.evaluation.model import ScanKind, Verdict
from vendorrisk.evaluation.rules import SCANNER_VERSION
from vendorrisk.ids import new_id
from vendorrisk.probes.observation import canonical, replay, value_hash
from vendorrisk.probes.web.page_parser import PageText
from vendorrisk.probes.web.pages import Page, PageObservation
from vendorrisk.signals import queries, schedule
from vendorrisk.signals.collectors import Collector, OptedOutError
from vendorrisk.signals.queries import ClaimedDomain, DueScan, NewObservation, Pause, StoredState
from vendorrisk.signals.rule_states import Seen, compare

SCANS = Counter("vendorrisk_signal_scans_total", "Scans of vendors' assets.", ["group", "status"])
EVALUATIONS = Counter("vendorrisk_signal_evaluations_total", "Evaluations of scans.", ["rule", "verdict"])
UNKNOWN = Counter(
    "vendorrisk_signal_unknown_total", "Scans of which a part was not seen, and why.", ["group", "reason"]
)
PAUSED = Counter("vendorrisk_signal_rules_paused_total", "Rules paused: they turned on too many assets.", ["rule"])
LAG = Gauge("vendorrisk_signal_lag_seconds", "How long the scan that has waited longest has been due.")

KEYFRAME = timedelta(days=30)
_REQUESTS_OF_A_ROUND = 14
_ROUNDS_A_DAY = 2
_MOST_OF_A_DOMAIN_SCAN = 60
_SCAN_SECONDS = 120
_ENOUGH_SECONDS = 300.0  # then a domain scan begins no further scan, so that its results are written within its lease
_PAUSE, _LONGEST_PAUSE = timedelta(hours=1), timedelta(hours=24)
_SHOWS_ROBOTS = frozenset({ScanKind.HTTP, ScanKind.PAGES})
_log = structlog.get_logger("signals")


class DomainScan:
    """One domain scan under a lease. `run` returns the number of scans."""

    def __init__(
        self,
        domain: ClaimedDomain,
        token: UUID,
        *,
        database: Database,
        collector: Collector,
        datasets: Datasets,
        clock: Callable[[], datetime],
        spent: Callable[[str], int],
    ) -> None:
        self._domain, self._token = domain, token
        self._database, self._collector, self._datasets = database, collector, datasets
        self._clock, self._spent = clock, spent
        self._opted_out = domain.is_opted_out
        self._robots_said: bool | None = None
        self._unbudgeted = 0
        self._pauses: Mapping[str, Pause] = {}

    async def run(self) -> int:
        now = self._clock()
        async with self._database.system() as connection:
            due = await queries.due_scans(connection, self._domain.name, now, _MOST_OF_A_DOMAIN_SCAN)
            unwatched = sorted({each.asset_id for each in due if not each.watchers})
            if unwatched:
                await queries.forget_unwatched(connection, unwatched, self._domain.name, self._token)
                return len(unwatched)
            states = await queries.states_of(connection, {each.asset_id for each in due})
            pages = await _last_pages(connection, states)
            self._pauses = await queries.last_pauses(connection)
        budget = _REQUESTS_OF_A_ROUND * _ROUNDS_A_DAY * max([1, *(each.assets_here for each in due)])
        async with session():
            seen = await self._scan_all(due, now, budget)
        for one in seen:
            own = [s for s in states if s.asset_id == one.due.asset_id]
            self._evaluate(one, own, pages, now)
        await self._write(seen, now)
        return len(seen)

    async def _scan_all(self, due: Sequence[DueScan], now: datetime, budget: int) -> list[Seen]:
        """Make one scan after another until time is up. The others stay due. Scans that read robots.txt come first."""
        begun, seen = perf_counter(), list[Seen]()
        for each in sorted(due, key=lambda scan: scan.scan_kind not in _SHOWS_ROBOTS):
            seen.append(await self._scan(each, now, budget))
            if perf_counter() - begun >= _ENOUGH_SECONDS:
                break
        return seen

    def _must_not(self, group: ScanKind) -> bool:
        """Return True if the domain opted out of this scan. If robots.txt said so, it alone is read again."""
        asks_again = self._domain.is_by_robots and self._robots_said is None and group in _SHOWS_ROBOTS
        return self._opted_out and group in schedule.ON_THEIR_MACHINES and not asks_again

    async def _scan(self, due: DueScan, now: datetime, budget: int) -> Seen:
        """Make a scan. Any error in it becomes the reason of an unknown result."""
        begun, scan_id = perf_counter(), new_id()
        observation, reason = None, ""
        if self._must_not(due.scan_kind):
            reason = "opt_out"
        elif due.scan_kind in schedule.BUDGETED and self._spent_today() >= budget:
            return Seen(due, scan_id, "budget_spent", 0)
        else:
            spent = self._spent(self._domain.name)
            observation, reason = await self._collected(due, now)
            if due.scan_kind not in schedule.BUDGETED:
                self._unbudgeted += self._spent(self._domain.name) - spent
        status = "seen" if observation is not None else reason
        seen = Seen(due, scan_id, status, round((perf_counter() - begun) * 1000), result=observation)
        if observation is None:
            seen.evaluations = evaluate.all_unknown(due.kind, due.scan_kind, reason)
        return seen

    def _evaluate(
        self, one: Seen, states: Sequence[StoredState], pages: Mapping[UUID, PageText], now: datetime
    ) -> None:
        """Evaluate a scan and compare it with the past.

        A scan that breaks its evaluator is unknown, and the others go on.
        """
        try:
            _keep(one, now)
            compare(one, states, pages, now, self._datasets, self._pauses)
        except Exception:  # noqa: BLE001 - a vendor whose answer breaks us must not keep what is known of it standing
            _log.exception("evaluation_failed", asset=str(one.due.asset_id), group=one.due.scan_kind.value)
            one.status, one.result, one.again = "evaluation_failed", None, None
            one.states, one.history, one.flips = [], [], []
            one.evaluations = evaluate.all_unknown(one.due.kind, one.due.scan_kind, one.status)
            compare(one, states, pages, now, self._datasets, self._pauses)
        _count(one)

    async def _collected(self, due: DueScan, now: datetime) -> tuple[Observation | None, str]:
        try:
            async with asyncio.timeout(_SCAN_SECONDS):
                found = await self._collector.scan(due.kind, due.name, due.scan_kind, now, is_opted_out=self._opted_out)
        except OptedOutError:
            self._opted_out = self._robots_said = True
            return None, "opt_out"
        except TimeoutError:
            return None, "scan_timeout"
        except Exception:  # noqa: BLE001 - see below
            # A collector promises not to raise. If one does, that asset is unknown and all others go on.
            _log.exception("scan_failed", asset=str(due.asset_id), group=due.scan_kind.value)
            return None, "collector_failed"
        if due.scan_kind in _SHOWS_ROBOTS and self._robots_said is None:
            self._robots_said = self._opted_out = False
        return found, ""

    def _spent_today(self) -> int:
        return self._domain.spent + self._spent_here()

    def _spent_here(self) -> int:
        return self._spent(self._domain.name) - self._unbudgeted

    async def _write(self, seen: Sequence[Seen], now: datetime) -> None:
        versions = {"scanner": SCANNER_VERSION, **self._datasets.versions}
        async with self._database.system() as connection:
            if not await queries.hold_lease(connection, self._domain.name, self._token):
                _log.warning("signal_lease_lost", domain=self._domain.name)
                return
            await self._write_scans(connection, seen, now, versions)
            await _watch_for_storms(connection, seen, now, self._pauses)
            changed = [one.due.asset_id for one in seen if one.states]
            if changed:
                await queries.request_reconciliation(connection, changed, now)
            await queries.release(
                connection,
                self._domain.name,
                self._token,
                now,
                self._spent_here(),
                opted_out=self._robots_said is True,
                opted_in=self._robots_said is False,
            )

    async def _write_scans(
        self, connection: Connection, seen: Sequence[Seen], now: datetime, versions: Mapping[str, str]
    ) -> None:
        observations = [one.observation for one in seen if one.observation is not None]
        if observations:
            await queries.append_observations(connection, now, SCANNER_VERSION, versions, observations)
        if states := [row for one in seen for row in one.states]:
            await queries.save_states(connection, now, states)
        if history := [row for one in seen for row in one.history]:
            await queries.append_evaluations(connection, now, history)
        made = [one for one in seen if one.status != "budget_spent"]
        if made:
            await queries.append_scans(connection, now, versions, [_scan_row(one) for one in made])
        await queries.save_schedule(connection, now, [_next(one, now) for one in seen])


def _count(seen: Seen) -> None:
    """Count a scan for operators: its outcome, each rule's verdict, and each reason of an unknown part."""
    group = seen.due.scan_kind.value
    if seen.status != "budget_spent":
        SCANS.labels(group, seen.status).inc()
    for evaluation in seen.evaluations:
        EVALUATIONS.labels(evaluation.rule, evaluation.verdict.value).inc()
    for reason in {j.reason for j in seen.evaluations if j.verdict is Verdict.UNKNOWN}:
        UNKNOWN.labels(group, reason).inc()


def _keep(seen: Seen, now: datetime) -> None:
    """Append the observation where it changed, or where the last was kept a month ago."""
    if seen.result is None:
        return
    due, raw = seen.due, canonical(seen.result)
    seen.raw_hash = value_hash(msgspec.Raw(raw))
    is_old = due.observed_at is None or abs(now - due.observed_at) >= KEYFRAME
    # The states then refer to the new observation, so that none depends on one that its retention drops.
    seen.is_keyframe = is_old and due.observed_at is not None
    if seen.raw_hash != due.raw_hash or is_old:
        seen.observation = NewObservation(
            new_id(), due.asset_id, due.scan_kind, raw, seen.raw_hash, due.raw_hash, seen.scan_id
        )
    # The evaluation uses the stored form, so that only stored facts can count.
    seen.result = replay(raw, type(seen.result))


async def _last_pages(connection: Connection, states: Iterable[StoredState]) -> dict[UUID, PageText]:
    """Read the lists of sub-processors that were last believed."""
    found = {}
    for state in states:
        if state.rule == "tr.subprocessors" and state.believed.get("observation"):
            raw = await queries.raw_observation(connection, UUID(str(state.believed["observation"])))
            observation = None if raw is None else replay(raw, PageObservation)
            if observation is not None and isinstance(observation.page, Page) and observation.page.text is not None:
                found[state.asset_id] = observation.page.text
    return found


def _scan_row(seen: Seen) -> dict[str, Any]:
    return {
        "id": seen.scan_id,
        "asset_id": seen.due.asset_id,
        "scan_kind": seen.due.scan_kind,
        "milliseconds": seen.milliseconds,
        "status": "suspect" if seen.is_suspect else seen.status,
        "evaluated": len(seen.evaluations),
        "changed": len(seen.states),
    }


def _next(seen: Seen, now: datetime) -> dict[str, Any]:
    """Return the time of the next scan: soon to confirm, later if nothing could be observed, otherwise as scheduled."""
    due = seen.due
    is_unknown = bool(seen.evaluations) and all(j.verdict is Verdict.UNKNOWN for j in seen.evaluations)
    failures = due.failures + 1 if is_unknown and seen.status != "opt_out" else 0
    if seen.status == "budget_spent":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        failures, when = due.failures, midnight + timedelta(seconds=due.asset_id.int % 3600)
    elif failures:
        when = schedule.after_unknown(due.asset_id, due.scan_kind, failures, now)
    else:
        when = schedule.after_seen(
            due.asset_id,
            due.scan_kind,
            due.tier_rank,
            now,
            again=seen.again,
            ends_at=schedule.ends_at(seen.evaluations),
        )
    return {
        "asset_id": due.asset_id,
        "scan_kind": due.scan_kind,
        "next_scan_at": when,
        "status": seen.status,
        "failures": failures,
        "observation_id": None if seen.observation is None else seen.observation.id,
        "raw_hash": None if seen.raw_hash is None else seen.raw_hash.hex(),
    }


async def _watch_for_storms(
    connection: Connection, seen: Sequence[Seen], now: datetime, pauses: Mapping[str, Pause]
) -> None:
    """Pause a rule that has turned on too many assets within the hour: then it is us, and nobody is notified."""
    flips = sorted({(rule, one.due.asset_id) for one in seen for rule in one.flips})
    if not flips:
        return
    await queries.note_flips(connection, now, flips)
    groups = {rule: one.due.scan_kind for one in seen for rule in one.flips}
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
