"""One attempt: a message is sent, with no transaction open. Any outcome becomes a result."""

import asyncio

import structlog

from vendorrisk.background import JobContext
from vendorrisk.channels.port import Channel, Failure, Undeliverable
from vendorrisk.outbox import rules
from vendorrisk.outbox.claims import Flight
from vendorrisk.outbox.model import Result

_SEND_SECONDS = 45  # a channel that breaks its promise to end is left

_log = structlog.get_logger("outbox")


async def attempt(context: JobContext, flight: Flight) -> Result:
    """Send one message, and return the result to record."""
    try:
        detail = await _send(context, flight)
    except Undeliverable as why:
        return rules.not_sent(flight.lease, why, context.clock())
    return rules.sent(flight.lease, detail)


async def _send(context: JobContext, flight: Flight) -> str:
    channel: Channel = context.channels
    delivery = flight.lease.delivery
    if flight.trouble is not None or flight.address is None:
        raise flight.trouble or Undeliverable(Failure.ADDRESS_INVALID, "it has no address", retryable=False)
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            message = flight.kind.render(flight.facts, context.settings.public_url)
            return (await channel.send(message, flight.address, str(delivery.id))).detail
    except Undeliverable:
        raise
    except TimeoutError:
        raise Undeliverable(Failure.TIMEOUT, "no response in time", retryable=True) from None
    except Exception as error:
        # A fault of ours must not stop the other deliveries. This one is tried again, and then a dead letter that can
        # be resent.
        _log.exception("delivery_failed", delivery=str(delivery.id), destination=str(delivery.destination_id))
        raise Undeliverable(Failure.TEMPORARY, type(error).__name__, retryable=True) from error
