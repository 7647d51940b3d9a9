"""Heartbeats, ticks and metrics: what an operator sees of the processes, and what their loss costs nobody."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import REGISTRY

from tests.alerts.make import Feature, a_receiver, a_vendor, expiry, recording
from tests.conftest import Company, FakeClock
from tests.embedded.make import Command, until
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.app import Api
from vendorrisk.background import Job, JobContext, Nudger, run_job
from vendorrisk.db.pool import Database
from vendorrisk.embedded.home import free_port
from vendorrisk.processes import queries
from vendorrisk.processes.heartbeat import Heartbeat
from vendorrisk.processes.ticks import Ticks
from vendorrisk.release import VERSION
from vendorrisk.settings import VARIABLES, Settings
from vendorrisk.worker import SCHEDULE, unless_held

pytestmark = pytest.mark.anyio


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def standing(api: Api) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api), base_url="http://t") as client:  # type: ignore[arg-type]  # an ASGI application
        response = await client.get("/health/ready")
    assert response.status_code == 200, "requests are served with and without a worker"
    return str(response.json()["checks"]["worker"])


async def test_a_worker_is_alive_by_its_own_rows_and_one_of_two_is_missed(
    api: Api, database: Database, clock: FakeClock
) -> None:
    assert await standing(api) == "no worker has given a sign for 45 s"
    one, two = (Heartbeat("worker", database, clock, key_ids=["a"]) for _ in range(2))
    await one.beat()
    await two.beat()
    assert await standing(api) == "ok"
    clock.advance(seconds=46)
    await one.beat()
    assert await standing(api) == "1 of 2 gave no sign since 2026-03-02 08:00:00 UTC"
    assert figure("vendorrisk_processes", kind="worker", state="missing") == 1
    await two.leave()
    assert await standing(api) == "ok", "a clean end is no loss"
    await one.leave()
    assert await standing(api) == "no worker has given a sign for 45 s"


async def test_old_rows_go_with_a_heartbeat(database: Database, clock: FakeClock, owner: Any) -> None:
    await Heartbeat("worker", database, clock).beat()
    await owner.execute("insert into job_ticks values ('a', 'p', $1, null, null)", clock.now - timedelta(days=8))
    await owner.execute("insert into job_ticks values ('b', 'p', $1, null, null)", clock.now - timedelta(days=5))
    clock.advance(days=1, seconds=1)
    await Heartbeat("api", database, clock).beat()
    assert await owner.fetchval("select array_agg(kind) from processes") == ["api"]
    clock.advance(hours=1)
    assert await owner.fetchval("select array_agg(job) from job_ticks") == ["b"]


async def test_a_run_leaves_its_beginning_its_end_and_the_kind_of_its_error(
    context: JobContext, database: Database, clock: FakeClock, owner: Any
) -> None:
    context.ticks = Ticks(database, clock, "worker:1")
    seen: list[Any] = []

    async def work(_context: JobContext) -> int:
        seen.append(await owner.fetchrow("select started_at, ended_at from job_ticks where job = 'work'"))
        clock.advance(seconds=3)
        return 0

    async def fail(_context: JobContext) -> int:
        raise ValueError("canary of a tenant")

    begun = clock.now
    await run_job(Job("work", work, 60), context)
    assert tuple(seen[0]) == (begun, None), "a run that hangs is seen to have begun"
    with pytest.raises(ValueError, match="canary"):
        await run_job(Job("fail", fail, 60), context)
    rows = {row["job"]: row for row in await owner.fetch("select * from job_ticks")}
    assert (rows["work"]["ended_at"], rows["work"]["error"]) == (begun + timedelta(seconds=3), None)
    assert rows["fail"]["error"] == "ValueError", "and no word of its message, which may hold a tenant's values"
    assert figure("vendorrisk_job_last_run_timestamp_seconds", job="work") == clock.now.timestamp()
    await run_job(Job("work", work, 60), context)
    assert tuple(seen[-1]) == (begun, begun + timedelta(seconds=3)), "soon after, it is not worth another row's change"
    clock.advance(seconds=10)
    await run_job(Job("work", work, 60), context)
    assert seen[-1]["ended_at"] is None


async def test_a_job_runs_though_its_tick_cannot_be_kept(
    context: JobContext, settings: Settings, clock: FakeClock
) -> None:
    closed = Database(settings)
    context.ticks = Ticks(closed, clock, "worker:1")

    async def work(_context: JobContext) -> int:
        return 0

    assert await run_job(Job("work", work, 60), context) == 0


async def test_the_oldest_due_delivery_is_a_figure(
    context: JobContext, company: Company, database: Database, owner: Any, clock: FakeClock
) -> None:
    heartbeat = Heartbeat("worker", database, clock)
    await heartbeat.beat()
    assert (figure("vendorrisk_deliveries_due"), figure("vendorrisk_delivery_oldest_due_seconds")) == (0, 0)
    await a_receiver(company)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), clock.now.date()))
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    clock.advance(minutes=5)
    await heartbeat.beat()
    assert (figure("vendorrisk_deliveries_due"), figure("vendorrisk_delivery_oldest_due_seconds")) == (1, 300)
    assert figure("vendorrisk_build_info", version=VERSION, kind="worker") == 1
    assert figure("vendorrisk_database_connections", state="allowed") == 4


async def test_held_deliveries_wait_and_leave_once_they_are_let_go(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    sent = recording(context)
    await a_receiver(company)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), clock.now.date()))
    await owner.execute("update installation set deliveries_held_at = now()")
    await run_jobs_held(context)
    assert len(sent.sent) == 0
    assert await owner.fetchval("select state from deliveries") == "pending"
    await owner.execute("update installation set deliveries_held_at = null")
    await run_jobs_held(context)
    assert len(sent.sent) == 1


async def run_jobs_held(context: JobContext) -> None:
    """Run the worker's own jobs of alerts and deliveries, as its schedule has them."""
    for name in ("raise_due_alerts", "dispatch_alerts", "send_deliveries"):
        [job] = [job for job in SCHEDULE if job.name == name]
        await run_job(job, context)


def test_every_job_that_sends_is_held() -> None:
    held = unless_held(SCHEDULE[0]).run.__qualname__
    assert {job.name for job in SCHEDULE if getattr(job.run, "__qualname__", "") == held} == {"send_deliveries"}


async def test_the_metrics_of_an_api_are_on_a_port_of_their_own_and_under_no_spelling_on_its_own(
    settings: Settings, company: Company
) -> None:
    del company
    port, metrics = free_port("127.0.0.1", 0), free_port("127.0.0.1", 0)
    here = msgspec.structs.replace(settings, port=port, api_metrics_port=metrics)
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(here).items() if value != ""}
    api = Command("api", settings=said)
    try:
        await asyncio.to_thread(until, lambda: _answers(f"http://127.0.0.1:{port}/health/ready"), "it is ready", 120)
        for path in (
            "/metrics",
            "//metrics",
            "/metrics/",
            "/%6detrics",
            "/./metrics",
            "/health/../metrics",
            "/Metrics",
        ):
            response = await asyncio.to_thread(_raw, port, path)
            assert b" 404 " in response.split(b"\r\n")[0], path
            assert b"vendorrisk_" not in response, path
        text = await asyncio.to_thread(lambda: httpx.get(f"http://127.0.0.1:{metrics}/metrics").text)
        for name in ("vendorrisk_build_info", "vendorrisk_http_requests_total", "vendorrisk_database_connections"):
            assert name in text
        assert "Acme" not in text
        lines = [line for line in api.lines if '"event":"request"' in line]
        assert not any("/health/" in line for line in lines), "probes are not logged while all is well"
        [started] = [line for line in api.lines if "api_started" in line]
        assert VERSION in started
    finally:
        assert api.stop() == 0
    assert not api.process.poll()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _raw(port: int, path: str) -> bytes:
    """Ask with the path as it is, which no client would send."""
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


async def test_a_clean_end_leaves_no_row_and_a_kill_leaves_one(settings: Settings, owner: Any) -> None:
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
    for end, rows in (("stop", 0), ("kill", 1)):
        worker = Command("worker", settings=said)
        try:
            await asyncio.to_thread(until, lambda w=worker: "worker_started" in w.text, "it started", 60)
            assert await owner.fetchval("select count(*) from processes where kind = 'worker'") == 1
            if end == "stop":
                assert await asyncio.to_thread(worker.stop) == 0
        finally:
            worker.shut_down()
        assert await owner.fetchval("select count(*) from processes where kind = 'worker'") == rows


async def test_a_worker_of_another_installation_refuses_a_shared_redis(settings: Settings, owner: Any) -> None:
    nudger = Nudger(settings.redis_url)
    try:
        await (await nudger.connected()).delete("vendorrisk:installation")  # a worker that was killed leaves it
        assert await nudger.claim("another", 30) is None
        said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
        worker = Command("worker", settings=said)
        assert await asyncio.to_thread(worker.ended, 60) == 1
        assert "the server of REDIS_URL works for another installation (another)" in worker.lines[-1]
        assert await owner.fetchval("select count(*) from processes") == 0
    finally:
        await (await nudger.connected()).delete("vendorrisk:installation")
        await nudger.close()


async def test_what_is_read_of_processes_is_closed_to_tenants(database: Database, company: Company) -> None:
    async with database.tenant(company.tenant.id) as connection:
        for table in ("processes", "job_ticks", "installation"):
            assert not await connection.fetchval("select has_table_privilege(current_user, $1, 'select')", table)
    async with database.system() as connection:
        assert (await queries.INSTALLATION.one(connection)).deliveries_held_at is None
