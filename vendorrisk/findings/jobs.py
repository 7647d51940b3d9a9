"""Background work on findings."""

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.background import Job, JobContext
from vendorrisk.findings import queries, service

_SLICE = 200


async def end_acceptances(context: JobContext) -> int:
    """Reopen accepted and disputed findings after their last day, by each tenant's own calendar."""
    now = context.clock()
    async with context.database.system() as connection:
        due = await queries.tenants_with_ended_acceptances(connection, now)
    done = 0
    for tenant in due:
        by = system(Tenant(tenant.id, tenant.time_zone), "end_acceptances", Permission.FINDINGS_WRITE)
        async with context.database.tenant(tenant.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id="end_acceptances")
            done += await service.end_acceptances(work, _SLICE)
    return done


JOBS = (Job("end_acceptances", end_acceptances, 900),)
