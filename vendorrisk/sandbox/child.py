"""A child's life, from the fork to its end.

It answers with one byte, then, after `=`, the function's result in MessagePack. `m` is out of memory, `!` an
exception. A generator's items are written one after the other as they come, each after its length. A length of 0 and
that byte end them.
"""

import os
import signal
import struct
from collections.abc import Callable, Iterator
from inspect import isgeneratorfunction
from typing import Any, BinaryIO, Final, NoReturn

import msgspec
from msgspec import msgpack

from vendorrisk.sandbox.confinement import confine

OPEN_FILES = 1024
"""The fork server's limit, so that a child knows how far to close."""
LENGTH: Final = struct.Struct("=I")
END: Final = LENGTH.pack(0)


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
        for piece in (_items if isgeneratorfunction(function) else _answer)(function, source, job.size):
            _write(conversation, piece)
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


def _answer(function: Callable[[bytes], Any], source: BinaryIO, size: int) -> Iterator[bytes]:
    try:
        yield b"=" + msgpack.encode(function(_payload(source, size)))
    except MemoryError:
        yield b"m"
    except BaseException:  # noqa: BLE001 - whatever a parser raises means the same
        yield b"!"


def _items(function: Callable[[bytes], Any], source: BinaryIO, size: int) -> Iterator[bytes]:
    try:
        for item in function(_payload(source, size)):
            encoded = msgpack.encode(item)
            yield LENGTH.pack(len(encoded))
            yield encoded
        yield END + b"="
    except MemoryError:
        yield END + b"m"
    except BaseException:  # noqa: BLE001 - whatever a parser raises means the same
        yield END + b"!"


def _payload(source: BinaryIO, size: int) -> bytes:
    payload = source.read(size)
    if len(payload) != size:
        raise EOFError
    return payload


def _write(conversation: int, answer: bytes) -> None:
    view = memoryview(answer)
    while view:
        view = view[os.write(conversation, view) :]
