"""The worker: jobs run by tick and by nudge, and nothing depends on Redis remembering."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from arq.connections import ArqRedis
from arq.worker import Worker

from tests.client import Client
from tests.conftest import FakeClock
from tests.embedded.make import Command, until
from vendorrisk import worker
from vendorrisk.background import QUEUE, Job, JobContext, Nudger, arq_worker, run_job
from vendorrisk.db.pool import Database
from vendorrisk.embedded.home import free_port
from vendorrisk.errors import Refusal
from vendorrisk.settings import VARIABLES, Settings

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def working(context: JobContext, *jobs: Job) -> AsyncIterator[Worker]:
    """Run a worker of these jobs meanwhile. It hears nobody else's nudges, and takes nothing new while it is closed."""

    async def start(ctx: dict[str, object]) -> None:
        ctx["context"] = context

    async def stop(_context: dict[str, object]) -> None:
        pass

    made = arq_worker(jobs, context.settings.redis_url, on_startup=start, on_shutdown=stop)
    running = asyncio.create_task(made.async_run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await made.close()


async def emptied(nudger: Nudger) -> ArqRedis:
    """Return Redis without what earlier tests have said: a worker would take it up, and know none of it."""
    redis = await nudger.connected()
    await redis.delete(QUEUE)
    return redis


async def test_stored_responses_are_forgotten_after_a_day_and_not_before(
    client: Client, context: JobContext, clock: FakeClock
) -> None:
    body = {"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}
    await client.post("/v1/members", body, headers={"idempotency-key": "k"})
    clock.advance(hours=23)
    assert await worker.forget_old_responses(context) == 0
    clock.advance(hours=2)
    assert await worker.forget_old_responses(context) == 1
    assert await worker.forget_old_responses(context) == 0


async def test_a_nudge_runs_the_job_and_leaves_nothing_behind_in_redis(context: JobContext) -> None:
    ran = asyncio.Event()

    async def note(_context: JobContext) -> int:
        ran.set()
        return 0

    name = f"job-{uuid4().hex}"
    nudger = Nudger(context.settings.redis_url)
    redis = await emptied(nudger)
    await nudger([name])
    assert [key async for key in redis.scan_iter(f"*{name}*")] != [], "said, and not yet heard"
    async with working(context, Job(name, note, 86400)):
        await asyncio.wait_for(ran.wait(), 10)
    assert [key async for key in redis.scan_iter(f"*{name}*")] == []
    assert (await redis.zscan(QUEUE, match=f"*{name}*"))[1] == []
    await nudger.close()


async def test_a_job_that_is_due_seldom_runs_as_a_worker_starts_too(context: JobContext) -> None:
    seldom, ran = [], asyncio.Event()

    async def note(_context: JobContext) -> int:
        ran.set()
        return 0

    async def never(_context: JobContext) -> int:
        seldom.append("ran")
        return 0

    jobs = [Job(f"job-{uuid4().hex}", note, 86400, at_start=True), Job(f"job-{uuid4().hex}", never, 86400)]
    async with working(context, *jobs):
        await asyncio.wait_for(ran.wait(), 10)
    assert seldom == []


async def test_a_worker_tells_its_own_metrics_where_a_port_is_set_for_them(settings: Settings, owner: Any) -> None:
    del owner
    port = free_port("127.0.0.1", 0)
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
    there = {**said, "VENDORRISK_WORKER_METRICS_PORT": str(port)}
    first = Command("worker", settings=there)
    try:
        await asyncio.to_thread(until, lambda: "worker_started" in first.text, "it started")
        second = Command("worker", settings=there)
        assert await asyncio.to_thread(second.ended) == 1
        assert f"vendorrisk: VENDORRISK_WORKER_METRICS_PORT: 127.0.0.1 port {port} cannot be had" in second.text
        assert len(second.lines) == 1
        nudger = Nudger(settings.redis_url)
        await nudger(["send_deliveries"])
        await nudger.close()
        ran = 'vendorrisk_job_runs_total{job="send_deliveries",outcome="done"}'
        await asyncio.to_thread(until, lambda: ran in httpx.get(f"http://127.0.0.1:{port}/metrics").text, "it ran")
    finally:
        first.shut_down()


async def test_a_job_runs_slices_until_nothing_is_left(context: JobContext) -> None:
    left = [3, 2, 1, 0]

    async def eat(_context: JobContext) -> int:
        return left.pop(0)

    assert await run_job(Job("eat", eat, 60), context) == 6
    assert left == []


async def test_what_a_job_does_at_once_waits_for_a_connection_where_a_request_is_refused(settings: Settings) -> None:
    narrow = msgspec.structs.replace(settings, database_pool_size=1, database_wait_seconds=0.1)
    made, nudger = worker.make_job_context(narrow)
    hurried = Database(narrow)
    await made.database.open()
    await hurried.open()

    async def borrow() -> int:
        async with made.database.system() as connection:
            return int(await connection.fetchval("select 1"))

    try:
        async with made.database.system(), hurried.system():
            waiting = [asyncio.create_task(borrow()) for _ in range(60)]
            with pytest.raises(Refusal, match="busy"):
                async with hurried.system():
                    pass
            assert not any(task.done() for task in waiting), "they waited for longer than a request would"
        assert await asyncio.gather(*waiting) == [1] * 60
    finally:
        await hurried.close()
        await worker.close_job_context(made, nudger)


async def test_a_lost_redis_never_fails_what_is_already_safe() -> None:
    await Nudger("redis://127.0.0.1:1/0").softly(["anything"])


async def test_a_nudge_is_said_once_and_heard_again_soon_after_whoever_took_it_died(
    context: JobContext, clock: FakeClock
) -> None:
    nudger, job = Nudger(context.settings.redis_url, clock=clock), f"job-{uuid4().hex}"
    redis = await nudger.connected()

    async def said() -> int:
        return len([key async for key in redis.scan_iter(f"arq:job:nudge:{job}*")])

    for _ in range(5):
        await nudger([job])
    assert await said() == 1, "a storm of nudges is one run"
    # A worker that took it and was killed leaves its mark for as long as the longest job may run.
    clock.advance(seconds=10)
    await nudger([job])
    assert await said() == 2, "the dead one's mark does not keep the next from being heard"
    for key in [key async for key in redis.scan_iter(f"arq:job:nudge:{job}*")]:
        await redis.delete(key)
        await redis.zrem(QUEUE, key.removeprefix(b"arq:job:"))
    await nudger.close()


async def test_what_many_killed_workers_left_in_the_queue_starves_nobody(context: JobContext) -> None:
    ran, name = asyncio.Event(), f"job-{uuid4().hex}"

    async def note(_context: JobContext) -> int:
        ran.set()
        return 0

    nudger = Nudger(context.settings.redis_url)
    redis = await emptied(nudger)
    left = [f"left-{uuid4().hex}" for _ in range(150)]
    for job in left:
        await redis.enqueue_job(name, _job_id=job)
        await redis.set(f"arq:in-progress:{job}", b"1", ex=60)
    await nudger([name])
    try:
        async with working(context, Job(name, note, 86400)):
            await asyncio.wait_for(ran.wait(), 10)
    finally:
        for job in left:
            await redis.delete(f"arq:in-progress:{job}", f"arq:job:{job}")
            await redis.zrem(QUEUE, job)
        await nudger.close()


async def test_a_job_that_is_nudged_while_it_runs_runs_once_more_after_and_never_beside_itself(
    context: JobContext,
) -> None:
    begun, at_once, most = 0, 0, 0
    started, may_end, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_context: JobContext) -> int:
        nonlocal begun, at_once, most
        begun, at_once = begun + 1, at_once + 1
        most = max(most, at_once)
        (again if may_end.is_set() else started).set()
        await may_end.wait()
        at_once -= 1
        return 0

    name = f"job-{uuid4().hex}"
    redis = await emptied(nudger := Nudger(context.settings.redis_url))
    async with working(context, Job(name, slow, 86400)) as made:
        try:
            await redis.enqueue_job(name)
            await asyncio.wait_for(started.wait(), 10)
            for _ in range(3):
                await redis.enqueue_job(name)
            async with asyncio.timeout(10):
                while made.jobs_complete < 3:  # noqa: ASYNC110 - heard, each, while the first still runs
                    await asyncio.sleep(0.01)
            assert begun == 1
            may_end.set()
            await asyncio.wait_for(again.wait(), 10)
        finally:
            may_end.set()
    await nudger.close()
    assert (begun, most) == (2, 1)
