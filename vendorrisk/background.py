"""How a job is written, and how arq comes to run it.

A job is an order (`send_renewal_notices`) that takes only the `JobContext`, finds its own work, does a bounded slice of
it and returns the amount. It may run twice and may die anywhere: the row is the work, and a claim is a lease that
that runs out. Redis carries nudges ("look now") and nothing else. Losing it costs the time to the next tick.

arq is behind this module alone: its retries are off (the next attempt is a column), its results are not kept, and its
job ids are only a courtesy that keeps two nudges from becoming two runs.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from arq import create_pool, cron
from arq.connections import ArqRedis, RedisSettings
from arq.typing import StartupShutdown
from arq.worker import Worker
from prometheus_client import Counter, Histogram
from redis.exceptions import RedisError

from vendorrisk.clock import Clock, system_clock
from vendorrisk.db.pool import Database
from vendorrisk.egress.pacing import OwnTurns
from vendorrisk.keys import Keyring
from vendorrisk.processes.ticks import Ticks
from vendorrisk.sandbox.running import Sandbox
from vendorrisk.settings import SettingError, Settings
from vendorrisk.storage.vault import EncryptedFileStore

QUEUE = "vendorrisk:jobs"
_CLAIM = "vendorrisk:installation"
REDIS_AWAY = (OSError, RedisError)
"""The errors of the client while Redis is away."""
_NUDGE_SECONDS = 5  # nudges of one job within them are one
_END_SECONDS = 5  # that jobs have to end what they have begun, less than any supervisor grants

RUNS = Counter("vendorrisk_job_runs_total", "Runs of background jobs.", ["job", "outcome"])
HANDLED = Counter("vendorrisk_job_handled_total", "Items handled by background jobs.", ["job"])
SECONDS = Histogram("vendorrisk_job_seconds", "Time of a run.", ["job"])

_log = structlog.get_logger("job")


class JobContext(msgspec.Struct, kw_only=True):
    """The services that jobs use, made once in `worker.py`, or by a test."""

    settings: Settings
    database: Database
    keyring: Keyring
    clock: Clock
    file_store: EncryptedFileStore
    sandbox: Sandbox
    channels: Any = None
    scanner: Any = None  # probes.port.Scanner
    scan_places: Any = None  # queues.places.Places, shared by the runs of a worker
    pacer: Any = None  # egress.pacing.PolitePacer
    lists: Any = None  # signals.feeding.Lists
    store: Any = None  # signals.certificates.TrustStore
    ticks: Ticks | None = None  # set in a worker's process
    nudge: Callable[[Iterable[str]], Awaitable[None]]
    stopping: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """Set when the process is to end. A job then finishes its current items, and begins no new ones."""


Run = Callable[[JobContext], Awaitable[int]]


class Job(msgspec.Struct, frozen=True):
    """A background job: `run` handles one slice and returns how many things it handled. 0 means nothing is left.

    At most `at_once` runs of a job go on beside each other in a worker, so that no job takes every place of the worker.
    A rare job also runs `at_start` of a worker, because a machine that is off at its minute would never run
    it.
    """

    name: str
    run: Run
    every_seconds: int
    timeout_seconds: int = 120
    at_once: int = 1
    at_start: bool = False


async def run_job(job: Job, context: JobContext) -> int:
    """Run slices until nothing is left, half the job's time has passed, or one fails.

    Return how many things were handled.
    """
    if context.ticks is None:
        return await _run(job, context)
    async with context.ticks.of(job.name):
        return await _run(job, context)


async def _run(job: Job, context: JobContext) -> int:
    structlog.contextvars.bind_contextvars(job=job.name, job_run=uuid4().hex)
    loop, handled = asyncio.get_running_loop(), 0
    begun = loop.time()
    try:
        while loop.time() - begun < job.timeout_seconds / 2 and not context.stopping.is_set():
            done = await job.run(context)
            handled += done
            if not done:
                break
    except Exception:
        RUNS.labels(job.name, "failed").inc()
        _log.exception("job_failed", handled=handled)
        raise
    finally:
        SECONDS.labels(job.name).observe(loop.time() - begun)
        HANDLED.labels(job.name).inc(handled)
    RUNS.labels(job.name, "done").inc()
    if handled:
        _log.info("job_done", handled=handled)
    structlog.contextvars.unbind_contextvars("job", "job_run")
    return handled


def redis_settings(url: str) -> RedisSettings:
    """Read REDIS_URL. Raises `SettingError`, without the parser's words, which may hold a part of a password."""
    try:
        settings = RedisSettings.from_dsn(url)
    except (RuntimeError, ValueError):
        raise SettingError(
            "REDIS_URL cannot be read: it takes redis://[user:password@]host:port/number, rediss://… or "
            "unix:///path?db=number, with other characters percent-encoded"
        ) from None
    # No retry here: a nudging caller does not wait, and a supervisor restarts the worker.
    settings.conn_timeout, settings.conn_retries = 2, 0
    return settings


def encode(value: Any) -> bytes:
    """Serialise for arq without pickle. A value without a form in msgpack (an exception) travels as its text."""
    return msgspec.msgpack.encode(value, enc_hook=repr)


def decode(raw: bytes) -> Any:
    return msgspec.msgpack.decode(raw)


async def inspect_redis(url: str) -> dict[str, Any]:
    """Return the server's `INFO`. Raises the client's errors if it cannot be reached."""
    redis = await create_pool(redis_settings(url), default_queue_name=QUEUE)
    try:
        return {**await redis.info("server"), **await redis.info("memory")}
    finally:
        await redis.aclose()


class Nudger:
    """Says "look now" to the workers. A failure is logged and forgotten, because the next tick looks anyway."""

    def __init__(self, url: str, *, clock: Clock = system_clock) -> None:
        self._url, self._clock = url, clock
        self._redis: ArqRedis | None = None
        self._own_turns = OwnTurns()

    async def __call__(self, jobs: Iterable[str]) -> None:
        redis = await self.connected()
        # arq drops an id that waits or runs, and for minutes believes that a killed worker's job still runs.
        moment = int(self._clock().timestamp()) // _NUDGE_SECONDS
        for name in jobs:
            await redis.enqueue_job(name, _job_id=f"nudge:{name}:{moment}")

    async def ping(self) -> None:
        """Return when Redis answers. Raises the client's errors if it does not."""
        await (await self.connected()).ping()

    async def connected(self) -> ArqRedis:
        if self._redis is None:
            self._redis = await create_pool(
                redis_settings(self._url),
                default_queue_name=QUEUE,
                job_serializer=encode,
                job_deserializer=decode,
            )
        return self._redis

    async def claim(self, installation: str, seconds: int) -> str | None:
        """Claim this server for an installation, for a while. Return the other one that has it, None if it is ours.

        Two installations on one server would take each other's ticks and nudges.
        """
        redis = await self.connected()
        if await redis.set(_CLAIM, installation, nx=True, ex=seconds):
            return None
        holder = await redis.get(_CLAIM)
        if holder is not None and holder.decode(errors="replace") != installation:
            return str(holder.decode(errors="replace"))
        await redis.set(_CLAIM, installation, ex=seconds)
        return None

    async def softly(self, jobs: Iterable[str]) -> None:
        """Nudge after a commit. It never fails the request, whose work is already safe."""
        try:
            async with asyncio.timeout(1):
                await self(jobs)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with Redis, the work is safe
            _log.warning("nudge_lost", error=type(error).__name__)

    async def reserve(self, key: str, seconds: float) -> float:
        """Take the next turn of a key among all workers. Return in how many seconds it is.

        While Redis is away each worker keeps turns for itself.
        """
        try:
            async with asyncio.timeout(1):
                redis = await self.connected()
                waits: Any = redis.eval(_NEXT_TURN, 1, f"vendorrisk:turn:{key}", str(int(seconds * 1000)))
            return int(await waits) / 1000
        except Exception:  # noqa: BLE001 - whatever is wrong with Redis, being polite alone will do
            return await self._own_turns(key, seconds)

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None


_NEXT_TURN = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local at = tonumber(redis.call('GET', KEYS[1]) or '0')
if at < now then at = now end
redis.call('SET', KEYS[1], at + ARGV[1], 'PX', at + ARGV[1] - now + 1000)
return at - now
"""
"""Keeps, for a key, the instant (in milliseconds) from which its next turn is free."""


class JobsWorker(Worker):
    """arq's worker, which lets jobs end. It reacts to a signal at once, and ends when Redis goes away."""

    stopping: asyncio.Event

    def begin_nothing_new(self) -> None:
        if not self.stopping.is_set():
            self.stopping.set()
            _log.info("worker_stopping", running=len(self.job_tasks))

    def handle_sig_wait_for_completion(self, signum: signal.Signals) -> None:
        self.begin_nothing_new()
        super().handle_sig_wait_for_completion(signum)

    async def close(self) -> None:
        """Wait for the jobs themselves first, because arq's own writes after each job fail while Redis is away."""
        self.begin_nothing_new()
        if running := list(self.job_tasks.values()):
            await asyncio.wait(running, timeout=_END_SECONDS)
        await super().close()


def arq_worker(
    schedule: Sequence[Job],
    redis_url: str,
    *,
    on_startup: StartupShutdown,
    on_shutdown: StartupShutdown,
    stopping: asyncio.Event | None = None,
) -> Worker:
    """Put arq's worker together: each job as a function (for nudges) and as a cron (for ticks)."""
    functions, crons = [], []
    for job in schedule:
        coroutine = _coroutine(job)
        functions.append(_function(job, coroutine))
        crons.append(
            cron(
                coroutine,
                name=f"tick:{job.name}",
                **_ticks(job),
                timeout=job.timeout_seconds,
                max_tries=1,
                keep_result=0,
                unique=True,
            )
        )
    worker = JobsWorker(
        functions,
        queue_name=QUEUE,
        cron_jobs=crons,
        redis_settings=redis_settings(redis_url),
        on_startup=on_startup,
        on_shutdown=on_shutdown,
        max_jobs=10,
        # Jobs of killed workers stay at the head of the queue for minutes. The others must be seen behind them.
        queue_read_limit=2000,
        max_tries=1,
        retry_jobs=False,
        keep_result=0,
        job_completion_wait=_END_SECONDS,
        handle_signals=True,
        job_serializer=encode,
        job_deserializer=decode,
        health_check_interval=30,
    )
    worker.stopping = stopping or asyncio.Event()
    return worker


def _coroutine(job: Job) -> Any:
    running, is_wanted = 0, False

    async def run(ctx: dict[str, Any]) -> int:
        nonlocal running, is_wanted
        if running >= job.at_once:
            # The nudge's work may have come after the run queried: it runs once more.
            is_wanted = True
            return 0
        running, is_wanted = running + 1, False
        try:
            handled = await run_job(job, ctx["context"])
            return handled + (await run_job(job, ctx["context"]) if is_wanted else 0)
        finally:
            running -= 1

    run.__qualname__ = run.__name__ = job.name
    return run


def _function(job: Job, coroutine: Any) -> Any:
    from arq.worker import func

    return func(coroutine, name=job.name, timeout=job.timeout_seconds, max_tries=1, keep_result=0)


def _ticks(job: Job) -> dict[str, Any]:
    return {**_every(job.every_seconds), "run_at_startup": job.at_start}


def _every(seconds: int) -> dict[str, Any]:
    """Return arq's cron fields for a period that divides a minute, an hour or a day."""
    if seconds < 60:  # noqa: PLR2004 - of a minute, of an hour
        return {"second": set(range(0, 60, seconds))}
    minutes = seconds // 60
    if minutes < 60:  # noqa: PLR2004 - of a minute, of an hour
        return {"minute": set(range(0, 60, minutes)), "second": 0}
    hours = max(1, minutes // 60)
    return {"hour": set(range(0, 24, hours)), "minute": 0, "second": 0}
