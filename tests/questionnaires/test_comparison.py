"""Two contents compared: each difference is told once, and nothing else."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.questionnaires.documents import asks, baseline, content, document, en, options, section
from vendorrisk.questionnaires.comparison import Comparison, compared
from vendorrisk.questionnaires.content import Content, content_of, questions_of


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str | None, str | None, str | None]]:
    (changed,) = compared(content(asks("a") | old), content(asks("a") | new)).changed
    return [(one.aspect, one.language, one.before, one.after) for one in changed.changes]


def is_empty(found: Comparison) -> bool:
    return not (found.about or found.sections or found.added or found.removed or found.moved or found.changed)


def test_a_content_does_not_differ_from_itself() -> None:
    found = compared(baseline(), baseline())
    assert is_empty(found)
    assert (found.weight_before, found.weight_after, found.questions_after) == (328, 328, 80)
    assert (found.carried_over, found.carried_over_if_valid, found.carried_over_share) == (80, 0, 1000)


@given(st.permutations(range(8)))
@settings(max_examples=100, deadline=None)
def test_of_permuted_questions_only_moves_are_told_and_as_few_as_possible(order: list[int]) -> None:
    old = content(*(asks(f"q{number}") for number in range(8)))
    new = content(*(asks(f"q{number}") for number in order))
    found = compared(old, new)
    assert is_empty(found) == (order == list(range(8)))
    assert (found.about, found.sections, found.added, found.removed, found.changed) == ((), (), (), (), ())
    assert found.carried_over == 8
    stayed = [number for number in order if f"q{number}" not in {one.key for one in found.moved}]
    assert stayed == sorted(stayed)
    assert len(stayed) == longest_rise(order)
    for one in found.moved:
        assert (one.place_before, one.place) == (int(one.key[1:]) + 1, order.index(int(one.key[1:])) + 1)


def longest_rise(order: list[int]) -> int:
    best: list[int] = []
    for at, number in enumerate(order):
        best.append(1 + max((best[n] for n in range(at) if order[n] < number), default=0))
    return max(best)


def test_one_question_moved_far_is_one_move() -> None:
    old = content(*(asks(key) for key in "abcde"))
    found = compared(old, content(*(asks(key) for key in "eabcd")))
    assert [(one.key, one.place_before, one.place) for one in found.moved] == [("e", 5, 1)]


def test_a_question_in_another_section_moved() -> None:
    old = content(section("one", asks("a"), asks("b")), section("two", asks("c")))
    new = content(section("one", asks("a")), section("two", asks("b"), asks("c")))
    (moved,) = compared(old, new).moved
    assert (moved.key, moved.section_before, moved.section) == ("b", "one", "two")


def test_added_and_removed_questions_are_told_with_place_and_weight() -> None:
    found = compared(content(asks("a"), asks("b", weight=3)), content(asks("c", weight=5), asks("a")))
    assert [(one.key, one.place, one.weight) for one in found.added] == [("c", 1, 5)]
    assert [(one.key, one.place, one.weight) for one in found.removed] == [("b", 2, 3)]
    assert (found.weight_before, found.weight_after, found.moved) == (3, 5, ())
    assert (found.carried_over, found.questions_after, found.carried_over_share) == (1, 2, 500)


def test_wording_is_told_by_language() -> None:
    old, new = {"text": {"en": "One?", "de": "Eins?"}}, {"text": {"en": "One?", "de": "Zwei?", "fr": "Deux ?"}}
    assert changes(old, new) == [("wording", "de", "Eins?", "Zwei?"), ("wording", "fr", None, "Deux ?")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"meaning": 2}, ("meaning", None, "1", "2")),
        ({}, {"weight": 7}, ("weight", None, "0", "7")),
        ({}, {"critical": True}, ("critical", None, "false", "true")),
        ({}, {"required": False}, ("required", None, "true", "false")),
        ({}, {"gate": True}, ("gate", None, "false", "true")),
        ({}, {"not_applicable": "with_reason"}, ("not_applicable", None, "never", "with_reason")),
        ({}, {"when": "vendor.tier=high"}, ("condition", None, None, "vendor.tier = high")),
        ({}, {"evidence": {"wanted": True}}, ("evidence", None, None, '{"wanted":true}')),
        ({}, {"finding": {"severity": "high"}}, ("finding", None, None, '{"severity":"high"}')),
        ({}, {"maps": {"soc2": ["CC6.1"]}}, ("maps", None, "{}", '{"soc2":["CC6.1"]}')),
        ({}, {"same_as": ["caiq4:A"]}, ("maps", None, "[]", '["caiq4:A"]')),
        ({}, {"help": {"en": "Help"}}, ("help", "en", None, "Help")),
        ({}, {"internal_help": {"en": "Help"}}, ("help", "en", None, "Help")),
        (
            {"options": options("x")},
            {"options": options(x=5)},
            (
                "options",
                None,
                '[{"key":"x","label":{"en":"x"}}]',
                '[{"credit":5,"key":"x","label":{"en":"x"}}]',
            ),
        ),
    ],
)
def test_each_part_of_a_question_is_told_when_it_changes(
    old: dict[str, Any], new: dict[str, Any], expected: tuple[str, str | None, str | None, str | None]
) -> None:
    assert changes(old, new) == [expected]


def test_flags_and_bounds_are_told_too() -> None:
    flag = {"key": "f", "when": "a = no", "severity": "low", "title": en("Look")}
    assert [one[0] for one in changes({}, {"flags": [flag]})] == ["flags"]
    number = {"kind": "number", "minimum": 1}
    assert [(one[0], one[2], one[3]) for one in changes(number, number | {"minimum": 2, "unit": "days"})] == [
        ("bounds", "1", "2"),
        ("bounds", None, "days"),
    ]


def test_another_spelling_of_a_condition_is_no_difference() -> None:
    old = content(asks("a"), asks("b", when="a=yes or(a = no)"))
    assert is_empty(compared(old, content(asks("a"), asks("b", when="a = yes or a = no"))))


def test_a_changed_option_set_changes_each_question_that_uses_it() -> None:
    questions = (asks("a", options="s"), asks("b", options="s"), asks("c"))
    old = content(*questions, option_sets={"s": options("x", "y")})
    new = content(*questions, option_sets={"s": options("x")})
    found = compared(old, new)
    assert [one.key for one in found.changed] == ["a", "b"]
    assert (found.carried_over, found.carried_over_if_valid) == (1, 2)


def test_sections_and_the_document_are_compared() -> None:
    old = content(section("one", asks("a")), section("two", asks("b")), section("three", asks("c")))
    new = content(
        section("one", asks("a"), title=en("Other"), when="vendor.tier = high"),
        section("two", asks("b"), intro=en("Hello")),
        section("four", asks("c")),
        title=en("New title"),
        languages=["en", "de"],
    )
    found = compared(old, new)
    assert found.about == ("title", "languages")
    assert [(one.key, list(one.aspects)) for one in found.sections] == [
        ("one", ["title", "condition"]),
        ("two", ["intro"]),
        ("four", ["added"]),
        ("three", ["removed"]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "carries"),
    [
        ({}, {"text": {"en": "Quite another wording?"}}, "always"),
        ({}, {"weight": 9, "critical": True}, "always"),
        ({}, {"meaning": 2}, "never"),
        ({}, {"kind": "text"}, "never"),
        ({"options": options("x")}, {"options": options("x", "y")}, "always"),
        ({"options": options("x", "y")}, {"options": options("x")}, "if valid"),
        ({"kind": "number", "maximum": 10}, {"kind": "number", "maximum": 20}, "always"),
        ({"kind": "number", "maximum": 10}, {"kind": "number"}, "always"),
        ({"kind": "number", "maximum": 10}, {"kind": "number", "maximum": 9}, "if valid"),
        ({"kind": "number"}, {"kind": "number", "minimum": 0}, "if valid"),
        ({"kind": "number", "minimum": 2}, {"kind": "number", "minimum": 1}, "always"),
        ({"kind": "number"}, {"kind": "number", "whole": True}, "if valid"),
        ({"kind": "number", "unit": "days"}, {"kind": "number", "unit": "hours"}, "if valid"),
        ({"kind": "date", "not_after": "today"}, {"kind": "date", "not_after": "2030-01-01"}, "if valid"),
        ({"kind": "date", "not_before": "2020-01-01"}, {"kind": "date", "not_before": "2019-12-31"}, "always"),
        ({"not_applicable": "with_reason"}, {"not_applicable": "never"}, "if valid"),
        ({"not_applicable": "never"}, {"not_applicable": "with_reason"}, "always"),
        ({"kind": "number", "none": {"label": en("None")}}, {"kind": "number"}, "if valid"),
        ({"kind": "number"}, {"kind": "number", "none": {"label": en("None")}}, "always"),
    ],
)
def test_an_answer_carries_over_by_meaning_kind_and_validity(
    old: dict[str, Any], new: dict[str, Any], carries: str
) -> None:
    found = compared(content(asks("a") | old), content(asks("a") | new))
    counted = (found.carried_over, found.carried_over_if_valid)
    assert counted == {"always": (1, 0), "if valid": (0, 1), "never": (0, 0)}[carries]


def shuffled(whole: Content, chance: random.Random) -> Content:
    raw = document(*(section(f"s{n}") for n in range(3)))
    for place, _, question in questions_of(whole):
        if chance.random() < 0.8:
            part = chance.choice(raw["sections"])
            changed = asks(question.key, meaning=chance.choice([1, 1, 2]), weight=chance.choice([1, place]))
            part["questions"].append(copy.deepcopy(changed))
    return content_of(raw)


@pytest.mark.parametrize("seed", range(20))
def test_comparing_the_other_way_round_tells_the_same_from_the_other_side(seed: int) -> None:
    chance = random.Random(seed)
    full = content(*(asks(f"q{n}", weight=1) for n in range(12)))
    one, other = shuffled(full, chance), shuffled(full, chance)
    there, back = compared(one, other), compared(other, one)
    assert [item.key for item in there.added] == [item.key for item in back.removed]
    assert {item.key for item in there.changed} == {item.key for item in back.changed}
    assert (there.weight_before, there.weight_after) == (back.weight_after, back.weight_before)
    assert there.carried_over == back.carried_over
    assert is_empty(compared(one, one))
