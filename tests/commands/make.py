"""Running a command as a shell does: in a process of its own, with the settings of a test in its environment."""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

import vendorrisk
from vendorrisk.settings import FILE_SUFFIX, VARIABLES, Settings

_SECONDS = 60


class Ran(msgspec.Struct, frozen=True):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def environment(settings: Settings | None, **more: str) -> dict[str, str]:
    """Return this process's environment with the settings said, and no other of ours."""
    names = {name + suffix for name in VARIABLES.values() for suffix in ("", FILE_SUFFIX)}
    kept = {k: v for k, v in os.environ.items() if k not in names}
    said = {} if settings is None else msgspec.structs.asdict(settings)
    told = {VARIABLES[name]: str(value) for name, value in said.items() if value != ""}
    return {**kept, **told, "PYTHONPATH": str(Path(vendorrisk.__file__).parents[1]), "COLUMNS": "200", **more}


async def command(*arguments: str, settings: Settings | None = None, **more: str) -> Ran:
    """Run `vendorrisk …` to its end; `more` are further variables."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vendorrisk", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(settings, **more),
    )
    try:
        async with asyncio.timeout(_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    return Ran(process.returncode or 0, out.decode(), err.decode())
