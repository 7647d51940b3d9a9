"""Conditions: the grammar accepts its own language only, with the offset of a fault, and prints what it parsed."""

import random
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vendorrisk.questionnaires.condition_grammar import (
    KEYWORDS,
    MOST_CHARACTERS,
    ConditionError,
    parse,
    parse_with_offsets,
    printed,
)
from vendorrisk.questionnaires.condition_tree import (
    AllOf,
    AnswerState,
    AnyOf,
    Compare,
    Condition,
    Count,
    Has,
    In,
    Is,
    Not,
    Operator,
    leaves_of,
)

refs = st.sampled_from(["a", "scope.personal", "vendor.data_classes", "q1", "x-2_b"])
literals = st.one_of(
    st.sampled_from(["yes", "no", "none", "soc2_type2"]),
    st.sampled_from(sorted(KEYWORDS)),
    st.text("aB ,()=.-_ß", max_size=12),
    st.decimals(-1000, 1000, places=2),
    st.integers(0, 10**15).map(Decimal),
    st.dates(),
    st.booleans(),
)
tests = st.one_of(
    st.builds(Is, refs, st.sampled_from(AnswerState)),
    st.builds(Compare, refs, st.sampled_from(Operator), literals),
    st.builds(In, refs, st.lists(literals, min_size=1, max_size=4).map(tuple)),
    st.builds(Has, refs, literals),
    st.builds(Count, refs, st.sampled_from(Operator), st.integers(0, 10**6)),
)


def _joins(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, inner), st.builds(AllOf, parts), st.builds(AnyOf, parts))


conditions = st.recursive(tests, _joins, max_leaves=12)
TOKENS = (
    "( ( ) ) , = != < <= > >= and or not is in has count answered not_applicable none true"
    " a b.c 'x y' 7 -1.50 2026-02-28"
)


@pytest.mark.parametrize(
    ("text", "fault", "offset"),
    [
        ("", "expected", 0),
        ("   ", "expected", 3),
        ("a =", "expected", 3),
        ("(a = yes", "expected", 8),
        ("a = yes)", "unexpected", 7),
        ("a = yes and", "expected", 11),
        ("and", "keyword", 0),
        ("answered = yes", "keyword", 0),
        ("a = and", "keyword", 4),
        ("a in ()", "expected", 6),
        ("a in (x y)", "expected", 8),
        ("a = 'x", "unexpected", 4),
        ("a = 'x\ny'", "unexpected", 4),
        ("a = 2026-02-30", "no_such_date", 4),
        ("a = 0000-01-01", "no_such_date", 4),
        ("(" * 21 + "a = yes" + ")" * 21, "too_deep", 21),
        ("not " * 21 + "a = yes", "too_deep", 84),
        (" or ".join(["a = yes"] * 51), "too_many_tests", 550),
        ("a = yes " * 126, "too_long", 1000),
        ("a == yes", "expected", 3),
        ("a && b", "unexpected", 2),
        ("a '=' b", "expected", 2),
        ("a = yes / 0", "unexpected", 8),
        ("a + 1 = 2", "unexpected", 2),
        ("a is yes", "expected", 5),
        ("a is 'none'", "expected", 5),
        ("a is not not none", "expected", 9),
        ("count(a) = 1.5", "count_is_whole", 11),
        ("count(a) = -1", "count_is_whole", 11),
        ("count(a) = x", "expected", 11),
        ("count a = 1", "expected", 6),
        ("count(count) = 1", "keyword", 6),
        ("max(a) = 1", "expected", 3),
        ("a = yes; drop table x", "unexpected", 7),
        ("__import__('os')", "unexpected", 0),
        ("not", "expected", 3),
        ("A = yes", "unexpected", 0),
        ("a = ٣", "unexpected", 4),
        ("a = yes\x00", "unexpected", 7),
        ("a\u00a0= yes", "unexpected", 1),
    ],
)
def test_a_text_that_is_no_condition_is_refused_with_the_place_and_the_kind_of_its_fault(
    text: str, fault: str, offset: int
) -> None:
    with pytest.raises(ConditionError) as refused:
        parse(text)
    assert (refused.value.fault, refused.value.offset) == (fault, offset)
    assert refused.value.detail.endswith(".")


def test_every_form_of_a_test_is_parsed() -> None:
    assert parse("a = yes") == Compare("a", Operator.EQUAL, "yes")
    assert parse("a!='Yes, of course'") == Compare("a", Operator.UNEQUAL, "Yes, of course")
    assert parse("a >= -1.50") == Compare("a", Operator.AT_LEAST, Decimal("-1.5"))
    assert parse("a < 2026-02-28") == Compare("a", Operator.LESS, date(2026, 2, 28))
    assert parse("service.is_uptime_critical = true") == Compare(
        ref="service.is_uptime_critical", operator=Operator.EQUAL, literal=True
    )
    assert parse("a in (x,'y',3)") == In("a", ("x", "y", Decimal(3)))
    assert parse("a has none") == Has("a", "none")
    assert parse("count( a ) <= 3") == Count("a", Operator.AT_MOST, 3)
    assert parse("a is none") == Is("a", AnswerState.NONE)
    assert parse("a is not answered") == parse("not a is answered") == Not(Is("a", AnswerState.ANSWERED))


def test_and_binds_closer_than_or_and_not_closest() -> None:
    a, b, c = (Compare(ref, Operator.EQUAL, "yes") for ref in "abc")
    assert parse("a = yes or b = yes and c = yes") == AnyOf((a, AllOf((b, c))))
    assert parse("(a = yes or b = yes) and c = yes") == AllOf((AnyOf((a, b)), c))
    assert parse("not a = yes and b = yes") == AllOf((Not(a), b))
    assert parse("not (a = yes and b = yes)") == Not(AllOf((a, b)))
    assert parse("(a = yes)") == a


def test_twenty_levels_fifty_tests_and_a_thousand_characters_are_accepted() -> None:
    parse("(" * 20 + "a = yes" + ")" * 20)
    assert len(list(leaves_of(parse(" or ".join(["a = yes"] * 50))))) == 50
    parse("a = yes" + " " * 993)


def test_a_condition_is_printed_with_blanks_and_without_idle_brackets() -> None:
    assert printed(parse("((a=yes)and(not(count(b)>2)))")) == "a = yes and not count(b) > 2"
    assert printed(parse("not a is answered or(c in(x,y))")) == "a is not answered or c in (x, y)"
    assert printed(parse("a='( x , y )'")) == "a = '( x , y )'"
    assert printed(parse("a = 'true' or a = true or a = 'none'")) == "a = 'true' or a = true or a = none"


def test_a_condition_without_blanks_prints_within_the_limit_it_was_written_in() -> None:
    tight = "or ".join(["a.very.long.key.of.a.question=''"] * 28)
    dense = tight + "or " + "b" * (MOST_CHARACTERS - len(tight) - 6) + "<-1"
    assert len(dense) == MOST_CHARACTERS
    assert parse(printed(parse(dense))) == parse(dense)


@given(conditions)
@settings(max_examples=250, deadline=None)
def test_a_printed_condition_parses_to_itself(condition: Condition) -> None:
    try:
        read = parse(printed(condition))
    except ConditionError as error:
        assert error.fault == "too_long"  # noqa: PT017 - what hypothesis builds may be longer than a person may write
        return
    assert read == condition
    assert printed(read) == printed(condition)


@given(st.one_of(st.text(max_size=2000), st.lists(st.sampled_from(TOKENS.split()), max_size=80).map(" ".join)))
@example("(" * 2000)
@example("not " * 500)
@example("9" * 1000)
@example("a = " + "9" * 990)
@example("count(a) = " + "9" * 980)
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_condition_or_a_fault_within_it(text: str) -> None:
    try:
        condition, offsets = parse_with_offsets(text)
    except ConditionError as error:
        assert 0 <= error.offset <= len(text)  # noqa: PT017 - either outcome is right
    else:
        assert parse(printed(condition)) == condition
        assert len(offsets) == len(list(leaves_of(condition)))
        assert all(text[at].isalpha() for at in offsets)


def test_random_sequences_of_tokens_that_parse_print_and_parse_equal() -> None:
    """Texts of words seldom parse. Shuffled parts of real conditions do so often."""
    chance, parsed = random.Random(7), 0
    parts = ["a = yes", "not", "(", ")", "and", "or", "b has x", "count(c) >= 2", "d is not none", "e in (u, 'v w')"]
    for _ in range(20_000):
        text = chance.choice([" ", ""]).join(chance.choices(parts, k=chance.randint(1, 6)))
        try:
            condition = parse(text)
        except ConditionError:
            continue
        parsed += 1
        assert parse(printed(condition)) == condition
    assert parsed > 2000
