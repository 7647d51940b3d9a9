"""`vendorrisk` as a process of its own, and what the kernel says of it and its children."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from vendorrisk.settings import VARIABLES

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
START_SECONDS = 60  # bounds for a machine that does three other things; a start takes one to four seconds
STOP_SECONDS = 30
_KEY = re.compile(r"vr_key_\S+")


def until(what: Callable[[], T], said: str, seconds: float = 30.0) -> T:
    """Ask until the answer is true, and return it; fails with `said` where it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not (response := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {said}"
        time.sleep(0.02)
    return response


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder that the servers' user can enter (pytest's own is closed to it), in memory where there is some."""
    memory = Path("/dev/shm")  # noqa: S108 - memory is the point
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 1024**3
    folder = Path(tempfile.mkdtemp(prefix="vendorrisk-up-", dir=memory if roomy else None))
    folder.chmod(0o755)
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(**said: str) -> dict[str, str]:
    """Return this process's environment without any setting, but for those that are given by their variables."""
    ours = {*VARIABLES.values(), "PYTHONDONTWRITEBYTECODE"}
    return {**{k: v for k, v in os.environ.items() if k not in ours}, **said}


class Command:
    """A running `vendorrisk …`; its lines are kept as they come."""

    def __init__(self, *arguments: str, settings: Mapping[str, str]) -> None:
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "vendorrisk", *arguments],
            cwd=ROOT,
            env=environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def pid(self) -> int:
        return self.process.pid

    def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for the end and return the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.ended()

    def shut_down(self) -> None:
        """End it whatever it does; its children go with it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Stack(Command):
    """`vendorrisk up`, started and ready."""

    def __init__(self, home: Path, **settings: str) -> None:
        super().__init__("up", settings={"VENDORRISK_HOME": str(home), "PORT": "0", **settings})
        self.home = home
        until(self._told, "vendorrisk up says that it is ready", START_SECONDS)
        self.seconds = time.monotonic() - self.begun

    def _told(self) -> bool:
        assert self.process.poll() is None, f"it ended: {self.text}"
        return any(line.strip().startswith("stop ") for line in self.lines)

    @property
    def address(self) -> str:
        return next(
            line.split()[-1] if line.startswith("  address") else line.split(" at ")[1].split(" ")[0]
            for line in self.lines
            if "is ready at" in line or line.startswith("  address")
        )

    @property
    def key(self) -> str | None:
        found = _KEY.search(self.text)
        return None if found is None else found[0]

    def is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.address}/health/ready", timeout=5).status_code == 200
        return False

    def checks(self) -> dict[str, str]:
        """Return what the readiness response says of each part; empty while nobody answers."""
        with suppress(httpx.TransportError):
            response = httpx.get(f"{self.address}/health/ready", timeout=5).json()
            return dict(response["checks"])
        return {}

    def tree(self) -> list[psutil.Process]:
        return [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]

    def child(self, name: str) -> psutil.Process | None:
        """Return the supervisor's own child: worker, api, postgres or valkey."""
        for process in psutil.Process(self.pid).children():
            with suppress(psutil.NoSuchProcess):
                if name_of(process) == name:
                    return process
        return None


def name_of(process: psutil.Process) -> str:
    """Return what a process of the tree is: up, api, worker, postgres (any of its processes) or valkey."""
    command = process.cmdline()
    if "-m" in command and "vendorrisk" in command:
        return command[command.index("vendorrisk") + 1]
    words = " ".join(command)
    return next((name for name in ("postgres", "valkey") if name in words), words)


def is_alive(process: psutil.Process) -> bool:
    """Say whether it runs: one that has ended and waits for its parent to ask does not."""
    try:
        return process.is_running() and process.status() not in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return False


def listens_on(process: psutil.Process) -> set[str]:
    """Return the TCP addresses a process listens on, by its sockets' numbers in its own /proc/net."""
    sockets = set()
    for handle in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):
            sockets.add(handle.readlink().name.removeprefix("socket:[").rstrip("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process.pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, number = line.split()[:10]
            if state == "0A" and number in sockets:
                host, port = local.split(":")
                found.add(f"{host}:{int(port, 16)}")
    return found


def own_kilobytes(process: psutil.Process) -> int:
    """Return the proportional set size: what is shared counts by its share."""
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
