"""Parsers that behave well or badly; each runs in a child."""

import os
import socket
import sys
import time
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


def sleep(payload: bytes) -> int:
    time.sleep(len(payload))
    return 0


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


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
