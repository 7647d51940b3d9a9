"""Starting things: the whole stack, its parts, the schema, the demo."""

from typing import Any

import click

from vendorrisk.commands.running import failures_in_one_line, give_up, run, settings_or_give_up, settings_with_database
from vendorrisk.settings import Settings, is_given


@click.command()
def up() -> None:
    """Start everything on this machine. Where DATABASE_URL or REDIS_URL is set, that server is used."""
    from vendorrisk.embedded.binaries import MissingServerError
    from vendorrisk.embedded.home import HomeError
    from vendorrisk.embedded.postgres import PostgresError
    from vendorrisk.embedded.supervisor import StartError
    from vendorrisk.embedded.supervisor import up as supervise
    from vendorrisk.embedded.valkey import ValkeyError

    try:
        supervise(settings_or_give_up(), click.echo, port_is_given=is_given("port"))
    except (HomeError, MissingServerError, PostgresError, StartError, ValkeyError) as error:
        give_up(str(error))


@click.command()
def api() -> None:
    """Serve the API."""
    from vendorrisk.serving import serve

    with failures_in_one_line():
        serve(settings_with_database())


@click.command()
def worker() -> None:
    """Run background jobs, by schedule and by nudge."""
    from vendorrisk import logs
    from vendorrisk.worker import run as work

    settings = settings_with_database()
    logs.configure(settings)
    with failures_in_one_line():
        work(settings)


@click.command()
def migrate() -> None:
    """Bring the database to this release's schema. Safe to run at any time, by any number of processes."""
    applied = run(migrated(settings_with_database()))
    click.echo(f"applied: {', '.join(applied)}" if applied else "nothing to do")


@click.command()
def demo() -> None:
    """Fill a tenant with fiction and show its Monday morning. Uses running servers, or starts them for the while."""
    from vendorrisk.embedded.borrowed import servers
    from vendorrisk.embedded.home import HomeError
    from vendorrisk.embedded.postgres import PostgresError

    try:
        with servers(settings_or_give_up()) as settings:
            run(_demo(settings))
    except (HomeError, PostgresError) as error:
        give_up(str(error))


@click.command()
@click.argument("part", type=click.Choice(["api", "worker"]))
def healthy(part: str) -> None:
    """End with 0 if the API of this machine is ready, or a worker of this machine gave a sign lately. Else end with 1.

    For the health checks of containers. `vendorrisk doctor` says what is wrong.
    """
    settings = settings_or_give_up() if part == "api" else settings_with_database()
    if part == "api":
        from vendorrisk.embedded.readiness import is_ready

        if not is_ready(settings.host, settings.port):
            give_up(f"the API on port {settings.port} is not ready")
        return
    if not run(_worker_lives(settings)):
        give_up("no worker of this host has given a sign of life lately")


async def _worker_lives(settings: Settings) -> bool:
    from vendorrisk.clock import system_clock
    from vendorrisk.db.pool import Database
    from vendorrisk.processes import model, queries
    from vendorrisk.processes.heartbeat import host_name

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            processes = await queries.LIST.many(connection)
    finally:
        await database.close()
    return any(one.host == host_name() for one in model.alive(processes, "worker", system_clock()))


async def migrated(settings: Settings) -> list[str]:
    """Apply missing migrations, as the owner if one is set. Return the names of the applied migrations."""
    from vendorrisk.db import migrations
    from vendorrisk.db.pool import DATABASE_ADDRESS, UNREACHABLE

    name = "DATABASE_MIGRATION_URL" if settings.database_migration_url else "DATABASE_URL"
    try:
        return await migrations.migrate(settings.database_migration_url or settings.database_url)
    except migrations.MigrationError as error:
        give_up(str(error))
    except UNREACHABLE as error:
        give_up(f"the database of {name} cannot be reached: {error}")
    except ValueError:
        # Without the driver's words, which may hold a part of a password.
        give_up(f"{name} cannot be read: it takes {DATABASE_ADDRESS}")


async def _demo(settings: Settings) -> None:
    from rich.console import Console

    from vendorrisk.demo import monday
    from vendorrisk.worker import close_job_context, make_job_context

    await migrated(settings)
    context, nudger = make_job_context(settings)
    await context.database.open()
    try:
        await monday.run(context, Console())
    finally:
        await close_job_context(context, nudger)


@click.command(hidden=True)
def prepare() -> None:
    """Migrate, and found the first tenant where there is none. Answers the supervisor in JSON."""
    import msgspec

    settings = settings_with_database()
    click.echo(msgspec.json.encode(run(_prepare(settings))).decode())


async def _prepare(settings: Settings) -> dict[str, Any]:
    from vendorrisk.commands.tenants import found_on
    from vendorrisk.db.pool import Database
    from vendorrisk.identity import service as identity
    from vendorrisk.keys import Keyring
    from vendorrisk.processes import queries as processes
    from vendorrisk.processes.heartbeat import host_name
    from vendorrisk.worker import reach_redis

    Keyring.from_setting(settings.secret_keys)
    await reach_redis(settings)
    applied = await migrated(settings)
    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            # The worker of an earlier start, which may have been killed, is not taken for the one that starts now.
            await processes.FORGET_HOST.run(connection, host_name())
            if await identity.has_tenants(connection):
                return {"applied": applied}
            _, key = await found_on(connection, "My company", "UTC")
            await _notify_console(connection, settings)
            return {"applied": applied, "key": key.secret}
    finally:
        await database.close()


async def _notify_console(connection: Any, settings: Settings) -> None:
    """Give the first tenant of embedded mode a receiver, so that its alerts are seen before anyone sets one up."""
    from vendorrisk.access.model import system
    from vendorrisk.access.permissions import Permission
    from vendorrisk.access.work import Work
    from vendorrisk.alerts import service as alerts
    from vendorrisk.alerts.receiver_model import ConsoleTarget, NewReceiver
    from vendorrisk.clock import system_clock
    from vendorrisk.identity import service as identity
    from vendorrisk.keys import Keyring

    tenant = await identity.first_tenant(connection)
    by = system(tenant, "founding", Permission.ALERTS_MANAGE)
    work = Work(db=connection, by=by, now=system_clock(), request_id="founding")
    keyring = Keyring.from_setting(settings.secret_keys)
    await alerts.add_receiver(work, keyring, NewReceiver(name="Console", target=ConsoleTarget()))
