"""A file's type, decided by its content. The caller's declared type is ignored.

Few types are accepted: those of evidence that no browser runs. puremagic only names refused types. A sniffer sees the
bytes as they pass, and keeps the first 8 KiB and the last 256 KiB: a ZIP's directory is at its end (APPNOTE.TXT
4.3.16).
"""

import re
import struct
from collections.abc import Iterator
from enum import Enum
from typing import Final, Self

import puremagic

from vendorrisk.errors import Code, Refusal

_HEAD: Final = 8 * 1024
_TAIL: Final = 256 * 1024
_BOMS: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\r\x0c")) + b"\x7f"
# Content that a sniffing browser reads as markup (WHATWG MIME Sniffing, section 7.1), and SVG.
_MARKUP = re.compile(r"\s*<|[^<]{0,1024}<(!doctype|html|head|body|script|iframe|svg|\?xml)\b", re.IGNORECASE)
_PDF = re.compile(rb"\s{0,32}%PDF-[12]\.\d")
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PNG: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_JPEG: Final = b"\xff\xd8\xff"
_TAKEN: Final = "Send a PDF, XLSX, DOCX, PNG, JPEG, CSV or plain text file."
_END_OF_DIRECTORY = struct.Struct("<4sHHHHIIH")
_ENTRY = struct.Struct("<4s24xHHH12x")


class MediaType(Enum):
    """The closed list: (media type, usual ending, other endings)."""

    PDF = ("application/pdf", ".pdf")
    XLSX = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx")
    DOCX = ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx")
    PNG = ("image/png", ".png")
    JPEG = ("image/jpeg", ".jpg", ".jpeg")
    CSV = ("text/csv", ".csv")
    TEXT = ("text/plain", ".txt", ".md", ".log")

    def __init__(self, text: str, *endings: str) -> None:
        self.text = text
        self.endings = endings
        self.ending = endings[0]

    @classmethod
    def called(cls, text: str) -> Self:
        """Return the type with this name, as stored. Raises KeyError for another."""
        return {member.text: member for member in cls}[text]


class Sniffer:
    """Fed the bytes of one file in order. Refuses as soon as the head shows that it will not be accepted."""

    def __init__(self, file_name: str) -> None:
        self._file_name = file_name.lower()
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self._controls = False
        self._unfit = ""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises `Refusal` as soon as 8 KiB show an unaccepted type."""
        before = len(self._head)
        self._head += piece[: _HEAD - before]
        self._tail += piece
        del self._tail[:-_TAIL]
        self._size += len(piece)
        self._controls = self._controls or piece.translate(None, _CONTROL) != piece
        if before < _HEAD <= len(self._head):
            self._look(whole=False)

    def media_type(self) -> MediaType:
        """Return the type of the whole file. Raises `Refusal`."""
        if not self._size:
            raise Refusal(Code.FILE_EMPTY, "The file is empty. Send a file with content.")
        return self._look(whole=True)

    def _look(self, *, whole: bool) -> MediaType:
        head = bytes(self._head)
        if _PDF.match(head):
            return MediaType.PDF
        if head.startswith(_PNG):
            return MediaType.PNG
        if head.startswith(_JPEG):
            return MediaType.JPEG
        if head.startswith(_ZIP):
            return self._office() if whole else MediaType.XLSX
        if head.startswith(_OLE):
            raise _refused("a file of an old or password-protected office program", "Save it without a password as")
        return self._text(head)

    def _office(self) -> MediaType:
        names = set(_zip_names(bytes(self._tail), self._size))
        if any(name.lower().endswith((b"vbaproject.bin", b".exe", b".dll", b".js")) for name in names):
            raise _refused("an office file with macros or programs in it", "Save it without them, as")
        if b"[Content_Types].xml" in names and b"xl/workbook.xml" in names:
            return MediaType.XLSX
        if b"[Content_Types].xml" in names and b"word/document.xml" in names:
            return MediaType.DOCX
        raise _refused("a ZIP archive that is neither a whole workbook nor a whole text document")

    def _text(self, head: bytes) -> MediaType:
        bom = next((bom for bom in _BOMS if head.startswith(bom)), b"")
        encoding = _BOMS.get(bom, "utf-8")
        if head.startswith((b"#!", b"MZ")) or (self._controls and not encoding.startswith("utf-16")):
            raise _refused(_named(head))
        shown = head[len(bom) :].decode(encoding, "replace")
        if "\0" in shown:
            raise _refused(_named(head))
        if _MARKUP.match(shown):
            raise _refused("HTML, SVG or XML")
        # Content cannot distinguish a table from prose. The name may.
        return MediaType.CSV if self._file_name.endswith(".csv") else MediaType.TEXT


def _zip_names(tail: bytes, size: int) -> Iterator[bytes]:
    """Read the names in a ZIP's directory from the file's last bytes.

    Empty if the directory is not wholly within them.
    """
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END_OF_DIRECTORY.size:
        return
    *_, count, length, offset, _ = _END_OF_DIRECTORY.unpack_from(tail, place)
    at = offset - (size - len(tail))
    if at < 0 or offset + length != size - len(tail) + place:
        return
    for _ in range(count):
        if place - at < _ENTRY.size:
            return
        mark, name, extra, comment = _ENTRY.unpack_from(tail, at)
        if mark != b"PK\x01\x02":
            return
        yield tail[at + _ENTRY.size : at + _ENTRY.size + name]
        at += _ENTRY.size + name + extra + comment


def _named(head: bytes) -> str:
    if head.startswith((b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\0asm")):
        return "a program"
    try:
        found = puremagic.magic_string(head)
    except puremagic.PureError:
        return "of no kind that is accepted"
    return f"a {found[0].name[:60]}"


def _refused(what: str, instead: str = "") -> Refusal:
    how = f"{instead} PDF, XLSX or DOCX." if instead else _TAKEN
    return Refusal(Code.FILE_TYPE_REFUSED, f"The file is {what}. {how}")
