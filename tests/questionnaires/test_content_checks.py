"""All faults of a content that lie between its values, each with its place."""

from typing import Any

import pytest

from tests.questionnaires.documents import asks, baseline, content, document, en, faults, options, section, warnings
from vendorrisk.questionnaires.content import content_of
from vendorrisk.questionnaires.content_checks import checked, translated

BANDS = [{"up_to": 7, "credit": 1000}, {"up_to": 30, "credit": 500}, {"credit": 0}]
YES_COLUMN = {"key": "ok", "label": en("Fine"), "kind": "yes_no"}


def one(kind: str, **fields: Any) -> list[tuple[str, str]]:
    """Return the faults of one question, with pointers that begin at it."""
    return [(code, place.removeprefix("/sections/0/questions/0")) for code, place in faults(asks("a", kind, **fields))]


def test_twin_keys_are_faults_wherever_keys_stand() -> None:
    assert faults(asks("a"), asks("b"), asks("a")) == [("twin_key", "/sections/0/questions/2/key")]
    assert faults(section("s", asks("a")), section("s", asks("b"))) == [("twin_key", "/sections/1/key")]
    assert one("single", options=options("x", "x")) == [("twin_key", "/options/1/key")]
    assert one("table", columns=[YES_COLUMN, YES_COLUMN]) == [("twin_key", "/columns/1/key")]
    assert one("text", fields=[YES_COLUMN, YES_COLUMN]) == [("twin_key", "/fields/1/key")]
    flag = {"key": "f", "when": "a = no", "severity": "low", "title": en("Look")}
    assert faults(asks("a", flags=[flag]), asks("b", flags=[flag])) == [
        ("twin_key", "/sections/0/questions/1/flags/0/key")
    ]
    assert faults(asks("a", options="s"), option_sets={"s": options("x", "x")}) == [
        ("twin_key", "/option_sets/s/1/key")
    ]


@pytest.mark.parametrize("key", ["and", "none", "count", "vendor.tier", "service.name", "assessment.x"])
def test_a_key_that_conditions_could_not_name_is_a_fault(key: str) -> None:
    assert faults(asks(key)) == [("key_reserved", "/sections/0/questions/0/key")]


def test_a_key_that_merely_resembles_a_fact_is_allowed() -> None:
    assert faults(asks("vendors.tier"), asks("service"), asks("and.more")) == []


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("text", "options", options("x")),
        ("file", "options", "yes_no"),
        ("yes_no", "minimum", 1),
        ("date", "maximum", 1),
        ("text", "whole", True),
        ("text", "unit", "days"),
        ("number", "not_before", "2026-01-01"),
        ("number", "not_after", "today"),
        ("number", "max_characters", 10),
        ("single", "min_choices", 1),
        ("single", "max_choices", 1),
        ("text", "columns", [YES_COLUMN]),
        ("file", "min_rows", 0),
        ("file", "max_rows", 3),
        ("yes_no", "none", {"label": en("None")}),
        ("text", "score", {"rule": "best"}),
        ("yes_no", "score", {"rule": "share"}),
    ],
)
def test_a_field_of_another_kind_is_a_fault(kind: str, field: str, value: object) -> None:
    assert one(kind, **{field: value}) == [("field_does_not_fit", f"/{field}")]


def test_bounds_that_cross_are_faults() -> None:
    assert one("number", minimum=5, maximum=4) == [("bounds_crossed", "/maximum")]
    assert one("date", not_before="2026-02-01", not_after="2026-01-31") == [("bounds_crossed", "/not_after")]
    assert one("multiple", min_choices=3, max_choices=2) == [("bounds_crossed", "/max_choices")]
    assert one("multiple", min_choices=4) == [("bounds_crossed", "/min_choices")]
    assert one("table", min_rows=3, max_rows=2) == [("bounds_crossed", "/max_rows")]
    assert one("date", not_before="2026-02-30") == [("no_such_date", "/not_before")]
    assert one("date", not_before="2026-02-01", not_after="today") == []
    assert one("number", minimum=5, maximum=5) == []


def test_kinds_that_are_chosen_from_need_options_and_tables_columns() -> None:
    single = {"key": "a", "kind": "single", "text": en("?")}
    assert faults(single) == [("options_missing", "/sections/0/questions/0/options")]
    assert one("single", options="scale") == [("unknown_option_set", "/options")]
    table = {"key": "a", "kind": "table", "text": en("?")}
    assert faults(table) == [("columns_missing", "/sections/0/questions/0/columns")]
    column = {"key": "c", "label": en("C"), "kind": "single"}
    assert one("table", columns=[column]) == [("options_missing", "/columns/0/options")]
    assert one("table", columns=[column | {"options": "gone"}]) == [("unknown_option_set", "/columns/0/options")]
    assert one("text", fields=[column | {"kind": "country", "options": options("x")}]) == [
        ("field_does_not_fit", "/fields/0/options")
    ]


@pytest.mark.parametrize("kind", ["multiple", "number", "date", "table"])
def test_a_weight_without_a_way_to_score_is_a_fault(kind: str) -> None:
    assert one(kind, weight=1) == [("weight_without_score", "/weight")]
    assert one(kind, weight=0) == []


@pytest.mark.parametrize("kind", ["yes_no", "single", "text", "file"])
def test_kinds_that_score_by_themselves_need_no_rule(kind: str) -> None:
    assert one(kind, weight=1) == []


@pytest.mark.parametrize(
    ("kind", "score", "fields", "fault"),
    [
        ("number", {"rule": "bands", "bands": BANDS}, {}, None),
        ("date", {"rule": "age_in_days", "bands": BANDS}, {}, None),
        ("table", {"rule": "count", "bands": BANDS}, {}, None),
        ("table", {"rule": "rows", "column": "ok"}, {"columns": [YES_COLUMN]}, None),
        ("multiple", {"rule": "best", "none_of": "z"}, {}, None),
        ("number", {"rule": "age_in_days", "bands": BANDS}, {}, ("score_does_not_fit", "/score/rule")),
        ("multiple", {"rule": "rows"}, {}, ("score_does_not_fit", "/score/rule")),
        ("number", {"rule": "bands"}, {}, ("bands_invalid", "/score/bands")),
        ("number", {"rule": "bands", "bands": BANDS[:2]}, {}, ("bands_invalid", "/score/bands")),
        ("number", {"rule": "bands", "bands": [BANDS[1], BANDS[0], BANDS[2]]}, {}, ("bands_invalid", "/score/bands")),
        ("number", {"rule": "bands", "bands": [BANDS[2], BANDS[2]]}, {}, ("bands_invalid", "/score/bands")),
        ("number", {"rule": "bands", "bands": BANDS, "column": "x"}, {}, ("field_does_not_fit", "/score/column")),
        ("multiple", {"rule": "best", "bands": BANDS}, {}, ("field_does_not_fit", "/score/bands")),
        ("multiple", {"rule": "best", "none_of": "w"}, {}, ("unknown_option", "/score/none_of")),
        ("multiple", {"rule": "share"}, {}, ("share_without_credit", "/score")),
        ("table", {"rule": "rows", "column": "name"}, {}, ("unknown_column", "/score/column")),
        ("table", {"rule": "rows"}, {"columns": [YES_COLUMN]}, ("unknown_column", "/score/column")),
        (
            "table",
            {"rule": "rows", "column": "ok"},
            {"columns": [YES_COLUMN | {"options": options("x")}]},
            ("share_without_credit", "/score/column"),
        ),
    ],
)
def test_a_score_fits_its_kind_and_gives_every_value_a_credit(
    kind: str, score: dict[str, Any], fields: dict[str, Any], fault: tuple[str, str] | None
) -> None:
    assert one(kind, weight=3, score=score, **fields) == ([] if fault is None else [fault])


@pytest.mark.parametrize(
    ("framework", "known", "unknown"),
    [
        ("soc2", "CC6.1", "CC6.9"),
        ("soc2", "P8.1", "cc6.1"),
        ("iso27001", "A.5.37", "A.5.38"),
        ("iso27001", "A.8.34", "A.8.35"),
        ("csf2", "ID.AM-08", "ID.AM-06"),
        ("ccm4", "A&A-06", "A&A-07"),
        ("ccm4", "UEM-14", "IAM-2"),
    ],
)
def test_ids_of_checked_frameworks_exist(framework: str, known: str, unknown: str) -> None:
    assert one("text", maps={framework: [known]}) == []
    assert one("text", maps={framework: [known, unknown]}) == [("unknown_criterion", f"/maps/{framework}/1")]
    assert one("text", maps={framework: [known, known]}) == [("twin_criterion", f"/maps/{framework}/1")]


def test_ids_of_other_frameworks_are_kept() -> None:
    assert one("text", maps={"mvsp": ["1.1"], "caiq4": ["A&A-01.1"], "house": ["x"]}) == []


def test_the_default_language_is_complete_and_no_other_is_smuggled_in() -> None:
    assert faults(asks("a", help={"de": "Hilfe"}), languages=["en", "de"]) == [
        ("language_incomplete", "/sections/0/questions/0/help")
    ]
    assert faults(asks("a", help={"en": "Help", "fr": "Aide"})) == [
        ("language_unlisted", "/sections/0/questions/0/help/fr")
    ]
    assert faults(asks("a"), languages=["de"])[0] == ("language_missing", "/default_language")
    assert faults(asks("a"), languages=["en", "en"]) == [("twin_language", "/languages/1")]


def test_the_usual_options_are_english_so_other_languages_bring_their_own() -> None:
    def german(**fields: Any) -> dict[str, Any]:
        question = {"key": "a", "kind": "yes_no", "text": {"de": "Was?"}, **fields}
        part = {"key": "s", "title": {"de": "Teil"}, "questions": [question]}
        return document(part, title={"de": "Fragen"}, languages=["de"], default_language="de")

    told = checked(content_of(german())).faults
    assert [(fault.code, fault.pointer) for fault in told] == [
        ("language_incomplete", "/sections/0/questions/0/options")
    ]
    own = [{"key": "ja", "label": {"de": "Ja"}, "credit": 1000}]
    assert checked(content_of(german(options=own))).faults == ()


def test_the_coverage_of_other_languages_is_told() -> None:
    whole = content(asks("a", text={"en": "What?", "de": "Was?"}), languages=["en", "de"])
    assert translated(whole) == {"en": (3, 3), "de": (1, 3)}
    assert [(one.code, one.pointer) for one in checked(whole).warnings] == [("language_partial", "/languages/1")]
    assert translated(baseline()) == {"en": (179, 179)}


def test_only_placeholders_that_can_be_filled_are_allowed() -> None:
    assert one("text", help=en("For {vendor}, {service}, {tenant} by {due_on}; {} and { are text")) == []
    assert one("text", help=en("Dear {name}")) == [("unknown_placeholder", "/help/en")]


def test_a_questionnaire_asks_something_and_not_too_much() -> None:
    assert faults(section("s")) == [("no_questions", "/sections")]
    parts = [section(f"s{n}", *(asks(f"q{n}.{m}", "text") for m in range(500))) for n in range(4)]
    assert faults(*parts) == []
    assert faults(*parts, section("more", asks("q"))) == [("too_many_questions", "/sections")]


def test_at_most_fifty_faults_and_fifty_warnings_are_told() -> None:
    told = checked(content(*(asks(f"q{n}", "number", weight=1) for n in range(60))))
    assert len(told.faults) == 50
    early = checked(content(asks("a"), *(asks(f"q{n}", when="not a = yes") for n in range(60))))
    assert (len(early.faults), len(early.warnings)) == (0, 50)


def test_doubts_are_warnings() -> None:
    assert warnings(asks("a", weight=2, options=options("x"))) == [
        ("never_earns_credit", "/sections/0/questions/0/options")
    ]
    assert warnings(asks("a", same_as=["caiq4:A-1"]), asks("b", same_as=["caiq4:A-1"])) == [
        ("same_as_shared", "/sections/0/questions/0/same_as/0"),
        ("same_as_shared", "/sections/0/questions/1/same_as/0"),
    ]
    assert warnings(asks("a"), option_sets={"scale": options("x"), "yes_no": options("x")}) == [
        ("option_set_unused", "/option_sets/scale")
    ]


def test_a_content_with_twin_keys_is_not_judged_for_reach() -> None:
    """Which of the twins a condition means is not known."""
    assert faults(asks("a"), asks("a"), asks("b", when="a = yes and a = no")) == [
        ("twin_key", "/sections/0/questions/1/key")
    ]
