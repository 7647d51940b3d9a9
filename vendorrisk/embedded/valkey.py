"""One Redis-protocol server on a unix socket."""

import signal
import socket
import subprocess
import time
from pathlib import Path

from vendorrisk.embedded.binaries import valkey_program
from vendorrisk.embedded.children import spawn, stop
from vendorrisk.embedded.guarded_files import open_log
from vendorrisk.embedded.users import SystemUser, private_folder, system_user

_START_SECONDS = 10


class ValkeyError(Exception):
    """The server did not start. The message says where its log is."""


class Valkey:
    """A server with its files in `data` and its socket in `run`. With `persist`, queued nudges survive a SIGKILL."""

    name = "valkey"

    def __init__(
        self,
        data: Path,
        run: Path,
        *,
        persist: bool,
        user: SystemUser | None = None,
        log: Path | None = None,
    ) -> None:
        self.data, self.run, self._persist = data, run, persist
        self._user = user or system_user()
        self._log = log or run / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.run / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    def start(self) -> None:
        """Start the server and return when it answers."""
        private_folder(self.run, self._user)
        private_folder(self.data, self._user)
        self.socket.unlink(missing_ok=True)
        program = valkey_program(self._user, self.run.parent)
        command = [str(program), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self.data), "--save", "", "--maxmemory", "64mb", "--databases", "16"]
        command += ["--appendonly", "yes" if self._persist else "no", "--appendfsync", "everysec"]
        with open_log(self._log) as log:
            self._process = spawn(command, user=self._user, log=log, folder=self.data)
        self._wait()

    def stop(self) -> None:
        if self._process is not None:
            stop(self._process, signal.SIGTERM, 5)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running():
                raise ValkeyError(f"the Redis-protocol server did not start; see {self._log}")
            if _answers(self.socket):
                return
            time.sleep(0.01)
        raise ValkeyError(f"the Redis-protocol server did not answer within {_START_SECONDS} s; see {self._log}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        except OSError:
            return False
