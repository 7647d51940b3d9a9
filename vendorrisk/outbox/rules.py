"""Decisions after an attempt: the end, or another attempt, and when."""

from datetime import datetime, timedelta
from uuid import UUID

from vendorrisk.channels.port import Failure, Undeliverable
from vendorrisk.outbox.model import AttemptOutcome, DeliveryState, Lease, Result

TRIES = 12
"""Attempts before a delivery is dead: with the back-off below, most of a day."""

ENDED_UNSENT = frozenset({DeliveryState.DEAD, DeliveryState.CANCELLED})
"""The states in which a delivery can be resent."""

_FIRST_WAIT_SECONDS = 30
_LONGEST_WAIT_SECONDS = 6 * 3600
_LONGEST_BACK_OFF_SECONDS = 600
_BACK_OFF_FAILURES = frozenset({Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.NOT_CONFIGURED})


def sent(lease: Lease, detail: str) -> Result:
    return Result(lease, DeliveryState.SENT, AttemptOutcome.SENT, None, None, detail, None)


def not_sent(lease: Lease, why: Undeliverable, now: datetime) -> Result:
    """Decide after a failure: another attempt later, or none.

    If the message left without a response, it may have been taken.
    """
    delivery = lease.delivery
    outcome = AttemptOutcome.UNCERTAIN if why.perhaps_accepted else AttemptOutcome.FAILED
    again = why.retryable and delivery.number < delivery.attempts_allowed
    state = DeliveryState.PENDING if again else DeliveryState.DEAD
    wait = wait_seconds(delivery.id, delivery.number, why.retry_after_seconds)
    rest = min(wait, max(_LONGEST_BACK_OFF_SECONDS, why.retry_after_seconds or 0))
    return Result(
        lease,
        state,
        outcome,
        now + timedelta(seconds=wait) if again else None,
        why.failure.value,
        why.detail,
        now + timedelta(seconds=rest) if why.failure in _BACK_OFF_FAILURES and why.retryable else None,
    )


def wait_seconds(delivery_id: UUID, attempts: int, retry_after_seconds: int | None) -> int:
    """Return the back-off after `attempts` tries: doubling, spread by the delivery's id, never under Retry-After.

    The spread is ±20 % and always the same for one delivery, so that a thousand that failed together do not come
    back together, and a test can expect it.
    """
    doubled = _FIRST_WAIT_SECONDS << min(attempts - 1, 20)
    spread = 0.8 + 0.4 * (delivery_id.int % 1000) / 999
    return max(round(min(doubled, _LONGEST_WAIT_SECONDS) * spread), retry_after_seconds or 0)
