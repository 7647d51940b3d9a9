"""Companies that use this installation."""

from typing import Any
from uuid import UUID

import click

from vendorrisk.commands.running import database_or_give_up, give_up, run
from vendorrisk.settings import Settings


@click.group()
def tenants() -> None:
    """Companies that use this installation."""


@tenants.command("add")
@click.argument("name")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA name. It decides the date of today.")
def add_tenant(name: str, time_zone: str) -> None:
    """Found a tenant and print its first admin key, once.

    Refused where a tenant has this name: `vendorrisk tenants admin-key` gives it another key.
    """
    _check_name(name)
    with database_or_give_up() as settings:
        tenant, key = run(_found(settings, name, time_zone))
    click.echo(f"tenant {tenant.id}\nfirst admin key, shown this once: {key.key}")


@tenants.command("admin-key")
@click.argument("tenant", type=click.UUID)
def add_admin_key(tenant: UUID) -> None:
    """Make another admin key for a tenant whose keys are lost, and print it once.

    The audit log records it. `vendorrisk tenants list` has the tenant's id. Revoke the lost key with the new one.
    """
    with database_or_give_up() as settings:
        key = run(_keyed(settings, tenant))
    click.echo(f"admin key, shown this once: {key.key}")


@tenants.command("list")
def list_tenants() -> None:
    """Print each tenant's id, time zone and name."""
    with database_or_give_up() as settings:
        for tenant in run(_every(settings)):
            click.echo(f"{tenant.id}  {tenant.time_zone}  {tenant.name}")


async def _every(settings: Settings) -> Any:
    from vendorrisk.db.pool import Database
    from vendorrisk.identity import service as identity

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            return await identity.every_tenant(connection)
    finally:
        await database.close()


def _check_name(name: str) -> None:
    from vendorrisk.identity.model import Name
    from vendorrisk.value_checks import faults_of, fits

    if not fits(name, Name):
        raise click.BadParameter(next(faults_of(name, Name)).detail, param_hint="NAME")


async def _found(settings: Settings, name: str, time_zone: str) -> Any:
    from vendorrisk.db.pool import Database
    from vendorrisk.identity import service as identity

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            await identity.check_new_name(connection, name)
            return await found_on(connection, name, time_zone)
    finally:
        await database.close()


async def _keyed(settings: Settings, tenant_id: UUID) -> Any:
    from vendorrisk.clock import system_clock
    from vendorrisk.db.pool import Database
    from vendorrisk.identity import service as identity

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            if tenant_id not in {one.id for one in await identity.every_tenant(connection)}:
                give_up(f"there is no tenant {tenant_id}; `vendorrisk tenants list` names them")
            return await identity.admin_key(connection, tenant_id, system_clock())
    finally:
        await database.close()


async def found_on(connection: Any, name: str, time_zone: str) -> Any:
    """Create a tenant in the caller's transaction. Return it with its first admin key."""
    from vendorrisk.clock import system_clock
    from vendorrisk.identity import service as identity

    return await identity.found_tenant(connection, name, time_zone, system_clock())
