"""The format: what it takes, its one canonical form, and the numbers of the built-in baseline."""

import copy
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from tests.questionnaires.documents import BUILT_IN, asks, baseline, content, document, en, options, section
from vendorrisk.evidence.criteria import TITLES
from vendorrisk.questionnaires.content import (
    DEFAULT_OPTIONS,
    Content,
    ContentError,
    canonical,
    content_of,
    digest,
    options_of,
    questions_of,
)
from vendorrisk.questionnaires.content_checks import Checked, checked
from vendorrisk.questionnaires.question_checks import KNOWN_IDS


def refused(raw: object) -> list[tuple[str, str]]:
    with pytest.raises(ContentError) as error:
        content_of(raw)
    assert all(fault.detail.endswith((".", "?")) for fault in error.value.faults)
    return [(fault.code, fault.pointer) for fault in error.value.faults]


def test_the_canonical_form_has_sorted_keys_no_blanks_and_no_defaults() -> None:
    whole = content(asks("a", weight=0, critical=False, meaning=1, required=True, flags=[]))
    assert canonical(whole).decode() == (
        '{"default_language":"en","format":"vendorrisk-questionnaire/1","key":"k","languages":["en"],"method":"q1",'
        '"sections":[{"key":"all","questions":[{"key":"a","kind":"yes_no","text":{"en":"What about a?"}}],'
        '"title":{"en":"all"}}],"title":{"en":"A questionnaire"}}'
    )


def test_equal_contents_have_one_digest_however_they_are_written() -> None:
    plain = document(asks("a", "number", minimum=7, text={"en": "Caf\u00e9 and more"}))
    other = document(asks("a", "number", minimum=7.0, text={"en": "  Cafe\u0301 and more\r\n"}))
    turned = json.dumps(dict(reversed(other.items())), indent=2, ensure_ascii=True).encode()
    assert canonical(content_of(turned)) == canonical(content_of(plain))
    assert "Caf\u00e9 and more" in canonical(content_of(turned)).decode()


def test_the_canonical_form_reads_back_as_the_same_content() -> None:
    form = canonical(baseline())
    assert canonical(content_of(form)) == form
    assert content_of(form) == baseline()
    assert unicodedata.is_normalized("NFC", form.decode())


def test_a_byte_order_mark_before_the_document_is_no_part_of_it() -> None:
    assert content_of(b"\xef\xbb\xbf" + canonical(baseline())) == baseline()


def kinds_of(kind: inspect.Type, seen: set[type]) -> Iterator[inspect.Type]:
    yield kind
    inner = [getattr(kind, name) for name in ("type", "item_type", "key_type", "value_type") if hasattr(kind, name)]
    inner += getattr(kind, "types", ())
    if isinstance(kind, inspect.StructType) and kind.cls not in seen:
        seen.add(kind.cls)
        inner += [field.type for field in kind.fields]
    for one in inner:
        yield from kinds_of(one, seen)


def test_no_type_of_the_format_joins_a_list_with_a_text_that_has_a_pattern() -> None:
    """Msgspec 0.22 reads a wrong pointer for such a type when garbage is collected, and the process dies."""
    unions = [kind for kind in kinds_of(inspect.type_info(Content), set()) if isinstance(kind, inspect.UnionType)]
    assert len(unions) > 5
    for union in unions:
        bare = [one.type if isinstance(one, inspect.Metadata) else one for one in union.types]
        has_list = any(isinstance(one, inspect.CollectionType) for one in bare)
        assert not (has_list and any(isinstance(one, inspect.StrType) and one.pattern for one in bare))


def test_a_content_made_by_hand_is_written_in_nfc_too() -> None:
    made = Content(
        format="vendorrisk-questionnaire/1",
        key="k",
        title={"en": "Cafe\u0301"},
        languages=("en",),
        default_language="en",
        method="q1",
    )
    assert "Caf\u00e9" in canonical(made).decode()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"weight": -1}, ("value_out_of_range", "/weight")),
        ({"weight": 0.5}, ("field_invalid", "/weight")),
        ({"weight": 1001}, ("value_out_of_range", "/weight")),
        ({"meaning": 0}, ("value_out_of_range", "/meaning")),
        ({"kind": "essay"}, ("value_not_allowed", "/kind")),
        ({"key": "Upper"}, ("field_invalid", "/key")),
        ({"key": "a" * 65}, ("value_out_of_range", "/key")),
        ({"key": "a..b"}, ("field_invalid", "/key")),
        ({"text": {}}, ("value_out_of_range", "/text")),
        ({"text": {"en": "x" * 2001}}, ("value_out_of_range", "/text/en")),
        ({"text": {"english": "x"}}, ("field_unknown", "/text/english")),
        ({"text": {"en": "   "}}, ("text_invalid", "/text/en")),
        ({"text": {"en": "a\u202eb"}}, ("text_invalid", "/text/en")),
        ({"text": {"en": "a\x00b"}}, ("text_invalid", "/text/en")),
        ({"when": "a\x00"}, ("text_invalid", "/when")),
        ({"unit": "\x07"}, ("text_invalid", "/unit")),
        ({"colour": "red"}, ("field_unknown", "/colour")),
        (
            {"options": [{"key": "a", "label": {"en": "x"}, "credit": 1001}]},
            ("value_out_of_range", "/options/0/credit"),
        ),
        ({"options": []}, ("value_out_of_range", "/options")),
        ({"options": options(*(f"o{n}" for n in range(101)))}, ("value_out_of_range", "/options")),
        ({"options": 5}, ("field_invalid", "/options")),
        ({"not_applicable": "always"}, ("value_not_allowed", "/not_applicable")),
        ({"not_after": "tomorrow"}, ("field_invalid", "/not_after")),
        ({"minimum": float("nan")}, ("field_invalid", "/minimum")),
        ({"minimum": 10**15}, ("field_invalid", "/minimum")),
        ({"max_rows": 201}, ("value_out_of_range", "/max_rows")),
        ({"evidence": {"wanted": True, "kinds": ["diploma"]}}, ("value_not_allowed", "/evidence/kinds/0")),
        ({"fields": [asks("f")] * 6}, ("value_out_of_range", "/fields")),
        ({"same_as": ["IAM-14.1"]}, ("field_invalid", "/same_as/0")),
        ({"maps": {"soc2": ["CC 1.1"]}}, ("field_invalid", "/maps/soc2/0")),
    ],
)
def test_a_value_outside_the_format_is_refused_with_its_place(change: dict[str, Any], fault: tuple[str, str]) -> None:
    code, place = fault
    assert refused(document(asks("a") | change)) == [(code, f"/sections/0/questions/0{place}")]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "body_malformed"),
        (b"{", "body_malformed"),
        (b"\xff\xfe", "body_malformed"),
        (b"[" * 100_000, "body_malformed"),
        (b'{"key": 1e400}', "body_malformed"),
        (b" " * (4 * 2**20 + 1), "body_too_large"),
        (b"null", "field_invalid"),
        ("text", "field_invalid"),
        ([], "field_invalid"),
        (5, "field_invalid"),
        ({"title": "\ud800"}, "text_invalid"),
    ],
)
def test_a_body_that_is_no_document_is_refused(raw: object, code: str) -> None:
    assert refused(raw) == [(code, "")]


def test_a_document_of_another_format_or_method_is_refused() -> None:
    assert refused(document(asks("a"), format="vendorrisk-questionnaire/2")) == [("value_not_allowed", "/format")]
    assert refused(document(asks("a"), method="q2")) == [("value_not_allowed", "/method")]


def test_at_most_fifty_faults_are_told() -> None:
    assert len(refused(document(*(asks(f"a{n}", weight=-1) for n in range(60))))) == 50


def test_limits_of_sections_and_languages_are_held() -> None:
    assert refused(document(*(section(f"s{n}") for n in range(101)))) == [("value_out_of_range", "/sections")]
    assert refused(document(asks("a"), languages=["en"] * 21)) == [("value_out_of_range", "/languages")]


def test_the_options_of_a_question_are_its_own_those_of_its_set_or_the_usual() -> None:
    whole = content(
        asks("usual"),
        asks("named", options="scale"),
        asks("own", "single", options=options("x", y=10)),
        asks("gone", "single", options="nowhere"),
        asks("none", "text"),
        option_sets={"scale": options(high=1000, low=0)},
    )
    by_key = {question.key: [one.key for one in options_of(whole, question)] for _, _, question in questions_of(whole)}
    assert by_key == {
        "usual": ["yes", "partial", "planned", "no"],
        "named": ["high", "low"],
        "own": ["x", "y"],
        "gone": [],
        "none": [],
    }
    assert [(one.credit, one.asks_note) for one in DEFAULT_OPTIONS] == [
        (1000, False),
        (500, True),
        (250, True),
        (0, False),
    ]


def test_a_set_named_yes_no_takes_the_place_of_the_usual_options() -> None:
    whole = content(asks("a"), option_sets={"yes_no": options(yes=1000, no=0)})
    question = whole.sections[0].questions[0]
    assert [one.key for one in options_of(whole, question)] == ["yes", "no"]


def test_places_count_from_one_through_all_sections() -> None:
    whole = content(section("one", asks("a"), asks("b")), section("two", asks("c")))
    assert [(place, part.key, question.key) for place, part, question in questions_of(whole)] == [
        (1, "one", "a"),
        (2, "one", "b"),
        (3, "two", "c"),
    ]


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["key", "en", "kind", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_field_there_is_a_content_or_a_list_of_faults(data: st.DataObject) -> None:
    """Each field of the baseline, replaced by any value, is accepted or refused by its place, and checked in peace."""
    whole = copy.deepcopy(SMALL)
    part: Any = whole
    while isinstance(part, dict | list) and part:
        step = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[step], dict | list) or not part[step] or data.draw(st.integers(0, 3)) == 0:
            part[step] = data.draw(json_values)
            break
        part = part[step]
    try:
        read = content_of(whole)
    except ContentError as error:
        assert error.faults  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(checked(read), Checked)
        assert canonical(content_of(canonical(read))) == canonical(read)


SMALL = document(
    asks("a", flags=[{"key": "f", "when": "a = no", "severity": "high", "title": en("Look")}], same_as=["caiq4:A-1"]),
    asks("n", "number", weight=2, minimum=0, none={"label": en("None")}, when="a = yes")
    | {"score": {"rule": "bands", "bands": [{"up_to": 3, "credit": 1000}, {"credit": 0}]}},
    asks("m", "multiple", options=options("x", y=500), weight=1, maps={"soc2": ["CC1.1"]})
    | {"score": {"rule": "share", "none_of": "x"}},
    asks("t", "table", evidence={"wanted": True, "kinds": ["policy"]}, max_rows=4),
    option_sets={"scale": options("x")},
)


def test_the_baseline_has_no_fault_and_no_warning() -> None:
    assert checked(baseline()) == Checked((), ())


def test_the_baseline_has_its_numbers() -> None:
    asked = [question for _, _, question in questions_of(baseline())]
    assert len(asked) == 80
    assert sum(1 for question in asked if question.weight) == 73
    assert sum(question.weight for question in asked) == 328
    assert sum(question.critical for question in asked) == 10
    assert sum(1 for question in asked if question.evidence and question.evidence.wanted) == 16
    assert len(baseline().sections) == 17


def test_each_soc2_criterion_has_a_scored_question_of_the_baseline() -> None:
    asked = [question for _, _, question in questions_of(baseline())]
    scored = Counter(criterion for one in asked if one.weight for criterion in one.maps["soc2"])
    assert set(scored) == set(TITLES)
    assert len(TITLES) == 61


def test_the_baseline_touches_the_frameworks_as_documented() -> None:
    asked = [question for _, _, question in questions_of(baseline())]
    touched = {name: {i for one in asked for i in one.maps.get(name, ())} for name in (*KNOWN_IDS, "mvsp")}
    assert {name: len(ids) for name, ids in touched.items()} == {
        "soc2": 61,
        "iso27001": 72,
        "csf2": 75,
        "ccm4": 123,
        "mvsp": 24,
    }
    assert {name: len(ids) for name, ids in KNOWN_IDS.items()} == {
        "soc2": 61,
        "iso27001": 93,
        "csf2": 106,
        "ccm4": 197,
    }


def test_the_digest_of_the_baseline_is_pinned() -> None:
    """A change of the canonical form would make every stored digest wrong."""
    assert digest(canonical(baseline())) == "bd845fa2f6a45e0fb5ff9ac214536b4673539d9523cab863cba9c8cb472d9550"
    raw = json.loads((BUILT_IN / "baseline.json").read_bytes())
    assert raw["key"] == "baseline"
    assert raw["licence"] == "Apache-2.0"
