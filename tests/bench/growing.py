"""What one unit of work costs as the vendors become ten and a hundred times as many."""

import time

import asyncpg
import msgspec

from tests.bench import listing, sampling
from tests.bench.creating import BODIES
from tests.bench.filling import NOW
from tests.bench.job_contexts import job_context_of
from tests.bench.rounds import Bench
from tests.bench.table import Line
from vendorrisk.alerts.jobs import raise_due_alerts

GOAL = "<= 1.30"


class Costs(msgspec.Struct):
    """Milliseconds for each unit of work, with so many vendors."""

    vendors: int
    of: dict[str, float]


async def costs(bench: Bench) -> Costs:
    """Measure the product alone: requests side by side at one server, and the sweep by the deadline."""
    rows = await sampling.vendors(bench.data, 500)
    deep = await listing.deep_pages(bench)
    rates = {
        "read one": bench.wrk.gets(bench.api, [f"/v1/vendors/{row['id']}" for row in rows], bench.seconds),
        "page: of a tier": bench.wrk.gets(bench.api, [f"/v1/vendors?{listing.TIER}"], bench.seconds),
        "page: deep in a tier": bench.wrk.gets(bench.api, deep, bench.seconds),
        "create": bench.wrk.posts(bench.api, "/v1/vendors", BODIES, bench.seconds),
    }
    found = {name: 1000 / rate for name, rate in rates.items()}
    return Costs(bench.data.vendors, {**found, "sweep, a deadline": await _swept(bench)})


async def _swept(bench: Bench) -> float:
    owner = await asyncpg.connect(bench.data.settings.database_url)
    await owner.execute("vacuum analyze deadlines, alerts")
    await owner.close()
    async with job_context_of(bench.data.settings, NOW) as context:
        begun, done = time.perf_counter(), 0
        while swept := await raise_due_alerts(context):
            done += swept
        return 1000 * (time.perf_counter() - begun) / done


def lines(found: list[Costs]) -> list[Line]:
    """Compare each size with the smallest."""
    least, *larger = found
    return [
        Line(f"{what}, {more.vendors:,} vendors", cost, least.of[what], f"{least.vendors:,} vendors", "ms", GOAL)
        for what in least.of
        for more in larger
        for cost in [more.of[what]]
    ]
