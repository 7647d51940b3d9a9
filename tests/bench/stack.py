"""The servers of a bench: one Postgres for both sides of every comparison, one Valkey, and processes that serve."""

import base64
import contextlib
import hashlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import asyncpg
import msgspec

from vendorrisk.db import migrations
from vendorrisk.embedded.binaries import postgres_bin
from vendorrisk.embedded.postgres import Postgres
from vendorrisk.embedded.users import system_user
from vendorrisk.embedded.valkey import Valkey
from vendorrisk.settings import VARIABLES, Settings

SECRET_KEYS = base64.b64encode(hashlib.sha256(b"only for the bench").digest()).decode()
ROOT = Path(__file__).parents[2]
_START_SECONDS = 20

# Of a small real server rather than of embedded mode; durable, as both sides would be.
_POSTGRES: Mapping[str, str] = {
    "shared_buffers": "1GB",
    "max_connections": "100",
    "work_mem": "16MB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "wal_buffers": "16MB",
    "checkpoint_timeout": "30min",
    "max_worker_processes": "8",
    "max_parallel_maintenance_workers": "2",
    "autovacuum": "off",
}


class Stack(msgspec.Struct):
    """What runs, and where to reach it."""

    folder: Path
    postgres: Postgres
    valkey: Valkey
    programs: Path
    version: str = ""

    def url(self, database: str) -> str:
        return self.postgres.dsn(database)

    def settings(self, database: str) -> Settings:
        return Settings(
            database_url=self.url(database),
            database_migration_url=self.url(database),
            redis_url=self.valkey.url,
            secret_keys=SECRET_KEYS,
            home=str(self.folder / "home"),
            rate_limit_per_minute=1_000_000_000,
            rate_limit_tenant_per_minute=1_000_000_000,
        )

    async def new_database(self, name: str) -> str:
        """Make a migrated database, and return its address."""
        admin = await asyncpg.connect(self.url("postgres"))
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
        self.version = (await admin.fetchval("select version()")).split(" on ")[0]
        await admin.close()
        await migrations.migrate(self.url(name))
        return self.url(name)


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Stack]:
    """Start the servers with their files in `folder`, which is removed at the end."""
    folder.mkdir(mode=0o755, parents=True)
    postgres = Postgres(folder / "postgres", folder / "run-postgres", settings=_POSTGRES)
    valkey = Valkey(folder / "valkey", folder / "run-valkey", persist=False)
    try:
        postgres.start()
        valkey.start()
        yield Stack(folder, postgres, valkey, postgres_bin(system_user(), folder))
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def process(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run a Python program of ours, and yield its process id."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VENDORRISK_")}
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments], env={**inherited, **environment}, stdout=out, stderr=out, cwd=ROOT
        )
    try:
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def serving(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[tuple[int, int]]:
    """Run a server on a free port; yields its process id and port when it accepts connections."""
    port = free_port()
    with process(arguments, {**environment, "PORT": str(port)}, log) as pid:
        until = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if time.monotonic() > until:
                raise RuntimeError(f"{' '.join(arguments)} did not start; see {log}: {log.read_text()[-500:]}")
            time.sleep(0.05)
        yield pid, port


def environment_of(settings: Settings) -> dict[str, str]:
    """Return what a process of ours reads these settings from."""
    defaults = Settings()
    return {
        variable: str(value)
        for name, variable in VARIABLES.items()
        if (value := getattr(settings, name)) != getattr(defaults, name)
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def allow_open_files(most: int) -> None:
    """Let this process hold so many connections, or as many as the system grants."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def resident_mb(pid: int, *, with_children: bool = True) -> float:
    """Return the memory of a process and its children in megabytes: proportional set size, or alone all it maps."""
    total, share = 0.0, "Pss:" if with_children else "Rss:"
    for one in [pid, *(children_of(pid) if with_children else ())]:
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith(share)) / 1024
    return total


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *children_of(int(child))]
    return found


class Watched:
    """Looks at a process's memory while something is done: first, highest and last, in megabytes."""

    def __init__(self, pid: int, *, with_children: bool = True) -> None:
        self._pid, self._with_children, self._done = pid, with_children, threading.Event()
        self.seen: list[float] = [self._now()]
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _now(self) -> float:
        return resident_mb(self._pid, with_children=self._with_children)

    def _look(self) -> None:
        while not self._done.wait(0.5):
            self.seen.append(self._now())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.seen.append(self._now())

    def told(self) -> str:
        return f"{self.seen[0]:.0f} MB at first, {max(self.seen):.0f} at most, {self.seen[-1]:.0f} at last"
