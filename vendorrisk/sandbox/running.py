"""Starts the child and waits for it, no longer than it may take."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar, get_type_hints

import msgspec

T = TypeVar("T")
_PROGRAM: Final = str(Path(__file__).with_name("child.py"))
_PIECE: Final = 1 << 16


class Reason(StrEnum):
    """Why there is no answer: the closed list."""

    TIMED_OUT = "timed_out"
    MEMORY = "memory"
    CRASHED = "crashed"
    TOO_LARGE = "too_large"
    BUSY = "busy"


class SandboxError(Exception):
    """The parser gave no answer."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one run. `memory_bytes` is address space, of which an idle child needs some 100 MB."""

    cpu_seconds: int = 20
    wall_seconds: float = 40.0
    memory_bytes: int = 1 << 30
    answer_bytes: int = 16 << 20


DEFAULT_LIMITS: Final = Limits()


class Sandbox:
    """Runs parsers, a bounded number at once. The others wait, and fail as `busy` if that takes too long."""

    def __init__(self, at_once: int = 2, queue_seconds: float = 30.0) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._queue_seconds = queue_seconds

    async def run(self, parser: Callable[[bytes], T], payload: bytes, limits: Limits = DEFAULT_LIMITS) -> T:
        """Return the parser's result for these bytes. Any fault of the parser raises `SandboxError`.

        `parser` is a module-level function with an annotated result.
        """
        expected: type[T] = get_type_hints(parser)["return"]
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise SandboxError(Reason.BUSY) from None
        try:
            answer = await _answer(f"{parser.__module__}:{parser.__qualname__}", payload, limits)
        finally:
            self._slots.release()
        try:
            return msgspec.msgpack.decode(answer, type=expected)
        except msgspec.DecodeError:
            raise SandboxError(Reason.CRASHED) from None


async def _answer(target: str, payload: bytes, limits: Limits) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-B", _PROGRAM, target, str(limits.cpu_seconds), str(limits.memory_bytes)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limits.wall_seconds):
            answer = await _exchanged(process, payload, limits.answer_bytes)
            await process.wait()
    except TimeoutError:
        raise SandboxError(Reason.TIMED_OUT) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return _evaluated(answer, process.returncode)


async def _exchanged(process: asyncio.subprocess.Process, payload: bytes, limit: int) -> bytes:
    feeding = asyncio.create_task(_feed(process, payload))
    try:
        answer = bytearray()
        assert process.stdout is not None  # noqa: S101 - asked for above
        while piece := await process.stdout.read(_PIECE):
            answer += piece
            if len(answer) > limit + 1:
                raise SandboxError(Reason.TOO_LARGE)
        return bytes(answer)
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def _feed(process: asyncio.subprocess.Process, payload: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for above
    # A dead child accepts no more input. The reason shows in its exit status.
    with suppress(ConnectionError):
        process.stdin.write(payload)
        await process.stdin.drain()
    process.stdin.close()


def _evaluated(answer: bytes, status: int | None) -> bytes:
    if status == 0 and answer.startswith(b"="):
        return answer[1:]
    if status == -signal.SIGXCPU:
        raise SandboxError(Reason.TIMED_OUT)
    # SIGKILL that was not ours is the kernel's, for want of memory.
    if answer == b"m" or status == -signal.SIGKILL:
        raise SandboxError(Reason.MEMORY)
    raise SandboxError(Reason.CRASHED)
