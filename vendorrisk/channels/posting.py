"""The shared part of Slack and webhooks: one POST through the guarded client, and the meaning of its outcome."""

import math
from collections.abc import Mapping

from vendorrisk.channels.port import Failure, Undeliverable
from vendorrisk.clock import Clock
from vendorrisk.egress.answer import Fetched
from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError, Reason

_TOO_MANY = 429
_SERVER_ERRORS = 500
_MOST_WAIT_SECONDS = 24 * 3600
_DETAIL_BYTES = 200

_NOT_ALLOWED = frozenset(
    {
        Reason.URL_INVALID,
        Reason.SCHEME,
        Reason.USERINFO,
        Reason.PORT,
        Reason.ADDRESS,
        Reason.HOST_BAD_CHAR,
        Reason.HOST_BAD_LABEL,
        Reason.HOST_TOO_LONG,
        Reason.HOST_NOT_FQDN,
        Reason.HOST_IS_IP,
        Reason.HOST_SPECIAL_TLD,
    }
)
_PERHAPS_TAKEN = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CLOSED,
        Reason.PROTOCOL,
        Reason.HEADERS_TOO_LARGE,
        Reason.TOO_MANY_HEADERS,
        Reason.ENCODING,
        Reason.BODY_CORRUPT,
    }
)
"""Failures that happened, or may have happened, after the request had left."""


async def post(fetcher: Fetcher, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
    """Send once. A refusal of the guard is final. Any other failure of transport is retryable."""
    try:
        return await fetcher.post(url, headers=headers, body=body)
    except EgressError as error:
        if error.reason in _NOT_ALLOWED:
            raise Undeliverable(Failure.ADDRESS_REFUSED, error.reason.value, retryable=False) from error
        failure = Failure.TIMEOUT if error.reason is Reason.TIMEOUT else Failure.UNREACHABLE
        perhaps = error.reason in _PERHAPS_TAKEN
        raise Undeliverable(failure, error.reason.value, retryable=True, perhaps_accepted=perhaps) from error


def later(response: Fetched, clock: Clock) -> Undeliverable:
    """Make the outcome of a response that means "not now" (or is unknown to us)."""
    failure = Failure.RATE_LIMITED if response.status == _TOO_MANY else Failure.TEMPORARY
    wait = response.retry_after_seconds(clock())
    return Undeliverable(
        failure,
        response_summary(response),
        retryable=True,
        retry_after_seconds=None if wait is None else min(math.ceil(wait), _MOST_WAIT_SECONDS),
    )


def is_later(response: Fetched) -> bool:
    """Return True if the status asks for a retry: 429 and every 5xx."""
    return response.status == _TOO_MANY or response.status >= _SERVER_ERRORS


def response_summary(response: Fetched) -> str:
    """Return status and the start of the body, for people."""
    start = response.body[:_DETAIL_BYTES].decode("utf-8", "replace").strip()
    printable = "".join(c if c.isprintable() else " " for c in start)
    return f"{response.status} {printable}".strip()
