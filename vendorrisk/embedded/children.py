"""Starting a process that dies with the one that started it."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from vendorrisk.embedded.users import SystemUser

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def spawn(
    command: Sequence[str],
    *,
    user: SystemUser | None,
    log: IO[bytes] | int,
    on_parent_death: signal.Signals = signal.SIGKILL,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as `user`, in a session of its own, that the kernel signals when this process is gone.

    Call from the main thread: the kernel watches the thread that started the child.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        **_ours(user, environment, on_parent_death),
    )


def run(
    command: Sequence[str],
    *,
    user: SystemUser | None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    text: str = "",
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end as `user`, with `text` as its input. It too dies with this process."""
    return subprocess.run(
        command,
        check=False,
        input=text.encode(),
        capture_output=True,
        cwd=folder,
        **_ours(user, environment, signal.SIGKILL),
    )


def _ours(user: SystemUser | None, environment: Mapping[str, str] | None, death: signal.Signals) -> dict[str, Any]:
    return {
        "user": None if user is None else user.uid,
        "group": None if user is None else user.gid,
        "extra_groups": None if user is None else [],
        "env": None if environment is None else dict(environment),
        "start_new_session": True,
        "preexec_fn": _dies_with(os.getpid(), death),  # runs after the change of user
    }


def _dies_with(parent: int, death: signal.Signals) -> Callable[[], None]:
    def set_death_signal() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death), 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel watched it
            os._exit(1)

    return set_death_signal


def stop(process: subprocess.Popen[bytes], how: signal.Signals, seconds: float) -> None:
    """Ask a child to stop, and kill it where it does not within the time."""
    if process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
