"""A child's life, from the fork to its end.

It answers with one byte, then, after `=`, the function's result in MessagePack. `m` is out of memory, `!` an
exception.
"""

import os
import signal
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

import msgspec
from msgspec import msgpack

from vendorrisk.sandbox.confinement import confine

OPEN_FILES = 1024
"""The fork server's limit, so that a child knows how far to close."""


class Job(msgspec.Struct, frozen=True):
    """One call of a parser. `target` is `module:function`, `size` the number of bytes that it is given."""

    target: str
    size: int
    cpu_seconds: int
    memory_bytes: int


def live(job: Job, function: Callable[[bytes], Any], conversation: int, parent: int) -> NoReturn:
    """Answer one job by one function, and end. `conversation` is the socket that brings bytes and takes the answer."""
    status = 1
    try:
        _let_go(conversation)
        source = open(conversation, "rb", closefd=False)  # noqa: SIM115 - it is a descriptor, and never closed
        confine(parent, job.cpu_seconds, job.memory_bytes)
        _write(conversation, _answer(function, source, job.size))
        status = 0
    finally:
        os._exit(status)


def _let_go(conversation: int) -> None:
    """Close every descriptor but the conversation, and leave the parser's chatter nowhere to go."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(1, 2)
    os.closerange(3, conversation)
    os.closerange(conversation + 1, OPEN_FILES)


def _answer(function: Callable[[bytes], Any], source: BinaryIO, size: int) -> bytes:
    try:
        payload = source.read(size)
        if len(payload) != size:
            return b"!"
        return b"=" + msgpack.encode(function(payload))
    except MemoryError:
        return b"m"
    except BaseException:  # noqa: BLE001 - whatever a parser raises means the same
        return b"!"


def _write(conversation: int, answer: bytes) -> None:
    view = memoryview(answer)
    while view:
        view = view[os.write(conversation, view) :]
