"""`vendorrisk up`: servers, migrations, API and worker as children of one small process.

The supervisor imports neither the web framework nor a database driver: it must stay small and simple. Work that needs
them (`prepare`: migrations and the first tenant) runs as a child too.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Protocol

import msgspec

from vendorrisk.embedded.child_logs import ConsoleMessages, last_line
from vendorrisk.embedded.children import run, spawn, stop
from vendorrisk.embedded.guarded_files import open_log, rotate
from vendorrisk.embedded.home import Home, complete, free_port, open_home
from vendorrisk.embedded.reach import away, holder, taken
from vendorrisk.embedded.readiness import checks, is_ready
from vendorrisk.embedded.users import SystemUser, can_reach
from vendorrisk.settings import FILE_SUFFIX, VARIABLES, Settings, local_url

_LOOK_SECONDS = 0.1
_READY_SECONDS = 30
_LOG_BYTES = 10 * 1024 * 1024
_LOOKS_BETWEEN_ROTATIONS = 300
_DRAIN_SECONDS = 10
_ENOUGH_FAILURES = 2  # of a worker that is being started: then it is said to be missing, and tried on


class StartError(Exception):
    """The stack cannot be started. The message says how to solve it."""


class Runs(Protocol):
    """A process that the supervisor keeps running."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def is_running(self) -> bool: ...


class Program:
    """The API or the worker: this package, run as a child."""

    def __init__(self, name: str, home: Home, environment: dict[str, str], user: SystemUser | None) -> None:
        self._name, self._home, self._environment, self._user = name, home, environment, user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with open_log(self._home.logs / f"{self._name}.log") as log:
            command = [sys.executable, "-m", "vendorrisk", self._name]
            self._process = spawn(command, user=self._user, log=log, environment=self._environment)

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, signal.SIGTERM, _DRAIN_SECONDS)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None


class SupervisedChild(msgspec.Struct):
    """A child, and when it may be started again."""

    name: str
    child: Runs
    failures: int = 0
    next_at: float = 0.0
    started_at: float = 0.0


class Prepared(msgspec.Struct, frozen=True):
    """What `prepare` did. `key` is the first admin key, only where the first tenant was just made."""

    applied: list[str]
    key: str | None = None


class Supervisor:
    """Starts all processes in order, restarts dead ones, and stops all in the opposite order."""

    def __init__(self, settings: Settings, say: Callable[[str], None], *, port_is_given: bool) -> None:
        self._say = say
        self._home = open_home(settings)
        self._lock = self._home.lock()
        embedded = complete(settings, self._home)
        self._servers = embedded.servers
        port = self._free_port(settings, is_given=port_is_given)
        public = local_url(port) if settings.public_url == local_url(settings.port) else settings.public_url
        self._settings = msgspec.structs.replace(embedded.settings, port=port, public_url=public)
        self._address = f"http://{_in_address(settings.host)}:{port}"
        self._children: list[SupervisedChild] = []
        self._console = ConsoleMessages(self._home.logs / "worker.log")
        self._stopping = False

    def _free_port(self, settings: Settings, *, is_given: bool) -> int:
        """Return the port of the API. A given one that is in use is refused, a default one makes room."""
        port = free_port(settings.host, settings.port)
        if port == settings.port or not settings.port:
            return port
        by = holder(settings.port)
        if is_given:
            raise StartError(f"PORT {settings.port} is in use by {by}. Stop that, or set PORT to a free one.")
        self._say(f"port {settings.port} is in use by {by}, so the API listens on port {port}")
        return port

    def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        try:
            self._start()
            looks = 0
            while not self._stopping:
                time.sleep(_LOOK_SECONDS)
                self._look()
                looks += 1
                if looks % _LOOKS_BETWEEN_ROTATIONS == 0:
                    self._rotate()
        finally:
            self._stop()

    def _start(self) -> None:
        begun = time.monotonic()
        self._check_addresses()
        for server in self._servers:
            self._keep(server.name, server)
        environment = _environment(self._settings)
        user = self._program_user()
        api = Program("api", self._home, environment, user)
        is_ours = any(server.name == "postgres" for server in self._servers)
        if is_ours:
            # The API needs as long to load as the database to be prepared, and says that it is not ready until it is.
            self._keep("api", api)
        if (key := self._prepare(environment, user).key) is not None:
            # At once: the key is made once, and must not be lost if the start fails later.
            self._say(f"first admin key, shown this once: {key}")
        if not is_ours:
            self._keep("api", api)
        self._keep("worker", Program("worker", self._home, environment, user), at=len(self._servers))
        if self._became_ready():
            self._tell(self._no_worker(), time.monotonic() - begun)

    def _check_addresses(self) -> None:
        """Refuse before anything is started: a server that is away, a port in use. Only messages and files may wait."""
        for one in away(self._settings_given()):
            if one.is_needed:
                raise StartError(one.said)
            self._say(f"{one.said}. Everything else starts.")
        for field in ("api_metrics_port", "worker_metrics_port"):
            port, host = getattr(self._settings, field), self._settings.metrics_host
            if port and (reason := taken(host, port)):
                raise StartError(f"{VARIABLES[field]}: {host} port {port} cannot be had ({reason}). Set a free one.")

    def _settings_given(self) -> Settings:
        """Return the settings without the addresses of our own servers, which do not run yet."""
        ours = {"postgres": "database_url", "valkey": "redis_url"}
        return msgspec.structs.replace(self._settings, **{ours[server.name]: "" for server in self._servers})

    def _program_user(self) -> SystemUser | None:
        """Drop API and worker from root too, where that user can reach this code."""
        user = self._home.user
        if user is None or (can_reach(Path(sys.executable), user) and can_reach(Path(__file__), user)):
            return user
        self._say(
            "API and worker run as root, because only root can enter the folder of this checkout or of its Python. "
            "Have both where others may read, such as /opt, to let them run as an ordinary user."
        )
        return None

    def _prepare(self, environment: dict[str, str], user: SystemUser | None) -> Prepared:
        done = run([sys.executable, "-m", "vendorrisk", "prepare"], user=user, environment=environment)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().removeprefix("vendorrisk: ")
            raise StartError(said or "the database could not be prepared")
        return msgspec.json.decode(done.stdout, type=Prepared)

    def _keep(self, name: str, child: Runs, *, at: int | None = None) -> None:
        """Start a child and keep it running. `at` is its place among the others, which end in the opposite order."""
        child.start()
        self._children.insert(
            len(self._children) if at is None else at, SupervisedChild(name, child, started_at=time.monotonic())
        )

    def _look(self) -> None:
        """Restart dead processes, each time with a longer delay if one dies soon. Show the console's messages."""
        for message in self._console.new():
            self._say(message)
        now = time.monotonic()
        for kept in self._children:
            if kept.child.is_running():
                continue
            if kept.next_at == 0.0:
                kept.failures = 0 if now - kept.started_at > 60 else kept.failures + 1  # noqa: PLR2004 - it held for a minute
                kept.next_at = now + min(0.2 * 2 ** max(0, kept.failures - 1), 10)
                self._say(f"{kept.name} stopped, starting it again{self._reason(kept.name)}")
            elif now >= kept.next_at:
                kept.next_at, kept.started_at = 0.0, now
                try:
                    kept.child.start()
                except Exception as error:  # noqa: BLE001 - it is tried again, and the operator is told
                    self._say(f"{kept.name} did not start: {error}")

    def _reason(self, name: str) -> str:
        """Return the last line of a child, and where the others are."""
        log = self._home.logs / f"{name}.log"
        said = last_line(log)
        return (f": {said}" if said else "") + f" (see {log})"

    def _became_ready(self) -> bool:
        """Wait for the API. False where a signal ended the wait."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and not self._stopping:
            if is_ready(self._settings.host, self._settings.port):
                return True
            self._look()
            time.sleep(0.02)
        if not self._stopping:
            raise StartError(f"the API did not become ready{self._reason('api')}")
        return False

    def _no_worker(self) -> str | None:
        """Wait for the first sign of the worker. Return why there is none: it ended twice, or it is silent."""
        deadline = time.monotonic() + _READY_SECONDS
        worker = next(kept for kept in self._children if kept.name == "worker")
        while time.monotonic() < deadline and not self._stopping and worker.failures < _ENOUGH_FAILURES:
            if checks(self._settings.host, self._settings.port).get("worker") == "ok":
                return None
            self._look()
            time.sleep(0.05)
        return self._reason("worker")

    def _tell(self, no_worker: str | None, seconds: float) -> None:
        if self._stopping:
            return
        lines = [f"vendorrisk is ready at {self._address} ({seconds:.1f} s)"]
        if no_worker is not None:
            lines = [f"vendorrisk is ready, but no worker{no_worker}", f"  address        {self._address}"]
        lines += [f"  API document   {self._address}/docs"]
        lines += [
            f"  data folder    {self._home.path}",
            f"  logs           {self._home.logs}",
            "  stop           Ctrl-C, or SIGTERM to process " + str(os.getpid()),
        ]
        if self._servers:
            lines.append(
                "  embedded Postgres and Valkey: for evaluation; set DATABASE_URL and REDIS_URL for real servers"
            )
        self._say("\n".join(lines))

    def _rotate(self) -> None:
        for name in ("api", "worker", *(server.name for server in self._servers)):
            with suppress(OSError):
                rotate(self._home.logs / f"{name}.log", _LOG_BYTES)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _stop(self) -> None:
        """Callers first, then workers, then servers."""
        for kept in reversed(self._children):
            kept.child.stop()
        self._lock.close()


def _in_address(host: str) -> str:
    """Return the host as a browser of this machine opens it."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with every setting said."""
    names = {name + suffix for name in VARIABLES.values() for suffix in ("", FILE_SUFFIX)}
    kept = {k: v for k, v in os.environ.items() if k not in names}
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
    # Beside the package, so that a checkout runs without being installed.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]))
    return {**kept, **said, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def up(settings: Settings, say: Callable[[str], None], *, port_is_given: bool = True) -> None:
    Supervisor(settings, say, port_is_given=port_is_given).run()
