"""`vendorrisk healthy`, which containers ask: by its exit code, in time, with one line where it is not."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.commands.make import command
from vendorrisk.lab.http import Reply, http_fake
from vendorrisk.processes.heartbeat import host_name
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


async def test_a_worker_is_healthy_while_one_of_this_host_tells_of_itself(settings: Settings, owner: Any) -> None:
    silent = "vendorrisk: no worker of this host has given a sign of life lately\n"
    ran = await command("healthy", "worker", settings=settings)
    assert (ran.code, ran.err) == (1, silent)
    await owner.execute(
        """insert into processes values
        ('elsewhere', 'worker', 'elsewhere', '0', '{}', now(), now()), ('api', 'api', $1, '0', '{}', now(), now()),
        ('dead', 'worker', $1, '0', '{}', now(), now() - interval '1 minute')""",
        host_name(),
    )
    assert (await command("healthy", "worker", settings=settings)).err == silent
    await owner.execute("insert into processes values ('w', 'worker', $1, '0', '{}', now(), now())", host_name())
    assert (await command("healthy", "worker", settings=settings)).code == 0


async def test_a_database_away_is_told_in_time_and_without_its_password(settings: Settings) -> None:
    away = msgspec.structs.replace(settings, database_url="postgresql://risk:canary@127.0.0.1:1/risk")
    async with asyncio.timeout(60):
        ran = await command("healthy", "worker", settings=away)
    assert ran.code == 1
    assert ran.err.startswith("vendorrisk: the database of DATABASE_URL cannot be reached")
    assert "canary" not in ran.err


async def test_another_part_is_wrong_input() -> None:
    ran = await command("healthy", "database")
    assert ran.code == 2
    assert "'database' is not one of" in ran.err
