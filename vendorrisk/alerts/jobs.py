"""Background work: raise due alerts, and make their deliveries. The outbox sends them."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from prometheus_client import Counter

from vendorrisk.access.model import Tenant
from vendorrisk.alerts import queries, service
from vendorrisk.alerts.model import Dispatched, SweepResult
from vendorrisk.background import Job, JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.outbox import rules as outbox_rules
from vendorrisk.outbox import service as outbox
from vendorrisk.queues import queries as queues
from vendorrisk.queues import rows
from vendorrisk.queues.turns import Queue, in_turn

RAISED = Counter("vendorrisk_alerts_raised_total", "Alerts raised by the sweep.")
WITHOUT_RECIPIENTS = Counter(
    "vendorrisk_alerts_without_recipients_total", "Alerts without recipients: no receiver lets them pass."
)

DEADLINES = Queue(service.RAISE, queues.NOTE_DEADLINES)
ALERTS = Queue(service.DISPATCH, queues.NOTE_ALERTS)

_SWEEP, _FAN_OUT = 1000, 500  # rows of one transaction, so that locks are short
_ONE_BY_ONE = 100

_log = structlog.get_logger("alerts")


async def raise_due_alerts(context: JobContext) -> int:
    """Raise an alert for each deadline that crossed a threshold since it was last checked."""
    sweep = _Sweep(context)
    checked = await in_turn(context, DEADLINES, sweep.visit, context.clock(), together=sweep.together)
    RAISED.inc(sweep.raised)
    if sweep.raised:
        await context.nudge([service.DISPATCH])
    return checked


class _Sweep:
    """One run of the sweep. `raised` counts its alerts."""

    def __init__(self, context: JobContext) -> None:
        self._context, self._now = context, context.clock()
        self.raised = 0

    async def together(self, tenants: Sequence[Tenant]) -> list[int]:
        async with self._context.database.system() as connection:
            done = await queries.raise_due(connection, tenants, self._now, max(1, _SWEEP // len(tenants)))
        return [self._counted(one) for one in done]

    async def visit(self, tenant: Tenant) -> int:
        """Check deadlines one by one, so that one that fails holds up only itself."""
        async with self._context.database.tenant(tenant.id) as connection:
            due = await queries.to_check(connection, tenant, self._now, _ONE_BY_ONE)

        async def check(connection: Connection, deadline_id: UUID) -> None:
            (done,) = await queries.raise_due(connection, [tenant], self._now, 1, deadline_id)
            self._counted(done)

        return await rows.one_by_one(self._context, DEADLINES.name, tenant.id, due, check)

    def _counted(self, done: SweepResult) -> int:
        self.raised += done.raised
        return done.checked


async def dispatch_alerts(context: JobContext) -> int:
    """Make one delivery per alert and recipient."""
    dispatch = _Dispatch(context)
    dispatched = await in_turn(context, ALERTS, dispatch.visit, together=dispatch.together)
    WITHOUT_RECIPIENTS.inc(dispatch.without_recipients)
    if dispatch.without_recipients:
        _log.warning("alerts_without_recipients", alerts=dispatch.without_recipients)
    if dispatch.made:
        await context.nudge([outbox.SEND])
    return dispatched


class _Dispatch:
    """One run of the dispatch. `made` counts its deliveries."""

    def __init__(self, context: JobContext) -> None:
        self._context, self._now = context, context.clock()
        self.made = self.without_recipients = 0

    async def together(self, tenants: Sequence[Tenant]) -> list[int]:
        most = max(1, _FAN_OUT // len(tenants))
        async with self._context.database.system() as connection:
            done = await queries.dispatch(connection, tenants, self._now, most, outbox_rules.TRIES)
        return [self._counted(one) for one in done]

    async def visit(self, tenant: Tenant) -> int:
        """Dispatch alerts one by one, so that one that fails holds up only itself."""
        async with self._context.database.tenant(tenant.id) as connection:
            due = await queries.to_dispatch(connection, tenant, self._now, _ONE_BY_ONE)

        async def dispatch(connection: Connection, alert_id: UUID) -> None:
            (done,) = await queries.dispatch(connection, [tenant], self._now, 1, outbox_rules.TRIES, alert_id)
            self._counted(done)

        return await rows.one_by_one(self._context, ALERTS.name, tenant.id, due, dispatch)

    def _counted(self, done: Dispatched) -> int:
        self.made += done.made
        self.without_recipients += done.without_recipients
        return done.dispatched


JOBS = (
    Job(service.RAISE, raise_due_alerts, 60),
    Job(service.DISPATCH, dispatch_alerts, 30),
)
"""The jobs of this feature, for the schedule."""
