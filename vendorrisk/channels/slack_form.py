"""A message as Slack blocks. Pure.

All text is mrkdwn that is escaped and `verbatim`: the first keeps `<!channel>`, `<@U…>` and `<http://…|text>` of
others from meaning anything, the second keeps Slack from finding channels and people in plain words.
"""

from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    MarkdownTextObject,
    SectionBlock,
)

from vendorrisk.channels.port import Message
from vendorrisk.channels.text import one_line

# Block Kit's limits are 3,000 for a section, 2,000 for a field, ten fields. Escaping may need five characters for one.
_SECTION = 500
_FIELD = 300
_MOST_FIELDS = 10


def escape(text: str, most: int) -> str:
    """Return one line with the three characters escaped that can begin anything special in Slack."""
    return one_line(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fallback(message: Message) -> str:
    """Return the text of notifications and of clients without blocks."""
    return f"{escape(message.title, 200)}: {escape(message.summary, _SECTION)}"


def blocks(message: Message, key: str) -> list[dict[str, Any]]:
    """Return the blocks. The first block's `block_id` is the delivery's key."""
    title = f"*{_without_stars(escape(message.title, 200))}*\n{escape(message.summary, _SECTION)}"
    made: list[Block] = [SectionBlock(text=_text(title), block_id=key)]
    if message.facts:
        fields = [f"*{escape(f.label, 60)}*\n{escape(f.value, _FIELD)}" for f in message.facts[:_MOST_FIELDS]]
        made.append(SectionBlock(fields=[_text(field) for field in fields]))
    # Slack refuses an empty text, so an empty part gets no block.
    if action := escape(message.action, _SECTION):
        made.append(SectionBlock(text=_text(f"*What to do:* {action}")))
    label = one_line(message.link_label, 70) or "Open"
    made.append(ActionsBlock(elements=[ButtonElement(text=label, url=message.link, action_id="open")]))
    if why := escape(message.why, _FIELD):
        made.append(ContextBlock(elements=[_text(why)]))
    return [block.to_dict() for block in made]


def _text(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)


def _without_stars(text: str) -> str:
    """Keep a star in a title from ending the bold type early."""
    return text.replace("*", "∗")  # noqa: RUF001 - the look-alike is the point
