"""Signed webhooks, checked with the receiver's side of the same specification."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.channels.make import HOOK, SECRET, a_message, clock, web
from vendorrisk.channels.port import Failure, Undeliverable, WebhookEndpoint
from vendorrisk.channels.webhook import WebhookChannel, body_of
from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.embedded.home import free_port
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import Reply

pytestmark = pytest.mark.anyio

TO = WebhookEndpoint(HOOK, SECRET)


async def test_a_receiver_can_verify_the_signature_and_notices_a_change() -> None:
    def now() -> datetime:
        return datetime.now(UTC)  # the verifier has only the system's clock

    async with web(lambda _: Reply(204)) as (server, fetcher):
        await WebhookChannel(fetcher, now).send(a_message(), TO, "key-1")
    (request,) = server.requests
    payload = Webhook(SECRET).verify(request.body, request.headers)
    assert payload["type"] == "alert.evidence_expiring"
    assert payload["data"] == {"vendor": "Example Analytics", "days_left": 30}
    assert request.headers["webhook-id"] == "key-1"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body.replace(b"30", b"31"), request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(request.body, {**request.headers, "webhook-id": "key-2"})


def test_a_retry_has_the_same_body() -> None:
    assert body_of(a_message(payload={"b": 1, "a": 2})) == body_of(a_message(payload={"a": 2, "b": 1}))
    assert json.loads(body_of(a_message()))["timestamp"] == "2026-03-02T08:30:00Z"


@pytest.mark.parametrize(
    ("reply", "failure", "retryable", "wait"),
    [
        (Reply(410), Failure.REJECTED, False, None),
        (Reply(404), Failure.TEMPORARY, True, None),
        (Reply(302, [("Location", "http://10.0.0.1/")]), Failure.TEMPORARY, True, None),
        (Reply(503, [("Retry-After", "Mon, 02 Mar 2026 08:31:00 GMT")]), Failure.TEMPORARY, True, 60),
        (Reply(429, [("Retry-After", "5")]), Failure.RATE_LIMITED, True, 5),
    ],
)
async def test_each_response_has_its_meaning_and_a_redirect_is_not_followed(
    reply: Reply,
    failure: Failure,
    retryable: object,
    wait: int | None,
) -> None:
    async with web(lambda _: reply) as (server, fetcher):
        with pytest.raises(Undeliverable) as raised:
            await WebhookChannel(fetcher, clock).send(a_message(), TO, "k")
    said = raised.value
    assert (said.failure, said.retryable, said.retry_after_seconds) == (failure, retryable, wait)
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["hooks", "unknown", "silent"])
async def test_what_cannot_have_left_is_no_possible_duplicate(name: str) -> None:
    silent = "127.0.0.1", 9  # nobody answers questions there
    async with dns_fake({("hooks.example.test", "A"): ["127.0.0.1"]}) as names:
        resolver = Resolver([silent if name == "silent" else names.address])
        allowed = LoopbackOverride(["127.0.0.0/8"], {("", 80): free_port("127.0.0.1", 0)})
        fetcher = Fetcher(Guard(resolver, loopback=allowed), user_agent="messages/1")
        to = WebhookEndpoint(HOOK.replace("hooks", name), SECRET)
        with pytest.raises(Undeliverable) as raised:
            await WebhookChannel(fetcher, clock).send(a_message(), to, "k")
        await fetcher.aclose()
    assert (raised.value.failure, raised.value.perhaps_accepted) == (Failure.UNREACHABLE, False)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_*"])
async def test_a_secret_that_cannot_sign_is_refused_and_not_shown(secret: str) -> None:
    async with web(lambda _: Reply()) as (server, fetcher):
        with pytest.raises(Undeliverable) as raised:
            await WebhookChannel(fetcher, clock).send(a_message(), WebhookEndpoint(HOOK, secret), "k")
    assert (raised.value.failure, raised.value.retryable) == (Failure.ADDRESS_INVALID, False)
    assert server.requests == []
