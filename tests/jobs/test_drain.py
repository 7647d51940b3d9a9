"""`vendorrisk worker` told to stop, or left by Redis, in the middle of sending: no message is duplicated or lost."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.alerts.make import Feature, a_receiver, a_vendor, confirm_all, expiry, send
from tests.conftest import Company, FakeClock
from tests.embedded.make import Command, data_folder
from tests.fakes.smtp import SmtpFake, smtp_fake
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.background import JobContext, Nudger
from vendorrisk.channels.outlets import outlets_from
from vendorrisk.embedded.valkey import Valkey
from vendorrisk.settings import VARIABLES, Settings

pytestmark = pytest.mark.anyio
_ALERTS = 100  # more than are in flight at once


@pytest.fixture
async def mail() -> AsyncIterator[SmtpFake]:
    """A mail server that answers nothing until it is told to."""
    async with smtp_fake() as server:
        server.answering.clear()
        yield server


@pytest.fixture
async def waiting(
    context: JobContext, clock: FakeClock, company: Company, owner: Any, mail: SmtpFake, settings: Settings
) -> Settings:
    """Deliveries that wait to be sent, and the settings with which a worker would send them.

    They are due between two steps of the worker's own clock, so that its sweep raises no more of them.
    """
    clock.now = datetime.now(UTC)
    target = {"kind": "email", "address": "risk@example.org"}
    await a_receiver(company, target=target)
    await confirm_all(owner)
    vendor = await a_vendor(owner, company)
    due_on = clock.now.date() + timedelta(days=20)
    await Feature(context, company).watch(*(expiry(vendor, due_on) for _ in range(_ALERTS)))
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    return msgspec.structs.replace(settings, smtp_url=f"smtp://127.0.0.1:{mail.port}?tls=never")


def a_worker(settings: Settings) -> Command:
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
    return Command("worker", settings=said)


async def until(what: Callable[[], Any], said: str, seconds: float = 30) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not what():
        assert asyncio.get_running_loop().time() < deadline, said
        await asyncio.sleep(0.02)


async def states(owner: Any) -> dict[str, int]:
    return dict(await owner.fetch("select state, count(*) from deliveries group by 1"))


async def messages_are_under_way(mail: SmtpFake, worker: Command, settings: Settings) -> None:
    """Nudge until the worker has begun; the tick would do the same, later."""
    nudger = Nudger(settings.redis_url)
    await until(lambda: "worker_started" in worker.text, worker.text)
    await nudger(["send_deliveries"])
    await nudger.close()
    await until(lambda: mail.connections >= 20, f"messages are under way: {worker.text}")


async def test_sigterm_lets_messages_under_way_end_and_begins_no_new_one(
    waiting: Settings, mail: SmtpFake, owner: Any, context: JobContext
) -> None:
    worker = a_worker(waiting)
    try:
        await messages_are_under_way(mail, worker, waiting)
        worker.process.send_signal(signal.SIGTERM)
        await until(lambda: "worker_stopping" in worker.text, worker.text)
        mail.answering.set()
        assert await asyncio.to_thread(worker.ended, 20) == 0, worker.text
    finally:
        worker.shut_down()
    found = await states(owner)
    assert found == {"sent": len(mail.messages), "pending": _ALERTS - len(mail.messages)}
    assert 0 < found["sent"] < _ALERTS
    await the_rest_follows(waiting, mail, owner, context)


async def test_a_redis_that_dies_ends_the_worker_when_messages_under_way_are_recorded(
    waiting: Settings, mail: SmtpFake, owner: Any, context: JobContext
) -> None:
    with data_folder() as folder:
        folder.mkdir()
        folder.chmod(0o755)
        valkey = Valkey(Path(folder) / "valkey", Path(folder) / "run", persist=False)
        valkey.start()
        settings = msgspec.structs.replace(waiting, redis_url=valkey.url)
        worker = a_worker(settings)
        try:
            await messages_are_under_way(mail, worker, settings)
            assert valkey.process is not None
            valkey.process.kill()
            await until(lambda: "worker_stopping" in worker.text, worker.text)
            mail.answering.set()
            assert await asyncio.to_thread(worker.ended, 20) == 1, worker.text
        finally:
            worker.shut_down()
            valkey.stop()
    assert "redis_lost" in worker.lines[-1], worker.text
    assert "Traceback" not in worker.text, worker.text
    found = await states(owner)
    assert found == {"sent": len(mail.messages), "pending": _ALERTS - len(mail.messages)}
    assert 0 < found["sent"] < _ALERTS
    await the_rest_follows(waiting, mail, owner, context)


async def the_rest_follows(settings: Settings, mail: SmtpFake, owner: Any, context: JobContext) -> None:
    await context.channels.aclose()
    context.channels = outlets_from(settings, context.clock)
    while await send(context):
        pass
    assert await states(owner) == {"sent": _ALERTS}
    ids = [message["Message-ID"] for message in mail.messages]
    assert len(ids) == len(set(ids)) == _ALERTS, "each arrived once"
    assert await owner.fetchval("select sum(possible_duplicates) from deliveries") == 0
