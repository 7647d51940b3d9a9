"""Background work: raise what is due, make deliveries of it. The outbox sends them."""

import structlog
from prometheus_client import Counter

from vendorrisk.alerts import queries, service
from vendorrisk.background import Job, World
from vendorrisk.outbox import rules as outbox_rules
from vendorrisk.outbox import service as outbox

RAISED = Counter("vendorrisk_alerts_raised_total", "Alerts raised by the sweep.")
UNTOLD = Counter("vendorrisk_alerts_untold_total", "Alerts that no receiver lets pass: nobody was told.")

_SWEEP, _FAN_OUT = 1000, 500  # rows of one transaction, so that locks are short

_log = structlog.get_logger("alerts")


async def raise_due_alerts(world: World) -> int:
    """Raise an alert for each deadline that crossed a step since it was last looked at."""
    async with world.database.system() as connection:
        looked = await queries.raise_due(connection, world.clock(), _SWEEP)
    RAISED.inc(looked.raised)
    if looked.raised:
        await world.nudge([service.DISPATCH])
    return looked.looked_at


async def dispatch_alerts(world: World) -> int:
    """Make one delivery per alert and recipient."""
    async with world.database.system() as connection:
        done = await queries.dispatch(connection, world.clock(), _FAN_OUT, outbox_rules.TRIES)
    UNTOLD.inc(done.untold)
    if done.untold:
        _log.warning("alerts_untold", alerts=done.untold)
    if done.made:
        await world.nudge([outbox.SEND])
    return done.dispatched


JOBS = (
    Job(service.RAISE, raise_due_alerts, 60),
    Job(service.DISPATCH, dispatch_alerts, 30),
)
"""What the schedule lists of this feature."""
