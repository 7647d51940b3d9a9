"""Redis, the processes that hear its nudges, and the last runs of their jobs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from vendorrisk.background import inspect_redis
from vendorrisk.doctor.database import server
from vendorrisk.doctor.model import Finding, Level, Patient
from vendorrisk.processes import queries
from vendorrisk.processes.model import Process, alive, is_silent, standing
from vendorrisk.release import VERSION

_KEEPS_ALL = "noeviction"
_NEARLY_FULL = 0.9


async def redis(patient: Patient) -> list[Finding]:
    """Ping, and see that nothing is thrown away under memory pressure."""
    if patient.is_new or patient.trouble is not None:
        return []
    if not patient.settings.redis_url:
        todo = "Set it: the worker does not run without, and jobs wait for their next tick."
        return [Finding("redis", Level.FAILURE, "REDIS_URL is not set", todo)]
    try:
        info = await inspect_redis(patient.settings.redis_url)
    except Exception as error:  # noqa: BLE001 - whatever its client raises is the same news
        todo = "See that it runs and that REDIS_URL names its host, port and password. No work is lost meanwhile."
        return [Finding("redis", Level.FAILURE, f"cannot be reached: {str(error) or type(error).__name__}", todo)]
    return [evaluated_server(info)]


async def worker(patient: Patient) -> list[Finding]:
    """Look at the heartbeats of this installation's workers, and at the last run of each job."""
    await server(patient)
    async with patient.database.system() as connection:
        processes = await queries.LIST.many(connection)
        ticks = await queries.LAST_TICKS.many(connection)
    found = [evaluated_worker(processes, patient.clock(), is_embedded=patient.is_embedded)]
    if failed := [tick for tick in ticks if tick.error is not None]:
        said = "; ".join(f"{tick.job} ended with {tick.error} at {tick.ended_at:%Y-%m-%d %H:%M} UTC" for tick in failed)
        found.append(Finding("jobs", Level.WARNING, said, "Read the worker's log for `job_failed`."))
    return found


async def installation(patient: Patient) -> list[Finding]:
    """See whether the deliveries of a restored copy are still held."""
    await server(patient)
    async with patient.database.system() as connection:
        told = await queries.INSTALLATION.one(connection)
    if told.deliveries_held_at is None:
        return [Finding("installation", Level.OK, f"{told.id}, its messages leave")]
    said = f"{told.id} holds its messages since {told.deliveries_held_at:%Y-%m-%d %H:%M} UTC"
    todo = "If this is no drill, run `vendorrisk installation activate`."
    return [Finding("installation", Level.WARNING, said, todo)]


def evaluated_server(info: dict[str, Any]) -> Finding:
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = info.get("valkey_version") or info.get("redis_version", "of an unknown version")
    policy = str(info.get("maxmemory_policy", "unknown"))
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    said = f"{name} {version} answers, eviction {policy}"
    if policy != _KEEPS_ALL:
        todo = "Set maxmemory-policy to noeviction, or give it a server of its own: nudges may be thrown away."
        return Finding("redis", Level.WARNING, said, todo)
    if most and used > most * _NEARLY_FULL:
        todo = "Raise maxmemory, or find what else fills it."
        return Finding("redis", Level.WARNING, f"{said}, {used / most:.0%} of its memory is used", todo)
    return Finding("redis", Level.OK, said)


def evaluated_worker(processes: Sequence[Process], now: datetime, *, is_embedded: bool) -> Finding:
    """Evaluate the heartbeats. One stopped worker of several is seen, and a worker of another release as well."""
    todo = "Start `vendorrisk up`." if is_embedded else "Start `vendorrisk worker`: without one no alert is sent."
    said = standing(processes, "worker", now)
    living = alive(processes, "worker", now)
    if said != "ok":
        return Finding("worker", Level.WARNING, said, todo if not living else "See why it ended, and start it again.")
    names = ", ".join(f"{one.host} since {one.started_at:%Y-%m-%d %H:%M} UTC" for one in living)
    if other := sorted({one.version for one in processes if not is_silent(one, now)} - {VERSION}):
        also = "Right while a release is rolled out. Else bring every process to one release."
        return Finding("worker", Level.WARNING, f"{len(living)} live: {names}, other release: {', '.join(other)}", also)
    return Finding("worker", Level.OK, f"{len(living)} live: {names}")
