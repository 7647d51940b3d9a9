"""`vendorrisk healthy`, which containers ask: by its exit code, in time, with one line where it is not."""

import asyncio
from typing import Any

import msgspec
import pytest
from arq.connections import create_pool
from arq.constants import health_check_key_suffix

from tests.commands.make import command
from vendorrisk.background import QUEUE, redis_settings
from vendorrisk.lab.http import Reply, http_fake
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


async def test_an_api_is_healthy_by_its_readiness(settings: Settings) -> None:
    async with http_fake() as server:
        here = msgspec.structs.replace(settings, host="0.0.0.0", port=server.port)  # noqa: S104 - as a container has it
        server.on("/health/ready", Reply(200))
        assert (await command("healthy", "api", settings=here)).code == 0
        server.on("/health/ready", Reply(503))
        ran = await command("healthy", "api", settings=here)
        assert (ran.code, ran.err) == (1, f"vendorrisk: the API on port {server.port} is not ready\n")
        assert {request.path for request in server.requests} == {"/health/ready"}
    gone = await command("healthy", "api", settings=here)
    assert gone.code == 1


@pytest.fixture
async def redis(settings: Settings) -> Any:
    pool = await create_pool(redis_settings(settings.redis_url))
    key = QUEUE + health_check_key_suffix
    kept = await pool.get(key)
    yield pool, key
    await (pool.delete(key) if kept is None else pool.set(key, kept, ex=30))
    await pool.aclose()


async def test_a_worker_is_healthy_while_one_tells_of_itself(settings: Settings, redis: Any) -> None:
    pool, key = redis
    await pool.set(key, b"j_complete=1", ex=30)
    assert (await command("healthy", "worker", settings=settings)).code == 0
    await pool.delete(key)
    ran = await command("healthy", "worker", settings=settings)
    assert (ran.code, ran.err) == (1, "vendorrisk: no worker has sent a heartbeat in the last half minute\n")


async def test_redis_away_is_told_in_time_and_without_its_password(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, redis_url="redis://:canary@127.0.0.1:1/0")
    async with asyncio.timeout(15):
        ran = await command("healthy", "worker", settings=away)
    assert ran.code == 1
    assert ran.err.startswith("vendorrisk: REDIS_URL cannot be reached")
    assert "canary" not in ran.err


async def test_another_part_is_wrong_input() -> None:
    ran = await command("healthy", "database")
    assert ran.code == 2
    assert "'database' is not one of" in ran.err
