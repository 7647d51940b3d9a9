"""The pages of a document become one plain text in which every character knows its page."""

import bisect
import encodings.utf_16_le  # noqa: F401 - pypdfium2 decodes with it, after files can no longer be opened
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Final

_QUOTATION_MAX: Final = 600


_LIGATURES: Final = ("ff", "fi", "fl", "ffi", "ffl", "st", "st")
_FOLDED: Final = {
    **{chr(0xFB00 + place): plain for place, plain in enumerate(_LIGATURES)},
    **dict.fromkeys("\u2018\u2019\u201b\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201f\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u00ae\u2122\u0000", ""),
    **dict.fromkeys("\uf0b7\u25cf\u25aa\u25e6\u2023\u2043\u25a0\u00b7\uf0a7", "\u2022"),
}
_ODD = re.compile("[" + "".join(_FOLDED) + "]")
# PDFium writes U+0002 where a word is divided at a line's end, and U+FFFE for a glyph without a character. Others leave
# the hyphen there.
_PIECE = re.compile(
    r"(?P<joined>[\x02\ufffe]\s{0,4}|(?<=[a-z])[-\u2010\u00ad]\s{0,2}\n\s{0,2}(?=[a-z]))|(?P<blank>\s+)"
)


class Text:
    """The whole document as one plain string: ligatures, quotes, dashes and divided words made plain, each run of
    blanks one character (a line feed if it held one), running heads and feet left out. Knows where it all came from.
    """

    def __init__(self, pages: list[str]) -> None:
        self._pages = pages
        self._starts: list[int] = []
        self._origin = array("L")
        parts: list[str] = []
        running = _running_lines(pages)
        length = 0
        for number, page in enumerate(pages):
            self._starts.append(length)
            for piece, origin in _plain(page, running if number else frozenset()):
                parts.append(piece)
                self._origin.extend(origin)
                length += len(piece)
            parts.append("\n")
            self._origin.append(len(page))
            length += 1
        self.plain = "".join(parts)

    def page_of(self, place: int) -> int:
        """Return the page, from 1, that a place in `plain` came from."""
        return bisect.bisect_right(self._starts, place)

    def page_start(self, page: int) -> int:
        """Return where a page, from 1, begins in `plain`. For pages past the last, return its length."""
        return self._starts[page - 1] if page <= len(self._starts) else len(self.plain)

    def quotation(self, start: int, end: int) -> tuple[int, str]:
        """Return the page and the page's own characters for a span of `plain`, as far as it lies on one page."""
        while start < end - 1 and self.plain[start] in " \n":
            start += 1
        page = self.page_of(start)
        end = min(end, self.page_start(page + 1) - 1, start + _QUOTATION_MAX)
        last = max(start, end - 1)
        raw = self._pages[page - 1][self._origin[start] : self._origin[last] + 1]
        return page, raw.strip()


def _running_lines(pages: list[str]) -> frozenset[str]:
    """Find heads and feet: lines among the first and last three that return, but for numbers, on many pages."""
    seen: Counter[str] = Counter()
    for page in pages:
        lines = [line for line in page.splitlines() if line.strip()]
        seen.update({_without_numbers(line) for line in lines[:3] + lines[-3:]})
    often = max(4, len(pages) * 2 // 5)
    return frozenset(line for line, count in seen.items() if count >= often)


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _plain(page: str, running: frozenset[str]) -> Iterator[tuple[str, range | list[int]]]:
    """Yield plain pieces with the index in the page that each of their characters came from."""
    at = 0
    lines = page.splitlines(keepends=True)
    edge = {*range(4), *range(len(lines) - 4, len(lines))} if running else set()
    kept = array("L")
    for number, line in enumerate(lines):
        if number not in edge or _without_numbers(line) not in running:
            kept.extend(range(at, at + len(line)))
        at += len(line)
    text = "".join(page[index] for index in kept) if len(kept) < len(page) else page
    origin: range | array[int] = kept if len(kept) < len(page) else range(len(page))
    done = 0
    for found in _PIECE.finditer(text):
        yield from _unfolded(text, done, found.start(), origin)
        if found["blank"]:
            yield ("\n" if "\n" in found[0] or "\r" in found[0] else " "), [origin[found.start()]]
        done = found.end()
    yield from _unfolded(text, done, len(text), origin)


def _unfolded(text: str, start: int, end: int, origin: "range | array[int]") -> Iterator[tuple[str, list[int]]]:
    done = start
    for odd in _ODD.finditer(text, start, end):
        if odd.start() > done:
            yield text[done : odd.start()], list(origin[done : odd.start()])
        plain = _FOLDED[odd[0]]
        if plain:
            yield plain, [origin[odd.start()]] * len(plain)
        done = odd.end()
    if end > done:
        yield text[done:end], list(origin[done:end])
