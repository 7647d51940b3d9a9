"""CSA CAIQ 4 (4.0.2, 4.0.3, 4.1) and 3 (3.0.1, 3.1). Columns are found by their headings.

CAIQ 4 has one column of answers, CAIQ 3 has one column for each answer, with a mark in one of them.
"""

import re
from collections.abc import Iterator
from typing import Final

from vendorrisk.questionnaires.content import ColumnKind, Field, Option, QuestionKind, Stance
from vendorrisk.questionnaires.foreign.cells import id_of, is_not_applicable, line_of, text_of
from vendorrisk.questionnaires.foreign.contents import YES_NO, Asked, chosen
from vendorrisk.questionnaires.foreign.headings import plain, row_of_headings
from vendorrisk.questionnaires.foreign.outcome import OddCell, ReadAnswer, Recognised, RejectedWorkbookError
from vendorrisk.questionnaires.foreign.recognise import CAIQ4_HEADINGS, CAIQ_ID
from vendorrisk.questionnaires.foreign.twins import Twins
from vendorrisk.questionnaires.question_checks import KNOWN_IDS
from vendorrisk.sheets.book_parts import name_of
from vendorrisk.sheets.books import Book, BookSheet

_OWNERS: Final = (
    ("csp", "CSP-owned", ("csp-owned", "csp owned")),
    ("csc", "CSC-owned", ("csc-owned", "csc owned")),
    (
        "third_party",
        "3rd-party outsourced",
        ("3rd-party outsourced", "third-party outsourced", "3rd party outsourced", "third party outsourced"),
    ),
    ("shared_csc", "Shared CSP and CSC", ("shared csp and csc",)),
    (
        "shared_third_party",
        "Shared CSP and 3rd-party",
        ("shared csp and 3rd-party", "shared csp and third party", "shared csp and third-party"),
    ),
)
OWNER_LABELS: Final = {key: label for key, label, _ in _OWNERS}
OWNERSHIP: Final = Field(
    key="ownership",
    label={"en": "Control ownership (shared security responsibility)"},
    kind=ColumnKind.SINGLE,
    options=tuple(Option(key=key, label={"en": label}) for key, label, _ in _OWNERS),
)
CUSTOMER: Final = Field(key="customer", label={"en": "Responsibilities of the customer"}, kind=ColumnKind.TEXT)
_ANSWER: Final = "Yes, No or NA"


class CaiqReading:
    """The questions and answers of one sheet."""

    def __init__(self, book: Book, recognised: Recognised) -> None:
        self.recognised = recognised
        self._sheet = next(sheet for sheet in book.sheets if sheet.name == recognised.sheets[0])
        self.asked: list[Asked] = []
        self.answers: list[ReadAnswer] = []
        self.odd: list[OddCell] = []
        self.twins = Twins()

    def read4(self) -> None:
        """Read CAIQ 4. Rows end at the first that has no id, behind the last one."""
        found = row_of_headings(self._sheet, CAIQ4_HEADINGS, frozenset({"id", "question", "answer"}))
        if found is None:
            raise RejectedWorkbookError("The headings of CAIQ 4 are missing. Send an unchanged copy.")
        head, columns = found
        control = domain = ""
        for number in _rows(self._sheet, head, columns["id"]):
            row = self._sheet.rows[number]
            name = id_of(row.get(columns["id"]))
            control = id_of(row.get(columns.get("control", 0))) or control
            control = control if name.startswith(f"{control}.") else name.partition(".")[0]
            domain = line_of(row.get(columns.get("domain", 0))) or domain
            one = self._one(name, text_of(row.get(columns["question"])), domain, number, control, "ccm4")
            answer = self._answer4(one, columns)
            if self.twins.is_new(one, columns["answer"], answer):
                self.asked.append(one)
                self.answers += [answer] if answer else []

    def _one(self, name: str, text: str, domain: str, row: int, control: str, framework: str) -> Asked:
        is_4 = framework == "ccm4"
        known = KNOWN_IDS.get(framework)  # CAIQ 4.1 asks for controls that CCM 4.0 lacks
        is_known = known is None or control in known
        return Asked(
            id=name,
            text=text,
            section=domain or name.partition("-")[0],
            sheet=self._sheet.name,
            row=row,
            kind=QuestionKind.YES_NO,
            options=YES_NO,
            weight=1,
            takes_not_applicable=True,
            fields=(OWNERSHIP, CUSTOMER) if is_4 else (),
            maps={framework: (control,)} if is_known else {},
        )

    def _answer4(self, one: Asked, columns: dict[str, int]) -> ReadAnswer | None:
        row = self._sheet.rows[one.row]
        words = text_of(row.get(columns["answer"]))
        note = text_of(row.get(columns.get("note", 0)))
        fields = {}
        if owner := text_of(row.get(columns.get("ownership", 0))):
            key = next((key for key, _, words in _OWNERS if plain(owner) in words), None)
            if key is None:
                expected = ", ".join(label for _, label, _ in _OWNERS)
                self.odd.append(OddCell(one.sheet, name_of(one.row, columns["ownership"]), expected, owner[:500]))
            else:
                fields["ownership"] = key
        if customer := text_of(row.get(columns.get("customer", 0))):
            fields["customer"] = customer
        if not (words or note or fields):
            return None
        return self._answered(one, columns["answer"], words, note, fields)

    def _answered(self, one: Asked, column: int, words: str, note: str, fields: dict[str, str]) -> ReadAnswer:
        value = chosen(words, YES_NO)
        stance = Stance.ANSWERED if value else Stance.NOT_APPLICABLE if is_not_applicable(words) else None
        cell = name_of(one.row, column)
        if words and stance is None:
            self.odd.append(OddCell(one.sheet, cell, _ANSWER, words[:500]))
            note = f"{words}\n\n{note}" if note else words
        return ReadAnswer(
            question=one.id,
            stance=stance,
            value=value,
            words=words,
            note=note,
            fields=fields,
            sheet=one.sheet,
            cell=cell,
        )

    def read3(self) -> None:
        """Read CAIQ 3: headings over three rows, an answer's mark in the column of its heading."""
        columns, head = _columns3(self._sheet)
        domain = control = ""
        for number in _rows(self._sheet, head, columns["id"]):
            row = self._sheet.rows[number]
            name = id_of(row.get(columns["id"]))
            title = text_of(row.get(columns.get("domain", 0))).partition("\n")[0]
            domain = title or domain
            control = id_of(row.get(columns.get("control", 0))) or name.partition(".")[0]
            one = self._one(name, text_of(row.get(columns["question"])), domain, number, control, "ccm3")
            answer = self._answer3(one, columns)
            if self.twins.is_new(one, columns["yes"], answer):
                self.asked.append(one)
                self.answers += [answer] if answer else []

    def _answer3(self, one: Asked, columns: dict[str, int]) -> ReadAnswer | None:
        row = self._sheet.rows[one.row]
        marked = [name for name in ("yes", "no", "na") if text_of(row.get(columns.get(name, 0)))]
        note = text_of(row.get(columns.get("note", 0)))
        if not marked:
            return self._answered(one, columns["yes"], "", note, {}) if note else None
        if len(marked) > 1:
            found = ", ".join(f"{name}: {text_of(row.get(columns[name]))}"[:200] for name in marked)
            cell = name_of(one.row, columns[marked[0]])
            self.odd.append(OddCell(one.sheet, cell, "a mark in one of Yes, No, Not Applicable", found))
            return ReadAnswer(question=one.id, stance=None, words=found, note=note, sheet=one.sheet, cell=cell)
        said = text_of(row.get(columns[marked[0]]))
        answer = self._answered(one, columns[marked[0]], marked[0], note, {})
        if len(said) > 3 and plain(said) not in {"not applicable", "true"}:  # noqa: PLR2004 - longer than a mark
            note = f"{said}\n\n{note}" if note else said
        return ReadAnswer(
            question=one.id,
            stance=answer.stance,
            value=answer.value,
            words=said,
            note=note,
            sheet=one.sheet,
            cell=answer.cell,
        )


def _rows(sheet: BookSheet, head: int, column: int) -> Iterator[int]:
    """Yield the rows of questions. Behind the first of them, a text that is no id ends the table."""
    has_begun = False
    for number in sorted(sheet.rows):
        if number <= head:
            continue
        name = id_of(sheet.rows[number].get(column))
        if CAIQ_ID.fullmatch(name):
            has_begun = True
            yield number
        elif name and has_begun:
            return


def _columns3(sheet: BookSheet) -> tuple[dict[str, int], int]:
    headings = {
        "domain": r"control domain",
        "control": r"control id",
        "id": r"question id",
        "question": r"consensus assessment questions",
        "answers": r"consensus assessment answers",
    }
    found = row_of_headings(sheet, headings, frozenset({"id", "question"}), most_rows=10)
    if found is None:
        raise RejectedWorkbookError("The headings of CAIQ 3 are missing. Send an unchanged copy.")
    head, columns = found
    answers = {"yes": r"yes$", "no": r"no$", "na": r"(not applicable|n/?a)$", "note": r"(notes|comments)"}
    for number in range(head, head + 4):
        for at, cell in sorted(sheet.rows.get(number, {}).items()):
            text = plain(line_of(cell))
            for name, pattern in answers.items():
                if name not in columns and re.match(pattern, text):
                    columns[name] = at
    if not {"yes", "no"} <= columns.keys():
        raise RejectedWorkbookError("The columns Yes and No of CAIQ 3 are missing. Send an unchanged copy.")
    return columns, head
