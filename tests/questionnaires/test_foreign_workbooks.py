"""Workbooks of other makers are told apart by content, and read to the cell."""

from datetime import date
from random import Random

import msgspec
import pytest

from tests.questionnaires import foreign_books as make
from vendorrisk.questionnaires.content import QuestionKind, Stance, options_of, questions_of
from vendorrisk.questionnaires.content_checks import checked
from vendorrisk.questionnaires.foreign.outcome import Form, ReadForm, Rejected, Unrecognised
from vendorrisk.questionnaires.foreign.own_table import Mapping
from vendorrisk.questionnaires.foreign.workbook import Choice, Request, proposed_mapping, read, read_workbook


def was_read(content: bytes, choice: Choice | None = None) -> ReadForm:
    found = read_workbook(msgspec.msgpack.encode(Request(content, choice or Choice())))
    assert isinstance(found, ReadForm), found
    assert checked(found.content).faults == ()
    return found


def by_id(found: ReadForm) -> dict[str, tuple[object, ...]]:
    return {one.question: (one.stance, one.value, one.note, one.cell) for one in found.answers}


def test_a_caiq_behind_a_cover_sheet_is_read_to_the_cell() -> None:
    content, ids = make.caiq4(
        {
            "A&A-01.1": ["yes ", "Shared CSP and third party", "\ufeffWe do\u00a0it_x000B_so", "Look here"],
            "A&A-01.2": ["\u00a0", " ", "", None],
            "AIS-01.2": ["n/a"],
            "IAM-02.2": ["No"],
        }
    )
    found = was_read(content)
    assert (found.recognised.form, found.recognised.version, found.recognised.sheets) == (
        Form.CAIQ4,
        "4.0.3",
        ("CAIQv4.0.3",),
    )
    assert (found.found, found.answered, found.odd_cells) == (12, 3, ())
    assert by_id(found) == {
        "A&A-01.1": (Stance.ANSWERED, "yes", "We do it\nso", "C3"),
        "AIS-01.2": (Stance.NOT_APPLICABLE, None, "", "C8"),
        "IAM-02.2": (Stance.ANSWERED, "no", "", "C14"),
    }
    assert found.answers[0].fields == {"ownership": "shared_third_party", "customer": "Look here"}
    asked = [question for _, _, question in questions_of(found.content)]
    assert [question.same_as[0] for question in asked] == [f"caiq4:{name}" for name in ids]
    assert asked[3].maps == {"ccm4": ("A&A-02",)}
    assert [section.title["en"] for section in found.content.sections] == ["Domain A&A", "Domain AIS", "Domain IAM"]
    assert found.content.licence == "© 2026 Nobody in Particular"
    assert "12 were found" in found.notices[-1]


def test_free_text_in_a_choice_cell_is_kept_as_a_note_and_told() -> None:
    content, _ = make.caiq4({"A&A-01.1": ["Yes, see E", "Everybody", "Words"]})
    found = was_read(content)
    assert by_id(found) == {"A&A-01.1": (None, None, "Yes, see E\n\nWords", "C3")}
    assert [(odd.cell, odd.found) for odd in found.odd_cells] == [("D3", "Everybody"), ("C3", "Yes, see E")]
    assert found.answered == 0


def test_a_renamed_sheet_and_an_unknown_version_are_read_by_headings_and_told() -> None:
    content, _ = make.caiq4({"AIS-01.1": ["No"]}, version="4.7.1", sheet="Answers of ours", cover=False)
    found = was_read(content)
    assert (found.recognised.version, found.recognised.is_known, found.answered) == ("4.7.1", False, 1)
    assert "4.7.1 is not in the list" in found.notices[-1]


def test_an_id_twice_with_answers_that_differ_names_both_cells() -> None:
    from io import BytesIO

    from openpyxl import load_workbook

    content, _ = make.caiq4({"A&A-01.1": ["Yes"], "A&A-01.2": ["No"]})
    book = load_workbook(BytesIO(content))
    book["CAIQv4.0.3"]["A4"] = "A&A-01.1"
    found = was_read(make.saved(book))
    assert (found.found, by_id(found)["A&A-01.1"][1]) == (11, "yes")
    assert [(odd.cell, odd.found) for odd in found.odd_cells] == [("C4", "No")]
    assert "CAIQv4.0.3!C3: Yes" in found.odd_cells[0].expected


def test_two_sheets_that_fit_are_asked_about() -> None:
    from io import BytesIO

    from openpyxl import load_workbook

    content, _ = make.caiq4({"A&A-01.1": ["Yes"]})
    book = load_workbook(BytesIO(content))
    book.copy_worksheet(book["CAIQv4.0.3"]).title = "Again"
    content = make.saved(book)
    found = read(content)
    assert isinstance(found, Rejected)
    assert found.choices == ("CAIQv4.0.3", "Again")
    assert was_read(content, Choice(sheet="Again")).recognised.sheets == ("Again",)


def test_a_caiq_3_has_a_column_for_each_answer() -> None:
    found = was_read(
        make.caiq3(
            {
                "AIS-01.1": {"F": "x", "I": "Words"},
                "AIS- 02.2": {"G": "X"},
                "AIS-01.2": {"H": "x"},
                "BCR-01.1": {"F": "x", "H": "x"},
            }
        )
    )
    assert (found.recognised.version, found.found, found.answered) == ("3.0.1", 4, 3)
    assert by_id(found)["AIS-01.1"] == (Stance.ANSWERED, "yes", "Words", "F5")
    assert by_id(found)["AIS-02.2"] == (Stance.ANSWERED, "no", "", "G7")
    assert by_id(found)["AIS-01.2"] == (Stance.NOT_APPLICABLE, None, "", "H6")
    assert [odd.cell for odd in found.odd_cells] == ["F8"]


def test_a_caiq_1_is_refused_with_a_reason() -> None:
    found = read(make.table([["csa-cai v1.1"], ["DID", "Domain", "Control Group", "CGID", "CID"]], "csa-cai v1.1"))
    assert isinstance(found, Rejected)
    assert "no column of answers" in found.detail


@pytest.mark.parametrize("lists", [True, False])
def test_a_hecvat_takes_weights_and_compliant_answers_from_its_hidden_sheet(*, lists: bool) -> None:
    found = was_read(
        make.hecvat_full(
            {
                "DATE-01": [date(2024, 7, 1)],
                "GNRL-01": ["Acme"],
                "QUAL-01": ["Yes"] if lists else [None],
                "COMP-01": ["A company"],
                "COMP-02": ["No", "Never"],
                "DOCU-01": ["Please reach out"],
                "HIPA-01": ["yes"],
            },
            lists=lists,
        )
    )
    assert (found.recognised.form, found.recognised.edition, found.recognised.version) == (
        Form.HECVAT3,
        "full",
        "3.06",
    )
    answers = by_id(found)
    assert answers["DATE-01"] == (Stance.ANSWERED, "2024-07-01", "", "C11")
    assert answers["COMP-01"] == (Stance.ANSWERED, "A company", "", "C19")
    assert answers["COMP-02"] == (Stance.ANSWERED, "no", "Never", "C20")
    assert [(odd.cell, odd.found) for odd in found.odd_cells] == [("C22", "Please reach out")]
    asked = {question.key: question for _, _, question in questions_of(found.content)}
    assert len(asked) == found.found == 12
    assert [(option.key, option.credit) for option in options_of(found.content, asked["comp-02"])] == [
        ("yes", 0),
        ("no", 1000),
    ]
    assert (asked["comp-01"].kind, asked["comp-01"].weight, asked["docu-01"].weight) == (QuestionKind.TEXT, 15, 25)
    assert not any(question.critical for question in asked.values())


def test_a_qualifier_hides_its_section_and_blank_is_then_not_asked() -> None:
    found = was_read(make.hecvat_full({"QUAL-01": ["No"], "QUAL-05": ["Yes"]}))
    asked = {question.key: question for _, _, question in questions_of(found.content)}
    assert (asked["hipa-01"].when, asked["pcid-01"].when) == ("qual-01 = yes", "qual-05 = yes")
    assert asked["qual-01"].gate
    assert found.not_asked == 2
    hosting = asked["qual-07"]
    assert (hosting.kind, [option.key for option in options_of(found.content, hosting)]) == (
        QuestionKind.SINGLE,
        ["own", "rented"],
    )


@pytest.mark.parametrize(
    ("cell", "day"), [(45432, "2024-05-20"), ("July 1, 2024", "2024-07-01"), ("9/27/2023", "2023-09-27")]
)
def test_a_date_is_read_however_it_is_written(cell: object, day: str) -> None:
    assert by_id(was_read(make.hecvat_full({"DATE-01": [cell]})))["DATE-01"][1] == day


@pytest.mark.parametrize("cell", ["5/6/2024", "soon"])
def test_a_date_that_is_not_sure_is_told(cell: str) -> None:
    found = was_read(make.hecvat_full({"DATE-01": [cell]}))
    assert (found.answered, found.odd_cells[0].cell, found.answers[0].note) == (0, "C11", cell)


def test_a_hecvat_4_is_read_over_its_sheets_and_repeated_cells_are_left() -> None:
    found = was_read(
        make.hecvat4({"GNRL-01": ["Acme"], "REQU-05": ["No"], "DOCU-02": ["No", "None so far"], "AAAI-01": ["N/A"]})
    )
    assert (found.recognised.form, found.recognised.version, found.found) == (Form.HECVAT4, "4.1.4", 10)
    asked = {question.key: question for _, _, question in questions_of(found.content)}
    assert [(option.key, option.credit) for option in options_of(found.content, asked["docu-02"])] == [
        ("yes", 0),
        ("no", 1000),
    ]
    assert by_id(found)["DOCU-02"][:3] == (Stance.ANSWERED, "no", "None so far")
    assert by_id(found)["GNRL-01"][1] == "Acme"
    assert "docu-99" not in asked


def test_an_export_of_a_platform_keeps_skipped_and_missing_documents_apart() -> None:
    heads = ["Section Heading", "Control Heading", "Control Text", "Control Comment", "Question Identifier"]
    heads += ["Question Original Identifier", "Question Text", "Question Answer", "Question Comment"]
    rows = [
        ["A. Risk", "Plans", None, None, "1.1.1", "A.1", "Is there a plan?", "Yes", "Since 2020"],
        ["A. Risk", "Plans", None, None, "1.1.2", "A.2", "Is it tested?", "Not Applicable", None],
        ["B. Staff", "People", None, None, "1.2.1", "B.1", "Are they trained?", "Skipped", None],
        ["B. Staff", "People", None, None, "1.2.2", "B.2", "Send the plan", "Document not uploaded yet", None],
        ["B. Staff", "People", None, None, "1.2.3", "B.3", "Anything else?", "It depends", "on us"],
    ]
    found = was_read(make.table([heads, *rows], "Anything"))
    assert (found.recognised.form, found.found, found.answered, found.not_asked) == (Form.PLATFORM_EXPORT, 5, 2, 1)
    assert by_id(found)["A.1"] == (Stance.ANSWERED, "yes", "Since 2020", "H2")
    assert [odd.cell for odd in found.odd_cells] == ["H6"]
    assert "1 questions want a document" in found.notices[0]


def test_an_unknown_workbook_says_what_was_looked_for_and_is_read_by_a_mapping() -> None:
    content = make.table([[None], [None, "Ref", "Question", "Response", "Comments"], [None, "S1", "Is it?", "No", "x"]])
    found = read(content)
    assert isinstance(found, Unrecognised)
    assert len(found.looked_for) == 8
    assert (found.sheets[0].row, found.sheets[0].cells) == (2, ("Ref", "Question", "Response", "Comments"))
    mapping = proposed_mapping(content)
    assert mapping == Mapping(sheet="Sheet", head_row=2, key=2, question=3, answer=4, note=5)
    assert by_id(was_read(content, Choice(mapping=mapping))) == {"S1": (Stance.ANSWERED, "no", "x", "D3")}


def test_a_library_is_read_by_type_and_has_no_answers() -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "library_meta"
    for row in (["type", "library"], ["version", 3]):
        book.active.append(row)
    sheets: dict[str, list[list[str | int | None]]] = {
        "fwk_meta": [["type", "framework"], ["answers_definition", "ans"]],
        "fwk_content": [
            ["assessable", "depth", "ref_id", "name", "questions", "answer"],
            [None, 1, "A", "Area", None, None],
            ["x", 2, "A.1", "First", "Is it so?\nSince when?", "yn\nday"],
        ],
        "ans_meta": [["type", "answers"]],
        "ans_content": [
            ["id", "question_type", "question_choices"],
            ["yn", "unique_choice", "Yes\nNo"],
            ["day", "date", None],
        ],
    }
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for one in rows:
            page.append(one)
    found = was_read(make.saved(book))
    asked = [question for _, _, question in questions_of(found.content)]
    assert [(question.key, question.kind) for question in asked] == [
        ("a.1.1", QuestionKind.SINGLE),
        ("a.1.2", QuestionKind.DATE),
    ]
    assert found.answers == ()


def test_bytes_that_are_no_workbook_are_refused_with_advice() -> None:
    for content in (b"", b"a,b\n1,2\n", b"PK\x03\x04 and no more", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old"):
        found = read(content)
        assert isinstance(found, Rejected)
        assert found.detail.endswith(".")


def test_a_damaged_workbook_is_refused_or_read_and_never_fails() -> None:
    content, _ = make.caiq4({"A&A-01.1": ["Yes", "CSP-owned", "Words"]})
    chance = Random(7)
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        found = read(bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])]))
        assert isinstance(found, ReadForm | Rejected | Unrecognised)


def test_a_damaged_sheet_is_refused_or_read_and_never_fails() -> None:
    content, _ = make.caiq4({"A&A-01.1": ["Yes", "CSP-owned", "Words"]})
    chance = Random(7)
    outcomes = set()
    for _ in range(60):
        name = chance.choice(["xl/worksheets/sheet3.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"])
        found = read(make.with_bytes_changed(content, name, chance))
        outcomes.add(type(found))
    assert outcomes >= {ReadForm, Rejected}


def test_a_whole_caiq_of_the_published_size_raises_no_doubt() -> None:
    content = make.caiq4_of(261)
    found = was_read(content)
    assert (found.found, found.answered, found.recognised.expected, found.notices) == (261, 261, 261, ())


def test_days_count_from_1904_where_the_workbook_says_so() -> None:
    content = make.hecvat_full({"DATE-01": [date(2024, 7, 1)]}, from_1904=True)
    assert by_id(was_read(content))["DATE-01"][1] == "2024-07-01"
    bare = make.hecvat_full({"DATE-01": [44012]}, from_1904=True)
    assert by_id(was_read(bare))["DATE-01"][1] == "2024-07-01"
