"""Exports of questionnaire platforms (nine headings, as of a SIG), VSA workbooks, and CISO Assistant libraries."""

import re
from typing import Final

from vendorrisk.questionnaires.content import Option, QuestionKind
from vendorrisk.questionnaires.foreign.cells import line_of, text_of
from vendorrisk.questionnaires.foreign.contents import Asked, options_from
from vendorrisk.questionnaires.foreign.headings import plain, row_of_headings
from vendorrisk.questionnaires.foreign.outcome import RejectedWorkbookError
from vendorrisk.questionnaires.foreign.own_table import Mapping, TableReading
from vendorrisk.questionnaires.foreign.recognise import EXPORT_HEADINGS
from vendorrisk.sheets.books import Book, BookSheet

_VSA_ANSWER: Final = {"answer": r"answers?$"}
_VSA_HEAD_ROWS: Final = 8


def export_mapping(book: Book, name: str) -> Mapping:
    """Return the mapping of an export: the form's own id is the key, the section's heading the section."""
    sheet = next(one for one in book.sheets if one.name == name)
    found = row_of_headings(sheet, EXPORT_HEADINGS, frozenset({"id", "question", "answer"}), most_rows=10)
    if found is None:
        raise RejectedWorkbookError("The headings of the export are missing. Send an unchanged copy.")
    number, columns = found
    return Mapping(
        sheet=name,
        head_row=number,
        key=columns["id"],
        question=columns["question"],
        answer=columns["answer"],
        note=columns.get("note"),
        section=columns.get("section"),
    )


def vsa_readings(book: Book, names: tuple[str, ...]) -> list[tuple[BookSheet, TableReading]]:
    """Return one reading for each area. The question stands in the column before `Answer`, and there are no ids."""
    found: list[tuple[BookSheet, TableReading]] = []
    for sheet in (one for one in book.sheets if one.name in names):
        head = row_of_headings(sheet, _VSA_ANSWER, most_rows=_VSA_HEAD_ROWS)
        if head is None or head[1]["answer"] == 1:
            continue
        number, columns = head
        mapping = Mapping(sheet=sheet.name, head_row=number, question=columns["answer"] - 1, answer=columns["answer"])
        found.append((sheet, TableReading(book, mapping)))
    return found


def library_questions(book: Book) -> list[Asked]:
    """Return the questions of a CISO Assistant library. Sheets are found by the `type` in their `_meta` sheet."""
    metas = {sheet.name.removesuffix("_meta"): _pairs(sheet) for sheet in book.sheets if sheet.name.endswith("_meta")}
    contents = {sheet.name.removesuffix("_content"): sheet for sheet in book.sheets if sheet.name.endswith("_content")}
    answers = {
        name: _answers(contents[name])
        for name, meta in metas.items()
        if meta.get("type") == "answers" and name in contents
    }
    asked: list[Asked] = []
    for name, meta in metas.items():
        if meta.get("type") == "framework" and name in contents:
            wanted = answers.get(meta.get("answers_definition", "")) or next(iter(answers.values()), {})
            asked += _framework(contents[name], wanted)
    if not asked:
        raise RejectedWorkbookError("The library holds no framework with questions, and there is nothing to ask.")
    return asked


def _pairs(sheet: BookSheet) -> dict[str, str]:
    return {line_of(row.get(1)): line_of(row.get(2)) for row in sheet.rows.values() if row.get(1)}


def _table(sheet: BookSheet) -> list[tuple[int, dict[str, str]]]:
    numbers = sorted(sheet.rows)
    if not numbers:
        return []
    heads = {at: plain(line_of(cell)) for at, cell in sheet.rows[numbers[0]].items()}
    return [
        (number, {heads[at]: text_of(cell) for at, cell in sheet.rows[number].items() if at in heads})
        for number in numbers[1:]
    ]


def _answers(sheet: BookSheet) -> dict[str, tuple[QuestionKind, tuple[Option, ...]]]:
    kinds = {"unique_choice": QuestionKind.SINGLE, "multiple_choice": QuestionKind.MULTIPLE, "date": QuestionKind.DATE}
    found = {}
    for _, row in _table(sheet):
        kind = kinds.get(row.get("question_type", ""), QuestionKind.TEXT)
        options, _takes = options_from(row.get("question_choices", "").split("\n"))
        is_choice = kind in {QuestionKind.SINGLE, QuestionKind.MULTIPLE}
        found[row.get("id", "")] = (kind, options) if options or not is_choice else (QuestionKind.TEXT, ())
    return found


def _framework(sheet: BookSheet, answers: dict[str, tuple[QuestionKind, tuple[Option, ...]]]) -> list[Asked]:
    asked: list[Asked] = []
    section = ""
    for number, row in _table(sheet):
        title = row.get("name") or row.get("description", "").partition("\n")[0]
        if not row.get("assessable"):
            section = title or section
            continue
        texts = [text for text in row.get("questions", "").split("\n") if text.strip()]
        kinds = [answers.get(name.strip()) for name in row.get("answer", "").split("\n") if name.strip()]
        name = re.sub(r"\s+", "", row.get("ref_id", "")) or f"row-{number}"
        for at, text in enumerate(texts or [row.get("description") or title]):
            given = kinds[min(at, len(kinds) - 1)] if kinds else None
            kind, options = given or (QuestionKind.TEXT, ())
            asked.append(
                Asked(
                    id=f"{name}.{at + 1}" if len(texts) > 1 else name,
                    text=text.strip(),
                    section=section,
                    sheet=sheet.name,
                    row=number,
                    kind=kind,
                    options=options or None,
                )
            )
    return asked
