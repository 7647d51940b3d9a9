"""Parsers that behave well or badly; each runs in a child."""

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import threading
from pathlib import Path

import msgspec


class Counted(msgspec.Struct):
    size: int
    environment: list[str]


def count(payload: bytes) -> Counted:
    sys.stdout.write("a parser's own chatter")
    sys.stdout.flush()
    return Counted(len(payload), sorted(os.environ))


def spin(payload: bytes) -> int:
    while payload is not None:
        pass
    return 0


def wait(payload: bytes) -> int:
    """Wait for ever, without work."""
    lock = threading.Lock()
    while lock.acquire():
        pass
    return len(payload)


def eat(payload: bytes) -> int:
    eaten = [payload]
    while True:
        eaten.append(bytes(50_000_000))


def fault(payload: bytes) -> int:
    os.kill(os.getpid(), 0) if not payload else os.abort()
    return 0


def leave(_: bytes) -> int:
    os._exit(3)


def wrong(payload: bytes) -> int:
    raise KeyError(payload)


def swell(payload: bytes) -> bytes:
    return payload * 100


def lie(_: bytes) -> int:
    return "text"  # type: ignore[return-value] # that is the lie


def trespass(payload: bytes) -> list[str]:
    """Try what a parser has no business with; return what worked."""
    worked = []
    attempts = {
        "read a file": lambda: Path("/etc/hostname").read_bytes(),
        "write a file": lambda: Path(payload.decode()).write_text("x"),
        "remove a file": lambda: Path(payload.decode()).unlink(),
        "open a socket": socket.socket,
        "pair sockets": socket.socketpair,
        "start a process": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "fork": _fork,
        "kill the parent": lambda: os.kill(os.getppid(), 0),
        "look into the parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except OSError:
            continue
        worked.append(name)
    return worked


_LIBC = ctypes.CDLL(None, use_errno=True)


def calls(payload: bytes) -> list[int]:
    """Make every call of 0 to 600 but those named, with arguments that none can use. Return those that were allowed."""
    named = set(struct.unpack(f"={len(payload) // 4}I", payload))
    passed = []
    for number in range(601):
        if number in named:
            continue
        ctypes.set_errno(0)
        if _LIBC.syscall(number, -1, -1, -1, -1, -1, -1) != -1 or ctypes.get_errno() != errno.EPERM:
            passed.append(number)
    return passed


def memory(_: bytes) -> list[str]:
    """Ask for memory that would bring code or escape the limit. Return what was given."""
    given = []
    for name, protection, flags in (
        ("code", mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS),
        ("shared", mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
    ):
        try:
            mmap.mmap(-1, 4096, flags=flags, prot=protection)
        except OSError:
            continue
        given.append(name)
    return given


def descriptors(_: bytes) -> list[int]:
    """Write to every descriptor there could be. Return those that took it, but for the three of chatter."""
    taken = []
    for number in range(3, 1100):
        try:
            os.write(number, b"")
        except OSError:
            continue
        taken.append(number)
    return taken


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def hold(payload: bytes) -> int:
    return len(bytearray(int(payload)))
