"""`vendorrisk import`: procurement's spreadsheet from the shell, as a dry run unless `--apply` is given."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from vendorrisk.commands.running import database_or_give_up, give_up, run
from vendorrisk.settings import Settings

if TYPE_CHECKING:
    from vendorrisk.access.model import Tenant
    from vendorrisk.access.work import Work
    from vendorrisk.background import JobContext
    from vendorrisk.imports.model import Import, ImportRow
    from vendorrisk.imports.options import Options

_WAITING, _APPLIED = frozenset({"received", "accepted"}), "applied"
_MOST_SHOWN = 100
_LOOK_SECONDS = 0.3


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--tenant", type=click.UUID, help="The tenant of the vendors. May be left out if there is one tenant.")
@click.option("--apply", "is_applied", is_flag=True, help="Import the rows of the file, if none has a problem.")
@click.option("--partial", is_flag=True, help="With --apply: import the rows that have no problem.")
@click.option("--map", "mapping", multiple=True, metavar="HEADING:FIELD", help="Match a column. FIELD may be `ignore`.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy"]), help="How 03/04/2026 is meant.")
def import_vendors(
    file: Path,
    tenant: UUID | None,
    mapping: tuple[str, ...],
    date_order: str | None,
    *,
    is_applied: bool,
    partial: bool,
) -> None:
    """Import vendors from a CSV or XLSX file.

    Without --apply nothing is changed: every row that has a problem is shown with its column and advice. The same
    same file again has no effect. Ends with 1 if the file or a row has a problem.
    """
    from vendorrisk.imports.cells import DateOrder
    from vendorrisk.imports.options import Options, file_name_of, mapping_of
    from vendorrisk.vendors.import_columns import COLUMNS

    if partial and not is_applied:
        raise click.UsageError("--partial goes with --apply")

    async def whole(settings: Settings) -> "Import":
        options = Options(
            dry_run=not is_applied,
            partial=partial,
            mapping=mapping_of(mapping, COLUMNS),
            date_order=DateOrder(date_order) if date_order else None,
            file_name=file_name_of(file.name),
        )
        return await _imported(settings, tenant, _content(file, settings), options)

    with database_or_give_up() as settings:
        made = run(whole(settings))
    if made.rejection_reason is not None:
        give_up(made.rejection_reason)
    _sum_up(made)
    if made.with_problems and not (made.state == _APPLIED and partial):
        sys.exit(1)


def _content(file: Path, settings: Settings) -> bytes:
    if file.stat().st_size > settings.import_max_bytes:
        give_up(f"{file} has more than the {settings.import_max_bytes} bytes of VENDORRISK_IMPORT_MAX_BYTES")
    return file.read_bytes()


async def _imported(settings: Settings, tenant_id: UUID | None, content: bytes, options: "Options") -> "Import":
    from vendorrisk.http.spool import spool_in
    from vendorrisk.imports import service as imports
    from vendorrisk.vendors.imports import KIND
    from vendorrisk.worker import close_job_context, make_job_context

    context, nudger = make_job_context(settings)
    await context.database.open()
    try:
        tenant = await _tenant(context, tenant_id)
        async with spool_in(None) as spool:
            await spool.write(content)
            async with (
                imports.looked_into(KIND, spool, options, on_behalf_of=tenant.id) as file,
                _work(context, tenant) as work,
            ):
                made = await imports.receive(work, KIND, file)
        await context.nudge(work.nudges)
        if made.state in _WAITING:
            made = await _finished(context, tenant, made.id)
        await _show_problems(context, tenant, made)
        return made
    finally:
        await close_job_context(context, nudger)


async def _tenant(context: "JobContext", wanted: UUID | None) -> "Tenant":
    from vendorrisk.access.model import Tenant
    from vendorrisk.identity import service as identity

    async with context.database.system() as connection:
        known = await identity.every_tenant(connection)
    found = [one for one in known if wanted in {None, one.id}]
    if not found:
        give_up(
            f"there is no tenant {wanted}; `vendorrisk tenants list` shows them" if wanted else "there is no tenant"
        )
    if len(found) > 1:
        give_up("there are several tenants: name one with --tenant; `vendorrisk tenants list` shows them")
    return Tenant(found[0].id, found[0].time_zone)


@asynccontextmanager
async def _work(context: "JobContext", tenant: "Tenant") -> "AsyncIterator[Work]":
    from vendorrisk.access.model import system
    from vendorrisk.access.permissions import Permission
    from vendorrisk.access.work import Work
    from vendorrisk.keys import Keyring

    by = system(tenant, "vendorrisk import", Permission.VENDORS_WRITE)
    secrets = Keyring.from_setting(context.settings.secret_keys).derive_all("cursor")
    async with context.database.tenant(tenant.id) as connection:
        yield Work(db=connection, by=by, now=context.clock(), request_id="shell", cursor_secrets=secrets)


async def _finished(context: "JobContext", tenant: "Tenant", import_id: UUID) -> "Import":
    """Do the work of the job here, or wait for the worker that has it. Shows how far it is."""
    doing = asyncio.create_task(_done(context, tenant, import_id))
    try:
        await _watched(context, tenant, import_id, doing)
        return await doing
    finally:
        doing.cancel()


async def _done(context: "JobContext", tenant: "Tenant", import_id: UUID) -> "Import":
    from vendorrisk.imports.jobs import run_imports
    from vendorrisk.vendors.imports import KIND

    while (made := await _looked(context, tenant, import_id)).state in _WAITING:
        if not await run_imports(context, [KIND]):
            await asyncio.sleep(_LOOK_SECONDS)
    return made


async def _watched(context: "JobContext", tenant: "Tenant", import_id: UUID, doing: "asyncio.Task[Import]") -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking rows", total=None)
        while not doing.done():
            made = await _looked(context, tenant, import_id)
            said = "importing" if made.state == "accepted" else "checking rows"
            progress.update(task, description=said, total=made.rows_total, completed=made.rows_done)
            await asyncio.wait([doing], timeout=_LOOK_SECONDS)


async def _looked(context: "JobContext", tenant: "Tenant", import_id: UUID) -> "Import":
    from vendorrisk.imports import service as imports
    from vendorrisk.vendors.imports import KIND

    async with _work(context, tenant) as work:
        return await imports.one(work, KIND, import_id)


async def _show_problems(context: "JobContext", tenant: "Tenant", made: "Import") -> None:
    """Print the first rows that have a problem, one line for each problem."""
    if not made.with_problems:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from vendorrisk.db.paging import Filter, Operator, PageRequest
    from vendorrisk.imports import queries
    from vendorrisk.imports import service as imports
    from vendorrisk.imports.model import ImportRowOutcome
    from vendorrisk.vendors.imports import KIND

    wanted = Filter("outcome", Operator.EQ, ImportRowOutcome.PROBLEM)
    async with _work(context, tenant) as work:
        request = PageRequest(queries.ROWS, (wanted,), "row_number", _MOST_SHOWN)
        rows: list[ImportRow] = (await imports.rows(work, KIND, made.id, request)).items
    console = Console()
    table = Table(title="Problems", title_justify="left")
    for heading in ("row", "column", "what to do"):
        table.add_column(heading, justify="right" if heading == "row" else "left", overflow="fold")
    for row in rows:
        for problem in row.problems:
            texts = (str(row.row_number), problem.column or problem.field or "", problem.detail)
            table.add_row(*(Text("".join(c if c.isprintable() else " " for c in text)) for text in texts))
    console.print(table, width=None if console.is_terminal else 160)
    if made.with_problems > len(rows):
        console.print(f"… and {made.with_problems - len(rows)} further rows", highlight=False)


def _sum_up(made: "Import") -> None:
    for notice in made.notices:
        click.echo(f"note: {notice}")
    done = made.state == _APPLIED
    counts = (
        f"{made.to_create} {'created' if done else 'to create'}, {made.to_change} {'changed' if done else 'to change'}"
    )
    click.echo(f"{made.rows_total} rows: {counts}, {made.unchanged} unchanged, {made.with_problems} with problems")
    if done:
        click.echo(f"imported ({made.id})")
    elif made.is_dry_run:
        click.echo("nothing was changed: this was a dry run. Add --apply to import it.")
    else:
        click.echo("nothing was changed: correct the file, or add --partial to import the rows without a problem.")
