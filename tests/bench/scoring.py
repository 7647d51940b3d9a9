"""The score of 261 questions beside the barest loop over their numbers.

    python -m tests.bench.scoring [rounds]

The content, answers and marks are invented: one answer in ten is missing, each question has two SOC 2 criteria, and a
tenth of the questions is shown by a condition. Every figure is the median of many rounds, taken in turns.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date

import uvloop

from tests.bench.table import Line, median, printed
from vendorrisk.questionnaires.content import Content, EvidenceWanted, Option, Question, QuestionKind, Section, Stance
from vendorrisk.questionnaires.visibility import Answered, Compiled
from vendorrisk.scoring import q1
from vendorrisk.scoring.answers import Answer, AnswerFile, Mark, Verdict
from vendorrisk.scoring.policy import ScoringPolicy

QUESTIONS = 261
SECTIONS = 17
MILLISECOND = 1.0
_ON = date(2026, 11, 23)
_FACTS = {"vendor.tier": "high"}
_CREDITS = {"yes": 1000, "partial": 500, "planned": 250, "no": 0}


async def run(rounds: int = 400) -> list[Line]:
    compiled, answers, marks = _case(random.Random(3))
    policy = ScoringPolicy()
    result = q1.score(compiled, answers, marks, policy, _FACTS, _ON)
    columns = _columns(compiled, answers)
    pairs = list(zip(columns.weights, columns.counted, strict=True))
    known = {compiled.questions[one.place - 1][2].key: Answered(one.stance, one.value) for one in answers}
    whole, sums, shown, bare = _taken(
        (
            lambda: q1.score(compiled, answers, marks, policy, _FACTS, _ON),
            lambda: q1.sums_of(columns),
            lambda: compiled.shown(known, _FACTS),
            lambda: _bare(pairs),
        ),
        rounds,
    )
    asked = f"{result.asked} questions"
    return [
        Line(f"score of {asked}, all of it", whole, MILLISECOND, "the goal", "ms", "<= 1.00"),
        Line("the sums alone", sums, bare, "a bare loop", "ms", "<= 3.00"),
        Line("the questions that are shown", shown, MILLISECOND / 2, "the goal", "ms", "<= 1.00"),
    ]


def _taken(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median milliseconds of each. They are taken in turns, so that all meet the same machine."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for number, work in enumerate(works):
            begun = time.perf_counter()
            work()
            found[number].append(1000 * (time.perf_counter() - begun))
    return [median(times) for times in found]


def _bare(pairs: Sequence[tuple[int, int]]) -> float:
    weights = got = 0
    for weight, counted in pairs:
        got += weight * counted
        weights += weight
    return got / weights


def _columns(compiled: Compiled, answers: Sequence[Answer]) -> q1.Columns:
    given = {answer.place: answer for answer in answers}
    weights = [question.weight for _, _, question in compiled.questions]
    counted = [1000 * _CREDITS[given[place].value] if place in given else 0 for place, _, _ in compiled.questions]
    answered = [question.weight if place in given else 0 for place, _, question in compiled.questions]
    return q1.Columns(weights, counted, counted, answered, [800] * len(weights))


def _case(rng: random.Random) -> tuple[Compiled, list[Answer], list[Mark]]:
    places = range(1, QUESTIONS + 1)
    questions = [_question(rng, place) for place in places]
    size = -(-QUESTIONS // SECTIONS)
    sections = tuple(
        Section(key=f"s{number}", title={"en": "S"}, questions=tuple(questions[size * number : size * (number + 1)]))
        for number in range(SECTIONS)
    )
    options = tuple(Option(key=key, label={"en": key}, credit=credit) for key, credit in _CREDITS.items())
    content = Content(
        format="vendorrisk-questionnaire/1",
        key="bench",
        title={"en": "Bench"},
        languages=("en",),
        default_language="en",
        method="q1",
        option_sets={"yes_no": options},
        sections=sections,
    )
    file = AnswerFile("ab" * 32, "policy.pdf", "1")
    answers = [
        Answer(
            place=place,
            stance=Stance.ANSWERED,
            value="yes" if place == 1 else rng.choice([*_CREDITS]),
            files=(file,) if rng.random() < 0.3 else (),
        )
        for place in places
        if place == 1 or rng.random() < 0.9
    ]
    verdicts = [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.INSUFFICIENT, Verdict.NEEDS_EVIDENCE]
    marks = [Mark(place=one.place, answer_version=1, verdict=rng.choice(verdicts)) for one in answers]
    return Compiled.of(content), answers, marks


def _question(rng: random.Random, place: int) -> Question:
    return Question(
        key=f"q{place}",
        kind=QuestionKind.YES_NO,
        text={"en": "Is it so?"},
        weight=rng.randint(1, 10),
        critical=rng.random() < 0.1,
        evidence=EvidenceWanted(wanted=True) if rng.random() < 0.4 else None,
        when="q1 = yes and not vendor.tier = low" if place > 1 and rng.random() < 0.1 else None,
        maps={"soc2": (f"CC{place % 9 + 1}.1", f"CC{place % 8 + 1}.2")},
    )


if __name__ == "__main__":
    print(printed(uvloop.run(run(*(int(argument) for argument in sys.argv[1:])))))
