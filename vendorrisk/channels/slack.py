"""Slack: incoming webhooks, and bot tokens through `chat.postMessage`. HTTP goes through the guarded client."""

from typing import Any

import msgspec

from vendorrisk.channels.port import Address, Failure, Message, Sent, SlackConversation, SlackWebhook, Undeliverable
from vendorrisk.channels.posting import is_later, later, post, response_summary
from vendorrisk.channels.slack_form import blocks, fallback
from vendorrisk.channels.text import one_line
from vendorrisk.clock import Clock
from vendorrisk.egress.answer import Fetched
from vendorrisk.egress.fetcher import Fetcher

_OK = 200
_RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# Slack's own words for "not your fault, try again" among the errors of chat.postMessage.
_TEMPORARY = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"})


class SlackWebhookChannel:
    """Slack answers an incoming webhook with a status and a word. A 4xx except 429 is final."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        assert isinstance(to, SlackWebhook)  # noqa: S101 - the outlet chose this channel by the address's type
        body = msgspec.json.encode({"text": fallback(message), "blocks": blocks(message, key), "mrkdwn": False})
        response = await post(self._fetcher, to.url, {"content-type": "application/json; charset=utf-8"}, body)
        if response.status == _OK:
            return Sent(response_summary(response))
        if is_later(response):
            raise later(response, self._clock)
        raise Undeliverable(Failure.REJECTED, response_summary(response), retryable=False)


class SlackBotChannel:
    """`chat.postMessage`: the status is 200 for most refusals, the body's `error` says which."""

    def __init__(self, fetcher: Fetcher, clock: Clock, api_url: str) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._api = api_url.rstrip("/")

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        assert isinstance(to, SlackConversation)  # noqa: S101 - the outlet chose this channel by the address's type
        said = await self._call("chat.postMessage", to, _body(message, to.conversation, key))
        return Sent(f"ok {str(said.get('ts', ''))[:40]}".strip())

    async def check(self, to: SlackConversation) -> str:
        """Ask Slack for the token's owner (`auth.test`), which sends no message. Raises `Undeliverable`."""
        said = await self._call("auth.test", to, b"{}")
        return one_line(f"{said.get('user', 'a bot')} of {said.get('team', 'a team')}", 100)

    async def _call(self, method: str, to: SlackConversation, body: bytes) -> dict[str, Any]:
        if not (to.token.isascii() and to.token.isprintable()):
            raise Undeliverable(Failure.ADDRESS_INVALID, "the token is not one", retryable=False)
        headers = {"content-type": "application/json; charset=utf-8", "authorization": f"Bearer {to.token}"}
        response = await post(self._fetcher, f"{self._api}/{method}", headers, body)
        if is_later(response):
            raise later(response, self._clock)
        return _outcome(response, self._clock)


def _body(message: Message, conversation: str, key: str) -> bytes:
    return msgspec.json.encode(
        {
            "channel": conversation,
            "text": fallback(message),
            "blocks": blocks(message, key),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "link_names": False,
            "metadata": {"event_type": "vendorrisk_delivery", "event_payload": {"key": key}},
        }
    )


def _outcome(response: Fetched, clock: Clock) -> dict[str, Any]:
    """Return Slack's response if it was ok."""
    try:
        said: Any = msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    if not isinstance(said, dict) or response.status != _OK:
        raise later(response, clock)
    if said.get("ok") is True:
        return said
    error = str(said.get("error", "unknown"))[:80]
    if error in _RATE_LIMITED:
        wait = response.retry_after_seconds(clock())
        raise Undeliverable(Failure.RATE_LIMITED, error, retryable=True, retry_after_seconds=wait)
    if error in _TEMPORARY:
        raise Undeliverable(Failure.TEMPORARY, error, retryable=True)
    raise Undeliverable(Failure.REJECTED, error, retryable=False)
