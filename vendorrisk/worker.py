"""The worker put together: SCHEDULE lists all background work."""

import asyncio
import contextlib
import os
import sys
from typing import Any

import msgspec
import structlog
import uvloop

from vendorrisk.access.model import Tenant
from vendorrisk.alerts import confirmations
from vendorrisk.alerts import jobs as alerts
from vendorrisk.alerts import messages as alert_messages
from vendorrisk.background import REDIS_AWAY, Job, JobContext, Nudger, arq_worker
from vendorrisk.channels.outlets import outlets_from
from vendorrisk.clock import Clock, system_clock
from vendorrisk.db import migrations
from vendorrisk.db.pool import NOT_READY, UNREACHABLE, Database
from vendorrisk.egress.guard import guard_from
from vendorrisk.egress.pacing import PolitePacer
from vendorrisk.errors import Refusal
from vendorrisk.evidence import jobs as evidence
from vendorrisk.feeds.fetch import Lists
from vendorrisk.findings import jobs as findings
from vendorrisk.http import idempotency
from vendorrisk.imports import jobs as imports
from vendorrisk.imports.kind import Kind as ImportKind
from vendorrisk.keys import Keyring
from vendorrisk.memory import settle_in
from vendorrisk.outbox import jobs as outbox
from vendorrisk.outbox.kind import Kind as MessageKind
from vendorrisk.probes.scanner import LiveScanner
from vendorrisk.processes import queries as processes
from vendorrisk.processes.heartbeat import Heartbeat
from vendorrisk.processes.metrics import serve_metrics
from vendorrisk.processes.ticks import Ticks
from vendorrisk.queues import queries as queues
from vendorrisk.queues.turns import Queue, in_turn
from vendorrisk.release import VERSION
from vendorrisk.sandbox.running import Sandbox
from vendorrisk.settings import SettingError, Settings
from vendorrisk.signals import jobs as signals
from vendorrisk.signals.schedule import registrable_domain_of
from vendorrisk.storage.configured import file_store_from
from vendorrisk.vendors import imports as vendor_imports
from vendorrisk.watchdog import watch

_CLAIM_SECONDS = 30  # longer than three heartbeats
_NICENESS = 5  # on a machine of both, jobs yield the processor to requests
_log = structlog.get_logger("worker")


RESPONSES = Queue("forget_old_responses", queues.NOTE_RESPONSES)


async def forget_old_responses(context: JobContext) -> int:
    """Delete stored responses of a day ago, in slices."""
    before = context.clock() - idempotency.RETENTION

    async def visit(tenant: Tenant) -> int:
        async with context.database.tenant(tenant.id) as connection:
            return await idempotency.forget_old(connection, tenant.id, before, 1000)

    return await in_turn(context, RESPONSES, visit, before)


def unless_held(job: Job) -> Job:
    """Return the job as one that rests while the installation's deliveries are held, as after a restore."""

    async def run(context: JobContext) -> int:
        async with context.database.system() as connection:
            installation = await processes.INSTALLATION.one(connection)
        return 0 if installation.deliveries_held_at is not None else await job.run(context)

    return msgspec.structs.replace(job, run=run)


MESSAGE_KINDS: tuple[MessageKind[Any], ...] = (alert_messages.ALERT, confirmations.CONFIRMATION)
"""The owners whose messages leave by the outbox."""

IMPORT_KINDS: tuple[ImportKind, ...] = (vendor_imports.KIND,)
"""Every kind of import that this worker checks and applies: the same that `app.py` receives."""

SCHEDULE: tuple[Job, ...] = (
    Job("forget_old_responses", forget_old_responses, 3600),
    *alerts.JOBS,
    *(unless_held(job) for job in outbox.jobs(MESSAGE_KINDS)),
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

    Raises `SettingError` if Redis cannot be reached at the start, if it serves another installation, or if the port for
    metrics is in use. Waits for a database that is not migrated, or away.
    """
    os.nice(_NICENESS)
    context, nudger = make_job_context(settings)
    uvloop.run(reach_redis(settings))
    # arq runs on the loop it finds. This one spends a fifth less of the processor on a scan.
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    living = contextlib.AsyncExitStack()

    async def start(ctx: dict[Any, Any]) -> None:
        watch(settings.stuck_seconds)
        ctx["context"] = context
        settle_in()
        _log.info("worker_started", version=VERSION, jobs=[job.name for job in SCHEDULE])

    async def stop(ctx: dict[Any, Any]) -> None:  # noqa: ARG001 - the name is arq's
        await living.aclose()
        await close_job_context(context, nudger)

    try:
        with serve_metrics(settings, "worker_metrics_port"):
            loop.run_until_complete(come_alive(context, nudger, living))
            made = arq_worker(
                SCHEDULE, settings.redis_url, on_startup=start, on_shutdown=stop, stopping=context.stopping
            )
            made.run()
    except REDIS_AWAY as error:
        _log.error("redis_lost", error=str(error))
        sys.exit(1)


async def come_alive(context: JobContext, nudger: Nudger, living: contextlib.AsyncExitStack) -> None:
    """Open the database, wait until it is migrated, claim Redis for it, and give the first sign of life."""
    await context.database.open()
    await migrated(context.database)
    async with context.database.system() as connection:
        installation = await processes.INSTALLATION.one(connection)
    if installation.deliveries_held_at is not None:
        _log.warning("deliveries_held", advice="vendorrisk installation activate lets them go")

    async def claim() -> None:
        if (other := await nudger.claim(str(installation.id), _CLAIM_SECONDS)) is not None:
            raise SettingError(
                f"the server of REDIS_URL works for another installation ({other}). Give this one a server of its own, "
                "or another database number"
            )

    await claim()
    heartbeat = Heartbeat("worker", context.database, context.clock, key_ids=context.keyring.ids, also=claim)
    context.ticks = Ticks(context.database, context.clock, heartbeat.process.process)
    await heartbeat.beat()
    await living.enter_async_context(heartbeat.running())


async def migrated(database: Database, *, look_seconds: float = 2.0) -> None:
    """Return when the database has this release's schema. Logs each reason to wait once."""
    waits_for = ""
    while True:
        try:
            async with database.system() as connection:
                missing = await migrations.pending(connection)
        except NOT_READY:
            missing = ["every migration"]
        except (Refusal, *UNREACHABLE) as error:
            missing = [f"the database ({type(error).__name__})"]
        if not missing:
            return
        if (said := ", ".join(missing)) != waits_for:
            _log.warning("worker_waits", waits_for=said, advice="vendorrisk migrate, or vendorrisk doctor")
            waits_for = said
        await asyncio.sleep(look_seconds)


async def reach_redis(settings: Settings) -> None:
    """Return when Redis answers. Raises `SettingError` if it does not."""
    nudger = Nudger(settings.redis_url)
    try:
        await nudger.ping()
    except REDIS_AWAY as error:
        raise SettingError(f"the server of REDIS_URL cannot be reached: {error}") from error
    finally:
        await nudger.close()
