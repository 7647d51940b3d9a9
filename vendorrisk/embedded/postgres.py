"""One Postgres cluster on a unix socket: made when missing, started, stopped."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from vendorrisk.embedded.binaries import postgres_bin
from vendorrisk.embedded.child_logs import last_line
from vendorrisk.embedded.children import run, spawn, stop
from vendorrisk.embedded.guarded_files import open_log, read_text
from vendorrisk.embedded.users import SystemUser, private_folder, system_user

SUPERUSER = "vendorrisk"
_START_SECONDS = 30
_SMALL: Mapping[str, str] = {
    "listen_addresses": "''",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "wal_buffers": "1MB",
    "max_wal_size": "512MB",
    "autovacuum_max_workers": "1",
    "autovacuum_worker_slots": "2",
    "max_parallel_workers_per_gather": "0",
    "max_worker_processes": "2",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
_NEWER_ONLY = {"autovacuum_worker_slots": 18}
_DATABASE = f"""
select 'create database {SUPERUSER}' where not exists (select from pg_database where datname = '{SUPERUSER}') \\gexec
"""


class PostgresError(Exception):
    """The cluster cannot be used. The message says how to solve it."""


class Postgres:
    """A cluster in `data`, with its socket in `run`. `settings` are added to the small ones of embedded mode."""

    name = "postgres"

    def __init__(
        self,
        data: Path,
        run: Path,
        *,
        settings: Mapping[str, str] | None = None,
        user: SystemUser | None = None,
        log: Path | None = None,
    ) -> None:
        self.data, self.run = data, run
        self._settings = settings or {}
        self._user = user or system_user()
        self._log = log or run / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster where it is missing, start it, and return when it accepts connections."""
        private_folder(self.run, self._user)
        programs = postgres_bin(self._user, self.run.parent)
        major = _major_of(programs)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs)
        self._check_major(major)
        self._forget_recycled_pid()
        merged = {**_SMALL, **self._settings}
        options = [
            f"-c{name}={value.strip(chr(39))}" for name, value in merged.items() if major >= _NEWER_ONLY.get(name, 0)
        ]
        with open_log(self._log) as log:
            self._process = spawn(
                [str(programs / "postgres"), "-D", str(self.data), "-k", str(self.run), *options],
                user=self._user,
                log=log,
                # Immediate: a cluster whose supervisor is gone stops at once, and recovers at its next start.
                on_parent_death=signal.SIGQUIT,
                folder=self.run,
            )
        self._wait()
        self._create_database(programs)

    def stop(self) -> None:
        """Shut down fast: open transactions are rolled back, everything committed is on disk."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, 10)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    def dsn(self, database: str = "vendorrisk") -> str:
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={quote(str(self.run))}"

    def _initialise(self, programs: Path) -> None:
        """Make the cluster in a temporary folder and rename it, so that a half-made one is never started."""
        if self.data.exists() and any(self.data.iterdir()):
            raise PostgresError(
                f"{self.data} is no whole cluster of Postgres. Nothing was touched. Put a backup in its place, or move "
                "it away to start with an empty one."
            )
        self.data.parent.mkdir(parents=True, exist_ok=True)
        for left in self.data.parent.glob(".initdb-*"):
            shutil.rmtree(left, ignore_errors=True)
        half = Path(tempfile.mkdtemp(prefix=".initdb-", dir=self.data.parent))
        if self._user is not None:
            os.chown(half, self._user.uid, self._user.gid)
        command = [str(programs / "initdb"), "-D", str(half), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        command += ["--locale=C", "--no-sync", "--no-instructions", "--data-checksums"]
        done = run(command, user=self._user, folder=self.run)
        if done.returncode != 0:
            shutil.rmtree(half, ignore_errors=True)
            raise PostgresError(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-500:]}")
        if self.data.exists():
            self.data.rmdir()
        half.rename(self.data)

    def _create_database(self, programs: Path) -> None:
        """Make the database `dsn` names by default where it is missing: a first start may have been killed before."""
        command = [str(programs / "psql"), "-h", str(self.run), "-U", SUPERUSER, "-d", "postgres", "-qX"]
        done = run([*command, "-v", "ON_ERROR_STOP=1"], user=self._user, folder=self.run, text=_DATABASE)
        if done.returncode != 0:
            raise PostgresError(f"no database could be made: {done.stderr.decode(errors='replace').strip()[-500:]}")

    def _check_major(self, major: int) -> None:
        kept = read_text(self.data / "PG_VERSION").strip()[:20]
        if kept != str(major):
            raise PostgresError(
                f"{self.data} was made by Postgres {kept}, and this is Postgres {major}. Nothing was touched. Start "
                f"Postgres {kept} on it, pg_dump it, and restore the dump into a new data folder."
            )

    def _forget_recycled_pid(self) -> None:
        """Remove a lock file left by a crash whose process number now belongs to another program."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        pid = read_text(lock).split("\n", 1)[0].strip()
        if pid.isdigit() and not _is_postmaster(int(pid), self.data):
            lock.unlink(missing_ok=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running():
                raise PostgresError(f"Postgres did not start; see {self._log}: {last_line(self._log)}")
            if _accepts(self.run / ".s.PGSQL.5432") and "ready" in _status(self.data):
                return
            time.sleep(0.01)
        raise PostgresError(f"Postgres did not accept connections within {_START_SECONDS} s; see {self._log}")


def _status(data: Path) -> str:
    """Return the status line of postmaster.pid: "ready" once connections are accepted."""
    try:
        lines = read_text(data / "postmaster.pid").split("\n")
    except OSError:
        return ""
    return lines[7] if len(lines) > 7 else ""  # noqa: PLR2004 - the eighth line, as pg_ctl reads it


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _is_postmaster(pid: int, data: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\x00")
    except OSError:
        return False
    return b"postgres" in Path(command[0].decode(errors="replace")).name.encode() and str(data).encode() in command


def _major_of(programs: Path) -> int:
    text = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True).stdout.decode()
    return int(text.split()[2].split(".")[0])
