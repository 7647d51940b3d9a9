"""Redis, and whether a worker lives that hears the nudges."""

from typing import Any

from vendorrisk.background import inspect_redis
from vendorrisk.doctor.model import Finding, Level, Patient

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
        redis = await inspect_redis(patient.settings.redis_url)
    except Exception as error:  # noqa: BLE001 - whatever its client raises is the same news
        todo = "See that it runs and that REDIS_URL names its host, port and password. No work is lost meanwhile."
        return [Finding("redis", Level.FAILURE, f"cannot be reached: {str(error) or type(error).__name__}", todo)]
    return [evaluated_server(redis.info), evaluated_worker(redis.worker, is_embedded=patient.is_embedded)]


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


def evaluated_worker(seen: str | None, *, is_embedded: bool) -> Finding:
    """Check whether a worker sent a heartbeat in the last half minute (arq's health check)."""
    if seen is not None:
        return Finding("worker", Level.OK, f"lives: {seen}")
    todo = "Start `vendorrisk up`." if is_embedded else "Start `vendorrisk worker`: without one no alert is sent."
    return Finding("worker", Level.WARNING, "no heartbeat in the last half minute", todo)
