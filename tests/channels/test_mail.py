"""E-mail: headers, both alternatives, addresses, SMTP_URL, and what the server's codes mean."""

import asyncio
import base64
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.make import NOW, a_message, mail_channel
from tests.fakes.smtp import smtp_fake
from vendorrisk.channels.mail import MailServer, mail_sender, mail_server
from vendorrisk.channels.mail_form import email_of, html_of, mailbox
from vendorrisk.channels.port import EmailAddress, Fact, Failure, Undeliverable
from vendorrisk.embedded.home import free_port
from vendorrisk.lab.http import tcp_fake
from vendorrisk.settings import SettingError

pytestmark = pytest.mark.anyio

TO = EmailAddress("owner@example.org")
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("X-Vendorrisk-Kind", "List-Unsubscribe", "MIME-Version", "Content-Type"),
}


async def received(**changes: object) -> EmailMessage:
    async with smtp_fake() as server:
        await mail_channel(server.port).send(a_message(**changes), TO, "key-1")
    (message,) = server.messages
    assert server.envelopes[0].rcpt_tos == ["owner@example.org"]
    assert server.envelopes[0].mail_from == "risk@example.org"
    return message


async def test_the_headers_are_those_a_machine_should_send() -> None:
    message = await received()
    assert message["From"] == "Vendor risk <risk@example.org>"
    assert message["To"] == "owner@example.org"
    assert message["Subject"] == "SOC 2 report of Example Analytics expires in 30 days"
    assert message["Date"] == "Mon, 02 Mar 2026 08:30:00 +0000"
    assert message["Message-ID"] == "<key-1@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://risk.example.org/receivers>"


async def test_text_and_html_say_the_same() -> None:
    message = await received(title="Überprüfung fällig: 株式会社")
    assert message.get_content_type() == "multipart/alternative"
    parts = {part.get_content_type(): part.get_content() for part in message.iter_parts()}
    assert list(parts) == ["text/plain", "text/html"], "the richest comes last (RFC 2046, section 5.1.4)"
    for content in parts.values():
        for words in ("Überprüfung fällig: 株式会社", "until 1 April 2026", "Ask the vendor", "/vendors/1"):
            assert words in content
    assert message["Subject"] == "Überprüfung fällig: 株式会社"


async def test_a_title_cannot_add_a_header() -> None:
    message = await received(title="x\r\nBcc: thief@example.net\r\n\r\nbody", kind="a\r\nX-B: c")
    assert message["Bcc"] is None
    assert message["X-B"] is None
    assert message["Subject"] == "x Bcc: thief@example.net body"


def test_html_is_escaped() -> None:
    page = html_of(
        a_message(title="<script>x</script>", facts=(Fact("<b>", '"><img src=x>'),), link='https://x/"onclick="y')
    )
    assert not {"<script>", "<b>", "<img"} & {page[n : n + k] for n in range(len(page)) for k in (3, 4, 8)}
    assert '"onclick="' not in page


EVIL = base64.b64encode(b"x\r\nReply-To: thief@example.net\r\nContent-Type: text/html\r\n\r\n<b>Pay here</b>").decode()
WORDS = [f"=?utf-8?b?{EVIL}?=", "A =?UTF-8?Q?=0D=0AReply-To:_thief@example.net?= B", f"==??utf-8?b?{EVIL}?="]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("field", ["title", "summary", "kind", "why", "manage_link", "action", "link_label"])
async def test_an_encoded_word_in_a_name_adds_no_header_and_no_part(field: str, word: str) -> None:
    message = await received(**{field: word})
    assert sorted(message.keys()) == sorted(HEADERS)
    assert message["Reply-To"] is None
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "\r" not in str(message["Subject"]) + str(message["X-Vendorrisk-Kind"])
    assert "<b>Pay here</b>" not in message.as_string()


@pytest.mark.parametrize("word", WORDS)
async def test_an_encoded_word_in_an_address_or_a_sender_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="part before the @"):
        mailbox(f"=?utf-8?q?a?={'@'}example.org")
    with pytest.raises(SettingError, match="VENDORRISK_MAIL_FROM"):
        mail_sender(f"{word} <risk@example.org>")


async def test_a_mail_that_does_not_read_back_as_it_was_made_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an affected Python would write it, whatever the text was that got through."""
    real = EmailMessage.as_bytes

    def as_bytes(self: EmailMessage, *more: object) -> bytes:
        return real(self, *more).replace(b"Subject: ", b"Subject: x\r\nReply-To: thief@example.net\r\nX-Rest: ", 1)

    monkeypatch.setattr(EmailMessage, "as_bytes", as_bytes)
    async with smtp_fake() as server:
        with pytest.raises(Undeliverable) as raised:
            await mail_channel(server.port).send(a_message(), TO, "k")
    assert (raised.value.failure, raised.value.retryable) == (Failure.REJECTED, False)
    assert (server.connections, server.messages) == (0, [])


@pytest.mark.parametrize(
    ("sender", "name", "box"),
    [
        ("Acme, Inc. Vendor Risk <a@example.org>", "Acme, Inc. Vendor Risk", "a@example.org"),
        ("Risk @ Acme <a@example.org>", "Risk @ Acme", "a@example.org"),
        ('"Acme, Inc." <a@example.org>', "Acme, Inc.", "a@example.org"),
        ("a@example.org", "", "a@example.org"),
    ],
)
async def test_a_sender_is_shown_as_it_was_set(sender: str, name: str, box: str) -> None:
    assert mail_sender(sender) == sender
    made = email_of(a_message(), sender=sender, to="o@example.org", key="k", sent_at=NOW)
    (address,) = made["From"].addresses
    assert (address.display_name, address.addr_spec) == (name, box)


@pytest.mark.parametrize("sender", ["", "nobody", "Risk <risk@>", "Risk <a@b>, <c@d>", "a@b c@d", "x\r\nBcc: y <a@b>"])
def test_a_sender_that_is_none_is_refused_at_the_start(sender: str) -> None:
    with pytest.raises(SettingError, match="VENDORRISK_MAIL_FROM"):
        mail_sender(sender)


async def test_our_own_fault_is_tried_again_and_is_not_the_recipients() -> None:
    async with smtp_fake() as server:
        channel = mail_channel(server.port)
        channel._sender = "nobody"
        with pytest.raises(Undeliverable) as raised:
            await channel.send(a_message(), TO, "k")
    assert (raised.value.failure, raised.value.retryable) == (Failure.NOT_CONFIGURED, True)


def test_the_page_fits_a_phone_in_the_dark() -> None:
    page = html_of(a_message(title="W" * 200))
    assert 'name="color-scheme" content="light dark"' in page
    assert "overflow-wrap:anywhere" in page.partition("<body")[2].partition(">")[0]
    assert 'role="presentation"' not in page, "labels and values are data"
    assert '<th scope="row"' in page


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_makes_a_message_that_reads_back(title: str, summary: str) -> None:
    message = a_message(title=title, summary=summary)
    made = email_of(message, sender="Risk <r@example.org>", to="o@example.org", key="k", sent_at=NOW)
    names = [name for name, _ in made.items()]
    assert len(names) == len(set(names))
    assert set(names) <= HEADERS
    assert made.as_bytes()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "owner",
        "@example.org",
        "owner@",
        "owner@example..org",
        "a@b@example.org",
        "owner@example.org\r\nBcc: x@y.z",
        "owner@example.org, x@y.z",
        "Owner <owner@example.org>",
        "ow ner@example.org",
        "owner@-example.org",
        "owner@exam ple.org",
        "\u00fc@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 260,
        ".a@example.org",
        "owner@example.org\0",
    ],
)
async def test_what_is_no_mailbox_is_refused_before_a_connection(address: str) -> None:
    async with smtp_fake() as server:
        with pytest.raises(Undeliverable) as raised:
            await mail_channel(server.port).send(a_message(), EmailAddress(address), "k")
    assert (raised.value.failure, raised.value.retryable) == (Failure.ADDRESS_INVALID, False)
    assert server.connections == 0


def test_an_international_domain_becomes_ascii() -> None:
    assert mailbox("owner@M\u00fcnchen.de") == "owner@xn--mnchen-3ya.de"
    assert mailbox("o.w+n@localhost") == "o.w+n@localhost"


@pytest.mark.parametrize(
    ("answer", "failure", "retryable"),
    [("550 no such user", Failure.REJECTED, False), ("450 greylisted", Failure.TEMPORARY, True)],
)
async def test_a_refused_recipient_is_evaluated_by_the_servers_code(
    answer: str, failure: Failure, retryable: object
) -> None:
    async with smtp_fake() as server:
        server.answer_to_recipient = answer
        with pytest.raises(Undeliverable) as raised:
            await mail_channel(server.port).send(a_message(), TO, "k")
    assert (raised.value.failure, raised.value.retryable, raised.value.detail) == (failure, retryable, answer)


async def test_what_cannot_have_been_handed_over_is_no_possible_duplicate() -> None:
    async def says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with tcp_fake(says_nothing) as mute:
        for port in (mute, free_port("127.0.0.1", 0)):
            with pytest.raises(Undeliverable) as raised:
                await mail_channel(port).send(a_message(), TO, "k")
            assert (raised.value.failure, raised.value.retryable) == (Failure.UNREACHABLE, True)
            assert not raised.value.perhaps_accepted


@pytest.mark.parametrize("greeting", ["554 we take no mail from there", "421 too busy"])
async def test_a_server_that_refuses_us_and_not_the_message_is_tried_again(greeting: str) -> None:
    async def refuses(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{greeting}\r\n".encode())
        await writer.drain()

    async with tcp_fake(refuses) as port:
        with pytest.raises(Undeliverable, match=greeting) as raised:
            await mail_channel(port).send(a_message(), TO, "k")
    assert raised.value.retryable


async def test_a_sender_that_the_server_refuses_is_ours_to_fix_and_loses_no_message() -> None:
    async with smtp_fake() as server:
        server.answer_to_sender = "550 not one of ours"
        with pytest.raises(Undeliverable, match="550 not one of ours") as raised:
            await mail_channel(server.port).send(a_message(), TO, "k")
    assert (raised.value.failure, raised.value.retryable) == (Failure.NOT_CONFIGURED, True)
    assert server.messages == []


async def test_a_check_connects_and_sends_nothing() -> None:
    async with smtp_fake() as server:
        await mail_channel(server.port).check()
    assert (server.connections, server.messages) == (1, [])
    with pytest.raises(Undeliverable, match="unreachable"):
        await mail_channel(server.port).check()


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.org", MailServer(host="mail.example.org", port=25, tls="offered")),
        (
            "smtp://u%40x:p%3Aw@mail.example.org",
            MailServer(host="mail.example.org", port=587, username="u@x", password="p:w", tls="required"),
        ),
        (
            "smtp://u:p@localhost:2525",
            MailServer(host="localhost", port=2525, username="u", password="p", tls="offered"),
        ),
        ("smtps://mail.example.org", MailServer(host="mail.example.org", port=465, tls="implicit")),
        ("smtp://mail.example.org:26?tls=never", MailServer(host="mail.example.org", port=26, tls="never")),
    ],
)
def test_the_url_names_the_server(url: str, server: MailServer) -> None:
    assert mail_server(url) == server


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail.example.org", "smtp://x:port", "smtp://x?tls=perhaps"])
def test_a_url_that_names_none_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="VENDORRISK_SMTP_URL"):
        mail_server(url)
