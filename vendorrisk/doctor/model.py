"""The findings of checks."""

from collections.abc import Awaitable, Callable
from enum import StrEnum

import msgspec

from vendorrisk.clock import Clock
from vendorrisk.db.pool import Database
from vendorrisk.settings import Settings


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


class Finding(msgspec.Struct, frozen=True):
    """The result of one check. `todo` is empty if nothing needs doing."""

    check: str
    level: Level
    said: str
    todo: str = ""


class Patient(msgspec.Struct, frozen=True):
    """The subject of the checks. `trouble` is the reason why the embedded servers do not run, if they should."""

    settings: Settings
    database: Database
    clock: Clock
    is_embedded: bool = False
    is_new: bool = False
    trouble: str | None = None


class Report(msgspec.Struct, frozen=True):
    """The output of `--json`."""

    healthy: bool
    findings: list[Finding]


Check = Callable[[Patient], Awaitable[list[Finding]]]


class DatabaseAwayError(Exception):
    """The database cannot be asked. The check of the database itself says why."""
