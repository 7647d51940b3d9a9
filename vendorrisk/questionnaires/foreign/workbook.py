"""The whole way of a foreign workbook: opened, recognised, read. It runs in a child of the sandbox."""

from collections.abc import Callable
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import ContentError
from vendorrisk.questionnaires.foreign.caiq import CaiqReading
from vendorrisk.questionnaires.foreign.cells import text_of
from vendorrisk.questionnaires.foreign.contents import Asked, content_from, key_of
from vendorrisk.questionnaires.foreign.hecvat import HecvatReading
from vendorrisk.questionnaires.foreign.hecvat_gates import gates_of
from vendorrisk.questionnaires.foreign.outcome import (
    MOST_ODD,
    Form,
    OddCell,
    ReadAnswer,
    ReadForm,
    Recognised,
    Rejected,
    RejectedWorkbookError,
    Unrecognised,
)
from vendorrisk.questionnaires.foreign.own_table import Mapping, TableReading, proposed
from vendorrisk.questionnaires.foreign.platform_export import export_mapping, library_questions, vsa_readings
from vendorrisk.questionnaires.foreign.recognise import recognised
from vendorrisk.sheets.books import Book, open_book
from vendorrisk.sheets.errors import UnreadableError

Read = ReadForm | Unrecognised | Rejected

_TITLES: Final = {
    Form.CAIQ4: "CSA CAIQ",
    Form.CAIQ3: "CSA CAIQ",
    Form.HECVAT4: "HECVAT",
    Form.HECVAT3: "HECVAT",
    Form.HECVAT2: "HECVAT",
    Form.K12CVAT: "K-12CVAT",
    Form.PLATFORM_EXPORT: "Questionnaire of a platform",
    Form.VSA: "VSA",
    Form.LIBRARY: "Library",
    Form.OWN_TABLE: "Questionnaire",
}
_LONGEST_LICENCE: Final = 1_000


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The choice of the caller: the sheet to read where two fit, or a mapping of any sheet."""

    sheet: str | None = None
    mapping: Mapping | None = None


class Request(msgspec.Struct, frozen=True):
    """A workbook with the caller's choice: the bytes that a child is given."""

    content: bytes
    choice: Choice


def read_workbook(raw: bytes) -> Read:
    """Read an encoded `Request`. The form in which a child can be asked for it."""
    request = msgspec.msgpack.decode(raw, type=Request)
    return read(request.content, request.choice)


def read(content: bytes, choice: Choice = Choice()) -> Read:  # noqa: B008 - frozen
    """Return what a workbook holds, or why it is not read. No error of a workbook is raised."""
    try:
        book = open_book(content)
        if choice.mapping is not None:
            own = Recognised(form=Form.OWN_TABLE, edition="", version="", sheets=(choice.mapping.sheet,))
            return _table(book, own, choice.mapping)
        found = recognised(book, choice.sheet)
        return found if isinstance(found, Unrecognised) else _READERS[found.form](book, found)
    except RejectedWorkbookError as error:
        return Rejected(error.detail, error.choices)
    except UnreadableError as error:
        return Rejected(str(error))
    except ContentError as error:
        return Rejected(f"The questions cannot be stored: {error.faults[0].detail}")


def proposed_mapping(content: bytes) -> Mapping | None:
    """Return the mapping that the headings of an unknown workbook suggest. Raises `UnreadableError`."""
    return proposed(open_book(content))


def _caiq(book: Book, found: Recognised) -> ReadForm:
    reading = CaiqReading(book, found)
    if found.form is Form.CAIQ4:
        reading.read4()
    else:
        reading.read3()
    return _outcome(book, found, reading.asked, reading.answers, [*reading.odd, *reading.twins.odd])


def _hecvat(book: Book, found: Recognised) -> ReadForm:
    reading = HecvatReading(book, found)
    reading.read()
    answered = {key_of(answer.question): answer.value for answer in reading.answers}
    filled = {answer.question for answer in reading.answers}
    not_asked = sum(
        name not in filled and any(answered.get(gate) != "yes" for gate in gates)
        for name, gates in gates_of(reading.asked).items()
    )
    odd = [*reading.odd, *reading.twins.odd]
    return _outcome(book, found, reading.asked, reading.answers, odd, not_asked=not_asked)


def _export(book: Book, found: Recognised) -> ReadForm:
    return _table(book, found, export_mapping(book, found.sheets[0]))


def _table(book: Book, found: Recognised, mapping: Mapping) -> ReadForm:
    reading = TableReading(book, mapping)
    reading.read()
    notices = []
    if reading.wanted_documents:
        notices.append(f"{reading.wanted_documents} questions want a document that was not uploaded: no answer.")
    odd = [*reading.odd, *reading.twins.odd]
    return _outcome(
        book, found, reading.asked, reading.answers, odd, not_asked=reading.not_asked, notices=tuple(notices)
    )


def _vsa(book: Book, found: Recognised) -> ReadForm:
    asked: list[Asked] = []
    answers: list[ReadAnswer] = []
    odd: list[OddCell] = []
    for number, (sheet, reading) in enumerate(vsa_readings(book, found.sheets), start=1):
        reading.read()
        names = {one.id: f"{number}.{one.id}" for one in reading.asked}
        asked += [
            msgspec.structs.replace(one, id=names[one.id], section=one.section or sheet.name) for one in reading.asked
        ]
        answers += [msgspec.structs.replace(one, question=names[one.question]) for one in reading.answers]
        odd += reading.odd
    return _outcome(book, found, asked, answers, odd)


def _library(book: Book, found: Recognised) -> ReadForm:
    return _outcome(book, found, library_questions(book), [], [])


_READERS: Final[dict[Form, Callable[[Book, Recognised], ReadForm]]] = {
    Form.CAIQ4: _caiq,
    Form.CAIQ3: _caiq,
    Form.HECVAT4: _hecvat,
    Form.HECVAT3: _hecvat,
    Form.HECVAT2: _hecvat,
    Form.K12CVAT: _hecvat,
    Form.PLATFORM_EXPORT: _export,
    Form.VSA: _vsa,
    Form.LIBRARY: _library,
}


def _outcome(
    book: Book,
    found: Recognised,
    asked: list[Asked],
    answers: list[ReadAnswer],
    odd: list[OddCell],
    *,
    not_asked: int = 0,
    notices: tuple[str, ...] = (),
) -> ReadForm:
    name = " ".join(part for part in (_TITLES[found.form], found.edition, found.version) if part)
    licence = _licence(book, found)
    content = content_from(name, name, found.form.value.replace("_", "-"), asked, licence)
    return ReadForm(
        recognised=found,
        content=content,
        answers=tuple(answers),
        odd_cells=tuple(odd[:MOST_ODD]),
        found=len(asked),
        answered=sum(answer.stance is not None for answer in answers),
        not_asked=not_asked,
        licence=licence,
        notices=(*book.notices, *notices, *_doubts(book, found, len(asked), len(odd))),
    )


def _doubts(book: Book, found: Recognised, count: int, odd: int) -> tuple[str, ...]:
    notices = []
    is_versioned = found.form not in {Form.OWN_TABLE, Form.PLATFORM_EXPORT, Form.VSA, Form.LIBRARY}
    if is_versioned and not found.is_known:
        version = found.version or "unknown"
        notices.append(f"The version {version} is not in the list. {count} questions were read by the headings.")
    elif found.expected is not None and found.expected != count:
        notices.append(f"This version has {found.expected} questions, and {count} were found.")
    unstored = sum(sheet.unstored for sheet in book.sheets if sheet.name in found.sheets)
    if unstored:
        notices.append(f"{unstored} formulas have no stored value. Open the workbook in Excel, save it, and send that.")
    if odd > MOST_ODD:
        notices.append(f"{odd} cells are odd. The first {MOST_ODD} are listed.")
    return tuple(notices)


def _licence(book: Book, found: Recognised) -> str:
    """Return the line of copyright. The answer sheets go before the others."""
    sheets = sorted(book.sheets, key=lambda sheet: sheet.name not in found.sheets)
    for sheet in sheets:
        for number in sorted(sheet.rows):
            for cell in sheet.rows[number].values():
                if isinstance(cell, str) and ("©" in cell or "opyright" in cell) and len(cell) < 4 * _LONGEST_LICENCE:
                    return text_of(cell)[:_LONGEST_LICENCE]
    return ""
