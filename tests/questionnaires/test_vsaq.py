"""Google's four questionnaires: every item and condition arrives, and asks the same as by a port of its evaluator."""

import json
import random
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice, product
from typing import Any

import msgspec
import pytest

from tests.questionnaires.vsaq_port import (
    FILES,
    FOLDER,
    InvalidExpressionError,
    Item,
    World,
    evaluated,
    items,
    names_of,
    source,
)
from vendorrisk.questionnaires.built_ins import built_in_content
from vendorrisk.questionnaires.condition_grammar import ConditionError, parse
from vendorrisk.questionnaires.condition_tree import Condition, Has, truth_of
from vendorrisk.questionnaires.content import Content, ContentError, ContentFault, Question, QuestionKind, questions_of
from vendorrisk.questionnaires.content_checks import checked
from vendorrisk.questionnaires.visibility import Answered, Compiled
from vendorrisk.questionnaires.vsaq import content_of_vsaq
from vendorrisk.questionnaires.vsaq_reading import MOST_BLOCKS, MOST_ITEMS, condition_of, plain_text


def test_the_four_files_hold_526_items_297_conditions_and_183_tips() -> None:
    every = [item for key in FILES for item in items(source(key))]
    assert len(every) == 526
    assert sum("cond" in item for item in every) == 297
    assert sum(item["type"] == "tip" for item in every) == 183


def asked_items(key: str) -> list[Item]:
    return [item for item in items(source(key)) if item["type"] not in {"block", "info", "tip"}]


def asked_questions(content: Content) -> list[Question]:
    return [question for _, _, question in questions_of(content)]


KINDS = {
    "radiogroup": QuestionKind.SINGLE,
    "checkgroup": QuestionKind.MULTIPLE,
    "line": QuestionKind.TEXT,
    "box": QuestionKind.TEXT,
}


@pytest.mark.parametrize("key", FILES)
def test_every_question_and_choice_arrives_with_its_id(key: str) -> None:
    for item, question in zip(asked_items(key), asked_questions(built_in_content(key)), strict=True):
        assert question.kind == KINDS[item["type"]]
        assert question.weight == 0
        if "id" in item:
            assert question.same_as == (f"vsaq:{item['id']}",)
            assert question.key == item["id"].lower().replace("_", "-")
        options = question.options or ()
        assert [option.key for option in options if not isinstance(option, str)] == [
            name.lower().replace("_", "-")[:64] for name in names_of(item)
        ]


@pytest.mark.parametrize("key", FILES)
def test_every_warning_is_a_flag_with_its_severity_and_asks_why(key: str) -> None:
    questions = asked_questions(built_in_content(key))
    flags = {flag.key: (flag, question) for question in questions for flag in question.flags}
    warnings = [item for item in items(source(key)) if item.get("warn") == "yes"]
    assert {item["id"].lower().replace("_", "-") for item in warnings} == set(flags)
    assert len(warnings) == len(flags)
    for item in warnings:
        flag, question = flags[item["id"].lower().replace("_", "-")]
        assert flag.severity.value == item.get("severity", "medium")
        assert flag.text is not None
        assert flag.text["en"].startswith(plain_text(item["text"]))
        if "why" in item:
            assert plain_text(item["why"]) in flag.text["en"] + (question.help or {}).get("en", "")
        tip_choices = [name.lstrip("^") for name in re.findall(r"(?<![!^\w])\w+", item["cond"])]
        if "why" in item and len(tip_choices) == 1 == len(re.findall(r"\w+", item["cond"])):
            option = tip_choices[0].lower().replace("_", "-")
            assert any(one.asks_note for q in questions for one in options_of_own(q) if one.key == option)


def options_of_own(question: Question) -> tuple[Any, ...]:
    return question.options if isinstance(question.options, tuple) else ()


@pytest.mark.parametrize("key", FILES)
def test_every_text_of_a_file_arrives(key: str) -> None:
    """But for titles of blocks without questions of their own, and names of tips without warning."""
    whole = " ".join(msgspec.json.encode(built_in_content(key)).decode().replace("\\n", " ").split())
    texts = [item[name] for item in items(source(key)) for name in ("text", "why") if name in item]
    texts += [label for item in items(source(key)) for choice in item.get("choices", ()) for label in choice.values()]
    sections = {section.title["en"] for section in built_in_content(key).sections}
    blocks = {item["text"] for item in items(source(key)) if item["type"] == "block"}
    missing = [
        text
        for text in texts
        if json.dumps(" ".join(plain_text(text).split()), ensure_ascii=False)[1:-1] not in whole
        and text not in blocks - sections
    ]
    assert missing == []


# Conditions


def worlds(involved: list[Item]) -> Iterator[set[str]]:
    """Yield all choices that can be made in some groups together, or 200 at random when they are too many."""
    ways: list[list[set[str]]] = []
    for item in involved:
        names = names_of(item)
        if item["type"] == "radiogroup":
            ways.append([set(), *({name} for name in names)])
        else:
            ways.append([{n for n, is_in in zip(names, made, strict=True) if is_in} for made in _subsets(names)])
    count = 1
    for way in ways:
        count *= len(way)
    if count <= 3000:
        yield from (set().union(*made) for made in product(*ways))
        return
    draw = random.Random(str(involved))
    yield from (set().union(*(draw.choice(way) for way in ways)) for _ in range(200))


def _subsets(names: list[str]) -> Iterator[tuple[bool, ...]]:
    return product([False, True], repeat=len(names))


@pytest.mark.parametrize("key", FILES)
def test_each_condition_is_true_in_the_same_worlds_as_by_a_port_of_its_evaluator(key: str) -> None:
    """Of each item: its own condition, or with those of its blocks where they are written as one."""
    blocks, content = source(key), built_in_content(key)
    groups = {name: item for item in items(blocks) for name in names_of(item)}
    tips = {item["id"]: item["cond"] for item in items(blocks) if item["type"] == "tip"}
    tests = sense_of(blocks, content)

    def resolve(name: str, _: int) -> Condition:
        return condition_of(tips[name[1:]], resolve) if name.startswith("^") else tests[name]

    def named(written: str) -> set[str]:
        return {
            one
            for name in re.findall(r"\^?\w+", written)
            for one in (named(tips[name[1:]]) if name.startswith("^") else {name})
        }

    seen = 0
    for item in items(blocks):
        if "cond" not in item:
            continue
        seen += 1
        truth = truth_of(condition_of(item["cond"], resolve))
        involved = list({id(groups[name]): groups[name] for name in sorted(named(item["cond"]))}.values())
        results = set()
        for chosen in worlds(involved):

            def ported(name: str, chosen: set[str] = chosen) -> bool:
                return evaluated(tips[name[1:]], ported) if name.startswith("^") else name in chosen

            expected = evaluated(item["cond"], ported)
            assert truth(given_by(involved, chosen, tests)) == expected, (item, chosen)
            results.add(expected)
        assert results == {True, False}, "a condition that never turns would prove nothing"
    assert seen == sum("cond" in item for item in items(blocks))


def sense_of(blocks: list[Item], content: Content) -> dict[str, Condition]:
    """Return the test of each choice, by its place in the file."""
    asked = [item for item in items(blocks) if item["type"] not in {"block", "info", "tip"}]
    found: dict[str, Condition] = {}
    for item, question in zip(asked, asked_questions(content), strict=True):
        sign = "has" if item["type"] == "checkgroup" else "="
        for name, option in zip(names_of(item), options_of_own(question), strict=True):
            found[name] = parse(f"{question.key} {sign} {option.key}")
    return found


def given_by(involved: list[Item], chosen: set[str], tests: dict[str, Condition]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for item in involved:
        made: list[Any] = [tests[name] for name in names_of(item) if name in chosen]
        for test in made:
            several = frozenset(str(one.literal) for one in made)
            given[test.ref] = several if isinstance(test, Has) else test.literal
    return given


@pytest.mark.parametrize("key", FILES)
def test_the_same_questions_and_warnings_are_shown_in_200_random_worlds(key: str) -> None:
    blocks, content, draw = source(key), built_in_content(key), random.Random(key)
    compiled, questions = Compiled.of(content), asked_questions(content)
    shown_once: set[str] = set()
    raised_once: set[str] = set()
    for _ in range(200):
        chosen: set[str] = set()
        answers: dict[str, Answered] = {}
        for item, question in zip(asked_items(key), questions, strict=True):
            options = dict(zip(names_of(item), [option.key for option in options_of_own(question)], strict=True))
            if item["type"] == "radiogroup" and draw.random() < 0.9:
                name = draw.choice(list(options))
                chosen.add(name)
                answers[question.key] = Answered("answered", options[name])
            elif some := [name for name in options if item["type"] == "checkgroup" and draw.random() < 0.4]:
                chosen |= set(some)
                answers[question.key] = Answered("answered", [options[name] for name in some])
        world = World(blocks, chosen)
        shown = compiled.shown(answers, {})
        assert [question.key in shown for question in questions] == world.asked
        raised = {flag.flag.key for flag in compiled.flags(answers, {})}
        assert raised == {name.lower().replace("_", "-") for name in world.warned}
        shown_once |= shown
        raised_once |= raised
    assert shown_once == {question.key for question in questions}
    assert len(raised_once) > 0.9 * sum(len(question.flags) for question in questions)


VECTORS = {
    "true && false": False,
    "(true && false)": False,
    "false && false": False,
    "false || false": False,
    "true && (false && !true)": False,
    "true && true": True,
    "true && (true || false)": True,
    "false || !false": True,
    "true && (false || (!true)) || (true && true)": True,
}
INVALID = [
    "a!&&b",
    "a&&(c||d",
    "a&b",
    "a&&b&&(c",
    "a&&b&&c)",
    "a&&b&&c(d",
    "a&&b&&c(d,",
    "a&&b&&c(d e)",
    "a(b(c)",
    '"a',
    '"\\"',
    'a "',
    'a "b',
]


def choice(name: str, _: int) -> Condition:
    return Has("choices", name)


@pytest.mark.parametrize(("written", "expected"), VECTORS.items())
def test_the_vectors_of_its_own_tests_hold(written: str, *, expected: bool) -> None:
    truth = truth_of(condition_of(written, choice))
    assert truth({"choices": frozenset({"true"})}) is expected
    assert evaluated(written, lambda name: name == "true") is expected


@pytest.mark.parametrize("written", INVALID)
def test_the_expressions_that_its_own_tests_call_invalid_are_refused(written: str) -> None:
    with pytest.raises(ConditionError) as refused:
        condition_of(written, choice)
    assert 0 <= refused.value.offset <= len(written)
    if '"' not in written:
        with pytest.raises((InvalidExpressionError, IndexError, ValueError)):
            evaluated(written, lambda _: True)


def test_signs_have_equal_precedence_from_left_to_right() -> None:
    for values in product([False, True], repeat=3):
        made = dict(zip("abc", values, strict=True))
        given = {"choices": frozenset(name for name, is_made in made.items() if is_made)}
        truth = truth_of(condition_of("a || b && c", choice))
        assert truth(given) is ((made["a"] or made["b"]) and made["c"]) is evaluated("a || b && c", made.__getitem__)


# Texts


def test_texts_lose_their_markup_and_keep_their_addresses() -> None:
    text = msgspec.json.encode([built_in_content(key) for key in FILES]).decode()
    assert re.findall(
        r"</?(?:p|a|b|i|ul|ol|li|br|code|strong|em|div|span)\b[^>]*>|&#?\w+;(?<!&quot;)(?<!&ent;)", text
    ) == ["&etc;"]
    assert "(https://www.owasp.org/index.php/XSS)" in text
    quoted = sum((FOLDER / name).read_text(encoding="utf-8").count("&lt;") for name in FILES.values())
    assert text.count("<") == quoted, "only what the authors wrote as text"


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<script>alert(1)</script>Name?", "Name?"),
        ("<p>One<p>Two", "One\n\nTwo"),
        ("<ul><li>One<li><p>Two</p></ul>", "- One\n\n- Two"),
        ("<a href='https://example.com/x'>There</a>", "There (https://example.com/x)"),
        ("<a href='https://example.com/x'>https://example.com/x</a>", "https://example.com/x"),
        ("<a href='javascript:alert(1)'>There</a>", "There"),
        ("<img src=x onerror=alert(1)>Name<!-- no -->", "Name"),
        ("1 < 2 &amp; 3 &lt; 4", "1 < 2 & 3 < 4"),
        ("<style>p{}</style><iframe><b>x</b></iframe><textarea><b>y</b></textarea>z", "z"),
        ("The {vendor}", "The \uff5bvendor\uff5d"),
        ("<frameset>", ""),
        ("<b>" * 6000 + "deep", "deep"),
    ],
)
def test_html_becomes_plain_text(html: str, plain: str) -> None:
    assert plain_text(html) == plain


# Items


def block(*inside: Item, **more: Any) -> bytes:
    return json.dumps({"questionnaire": [{"type": "block", "text": "B", "items": list(inside), **more}]}).encode()


GROUP: Item = {"type": "radiogroup", "text": "G", "id": "g", "choices": [{"g_yes": "Yes"}, {"g_no": "No"}]}


def line(condition: str) -> Item:
    return {"type": "line", "text": "L", "id": "l", "cond": condition}


def tip(identifier: str, condition: str, **more: Any) -> Item:
    return {"type": "tip", "text": "T", "id": identifier, "warn": "yes", "cond": condition, **more}


def test_all_kinds_of_items_arrive() -> None:
    raw = block(
        {"type": "info", "text": "Which?"},
        {"type": "checkgroup", "id": "Some Group".replace(" ", "_"), "defaultChoice": True, "choices": [{"A.1": "A"}]},
        {"type": "check", "id": "ck", "text": "Check"},
        {"type": "yesno", "id": "yn", "text": "Yes or no?", "yes": "Sure", "no": "Never"},
        {"type": "line", "id": "ln", "text": "Line"},
        {"type": "box", "id": "bx", "text": "Box", "cond": "yn/no && ck && !A.1 && ln/value", "required": False},
        {"type": "upload", "id": "up", "text": "File", "cond": "Some_Group || yn"},
        tip("t", "yn/no || up/value", severity="critical", why="Why?", name="Bad"),
        line("!^t"),
    )
    content = content_of_vsaq(raw, "own", licence="MIT")
    assert checked(content).faults == ()
    some, _, yn, ln, bx, up, last = asked_questions(content)
    assert (content.licence, content.key, content.title) == ("MIT", "own", {"en": "B"})
    assert (some.key, some.text, some.same_as, some.kind) == (
        "some-group",
        {"en": "Which?"},
        ("vsaq:Some_Group",),
        "multiple",
    )
    assert [option.key for option in options_of_own(some)] == ["a-1", "none-of-the-above"]
    assert some.score is not None
    assert some.score.none_of == "none-of-the-above"
    assert [option.label["en"] for option in options_of_own(yn)] == ["Sure", "Never"]
    assert [option.asks_note for option in options_of_own(yn)] == [False, True]
    assert bx.when == "yn = no and ck = yes and not some-group has a-1 and ln is answered"
    assert up.when == "count(some-group) > 0 or yn = yes"
    assert last.when == "not (yn = no or count(up) > 0)"
    assert (up.required, bx.required, ln.required, up.kind) == (False, False, True, "file")
    [flag] = up.flags
    assert (flag.severity, flag.title, flag.text) == ("critical", {"en": "Bad"}, {"en": "T\n\nWhy?"})


def test_a_tip_stands_for_its_condition_and_those_of_its_blocks() -> None:
    inner = {"type": "block", "text": "In", "id": "in", "cond": "g_yes", "items": [tip("t", "h_no")]}
    other: Item = {"type": "radiogroup", "text": "H", "id": "h", "choices": [{"h_yes": "Yes"}, {"h_no": "No"}]}
    content = content_of_vsaq(block(GROUP, other, inner, line("!^t")), "own")
    assert asked_questions(content)[-1].when == "not (g = g-yes and h = h-no)"


def test_comments_and_joined_texts_are_read() -> None:
    raw = rb"""// head
    {"questionnaire": [ // a block
      {"type": "block", "text": "B // no comment \" + \"" + // between
        " and " +
        "more", "items": [{"type": "line", "id": "l", "text": "http://x"}]} ]} // end"""
    content = content_of_vsaq(raw, "own")
    assert content.title == {"en": 'B // no comment " + " and more'}
    assert asked_questions(content)[0].text == {"en": "http://x"}


BROKEN = [
    b"",
    b"{",
    b"[" * 50_000,
    b"\xff",
    b"{'questionnaire': []}",
    block(GROUP)[:-1] + b",}",
    block(GROUP) + b"+",
    b"/* no */" + block(GROUP),
    b"# no\n" + block(GROUP),
    block(GROUP).replace(b'"B"', b'"B" + 1'),
    block(GROUP).replace(b'"B"', b'1 + "B"'),
    block(GROUP).replace(b'"B"', b'+ "B"'),
    block(GROUP).replace(b'"B"', b'"B" + + "C"'),
    block(GROUP).replace(b'"B"', b'"B" +'),
    block(GROUP).replace(b'"B"', b'"B" "C"'),
    block(GROUP).replace(b'"B"', b"NaN"),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_nothing_else_is_tolerated(raw: bytes) -> None:
    [fault] = faults(raw)
    assert (fault.code, fault.pointer) == ("body_malformed", "")


def faults(raw: bytes) -> tuple[ContentFault, ...]:
    with pytest.raises(ContentError) as refused:
        content_of_vsaq(raw, "own")
    return refused.value.faults


def nested(levels: int) -> bytes:
    item: Item = dict(GROUP)
    for _ in range(levels):
        item = {"type": "block", "text": "B", "items": [item]}
    return json.dumps({"questionnaire": [item]}).encode()


COND = "/questionnaire/0/items/1/cond"
MANY = [{"type": "info", "text": "x"}] * 100_000
REFUSED = {
    "contains": (block(GROUP, line('contains(g_yes, "x")')), COND, ["contains()", "item l"]),
    "matches": (block(GROUP, line('!matches(g_yes, "x")')), COND, ["matches()", "item l"]),
    "an unknown choice": (block(GROUP, line("nobody")), COND, ["nobody", "item l"]),
    "an open bracket": (block(GROUP, line("(g_yes")), COND, ["item l"]),
    "an empty bracket": (block(GROUP, line("()")), COND, ["item l"]),
    "an early end": (block(GROUP, line("g_yes &&")), COND, ["item l", "ends too early"]),
    "two choices without a sign": (block(GROUP, line("g_yes g_no")), COND, ["item l"]),
    "not not": (block(GROUP, line("!!g_yes")), COND, ["item l"]),
    "arithmetic": (block(GROUP, line("g_yes + 1")), COND, ["item l", "'+'"]),
    "too deep": (block(GROUP, line("(" * 5000 + "g_yes" + ")" * 5000)), COND, ["item l", "20 levels"]),
    "too many names": (block(GROUP, line(" || ".join(["g_yes"] * 51))), COND, ["item l", "50"]),
    "a tip that asks itself": (block(GROUP, tip("t", "^t")), COND, ["item t", "itself"]),
    "a forward reference": (block(GROUP, line("h"), {**GROUP, "id": "h", "choices": [{"x": "X"}]}), COND, ["item l"]),
    "a cycle": (block(GROUP, tip("t", "^u"), tip("u", "^t")), COND, ["item t", "^u stands later"]),
    "a block without a choice": (block(GROUP, line("g_yes && b"), id="b"), COND, ["item l", "^b"]),
    "what is always shown": (block(GROUP, line("^g")), COND, ["item l", "always"]),
    "a script as an item": (block({"type": "script", "id": "s"}), "/questionnaire/0/items/0/type", ["block"]),
    "twin ids": (block(GROUP, GROUP), "/questionnaire/0/items/1", ["used twice"]),
    "no id": (block({"type": "line", "text": "L"}), "/questionnaire/0/items/0", ["no id"]),
    "no choices": (block({**GROUP, "choices": []}), "/questionnaire/0/items/0/choices", ["item g"]),
    "conditions of choices": (block({**GROUP, "choicesConds": [{"g_no": "g_yes"}]}), None, ["item g", "choicesConds"]),
    "an item of administrators": (block({**GROUP, "auth": "admin"}), "/questionnaire/0/items/0/auth", ["item g"]),
    "a severity of its own": (block(GROUP, tip("t", "g_no", severity="bad")), None, ["critical"]),
    "a warning always": (
        block(GROUP, {"type": "tip", "id": "t", "text": "T", "warn": "yes"}),
        None,
        ["t holds always"],
    ),
    "NUL": (block({**GROUP, "text": "a\0b"}), "/questionnaire/0/items/0/text", ["U+0000"]),
    "half a pair": (
        block({**GROUP, "text": "X"}).replace(b'"X"', b'"\\ud800"'),
        None,
        [],
    ),
    "bidi": (block({**GROUP, "choices": [{"g_yes": "a\u202eb"}]}), "/questionnaire/0/items/0/choices/0/g_yes", []),
    "a huge text": (block({**GROUP, "text": "x" * 30_000}), "/questionnaire/0/items/0/text", ["20,000"]),
    "a long text": (block({**GROUP, "text": "x" * 2001}), "/questionnaire/0/items/0/text", ["2000"]),
    "only markup": (block({**GROUP, "text": "<b></b>"}), "/questionnaire/0/items/0/text", []),
    "too many warnings": (
        block(GROUP, *(tip(f"t{number}", "g_no") for number in range(21))),
        "/questionnaire/0/items/21",
        ["too many flags", "20"],
    ),
    "too many questions": (
        block(*({**line(""), "id": f"l{number}"} for number in range(2001))),
        "/questionnaire/0/items/2000",
        ["too many questions", "2,000"],
    ),
    "too many sections": (
        json.dumps(
            {
                "questionnaire": [
                    {"type": "block", "text": "B", "items": [{**line(""), "id": f"l{number}"}]} for number in range(101)
                ]
            }
        ).encode(),
        "/questionnaire/100/items/0",
        ["too many sections", "100"],
    ),
    "too many items": (block(*MANY), "/questionnaire", [f"{MOST_ITEMS:,}"]),
    "blocks too deep": (nested(MOST_BLOCKS + 1), None, [f"{MOST_BLOCKS} levels"]),
    "blocks far too deep": (nested(300), None, [f"{MOST_BLOCKS} levels"]),
    "a huge file": (b" " * (4 * 2**20 + 1), "", ["4,194,304"]),
    "no questionnaire": (b"{}", "/questionnaire", []),
    "a list": (b"[]", "", []),
    "a number": (b'{"questionnaire": 5}', "/questionnaire", []),
    "a condition that is a list": (block({**GROUP, "cond": ["g_yes"]}), "/questionnaire/0/items/0/cond", []),
}


@pytest.mark.parametrize(("raw", "pointer", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_converted_is_refused_where_it_is_wrong(
    raw: bytes, pointer: str | None, words: list[str]
) -> None:
    first = faults(raw)[0]
    assert pointer is None or first.pointer == pointer, first
    for word in words:
        assert word in first.detail


@pytest.mark.parametrize("name", ["choicesConds", "items", "choices", "text", "another"])
def test_json_as_deep_as_its_parser_takes_ends_in_no_other_error(name: str) -> None:
    for levels in (50, 500, 900, 980, 1020):
        item = json.dumps({**GROUP, name: 0}).replace(f'"{name}": 0', f'"{name}": {"[" * levels}{"]" * levels}')
        raw = f'{{"questionnaire": [{{"type": "block", "text": "B", "items": [{item}]}}]}}'.encode()
        with suppress(ContentError):
            assert content_of_vsaq(raw, "own").key == "own"


def test_at_most_50_faults_are_told() -> None:
    wrong = [{**line("nobody"), "id": f"l{number}"} for number in range(200)]
    found = faults(block(GROUP, *wrong))
    assert len(found) == 50
    assert [fault.pointer for fault in islice(found, 2)] == [COND, "/questionnaire/0/items/2/cond"]


def test_the_deepest_blocks_and_a_title_of_many_roots_are_taken() -> None:
    assert len(questions_of(content_of_vsaq(nested(MOST_BLOCKS - 1), "own"))) == 1
    two = json.dumps({"questionnaire": [{"type": "block", "text": "A", "items": [GROUP]}, line("g_no")]}).encode()
    content = content_of_vsaq(two, "own")
    assert [section.title["en"] for section in content.sections] == ["A", "own"]


def test_conditions_that_grow_by_tips_are_bounded() -> None:
    tips = [tip("t0", "g_no")] + [tip(f"t{n}", f"^t{n - 1} || ^t{n - 1}") for n in range(1, 40)]
    assert "too many tests" in faults(block(GROUP, *tips))[0].detail
