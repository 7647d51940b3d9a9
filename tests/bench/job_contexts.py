"""What jobs reach, over the database of a bench."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from vendorrisk.background import JobContext
from vendorrisk.settings import Settings
from vendorrisk.worker import close_job_context, make_job_context


@asynccontextmanager
async def job_context_of(settings: Settings, now: datetime) -> AsyncIterator[JobContext]:
    """Open a world whose clock stands still; statements may take as long as they need."""
    patient = msgspec.structs.replace(settings, database_statement_seconds=600)
    context, nudger = make_job_context(patient, clock=lambda: now)
    await context.database.open()
    try:
        yield context
    finally:
        await close_job_context(context, nudger)
