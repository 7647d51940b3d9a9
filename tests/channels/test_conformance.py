"""One suite for every channel, the fakes included: what `Channel` promises."""

import asyncio

import pytest

from tests.channels.make import IMPOSSIBLE, MAKERS, Mood, a_message
from vendorrisk.channels.outlets import Outlets
from vendorrisk.channels.port import Address, Failure, Undeliverable

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("channel", MAKERS)]

KEY = "01936d2a-0000-7000-8000-000000000001"
LATER = {Failure.RATE_LIMITED, Failure.TEMPORARY}


def skip_the_impossible(channel: str, mood: Mood) -> None:
    if (channel, mood) in IMPOSSIBLE:
        pytest.skip(IMPOSSIBLE[channel, mood])


async def outcome(channel: str, mood: Mood) -> tuple[Undeliverable, list[str]]:
    skip_the_impossible(channel, mood)
    async with MAKERS[channel](mood) as bench:
        with pytest.raises(Undeliverable) as raised:
            async with asyncio.timeout(5):
                await bench.channel.send(a_message(), bench.to, KEY)
        return raised.value, bench.keys()


async def test_a_message_that_is_taken_is_sent_once_under_its_key(channel: str) -> None:
    async with MAKERS[channel](Mood.WELL) as bench:
        assert (await bench.channel.send(a_message(), bench.to, KEY)).detail
        assert bench.keys() == [KEY]


async def test_a_second_try_carries_the_same_key_so_that_a_duplicate_can_be_dropped(channel: str) -> None:
    async with MAKERS[channel](Mood.WELL) as bench:
        for _ in range(2):
            await bench.channel.send(a_message(), bench.to, KEY)
        assert bench.keys() == [KEY, KEY]


async def test_a_refusal_for_good_is_not_to_be_tried_again(channel: str) -> None:
    undeliverable, _ = await outcome(channel, Mood.REFUSES)
    assert (undeliverable.failure, undeliverable.retryable) == (Failure.REJECTED, False)
    assert not undeliverable.perhaps_accepted


async def test_a_temporary_failure_is_to_be_tried_again(channel: str) -> None:
    undeliverable, _ = await outcome(channel, Mood.LATER)
    assert undeliverable.failure in LATER
    assert undeliverable.retryable
    assert not undeliverable.perhaps_accepted


async def test_a_slow_receiver_is_left_and_counts_as_perhaps_accepted(channel: str) -> None:
    undeliverable, _ = await outcome(channel, Mood.SLOW)
    assert (undeliverable.failure, undeliverable.retryable) == (Failure.TIMEOUT, True)
    assert undeliverable.perhaps_accepted


async def test_a_receiver_that_takes_it_and_breaks_off_before_it_says_so_counts_as_perhaps_accepted(
    channel: str,
) -> None:
    undeliverable, keys = await outcome(channel, Mood.BREAKS)
    assert (undeliverable.failure, undeliverable.retryable) == (Failure.UNREACHABLE, True)
    assert (undeliverable.perhaps_accepted, keys) == (True, [KEY])


async def test_a_receiver_that_is_away_is_to_be_tried_again_and_got_nothing(channel: str) -> None:
    undeliverable, keys = await outcome(channel, Mood.AWAY)
    assert (undeliverable.failure, undeliverable.retryable) == (Failure.UNREACHABLE, True)
    assert keys == []


async def test_text_that_no_encoding_can_hold_is_sent_all_the_same(channel: str) -> None:
    odd = a_message(title="\ud800 \0 \u202e name\r\nBcc: a@b.c", summary="\udfff" * 9, payload={"title": "x"})
    async with MAKERS[channel](Mood.WELL) as bench:
        await bench.channel.send(odd, bench.to, KEY)
        assert bench.keys() == [KEY]


async def test_the_outlets_choose_by_the_address_and_refuse_what_is_not_set_up(channel: str) -> None:
    async with MAKERS[channel](Mood.WELL) as bench:
        kind: type[Address] = type(bench.to)
        await Outlets({kind: bench.channel}).send(a_message(), bench.to, KEY)
        assert bench.keys() == [KEY]
        with pytest.raises(Undeliverable) as raised:
            await Outlets({}).send(a_message(), bench.to, KEY)
    assert (raised.value.failure, raised.value.retryable) == (Failure.NOT_CONFIGURED, True)
