"""Background work: raise due alerts, and make their deliveries. The outbox sends them."""

import structlog
from prometheus_client import Counter

from vendorrisk.alerts import queries, service
from vendorrisk.background import Job, JobContext
from vendorrisk.outbox import rules as outbox_rules
from vendorrisk.outbox import service as outbox

RAISED = Counter("vendorrisk_alerts_raised_total", "Alerts raised by the sweep.")
WITHOUT_RECIPIENTS = Counter(
    "vendorrisk_alerts_without_recipients_total", "Alerts without recipients: no receiver lets them pass."
)

_SWEEP, _FAN_OUT = 1000, 500  # rows of one transaction, so that locks are short

_log = structlog.get_logger("alerts")


async def raise_due_alerts(context: JobContext) -> int:
    """Raise an alert for each deadline that crossed a threshold since it was last checked."""
    async with context.database.system() as connection:
        done = await queries.raise_due(connection, context.clock(), _SWEEP)
    RAISED.inc(done.raised)
    if done.raised:
        await context.nudge([service.DISPATCH])
    return done.checked


async def dispatch_alerts(context: JobContext) -> int:
    """Make one delivery per alert and recipient."""
    async with context.database.system() as connection:
        done = await queries.dispatch(connection, context.clock(), _FAN_OUT, outbox_rules.TRIES)
    WITHOUT_RECIPIENTS.inc(done.without_recipients)
    if done.without_recipients:
        _log.warning("alerts_without_recipients", alerts=done.without_recipients)
    if done.made:
        await context.nudge([outbox.SEND])
    return done.dispatched


JOBS = (
    Job(service.RAISE, raise_due_alerts, 60),
    Job(service.DISPATCH, dispatch_alerts, 30),
)
"""The jobs of this feature, for the schedule."""
