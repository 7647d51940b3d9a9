"""The texts of a content in their one normal form: NFC, no control characters, blanks trimmed, line ends as LF."""

from collections.abc import Iterator
from typing import Any, Final

from vendorrisk.foreign_text import is_storable
from vendorrisk.normal_form import UnfitError, clean_line, clean_text
from vendorrisk.value_checks import pointer_step

LONGEST_TEXT: Final = 2000
LONGEST_LINE: Final = 300
UNSTORABLE: Final = "Take out the NUL or the half of a surrogate pair. It cannot be stored."

_LINES: Final = frozenset({"title", "label"})
_TEXTS: Final = frozenset({"text", "help", "internal_help", "intro", "description"})


def cleaned(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Bring the texts of a document into their normal form, in place.

    Yield the JSON pointer of each text that has none, with the correction.
    """
    for name, part in value.items() if isinstance(value, dict) else enumerate(value):
        place = at + pointer_step(name)
        if name in _LINES | _TEXTS and isinstance(part, dict):
            for language in part:
                yield from _cleaned_text(part, language, place, is_line=name in _LINES)
        elif name in {"licence", "unit"} and isinstance(part, str):
            yield from _cleaned_text(value, name, at, is_line=name == "unit")
        elif isinstance(part, dict | list | tuple):
            yield from cleaned(part, place)
        elif not is_storable(part):
            yield place, UNSTORABLE


def _cleaned_text(texts: dict[str, Any], name: str, at: str, *, is_line: bool) -> Iterator[tuple[str, str]]:
    try:
        text = texts[name]
        texts[name] = clean_line(text, LONGEST_LINE) if is_line else clean_text(text, LONGEST_TEXT)
    except UnfitError as error:
        yield at + pointer_step(name), str(error)
