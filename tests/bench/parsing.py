"""What a child of the fork server costs, beside an interpreter of its own that imports the same parser.

    python -m tests.bench.parsing [jobs]

Both read one small page after the other, and are gone after it.
"""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import uvloop

from tests.bench.table import Line, printed
from vendorrisk.probes.web.page_parser import extract
from vendorrisk.sandbox.running import SMALL, Sandbox

HIGHEST_RATIO = "<= 0.25"
_PAGE = b"<table><tr><td>Acme<td>Hosting<tr><td>Globex<td>Mail</table>"
_ALONE = (
    "import sys; from vendorrisk.probes.web.page_parser import extract; from msgspec import msgpack; "
    "sys.stdout.buffer.write(msgpack.encode(extract(sys.stdin.buffer.read())))"
)


async def run(jobs: int = 100) -> list[Line]:
    sandbox = Sandbox()
    await sandbox.run(extract, _PAGE, SMALL)  # starts the fork server
    begun = time.perf_counter()
    for _ in range(jobs):
        await sandbox.run(extract, _PAGE, SMALL)
    forked = 1000 * (time.perf_counter() - begun) / jobs
    alone = await asyncio.to_thread(_alone, max(5, jobs // 10))
    return [Line("a page read in a child", forked, alone, "an interpreter of its own", "ms", HIGHEST_RATIO)]


def _alone(jobs: int) -> float:
    begun = time.perf_counter()
    for _ in range(jobs):
        subprocess.run(
            [sys.executable, "-B", "-c", _ALONE],
            input=_PAGE,
            capture_output=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
    return 1000 * (time.perf_counter() - begun) / jobs


if __name__ == "__main__":
    print(printed(uvloop.run(run(*(int(argument) for argument in sys.argv[1:])))))
