"""The doctor's patient, and what it finds, by check."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from vendorrisk.clock import Clock, system_clock
from vendorrisk.db.pool import Database
from vendorrisk.doctor.checkup import CHECKS, examine
from vendorrisk.doctor.model import Finding, Patient, Report
from vendorrisk.settings import Settings

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PUBLIC = "https://risk.example.org"


def in_production(settings: Settings, **changes: Any) -> Settings:
    """Return settings as an operator has them."""
    return msgspec.structs.replace(settings, **{"environment": "production", "public_url": PUBLIC, **changes})


@asynccontextmanager
async def patient(settings: Settings, *, clock: Clock = system_clock, **more: Any) -> AsyncIterator[Patient]:
    database = Database(settings)
    await database.open()
    yield Patient(settings, database, clock, **more)
    await database.close()


async def report(settings: Settings, *names: str, clock: Clock = system_clock, **more: Any) -> Report:
    """Examine by the named checks, or by all."""
    checks = [(name, check) for name, check in CHECKS if not names or name in names]
    assert len(checks) == (len(names) or len(CHECKS))
    async with patient(settings, clock=clock, **more) as one:
        return await examine(one, checks)


async def finding(settings: Settings, name: str, **more: Any) -> Finding:
    """Return the only finding of one check."""
    [found] = (await report(settings, name, **more)).findings
    return found
