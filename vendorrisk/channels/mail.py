"""E-mail over SMTP, through the operator's own server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import msgspec

from vendorrisk.channels.mail_form import HeadersError, email_of, mailbox, sender_of
from vendorrisk.channels.port import Address, EmailAddress, Failure, Message, Sent, Undeliverable
from vendorrisk.clock import Clock
from vendorrisk.settings import SettingError

_PERMANENT = range(500, 600)
_QUIT_SECONDS = 1.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how mail is handed over. `tls`: from the first byte, by STARTTLS, if offered, or never."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: Literal["implicit", "required", "offered", "never"] = "offered"


def mail_server(url: str) -> MailServer:
    """Read SMTP_URL: `smtp://[user:password@]host[:port][?tls=required|offered|never]` or `smtps://…`.

    With a password STARTTLS is required unless the server is on this machine or the URL says otherwise: a
    password is not sent in clear by accident.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise SettingError("VENDORRISK_SMTP_URL: the port is not a number") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingError("VENDORRISK_SMTP_URL takes smtp://user:password@host:587 or smtps://host:465")
    if parts.scheme == "smtps":
        tls: str = "implicit"
    else:
        safe = parts.password is None or parts.hostname in _LOOPBACK
        tls = parse_qs(parts.query).get("tls", ["offered" if safe else "required"])[0]
    fallback = 465 if tls == "implicit" else 587 if parts.username else 25
    raw = {
        "host": parts.hostname,
        "port": port or fallback,
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "tls": tls,
    }
    try:
        return msgspec.convert(raw, MailServer)
    except msgspec.ValidationError:
        raise SettingError("VENDORRISK_SMTP_URL: tls is one of required, offered, never") from None


class MailChannel:
    """One connection per message. A 5xx to the message is final. A 5xx to us (greeting, login, sender) is retryable."""

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        clock: Clock,
        timeout_seconds: float = 15.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._tls = tls

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        assert isinstance(to, EmailAddress)  # noqa: S101 - the outlet chose this channel by the address's type
        try:
            box = mailbox(to.address)
        except ValueError as error:
            raise Undeliverable(Failure.ADDRESS_INVALID, str(error), retryable=False) from error
        try:
            email = email_of(message, sender=self._sender, to=box, key=key, sent_at=self._clock())
        except HeadersError as error:
            raise Undeliverable(Failure.REJECTED, str(error), retryable=False) from error
        except ValueError as error:
            # Our own fault and not the recipient's: it is tried again, by then perhaps with another sender.
            raise Undeliverable(Failure.NOT_CONFIGURED, f"the sender: {error}", retryable=True) from error
        has_begun = False
        try:
            async with self._session() as client:
                has_begun = True
                _, said = await client.send_message(email, sender=sender_of(self._sender)[1], recipients=[box])
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise _undeliverable(error, has_begun=has_begun) from error
        return Sent(said[:200])

    async def check(self) -> None:
        """Connect, greet and log in without sending. Raises `Undeliverable`."""
        try:
            async with self._session() as client:
                await client.noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise _undeliverable(error, has_begun=False) from error

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection for the length of the block. The timeout covers the whole block.

        Faults after the server accepted the message (a slow or failing QUIT) are ignored.
        """
        client = self._client()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await client.connect()
                yield client
        finally:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(_QUIT_SECONDS):
                    await client.quit()
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            timeout=self._timeout_seconds,
            use_tls=server.tls == "implicit",
            start_tls={"required": True, "offered": None}.get(server.tls, False),
            tls_context=self._tls,
        )


def mail_sender(text: str) -> str:
    """Return VENDORRISK_MAIL_FROM if mail can be sent from it. Raises `SettingError` if not."""
    try:
        sender_of(text)
    except ValueError as error:
        how = "It takes an address, or a name and an address, like Vendor risk <risk@example.com>"
        raise SettingError(f"VENDORRISK_MAIL_FROM: {error}. {how}") from None
    return text


_TO_US = (aiosmtplib.SMTPConnectResponseError, aiosmtplib.SMTPHeloError, aiosmtplib.SMTPSenderRefused)


def _undeliverable(error: Exception, *, has_begun: bool) -> Undeliverable:
    """Return the outcome of an error. Once the message is being sent, only a reply proves that it was not accepted."""
    if isinstance(error, aiosmtplib.SMTPTimeoutError | TimeoutError):
        failure = Failure.TIMEOUT if has_begun else Failure.UNREACHABLE
        return Undeliverable(failure, "no response in time", retryable=True)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        first = error.recipients[0]
        return _by_code(first.code, first.message)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return Undeliverable(Failure.NOT_CONFIGURED, f"{error.code} login refused", retryable=True)
    if isinstance(error, _TO_US) and error.code in _PERMANENT:
        return Undeliverable(Failure.NOT_CONFIGURED, f"{error.code} {error.message}"[:200], retryable=True)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _by_code(error.code, error.message)
    return Undeliverable(Failure.UNREACHABLE, type(error).__name__, retryable=True, perhaps_accepted=has_begun)


def _by_code(code: int, said: str) -> Undeliverable:
    """RFC 5321, section 4.2.1: 4yz is transient, 5yz is for good."""
    detail = f"{code} {said}"[:200]
    if code in _PERMANENT:
        return Undeliverable(Failure.REJECTED, detail, retryable=False)
    return Undeliverable(Failure.TEMPORARY, detail, retryable=True)
