"""Conditions refer to what exists, compare what fits, and can come true."""

import itertools
import random
from typing import Any

import pytest

from tests.questionnaires.documents import asks, content, document, en, faults, options, section, warnings
from vendorrisk.questionnaires.condition_checks import FACTS
from vendorrisk.questionnaires.content import NONE_VALUE, content_of
from vendorrisk.questionnaires.content_checks import checked
from vendorrisk.questionnaires.visibility import Answered, Compiled

WHEN = "/sections/0/questions/1/when"


def test_a_condition_on_an_earlier_question_is_sound() -> None:
    assert faults(asks("a"), asks("b", when="a = yes")) == []


def test_a_condition_refers_to_earlier_questions_and_facts_only() -> None:
    assert faults(asks("b", when="a = yes"), asks("a")) == [("refers_forward", "/sections/0/questions/0/when")]
    assert faults(asks("a", when="a = yes")) == [("refers_to_itself", "/sections/0/questions/0/when")]
    assert faults(asks("a", when="zz = yes")) == [("unknown_question", "/sections/0/questions/0/when")]
    assert faults(asks("a", when="vendor.name = x")) == [("unknown_question", "/sections/0/questions/0/when")]


def test_the_condition_of_a_section_does_not_refer_into_the_section() -> None:
    first = section("one", asks("a"))
    assert faults(first, section("two", asks("b"), when="a = yes")) == []
    assert faults(first, section("two", asks("b"), when="b = yes")) == [("refers_forward", "/sections/1/when")]


def test_two_questions_cannot_wait_for_each_other() -> None:
    assert faults(asks("a", when="b = yes"), asks("b", when="a = yes")) == [
        ("refers_forward", "/sections/0/questions/0/when")
    ]


@pytest.mark.parametrize(
    ("earlier", "when", "fault"),
    [
        (asks("a"), "a > 3", "operator_does_not_fit"),
        (asks("a"), "a has yes", "operator_does_not_fit"),
        (asks("a"), "count(a) = 1", "operator_does_not_fit"),
        (asks("a"), "a = maybe", "unknown_option"),
        (asks("a"), "a in (yes, maybe)", "unknown_option"),
        (asks("a"), "a = true", "value_does_not_fit"),
        (asks("a"), "a = 3", "value_does_not_fit"),
        (asks("a"), "a is not_applicable", "never_so"),
        (asks("a"), "a is none", "never_so"),
        (asks("a", "multiple"), "a = x", "operator_does_not_fit"),
        (asks("a", "multiple"), "a in (x, y)", "operator_does_not_fit"),
        (asks("a", "multiple"), "a has w", "unknown_option"),
        (asks("a", "number"), "a = yes", "value_does_not_fit"),
        (asks("a", "number"), "a = 2026-01-01", "value_does_not_fit"),
        (asks("a", "number"), "a in (1, 2)", "operator_does_not_fit"),
        (asks("a", "number"), "a > 1234567890123456", "value_does_not_fit"),
        (asks("a", "date"), "a < 2026", "value_does_not_fit"),
        (asks("a", "date"), "a < 'today'", "value_does_not_fit"),
        (asks("a", "text"), "a = 'x'", "operator_does_not_fit"),
        (asks("a", "file"), "a = 1", "operator_does_not_fit"),
        (asks("a", "table"), "a has x", "operator_does_not_fit"),
        (asks("a"), "vendor.tier = grave", "unknown_option"),
        (asks("a"), "vendor.data_classes = personal", "operator_does_not_fit"),
        (asks("a"), "vendor.tier = true", "value_does_not_fit"),
        (asks("a"), "vendor.tier is not_applicable", "never_so"),
    ],
)
def test_a_test_that_does_not_fit_is_a_fault(earlier: dict[str, Any], when: str, fault: str) -> None:
    assert faults(earlier, asks("b", when=when)) == [(fault, WHEN)]


@pytest.mark.parametrize(
    ("earlier", "when"),
    [
        (asks("a", not_applicable="with_reason"), "a is not_applicable"),
        (asks("a"), "a in (yes, 'partial')"),
        (asks("a", "single", options=options("none", "some")), "a = none"),
        (asks("a", "multiple"), "a has x and count(a) >= 2"),
        (asks("a", "number", none={"label": en("No limit")}), "a is none or a > 10"),
        (asks("a", "date"), "a >= 2026-01-31"),
        (asks("a", "text"), "a is answered"),
        (asks("a", "file"), "count(a) > 1"),
        (asks("a", "table"), "count(a) = 0 or count(a) = 200"),
        (asks("a"), "vendor.tier in (critical, unknown)"),
        (asks("a"), "service.data_classes has health and count(vendor.data_classes) = 0"),
        (asks("a"), "service.is_uptime_critical = true or service.handles_transactions = yes"),
        (asks("a"), "assessment.purpose != ad_hoc and vendor.lifecycle = onboarding"),
    ],
)
def test_each_kind_and_each_fact_has_its_tests(earlier: dict[str, Any], when: str) -> None:
    assert faults(earlier, asks("b", when=when)) == []


def test_a_fault_has_the_offset_of_its_test() -> None:
    found = checked(content(asks("a"), asks("b", when="a = yes and (zz = no or a > 3)"))).faults
    assert [(one.code, one.offset) for one in found] == [("unknown_question", 13), ("operator_does_not_fit", 24)]
    assert "vendor.tier" in found[0].detail
    assert "=" in found[1].detail


@pytest.mark.parametrize(
    "when",
    [
        "a = yes and a = no",
        "n > 10 and n < 5",
        "n > 10 and n < 11 and not n < 12",
        "w > 10 and w < 11",
        "w > 100",
        "d < 2019-12-31",
        "s = x and s = y",
        "m has x and m has y and count(m) < 2",
        "m has none and m has x",
        "count(m) > 4",
        "not (a = yes or a != yes) and a is answered and a is not_applicable and a = yes",
        "n is none and n < 4",
        "n is none and count(t) < 0",
        "count(f) > 20",
        "vendor.tier is not answered",
        "vendor.tier = low and vendor.tier = high",
    ],
)
def test_a_question_that_nothing_can_show_is_a_fault(when: str) -> None:
    earlier = [
        asks("a", not_applicable="with_reason"),
        asks("n", "number", none={"label": en("None")}),
        asks("w", "number", whole=True, minimum=0, maximum=100),
        asks("d", "date", not_before="2020-01-01", not_after="today"),
        asks("s", "single"),
        asks("m", "multiple", options=options("x", "y", "z", "none"), score={"rule": "best", "none_of": "none"}),
        asks("t", "table"),
        asks("f", "file"),
    ]
    assert faults(*earlier, asks("b", when=when)) == [("never_asked", "/sections/0/questions/8/when")]


def test_a_chain_of_conditions_can_shut_itself_off() -> None:
    assert faults(asks("a"), asks("b", when="a = no"), asks("c", when="a = yes and b = yes")) == [
        ("never_asked", "/sections/0/questions/2/when")
    ]
    assert faults(asks("a"), asks("b", when="a = no"), asks("c", when="a = yes and not b = yes")) == []


def test_of_a_section_that_is_never_asked_its_condition_is_the_one_fault() -> None:
    shut = section("two", asks("b", when="a = yes"), asks("c"), when="a = yes and a = no")
    assert faults(section("one", asks("a")), shut) == [("never_asked", "/sections/1/when")]


def test_values_between_thresholds_are_tried() -> None:
    assert faults(asks("n", "number"), asks("b", when="n > 10 and n < 11")) == []
    assert faults(asks("d", "date"), asks("b", when="d > 2026-01-01 and d < 2026-01-03")) == []
    assert faults(asks("d", "date"), asks("b", when="d > 2026-01-01 and d < 2026-01-02")) == [("never_asked", WHEN)]


def test_a_not_that_shows_a_question_early_is_a_warning() -> None:
    assert warnings(asks("a"), asks("b", when="not a = yes")) == [("shown_while_unanswered", WHEN)]
    assert warnings(asks("a"), asks("b", when="a != yes")) == []
    assert warnings(asks("a"), asks("b", when="a is not answered")) == []
    assert warnings(asks("a"), asks("b", when="not vendor.tier = low")) == []
    assert warnings(asks("a"), asks("b", when="vendor.tier = high or (not a = yes and a = no)")) == []
    assert warnings(asks("a"), asks("b", when="vendor.tier = high and not a = yes")) == [
        ("shown_while_unanswered", WHEN)
    ]


def test_too_many_combinations_are_told_and_not_judged() -> None:
    many = [asks(f"q{number}") for number in range(12)]
    never = " and ".join(f"(q{number} = yes or q{number} = no)" for number in range(12))
    parted = f"{never} and count(m) > 2 and count(m) < 2"
    assert warnings(*many, asks("m", "multiple"), asks("b", when=parted)) == []
    crossed = " or ".join(f"(q{n} = yes and q{n + 1} = no and q{n} = partial)" for n in range(11))
    told = checked(content(*many, asks("b", when=crossed)))
    assert [one.code for one in told.warnings] == ["too_many_worlds"]
    assert told.faults == ()


def test_a_flag_may_ask_every_question_and_one_that_cannot_be_raised_is_a_warning() -> None:
    flag = {"key": "f", "severity": "high", "title": en("Look")}
    later = asks("a", flags=[flag | {"when": "a = no and b = yes and vendor.tier = high"}])
    assert faults(later, asks("b")) == []
    assert faults(asks("a", flags=[flag | {"when": "zz = no"}])) == [
        ("unknown_question", "/sections/0/questions/0/flags/0/when")
    ]
    assert warnings(asks("a", flags=[flag | {"when": "a = no and a = yes"}])) == [
        ("never_raised", "/sections/0/questions/0/flags/0/when")
    ]


POOLS: dict[str, list[Answered | None]] = {
    "yes_no": [None, *(Answered("answered", key) for key in ("yes", "partial", "planned", "no"))],
    "single": [None, Answered("not_applicable"), *(Answered("answered", key) for key in "xyz")],
    "multiple": [
        None,
        *(Answered("answered", list(chosen)) for size in (1, 2, 3) for chosen in itertools.combinations("xyz", size)),
    ],
    "number": [None, Answered("answered", NONE_VALUE), *(Answered("answered", half / 2) for half in range(13))],
    "date": [None, *(Answered("answered", f"2026-01-{day:02}") for day in range(1, 9))],
    "table": [None, *(Answered("answered", [{}] * rows) for rows in range(4))],
}
TESTS = {
    "yes_no": ["{} = yes", "{} != yes", "{} = no", "{} in (yes, partial)", "{} is answered", "not {} = planned"],
    "single": ["{} = x", "{} != x", "{} in (y, z)", "{} is not_applicable", "{} is not answered", "not {} = y"],
    "multiple": ["{} has x", "{} has y", "count({}) >= 2", "count({}) < 2", "count({}) = 3", "not {} has z"],
    "number": ["{} > 2", "{} < 2", "{} = 4", "{} >= 2.5", "{} <= 3", "{} is none", "not {} != 4"],
    "date": ["{} > 2026-01-04", "{} < 2026-01-05", "{} = 2026-01-03", "{} != 2026-01-03", "not {} is answered"],
    "table": ["count({}) > 0", "count({}) = 2", "count({}) < 2", "{} is answered", "not count({}) > 1"],
}
BOUNDS: dict[str, dict[str, Any]] = {
    "single": {"not_applicable": "with_reason"},
    "number": {"none": {"label": en("None")}, "minimum": 0, "maximum": 6},
    "date": {"not_before": "2026-01-01", "not_after": "2026-01-08"},
    "table": {"max_rows": 3},
}


def condition(chance: random.Random, earlier: list[tuple[str, str]], depth: int) -> str:
    if depth == 0 or chance.random() < 0.3:
        key, kind = chance.choice(earlier)
        return chance.choice(TESTS[kind]).format(key)
    join = chance.choice([" and ", " and ", " or "])
    return "(" + join.join(condition(chance, earlier, depth - 1) for _ in range(2)) + ")"


@pytest.mark.parametrize("seed", range(60))
def test_the_questions_found_unreachable_are_those_that_no_answers_show(seed: int) -> None:
    chance = random.Random(seed)
    asked: list[tuple[str, str]] = []
    questions: list[dict[str, Any]] = []
    for number in range(5):
        key, kind = f"q{number}", chance.choice(list(POOLS))
        fields = dict(BOUNDS.get(kind, {}))
        if asked and chance.random() < 0.85:
            fields["when"] = condition(chance, asked, 2)
        questions.append(asks(key, kind, **fields))
        asked.append((key, kind))
    whole = content_of(document(*questions))
    told = checked(whole)
    assert {fault.code for fault in told.faults} <= {"never_asked"}
    assert not [one for one in told.warnings if one.code == "too_many_worlds"]
    compiled = Compiled(whole, "")
    ever: set[str] = set()
    for answers in itertools.product(*(POOLS[kind] for _, kind in asked[:4])):
        given = {key: answer for (key, _), answer in zip(asked, answers, strict=False) if answer is not None}
        ever |= compiled.shown(given, {})
        if len(ever) == len(asked):
            break
    never = {f"q{fault.pointer.split('/')[4]}" for fault in told.faults}
    assert never == {key for key, _ in asked} - ever


def test_a_chain_of_three_hundred_conditions_is_judged_in_a_moment() -> None:
    chain = [asks("q0"), *(asks(f"q{n}", when=f"q{n - 1} = yes") for n in range(1, 300))]
    shut = asks("end", when="q298 = yes and q0 = no")
    told = checked(content(*chain, shut))
    assert [(one.code, one.pointer) for one in told.faults] == [("never_asked", "/sections/0/questions/300/when")]
    assert told.warnings == ()


def test_the_facts_are_those_of_our_records() -> None:
    assert len(FACTS) == 7
    assert FACTS["vendor.tier"].options == ("critical", "high", "medium", "low", "unknown")
    assert "special_category" in FACTS["service.data_classes"].options
