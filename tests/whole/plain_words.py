"""What no message for a caller may hold: words of a decoder, names of types, expressions, and long echoes."""

import re
from typing import Any

_DECODERS = re.compile(
    r"`(?:str|int|float|bool|array|list|dict|object|null|uuid|date|datetime|bytes)(?: \| [a-z]+)*`"
    r"|Expected |Invalid enum value|Object contains|Object missing|matching regex|Invalid UUID|RFC ?3339 encoded"
    r"|Invalid (?:value|tag|date)|Missing required|Validation failed|msgspec|Litestar|<class|Traceback"
)
_EXPRESSIONS = re.compile(r"\\[ZSdws]|\(\?[:!=]|\[(?:\^|A-Z|a-z|0-9)|\$\Z|\]\{[0-9]")
_LONGEST_ECHO = 200


def texts_of(told: Any) -> list[str]:
    """Return every text of a problem or of the rows of a bulk answer that a person reads."""
    if isinstance(told, list):
        return [text for one in told for text in texts_of(one)]
    if not isinstance(told, dict):
        return []
    own = [told[name] for name in ("title", "detail") if isinstance(told.get(name), str)]
    return own + [text for name in ("errors", "items", "results") for text in texts_of(told.get(name, []))]


def unplain(text: str, sent: str = "") -> str:
    """Return what is wrong with a message, or nothing; `sent` is what the caller had sent."""
    if found := _DECODERS.search(text):
        return f"a decoder's words: {found[0]!r} in {text[:300]!r}"
    if found := _EXPRESSIONS.search(text):
        return f"an expression: {found[0]!r} in {text[:300]!r}"
    if len(sent) > _LONGEST_ECHO and sent[:_LONGEST_ECHO] in text:
        return f"repeats more than {_LONGEST_ECHO} characters"
    if not text.rstrip().endswith((".", "?")) or len(text) > 2000:
        return f"is no sentence, or a long one: {text[:300]!r}"
    return ""


def unplain_in(told: Any, sent: str = "") -> list[str]:
    """Return what is wrong with the messages of an answer; titles are names and end without a full stop."""
    texts = texts_of(told)
    titles = {told.get("title")} if isinstance(told, dict) else set()
    return [wrong for text in texts if (wrong := unplain(text + "." if text in titles else text, sent))]
