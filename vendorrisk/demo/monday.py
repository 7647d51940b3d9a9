"""The demo's Monday morning: fill a tenant, let the sweep notify the console of due dates, and sum it up."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from vendorrisk.access.model import Tenant as ActingTenant
from vendorrisk.access.model import system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts import queries as alert_queries
from vendorrisk.alerts import service as alert_service
from vendorrisk.background import JobContext
from vendorrisk.channels.port import Address, Message, Sent
from vendorrisk.channels.text import one_line
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import MAX_LIMIT, PageRequest
from vendorrisk.db.queries import QueryFile
from vendorrisk.demo.fiction import COMPANY, VENDORS, cast
from vendorrisk.demo.filling import fill
from vendorrisk.identity import service as identity
from vendorrisk.outbox import rules as outbox_rules
from vendorrisk.outbox.jobs import send_deliveries
from vendorrisk.worker import MESSAGE_KINDS


class Counted(msgspec.Struct, frozen=True):
    """One row of the summary."""

    heading: str
    value: str
    count: int


_sql = QueryFile("demo")
_FIND = _sql.scalar("find_demo_tenant", UUID)
_COUNTS = _sql.rows("count_for_summary", Counted)
_GRAVEST = _sql.scalar("gravest_deliveries", UUID)
_MOST_SHOWN = 10
_TENANT_ROLE = "set local role vendorrisk_tenant"
_SLICE = 1000
_SYSTEM_ROLE = "set local role vendorrisk_system"


async def run(context: JobContext, console: Console) -> None:
    """Make the demo tenant and show its Monday. If it exists, show it and change nothing."""
    now = context.clock()
    async with context.database.system() as connection:
        known = await _FIND.one_or_none(connection, COMPANY)
    if known is not None:
        tenant = await _acting(context, known)
        console.print(f"{COMPANY} is here already (tenant {tenant.id}). Nothing was changed.\n")
        await _sum_up(context, tenant, now, console)
        return
    tenant, key = await _found(context, now, console)
    messages = await _sent(context)
    async with context.database.tenant(tenant.id) as connection:
        gravest = await _GRAVEST.many(connection, tenant.id, _MOST_SHOWN)
    _show(console, [messages[str(delivery)] for delivery in gravest if str(delivery) in messages], len(messages))
    await _sum_up(context, tenant, now, console)
    console.print(f"\nAdmin key of the demo tenant, shown this once:\n{key}", soft_wrap=True, highlight=False)


class _Collected:
    """Takes the place of all channels: the morning's messages are counted, and the most severe are shown."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}

    async def send(self, message: Message, to: Address, key: str) -> Sent:  # noqa: ARG002 - one reader
        self.messages[key] = message
        return Sent("shown")


async def _sent(context: JobContext) -> dict[str, Message]:
    """Send the due messages to this terminal alone. Return the messages by the id of their delivery."""
    real, collected = context.channels, _Collected()
    context.channels = collected
    try:
        while await send_deliveries(context, MESSAGE_KINDS):
            pass
    finally:
        context.channels = real
    return collected.messages


def _show(console: Console, messages: list[Message], count: int) -> None:
    """Show the messages that a person reads first, and how many more there are."""
    console.rule(f"Monday morning: {count} messages, the {len(messages)} most severe")
    for message in messages:
        lines = [one_line(message.title, 200), f"  {one_line(message.summary, 300)}"]
        lines += [f"  What to do: {one_line(message.action, 300)}"] if message.action else []
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if count > len(messages):
        console.print(f"and {count - len(messages)} more: GET /v1/alerts lists them all\n", highlight=False)


async def _found(context: JobContext, now: datetime, console: Console) -> tuple[ActingTenant, str]:
    """Write the whole fiction and raise its alerts in one transaction, so that no worker sees half of it."""
    async with context.database.system() as connection:
        tenant, key = await identity.found_tenant(connection, COMPANY, "Europe/Berlin", now)
        acting = ActingTenant(tenant.id, tenant.time_zone)
        await connection.execute(_TENANT_ROLE)
        by = system(acting, "demo", Permission.TENANT_MANAGE)
        work = Work(db=connection, by=by, now=now, request_id="demo")
        people = list(cast(work.today))
        columns = (TextColumn("filling the tenant"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("vendors", total=VENDORS)
            await fill(work, context.keyring, people, lambda: progress.advance(task))
        await connection.execute(_SYSTEM_ROLE)
        await _raise_and_dispatch(connection, acting, now)
    return acting, key.secret


async def _raise_and_dispatch(connection: Connection, tenant: ActingTenant, now: datetime) -> None:
    """Sweep and dispatch in this transaction."""
    while (await alert_queries.raise_due(connection, [tenant], now, _SLICE))[0].checked:
        pass
    while (await alert_queries.dispatch(connection, [tenant], now, _SLICE, outbox_rules.TRIES))[0].dispatched:
        pass


async def _acting(context: JobContext, tenant_id: UUID) -> ActingTenant:
    async with context.database.system() as connection:
        return await identity.acting_tenant(connection, tenant_id)


async def _sum_up(context: JobContext, tenant: ActingTenant, now: datetime, console: Console) -> None:
    by = system(tenant, "demo", Permission.VENDORS_READ)
    async with context.database.tenant(tenant.id) as connection:
        work = Work(db=connection, by=by, now=now, request_id="demo", cursor_secrets=(b"demo",))
        counts = await _COUNTS.many(connection, tenant.id)
        ahead = await alert_service.upcoming(
            work, work.today + timedelta(days=30), PageRequest(alert_queries.UPCOMING, limit=MAX_LIMIT)
        )
    table = Table(title=COMPANY, title_justify="left")
    table.add_column("")
    table.add_column("")
    table.add_column("count", justify="right")
    before = ""
    for row in counts:
        table.add_row(row.heading if row.heading != before else "", row.value, str(row.count))
        before = row.heading
    console.print(table)
    soon = Table(title="Next alerts, within 30 days", title_justify="left")
    for heading in ("on", "what", "class"):
        soon.add_column(heading)
    for alert in ahead.items[:12]:
        soon.add_row(str(alert.alert_on), f"{alert.vendor_name}: {alert.title}", alert.alert_class)
    console.print(soon)
