"""The one command line. Each command imports what it needs only when it runs: `up` stays small."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

import click

from vendorrisk.settings import SettingError, Settings, from_environment


def _settings() -> Settings:
    try:
        return from_environment()
    except SettingError as error:
        _give_up(str(error))


def _give_up(message: str) -> NoReturn:
    click.echo(f"vendorrisk: {message}", err=True)
    sys.exit(1)


def _with_database() -> Settings:
    settings = _settings()
    if not settings.database_url:
        _give_up("DATABASE_URL is not set; `vendorrisk up` starts everything on this machine")
    return settings


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    from vendorrisk.db.pool import UNREACHABLE
    from vendorrisk.errors import Refusal

    try:
        return asyncio.run(coroutine)
    except Refusal as refusal:
        _give_up(refusal.detail)
    except UNREACHABLE as error:
        _give_up(f"the database of DATABASE_URL cannot be reached: {error}")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version="0.1.0", prog_name="vendorrisk")
def main() -> None:
    """Third-party risk management: vendors, SOC 2 evidence, alerts."""


@main.command()
def up() -> None:
    """Start everything on this machine; where DATABASE_URL or REDIS_URL is set, that server is used."""
    from vendorrisk.embedded.binaries import MissingServerError
    from vendorrisk.embedded.home import HomeError
    from vendorrisk.embedded.postgres import PostgresError
    from vendorrisk.embedded.supervisor import StartError
    from vendorrisk.embedded.supervisor import up as run
    from vendorrisk.embedded.valkey import ValkeyError

    try:
        run(_settings(), click.echo)
    except (HomeError, MissingServerError, PostgresError, StartError, ValkeyError) as error:
        _give_up(str(error))


@main.command()
def api() -> None:
    """Serve the API."""
    from vendorrisk.serving import serve

    serve(_with_database())


@main.command()
def worker() -> None:
    """Run background jobs, by schedule and by nudge."""
    from vendorrisk import logs
    from vendorrisk.worker import run

    settings = _with_database()
    logs.configure(settings)
    run(settings)


@main.command()
def migrate() -> None:
    """Bring the database to this release's schema. Safe to run at any time, by any number of processes."""
    applied = _run(_migrate(_with_database()))
    click.echo(f"applied: {', '.join(applied)}" if applied else "nothing to do")


@main.command()
def demo() -> None:
    """Fill a tenant with fiction and show its Monday morning; uses what is running, or starts it for the while."""
    from vendorrisk.embedded.borrowed import servers
    from vendorrisk.embedded.home import HomeError
    from vendorrisk.embedded.postgres import PostgresError

    try:
        with servers(_settings()) as settings:
            _run(_demo(settings))
    except (HomeError, PostgresError) as error:
        _give_up(str(error))


@main.command(hidden=True)
def prepare() -> None:
    """Migrate, and found the first tenant where there is none; answers the supervisor in JSON."""
    import msgspec

    settings = _with_database()
    click.echo(msgspec.json.encode(_run(_prepare(settings))).decode())


@main.group()
def tenants() -> None:
    """Companies that use this installation."""


@tenants.command("add")
@click.argument("name")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA name; decides what today is.")
def add_tenant(name: str, time_zone: str) -> None:
    """Found a tenant and print its first admin key, once."""
    tenant, key = _run(_found(_with_database(), name, time_zone))
    click.echo(f"tenant {tenant.id}\nfirst admin key, shown this once: {key.key}")


async def _migrate(settings: Settings) -> list[str]:
    from vendorrisk.db import migrations

    try:
        return await migrations.migrate(settings.database_migration_url or settings.database_url)
    except migrations.MigrationError as error:
        _give_up(str(error))


async def _demo(settings: Settings) -> None:
    from rich.console import Console

    from vendorrisk.demo import monday
    from vendorrisk.worker import make_world

    await _migrate(settings)
    world, nudger = make_world(settings)
    await world.database.open()
    try:
        await monday.run(world, Console())
    finally:
        await world.database.close()
        await world.channels.aclose()
        await nudger.close()


async def _prepare(settings: Settings) -> dict[str, Any]:
    from vendorrisk.db.pool import Database
    from vendorrisk.identity import service as identity

    applied = await _migrate(settings)
    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            if await identity.has_tenants(connection):
                return {"applied": applied}
            _, key = await _found_on(connection, "My company", "UTC")
            await _tell_console(connection, settings)
            return {"applied": applied, "key": key.key}
    finally:
        await database.close()


async def _tell_console(connection: Any, settings: Settings) -> None:
    """Give the first tenant of embedded mode a receiver, so that its alerts are seen before anyone sets one up."""
    from vendorrisk.access.model import system
    from vendorrisk.access.permissions import Permission
    from vendorrisk.access.work import Work
    from vendorrisk.alerts import service as alerts
    from vendorrisk.alerts.model import NewReceiver, ToConsole
    from vendorrisk.clock import system_clock
    from vendorrisk.identity import service as identity
    from vendorrisk.keys import Keyring

    tenant = await identity.first_tenant(connection)
    by = system(tenant, "founding", Permission.ALERTS_MANAGE)
    work = Work(db=connection, by=by, now=system_clock(), request_id="founding")
    keyring = Keyring.from_setting(settings.secret_keys)
    await alerts.add_receiver(work, keyring, NewReceiver(name="Console", target=ToConsole()))


async def _found(settings: Settings, name: str, time_zone: str) -> Any:
    from vendorrisk.db.pool import Database

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            return await _found_on(connection, name, time_zone)
    finally:
        await database.close()


async def _found_on(connection: Any, name: str, time_zone: str) -> Any:
    from vendorrisk.clock import system_clock
    from vendorrisk.identity import service as identity

    return await identity.found_tenant(connection, name, time_zone, system_clock())


if __name__ == "__main__":
    main()
