"""The worker put together: SCHEDULE lists all background work."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvloop
from prometheus_client import start_http_server

from vendorrisk.alerts import jobs as alerts
from vendorrisk.alerts import messages as alert_messages
from vendorrisk.background import REDIS_AWAY, Job, JobContext, Nudger, arq_worker
from vendorrisk.channels.outlets import outlets_from
from vendorrisk.clock import Clock, system_clock
from vendorrisk.db.pool import Database
from vendorrisk.egress.guard import guard_from
from vendorrisk.egress.pacing import PolitePacer
from vendorrisk.evidence import jobs as evidence
from vendorrisk.findings import jobs as findings
from vendorrisk.http import idempotency
from vendorrisk.imports import jobs as imports
from vendorrisk.imports.kind import Kind as ImportKind
from vendorrisk.keys import Keyring
from vendorrisk.memory import settle_in
from vendorrisk.outbox import jobs as outbox
from vendorrisk.outbox.kind import Kind as MessageKind
from vendorrisk.probes.scanner import LiveScanner
from vendorrisk.sandbox.running import Sandbox
from vendorrisk.settings import SettingError, Settings
from vendorrisk.signals import jobs as signals
from vendorrisk.signals.feed_fetch import Lists
from vendorrisk.signals.schedule import registrable_domain_of
from vendorrisk.storage.configured import file_store_from
from vendorrisk.vendors import imports as vendor_imports
from vendorrisk.watchdog import watch

_log = structlog.get_logger("worker")


async def forget_old_responses(context: JobContext) -> int:
    """Delete stored responses of a day ago, in slices."""
    async with context.database.system() as connection:
        return await idempotency.forget_old(connection, context.clock(), 1000)


MESSAGE_KINDS: tuple[MessageKind[Any], ...] = (alert_messages.ALERT,)
"""The owners whose messages leave by the outbox."""

IMPORT_KINDS: tuple[ImportKind, ...] = (vendor_imports.KIND,)
"""Every kind of import that this worker checks and applies: the same that `app.py` receives."""

SCHEDULE: tuple[Job, ...] = (
    Job("forget_old_responses", forget_old_responses, 3600),
    *alerts.JOBS,
    *outbox.jobs(MESSAGE_KINDS),
    *imports.jobs_of(IMPORT_KINDS),
    *findings.JOBS,
    *evidence.JOBS,
    *signals.JOBS,
)


def make_job_context(settings: Settings, *, clock: Clock = system_clock) -> tuple[JobContext, Nudger]:
    """Make the job context. Nothing is opened yet."""
    nudger = Nudger(settings.redis_url, clock=clock)
    keyring = Keyring.from_setting(settings.secret_keys)
    sandbox = Sandbox()
    # One pace for all workers: turns are kept in Redis, and by each worker for itself while Redis is away.
    pacer = PolitePacer(
        registrable_domain_of,
        nudger.reserve,
        seconds_between=settings.signal_seconds_between,
        seconds_between_of_address=settings.signal_seconds_between_of_address,
    )
    guard = guard_from(settings)
    guard.pacer = pacer
    context = JobContext(
        settings=settings,
        database=Database(settings, patient=True),
        keyring=keyring,
        file_store=file_store_from(settings, keyring),
        sandbox=sandbox,
        clock=clock,
        channels=outlets_from(settings, clock),
        nudge=nudger.softly,
        scanner=LiveScanner(guard, contact_url=settings.contact_url, sandbox=sandbox),
        pacer=pacer,
        lists=Lists(),
    )
    return context, nudger


async def close_job_context(context: JobContext, nudger: Nudger) -> None:
    await context.database.close()
    await context.channels.aclose()
    await context.scanner.aclose()
    await nudger.close()


def run(settings: Settings) -> None:
    """Run arq's worker until SIGTERM. Exits with 1 if Redis drops, so that the supervisor restarts it.

    Raises `SettingError` if Redis cannot be reached at the start, or if the port for metrics is in use.
    """
    context, nudger = make_job_context(settings)
    uvloop.run(reach_redis(settings))
    # arq runs on the loop it finds. This one spends a fifth less of the processor on a scan.
    asyncio.set_event_loop(uvloop.new_event_loop())

    async def start(ctx: dict[Any, Any]) -> None:
        watch(settings.stuck_seconds)
        await context.database.open()
        ctx["context"] = context
        settle_in()
        _log.info("worker_started", jobs=[job.name for job in SCHEDULE])

    async def stop(ctx: dict[Any, Any]) -> None:  # noqa: ARG001 - the name is arq's
        await close_job_context(context, nudger)

    made = arq_worker(SCHEDULE, settings.redis_url, on_startup=start, on_shutdown=stop, stopping=context.stopping)
    try:
        with serve_metrics(settings):
            made.run()
    except REDIS_AWAY as error:
        _log.error("redis_lost", error=str(error))
        sys.exit(1)


@contextmanager
def serve_metrics(settings: Settings) -> Iterator[None]:
    """Serve this process's metrics meanwhile, where a port is set. Raises `SettingError` if it cannot be had."""
    if not settings.worker_metrics_port:
        yield
        return
    try:
        server, thread = start_http_server(settings.worker_metrics_port, settings.host)
    except OSError as error:
        place = f"{settings.host} port {settings.worker_metrics_port}"
        raise SettingError(f"VENDORRISK_WORKER_METRICS_PORT: {place} cannot be had: {error.strerror}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def reach_redis(settings: Settings) -> None:
    """Return when Redis answers. Raises `SettingError` if it does not."""
    nudger = Nudger(settings.redis_url)
    try:
        await nudger.ping()
    except REDIS_AWAY as error:
        raise SettingError(f"the server of REDIS_URL cannot be reached: {error}") from error
    finally:
        await nudger.close()
