"""The secret keys of the installation: making one, and moving sealed values to the newest."""

import sys
from typing import TYPE_CHECKING
from uuid import UUID

import click

from vendorrisk.commands.running import database_or_give_up, give_up, run
from vendorrisk.settings import Settings

if TYPE_CHECKING:
    from vendorrisk.keys import Keyring

_SLICE = 500


@click.group()
def keys() -> None:
    """The secret keys that seal receivers' addresses and files."""


@keys.command()
def make() -> None:
    """Print a new key.

    Append it to VENDORRISK_SECRET_KEYS of every process and start them again. Then move it to the front everywhere, and
    run `vendorrisk keys reseal`.
    """
    import base64
    import secrets

    click.echo(base64.b64encode(secrets.token_bytes(32)).decode())


@keys.command()
def reseal() -> None:
    """Seal again everything that an older key sealed, so that the older keys may leave VENDORRISK_SECRET_KEYS.

    May be stopped and run again, and run beside the service. Refused while a process that lives does not hold the first
    key: it could open nothing that is resealed. Stored responses of requests stay with the older key for a day. Ends
    with 1 where data opens with no key.
    """
    with database_or_give_up() as settings:
        unreadable = run(_resealed(settings))
    for one in unreadable:
        click.echo(f"no key opens {one}", err=True)
    if unreadable:
        sys.exit(1)


async def _resealed(settings: Settings) -> list[str]:
    from vendorrisk.keys import Keyring
    from vendorrisk.storage.configured import disk_root, file_store_from
    from vendorrisk.storage.ownership import as_owner_of

    keyring = Keyring.from_setting(settings.secret_keys)
    await _check_processes(settings, keyring.ids[0])
    receivers, unreadable = await _receivers(settings, keyring)
    files = 0
    if (root := disk_root(settings)) is None or root.exists():
        file_store = file_store_from(settings, keyring)
        try:
            with as_owner_of(root):
                rotation = await file_store.rewrap()
        finally:
            await file_store.close()
        files = rotation.rewrapped
        unreadable += [f"file {name}" for name in rotation.unreadable]
    click.echo(f"resealed with key {keyring.ids[0]}: {receivers} receivers, {files} files")
    return unreadable


async def _check_processes(settings: Settings, first: str) -> None:
    """Give up while a process that lives does not hold the key that everything is to be sealed with."""
    from vendorrisk.clock import system_clock
    from vendorrisk.db.pool import Database
    from vendorrisk.processes import model, queries

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            processes = await queries.LIST.many(connection)
    finally:
        await database.close()
    now = system_clock()
    lacking = [one.process for one in processes if not model.is_silent(one, now) and first not in one.key_ids]
    if lacking:
        give_up(
            f"{', '.join(lacking)} does not hold key {first}. Append it to VENDORRISK_SECRET_KEYS of every process and "
            "start them again, then move it to the front, then reseal"
        )


async def _receivers(settings: Settings, keyring: "Keyring") -> tuple[int, list[str]]:
    from vendorrisk.alerts import service as alerts
    from vendorrisk.db.pool import Database

    count, unreadable = 0, list[str]()
    after: tuple[UUID, UUID] | None = (UUID(int=0), UUID(int=0))
    database = Database(settings)
    await database.open()
    try:
        while after is not None:
            async with database.system() as connection:
                done = await alerts.reseal(connection, keyring, after, _SLICE)
            count += done.resealed
            unreadable += done.unreadable
            after = done.last
    finally:
        await database.close()
    return count, unreadable
