"""Whether the process lives, and whether it can serve."""

import asyncio

import msgspec
from litestar import Response, Router, get

from vendorrisk.db import migrations
from vendorrisk.db.pool import NOT_READY, UNREACHABLE
from vendorrisk.errors import Refusal
from vendorrisk.http.app_state import Service
from vendorrisk.http.dependencies import TheService
from vendorrisk.processes import queries as processes
from vendorrisk.processes.model import standing

_SECONDS = 2
_REDIS_SECONDS = 0.5  # shorter than a proxy's own timeout: Redis never decides the response


class Health(msgspec.Struct, frozen=True):
    """`status` is "ok" or "failing". `checks` says which part fails, in words for an operator."""

    status: str
    """`ok` or `failing`."""
    checks: dict[str, str]
    """The state of each part, in words for an operator."""


@get("/live", operation_id="check_live")
async def live() -> Health:
    """Answer as long as the process can answer. Touches nothing else, so that a restart is never asked for in vain."""
    return Health("ok", {})


@get("/ready", operation_id="check_ready", opt={"also": [503]})
async def ready(service: TheService) -> Response[Health]:
    """Return whether requests can be served: the database answers with this release's schema, and no shutdown has
    begun.
    """
    checks = {
        "database": await _database(service),
        "redis": await _redis(service),
        "worker": await _worker(service),
    }
    # Without Redis requests are still served and jobs still run at their next tick. Without a worker they wait.
    failing = checks["database"] != "ok" or service.is_shutting_down
    if service.is_shutting_down:
        checks["process"] = "is stopping"
    return Response(Health("failing" if failing else "ok", checks), status_code=503 if failing else 200)


async def _database(service: Service) -> str:
    try:
        async with asyncio.timeout(_SECONDS), service.database.system() as connection:
            missing = await migrations.pending(connection)
    except NOT_READY:
        return "was never migrated, or may not be used by this login"
    except (TimeoutError, Refusal, *UNREACHABLE) as error:
        return f"cannot be reached ({type(error).__name__})"
    return f"needs migrations: {', '.join(missing)}" if missing else "ok"


async def _worker(service: Service) -> str:
    """Return whether every worker of this installation gives signs of life."""
    try:
        async with asyncio.timeout(_SECONDS), service.database.system() as connection:
            return standing(await processes.LIST.many(connection), "worker", service.clock())
    except (TimeoutError, Refusal, *NOT_READY, *UNREACHABLE):
        return "unknown while the database cannot be asked"


async def _redis(service: Service) -> str:
    try:
        async with asyncio.timeout(_REDIS_SECONDS):
            await service.ping_redis()
    except Exception as error:  # noqa: BLE001 - any failure of the client is the same news here
        return f"cannot be reached ({type(error).__name__})"
    return "ok"


health_router = Router("/health", route_handlers=[live, ready], tags=["Health"])
