"""Messages, and each channel in front of a server that does as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from tests.fakes.outlet import RecordingOutlet
from tests.fakes.smtp import smtp_fake
from vendorrisk.channels.console import ConsoleChannel
from vendorrisk.channels.mail import MailChannel, MailServer
from vendorrisk.channels.port import (
    Address,
    Channel,
    Console,
    EmailAddress,
    Fact,
    Failure,
    Message,
    SlackConversation,
    SlackWebhook,
    Undeliverable,
    WebhookEndpoint,
)
from vendorrisk.channels.slack import SlackBotChannel, SlackWebhookChannel
from vendorrisk.channels.webhook import WebhookChannel
from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import HttpFake, Received, Reply, Script, http_fake, tcp_fake

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
HOOK = "http://hooks.example.test/services/T0/B0/x"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TIMEOUT_SECONDS = 0.4


def clock() -> datetime:
    return NOW


def a_message(**changes: object) -> Message:
    parts: dict[str, object] = {
        "kind": "alert.evidence_expiring",
        "title": "SOC 2 report of Example Analytics expires in 30 days",
        "summary": "The report can be relied on until 1 April 2026.",
        "facts": (Fact("Vendor", "Example Analytics"), Fact("Due", "1 April 2026")),
        "action": "Ask the vendor for the next report.",
        "link": "https://risk.example.org/vendors/1",
        "why": "You own this vendor.",
        "manage_link": "https://risk.example.org/receivers",
        "at": NOW,
        "payload": {"vendor": "Example Analytics", "days_left": 30},
    }
    return Message(**{**parts, **changes})  # type: ignore[arg-type] # a builder


class Mood(Enum):
    """How the server behind a channel feels."""

    WELL = auto()
    REFUSES = auto()
    LATER = auto()
    SLOW = auto()
    BREAKS = auto()  # takes the message, and is gone before it says so
    AWAY = auto()


@dataclass
class Bench:
    """A channel, an address it takes, and what its server got: the keys, in order."""

    channel: Channel
    to: Address
    keys: Callable[[], list[str]]


Maker = Callable[[Mood], AbstractAsyncContextManager[Bench]]


@asynccontextmanager
async def web(script: Script) -> AsyncIterator[tuple[HttpFake, Fetcher]]:
    """A server behind every `*.example.test` name here, and the guarded client that may reach it."""
    zone = {(f"{name}.example.test", "A"): ["127.0.0.1"] for name in ("hooks", "api")}
    async with dns_fake(zone) as names, http_fake() as server:
        server.on("*", script)
        guard = Guard(Resolver([names.address]), loopback=LoopbackOverride(["127.0.0.0/8"], {("", 80): server.port}))
        fetcher = Fetcher(guard, user_agent="messages/1", limits=Limits(total_seconds=TIMEOUT_SECONDS))
        yield server, fetcher
        await fetcher.aclose()


def _scripted(mood: Mood, well: Reply, refuses: Reply) -> Script:
    if mood is Mood.BREAKS:
        return _break
    replies = {
        Mood.WELL: well,
        Mood.REFUSES: refuses,
        Mood.LATER: Reply(429, [("Retry-After", "30")]),
        Mood.SLOW: Reply(200, [], b"ok", delay_seconds=10 * TIMEOUT_SECONDS),
        Mood.AWAY: Reply(503),
    }
    return lambda _: replies[mood]


async def _break(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@asynccontextmanager
async def _posting(
    mood: Mood, well: Reply, refuses: Reply, key_of: Callable[[Received], str]
) -> AsyncIterator[tuple[Fetcher, Callable[[], list[str]]]]:
    if mood is Mood.AWAY:
        async with tcp_fake(_hang_up) as port, dns_fake({("hooks.example.test", "A"): ["127.0.0.1"]}) as names:
            allowed = LoopbackOverride(["127.0.0.0/8"], {("", 80): port})
            fetcher = Fetcher(Guard(Resolver([names.address]), loopback=allowed), user_agent="messages/1")
            yield fetcher, list
            await fetcher.aclose()
        return
    async with web(_scripted(mood, well, refuses)) as (server, fetcher):
        yield fetcher, lambda: [key_of(request) for request in server.requests]


@asynccontextmanager
async def slack_webhook(mood: Mood) -> AsyncIterator[Bench]:
    async with _posting(mood, Reply(200, [], b"ok"), Reply(404, [], b"no_service"), _block_id) as (fetcher, keys):
        yield Bench(SlackWebhookChannel(fetcher, clock), SlackWebhook(HOOK), keys)


@asynccontextmanager
async def slack_bot(mood: Mood) -> AsyncIterator[Bench]:
    well, refuses = Reply(200, [], b'{"ok":true,"ts":"1.2"}'), Reply(200, [], b'{"ok":false,"error":"not_in_channel"}')
    async with _posting(mood, well, refuses, _block_id) as (fetcher, keys):
        channel = SlackBotChannel(fetcher, clock, "http://hooks.example.test/api/")
        yield Bench(channel, SlackConversation("xoxb-1", "C0123"), keys)


@asynccontextmanager
async def webhook(mood: Mood) -> AsyncIterator[Bench]:
    async with _posting(mood, Reply(204), Reply(410), lambda r: r.headers["webhook-id"]) as (fetcher, keys):
        yield Bench(WebhookChannel(fetcher, clock), WebhookEndpoint(HOOK, SECRET), keys)


@asynccontextmanager
async def email(mood: Mood) -> AsyncIterator[Bench]:
    async with smtp_fake() as server:
        server.answer = {Mood.REFUSES: "550 no such user", Mood.LATER: "451 try later"}.get(mood)
        server.delay_seconds = 10 * TIMEOUT_SECONDS if mood is Mood.SLOW else 0.0
        server.breaks = mood is Mood.BREAKS
        async with tcp_fake(_hang_up) as dead:
            port = dead if mood is Mood.AWAY else server.port
            channel = mail_channel(port)
            yield Bench(
                channel,
                EmailAddress("owner@example.org"),
                lambda: [m["Message-ID"].strip("<>").partition("@")[0] for m in server.messages],
            )


def mail_channel(port: int) -> MailChannel:
    return MailChannel(
        MailServer(host="127.0.0.1", port=port, tls="never"),
        sender="Vendor risk <risk@example.org>",
        clock=clock,
        timeout_seconds=TIMEOUT_SECONDS,
    )


@asynccontextmanager
async def console(mood: Mood) -> AsyncIterator[Bench]:
    lines: list[str] = []

    def write(text: str) -> None:
        if mood is Mood.AWAY:
            raise BrokenPipeError
        lines.append(text)

    yield Bench(ConsoleChannel(write), Console(), lambda: [line[1 : line.index("]")] for line in lines])


@asynccontextmanager
async def recording(mood: Mood) -> AsyncIterator[Bench]:
    outlet = RecordingOutlet()
    if mood is Mood.REFUSES:
        outlet.trouble.append(Undeliverable(Failure.REJECTED, "no", retryable=False))
    if mood is Mood.LATER:
        outlet.trouble.append(Undeliverable(Failure.TEMPORARY, "later", retryable=True))
    if mood is Mood.AWAY:
        outlet.trouble.append(Undeliverable(Failure.UNREACHABLE, "away", retryable=True))
    if mood is Mood.BREAKS:
        outlet.breaks = True
    if mood is Mood.SLOW:
        outlet.times_out_after = TIMEOUT_SECONDS
    yield Bench(outlet, Console(), lambda: outlet.keys)


def _block_id(request: Received) -> str:
    return str(json.loads(request.body)["blocks"][0]["block_id"])


MAKERS: dict[str, Maker] = {
    "slack_webhook": slack_webhook,
    "slack_bot": slack_bot,
    "webhook": webhook,
    "email": email,
    "console": console,
    "recording": recording,
}
IMPOSSIBLE = {
    ("console", Mood.REFUSES): "nobody on the other side refuses",
    ("console", Mood.LATER): "nobody on the other side asks to wait",
    ("console", Mood.SLOW): "a write has no time of its own",
    ("console", Mood.BREAKS): "a write is done when it returns",
}
