"""Where a worksheet holds errors (#N/A, #REF!): the reader of workbooks gives them as blank, which would lose them.

Looked for in the XML itself, and only where its bytes say that there are some. Pure, but for the child process that it
runs in: all its imports are loaded with this module.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers.expat import ExpatError, ParserCreate

ERRORS = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!"),
        *("#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#GETTING_DATA"),
    }
)
"""Texts that spreadsheet programs write in place of a value that they could not calculate."""

Places = dict[int, dict[int, str]]
"""Row → column → error. Both count from 1."""

BROKEN = (
    *(ExpatError, LookupError, ValueError, OSError, EOFError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
"""Errors that libraries raise for a workbook that is cut, damaged, encrypted or packed in a way they do not know."""

_MARK = re.compile(rb"\bt\s*=\s*[\"']e[\"']")
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_CHUNK = 1 << 20
_LONGEST_MARK = 64


class UnreadableError(ValueError):
    """The file cannot be read as a table. The message has advice."""


class UnfoundError(ValueError):
    """There are errors, and where they are cannot be made out."""


def errors_of(content: bytes, at: int) -> Places:
    """Return the errors of the worksheet that the workbook names at a place. Raises `UnfoundError`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if not any(_is_marked(archive, name) for name in archive.namelist() if name.startswith("xl/worksheets/")):
                return {}
            sheet = _Sheet()
            walk(archive, _part_of(archive, at), sheet.begin, sheet.end, sheet.text)
            return sheet.places
    except BROKEN as error:
        raise UnfoundError(str(error)) from error


def _is_marked(archive: zipfile.ZipFile, name: str) -> bool:
    before = b""
    with archive.open(name) as part:
        for chunk in _chunks(part):
            if _MARK.search(before + chunk):
                return True
            before = chunk[-_LONGEST_MARK:]
    return False


def _part_of(archive: zipfile.ZipFile, at: int) -> str:
    """Follow the workbook's own list of worksheets to the part that holds one."""
    sheets: list[str] = []
    targets: dict[str, str] = {}

    def note(name: str, given: dict[str, str]) -> None:
        if name == "sheet":
            sheets.append(next(value for key, value in given.items() if key.endswith(" id")))
        elif name == "Relationship":
            targets[given["Id"]] = given["Target"]

    walk(archive, "xl/workbook.xml", note)
    walk(archive, "xl/_rels/workbook.xml.rels", note)
    return posixpath.normpath(posixpath.join("/xl", targets[sheets[at]])).lstrip("/")


def walk(
    archive: zipfile.ZipFile,
    name: str,
    begin: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] = lambda _name: None,
    text: Callable[[str], None] = lambda _text: None,
) -> None:
    """Pass the elements of a part of a workbook, by their local names. Memory does not depend on the part's size."""
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = lambda tag, given: begin(tag.rpartition(" ")[2], given)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    parser.CharacterDataHandler = text
    with archive.open(name) as part:
        for chunk in _chunks(part):
            parser.Parse(chunk)
    parser.Parse(b"", True)  # noqa: FBT003 - the parser takes it by place


def _refuse(*_declared: object) -> None:
    raise UnfoundError("a workbook declares no document type")


def _chunks(part: IO[bytes]) -> Iterator[bytes]:
    while chunk := part.read(_CHUNK):
        yield chunk


class _Sheet:
    """Counts rows and cells as they pass. Both may leave out their position, and then follow the one before."""

    def __init__(self) -> None:
        self.places: Places = {}
        self._row = self._column = 0
        self._is_error = self._is_value = False
        self._said = ""

    def begin(self, name: str, given: dict[str, str]) -> None:
        match name:
            case "row":
                self._row = int(given["r"]) if "r" in given else self._row + 1
                self._column = 0
            case "c":
                self._place(given.get("r"))
                self._is_error, self._said = given.get("t") == "e", ""
            case "v":
                self._is_value = self._is_error

    def text(self, text: str) -> None:
        if self._is_value:
            self._said += text[:20]

    def end(self, name: str) -> None:
        if name == "v":
            self._is_value = False
        elif name == "c" and self._is_error:
            said = self._said.strip().upper()
            self.places.setdefault(self._row, {})[self._column] = said if said in ERRORS else "#VALUE!"

    def _place(self, named: str | None) -> None:
        if named is None:
            self._column += 1
        elif found := _CELL.fullmatch(named):
            self._column, self._row = column_number(found[1]), int(found[2])
        else:
            raise UnfoundError("a cell says wrongly where it is")


def column_number(letters: str) -> int:
    """Return the number of a column from its letters. A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
