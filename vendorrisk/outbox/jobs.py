"""Background work: send due deliveries."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from vendorrisk.background import Job, JobContext
from vendorrisk.outbox import service
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.sending import Sender, sending_places
from vendorrisk.queues.places import Places


async def send_deliveries(context: JobContext, kinds: Sequence[Kind[Any]], places: Places | None = None) -> int:
    """Send due deliveries of the given kinds. Return how many were tried, cancelled or given up."""
    return await Sender(context, kinds, places or sending_places()).run()


def jobs(kinds: Sequence[Kind[Any]]) -> tuple[Job, ...]:
    """Return the outbox's jobs for the schedule, for the kinds that this worker sends.

    A run that has ended its claims waits for destinations that do not respond. The next run claims meanwhile.
    """
    run = partial(send_deliveries, kinds=kinds, places=sending_places())
    # Long enough for the last run that may begin (at half of it) to claim, to hear the slowest receiver, and to record.
    return (Job(service.SEND, run, 15, timeout_seconds=300, at_once=3),)
