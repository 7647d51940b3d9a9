"""`vendorrisk backup`, `restore` and `installation`: a copy of everything, and whether a copy may send messages."""

import sys
from pathlib import Path
from typing import Any

import click

from vendorrisk.commands.running import database_or_give_up, give_up, run, settings_or_give_up
from vendorrisk.settings import Settings


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--with-keys", is_flag=True, help="Include VENDORRISK_SECRET_KEYS. Anyone who has the folder can then read it all."
)
def backup(folder: Path, *, with_keys: bool) -> None:
    """Write a backup of database and files into FOLDER, which is new or empty.

    The service may go on meanwhile. Needs the schema's owner: DATABASE_MIGRATION_URL, where the service has a login of
    its own. The sealing keys are named in the manifest and not included: keep them apart from the backup.
    """
    from vendorrisk.backup.making import make
    from vendorrisk.clock import system_clock

    with database_or_give_up() as settings:
        made = run(_or_give_up(make(settings, folder.absolute(), system_clock, with_keys=with_keys)))
    rows = sum(made.tables.values())
    click.echo(f"{folder}: {rows} rows, {len(made.heads)} audit chains, {made.objects} objects of files")
    click.echo(f"sealed with key {', '.join(made.key_ids)}" + (", which is in the folder" if with_keys else ""))
    if made.missing:
        click.echo(f"{len(made.missing)} files are named by rows and missing in the store", err=True)
        sys.exit(1)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Restore the backup in FOLDER into an empty database and an empty file store, and check that all is there.

    The copy holds its deliveries, so that a drill sends no alert: `vendorrisk installation activate` lets them go.
    Needs the sealing keys of the time of the backup.
    """
    from vendorrisk.backup.model import BackupError, manifest_of
    from vendorrisk.backup.restoring import restore as restored
    from vendorrisk.clock import system_clock
    from vendorrisk.embedded.binaries import MissingServerError
    from vendorrisk.embedded.borrowed import servers
    from vendorrisk.embedded.home import HomeError
    from vendorrisk.embedded.postgres import PostgresError
    from vendorrisk.embedded.valkey import ValkeyError

    folder = folder.absolute()
    try:
        manifest_of(folder)
        settings = _with_keys(settings_or_give_up(), folder)
        with servers(settings) as complete:
            done = run(_or_give_up(restored(complete, folder, system_clock)))
    except (BackupError, HomeError, MissingServerError, PostgresError, ValkeyError) as error:
        give_up(str(error))
    click.echo(f"restored and equal: {done.rows} rows, {done.chains} audit chains, {done.objects} objects of files")
    click.echo(
        f"installation {done.installation_id} holds its deliveries: `vendorrisk installation activate` lets them go"
    )
    if done.pending:
        click.echo(f"it lacks {', '.join(done.pending)}: run `vendorrisk migrate`")


@click.group()
def installation() -> None:
    """Whether the messages of this installation leave."""


@installation.command()
def show() -> None:
    """Print the installation's id, and whether its deliveries are held."""
    with database_or_give_up() as settings:
        told = run(_installation(settings))
    held = (
        "leave" if told.deliveries_held_at is None else f"are held since {told.deliveries_held_at:%Y-%m-%d %H:%M} UTC"
    )
    restored_at = "" if told.restored_at is None else f", restored at {told.restored_at:%Y-%m-%d %H:%M} UTC"
    click.echo(f"installation {told.id}{restored_at}: deliveries {held}")


@installation.command()
def activate() -> None:
    """Let the deliveries of a restored copy go. Those that the original sent after the backup are sent again."""
    with database_or_give_up() as settings:
        run(_hold(settings, is_held=False))
    click.echo("deliveries leave from now on")


@installation.command()
def hold() -> None:
    """Hold every delivery until `vendorrisk installation activate`. They wait, and none is lost."""
    with database_or_give_up() as settings:
        run(_hold(settings, is_held=True))
    click.echo("deliveries are held")


async def _or_give_up(work: Any) -> Any:
    from vendorrisk.backup.model import BackupError
    from vendorrisk.storage.port import StorageError

    try:
        return await work
    except (BackupError, StorageError) as error:
        give_up(str(error))


def _with_keys(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the keys that came with the backup, where none are set and none were made yet."""
    import msgspec

    from vendorrisk.backup.model import KEYS, manifest_of

    if settings.secret_keys or (settings.home_path() / "secret.keys").exists():
        return settings
    if not (folder / KEYS).is_file():
        give_up(
            f"set VENDORRISK_SECRET_KEYS to what it was: the backup needs key {', '.join(manifest_of(folder).key_ids)}"
        )
    keys = (folder / KEYS).read_text(encoding="ascii").strip()
    if not (settings.database_url and settings.redis_url):
        from vendorrisk.embedded.guarded_files import write_new
        from vendorrisk.embedded.home import open_home

        write_new(open_home(settings).path / "secret.keys", keys)
    return msgspec.structs.replace(settings, secret_keys=keys)


async def _installation(settings: Settings) -> Any:
    from vendorrisk.db.pool import Database
    from vendorrisk.processes import queries

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            return await queries.INSTALLATION.one(connection)
    finally:
        await database.close()


async def _hold(settings: Settings, *, is_held: bool) -> None:
    from vendorrisk.clock import system_clock
    from vendorrisk.db.pool import Database
    from vendorrisk.processes import queries

    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            await queries.HOLD.run(connection, system_clock() if is_held else None)
    finally:
        await database.close()
