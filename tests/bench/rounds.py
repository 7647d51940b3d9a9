"""How rates are compared: side by side, round by round, so that a busy moment of the machine hits all of them."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from tests.bench.driving import Pgbench, Wrk
from tests.bench.filling import Filled
from tests.bench.stack import Stack
from tests.bench.table import Line, median

SAME = "bare ASGI"
PLAIN = "bare Litestar"
DATABASE = "pgbench"


class Bench(msgspec.Struct, kw_only=True):
    """What a scenario has at hand: the database, the servers, the tools, and how long to measure."""

    stack: Stack
    data: Filled
    wrk: Wrk
    pgbench: Pgbench
    api: int
    asgi: int
    litestar: int
    api_pid: int
    seconds: float
    rounds: int
    tell: Callable[[str], None]

    def setup_sql(self) -> str:
        return f"'{self.data.tenant_id}'::uuid"


Rate = Callable[[], float]


def side_by_side(bench: Bench, rates: Mapping[str, Rate]) -> dict[str, float]:
    """Return the median of each rate over the rounds."""
    seen: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(bench.rounds):
        for name, rate in rates.items():
            seen[name].append(rate())
    return {name: median(values) for name, values in seen.items()}


def over_http(
    bench: Bench,
    scenario: str,
    ours: Sequence[str],
    theirs: Sequence[str],
    sql: Sequence[str],
    goals: Mapping[str, str],
) -> list[Line]:
    """Compare GETs of the product with the bare applications', and with their statement in pgbench."""
    for port, path in ((bench.api, ours[0]), (bench.asgi, theirs[0]), (bench.litestar, theirs[0])):
        bench.wrk.gets(port, [path], 1)
    found = side_by_side(
        bench,
        {
            "ours": lambda: bench.wrk.gets(bench.api, ours, bench.seconds),
            SAME: lambda: bench.wrk.gets(bench.asgi, theirs, bench.seconds),
            PLAIN: lambda: bench.wrk.gets(bench.litestar, theirs, bench.seconds),
            DATABASE: lambda: bench.pgbench.runs(sql, bench.seconds),
        },
    )
    return lines_of(scenario, found, "a second", goals)


def lines_of(scenario: str, found: Mapping[str, float], unit: str, goals: Mapping[str, str]) -> list[Line]:
    ours = found["ours"]
    return [
        Line(scenario, ours, value, name, unit, goals.get(name, "")) for name, value in found.items() if name != "ours"
    ]
