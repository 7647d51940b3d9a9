# ruff: noqa: ARG002, N802 - the handlers have aiosmtpd's names and shape
"""A real SMTP server on loopback (aiosmtpd), whose answers a test scripts.

async with smtp_fake() as server:
    server.answer = "451 later"      # to every message; None takes it
    server.delay_seconds = 5         # before it answers
    server.breaks = True             # takes the next message, and hangs up instead of saying so
    server.answering.clear()         # until it is set, no message is answered
    server.messages                  # what it took, parsed
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session


class SmtpFake:
    """The running server; also aiosmtpd's handler."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.connections = 0
        self.answer: str | None = None
        self.answer_to_recipient: str | None = None
        self.answer_to_sender: str | None = None
        self.delay_seconds = 0.0
        self.breaks = False
        self.answering = asyncio.Event()
        self.answering.set()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer_to_sender is not None:
            return self.answer_to_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer_to_recipient is not None:
            return self.answer_to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        await self.answering.wait()
        if self.answer is not None:
            return self.answer
        content = envelope.original_content
        assert content is not None
        self.messages.append(cast("EmailMessage", message_from_bytes(content, policy=policy.SMTP)))
        self.envelopes.append(envelope)
        if self.breaks and server.transport is not None:
            server.transport.abort()
        return "250 Message accepted"


@asynccontextmanager
async def smtp_fake() -> AsyncIterator[SmtpFake]:
    """Serve for the length of the block; `port` is where."""
    fake = SmtpFake()
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(fake, loop=loop, hostname="mail.example.test"))
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for each in sessions:
            if each.transport is not None:
                each.transport.abort()
