"""Background work: send what is due."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from vendorrisk.background import Job, JobContext
from vendorrisk.outbox import service
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.sending import Sender


async def send_deliveries(context: JobContext, kinds: Sequence[Kind[Any]]) -> int:
    """Send what may be tried now of the given kinds; returns how many deliveries were tried, cancelled or given up."""
    return await Sender(context, kinds).run()


def jobs(kinds: Sequence[Kind[Any]]) -> tuple[Job, ...]:
    """Return what the schedule lists of the outbox, for the kinds that this worker sends."""
    # Long enough for the last run that may begin (at half of it) to claim, to hear the slowest receiver, and to record.
    return (Job(service.SEND, partial(send_deliveries, kinds=kinds), 15, timeout_seconds=240),)
