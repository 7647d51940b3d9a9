"""All channels together: the address's type chooses."""

import ssl

from vendorrisk.channels.console import ConsoleChannel
from vendorrisk.channels.mail import MailChannel, mail_sender, mail_server
from vendorrisk.channels.port import (
    Address,
    Channel,
    Console,
    EmailAddress,
    Failure,
    Message,
    Sent,
    SlackConversation,
    SlackWebhook,
    Undeliverable,
    WebhookEndpoint,
)
from vendorrisk.channels.slack import SlackBotChannel, SlackWebhookChannel
from vendorrisk.channels.webhook import WebhookChannel
from vendorrisk.clock import Clock
from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import guard_from, inside_hosts
from vendorrisk.settings import SettingError, Settings

_LIMITS = Limits(wire_bytes=64 * 1024, decoded_bytes=64 * 1024, redirects=0, total_seconds=15.0)
_KEEP_ALIVE_SECONDS = 4.0  # many servers hang up after five, some in the middle of the next request
_AGENT = "vendorrisk-messages/1"


class Outlets:
    """A `Channel` for every address. A channel that is not set up refuses as `not_configured`, which is retried."""

    def __init__(self, channels: dict[type[Address], Channel], fetcher: Fetcher | None = None) -> None:
        self._channels = channels
        self._fetcher = fetcher

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        channel = self._channels.get(type(to))
        if channel is None:
            raise Undeliverable(Failure.NOT_CONFIGURED, "this channel is not set up", retryable=True)
        return await channel.send(message, to, key)

    async def check(self, to: Address) -> str:
        """Check whether an address can be reached, without sending. Return the result.

        Raises `Undeliverable`. Incoming webhooks and endpoints can only be checked by sending.
        """
        channel = self._channels.get(type(to))
        if isinstance(channel, MailChannel):
            await channel.check()
            return "answers"
        if isinstance(channel, SlackBotChannel) and isinstance(to, SlackConversation):
            return await channel.check(to)
        raise Undeliverable(Failure.NOT_CONFIGURED, "this can only be looked at by sending", retryable=False)

    async def aclose(self) -> None:
        if self._fetcher is not None:
            await self._fetcher.aclose()


def own_authorities(settings: Settings) -> ssl.SSLContext | None:
    """Return a context that trusts the operator's authorities too. Raises `SettingError` if they cannot be read."""
    if not settings.message_ca_file:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=settings.message_ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = "it is no PEM of certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingError(f"VENDORRISK_MESSAGE_CA_FILE: {settings.message_ca_file} cannot be used: {reason}") from None
    return context


def outlets_from(settings: Settings, clock: Clock, *, tls: ssl.SSLContext | None = None) -> Outlets:
    """Make every channel that the settings allow. E-mail is left out if VENDORRISK_SMTP_URL is unset."""
    tls = tls or own_authorities(settings)
    guard = guard_from(settings, inside=inside_hosts(settings))
    fetcher = Fetcher(guard, user_agent=_AGENT, limits=_LIMITS, tls=tls, keep_alive_seconds=_KEEP_ALIVE_SECONDS)
    channels: dict[type[Address], Channel] = {
        SlackWebhook: SlackWebhookChannel(fetcher, clock),
        SlackConversation: SlackBotChannel(fetcher, clock, settings.slack_api_url),
        WebhookEndpoint: WebhookChannel(fetcher, clock),
        Console: ConsoleChannel(),
    }
    sender = mail_sender(settings.mail_from)
    if settings.smtp_url:
        server = mail_server(settings.smtp_url)
        channels[EmailAddress] = MailChannel(server, sender=sender, clock=clock, tls=tls)
    return Outlets(channels, fetcher)
