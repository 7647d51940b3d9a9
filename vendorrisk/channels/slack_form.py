"""A message as Slack blocks. Pure.

Every text of others is `plain_text` without emoji, so that Slack shows it as it was written: stars, underscores,
backticks and `:tada:` mean nothing there. Only our own link is mrkdwn. It is a link and no button, because Slack warns
about a button of an app without an endpoint for clicks.
"""

import re
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from vendorrisk.channels.port import Message
from vendorrisk.channels.text import TO_DO, one_line

# Block Kit's limits are 150 for a header, 3,000 for a section, 2,000 for a field, ten fields.
_TITLE = 150
_SECTION = 500
_FIELD = 300
_MOST_FIELDS = 10
_MARKS = re.compile(r"(?<=[_*~`:])|(?=[_*~`:])")
_NOTHING = "\u200b"  # a space without width: a mark beside it begins and ends no format


def escape(text: str, most: int) -> str:
    """Return one line for mrkdwn in which nothing has a meaning to Slack: no mention, link, format or emoji."""
    marked = _MARKS.sub(_NOTHING, one_line(text, most))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback(message: Message) -> str:
    """Return the text of notifications and of clients without blocks."""
    return f"{escape(message.title, 200)}: {escape(message.summary, _SECTION)}"


def blocks(message: Message, key: str) -> list[dict[str, Any]]:
    """Return the blocks. The first block's `block_id` is the delivery's key."""
    title = one_line(message.title, _TITLE) or "Alert"  # Slack refuses an empty text
    made: list[Block] = [HeaderBlock(text=_plain(title), block_id=key)]
    if summary := one_line(message.summary, _SECTION):
        made.append(SectionBlock(text=_plain(summary)))
    if message.facts:
        fields = [f"{one_line(f.label, 60)}\n{one_line(f.value, _FIELD)}" for f in message.facts[:_MOST_FIELDS]]
        made.append(SectionBlock(fields=[_plain(field) for field in fields]))
    if action := one_line(message.action, _SECTION):
        made.append(SectionBlock(text=_plain(f"{TO_DO}: {action}")))
    label = escape(message.link_label, 70) or "Open"
    made.append(SectionBlock(text=MarkdownTextObject(text=f"<{_url(message.link)}|{label}>", verbatim=True)))
    if why := one_line(message.why, _FIELD):
        made.append(ContextBlock(elements=[_plain(why)]))
    return [block.to_dict() for block in made]


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=text, emoji=False)


def _url(link: str) -> str:
    """Return a link that cannot end before its end."""
    quoted = one_line(link, 2000).replace("&", "&amp;")
    return quoted.replace("<", "%3C").replace(">", "%3E").replace("|", "%7C").replace(" ", "%20")
