"""`vendorrisk doctor`: every check run once, with advice."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from vendorrisk.commands.running import failures_in_one_line, give_up, is_new, run
from vendorrisk.settings import Settings, read

if TYPE_CHECKING:
    from vendorrisk.doctor.model import Patient, Report


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(*, as_json: bool) -> None:
    """Check everything that the service depends on, with advice for each problem.

    Database, roles and row-level security, schema, Redis, worker, clock, time zones, receivers, e-mail, Slack, file
    store, secret keys, disc space, backups. Sends nothing, changes nothing, prints no secret. Ends with 1 if anything
    fails.
    """
    with failures_in_one_line():
        settings = read()
    with _patient(settings) as patient:
        report = run(_examined(patient))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        from rich.console import Console

        from vendorrisk.doctor.table import show

        show(report, Console())
    if not report.healthy:
        sys.exit(1)


@contextmanager
def _patient(settings: Settings) -> "Iterator[Patient]":
    """Give the patient with its servers running: those configured, a supervisor's, or ours for the while."""
    from contextlib import ExitStack

    from vendorrisk.clock import system_clock
    from vendorrisk.db.pool import Database
    from vendorrisk.doctor.model import Patient
    from vendorrisk.embedded.borrowed import servers

    embedded = not settings.database_url
    trouble = None
    new = is_new(settings)
    with ExitStack() as stack:
        if embedded and not new:
            try:
                settings = stack.enter_context(servers(settings))
            except Exception as error:  # noqa: BLE001 - whatever keeps the servers from starting is the finding
                trouble = str(error) or type(error).__name__
        database = Database(settings)
        yield Patient(settings, database, system_clock, is_embedded=embedded, is_new=new, trouble=trouble)


async def _examined(patient: "Patient") -> "Report":
    from vendorrisk.doctor.checkup import examine

    try:
        await patient.database.open()
    except ValueError as error:
        give_up(f"DATABASE_URL cannot be read: {error}")
    try:
        return await examine(patient)
    finally:
        await patient.database.close()
