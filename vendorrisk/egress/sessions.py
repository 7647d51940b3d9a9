"""A session: for its length, DNS answers are cached and connections reused.

A domain scan sends the same few hosts many requests within a minute. Inside a session each name is looked up and vetted
once, so that all requests reach one place, and one handshake serves all requests to an origin. Politeness still counts
requests. Outside of a session, each request resolves, vets and dials again.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from contextvars import ContextVar

import httpcore
import msgspec

from vendorrisk.egress.dns_messages import Answer

IDLE_SECONDS = 30.0
_REMEMBERED_SECONDS = 60.0


class IdleConnection(msgspec.Struct, frozen=True):
    """An idle connection and the literal address it reached, which was vetted when it was made."""

    connection: httpcore.AsyncHTTPConnection
    address: str


class Session:
    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Answer]] = {}
        self._kept: dict[Hashable, list[IdleConnection]] = {}
        self.is_over = False

    def answer(self, question: Hashable) -> Answer | None:
        """Return the answers of the last minute."""
        at, answer = self._answers.get(question, (0.0, None))
        return answer if answer is not None and _now() - at < _REMEMBERED_SECONDS else None

    def remember(self, question: Hashable, answer: Answer) -> None:
        self._answers[question] = _now(), answer

    def kept(self, origin: Hashable) -> list[IdleConnection]:
        """Return the idle connections of an origin, to take from and add to."""
        return self._kept.setdefault(origin, [])

    async def aclose(self) -> None:
        """Close all kept connections, even if the waiting task is cancelled."""
        self.is_over = True
        await asyncio.shield(self._close())

    async def _close(self) -> None:
        while self._kept:
            for one in self._kept.popitem()[1]:
                await one.connection.aclose()


_current: ContextVar[Session | None] = ContextVar("_current", default=None)


@asynccontextmanager
async def session() -> AsyncIterator[None]:
    """Make this task's requests inside the block one session."""
    mine = Session()
    token = _current.set(mine)
    try:
        yield
    finally:
        _current.reset(token)
        await mine.aclose()


def current() -> Session | None:
    """Return this task's session. A task that outlives its session has none."""
    session = _current.get()
    return None if session is None or session.is_over else session


def _now() -> float:
    return asyncio.get_running_loop().time()
