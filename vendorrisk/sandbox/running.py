"""The one way in: a parser's call becomes a child's life, and comes back as a result or a reason."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from signal import SIGKILL, SIGXCPU
from typing import Final, NamedTuple, TypeVar, get_type_hints

import msgspec

from vendorrisk.fair_places import FairPlaces, NoPlaceError
from vendorrisk.sandbox.child import Job
from vendorrisk.sandbox.fork_server import FORK_SERVER
from vendorrisk.sandbox.slots import API_ROOM, SMALL_BYTES, WORKER_ROOM, Room
from vendorrisk.sandbox.spool import Spool

T = TypeVar("T")
_PIECE: Final = 1 << 16
_WRITTEN_AT_ONCE: Final = 1 << 20
_STATUS: Final = struct.Struct("=i")
_END_SECONDS: Final = 5.0


class Reason(StrEnum):
    """Why there is no answer: the closed list."""

    TIMED_OUT = "timed_out"
    MEMORY = "memory"
    CRASHED = "crashed"
    TOO_LARGE = "too_large"
    BUSY = "busy"


class SandboxError(Exception):
    """The parser gave no answer.

    `died` is True if it neither answered nor raised: a library in C or Rust aborts if it gets no memory.
    """

    def __init__(self, reason: Reason, *, died: bool = False) -> None:
        super().__init__(reason.value)
        self.reason, self.died = reason, died


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one run. `memory_bytes` includes the input, and chooses the slot. A room has less for a large run.

    `wall_seconds` counts from the slot, and is the bound on a child that waits instead of working.
    """

    cpu_seconds: int = 20
    wall_seconds: float = 40.0
    memory_bytes: int = WORKER_ROOM.large_bytes
    answer_bytes: int = 16 << 20


class Input(NamedTuple):
    """A large input that comes in pieces. Together they have `size` bytes."""

    size: int
    pieces: AsyncIterator[bytes]

    @classmethod
    def of(cls, content: bytes) -> "Input":
        return cls(len(content), _once(content))


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


DEFAULT_LIMITS: Final = Limits()
SMALL: Final = Limits(cpu_seconds=2, wall_seconds=10.0, memory_bytes=SMALL_BYTES, answer_bytes=4 << 20)
"""Limits for a page, a list or an answer of a few megabytes at most."""


class Sandbox:
    """Runs parsers, a bounded number at once. The others wait in turns, and fail as `busy` if that takes too long."""

    def __init__(self, room: Room = WORKER_ROOM, queue_seconds: float = 30.0) -> None:
        self._room = room
        self._small, self._large = FairPlaces(room.small, share=room.share), FairPlaces(1)
        self._queue_seconds = queue_seconds

    async def run(
        self,
        parser: Callable[[bytes], T],
        payload: bytes,
        limits: Limits = DEFAULT_LIMITS,
        *,
        on_behalf_of: Hashable = None,
    ) -> T:
        """Return the parser's result for these bytes. Any fault of the parser raises `SandboxError`.

        `parser` is a module-level function with an annotated result. Callers take turns by `on_behalf_of`, such as a
        tenant's id.
        """
        expected: type[T] = get_type_hints(parser)["return"]
        async with self._slot(limits, on_behalf_of):
            answer = _Answer(limits.answer_bytes)
            status = await _lived(self._job(parser, len(payload), limits), _once(payload), limits, answer)
        try:
            return msgspec.msgpack.decode(_evaluated(answer.mark, answer.content, status), type=expected)
        except (msgspec.DecodeError, RecursionError):
            raise SandboxError(Reason.CRASHED) from None

    async def spool(
        self,
        parser: Callable[[bytes], Iterator[T]],
        load: Callable[[], Awaitable[Input]],
        spool: Spool,
        limits: Limits = DEFAULT_LIMITS,
        *,
        on_behalf_of: Hashable = None,
    ) -> None:
        """Write the parser's items to `spool` as they come. Any fault of the parser raises `SandboxError`.

        `parser` is a generator function. The input is loaded when a slot is free, so that of many large inputs one is
        under way, and only a piece of it in memory.
        """
        async with self._slot(limits, on_behalf_of):
            loaded = await load()
            job = self._job(parser, loaded.size, limits)
            status = await _lived(job, loaded.pieces, limits, _Spooled(spool, limits))
        _evaluated(spool.ending(), b"", status)

    @asynccontextmanager
    async def _slot(self, limits: Limits, key: Hashable) -> AsyncIterator[None]:
        slots = self._small if limits.memory_bytes <= SMALL_BYTES else self._large
        try:
            await slots.take(key, self._queue_seconds)
        except NoPlaceError:
            raise SandboxError(Reason.BUSY) from None
        try:
            yield
        finally:
            slots.give_back(key)

    def _job(self, parser: Callable[[bytes], object], size: int, limits: Limits) -> Job:
        return Job(
            target=f"{parser.__module__}:{parser.__qualname__}",
            size=size,
            cpu_seconds=limits.cpu_seconds,
            memory_bytes=min(limits.memory_bytes, self._room.large_bytes),
        )


API_SANDBOX: Final = Sandbox(API_ROOM)
"""The API's one. A worker's stands in its `JobContext`."""


class _Answer:
    """Holds an answer in memory, within a bound: its first byte, and the content after it."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, bytearray()

    async def take(self, piece: bytes) -> None:
        self._taken += piece
        if len(self._taken) > self._most + 1:
            raise SandboxError(Reason.TOO_LARGE)

    async def end(self) -> None:
        """Do nothing: it is all here."""

    @property
    def mark(self) -> bytes:
        return bytes(self._taken[:1])

    @property
    def content(self) -> bytes:
        return bytes(self._taken[1:])


class _Spooled:
    """Passes an answer on to a spool, within a bound."""

    def __init__(self, spool: Spool, limits: Limits) -> None:
        self._spool, self._most, self._held = spool, limits.answer_bytes, bytearray()

    async def take(self, piece: bytes) -> None:
        self._held += piece
        if self._spool.size + len(self._held) > self._most:
            raise SandboxError(Reason.TOO_LARGE)
        if len(self._held) >= _WRITTEN_AT_ONCE:
            await self.end()

    async def end(self) -> None:
        """Write the rest."""
        held, self._held = bytes(self._held), bytearray()
        await asyncio.to_thread(self._spool.write, held)


async def _lived(job: Job, pieces: AsyncIterator[bytes], limits: Limits, answer: _Answer | _Spooled) -> int | None:
    """Start a child, feed it, take its answer, and return its exit status when it is gone."""
    try:
        conversation, lifeline = FORK_SERVER.start(job)
    except OSError:
        raise SandboxError(Reason.CRASHED) from None
    with conversation, lifeline:
        try:
            async with asyncio.timeout(limits.wall_seconds):
                await _exchanged(conversation, pieces, answer)
                return await _status(lifeline)
        except TimeoutError:
            raise SandboxError(Reason.TIMED_OUT) from None
        finally:
            await _ended(lifeline)


async def _exchanged(conversation: socket.socket, pieces: AsyncIterator[bytes], answer: _Answer | _Spooled) -> None:
    loop = asyncio.get_running_loop()
    feeding = asyncio.create_task(_feed(conversation, pieces))
    try:
        with suppress(ConnectionError):  # a child that died with bytes unread
            while piece := await loop.sock_recv(conversation, _PIECE):
                await answer.take(piece)
        await answer.end()
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def _feed(conversation: socket.socket, pieces: AsyncIterator[bytes]) -> None:
    loop = asyncio.get_running_loop()
    try:
        async for piece in pieces:
            await loop.sock_sendall(conversation, piece)
    except ConnectionError:
        return  # a dead child accepts no more input. The reason shows in its exit status
    finally:
        with suppress(OSError):
            conversation.shutdown(socket.SHUT_WR)  # there is no more: the child need not wait


async def _status(lifeline: socket.socket) -> int | None:
    """Return the child's exit status. None if the fork server itself is gone, and the child with it."""
    with suppress(ConnectionError):
        told = await asyncio.get_running_loop().sock_recv(lifeline, _STATUS.size)
        return int(_STATUS.unpack(told)[0]) if told else None
    return None


async def _ended(lifeline: socket.socket) -> None:
    """Have the child killed if it lives, and return when it is gone: its memory counts until then.

    A fork server that does not answer is ended. The next job starts another.
    """
    try:
        lifeline.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_END_SECONDS):
            await asyncio.get_running_loop().sock_recv(lifeline, _STATUS.size)
    except TimeoutError:
        FORK_SERVER.close(seconds=0)
    except OSError:
        return


def _evaluated(mark: bytes, content: bytes, status: int | None) -> bytes:
    if status == 0 and mark == b"=":
        return content
    if status == -SIGXCPU:
        raise SandboxError(Reason.TIMED_OUT)
    # SIGKILL that was not ours is the kernel's, for want of memory.
    if mark == b"m" or status == -SIGKILL:
        raise SandboxError(Reason.MEMORY)
    raise SandboxError(Reason.CRASHED, died=not mark)
