"""A tenant's own workbook comes back with its answer columns filled, and all else byte for byte."""

import io
import zipfile
from datetime import date

import msgspec
from openpyxl import load_workbook

from tests.questionnaires import foreign_books as make
from vendorrisk.questionnaires.content import Stance
from vendorrisk.questionnaires.foreign.filled_workbook import AnswerToFill, Filled, ToFill, filled_workbook
from vendorrisk.questionnaires.foreign.outcome import ReadForm, Rejected
from vendorrisk.questionnaires.foreign.workbook import read


def fill(content: bytes, *answers: AnswerToFill) -> Filled:
    found = filled_workbook(msgspec.msgpack.encode(ToFill(content, answers)))
    assert isinstance(found, Filled), found
    return found


def changed_parts(before: bytes, after: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(after)) as new:
        assert old.namelist() == new.namelist()
        return [name for name in old.namelist() if old.read(name) != new.read(name)]


def test_a_filled_caiq_is_read_back_with_the_same_answers_and_one_part_differs() -> None:
    content, _ = make.caiq4({"AIS-01.1": ["No", "CSP-owned", "Before"]})
    filled = fill(
        content,
        AnswerToFill(
            question="A&A-01.1",
            stance=Stance.ANSWERED,
            value="yes",
            note='=HYPERLINK("x") & <b>\n_x000B_ ]]>',
            fields={"ownership": "shared_csc", "customer": "Yours"},
        ),
        AnswerToFill(question="AIS-01.1", stance=Stance.NOT_APPLICABLE, note="Not ours"),
        AnswerToFill(question="ZZZ-01.1", stance=Stance.ANSWERED, value="yes"),
    )
    assert filled.unplaced == ("ZZZ-01.1",)
    parts = changed_parts(content, filled.content)
    assert parts == ["xl/worksheets/sheet3.xml"]
    page = load_workbook(io.BytesIO(filled.content))["CAIQv4.0.3"]
    assert [page.cell(3, column).value for column in (3, 4, 6)] == ["Yes", "Shared CSP and CSC", "Yours"]
    assert (page["E3"].data_type, page["C7"].value, page["E7"].value) == ("s", "NA", "Not ours")
    assert page.protection.sheet
    assert len(page.data_validations.dataValidation) == 1
    found = read(filled.content)
    assert isinstance(found, ReadForm)
    answers = {one.question: one for one in found.answers}
    assert answers["A&A-01.1"].fields == {"ownership": "shared_csc", "customer": "Yours"}
    assert answers["A&A-01.1"].value == "yes"
    assert answers["A&A-01.1"].note.startswith('=HYPERLINK("x") & <b>\n')


def test_no_cell_that_is_filled_is_a_formula() -> None:
    content, _ = make.caiq4({})
    filled = fill(content, AnswerToFill(question="IAM-02.2", stance=Stance.ANSWERED, value="no", note="=1+1"))
    with zipfile.ZipFile(io.BytesIO(filled.content)) as archive:
        body = archive.read("xl/worksheets/sheet3.xml")
    assert b"<f>" not in body
    assert b't="inlineStr"><is><t xml:space="preserve">=1+1</t>' in body


def test_a_hecvat_takes_words_of_its_own_list_and_a_date_as_a_date() -> None:
    content = make.hecvat_full({"DATE-01": [date(2020, 1, 1)], "QUAL-07": ["1) Own"]})
    filled = fill(
        content,
        AnswerToFill(question="DATE-01", stance=Stance.ANSWERED, value="2026-06-30"),
        AnswerToFill(question="QUAL-07", stance=Stance.ANSWERED, value="rented", note="In a rack"),
        AnswerToFill(question="COMP-01", stance=Stance.ANSWERED, value="A company", note="covered"),
    )
    page = load_workbook(io.BytesIO(filled.content))["HECVAT - Full | Vendor Response"]
    assert page["C11"].value.date() == date(2026, 6, 30)
    assert (page["C23"].value, page["D23"].value, page["C19"].value) == ("2) Rented", "In a rack", "A company")
    assert filled.unplaced == ("COMP-01 (note)",)
    assert len(changed_parts(content, filled.content)) == 1


def test_a_formula_is_never_overwritten() -> None:
    content, _ = make.caiq4({"A&A-01.1": ["=1+1"]})
    filled = fill(content, AnswerToFill(question="A&A-01.1", stance=Stance.ANSWERED, value="yes"))
    assert filled.unplaced == ("A&A-01.1 (answer)",)
    assert changed_parts(content, filled.content) == []


def test_an_unknown_workbook_is_not_filled() -> None:
    given = ToFill(make.table([["a", "b"]]), ())
    assert isinstance(filled_workbook(msgspec.msgpack.encode(given)), Rejected)
