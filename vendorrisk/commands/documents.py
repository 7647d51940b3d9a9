"""The two generated documents: the API's and the schema's."""

import click

from vendorrisk.commands.running import give_up, run, settings_or_give_up
from vendorrisk.commands.serving import migrated
from vendorrisk.settings import Settings


@click.command()
def openapi() -> None:
    """Print the OpenAPI document. Needs no server. The same release prints the same bytes."""
    import json

    from vendorrisk.app import routed

    click.echo(json.dumps(routed().state.document, indent=2, ensure_ascii=False))


@click.command()
def schema() -> None:
    """Print the schema as SQL.

    With DATABASE_URL, prints the schema of that database, which is only read: compare it with sql/schema.sql to see
    manual changes. Without it, prints the schema of this release, made on a throw-away Postgres.
    """
    from vendorrisk.embedded.binaries import MissingServerError
    from vendorrisk.embedded.borrowed import throw_away_postgres
    from vendorrisk.embedded.postgres import PostgresError

    settings = settings_or_give_up()
    if settings.database_url:
        click.echo(run(_dumped(settings)), nl=False)
        return
    try:
        with throw_away_postgres() as dsn:
            click.echo(run(_made(Settings(database_url=dsn))), nl=False)
    except (MissingServerError, PostgresError) as error:
        give_up(str(error))


async def _made(settings: Settings) -> str:
    await migrated(settings)
    return await _dumped(settings)


async def _dumped(settings: Settings) -> str:
    from vendorrisk.db import schema
    from vendorrisk.db.pool import Database

    database = Database(settings)
    await database.open()
    try:
        async with database.borrowed() as connection:
            return await schema.dump(connection)
    except schema.UnknownObjectError as error:
        give_up(str(error))
    finally:
        await database.close()
