"""Signed webhooks, by the Standard Webhooks specification (version 1)."""

import binascii

import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from vendorrisk.channels.port import Address, Failure, Message, Sent, Undeliverable, WebhookEndpoint
from vendorrisk.channels.posting import later, post, response_summary
from vendorrisk.clock import Clock
from vendorrisk.egress.fetcher import Fetcher

_GONE = 410  # the specification: the endpoint wants no more
_OK = range(200, 300)


class WebhookChannel:
    """Posts `{type, timestamp, data}`. Every status except 2xx and 410 is retryable."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        assert isinstance(to, WebhookEndpoint)  # noqa: S101 - the outlet chose this channel by the address's type
        body = body_of(message)
        response = await post(self._fetcher, to.url, self._headers(to.secret, key, body), body.encode())
        if response.status in _OK:
            return Sent(response_summary(response))
        if response.status == _GONE:
            raise Undeliverable(Failure.REJECTED, response_summary(response), retryable=False)
        raise later(response, self._clock)

    def _headers(self, secret: str, key: str, body: str) -> dict[str, str]:
        now = self._clock()
        try:
            signature = Webhook(secret).sign(key, now, body)
        except (binascii.Error, EmptyWebhookSecretError, ValueError) as error:
            raise Undeliverable(Failure.ADDRESS_INVALID, "the secret cannot sign", retryable=False) from error
        return {
            "content-type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }


def body_of(message: Message) -> str:
    """Return the JSON that is signed and sent.

    It is the same for the same message, so that a retry has the same body.
    """
    body = {"type": message.kind, "timestamp": message.at, "data": message.payload}
    return msgspec.json.encode(body, order="deterministic").decode()
