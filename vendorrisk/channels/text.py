"""Plain text that is safe in every form, shared by the forms of all channels."""

import re

from vendorrisk.channels.port import Message

TO_DO = "What to do"
"""Stands before the action of a message."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Overrides and isolates would let one vendor's name turn the words around it.
_DIRECTIONS = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str, most: int) -> str:
    """Return at most `most` characters without line breaks, controls, direction marks or lone surrogates."""
    sound = text.encode("utf-8", "replace").decode("utf-8")
    line = _DIRECTIONS.sub("", _CONTROLS.sub(" ", sound)).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def header_text(text: str, most: int) -> str:
    """Return one line for a header of a mail, without encoded words (RFC 2047).

    A reader decodes `=?utf-8?b?…?=` in any header. So a name that holds one could bring line breaks and headers of its
    own, and Python before 3.11.10 and 3.12.5 even writes them into the mail (CVE-2024-6923).
    """
    return one_line(text, most).replace("=?", "= ?")


def plain(message: Message) -> str:
    """Return the message as text of short lines: the e-mail's text part and the console's form."""
    parts = [one_line(message.title, 200), "", one_line(message.summary, 1000)]
    if message.facts:
        parts += ["", *(f"{one_line(f.label, 60)}: {one_line(f.value, 300)}" for f in message.facts)]
    if message.action:
        parts += ["", f"{TO_DO}: {one_line(message.action, 1000)}"]
    parts += ["", one_line(message.link, 2000)]
    if message.why:
        parts += ["", one_line(message.why, 300)]
    if message.manage_link:
        parts += [one_line(message.manage_link, 2000)]
    return "\n".join(parts) + "\n"
