"""The API put together: ROUTERS lists every router."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import structlog
from litestar import Litestar, Router
from litestar.types import Receive, Send

from vendorrisk.alerts import render as alerts_render
from vendorrisk.alerts import routes as alerts_routes
from vendorrisk.audit import routes as audit_routes
from vendorrisk.background import Nudger
from vendorrisk.clock import Clock, system_clock
from vendorrisk.db.pool import UNREACHABLE, Database
from vendorrisk.errors import Refusal
from vendorrisk.evidence import bulk_routes as evidence_bulk_routes
from vendorrisk.evidence import report_part_routes, report_routes
from vendorrisk.evidence import routes as evidence_routes
from vendorrisk.findings import routes as findings_routes
from vendorrisk.http import health, query_parameters
from vendorrisk.http.app_state import Service
from vendorrisk.http.dependencies import DEPENDENCIES
from vendorrisk.http.error_handlers import on_failure, on_replay
from vendorrisk.http.idempotency import ReplayedError
from vendorrisk.http.outer_middleware import OuterMiddleware
from vendorrisk.http.rate_limits import Limiter
from vendorrisk.http.request_middleware import RequestMiddleware
from vendorrisk.identity import authentication
from vendorrisk.identity import routes as identity_routes
from vendorrisk.identity.authentication import Authenticator
from vendorrisk.imports import routes as imports_routes
from vendorrisk.imports.kind import Kind
from vendorrisk.keys import Keyring
from vendorrisk.openapi import document
from vendorrisk.openapi import pages as openapi_pages
from vendorrisk.overview import routes as overview_routes
from vendorrisk.questionnaires import draft_routes as questionnaire_draft_routes
from vendorrisk.questionnaires import routes as questionnaire_routes
from vendorrisk.settings import Settings
from vendorrisk.signals import routes as signals_routes
from vendorrisk.storage.configured import disk_root, file_store_from
from vendorrisk.vendors import bulk_routes as vendor_bulk_routes
from vendorrisk.vendors import imports as vendor_imports
from vendorrisk.vendors import lifecycle_routes, supply_chain_routes
from vendorrisk.vendors import routes as vendor_routes
from vendorrisk.web import confirm, start

IMPORT_KINDS: tuple[Kind, ...] = (vendor_imports.KIND,)
"""Every kind of import that is received: the same that `worker.py` checks and applies."""

ROUTERS: tuple[Router, ...] = (
    identity_routes.router,
    audit_routes.router,
    alerts_routes.router,
    vendor_routes.router,
    lifecycle_routes.router,
    supply_chain_routes.router,
    vendor_bulk_routes.router,
    *(imports_routes.router_of(kind) for kind in IMPORT_KINDS),
    evidence_routes.router,
    report_routes.router,
    report_part_routes.router,
    evidence_bulk_routes.router,
    findings_routes.router,
    questionnaire_routes.router,
    questionnaire_draft_routes.router,
    signals_routes.router,
    overview_routes.router,
)

TAGS: Mapping[str, str] = {
    "Identity": "The tenant, its members with their roles, and its API keys.",
    "Audit": "The log of all changes. Its entries are chained by hashes, so an altered entry is detected.",
    "Alerts": "Deadlines, alerts, receivers and deliveries.",
    "Vendors": "Vendors, with intake, tiering, reviews, offboarding, services and fourth parties.",
    "Vendor imports": "Vendors from CSV and XLSX files, with a dry run first.",
    "Evidence": "Documents of vendors, their files, and the fields proposed from them.",
    "SOC 2 reports": "SOC 2 reports with exceptions, controls and bridge letters, and the coverage that they give.",
    "Findings": "Problems of vendors, with severity, owner and due date.",
    "Questionnaires": "Questionnaires with their drafts and frozen versions, and those that come with the service.",
    "Signals": "Public observations of vendors' domains and hosts, and the scores computed from them.",
    "Overview": "What stands across features: today, all vendors with their posture, and one vendor on a page.",
    "Health": "Whether the process is alive and able to serve. Needs no credentials.",
}
"""The groups of routes, in the document's order. Each router names its own."""

_USES_SECONDS = 30
_log = structlog.get_logger("api")


class Api:
    """The ASGI application: routes that are put together once for a process, and the service that they serve."""

    def __init__(self, litestar: Litestar, service: Service, authenticator: Authenticator, nudger: Nudger) -> None:
        self.litestar, self.service = litestar, service
        self._authenticator, self._nudger = authenticator, nudger
        self._outer = OuterMiddleware(litestar, service.settings)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        scope["service"] = self.service
        await self._outer(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open connections and listen for changed keys, until left."""
        database = self.service.database
        await database.open()
        tasks = [asyncio.create_task(_write_uses(self._authenticator))]
        if database.keeps_sessions:
            tasks.append(asyncio.create_task(_listen(database, self._authenticator)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Refusal, *UNREACHABLE):
                await self._authenticator.write_uses()
            await self._nudger.close()
            await self.service.file_store.close()
            await database.close()

    async def _live(self, receive: Any, send: Any) -> None:
        """Follow the ASGI lifespan protocol."""
        await receive()
        try:
            async with self.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            _log.exception("lifespan_failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def create_app(settings: Settings, *, clock: Clock = system_clock) -> Api:
    """Put the API together. Connections are opened by the ASGI lifespan."""
    database = Database(settings)
    authenticator = Authenticator(database)
    nudger = Nudger(settings.redis_url, clock=clock)
    keyring = Keyring.from_setting(settings.secret_keys)
    service = Service(
        settings=settings,
        database=database,
        keyring=keyring,
        file_store=file_store_from(settings, keyring),
        spool_folder=disk_root(settings),
        cursor_secrets=tuple(keyring.derive_all("cursor")),
        clock=clock,
        authenticate=authenticator,
        nudge=nudger.softly,
        ping_redis=nudger.ping,
        per_key=Limiter("key", settings.rate_limit_per_minute),
        per_tenant=Limiter("tenant", settings.rate_limit_tenant_per_minute),
        per_address=Limiter("address", settings.rate_limit_unauthenticated_per_minute),
    )
    return Api(routed(), service, authenticator, nudger)


@cache
def routed() -> Litestar:
    """Put the routes together, with their document. Nothing in them depends on settings."""
    litestar = Litestar(
        route_handlers=[
            Router("/v1", route_handlers=list(ROUTERS)),
            health.health_router,
            openapi_pages.router,
            start.router,
            confirm.router,
        ],
        dependencies=DEPENDENCIES,
        middleware=[RequestMiddleware()],
        exception_handlers={ReplayedError: on_replay, Exception: on_failure},
        openapi_config=document.CONFIG,
        plugins=[document.StructsLeftOut()],
        request_max_body_size=None,
        logging_config=None,
        debug=False,
        pdb_on_exception=False,
    )
    litestar.state.document = document.document(litestar, alerts_render.webhooks(), TAGS)
    litestar.state.query_names = query_parameters.query_names(litestar.state.document)
    litestar.state.field_lists = query_parameters.field_lists(litestar.state.document)
    return litestar


async def _write_uses(authenticator: Authenticator) -> None:
    while True:
        await asyncio.sleep(_USES_SECONDS)
        with contextlib.suppress(Refusal, *UNREACHABLE):
            await authenticator.write_uses()


async def _listen(database: Database, authenticator: Authenticator) -> None:
    """Hear of changed keys. After every reconnection nothing that is remembered is trusted."""
    while True:
        with contextlib.suppress(Refusal, *UNREACHABLE):
            async with database.listening(authentication.CHANNEL, authenticator.on_announcement) as lost:
                authenticator.forget_all()
                await lost.wait()
        authenticator.forget_all()
        await asyncio.sleep(1)
