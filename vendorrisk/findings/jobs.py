"""Background work on findings."""

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.background import Job, JobContext
from vendorrisk.db.connection import Connection
from vendorrisk.findings import queries, service
from vendorrisk.queues import queries as queues
from vendorrisk.queues import rows
from vendorrisk.queues.turns import Queue, in_turn

ACCEPTANCES = Queue("end_acceptances", queues.NOTE_ACCEPTANCES)

_SLICE = 200


async def end_acceptances(context: JobContext) -> int:
    """Reopen accepted and disputed findings after their last day, by each tenant's own calendar."""
    now = context.clock()

    def work(tenant: Tenant, connection: Connection) -> Work:
        by = system(tenant, "end_acceptances", Permission.FINDINGS_WRITE)
        return Work(db=connection, by=by, now=now, request_id="end_acceptances")

    async def visit(tenant: Tenant) -> int:
        async with context.database.tenant(tenant.id) as connection:
            ended = await queries.ended_acceptances(work(tenant, connection), _SLICE)
        return await rows.one_by_one(
            context,
            ACCEPTANCES.name,
            tenant.id,
            ended,
            lambda connection, one: service.end_acceptance(work(tenant, connection), one),
        )

    return await in_turn(context, ACCEPTANCES, visit, now)


JOBS = (Job("end_acceptances", end_acceptances, 900),)
