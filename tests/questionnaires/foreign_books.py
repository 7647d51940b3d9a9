"""Builders: workbooks in the layouts of other makers, to the row and column, with invented texts."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.datavalidation import DataValidation

DOMAINS = ("A&A", "AIS", "IAM")


def saved(book: Any) -> bytes:
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def caiq4(
    answers: Mapping[str, Sequence[Any]], *, version: str = "4.0.3", sheet: str | None = None, cover: bool = True
) -> tuple[bytes, list[str]]:
    """Return a CAIQ 4 with 3 domains of 2 controls of 2 questions, and its ids. Answers fill columns C to F."""
    book = Workbook()
    if cover:
        book.active.title = "About us"
        book.active.append(["Our company", "answers"])
        book.create_sheet("Introduction").append([f"v{version}", "CONSENSUS ASSESSMENTS INITIATIVE QUESTIONNAIRE"])
        page = book.create_sheet(sheet or f"CAIQv{version}")
    else:
        page = book.active
        page.title = sheet or f"CAIQv{version}"
    page["A1"], page["B1"] = f"v{version}", f"CONSENSUS ASSESSMENTS INITIATIVE QUESTIONNAIRE v{version}"
    page.append(
        [
            *("Question ID", "Question", "CSP CAIQ Answer", "SSRM Control Ownership"),
            *("CSP Implementation Description (Optional/Recommended)", "CSC Responsibilities  (Optional/Recommended)"),
            *(None, None, "CCM Control ID", "CCM Control Specification", "CCM Control Title", "CCM Domain Title"),
        ]
    )
    ids = [f"{domain}-0{control}.{number}" for domain in DOMAINS for control in (1, 2) for number in (1, 2)]
    for row, name in enumerate(ids, start=3):
        page.cell(row, 1, name)
        page.cell(row, 2, f"Is {name}\nin place?")
        for column, value in enumerate(answers.get(name, ()), start=3):
            page.cell(row, column, value)
        if name.endswith(".1"):
            page.cell(row, 9, name[:-2])
            page.merge_cells(start_row=row, end_row=row + 1, start_column=9, end_column=9)
        if name.endswith("01.1"):
            page.cell(row, 12, f"Domain {name[:3]}")
            page.merge_cells(start_row=row, end_row=row + 3, start_column=12, end_column=12)
    page.cell(row + 1, 1, "End of Standard")
    page.cell(row + 2, 1, "© 2026 Nobody in Particular")
    choices = DataValidation(type="list", formula1='"Yes,No,NA"')
    choices.add(f"C3:C{row}")
    page.add_data_validation(choices)
    page.protection.sheet = True
    return saved(book), ids


def caiq3(marks: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return a CAIQ 3.0.1 with four questions. Marks fill columns F to I."""
    book = Workbook()
    page = book.active
    page.title = "CSA CAIQ v3.0.1"
    page["C1"] = "CONSENSUS ASSESSMENTS INITIATIVE QUESTIONNAIRE v3.0.1"
    heads = ("Control Domain", "Control ID", "Question ID", "Control Specification")
    for column, text in enumerate((*heads, "Consensus Assessment Questions", "Consensus Assessment Answers"), start=1):
        page.cell(2, column, text)
    page["I2"], page["F4"], page["G4"], page["H4"] = "Notes", "Yes", "No", "Not Applicable"
    for row, name in enumerate(("AIS-01.1", "AIS-01.2", "AIS- 02.2", "BCR-01.1"), start=5):
        page.cell(row, 3, name)
        page.cell(row, 5, f"Does {name} hold?")
        if name in {"AIS-01.1", "BCR-01.1"}:
            page.cell(row, 1, f"Domain {name[:3]}\nTitle")
            page.cell(row, 2, name[:6])
        for letter, value in marks.get(name, {}).items():
            page[f"{letter}{row}"] = value
    return saved(book)


def _values_sheet(values: Any) -> None:
    values.sheet_state = "hidden"
    values["A4"], values["A5"] = "Yes", "No"
    for at, label in enumerate(("1) Own", "2) Rented", "3) N/A"), start=10):
        values[f"A{at}"] = label


HECVAT_FULL: list[tuple[str, list[tuple[str, str, str, int]]]] = [
    ("Date", [("DATE-01", "Date of completion", "", 0)]),
    ("General", [("GNRL-01", "Name of the vendor", "", 0), ("GNRL-02", "Name of the product", "", 0)]),
    (
        "Qualifiers",
        [("QUAL-01", "Is data under HIPAA handled?", "", 0), ("QUAL-05", "Any credit card data?", "", 0)],
    ),
    ("Company", [("COMP-01", "Describe the company", "", 15), ("COMP-02", "Any breach in five years?", "No", 20)]),
    ("Documentation", [("DOCU-01", "Is there a report?", "Yes", 25), ("QUAL-07", "Where is it hosted?", "", 0)]),
    ("Health data", [("HIPA-01", "Are staff trained?", "Yes", 10), ("HIPA-02", "Is access logged?", "Yes", 10)]),
    ("Cards", [("PCID-01", "Is there an attestation?", "Yes", 40)]),
]


def hecvat_full(
    answers: Mapping[str, Sequence[Any]], *, version: str = "3.06", lists: bool = True, from_1904: bool = False
) -> bytes:
    """Return a HECVAT Full 3.06, its title in row 2, with a hidden sheet of weights. Answers fill columns C and D."""
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904 if from_1904 else book.epoch
    book.active.title = "Cover of ours"
    book.active["B7"] = "Nothing to see"
    page = book.create_sheet("HECVAT - Full | Vendor Response")
    page["A1"], page["A2"], page["E2"] = "Use the tab key", "HECVAT - Full", f"Version {version}"
    _values_sheet(book.create_sheet("Values"))
    hidden = book.create_sheet("Questions")
    hidden.sheet_state = "hidden"
    heads = ["Order", "ID", "Question", "C_Answer", "Default Weight"]
    for column, text in enumerate(heads, start=1):
        hidden.cell(2, column, text)
    row, order = 10, 0
    choices = DataValidation(type="list", formula1="Values!$A$4:$A$5")
    hosting = DataValidation(type="list", formula1="Values!$A$10:$A$12")
    for title, questions in HECVAT_FULL:
        for column, heading in enumerate(
            (title, None, "Vendor Answers", "Additional Information", "Guidance"), start=1
        ):
            page.cell(row, column, heading)
        page.merge_cells(start_row=row, end_row=row, start_column=1, end_column=2)
        row += 1
        for name, text, good, weight in questions:
            page.cell(row, 1, name)
            page.cell(row, 2, text)
            page.cell(row, 5, "Guidance that is no answer")
            for column, value in enumerate(answers.get(name, ()), start=3):
                page.cell(row, column, value)
            if name.startswith(("GNRL", "DATE")):
                page.merge_cells(start_row=row, end_row=row, start_column=3, end_column=5)
            elif name == "COMP-01":
                page.merge_cells(start_row=row, end_row=row, start_column=3, end_column=4)
            else:
                (hosting if name == "QUAL-07" else choices).add(f"C{row}")
            order += 1
            hidden.append([order, name, text, good or None, weight])
            row += 1
    page.cell(row + 1, 1, "Copyright © 2026 Nobody in Particular")
    if lists:
        page.add_data_validation(choices)
        page.add_data_validation(hosting)
    return saved(book)


HECVAT4_SHEETS = {
    "START HERE": (("General", ("GNRL-01", "GNRL-02")), ("Required", ("REQU-01", "REQU-02", "REQU-05"))),
    "Organization": (("Documentation", ("DOCU-01", "DOCU-02")),),
    "Product": (("Authentication", ("AAAI-01",)),),
    "Case-Specific": (("HIPAA", ("HIPA-01", "HIPA-02")),),
}


def hecvat4(answers: Mapping[str, Sequence[Any]]) -> bytes:
    """Return a HECVAT 4.1.4 whose lists are dropped, as by some programs, and whose GNRL repeats on each sheet."""
    book = Workbook()
    book.active.title = "Our cover"
    hidden = book.create_sheet("Questions")
    hidden.sheet_state = "hidden"
    heads = {1: "New ID", 2: "Question", 21: "Compliant Response", 23: "Default Importance", 24: "Default Weight"}
    for column, text in heads.items():
        hidden.cell(2, column, text)
    at = 3
    for name, sections in HECVAT4_SHEETS.items():
        page = book.create_sheet(name)
        page["A1"], page["A2"], page["F2"] = "Use the tab key", "HECVAT", "Version 4.1.4"
        page["A3"] = "Date Completed"
        row = 12
        for title, ids in (*(() if name == "START HERE" else (("General", ("GNRL-01",)),)), *sections):
            for column, heading in enumerate(
                (f" {title}", None, "Answer", "Additional Information", "Guidance"), start=1
            ):
                page.cell(row, column, heading)
            row += 1
            for one in ids:
                page.cell(row, 1, one)
                page.cell(row, 2, f"Is {one} so? *")
                if name != "START HERE" and one.startswith("GNRL"):
                    page.cell(row, 3, "repeated")
                for column, value in enumerate(answers.get(one, ()), start=3):
                    page.cell(row, column, value)
                if name == "START HERE" or not one.startswith("GNRL"):
                    hidden.cell(at, 1, one)
                    is_scored = not one.startswith(("GNRL", "REQU"))
                    hidden.cell(at, 21, ("No" if one == "DOCU-02" else "Yes") if is_scored else "Not scored")
                    hidden.cell(at, 24, 20 if is_scored else None)
                    at += 1
                row += 1
        page.cell(row, 1, "© 2025 Nobody in Particular")
        page.cell(row + 1, 1, "DOCU-99")
    return saved(book)


def table(rows: Sequence[Sequence[Any]], title: str = "Sheet") -> bytes:
    """Return a workbook with one sheet."""
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    return saved(book)


def with_bytes_changed(content: bytes, name: str, chance: Random) -> bytes:
    """Return the workbook with a few bytes of one part changed, packed as an honest program would."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(kept, "w") as out:
        for part in archive.namelist():
            body = bytearray(archive.read(part))
            for _ in range(chance.randrange(1, 4) if part == name else 0):
                body[chance.randrange(len(body))] = chance.choice(b"<>/=0129AZ&;\x00 ")
            out.writestr(part, bytes(body))
    return kept.getvalue()


def caiq4_of(questions: int) -> bytes:
    """Return a CAIQ 4.0.3 with that many questions, all answered."""
    book = Workbook()
    page = book.active
    page.title = "CAIQv4.0.3"
    page.append(["v4.0.3", "CONSENSUS ASSESSMENTS INITIATIVE QUESTIONNAIRE"])
    page.append(["Question ID", "Question", "CSP CAIQ Answer"])
    for number in range(questions):
        page.append(
            [f"IAM-{number // 9 + 1:02}.{number % 9 + 1}", f"Question {number}?", ("Yes", "No", "NA")[number % 3]]
        )
    return saved(book)
