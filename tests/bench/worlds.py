"""What jobs reach, over the database of a bench."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from vendorrisk.background import World
from vendorrisk.settings import Settings
from vendorrisk.worker import close_world, make_world


@asynccontextmanager
async def world_of(settings: Settings, now: datetime) -> AsyncIterator[World]:
    """Open a world whose clock stands still; statements may take as long as they need."""
    patient = msgspec.structs.replace(settings, database_statement_seconds=600)
    world, nudger = make_world(patient, clock=lambda: now)
    await world.database.open()
    try:
        yield world
    finally:
        await close_world(world, nudger)
