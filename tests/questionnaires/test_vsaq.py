"""Google's four questionnaires: every item and condition arrives, and asks the same as by a port of its evaluator."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.questionnaires.test_built_ins import FOLDER
from vendorrisk.questionnaires.built_ins import built_in_content
from vendorrisk.questionnaires.content import Content, ContentError, QuestionKind, questions_of
from vendorrisk.questionnaires.visibility import Answered, Compiled
from vendorrisk.questionnaires.vsaq import content_of_vsaq

FILES = {
    "vsaq-webapp": "vsaq_webapp.json",
    "vsaq-infrastructure": "vsaq_infrastructure.json",
    "vsaq-physical": "vsaq_physical_and_datacenter.json",
    "vsaq-programs": "vsaq_security_privacy_programs.json",
}
Item = dict[str, Any]


def source(key: str) -> list[Item]:
    """Read a file of VSAQ by other means than the converter: its comments and joins are taken line by line."""
    lines = (FOLDER / FILES[key]).read_text(encoding="utf-8").split("\n")
    text = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
    blocks: list[Item] = json.loads(re.sub(r'"\s*\+\s*\n\s*"', "", text))["questionnaire"]
    return blocks


def items(blocks: list[Item]) -> Iterator[Item]:
    for item in blocks:
        yield item
        yield from items(item.get("items", []))


def test_the_four_files_hold_526_items_297_conditions_and_183_tips() -> None:
    every = [item for key in FILES for item in items(source(key))]
    assert len(every) == 526
    assert sum("cond" in item for item in every) == 297
    assert sum(item["type"] == "tip" for item in every) == 183


@pytest.mark.parametrize("key", FILES)
def test_every_question_choice_and_warning_of_a_file_arrives(key: str) -> None:
    kinds = Counter(item["type"] for item in items(source(key)))
    asked = [question for _, _, question in questions_of(built_in_content(key))]
    found = Counter(question.kind for question in asked)
    assert found == Counter(
        {
            QuestionKind.SINGLE: kinds["radiogroup"],
            QuestionKind.MULTIPLE: kinds["checkgroup"],
            QuestionKind.TEXT: kinds["line"] + kinds["box"],
        }
    )
    choices = sum(len(item.get("choices", ())) for item in items(source(key)))
    assert sum(len(question.options or ()) for question in asked) == choices
    warnings = [item for item in items(source(key)) if item.get("warn") == "yes"]
    flags = [flag for question in asked for flag in question.flags]
    assert [(flag.key, flag.severity.value) for flag in flags] == [
        (item["id"], item.get("severity", "medium")) for item in warnings
    ]
    assert not any(question.weight for question in asked)


class Port:
    """VSAQ's own evaluation: items in order, `&&` and `||` of equal precedence, a choice of a hidden item is false."""

    def __init__(self, blocks: list[Item], chosen: set[str]) -> None:
        self.chosen, self.seen = chosen, set[str]()
        self.tips = {item["id"]: item["cond"] for item in items(blocks) if item["type"] == "tip"}
        self.asked: list[bool] = []
        self.warned: set[str] = set()
        self._walk(blocks, is_shown=True)

    def _walk(self, blocks: list[Item], *, is_shown: bool) -> None:
        for item in blocks:
            here = is_shown and (not item.get("cond") or self.holds(item["cond"]))
            if item["type"] == "tip":
                self.warned |= {item["id"]} if here and item.get("warn") == "yes" else set()
            elif item["type"] not in {"block", "info"}:
                self.asked.append(here)
                names = {name for choice in item.get("choices", ()) for name in choice}
                self.seen |= names & self.chosen if here else set()
            self._walk(item.get("items", []), is_shown=here)

    def holds(self, condition: str) -> bool:
        tokens = re.findall(r"\^?\w+|&&|\|\||[!()]", condition)
        return self._expression(tokens)

    def _expression(self, tokens: list[str]) -> bool:
        value = self._operand(tokens)
        while tokens and tokens[0] in {"&&", "||"}:
            sign, right = tokens.pop(0), self._operand(tokens)
            value = (value and right) if sign == "&&" else (value or right)
        return value

    def _operand(self, tokens: list[str]) -> bool:
        token = tokens.pop(0)
        if token == "!":
            return not self._operand(tokens)
        if token == "(":
            value = self._expression(tokens)
            tokens.pop(0)
            return value
        return self.holds(self.tips[token[1:]]) if token.startswith("^") else token in self.seen


def answered(blocks: list[Item], content: Content, draw: random.Random) -> tuple[set[str], dict[str, Answered]]:
    """Choose answers at random: the choices of the file, and the answers of our content that are the same."""
    chosen: set[str] = set()
    answers: dict[str, Answered] = {}
    asked = [item for item in items(blocks) if item["type"] not in {"block", "info", "tip"}]
    for item, (_, _, question) in zip(asked, questions_of(content), strict=True):
        names = [name for choice in item.get("choices", ()) for name in choice]
        if item["type"] == "radiogroup" and draw.random() < 0.9:
            name = draw.choice(names)
            chosen.add(name)
            answers[question.key] = Answered("answered", name)
        elif item["type"] == "checkgroup":
            some = [name for name in names if draw.random() < 0.4]
            chosen |= set(some)
            answers |= {question.key: Answered("answered", some)} if some else {}
    return chosen, answers


@pytest.mark.parametrize("key", FILES)
def test_the_same_questions_and_warnings_are_shown_as_by_a_port_of_its_evaluator(key: str) -> None:
    blocks, content, draw = source(key), built_in_content(key), random.Random(key)
    compiled = Compiled.of(content)
    keys = [question.key for _, _, question in questions_of(content)]
    shown_once: set[str] = set()
    raised_once: set[str] = set()
    for _ in range(300):
        chosen, answers = answered(blocks, content, draw)
        port = Port(blocks, chosen)
        shown = compiled.shown(answers, {})
        assert [one in shown for one in keys] == port.asked
        raised = {flag.flag.key for flag in compiled.flags(answers, {})}
        assert raised == port.warned
        shown_once |= shown
        raised_once |= raised
    assert shown_once == set(keys), "each was asked once, or the comparison says nothing about it"
    flags = {flag.key for _, _, question in questions_of(content) for flag in question.flags}
    assert len(raised_once) > 0.9 * len(flags)


def test_texts_lose_their_markup_and_keep_their_addresses() -> None:
    text = msgspec.json.encode([built_in_content(key) for key in FILES]).decode()
    assert re.findall(r"</?(?:p|a|b|i|ul|li|code|strong)\b[^>]*>", text) == []
    assert "(https://www.owasp.org/index.php/XSS)" in text


def block(*inside: Item, **more: Any) -> bytes:
    return json.dumps({"questionnaire": [{"type": "block", "text": "B", "items": list(inside), **more}]}).encode()


GROUP = {"type": "radiogroup", "text": "G", "id": "g", "choices": [{"g_yes": "Yes"}, {"g_no": "No"}]}


def line(condition: str) -> Item:
    return {"type": "line", "text": "L", "id": "l", "cond": condition}


REFUSED = {
    "contains": (block(GROUP, line("contains('x', g)")), "contains()"),
    "matches": (block(GROUP, line("matches(g, 'x')")), "matches()"),
    "an unknown choice": (block(GROUP, line("nobody")), "'nobody'"),
    "an open bracket": (block(GROUP, line("(g_yes")), "'l'"),
    "an expression that ends early": (block(GROUP, line("g_yes &&")), "'l'"),
    "two choices without a sign": (block(GROUP, line("g_yes g_no")), "'l'"),
    "arithmetic": (block(GROUP, line("g_yes + 1")), "'+'"),
    "a tip that asks itself": (
        block(GROUP, {"type": "tip", "text": "T", "id": "t", "warn": "yes", "cond": "^t"}),
        "'^t'",
    ),
    "a script as an item": (block({"type": "script", "id": "s", "text": "alert(1)"}), "'script'"),
    "too many items": (block(*[{"type": "info", "text": "x"}] * 20_001), "20000"),
}


@pytest.mark.parametrize(("raw", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_converted_is_refused_with_its_item(raw: bytes, named: str) -> None:
    with pytest.raises(ContentError) as refused:
        content_of_vsaq(raw, "own")
    assert named in refused.value.faults[0].detail


NONE = [b"", b"{", b"[]", b"{}", b'{"questionnaire": 5}', b"[" * 50_000, b"\xff", block({"type": "line"})]


@pytest.mark.parametrize("raw", NONE)
def test_a_file_that_is_no_questionnaire_is_refused_with_advice(raw: bytes) -> None:
    with pytest.raises(ContentError):
        content_of_vsaq(raw, "own")


def test_a_script_in_a_text_is_text() -> None:
    content = content_of_vsaq(block({"type": "line", "id": "l", "text": "<script>alert(1)</script>Name?"}), "own")
    assert questions_of(content)[0][2].text["en"] == "alert(1)Name?"
