"""The figures of a process for Prometheus, on a port of their own.

They answer without a key. So they are never on the API's port, where a proxy would have to keep every spelling of
their path from callers. Figures of the whole installation are measured by every process: any one of them will do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import Counter, Gauge, start_http_server

from vendorrisk.db.connection import Connection
from vendorrisk.db.pool import Database
from vendorrisk.processes import model, queries
from vendorrisk.settings import VARIABLES, SettingError, Settings

BUILD = Gauge("vendorrisk_build_info", "The release of this process. Always 1.", ["version", "kind"])
CONNECTIONS = Gauge("vendorrisk_database_connections", "Connections of this process's pool.", ["state"])
WAITERS = Gauge("vendorrisk_database_waiters", "Borrowers that wait for a connection of this process.")
LAST_RUN = Gauge("vendorrisk_job_last_run_timestamp_seconds", "When a job last ended in this process.", ["job"])
LAST_TICK = Gauge("vendorrisk_job_last_tick_timestamp_seconds", "When a job last began in any process.", ["job"])
PROCESSES = Gauge("vendorrisk_processes", "Processes of the installation.", ["kind", "state"])
DUE = Gauge("vendorrisk_deliveries_due", "Deliveries that are due now, counted to 10,000.")
OLDEST_DUE = Gauge("vendorrisk_delivery_oldest_due_seconds", "For how long the oldest due delivery has been due.")
HELD = Gauge("vendorrisk_deliveries_held", "1 while the deliveries of the installation are held.")
BEATS = Counter("vendorrisk_heartbeats_total", "Heartbeats of this process.")


async def measure(connection: Connection, now: datetime) -> None:
    """Measure the installation."""
    BEATS.inc()
    processes = await queries.LIST.many(connection)
    for kind in ("api", "worker"):
        PROCESSES.labels(kind, "alive").set(len(model.alive(processes, kind, now)))
        PROCESSES.labels(kind, "missing").set(len(model.missing(processes, kind, now)))
    for tick in await queries.LAST_TICKS.many(connection):
        LAST_TICK.labels(tick.job).set(tick.started_at.timestamp())
    due = await queries.DUE.one(connection, now)
    DUE.set(due.due)
    OLDEST_DUE.set(0 if due.oldest_due_at is None else (now - due.oldest_due_at).total_seconds())
    installation = await queries.INSTALLATION.one(connection)
    HELD.set(installation.deliveries_held_at is not None)


def measure_pool(database: Database) -> None:
    pool = database.state()
    CONNECTIONS.labels("idle").set(pool.idle)
    CONNECTIONS.labels("busy").set(pool.busy)
    CONNECTIONS.labels("allowed").set(pool.allowed)
    WAITERS.set(pool.waiters)


@contextmanager
def serve_metrics(settings: Settings, field: str) -> Iterator[None]:
    """Serve this process's metrics meanwhile, where a port is set. Raises `SettingError` if it cannot be had."""
    port = getattr(settings, field)
    if not port:
        yield
        return
    try:
        server, thread = start_http_server(port, settings.metrics_host)
    except OSError as error:
        place = f"{settings.metrics_host} port {port}"
        raise SettingError(f"{VARIABLES[field]}: {place} cannot be had: {error.strerror}") from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
