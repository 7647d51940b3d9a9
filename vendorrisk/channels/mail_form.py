"""A message as an e-mail: text and HTML alternatives, and the headers a machine should send. Pure."""

import re
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

import idna

from vendorrisk.channels.port import Message
from vendorrisk.channels.text import one_line, plain

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5321 dot-string
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_MOST_LOCAL = 64  # RFC 5321, section 4.5.3.1
_MOST_ADDRESS = 254
_LABEL_STYLE = "padding:2px 12px 2px 0;color:#555;vertical-align:top;white-space:nowrap"


def mailbox(text: str) -> str:
    """Return `local@domain` with an ASCII domain. Raises `ValueError` for other input, including names and lists."""
    local, at, domain = text.rpartition("@")
    if not at or len(local) > _MOST_LOCAL or not _LOCAL.fullmatch(local):
        raise ValueError("the part before the @ is not one we can send to")
    try:
        ascii_domain = domain.lower() if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("the domain is not a valid name") from None
    if not _DOMAIN.fullmatch(ascii_domain) or len(local) + 1 + len(ascii_domain) > _MOST_ADDRESS:
        raise ValueError("the domain is not a valid name")
    return f"{local}@{ascii_domain}"


def email_of(message: Message, *, sender: str, to: str, key: str, sent_at: datetime) -> EmailMessage:
    """Make the whole message. `to` is a `mailbox`. Raises `ValueError` if a header cannot hold its text.

    The Message-ID comes from the key alone, so that every attempt of one delivery is the same message to a server that
    drops duplicates. `Auto-Submitted` (RFC 3834) keeps absence notes from answering.
    """
    name, address = parseaddr(sender)
    sender_box = mailbox(address)
    made = EmailMessage(policy=SMTP)
    made["From"] = HeaderAddress(display_name=one_line(name, 100), addr_spec=sender_box)
    made["To"] = HeaderAddress(addr_spec=to)
    made["Subject"] = one_line(message.title, 150)
    made["Date"] = format_datetime(sent_at)
    made["Message-ID"] = f"<{key}@{sender_box.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["X-Vendorrisk-Kind"] = one_line(message.kind, 80)
    if message.manage_link:
        made["List-Unsubscribe"] = f"<{one_line(message.manage_link, 900)}>"
    made.set_content(plain(message), cte="quoted-printable")
    made.add_alternative(html_of(message), subtype="html", cte="quoted-printable")
    return made


def html_of(message: Message) -> str:
    """Return a page of one narrow column with inline styles, which phones and old clients both show."""
    rows = "".join(
        f'<tr><td style="{_LABEL_STYLE}">{_html(fact.label, 60)}</td><td>{_html(fact.value, 300)}</td></tr>'
        for fact in message.facts
    )
    table = f'<table role="presentation" style="border-collapse:collapse">{rows}</table>' if rows else ""
    action = f"<p><strong>What to do:</strong> {_html(message.action, 1000)}</p>" if message.action else ""
    manage = f' <a href="{_html(message.manage_link, 2000)}">Change this</a>' if message.manage_link else ""
    why = f'<p style="color:#666;font-size:13px">{_html(message.why, 300)}{manage}</p>' if message.why else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{_html(message.title, 200)}</title></head>\n"
        '<body style="font:16px/1.5 sans-serif;max-width:36em;margin:0 auto;padding:16px">\n'
        f'<h1 style="font-size:20px">{_html(message.title, 200)}</h1>\n<p>{_html(message.summary, 1000)}</p>\n'
        f"{table}\n{action}\n"
        f'<p><a href="{_html(message.link, 2000)}">{_html(message.link_label, 70)}</a></p>\n{why}\n</body></html>\n'
    )


def _html(text: str, most: int) -> str:
    return escape(one_line(text, most), quote=True)
