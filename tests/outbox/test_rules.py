"""What follows a try that failed: another one, when, and whether the receiver is left alone meanwhile."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from vendorrisk.channels.port import Failure, Undeliverable
from vendorrisk.ids import new_id
from vendorrisk.outbox import rules
from vendorrisk.outbox.model import DeliveryState, Due, Lease

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
TOKEN = UUID(int=9)


def lease(attempts: int = 1, allowed: int = rules.TRIES) -> Lease:
    delivery = Due(
        tenant_id=UUID(int=1),
        id=UUID(int=500),
        owner_kind="fake",
        owner_id=UUID(int=3),
        destination_id=UUID(int=2),
        recipient="",
        number=attempts,
        attempts_allowed=allowed,
        lease_token=None,
    )
    return Lease(delivery, TOKEN, "console")


def failed(failure: Failure, *, attempts: int = 1, retryable: bool = True, after: int | None = None) -> rules.Result:
    why = Undeliverable(failure, "no", retryable=retryable, retry_after_seconds=after)
    return rules.not_sent(lease(attempts), why, NOW)


def test_the_last_try_that_is_allowed_is_the_last() -> None:
    before, last = failed(Failure.TEMPORARY, attempts=rules.TRIES - 1), failed(Failure.TEMPORARY, attempts=rules.TRIES)
    assert (before.state, last.state) == (DeliveryState.PENDING, DeliveryState.DEAD)
    assert before.next_attempt_at is not None
    assert last.next_attempt_at is None


def test_what_will_never_be_taken_is_tried_once() -> None:
    result = failed(Failure.REJECTED, retryable=False)
    assert (result.state, result.next_attempt_at, result.back_off_until) == (DeliveryState.DEAD, None, None)


@pytest.mark.parametrize("failure", Failure)
def test_only_a_receiver_that_cannot_be_reached_or_asks_for_it_is_left_alone(failure: Failure) -> None:
    backing_off = {Failure.UNREACHABLE, Failure.TIMEOUT, Failure.RATE_LIMITED, Failure.NOT_CONFIGURED}
    assert (failed(failure).back_off_until is not None) is (failure in backing_off)
    assert failed(failure, retryable=False).back_off_until is None


def test_a_receiver_is_left_alone_for_ten_minutes_at_most_unless_it_asks_for_longer() -> None:
    late = failed(Failure.UNREACHABLE, attempts=11)
    assert late.next_attempt_at is not None
    assert late.next_attempt_at > NOW + timedelta(hours=4)
    assert late.back_off_until == NOW + timedelta(minutes=10)
    assert failed(Failure.RATE_LIMITED, after=7200).back_off_until == NOW + timedelta(hours=2)
    soon = failed(Failure.UNREACHABLE)
    assert soon.back_off_until == soon.next_attempt_at


def test_waiting_doubles_up_to_six_hours() -> None:
    middle = UUID(int=500)  # its spread is one
    waits = [rules.wait_seconds(middle, tries, None) for tries in range(1, 13)]
    assert waits[:4] == [30, 60, 120, 240]
    assert waits[-2:] == [pytest.approx(6 * 3600, rel=0.001)] * 2
    assert [round(rules.wait_seconds(UUID(int=n), 1, None)) for n in (0, 999)] == [24, 36]


def test_the_back_off_is_never_shorter_than_the_receiver_asks() -> None:
    for tries in range(1, 40):
        assert rules.wait_seconds(new_id(), tries, 5000) >= 5000
        assert 24 <= rules.wait_seconds(new_id(), tries, None) <= 6 * 3600 * 1.2
