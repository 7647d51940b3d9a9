"""File names as people send them, made fit to be shown, and sent back in a header."""

import unicodedata
from typing import Final
from urllib.parse import quote

from vendorrisk.storage.media_types import MediaType

_FALLBACK: Final = "document"
_CHARACTERS: Final = 120
_BYTES: Final = 200  # UTF-8; file systems stop at 255
_UNFIT: Final = frozenset('<>:"|?*\\/')
# Cc control, Cf format (right-to-left override, zero width), Cs surrogate, Co private, Cn unassigned, Zl, Zp.
_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789"}
)


def safe_name(given: str, media_type: MediaType) -> str:
    """Return a name without folders, control or bidirectional characters, whose ending fits the file's type."""
    last = given.replace("\\", "/").rpartition("/")[2]
    kept = "".join(_kept(character) for character in unicodedata.normalize("NFC", last))
    stem = " ".join(kept.split()).rstrip(". ")
    ending = media_type.ending
    for own in media_type.endings:
        if stem.lower().endswith(own):
            stem, ending = stem[: -len(own)], own
            break
    stem = _shortened(stem.strip(". ")) or _FALLBACK
    if stem.partition(".")[0].rstrip().lower() in _RESERVED:
        stem = f"_{stem}"
    return stem + ending


def content_disposition(name: str) -> str:
    """Return the header's value for a download (RFC 6266, section 5), never inline."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(c for c in plain if c.isprintable() and c not in '"\\%').strip()
    plain = plain if plain.rpartition(".")[0] else _FALLBACK + plain
    value = f'attachment; filename="{plain}"'
    # RFC 8187 percent-encoding beside it, where the plain one had to leave something out.
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"


def _kept(character: str) -> str:
    if character in _UNFIT:
        return "_"
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _DROPPED else character


def _shortened(stem: str) -> str:
    short = stem[:_CHARACTERS]
    while len(short.encode()) > _BYTES:
        short = short[:-1]
    return short.rstrip(". ")
