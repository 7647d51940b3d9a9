"""The outcome of reading a foreign workbook."""

from enum import StrEnum
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import Content, Stance

MOST_ODD: Final = 1_000


class Form(StrEnum):
    """The forms that are recognised."""

    CAIQ4 = "caiq4"
    CAIQ3 = "caiq3"
    CAIQ1 = "caiq1"
    HECVAT4 = "hecvat4"
    HECVAT3 = "hecvat3"
    HECVAT2 = "hecvat2"
    K12CVAT = "k12cvat"
    PLATFORM_EXPORT = "platform_export"
    VSA = "vsa"
    LIBRARY = "library"
    OWN_TABLE = "own_table"


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a workbook, and the sheets with its questions. `expected`: questions of a version that is known."""

    form: Form
    edition: str
    version: str
    sheets: tuple[str, ...]
    expected: int | None = None

    @property
    def is_known(self) -> bool:
        """False: the version is not in the list, and was read by its headings."""
        return self.expected is not None


class ReadAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer as a cell gives it.

    `value` is an option's key, a text or an ISO date. `words` is what the cell says. Without a stance the cell chooses
    nothing, and its words stand in the note.
    """

    question: str
    stance: Stance | None
    sheet: str
    cell: str
    words: str
    value: str | None = None
    note: str = ""
    fields: dict[str, str] = {}


class OddCell(msgspec.Struct, frozen=True):
    """A cell that does not hold what is expected there."""

    sheet: str
    cell: str
    expected: str
    found: str


class SheetStart(msgspec.Struct, frozen=True):
    """The first row of a sheet that is filled."""

    sheet: str
    row: int
    cells: tuple[str, ...]


class Unrecognised(msgspec.Struct, frozen=True, tag="unrecognised"):
    """No form fits. A mapping of columns (`own_table`) reads it all the same."""

    looked_for: tuple[str, ...]
    sheets: tuple[SheetStart, ...]


class Rejected(msgspec.Struct, frozen=True, tag="rejected"):
    """The workbook is not read, with advice. `choices`: sheets that fit alike, of which one must be named."""

    detail: str
    choices: tuple[str, ...] = ()


class ReadForm(msgspec.Struct, frozen=True, kw_only=True, tag="read"):
    """A workbook that was read: as a questionnaire, and as answers.

    `found` counts questions, `answered` answers with a stance, `not_asked` questions that a qualifier or the vendor's
    platform left out.
    """

    recognised: Recognised
    content: Content
    answers: tuple[ReadAnswer, ...]
    odd_cells: tuple[OddCell, ...]
    found: int
    answered: int
    not_asked: int
    licence: str
    notices: tuple[str, ...] = ()


class RejectedWorkbookError(Exception):
    """A workbook is recognised, or nearly, and cannot be read. The message has advice."""

    def __init__(self, detail: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.detail, self.choices = detail, choices
