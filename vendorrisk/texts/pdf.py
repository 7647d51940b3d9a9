"""A PDF's bytes become the text of its pages.

Runs in the sandbox's child, which opens no file after its start. So everything needed is imported at the top.
"""

import encodings.utf_16_le  # noqa: F401 - pypdfium2 decodes with it, after files can no longer be opened
from enum import StrEnum
from typing import Final

import msgspec
import pypdfium2  # type: ignore[import-untyped] # it ships no types

from vendorrisk.foreign_text import sound

PAGES_MAX: Final = 1500
_PAGE_CHARACTERS_MAX: Final = 60_000
_TEXT_CHARACTERS_MAX: Final = 6_000_000
_SCANNED_SHARE: Final = 0.5


class Problem(StrEnum):
    """Why a PDF gave no proposals, or only some: the closed list."""

    BROKEN = "broken"
    ENCRYPTED = "encrypted"
    NO_TEXT = "no_text"
    TRUNCATED = "truncated"
    TOO_COMPLEX = "too_complex"
    BUSY = "busy"
    FAILED = "failed"


class Extract(msgspec.Struct, frozen=True):
    """The pages' text, first page first. With `truncated` or `no_text`, any text that was found is still given."""

    pages: list[str]
    problem: Problem | None = None


def extract(pdf: bytes) -> Extract:
    """Read the text layer. This never raises for a file's content, but may run out of time or memory."""
    cut = b"%%EOF" not in pdf[-2048:]
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        # FPDF_ERR_PASSWORD and FPDF_ERR_SECURITY of fpdfview.h
        if error.err_code in {4, 5}:
            return Extract([], Problem.ENCRYPTED)
        return Extract([], Problem.TRUNCATED if cut else Problem.BROKEN)
    if len(document) > PAGES_MAX:
        return Extract([], Problem.TOO_COMPLEX)
    if not len(document):
        return Extract([], Problem.BROKEN)
    return _evaluated([_page_text(document, number) for number in range(len(document))], cut=cut)


def _evaluated(pages: list[str | None], *, cut: bool) -> Extract:
    texts = [(text or "")[:_PAGE_CHARACTERS_MAX] for text in pages]
    if sum(map(len, texts)) > _TEXT_CHARACTERS_MAX:
        return Extract([], Problem.TOO_COMPLEX)
    if cut:
        return Extract(texts, Problem.TRUNCATED)
    if all(text is None for text in pages):
        return Extract([], Problem.BROKEN)
    bare = sum(1 for text in texts if len(text.strip()) < 20)  # noqa: PLR2004 - a page number is no text
    return Extract(texts, Problem.NO_TEXT if bare > _SCANNED_SHARE * len(texts) else None)


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str | None:
    """Return a page's text, or None for a page that cannot be loaded."""
    try:
        page = document[number]
        text = page.get_textpage()
        return sound(str(text.get_text_range())) if text.count_chars() else ""
    except pypdfium2.PdfiumError:
        return None
