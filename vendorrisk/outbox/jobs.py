"""Background work: send due deliveries."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from vendorrisk.background import Job, JobContext
from vendorrisk.outbox import service
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.sending import Sender


async def send_deliveries(context: JobContext, kinds: Sequence[Kind[Any]]) -> int:
    """Send due deliveries of the given kinds. Return how many were tried, cancelled or given up."""
    return await Sender(context, kinds).run()


def jobs(kinds: Sequence[Kind[Any]]) -> tuple[Job, ...]:
    """Return the outbox's jobs for the schedule, for the kinds that this worker sends."""
    # Long enough for the last run that may begin (at half of it) to claim, to hear the slowest receiver, and to record.
    return (Job(service.SEND, partial(send_deliveries, kinds=kinds), 15, timeout_seconds=240),)
