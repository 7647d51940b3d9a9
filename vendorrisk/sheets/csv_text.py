"""The bytes of a CSV file become its rows, one after the other: its encoding and its delimiter are found first.

The whole text is never in memory, since text can take four times its bytes.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from vendorrisk.sheets.errors import UnreadableError

_DELIMITERS = ",;\t|"
_SNIFFED_ROWS = 20
_SNIFFED_CHARACTERS = 64 * 1024
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\r?", re.IGNORECASE)
_PIECE = 1 << 20
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")
# They are loaded here because the child process that reads opens no file later.
for _name in _ENCODINGS:
    codecs.lookup(_name)
_ODD_NOTICE = "The file is not UTF-8. It was read as Windows-1252. Check accented letters."


class CsvText(msgspec.Struct, frozen=True):
    """The text of a file: how it is read, and what to tell the sender."""

    content: bytes
    encoding: str
    notices: tuple[str, ...] = ()

    def open(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(self.content), encoding=self.encoding, newline="")


def csv_rows(text: CsvText, most_characters: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows with their numbers. Raises `UnreadableError` for a row that cannot be read."""
    number = 0
    with text.open() as lines:
        reader = csv.reader(lines, delimiter=_delimiter(text, lines), strict=True)
        try:
            for number, cells in enumerate(reader, start=1):
                yield number, cells
        except csv.Error as error:
            wide = "larger than" in str(error)
            what = f"holds more than {most_characters} characters" if wide else "has a quote out of place"
            raise UnreadableError(f"A cell after row {number} {what}. Correct the file and send it again.") from None


def text_of(content: bytes) -> CsvText:
    """Find the encoding, and see that the whole file has it.

    Without a byte-order mark, NULs at every other place tell UTF-16.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _checked(CsvText(content, encoding))
    start = content[:400]
    if start.count(0) >= len(start) // 4 > 0:
        return _checked(CsvText(content, "utf-16-le" if start[1:2] == b"\x00" else "utf-16-be"))
    if _first_fault(content, "utf-8") is None:
        return _checked(CsvText(content, "utf-8"))
    return _checked(CsvText(content, "cp1252", (_ODD_NOTICE,)))


def _checked(text: CsvText) -> CsvText:
    at = _first_fault(text.content, text.encoding)
    if at is not None:
        name = text.encoding.upper().removesuffix("-SIG")
        what = "fits neither UTF-8 nor Windows-1252" if text.encoding == "cp1252" else f"is not valid {name}"
        raise UnreadableError(f"Byte {at + 1} of the file {what}. Save it as CSV UTF-8, or as XLSX, and send it again.")
    return text


def _first_fault(content: bytes, encoding: str) -> int | None:
    """Return where the file breaks its encoding, or None. Raises `UnreadableError` for a NUL, which no text has."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for at in range(0, len(content) or 1, _PIECE):
        held = len(decoder.getstate()[0])
        try:
            piece = decoder.decode(content[at : at + _PIECE], final=at + _PIECE >= len(content))
        except UnicodeDecodeError as error:
            return at - held + error.start
        if "\x00" in piece:
            raise UnreadableError("This is not a text file. Send CSV or XLSX.")
    return None


def _delimiter(text: CsvText, lines: io.TextIOWrapper) -> str:
    """Return the delimiter, and leave `lines` where the rows begin: after the `sep=` line that Excel writes."""
    with text.open() as sniffed:
        sample = sniffed.read(_SNIFFED_CHARACTERS)
    if named := _SEPARATOR_LINE.fullmatch(sample.partition("\n")[0]):
        lines.readline()
        return named[1]
    return max(_DELIMITERS, key=lambda mark: _fitness(sample, mark))


def _fitness(sample: str, mark: str) -> tuple[int, int]:
    """Return (rows as wide as the first, its width): higher is likelier. One column counts as no fit."""
    rows = []
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=mark, strict=False)
        rows = [row for row in islice(reader, _SNIFFED_ROWS) if row]
    except csv.Error:
        return (0, 0)
    width = len(rows[0]) if rows else 0
    if width <= 1:
        return (0, 0)
    return (sum(len(row) == width for row in rows), width)
