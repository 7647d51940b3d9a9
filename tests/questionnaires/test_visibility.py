"""The questions that are asked: one pass, hidden ones count as unanswered, flags see everything that is shown."""

import statistics
import time
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.questionnaires.documents import asks, baseline, content, en, section
from vendorrisk.questionnaires.content import NONE_VALUE, canonical, digest
from vendorrisk.questionnaires.visibility import Answered, Compiled, Fact, Turn
from vendorrisk.vendors.model import Tier

YES, NO, NA = Answered("answered", "yes"), Answered("answered", "no"), Answered("not_applicable")


def said(value: object) -> Answered:
    return Answered("answered", value)


def shows(when: str, earlier: dict[str, Any], answer: Answered | None, **facts: Any) -> bool:
    named = {name.replace("__", "."): fact for name, fact in facts.items()}
    compiled = Compiled.of(content(earlier, asks("b", when=when)))
    return "b" in compiled.shown({} if answer is None else {"a": answer}, named)


def test_a_test_of_an_unanswered_question_is_false_also_with_unequal() -> None:
    assert not shows("a = yes", asks("a"), None)
    assert not shows("a != yes", asks("a"), None)
    assert not shows("a in (yes, no)", asks("a"), None)
    assert not shows("a is answered", asks("a"), None)
    assert shows("not a = yes", asks("a"), None)
    assert shows("a is not answered", asks("a"), Answered("cleared"))


def test_a_test_of_what_is_not_applicable_is_false_but_for_its_own() -> None:
    earlier = asks("a", not_applicable="with_reason")
    assert shows("a is not_applicable", earlier, NA)
    assert not shows("a is answered", earlier, NA)
    assert not shows("a != yes", earlier, NA)
    assert not shows("a is not_applicable", earlier, YES)


def test_the_answer_none_is_an_answer_whose_count_is_nought() -> None:
    number = asks("a", "number", none={"label": en("No limit")})
    assert shows("a is none", number, said(NONE_VALUE))
    assert shows("a is answered", number, said(NONE_VALUE))
    assert not shows("a < 4", number, said(NONE_VALUE))
    assert not shows("a != 4", number, said(NONE_VALUE))
    table = asks("a", "table", none={"label": en("There is none")})
    assert shows("count(a) = 0", table, said(NONE_VALUE))
    assert not shows("count(a) = 0", table, None)
    assert shows("count(a) >= 2", table, said([{"name": "x"}, {"name": "y"}]))


def test_numbers_and_days_are_compared_exactly() -> None:
    assert shows("a = 0.1", asks("a", "number"), said(0.1))
    assert shows("a <= 0.3", asks("a", "number"), said(Decimal("0.3")))
    assert shows("a > 999999999999998", asks("a", "number"), said(999999999999999))
    assert shows("a < 2026-03-01", asks("a", "date"), said("2026-02-28"))
    assert not shows("a < 2026-03-01", asks("a", "date"), said("2026-03-01"))


def test_choices_files_and_texts() -> None:
    many = asks("a", "multiple")
    assert shows("a has x and not a has y and count(a) = 2", many, said(["z", "x"]))
    assert shows("count(a) > 1", asks("a", "file"), said(["f1", "f2"]))
    assert shows("a is answered", asks("a", "text"), said("hello"))
    assert not shows("a is answered", asks("a", "text"), said(""))


def test_a_stored_value_of_another_kind_counts_as_unanswered() -> None:
    strange: tuple[Any, ...] = (None, True, [], {}, "x", float("nan"), float("inf"), 5)
    for value in strange:
        assert not shows("a > 2026-01-01", asks("a", "date"), said(value))
        assert not shows("count(a) >= 1", asks("a", "multiple"), said(value if value != [] else None))
    assert not shows("a >= 0", asks("a", "number"), said(float("nan")))
    assert not shows("a = 1", asks("a", "number"), said(value=True))


def test_facts_are_compared_as_answers_and_an_unknown_tier_has_a_name() -> None:
    earlier = asks("a")
    assert shows("vendor.tier = high", earlier, None, vendor__tier=Tier.HIGH)
    assert shows("vendor.tier != low", earlier, None, vendor__tier=Tier.HIGH)
    assert shows("vendor.tier = unknown", earlier, None)
    assert shows("vendor.data_classes has personal", earlier, None, vendor__data_classes=["personal", "card"])
    assert shows("count(vendor.data_classes) = 0", earlier, None, vendor__data_classes=[])
    assert not shows("count(service.data_classes) = 0", earlier, None)
    assert shows("service.handles_transactions = true", earlier, None, service__handles_transactions=True)
    assert shows("service.handles_transactions = no", earlier, None, service__handles_transactions=False)
    assert shows("service.handles_transactions = no", earlier, None, service__handles_transactions="no")
    assert not shows("service.handles_transactions = no", earlier, None)


def test_a_hidden_question_counts_as_unanswered_and_comes_back_with_its_answer() -> None:
    compiled = Compiled.of(content(asks("a"), asks("b", when="a = yes"), asks("c", when="b = yes")))
    answers = {"a": YES, "b": YES, "c": YES}
    assert compiled.shown(answers, {}) == {"a", "b", "c"}
    assert compiled.shown(answers | {"a": NO}, {}) == {"a"}
    assert compiled.shown(answers, {}) == {"a", "b", "c"}


def test_section_and_question_conditions_hold_together() -> None:
    second = section("two", asks("b"), asks("c", when="b = yes"), when="a = yes")
    compiled = Compiled.of(content(section("one", asks("a")), second))
    assert compiled.shown({"a": YES, "b": YES}, {}) == {"a", "b", "c"}
    assert compiled.shown({"a": YES, "b": NO}, {}) == {"a", "b"}
    assert compiled.shown({"b": YES}, {}) == {"a"}
    assert compiled.gates == {"a": (), "b": ("a",), "c": ("a", "b")}


def test_what_an_answer_shows_and_hides_is_told_in_the_order_of_the_questions() -> None:
    questions = (asks("a"), asks("d", when="a = no"), asks("c", when="a = yes"), asks("b", when="a = yes"))
    compiled = Compiled.of(content(*questions))
    before, after = compiled.shown({"a": NO}, {}), compiled.shown({"a": YES}, {})
    assert compiled.turned(before, after) == Turn(shown=("c", "b"), hidden=("d",))
    assert compiled.turned(after, after) == Turn((), ())


def test_the_questions_that_steer_others_and_that_raise_flags_are_known() -> None:
    flag = {"key": "f", "when": "c = no and vendor.tier = high", "severity": "high", "title": en("Look")}
    compiled = Compiled.of(
        content(asks("a"), asks("b", when="a = yes and vendor.tier = high", flags=[flag]), asks("c"))
    )
    assert [key for key in "abc" if compiled.steers(key)] == ["a"]
    assert compiled.steering == {"a"}
    assert compiled.flagging == {"c"}


def test_a_flag_sees_later_questions_but_no_hidden_answer() -> None:
    flags = [
        {"key": "f", "when": "c = no", "severity": "high", "title": en("Look"), "shown": False},
        {"key": "g", "when": "b = no and vendor.tier = high", "severity": "low", "title": en("Look")},
    ]
    compiled = Compiled.of(content(asks("a"), asks("b", when="a = yes", flags=flags), asks("c", when="a = yes")))
    answers = {"a": YES, "b": NO, "c": NO}
    assert [raised.flag.key for raised in compiled.flags(answers, {})] == ["f"]
    assert [(one.question, one.flag.key) for one in compiled.flags(answers, {"vendor.tier": "high"})] == [
        ("b", "f"),
        ("b", "g"),
    ]
    assert compiled.flags(answers | {"a": NO}, {"vendor.tier": "high"}) == ()


def test_a_compiled_content_is_kept_by_its_digest() -> None:
    whole = content(asks("kept"))
    compiled = Compiled.of(whole)
    assert compiled.sha256 == digest(canonical(whole))
    assert Compiled.of(content(asks("kept"))) is compiled
    assert Compiled.known(compiled.sha256) is compiled
    assert Compiled.known("0" * 64) is None


def test_the_last_used_contents_are_kept_and_no_more() -> None:
    first = Compiled.of(content(asks("first")), "first")
    for number in range(63):
        Compiled.of(content(asks("other")), f"other{number}")
    assert Compiled.known("first") is first
    for number in range(63, 100):
        Compiled.of(content(asks("other")), f"other{number}")
    assert Compiled.known("first") is first
    for number in range(100, 164):
        Compiled.of(content(asks("other")), f"other{number}")
    assert Compiled.known("first") is None


def test_the_baseline_asks_65_of_everybody_and_all_80_of_a_vendor_with_everything() -> None:
    compiled = Compiled.of(baseline())
    everybody = compiled.shown({}, {})
    assert len(everybody) == 65
    assert sum(compiled.by_key[key].weight for key in everybody) == 264
    gates = ("scope.personal", "scope.calculates", "scope.develops", "scope.ai")
    assert len(compiled.shown(dict.fromkeys(gates, YES), {})) == 80
    assert len(compiled.shown({}, {"vendor.data_classes": ["health"]})) == 73
    assert compiled.steering == set(gates)
    for key in compiled.steering:
        assert compiled.by_key[key].gate


def test_the_baseline_holds_claims_against_our_record() -> None:
    compiled = Compiled.of(baseline())
    facts: dict[str, Fact] = {"vendor.data_classes": ["personal"], "service.handles_transactions": True}
    claims = {"scope.personal": NO, "scope.calculates": NO, "assurance.exceptions": said("open")}
    raised = compiled.flags(claims, facts)
    assert [one.flag.key for one in raised] == ["personal.contradicts", "calculates.contradicts", "exceptions.open"]
    assert [one.flag.shown for one in raised] == [False, False, True]
    assert compiled.flags({"scope.personal": YES}, facts) == ()


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.text(max_size=2), max_size=3)
)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.builds(Answered, st.sampled_from(["answered", "x"]), values)))
@settings(max_examples=200, deadline=None)
def test_no_stored_value_makes_a_condition_fail(answers: dict[str, Answered]) -> None:
    questions = [
        asks("a"),
        asks("b", "single"),
        asks("c", "multiple"),
        asks("d", "number", none={"label": en("None")}),
        asks("e", "date"),
        asks("f", "text"),
        asks("g", "file"),
        asks("h", "table"),
    ]
    when = (
        "a != no or b in (x, y) or c has x or count(c) > 1 or d < 4 or d is none or e > 2026-01-01"
        " or f is answered or count(g) = 2 or count(h) <= 3"
    )
    compiled = Compiled.of(content(*questions, asks("z", when=when)))
    assert compiled.shown(answers, {}) >= set("abcdefgh")


def test_the_visibility_of_261_questions_takes_less_than_half_a_millisecond() -> None:
    chain = [asks(f"q{n}", **({"when": f"q{n - 1} = yes or q0 = no"} if n % 3 else {})) for n in range(261)]
    compiled = Compiled.of(content(*chain))
    answers = {f"q{n}": YES for n in range(261)}
    took, shown = [], compiled.shown({}, {})
    for _ in range(300):
        began = time.perf_counter()
        shown = compiled.shown(answers, {})
        took.append(time.perf_counter() - began)
    assert len(shown) == 261
    # The quickest tenth: other work of the machine is not measured.
    assert statistics.quantiles(took, n=10)[0] < 0.0005
