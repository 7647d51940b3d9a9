"""What every command does alike: read the settings, run a coroutine, and fail with one line."""

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
def told_in_one_line() -> Iterator[None]:
    """Give up where a setting turns out to be wrong, or what it names to be away."""
    try:
        yield
    except SettingError as error:
        give_up(str(error))


def settings_or_give_up() -> Settings:
    with told_in_one_line():
        return from_environment()


def settings_with_database() -> Settings:
    settings = settings_or_give_up()
    if not settings.database_url:
        give_up("DATABASE_URL is not set; `vendorrisk up` starts everything on this machine")
    return settings


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; a refusal, an unreachable database and a wrong setting become one line and exit code 1."""
    from vendorrisk import logs
    from vendorrisk.db.pool import UNREACHABLE
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
    except UNREACHABLE as error:
        give_up(f"the database of DATABASE_URL cannot be reached: {error}")
