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
from vendorrisk.storage.port import DeniedError, FullError, UnreachableError

_SECONDS = 2
_DENIED = "are denied"
_STORE_SECONDS = 1.0
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
    """Return whether requests can be served: the database answers with this release's schema, the files are this
    user's, and no shutdown has begun.
    """
    checks = {
        "database": await _database(service),
        "files": await _files(service),
        "redis": await _redis(service),
        "worker": await _worker(service),
    }
    # Without Redis requests are still served and jobs still run at their next tick. Without a worker they wait. A store
    # that is full or away fails only the requests that need it.
    failing = checks["database"] != "ok" or checks["files"].startswith(_DENIED) or service.is_shutting_down
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


async def _files(service: Service) -> str:
    try:
        async with asyncio.timeout(_STORE_SECONDS):
            await service.file_store.check()
    except DeniedError:
        return f"{_DENIED} to the user of this process"
    except FullError:
        return "are full"
    except (TimeoutError, UnreachableError) as error:
        return f"cannot be reached ({type(error).__name__})"
    return "ok"


async def _redis(service: Service) -> str:
    try:
        async with asyncio.timeout(_REDIS_SECONDS):
            await service.ping_redis()
    except Exception as error:  # noqa: BLE001 - any failure of the client is the same news here
        return f"cannot be reached ({type(error).__name__})"
    return "ok"


health_router = Router("/health", route_handlers=[live, ready], tags=["Health"])
