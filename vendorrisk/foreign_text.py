"""Text of strangers that Postgres cannot hold: NUL, and halves of surrogate pairs.

It is refused where it enters by a caller's hand: in the cells of a sheet. Where a whole document or scan would be lost
with one character, as in the text of a PDF or a vendor's page (`probes.observation`), the character is replaced.
"""

import re
from collections.abc import Iterable, Mapping

WHAT = "It holds a NUL or half of a surrogate pair, which cannot be stored."

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(value: object) -> bool:
    """Return True if Postgres can hold the texts of a value: a text, or a structure of mappings and lists."""
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is None
    if isinstance(value, Mapping):
        return all(is_storable(key) and is_storable(part) for key, part in value.items())
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return all(is_storable(part) for part in value)
    return True


def sound(text: str) -> str:
    """Return a text with a replacement character in place of each one that cannot be stored."""
    return _UNSTORABLE.sub("\ufffd", text)
