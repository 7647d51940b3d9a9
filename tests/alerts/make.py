"""Vendors, deadlines and receivers for alerts, and the jobs run as a worker runs them."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tests.conftest import Company
from tests.fakes.outlet import RecordingOutlet
from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts import service
from vendorrisk.alerts.jobs import JOBS
from vendorrisk.alerts.model import AlertClass, Deadline, TimedClass
from vendorrisk.background import JobContext, run_job
from vendorrisk.ids import new_id
from vendorrisk.outbox import jobs as outbox
from vendorrisk.worker import MESSAGE_KINDS

TODAY = date(2026, 3, 2)
CONSOLE = {"name": "Console", "target": {"kind": "console"}}


async def a_vendor(owner: Any, company: Company, name: str = "Example Analytics", **more: Any) -> UUID:
    """Insert a vendor behind the service, as the vendors feature would."""
    row = {
        "tenant_id": company.tenant.id,
        "id": new_id(),
        "name": name,
        "name_key": name.lower(),
        "lifecycle": "active",
        "lifecycle_changed_at": company.tenant.created_at,
        "created_at": company.tenant.created_at,
        "updated_at": company.tenant.created_at,
        **more,
    }
    if "tier" in row:
        row["tier_source"] = "declared"
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await owner.execute(f"insert into vendors ({', '.join(row)}) values ({places})", *row.values())
    return row["id"]


async def a_member(company: Company, name: str, email: str) -> UUID:
    made = await company.client.post("/v1/members", {"name": name, "email": email, "roles": ["owner"]})
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


async def a_receiver(company: Company, **body: Any) -> dict[str, Any]:
    made = await company.client.post("/v1/receivers", {**CONSOLE, **body})
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    return shown


async def confirm_all(owner: Any) -> None:
    """Confirm every e-mail receiver, as the owners of their addresses would."""
    await owner.execute("update receivers set confirmed_at = created_at where kind = 'email' and confirmed_at is null")
    await owner.execute("delete from deliveries where owner_kind = 'confirmation'")


def expiry(vendor_id: UUID, due_on: date, *, subject_id: UUID | None = None, **more: Any) -> Deadline:
    parts = {
        "alert_class": TimedClass.EVIDENCE_EXPIRING,
        "subject_kind": "document",
        "subject_id": subject_id or new_id(),
        "vendor_id": vendor_id,
        "title": "SOC 2 Type 2 report",
        "due_on": due_on,
        **more,
    }
    return Deadline(**parts)


class Feature:
    """Another feature, which calls the service of alerts in a transaction of its own."""

    def __init__(self, context: JobContext, company: Company) -> None:
        self._context = context
        self._tenant = Tenant(company.tenant.id, company.tenant.time_zone)

    async def watch(self, *deadlines: Deadline) -> list[str]:
        """Watch deadlines; returns the nudges that would follow the commit."""
        async with self._context.database.tenant(self._tenant.id) as connection:
            work = self._work(connection)
            await service.watch_all(work, deadlines)
            return work.nudges

    async def unwatch(self, deadline: Deadline) -> None:
        async with self._context.database.tenant(self._tenant.id) as connection:
            await service.unwatch(
                self._work(connection), deadline.alert_class, deadline.subject_kind, deadline.subject_id
            )

    async def raise_gap(self, vendor_id: UUID | None, key: str = "gap-1", **facts: Any) -> bool:
        async with self._context.database.tenant(self._tenant.id) as connection:
            return await service.raise_event(
                self._work(connection),
                AlertClass.COVERAGE_GAP,
                key,
                vendor_id,
                "service",
                vendor_id or new_id(),
                "1 to 31 January 2026",
                facts or {"Days": 31},
            )

    def _work(self, connection: Any) -> Work:
        by = system(self._tenant, "test", Permission.EVIDENCE_WRITE)
        return Work(db=connection, by=by, now=self._context.clock(), request_id="test")


def recording(context: JobContext) -> RecordingOutlet:
    """Put an outlet that remembers into the world, and nudges that go nowhere."""
    context.channels = RecordingOutlet()

    async def nowhere(_names: object) -> None:
        pass

    context.nudge = nowhere
    return context.channels


async def run_jobs(context: JobContext) -> int:
    """Run the feature's jobs once, in order, and send; returns how much they handled."""
    return sum([await run_job(job, context) for job in (*JOBS, *outbox.jobs(MESSAGE_KINDS))])


async def send(context: JobContext) -> int:
    """Do one run of the sending job."""
    return await outbox.send_deliveries(context, MESSAGE_KINDS)


async def an_alert(context: JobContext, company: Company, owner: Any) -> UUID:
    """Raise one alert for a vendor of its own; returns the vendor."""
    vendor = await a_vendor(owner, company, f"Vendor {new_id()}")
    await Feature(context, company).watch(expiry(vendor, TODAY + timedelta(days=30)))
    return vendor


async def deliveries(company: Company, **params: Any) -> list[dict[str, Any]]:
    return await company.client.items("/v1/deliveries", **params)


async def the_delivery(company: Company) -> dict[str, Any]:
    (one,) = await deliveries(company)
    return one


async def attempts(company: Company, delivery: dict[str, Any]) -> list[tuple[str, str | None]]:
    made = await company.client.items(f"/v1/deliveries/{delivery['id']}/attempts")
    return [(attempt["outcome"], attempt["failure"]) for attempt in made]
