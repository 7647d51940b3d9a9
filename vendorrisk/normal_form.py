"""The one form in which texts and amounts are stored and written.

Pure. A function returns the normal form or raises `UnfitError`.
"""

import unicodedata
from decimal import Decimal
from functools import lru_cache

YEARS = range(1900, 2201)
"""The years of a date that can be stored."""

_MOST_MARKS = 6
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # Unicode general categories
_JOINERS = "\u200c\u200d"  # needed to spell Persian and Indic words


class UnfitError(ValueError):
    """A value cannot be accepted. The message says what to write instead."""


@lru_cache(maxsize=65536)
def clean_line(text: str, longest: int = 200) -> str:
    """Return one line in NFC, blanks trimmed and runs of them made one.

    Refuse characters that do not show as they read.
    """
    return _fits(" ".join(text.split()) if text.isascii() and text.isprintable() else _careful(text), longest)


def clean_text(text: str, longest: int = 4000) -> str:
    """As `clean_line`, but line ends and tabs are allowed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    return _fits("\n".join(_careful(line, keep_blanks=True) for line in lines).strip(), longest)


def _fits(text: str, longest: int) -> str:
    if not text:
        raise UnfitError("Write something other than blanks.")
    if len(text) > longest:
        raise UnfitError(f"Shorten it to at most {longest} characters; it has {len(text)}.")
    return text


def _careful(text: str, *, keep_blanks: bool = False) -> str:
    for character in text:
        if character not in _JOINERS and unicodedata.category(character) in _UNSEEN:
            raise UnfitError(
                f"Take out the character U+{ord(character):04X}: control, invisible and direction-changing "
                "characters are not accepted."
            )
    composed = unicodedata.normalize("NFC", text)
    marks = 0
    for character in composed:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks > _MOST_MARKS:
            raise UnfitError(f"At most {_MOST_MARKS} combining marks may follow one letter.")
    return composed.rstrip() if keep_blanks else " ".join(composed.split())


def written_amount(amount: Decimal) -> str:
    """Write an amount with 2 decimals, or 4 where it has more, so that it reads in one way only."""
    cents = amount.quantize(Decimal("0.01"))
    return str(cents if cents == amount else amount.quantize(Decimal("0.0001")))
