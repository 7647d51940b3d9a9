"""The service's side of the fork server: one for each process, started at its first job, replaced when it died."""

import atexit
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import msgpack

from vendorrisk.sandbox.child import Job

_PROGRAM: Final = str(Path(__file__).with_name("zygote.py"))
_END_SECONDS: Final = 1.0


class ForkServer:
    """Starts children. Call it from one thread: the kernel ends the fork server with the thread that started it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0

    def start(self, job: Job) -> tuple[socket.socket, socket.socket]:
        """Start a child, and return its conversation and its lifeline. Raises `OSError` if none can be started."""
        conversation, childs_end = socket.socketpair()
        lifeline, servers_end = socket.socketpair()
        try:
            with childs_end, servers_end:
                self._send(msgpack.encode(job), [childs_end.fileno(), servers_end.fileno()])
        except OSError:
            conversation.close()
            lifeline.close()
            raise
        conversation.settimeout(0)
        lifeline.settimeout(0)
        return conversation, lifeline

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self._connected(), [message], descriptors)
        except ConnectionError:
            self.close()  # it died: the next one takes the job
            socket.send_fds(self._connected(), [message], descriptors)

    def _connected(self) -> socket.socket:
        if self._control is None or self._owner != os.getpid():
            self._control = self._started()
            self._owner = os.getpid()
        return self._control

    def _started(self) -> socket.socket:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very package
                [sys.executable, "-I", "-B", _PROGRAM, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={},
                cwd="/",
                start_new_session=True,
            )
        return control

    def close(self, seconds: float = _END_SECONDS) -> None:
        """Let go of the fork server, which ends it and its children. It is killed if it takes longer than that."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None and self._owner == os.getpid():
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            self._process.kill()
            self._process.wait()
            self._process = None


FORK_SERVER: Final = ForkServer()
"""The one of this process: its imports are worth sharing."""

atexit.register(FORK_SERVER.close)
