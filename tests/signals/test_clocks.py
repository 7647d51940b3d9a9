"""Clocks that jump: whatever was written by the wrong one, nothing is lost, put off, held or hushed by it for long."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.make import NOW, all_passing, evaluation, score_input
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext, run_job
from vendorrisk.evaluation import change_detection
from vendorrisk.evaluation.model import RuleState, Verdict
from vendorrisk.evaluation.rules import RULES
from vendorrisk.evaluation.score import score
from vendorrisk.lab.dns import Behaviour
from vendorrisk.signals import jobs
from vendorrisk.signals.finding_rules import unobservable

DAY = timedelta(days=1)
CSP = RULES["web.csp"]
JOB = {job.name: job for job in jobs.JOBS}


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


def seen(state: RuleState, verdict: Verdict, at: Any) -> RuleState:
    return change_detection.observe(state, evaluation(verdict), verdict.value.encode(), rule=CSP, now=at)[0]


def test_changes_of_a_day_that_has_not_come_do_not_count_as_flapping() -> None:
    state, ahead = RuleState(), NOW + 400 * DAY
    for verdict, at in ((Verdict.PASS, NOW), (Verdict.FAIL, ahead), (Verdict.FAIL, ahead + DAY / 24)):
        state = seen(state, verdict, at)
    state = seen(state, Verdict.PASS, NOW + DAY)
    for hours in (30, 31):
        state = seen(state, Verdict.FAIL, NOW + timedelta(hours=hours))
    assert state.verdict is Verdict.FAIL
    assert not change_detection.is_flapping(state, NOW + timedelta(hours=31))


def test_what_is_unknown_since_a_day_that_has_not_come_is_unobservable_in_a_week() -> None:
    state = seen(RuleState(), Verdict.PASS, NOW)
    state = seen(state, Verdict.UNKNOWN, NOW + 400 * DAY)
    for days in range(9):
        state = seen(state, Verdict.UNKNOWN, NOW + days * DAY)
    assert state.unknown_since == NOW
    assert unobservable([], NOW) == {}


def test_an_observation_of_a_day_that_has_not_come_holds_nothing() -> None:
    rest = [s for s in all_passing() if s.rule != CSP.id]
    never = score_input(CSP.id, Verdict.UNKNOWN)
    ahead = score_input(CSP.id, Verdict.UNKNOWN, known=Verdict.PASS, known_at=NOW + 400 * DAY)
    assert score([*rest, ahead], now=NOW).coverage_bp == score([*rest, never], now=NOW).coverage_bp
    skewed = score_input(CSP.id, Verdict.UNKNOWN, known=Verdict.PASS, known_at=NOW + timedelta(minutes=5))
    assert score([*rest, skewed], now=NOW).coverage_bp > score([*rest, never], now=NOW).coverage_bp


async def jumped(on: Watching, days: int) -> None:
    """Let everything run by a clock that is ahead, and put it right."""
    right = on.clock.now
    on.clock.advance(days=days)
    await on.confirmed()
    on.clock.now = right + timedelta(days=1)


@pytest.mark.anyio
@pytest.mark.parametrize("days", [10, 40, 400])
async def test_a_clock_that_ran_ahead_puts_no_scan_off(
    context: JobContext, client: Client, clock: FakeClock, owner: Any, days: int
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        await jumped(on, days)
        await on.run()
        late = "select count(*) from signal_schedule where last_scan_at > $1 or next_scan_at > $1::timestamptz + $2"
        assert await owner.fetchval(late, clock(), timedelta(days=12)) == 0
        score = await on.score(vendor)
        assert datetime.fromisoformat(score["scored_at"]) <= clock()


@pytest.mark.anyio
async def test_a_clock_that_fell_behind_scans_once_more_and_no_more(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        clock.advance(days=-10)
        await on.run()
        runs = await owner.fetchval("select count(*) from signal_scans")
        assert runs <= 14
        for _ in range(3):
            clock.advance(minutes=5)
            assert await on.run() == 0
        assert [f for f in await on.findings() if f["state"] == "open"] == []
        assert await on.notified() == []


@pytest.mark.anyio
async def test_an_observation_kept_by_a_clock_that_ran_ahead_is_kept_again_by_the_right_one(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await on.run()
        await jumped(on, 400)
        await on.run()
        clock.advance(days=40)
        await on.run()
        kept = "select count(*) from signal_observations where scan_kind = 'dns' and observed_at between $1 and $2"
        assert await owner.fetchval(kept, clock() - timedelta(days=41), clock()) >= 1


@pytest.mark.anyio
async def test_what_a_state_rests_on_is_never_dropped_before_it(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock, signal_retention_months=2) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        for _ in range(6):
            await on.run()
            clock.advance(days=31)
        rests_on = {s["observation_id"] for s in (await on.signals(vendor)).values() if s["observation_id"]}
        assert len(rests_on) >= 5
        assert await owner.fetchval("select min(observed_at) from signal_observations") > clock() - timedelta(days=130)
        for one in rests_on:
            assert (await client.get(f"/v1/signal-observations/{one}")).status_code == 200


@pytest.mark.anyio
async def test_a_clock_that_ran_ahead_for_an_hour_drops_no_more_than_the_oldest_of_each_table(
    context: JobContext, clock: FakeClock, owner: Any
) -> None:
    async def names(parent: str) -> set[str]:
        rows = await owner.fetch(
            "select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass", parent
        )
        return {row["name"] for row in rows}

    right = clock.now
    for months in range(6):
        clock.now = right + months * 31 * DAY
        await jobs.maintain_partitions(context)
    before = {parent: await names(parent) for parent in ("signal_observations", "score_snapshots", "signal_scans")}
    clock.advance(days=4000)
    await run_job(JOB["maintain_signal_partitions"], context)
    for parent, known in before.items():
        assert len(known - await names(parent)) <= 2, parent
    for _ in range(60):
        await run_job(JOB["maintain_signal_partitions"], context)
    assert not before["signal_scans"] & await names("signal_scans") - {"signal_scans_default"}, (
        "in time all that is old goes"
    )


@pytest.mark.anyio
async def test_a_name_server_asked_for_by_a_wrong_clock_is_unknown_and_nobody_is_notified(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await on.vendor()
        await on.attach(vendor)
        await on.run()
        for name in list(on.internet.dns.zone):
            on.internet.dns.zone[name] = Behaviour.SERVFAIL
        right = clock.now
        for days in (300, -300, 40):
            clock.now = right + timedelta(days=days)
            await on.run()
        found = await on.signals(vendor)
        assert {s["verdict"] for key, s in found.items() if key.startswith("dns.ns")} == {"unknown"}
        assert [kind for kind, _ in await on.notified() if kind != "signal_digest"] == []
        assert DOMAIN in {s["asset_name"] for s in found.values()}
