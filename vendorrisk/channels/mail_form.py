"""A message as an e-mail: text and HTML alternatives, and the headers a machine should send. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

import idna

from vendorrisk.channels.port import Message
from vendorrisk.channels.text import header_text, one_line, plain

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5321 dot-string
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_SENDER = re.compile(r"(.*?)<([^<>]+)>")
_MOST_LOCAL = 64  # RFC 5321, section 4.5.3.1
_MOST_ADDRESS = 254
_LABEL_STYLE = "padding:2px 12px 2px 0;font-weight:normal;opacity:.75;text-align:left;vertical-align:top"
_BREAKS = "overflow-wrap:anywhere;word-break:break-word"  # a word of 200 letters stays on the page of a phone


def mailbox(text: str) -> str:
    """Return `local@domain` with an ASCII domain. Raises `ValueError` for other input, including names and lists."""
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _MOST_LOCAL or not _LOCAL.fullmatch(local) or "=?" in local:
        raise ValueError("the part before the @ is not one we can send to")
    try:
        ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("the domain is not a valid name") from None
    if not _DOMAIN.fullmatch(ascii_domain) or len(local) + 1 + len(ascii_domain) > _MOST_ADDRESS:
        raise ValueError("the domain is not a valid name")
    return f"{local}@{ascii_domain}"


def sender_of(text: str) -> tuple[str, str]:
    """Return the name and the mailbox of a sender, from `address`, `Name <address>` or `"Name" <address>`.

    A name may hold commas and @. Raises `ValueError` for other input.
    """
    match = _SENDER.fullmatch(text.strip())
    if match is None:
        return "", mailbox(text.strip())
    name = match[1].strip().removeprefix('"').removesuffix('"').replace('\\"', '"').strip()
    if header_text(name, 100) != name or any(mark in name for mark in '<>"'):
        raise ValueError("the name holds characters that a header cannot hold")
    return name, mailbox(match[2])


class HeadersError(ValueError):
    """The finished mail does not read back as it was made. It must not be sent."""


def email_of(message: Message, *, sender: str, to: str, key: str, sent_at: datetime) -> EmailMessage:
    """Make the whole message. `to` is a `mailbox`. Raises `ValueError` if a header cannot hold its text.

    The Message-ID comes from the key alone, so that every attempt of one delivery is the same message to a server that
    drops duplicates. `Auto-Submitted` (RFC 3834) keeps absence notes from answering.
    """
    name, sender_box = sender_of(sender)
    headers = {
        "From": HeaderAddress(display_name=name, addr_spec=sender_box),
        "To": HeaderAddress(addr_spec=to),
        "Subject": header_text(message.title, 150),
        "Date": format_datetime(sent_at),
        "Message-ID": f"<{key}@{sender_box.rpartition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-Vendorrisk-Kind": header_text(message.kind, 80),
    }
    if message.manage_link:
        headers["List-Unsubscribe"] = f"<{one_line(message.manage_link, 900).replace('=?', '=%3F')}>"
    made = EmailMessage(policy=SMTP)
    for header, value in headers.items():
        made[header] = value
    made.set_content(plain(message), cte="quoted-printable")
    made.add_alternative(html_of(message), subtype="html", cte="quoted-printable")
    _check_reads_back(made, headers)
    return made


def _check_reads_back(made: EmailMessage, headers: Mapping[str, object]) -> None:
    """Refuse a mail that reads back with other headers or parts than it was given, whatever wrote them into it."""
    try:
        read = BytesParser(policy=SMTP).parsebytes(made.as_bytes())
    except (MessageError, LookupError) as error:
        raise HeadersError("the headers cannot be written") from error
    names = [name for name, _ in read.items() if name not in {"MIME-Version", "Content-Type"}]
    parts = [part.get_content_type() for part in read.walk()]
    if names != list(headers) or parts != ["multipart/alternative", "text/plain", "text/html"] or read.defects:
        raise HeadersError("the headers do not read back as they were made")


def html_of(message: Message) -> str:
    """Return a page of one narrow column with inline styles, which phones and old clients both show."""
    rows = "".join(
        f'<tr><th scope="row" style="{_LABEL_STYLE}">{_html(fact.label, 60)}</th>'
        f'<td style="{_BREAKS}">{_html(fact.value, 300)}</td></tr>'
        for fact in message.facts
    )
    table = f'<table style="border-collapse:collapse">{rows}</table>' if rows else ""
    action = f"<p><strong>What to do:</strong> {_html(message.action, 1000)}</p>" if message.action else ""
    manage = f' <a href="{_html(message.manage_link, 2000)}">Change this</a>' if message.manage_link else ""
    why = f'<p style="opacity:.75;font-size:13px">{_html(message.why, 300)}{manage}</p>' if message.why else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{_html(message.title, 200)}</title></head>\n"
        f'<body style="font:16px/1.5 sans-serif;max-width:36em;margin:0 auto;padding:16px;{_BREAKS}">\n'
        f'<h1 style="font-size:20px">{_html(message.title, 200)}</h1>\n<p>{_html(message.summary, 1000)}</p>\n'
        f"{table}\n{action}\n"
        f'<p><a href="{_html(message.link, 2000)}">{_html(message.link_label, 70)}</a></p>\n{why}\n</body></html>\n'
    )


def _html(text: str, most: int) -> str:
    return escape(one_line(text, most), quote=True)
