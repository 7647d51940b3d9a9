"""The fork server's whole program: `python -I -B zygote.py control_descriptor service_pid`.

It reads jobs from the service, imports a parser's module when it is first asked for, and forks a child for each job.
It reads none of a job's bytes. Each job comes with two sockets. The conversation goes to the child. The lifeline stays
here: it tells the service the child's exit status, and if the service lets go of it, the child is killed.
"""

import ctypes
import gc
import os
import resource
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parents[2]))

from msgspec import msgpack

from vendorrisk.sandbox.child import OPEN_FILES, Job, live

_PR_SET_PDEATHSIG = 1
_MESSAGE_BYTES = 4096
_NOT_STARTED = 70
_NICENESS = 10  # parsing yields the processor to whoever serves requests


def main() -> None:
    control, service = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    # The service may be process 1 of a container. So its id is told, and not guessed from that number.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != service:
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    for name in (signal.SIGINT, signal.SIGTERM):  # the service ends the fork server, by letting go of it
        signal.signal(name, signal.SIG_IGN)
    os.nice(_NICENESS)
    _Zygote(control).run()


class _Zygote:
    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._parsers: dict[str, Any] = {}
        self._children: dict[int, socket.socket] = {}  # pid → lifeline
        self._pids: dict[int, int] = {}  # lifeline → pid
        self._woken, wake = os.pipe()
        for descriptor in (self._woken, wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)

    def run(self) -> None:
        """Serve until the service lets go of the control socket."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._woken:
                    self._reap()
                elif descriptor in self._pids:
                    self._kill(descriptor)
                elif descriptor == self._control.fileno() and not self._accept():
                    return

    def _accept(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_BYTES, 2)
        if not message:
            return False
        conversation, lifeline = descriptors
        self._start(msgpack.decode(message, type=Job), conversation, socket.socket(fileno=lifeline))
        return True

    def _start(self, job: Job, conversation: int, lifeline: socket.socket) -> None:
        own = os.getpid()
        try:
            function = self._parser(job.target)
            pid = os.fork()
        except Exception:  # noqa: BLE001 - the service hears that this job failed, and the others go on
            sys.excepthook(*sys.exc_info())
            _tell(lifeline, _NOT_STARTED)
            os.close(conversation)
            return
        if pid == 0:
            live(job, function, conversation, own)
        os.close(conversation)
        self._children[pid], self._pids[lifeline.fileno()] = lifeline, pid
        self._poll.register(lifeline, select.POLLIN)

    def _parser(self, target: str) -> Any:
        found = self._parsers.get(target)
        if found is None:
            module, _, name = target.partition(":")
            found = self._parsers[target] = getattr(import_module(module), name)
            gc.collect()
            gc.freeze()  # a child's collector must not touch, and so copy, these pages
        return found

    def _kill(self, descriptor: int) -> None:
        """Kill the child of a job that is no longer wanted. It cannot be another process: it was not reaped yet."""
        os.kill(self._pids[descriptor], signal.SIGKILL)
        self._poll.unregister(descriptor)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, _MESSAGE_BYTES)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            lifeline = self._children.pop(pid)
            del self._pids[lifeline.fileno()]
            with suppress(KeyError):
                self._poll.unregister(lifeline)
            _tell(lifeline, os.waitstatus_to_exitcode(status))


def _tell(lifeline: socket.socket, status: int) -> None:
    with lifeline, suppress(OSError):
        lifeline.send(struct.pack("=i", status))


if __name__ == "__main__":
    main()
