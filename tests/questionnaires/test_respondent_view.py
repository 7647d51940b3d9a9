"""The vendor's view: everything needed to answer, and nothing of what decides, weighs or judges."""

import json
from typing import Any

import pytest

from tests.questionnaires.documents import asks, baseline, content, en, section
from vendorrisk.questionnaires.content import Content, canonical, content_of, questions_of
from vendorrisk.questionnaires.respondent_view import filled, read_view, respondent_view

CANARY = "canary.of.the.tenant"
NEVER = {
    *("weight", "credit", "critical", "when", "flags", "severity", "finding", "internal_help", "score", "bands"),
    *("gate", "rule", "up_to", "meaning", "same_as", "method", "option_sets", "column"),
}


def loaded() -> Content:
    """Return a content with a canary in each part that must not be seen."""
    shown = {"key": "shown.flag", "when": f"{CANARY} = no", "severity": "critical", "title": en(f"Tip {CANARY}")}
    hidden = shown | {"key": "hidden.flag", "shown": False, "text": en(f"Hidden {CANARY}")}
    choices = [
        {"key": "x", "label": en("Ex"), "credit": 987},
        {"key": "y", "label": en("Why"), "credit": 654, "asks_note": True},
    ]
    column = {"key": "proof", "label": en("Proof"), "kind": "single", "options": choices, "required": True}
    questions = [
        asks(
            "a",
            "multiple",
            options=choices,
            weight=963,
            critical=True,
            gate=True,
            meaning=741,
            score={"rule": "share", "none_of": "x"},
            internal_help=en(f"Ask {CANARY}"),
            help=en("Help for the vendor"),
            flags=[shown, hidden],
            finding={"severity": "critical"},
            evidence={"wanted": True, "required": True, "kinds": ["policy"]},
            maps={"soc2": ["CC6.1"]},
            same_as=[f"caiq4:{CANARY}"],
            min_choices=1,
            max_choices=2,
            not_applicable="with_reason",
            fields=[column | {"key": "field"}],
        ),
        asks(
            "b",
            "number",
            when=f"{CANARY} is answered",
            weight=852,
            score={"rule": "bands", "bands": [{"up_to": 369, "credit": 258}, {"credit": 147}]},
            none={"label": en("No limit"), "credit": 951},
            minimum=1,
            maximum=400,
            whole=True,
            unit="days",
        ),
        asks("c", "table", columns=[column], score={"rule": "rows", "column": "proof"}, max_rows=9),
    ]
    first = section("one", asks(CANARY), *questions)
    return content(first, section("two", asks("z"), when=f"{CANARY} = yes", intro=en("Hello")))


def names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(names(part) for part in value.values()))
    return set().union(*(names(part) for part in value)) if isinstance(value, list) else set()


def test_no_weight_credit_condition_flag_or_internal_help_is_seen() -> None:
    text = respondent_view(loaded()).decode()
    seen = json.loads(text)
    questions = [question for part in seen["sections"] for question in part["questions"]]
    assert questions[0].pop("key") == CANARY  # its own key is no secret, nor is its text, which has the key
    questions[0].pop("text")
    assert CANARY not in json.dumps(seen)
    for figure in ("987", "654", "963", "741", "852", "369", "258", "147", "951"):
        assert figure not in text
    assert "critical" not in text
    assert "Tip" not in text
    assert "Hidden" not in text


@pytest.mark.parametrize("whole", [loaded(), baseline()])
def test_the_view_has_none_of_the_names_that_decide_or_judge(whole: Content) -> None:
    assert names(json.loads(canonical(whole))) & NEVER
    assert names(json.loads(respondent_view(whole))) & NEVER == set()


def test_everything_needed_to_answer_is_seen() -> None:
    _, a, b, c = json.loads(respondent_view(loaded()))["sections"][0]["questions"]
    choices = [{"key": "x", "label": en("Ex")}, {"key": "y", "label": en("Why"), "asks_note": True}]
    column = {"key": "proof", "label": en("Proof"), "kind": "single", "options": choices, "required": True}
    assert a == {
        "key": "a",
        "place": 2,
        "kind": "multiple",
        "text": en("What about a?"),
        "help": en("Help for the vendor"),
        "options": choices,
        "none_of": "x",
        "evidence": {"wanted": True, "required": True, "kinds": ["policy"]},
        "maps": {"soc2": ["CC6.1"]},
        "min_choices": 1,
        "max_choices": 2,
        "not_applicable": "with_reason",
        "fields": [column | {"key": "field"}],
    }
    assert {"minimum": 1, "maximum": 400, "whole": True, "unit": "days", "none": en("No limit")}.items() <= b.items()
    assert {"columns": [column], "max_rows": 9}.items() <= c.items()


def test_the_usual_options_and_those_of_a_set_are_spelled_out() -> None:
    questions = [one for part in json.loads(respondent_view(baseline()))["sections"] for one in part["questions"]]
    lead = next(one for one in questions if one["key"] == "programme.lead")
    assert [one["key"] for one in lead["options"]] == ["yes", "partial", "planned", "no"]
    assert [one.get("asks_note", False) for one in lead["options"]] == [False, True, True, False]


def test_the_view_lists_all_questions_with_their_places() -> None:
    view = read_view(respondent_view(baseline()))
    seen = [(question.place, question.key) for part in view.sections for question in part.questions]
    assert seen == [(place, question.key) for place, _, question in questions_of(baseline())]


def test_a_change_that_the_vendor_cannot_see_leaves_the_view_as_it_is() -> None:
    before = content(asks("a", weight=1))
    after = content(asks("a", weight=9, critical=True, internal_help=en("Secret"), when="vendor.tier = high"))
    assert respondent_view(before) == respondent_view(after)
    assert canonical(before) != canonical(after)


def test_the_view_is_canonical() -> None:
    raw = json.loads(canonical(loaded()))
    turned = content_of(json.dumps(dict(reversed(raw.items()))).encode())
    assert respondent_view(turned) == respondent_view(loaded())
    form = respondent_view(loaded())
    assert form == json.dumps(json.loads(form), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_placeholders_are_filled_in_once() -> None:
    values = {"vendor": "{tenant} & Co", "tenant": "Us", "due_on": "2026-12-31"}
    assert filled("{vendor} for {tenant} by {due_on}", values) == "{tenant} & Co for Us by 2026-12-31"
    assert filled("{service} and {name}", values) == "{service} and {name}"
