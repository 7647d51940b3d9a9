"""The bench: ratios of the product to the barest thing that does the same, in one run on one machine.

    python -m tests.bench [--vendors 1000000] [--only reading,listing] [--quick] [--folder PATH]
    python -m tests.bench plans|signals|deliveries|growth|neighbours|scoring [--vendors …]

README.md tells what is compared, and the figures that were found.
"""

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from tests.bench import (
    claiming,
    creating,
    delivering,
    filling,
    growing,
    importing,
    listing,
    neighbours,
    parsing,
    plans,
    reading,
    scans,
    scoring,
    searching,
    sharing,
    sweeping,
    watching,
)
from tests.bench.driving import MissingToolError, Pgbench, Wrk
from tests.bench.rounds import Bench
from tests.bench.stack import Stack, environment_of, serving, started
from tests.bench.table import Line, printed

SCENARIOS = {
    module.__name__.rpartition(".")[2]: module
    for module in (reading, listing, searching, sweeping, creating, importing)
}
_QUICK = 20_000
_OF_A_PAGE = 1000  # buffers; a page of fifty takes some fifty, and one of postures some seventeen for each vendor


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=list(WHAT), default="ratios")
    parser.add_argument("--vendors", type=int, default=1_000_000, help="how many; three documents each")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK} vendors and short rounds, under a minute")
    parser.add_argument("--folder", type=Path, help="where the servers keep their files meanwhile")
    parser.add_argument("--only", default=",".join(SCENARIOS), help=f"of {', '.join(SCENARIOS)}")
    return parser.parse_args()


class WholeTableError(Exception):
    """A statement that is sent for a page, a search or a slice reads a whole big table."""


async def ratios(stack: Stack, options: argparse.Namespace) -> list[Line]:
    """Fill a database, serve it, and run the scenarios that were asked for."""
    await stack.new_database("bench")
    vendors = _QUICK if options.quick else options.vendors
    print(f"{vendors:,} vendors, {3 * vendors:,} documents", flush=True)
    data = await filling.filled(stack.settings("bench"), vendors, _tell)
    print(f"  in {data.seconds:.0f} s", flush=True)
    found = await plans.planned(data)
    print(f"\n{plans.told(found)}\n", flush=True)
    whole = [plan.name for plan in found if plan.scans and plan.name not in plans.GROWING]
    if whole := whole + [plan.name for plan in found if plan.name in plans.PAGES and plan.buffers > _OF_A_PAGE]:
        raise WholeTableError(f"these read a whole big table, or much of one: {', '.join(whole)}")
    lines: list[Line] = []
    if options.what == "plans":
        return lines
    with _served(stack, data, quick=options.quick) as bench:
        for name in options.only.split(","):
            begun = time.perf_counter()
            lines += await SCENARIOS[name].run(bench)
            _tell(f"  {name} took {time.perf_counter() - begun:.0f} s")
    return lines


async def signals(stack: Stack, options: argparse.Namespace) -> list[Line]:
    """Watch some hundred vendors of the lab, read pages in children, and claim among as many domains as vendors."""
    watched = await watching.run(stack, 60 if options.quick else 300)
    watched += [*await scans.run(), *await parsing.run()]
    return watched + await claiming.run(stack, _QUICK if options.quick else options.vendors)


async def deliveries(stack: Stack, options: argparse.Namespace) -> list[Line]:
    """Send many messages to one receiver on loopback, and those of many tenants."""
    lines = await delivering.run(stack, 2_000 if options.quick else 30_000)
    return lines + await sharing.run(stack, 1_000 if options.quick else 10_000)


async def beside(stack: Stack, options: argparse.Namespace) -> list[Line]:
    """Let one tenant do its worst, and measure another."""
    return await neighbours.run(stack, quick=options.quick)


async def scores(_: Stack, options: argparse.Namespace) -> list[Line]:
    """Score 261 questions."""
    return await scoring.run(100 if options.quick else 1_000)


async def growth(stack: Stack, options: argparse.Namespace) -> list[Line]:
    """Do the same with ten times and a hundred times as many vendors."""
    costs: list[growing.Costs] = []
    for vendors in (options.vendors // 100, options.vendors // 10, options.vendors):
        name = f"growth{vendors}"
        await stack.new_database(name)
        data = await filling.filled(stack.settings(name), vendors, _tell)
        with _served(stack, data, quick=options.quick) as bench:
            costs.append(await growing.costs(bench))
    return growing.lines(costs)


WHAT = {
    "ratios": ratios,
    "plans": ratios,
    "signals": signals,
    "deliveries": deliveries,
    "growth": growth,
    "neighbours": beside,
    "scoring": scores,
}


@contextlib.contextmanager
def _served(stack: Stack, data: filling.Filled, *, quick: bool) -> Iterator[Bench]:
    """Start the product's API and the two bare applications over the same database."""
    bare = {"BENCH_DATABASE_URL": data.settings.database_url, "BENCH_TENANT": str(data.tenant_id)}
    with contextlib.ExitStack() as servers:
        logs = stack.folder
        api = servers.enter_context(serving(["vendorrisk", "api"], environment_of(data.settings), logs / "api.log"))
        asgi = servers.enter_context(serving(["tests.bench.bare", "asgi"], bare, logs / "asgi.log"))
        litestar = servers.enter_context(serving(["tests.bench.bare", "litestar"], bare, logs / "litestar.log"))
        yield Bench(
            stack=stack,
            data=data,
            wrk=Wrk(stack.folder, key=data.key),
            pgbench=Pgbench(stack.programs / "pgbench", stack.folder, data.settings.database_url),
            api=api[1],
            asgi=asgi[1],
            litestar=litestar[1],
            api_pid=api[0],
            seconds=1 if quick else 4,
            rounds=1 if quick else 3,
            tell=_tell,
        )


def _tell(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    options = _arguments()
    folder = (options.folder or Path(tempfile.gettempdir())) / f"vendorrisk-bench-{os.getpid()}"
    begun = time.perf_counter()
    try:
        with started(folder) as stack:
            lines = uvloop.run(WHAT[options.what](stack, options))
            version = stack.version
    except (MissingToolError, WholeTableError) as error:
        sys.exit(str(error))
    print(f"\n{printed(lines)}\n")
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, {version}")
    print(f"in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
