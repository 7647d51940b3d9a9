"""The expiry sweep: every deadline whose threshold has come, by the job in its slices and by one bare statement."""

import time
from datetime import timedelta
from typing import Any

import asyncpg

from tests.bench.filling import NOW
from tests.bench.job_contexts import job_context_of
from tests.bench.rounds import Bench
from tests.bench.table import Line
from vendorrisk.alerts import queries
from vendorrisk.alerts.jobs import raise_due_alerts

GOAL = "<= 1.20"
_ALL = 100_000_000


async def run(bench: Bench) -> list[Line]:
    bare, checked = await _bare(bench)
    async with job_context_of(bench.data.settings, NOW) as context:
        begun, done = time.perf_counter(), 0
        while slice_done := await raise_due_alerts(context):
            done += slice_done
        swept = time.perf_counter() - begun
        again = time.perf_counter()
        context.clock = lambda: NOW + timedelta(minutes=1)
        if await raise_due_alerts(context):
            raise RuntimeError("the sweep found more, a minute later")
        idle = time.perf_counter() - again
    if done != checked:
        raise RuntimeError(f"the job checked {done} deadlines, the statement at {checked}")
    return [
        Line(f"sweep: {done:,} due", swept * 1000, bare * 1000, "one bare statement", "ms", GOAL),
        Line("sweep: nothing due", idle * 1000, bare * 1000, "the same", "ms"),
    ]


async def _bare(bench: Bench) -> tuple[float, int]:
    """Run the statement once over everything, and undo it."""
    connection = await asyncpg.connect(bench.data.settings.database_url, timeout=30)
    try:
        await connection.execute("set statement_timeout = 0; set jit = off")
        seconds: list[float] = []
        rows: list[Any] = []
        for _ in range(2):  # the first round warms what both sides read
            transaction = connection.transaction()
            await transaction.start()
            begun = time.perf_counter()
            tenants = await connection.fetch("select id, time_zone from tenants")
            each = [(one["id"], NOW, _ALL, one["time_zone"], None) for one in tenants]
            rows = await connection.fetchmany(queries._RAISE_DUE.sql, each)
            seconds.append(time.perf_counter() - begun)
            await transaction.rollback()
        await connection.execute("vacuum deadlines, alerts")
        return seconds[-1], sum(int(row["checked"]) for row in rows)
    finally:
        await connection.close()
