"""The common parts of commands: read the settings, run a coroutine, and fail with one line."""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

import click

from vendorrisk.settings import SettingError, Settings, from_environment

Result = TypeVar("Result")


def give_up(message: str) -> NoReturn:
    click.echo(f"vendorrisk: {message}", err=True)
    sys.exit(1)


@contextmanager
def failures_in_one_line() -> Iterator[None]:
    """Give up if a setting turns out to be wrong, or names a server that is away."""
    try:
        yield
    except SettingError as error:
        give_up(str(error))


def settings_or_give_up() -> Settings:
    with failures_in_one_line():
        return from_environment()


def settings_with_database() -> Settings:
    settings = settings_or_give_up()
    if not settings.database_url:
        give_up("DATABASE_URL is not set. `vendorrisk up` starts everything on this machine")
    return settings


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end. A refusal, an unreachable database and a wrong setting become one line and exit code 1."""
    from vendorrisk import logs
    from vendorrisk.db.pool import NOT_READY, UNREACHABLE
    from vendorrisk.errors import Code, Refusal

    logs.silence()
    try:
        return asyncio.run(coroutine)
    except Refusal as refusal:
        if refusal.code is Code.DATABASE_UNAVAILABLE:
            give_up(f"the database of DATABASE_URL cannot be reached: {refusal.__cause__ or refusal.detail}")
        give_up(refusal.detail)
    except SettingError as error:
        give_up(str(error))
    except NOT_READY as error:
        give_up(f"the database is not ready for this release ({error}); `vendorrisk doctor` says what it lacks")
    except UNREACHABLE as error:
        give_up(f"the database of DATABASE_URL cannot be reached: {error}")


@contextmanager
def database_or_give_up() -> Iterator[Settings]:
    """Yield the settings with a running database: the configured one, a supervisor's, or a temporary one of ours.

    It makes no data folder: if embedded mode has none yet, there is no data to read.
    """
    from vendorrisk.embedded.binaries import MissingServerError
    from vendorrisk.embedded.borrowed import servers
    from vendorrisk.embedded.home import HomeError
    from vendorrisk.embedded.postgres import PostgresError
    from vendorrisk.embedded.valkey import ValkeyError

    settings = settings_or_give_up()
    if settings.database_url:
        yield settings
        return
    if is_new(settings):
        give_up(f"there is nothing in {settings.home_path()} yet; `vendorrisk up` makes it, or set DATABASE_URL")
    try:
        with servers(settings) as complete:
            yield complete
    except (HomeError, MissingServerError, PostgresError, ValkeyError) as error:
        give_up(str(error))


def is_new(settings: Settings) -> bool:
    """Return True if the settings ask for embedded mode, and it was never started."""
    from vendorrisk.embedded.home import CLUSTER

    return not settings.database_url and not (settings.home_path() / CLUSTER).exists()
