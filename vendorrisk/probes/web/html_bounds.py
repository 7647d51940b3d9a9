"""The bounds of a page, held before the HTML parser sees it. Its time grows with the square of some of them."""

import re
from typing import Final

MOST_BYTES: Final = 2 << 20
MOST_TAGS: Final = 100_000
MOST_DEPTH: Final = 512
MOST_ATTRIBUTES: Final = 1_000

# Possessive, so that no text is read twice: a tag ends at its bracket or at a quote that nothing closes.
_TAG: Final = re.compile(rb"<!--|<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40}+)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>?+")
_QUOTED: Final = re.compile(rb"\"[^\"]*+\"|'[^']*+'")
_NAME: Final = re.compile(rb"[^\s/=>]++")
_NO_END: Final = frozenset(
    b"area base br col embed hr img input link meta param source track wbr "
    b"p li dt dd tr td th thead tbody tfoot colgroup option optgroup rt rp body html head".split()
)
"""Elements that never nest in themselves, because the parser itself ends them."""


_RAW: Final = frozenset({b"script", b"style", b"textarea", b"title", b"noembed", b"noframes", b"xmp", b"iframe"})
"""Elements whose content is text, whatever tags it seems to hold."""


class PageTooComplexError(Exception):
    """The page is beyond a bound, and no parser reads it."""


def check(html: bytes) -> None:
    """Raise `PageTooComplexError` for a page beyond the bounds. Takes time in proportion to its length."""
    if len(html) > MOST_BYTES:
        raise PageTooComplexError
    lower, at, tags, depth = html.lower(), 0, 0, 0
    while at >= 0 and (tag := _TAG.search(lower, at)) is not None:
        at, tags = _end_of(lower, tag), tags + 1
        depth = max(0, depth + _step(tag))
        if tags > MOST_TAGS or depth > MOST_DEPTH or _has_too_many_attributes(tag[3] or b""):
            raise PageTooComplexError


def _end_of(lower: bytes, tag: re.Match[bytes]) -> int:
    """Return where the next tag may begin: after a comment, or after the text of a raw element. -1 if nowhere."""
    if tag[2] is None:
        return lower.find(b"-->", tag.end())
    if not tag[1] and tag[2] in _RAW:
        return lower.find(b"</" + tag[2], tag.end())
    return tag.end()


def _step(tag: re.Match[bytes]) -> int:
    """Return by how much a tag changes the depth."""
    if tag[2] is None or tag[2] in _NO_END or (not tag[1] and tag[3].endswith(b"/")):
        return 0
    return -1 if tag[1] else 1


def _has_too_many_attributes(written: bytes) -> bool:
    if len(written) < MOST_ATTRIBUTES:
        return False
    return len(_NAME.findall(_QUOTED.sub(b" ", written))) > 2 * MOST_ATTRIBUTES
