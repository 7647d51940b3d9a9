"""The sums of a HECVAT Lite: its own sheet adds points by area, and `q1` must come to the same.

The sheet gives each question a weight and a compliant answer. An area's score is the points of its compliant answers
out of all points of its questions. Free text earns nothing in `q1` before somebody reads it. The sheet is invented: it
has the twelve areas of a Lite 3.04, and one real vendor's total of 1555 out of 1755 points.
"""

from fractions import Fraction

import pytest

from tests.scoring.make import ON, answer, option, question
from vendorrisk.questionnaires.content import Content, NotApplicable, Question, QuestionKind, Section, Stance
from vendorrisk.questionnaires.visibility import Compiled
from vendorrisk.scoring import q1
from vendorrisk.scoring.answers import Mark, NotApplicableVerdict
from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.score_model import Result

NO_IS_COMPLIANT = {"COMP-03", "HLDC-02", "HLTP-01"}
TEXTS = {"COMP-01", "COMP-07"}
"""Questions of free text. They have no weight in the sheet."""

# Area → the weight of each question, and the numbers of those whose answer is not the compliant one.
AREAS: dict[str, tuple[list[int], set[int]]] = {
    "COMP": ([0, 15, 20, 15, 20, 15, 0], set()),
    "DOCU": ([20, 40, 25, 15, 20, 25, 15, 20], {2}),
    "ITAC": ([20, 25, 15, 20, 25], set()),
    "HLAP": ([20, 25, 25, 15, 40, 30], {4, 6}),
    "HLAA": ([25, 20, 40, 25, 20, 15, 25], {2, 6}),
    "HLSY": ([20, 25, 15, 25, 20, 20], set()),
    "HLDA": ([40, 25, 25, 20, 40, 25, 20, 15, 25], {8}),
    "HLDC": ([20, 25, 15, 25, 40, 25], set()),
    "HLNT": ([25, 20, 25, 25, 15, 25], {5}),
    "HLIH": ([20, 25, 20, 40, 30], set()),
    "HLPP": ([20, 25, 15, 20, 25, 25, 20], {6}),
    "HLTP": ([20, 25, 25, 20, 25, 15], {2}),
}


def lite() -> Content:
    sections = tuple(
        Section(key=area.lower(), title={"en": area}, questions=tuple(map(_asked, ids(area), weights)))
        for area, (weights, _) in AREAS.items()
    )
    return Content(
        format="vendorrisk-questionnaire/1",
        key="lite",
        title={"en": "Invented"},
        languages=("en",),
        default_language="en",
        method="q1",
        sections=sections,
    )


def ids(area: str) -> list[str]:
    return [f"{area}-{number:02}" for number in range(1, len(AREAS[area][0]) + 1)]


def _asked(name: str, weight: int) -> Question:
    if name in TEXTS:
        return question(name.lower(), QuestionKind.TEXT, weight=weight)
    credit = (0, 1000) if name in NO_IS_COMPLIANT else (1000, 0)
    return question(
        name.lower(),
        QuestionKind.SINGLE,
        weight=weight,
        options=(option("yes", credit[0]), option("no", credit[1])),
        not_applicable=NotApplicable.WITH_REASON,
    )


def given(name: str) -> str:
    area, number = name.split("-")
    is_compliant = int(number) not in AREAS[area][1]
    if name in TEXTS:
        return "Some words"
    return "yes" if is_compliant != (name in NO_IS_COMPLIANT) else "no"


def sheet(area: str) -> tuple[int, int]:
    """Add up as the workbook does: points, and points that can be had."""
    weights, bad = AREAS[area]
    return sum(weight for number, weight in enumerate(weights, 1) if number not in bad), sum(weights)


def result(*, not_applicable: str | None = None) -> Result:
    compiled = Compiled.of(lite())
    names = [name for area in AREAS for name in ids(area)]
    answers = [
        answer(place, given(name))
        if name != not_applicable
        else answer(place, stance=Stance.NOT_APPLICABLE, reason="Not run by us")
        for place, name in enumerate(names, 1)
    ]
    marks = [
        Mark(place=place, answer_version=1, not_applicable=NotApplicableVerdict.ACCEPTED)
        for place, name in enumerate(names, 1)
        if name == not_applicable
    ]
    return q1.score(compiled, answers, marks, ScoringPolicy(), {}, ON)


def test_the_total_is_the_one_of_the_real_sheet() -> None:
    assert tuple(map(sum, zip(*map(sheet, AREAS), strict=True))) == (1555, 1755)
    found = result()
    assert found.weight == 1755
    assert found.exact() == Fraction(100 * 1555, 1755)
    assert found.score_tenths == 886
    assert sum(loss.tenths for loss in found.losses) == 1000 - 886
    assert len(found.counted) == 78


@pytest.mark.parametrize("area", AREAS)
def test_an_area_scores_the_points_of_its_compliant_answers(area: str) -> None:
    points, possible = sheet(area)
    part = next(part for part in result().sections if part.key == area.lower())
    assert part.weight == possible
    assert part.exact is not None
    assert Fraction(part.exact) == Fraction(100 * points, possible)


def test_an_accepted_not_applicable_leaves_both_sums() -> None:
    found = result(not_applicable="HLSY-02")
    assert (found.weight, found.set_aside_weight) == (1730, 25)
    assert found.exact() == Fraction(100 * 1530, 1730)
