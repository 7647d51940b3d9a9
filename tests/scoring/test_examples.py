"""The worked examples of method `q1`, each with its exact numbers."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.scoring.make import ON, answer, content, mark, option, question, scored
from tests.scoring.oracle import Item
from tests.scoring.oracle import score as slowly
from vendorrisk.questionnaires.content import (
    Band,
    Column,
    ColumnKind,
    QuestionKind,
    Score,
    ScoreRule,
    Stance,
    content_of,
)
from vendorrisk.questionnaires.visibility import Compiled
from vendorrisk.scoring import q1
from vendorrisk.scoring.answers import AnswerFile, EvidenceLevel, NotApplicableVerdict, Verdict
from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.q1_credits import credit_of
from vendorrisk.scoring.score_model import Grade, Result

A = partial(Item, stance="answered")
NA = partial(Item, stance="not_applicable")
YES, PARTIAL, PLANNED, NO = 1000, 500, 250, 0
BASE = [A(5, YES), A(3, PARTIAL), A(2, NO, critical=True)]
SPLIT = [
    A(5, YES, section="access", criteria=("CC6.1",)),
    A(3, PARTIAL, section="access", criteria=("CC6.2", "CC6.3")),
    A(2, NO, section="ops", criteria=("CC7.2", "CC6.1")),
]

EXAMPLES: dict[str, tuple[list[Item], dict[str, Any]]] = {
    "1": (BASE, {
        "before": "65", "score": "59", "score_tenths": 590, "grade": "F", "losses": [0, 150, 200], "cap_tenths": 60,
        "confidence": "1/2",
    }),
    "2": ([*BASE[:2], NA(2, critical=True, not_applicable="accepted")], {
        "score": "325/4", "score_tenths": 812, "grade": "B", "losses": [0, 188, None], "set_aside_weight": 2,
    }),
    "3": ([*BASE[:2], NA(2, critical=True)], {
        "before": "65", "score": "59", "grade": "F", "high": "85", "completeness": "4/5",
    }),
    "4": ([A(4, YES), Item(3), Item(2), Item(1)], {
        "score": "40", "grade": "NR", "high": "100", "completeness": "2/5",
    }),
    "5": ([A(5, YES, wants_evidence=True), A(5, YES, wants_evidence=True, evidence="verified")], {
        "score": "90", "grade": "A", "losses": [100, 0], "confidence": "3/4",
    }),
    "6": ([A(2249, YES), A(251, NO)], {"score": "2249/25", "score_tenths": 899, "grade": "B"}),
    "7": ([A(0, YES), A(0, NO)], {
        "score": None, "score_tenths": None, "grade": "NR", "high": None, "completeness": None, "confidence": None,
        "losses": [0, 0], "cap_tenths": 0,
    }),
    "8": ([A(1, YES), A(4, PARTIAL), Item(3, shown=False), A(3, NO, shown=False)], {
        "score": "60", "grade": "D", "hidden_weight": 6,
    }),
    "9": ([A(10, YES), A(0, NO, critical=True)], {
        "before": "100", "score": "59", "grade": "F", "cap_tenths": 410, "losses": [0, 0],
    }),
    "10": ([
        A(4, YES, verdict="insufficient"), A(3, YES, verdict="needs_evidence"),
        A(2, NO, override=600, verdict="accepted"),
        A(1, YES, verdict="accepted", evidence="given", wants_evidence=True),
    ], {"score": "46", "grade": "F", "losses": [400, 60, 80, 0], "confidence": "53/100"}),
    "14": ([A(6, YES), A(4)], {"score": "60", "grade": "D", "high": "100"}),
    "14, marked": ([A(6, YES), A(4, override=700, verdict="accepted")], {"score": "88", "grade": "B"}),
    "15": ([A(1, NO), A(1, NO), A(1, NO)], {"score": "0", "grade": "F", "losses": [334, 333, 333]}),
    "16": (SPLIT, {
        "score": "65", "grade": "D", "sections": {"access": "325/4", "ops": "0"},
        "criteria": {"CC6.1": "500/7", "CC6.2": "50", "CC6.3": "50", "CC7.2": "0"},
    }),
    "17": ([A(799, YES), Item(201)], {"score": "799/10", "score_tenths": 799, "grade": "NR"}),
    "17, a step more": ([A(800, YES), Item(200)], {"score": "80", "grade": "B"}),
    "18": ([A(6, YES), A(2, NO, critical=True), Item(2, critical=True)], {
        "before": "60", "score": "59", "grade": "F", "high": "59",
    }),
    "19": ([A(8, YES), Item(2, critical=True)], {"before": "80", "score": "59", "grade": "F", "high": "100"}),
    "20": ([A(4, PLANNED), NA(4, not_applicable="refused"), A(2, YES, evidence="given")], {
        "score": "30", "grade": "NR", "high": "70", "completeness": "3/5", "confidence": "9/25",
    }),
    "21": ([A(8, YES), A(2, NO, critical=True, override=1, verdict="accepted")], {
        "score": "4001/50", "score_tenths": 800, "grade": "B", "cap_tenths": 0,
    }),
}  # fmt: skip


def found(result: Result, name: str) -> Any:
    if name == "losses":
        tenths = {loss.place: loss.tenths for loss in result.losses}
        return [None if counted is None else tenths.get(place, 0) for place, counted in enumerate(result.counted, 1)]
    if name in {"sections", "criteria"}:
        return {part.key: part.exact for part in getattr(result, name)}
    return getattr(result, name)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_worked_example_comes_out_exactly(name: str) -> None:
    items, expected = EXAMPLES[name]
    result = scored(items)
    assert {field: found(result, field) for field in expected} == expected
    assert slowly(items).score == result.exact()


def test_a_criterion_without_questions_has_no_score() -> None:
    assert "CC8.1" not in found(scored(SPLIT), "criteria")
    nothing = [replace(SPLIT[0], weight=0), *SPLIT[1:]]
    assert found(scored(nothing), "criteria")["CC6.1"] == "0"
    assert found(scored([replace(item, weight=0) for item in SPLIT]), "criteria")["CC6.1"] is None


CHOICES = (option("sms", 300), option("totp", 800), option("key", 1000), option("none"))
BANDS = (Band(up_to=7, credit=1000), Band(up_to=30, credit=750), Band(up_to=90, credit=250), Band(credit=0))


@pytest.mark.parametrize(("rule", "chosen", "credit"), [
    ("share", ["sms", "totp"], 523), ("best", ["sms", "totp"], 800), ("worst", ["sms", "totp"], 300),
    ("share", ["none"], 0), ("best", ["none"], 0), ("worst", ["none"], 0), ("share", ["sms", "totp", "key"], 1000),
    ("share", [], 0), ("best", [], 0), ("worst", [], 0),
])  # fmt: skip
def test_example_11_several_choices_earn_a_share_the_best_or_the_worst(
    rule: str, chosen: list[str], credit: int
) -> None:
    asked = question("mfa", QuestionKind.MULTIPLE, options=CHOICES, score=Score(rule=ScoreRule(rule), none_of="none"))
    assert credit_of(content(asked), asked)(chosen, ON) == credit


def test_example_11_three_of_four_equal_choices_earn_three_quarters() -> None:
    equal = tuple(option(key, 1000) for key in "abcd")
    asked = question("terms", QuestionKind.MULTIPLE, options=equal, score=Score(rule=ScoreRule.SHARE))
    assert credit_of(content(asked), asked)(["a", "b", "c"], ON) == 750


@pytest.mark.parametrize(("days", "credit"), [
    (0, 1000), (7, 1000), (7.5, 750), (14, 750), (30, 750), (31, 250), (90, 250), (91, 0),
])  # fmt: skip
def test_example_12_the_edge_of_a_band_belongs_to_it(days: float, credit: int) -> None:
    asked = question("patching", QuestionKind.NUMBER, score=Score(rule=ScoreRule.BANDS, bands=BANDS))
    assert credit_of(content(asked), asked)(days, ON) == credit


def test_a_date_ages_until_the_day_of_the_submission() -> None:
    asked = question("test", QuestionKind.DATE, score=Score(rule=ScoreRule.AGE_IN_DAYS, bands=BANDS))
    earned = credit_of(content(asked), asked)
    days = {"2026-11-23": 1000, "2026-11-16": 1000, "2026-11-15": 750, "2026-08-25": 250, "2026-08-24": 0}
    assert {day: earned(day, ON) for day in days} == days
    assert earned("2026-08-24", ON.replace(day=22)) == 250
    assert earned("2027-01-01", ON) == 1000


def test_example_13_a_table_a_share_and_days_in_one_score() -> None:
    proof = Column(
        key="proof", label={"en": "Proof"}, kind=ColumnKind.SINGLE, options=(option("good", 1000), option("none"))
    )
    equal = tuple(option(key, 1000) for key in "abcd")
    asked = (
        question(
            "list", QuestionKind.TABLE, weight=3, columns=(proof,), score=Score(rule=ScoreRule.ROWS, column="proof")
        ),
        question("terms", QuestionKind.MULTIPLE, weight=2, options=equal, score=Score(rule=ScoreRule.SHARE)),
        question("patching", QuestionKind.NUMBER, weight=5, score=Score(rule=ScoreRule.BANDS, bands=BANDS)),
    )
    compiled = Compiled.of(content(*asked))
    rows = [{"proof": "good"}, {"proof": "good"}, {"proof": "none"}]
    answers = [answer(1, rows), answer(2, ["a", "b", "c"]), answer(3, 14)]
    result = q1.score(compiled, answers, [], ScoringPolicy(), {}, ON)
    assert (result.score, result.score_tenths, result.grade) == ("1812/25", 724, Grade.C)
    assert [loss.tenths for loss in result.losses] == [101, 50, 125]
    assert [counted and counted // 1000 for counted in result.counted] == [666, 750, 750]


@pytest.mark.parametrize(("rows", "credit"), [
    ([], 0), ([{"proof": "good"}], 1000), ([{}], 0), ([{"proof": "good"}, {}], 500),
])  # fmt: skip
def test_a_row_without_the_scored_cell_earns_nothing(rows: list[dict[str, str]], credit: int) -> None:
    proof = Column(key="proof", label={"en": "Proof"}, kind=ColumnKind.SINGLE, options=(option("good", 1000),))
    asked = question("list", QuestionKind.TABLE, columns=(proof,), score=Score(rule=ScoreRule.ROWS, column="proof"))
    assert credit_of(content(asked), asked)(rows, ON) == credit


def test_a_table_can_be_scored_by_its_number_of_rows() -> None:
    bands = (Band(up_to=0, credit=0), Band(up_to=2, credit=400), Band(credit=1000))
    asked = question("list", QuestionKind.TABLE, score=Score(rule=ScoreRule.COUNT, bands=bands))
    earned = credit_of(content(asked), asked)
    assert [earned([{}] * rows, ON) for rows in (0, 1, 2, 3)] == [0, 400, 400, 1000]


def baseline() -> tuple[Compiled, dict[str, Any]]:
    folder = Path(q1.__file__).parents[1] / "questionnaires" / "built_in"
    compiled = Compiled.of(content_of((folder / "baseline.json").read_bytes()))
    case = Path(__file__).parent / "cases" / "baseline_example.json"
    return compiled, msgspec.json.decode(case.read_bytes())


def baseline_result() -> Result:
    compiled, case = baseline()
    places = compiled.places
    answers = [
        answer(
            places[key],
            None if value == {"not_applicable": True} else value,
            stance=Stance.NOT_APPLICABLE if value == {"not_applicable": True} else Stance.ANSWERED,
            files=(AnswerFile("ab" * 32, "policy.pdf"),) if key in case["files"] else (),
        )
        for key, value in case["answers"].items()
    ]
    said: dict[str, dict[str, Any]] = {key: {"evidence": EvidenceLevel.VERIFIED} for key in case["verified"]}
    for key, told in case["marks"].items():
        said[key] = {"verdict": Verdict(told.get("verdict", "pending")), "credit_override": told.get("override")}
        said[key]["not_applicable"] = NotApplicableVerdict(told["na"]) if "na" in told else None
    marks = [mark(places[key], **fields) for key, fields in said.items()]
    return q1.score(compiled, answers, marks, ScoringPolicy(), case["facts"], ON)


def test_example_22_one_vendor_answers_the_baseline() -> None:
    _, case = baseline()
    expected, result = case["expected"], baseline_result()
    assert result.score == expected["score"] == "129259/1530"
    assert result.score_tenths == round(10 * expected["shown"]) == 844
    assert result.grade == expected["grade"]
    assert result.high is not None
    assert Fraction(result.high) == Fraction(expected["high"])
    assert (result.completeness, result.confidence) == (expected["completeness"], expected["confidence"])
    assert [cap.key for cap in result.caps] == expected["caps"]
    assert (result.asked, result.applicable, result.answered, result.hidden_weight) == (
        *(76, expected["applicable"], expected["answered"], expected["hidden_weight"]),
    )


def test_example_22_has_the_expected_sections_criteria_and_losses() -> None:
    _, case = baseline()
    expected, result = case["expected"], baseline_result()
    assert {part.key: part.exact for part in result.sections} == expected["sections"]
    criteria = {part.key: part.exact for part in result.criteria}
    assert {key: criteria[key] for key in expected["criteria"]} == expected["criteria"]
    assert {loss.key: loss.tenths / 10 for loss in result.losses} == expected["losses_tenths"]
    assert sum(loss.tenths for loss in result.losses) == 156


def test_example_22_names_the_gates_of_the_hidden_weight() -> None:
    result = baseline_result()
    assert {gate.key: gate.weight for gate in result.gates} == {"scope.calculates": 12, "scope.ai": 5}
    assert [override.key for override in result.overrides] == ["data.keys"]
    assert (result.overrides[0].earned, result.overrides[0].credit) == (500, 700)
    assert result.flags == ()
