"""VSAQ's own notations: its JSON, its items, its conditions, and the HTML of its texts.

A file is JSON. Beyond JSON, `//` comments and texts joined by `+` are accepted, and nothing else.

In a condition `&&` and `||` have equal precedence and are taken from left to right. `!` turns the name or the bracket
after it. A name ends at a blank or at one of `( ) ! & | , "`. The functions `contains` and `matches` are refused by
name.

Source: `vsaq/static/questionnaire` of https://github.com/google/vsaq, commit 366d670e.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta
from selectolax.lexbor import LexborHTMLParser, LexborNode

from vendorrisk.findings.model import FindingSeverity
from vendorrisk.questionnaires.condition_grammar import (
    MOST_LEVELS,
    MOST_TESTS,
    ConditionError,
    ConditionFault,
    parse,
    printed,
)
from vendorrisk.questionnaires.condition_tree import AllOf, AnyOf, Condition, Not
from vendorrisk.questionnaires.content import MOST_BYTES, MOST_FAULTS, ContentError, ContentFault
from vendorrisk.questionnaires.content_texts import UNSTORABLE
from vendorrisk.value_checks import faults_of

MOST_ITEMS: Final = 10_000
MOST_BLOCKS: Final = 20
"""Blocks in blocks."""


class Item(msgspec.Struct, frozen=True, rename={"choice_conditions": "choicesConds", "has_default": "defaultChoice"}):
    """An item. The other members of VSAQ change neither what is asked nor when."""

    type: Literal["block", "radiogroup", "checkgroup", "check", "yesno", "line", "box", "upload", "info", "tip"]
    id: Annotated[str, Meta(max_length=90, pattern=r"^[!-~]*\Z", extra={"words": "an id without blanks"})] = ""
    text: str = ""
    cond: str = ""
    items: tuple[Any, ...] = ()  # of items. A type that holds itself makes msgspec crash at the end
    choices: tuple[Annotated[dict[str, str], Meta(min_length=1, max_length=1)], ...] = ()
    choice_conditions: tuple[object, ...] = ()
    has_default: bool = False
    required: bool | None = None
    yes: str = "Yes"
    no: str = "No"
    warn: str = ""
    severity: FindingSeverity = FindingSeverity.MEDIUM
    name: str = ""
    why: str = ""
    auth: str = ""

    @property
    def names(self) -> list[str]:
        """Return the ids of the choices."""
        return [name for choice in self.choices for name in choice]

    @property
    def called(self) -> str:
        """Return the id, or the words by which its author finds it."""
        return self.id or next(iter(self.names), f"without id ({self.type})")


def walk(items: Iterable[Item]) -> Iterator[Item]:
    """Yield all items, those inside of blocks too, in their order."""
    for item in items:
        yield item
        yield from walk(item.items)


class _File(msgspec.Struct, frozen=True):
    questionnaire: Annotated[tuple[Any, ...], Meta(min_length=1)]


def _fault(code: str, pointer: str, detail: str) -> ContentError:
    return ContentError((ContentFault(code, pointer, detail),))


_LENIENT: Final = re.compile(
    r"(?P<blank>[ \t\r\n]++)|(?P<comment>//[^\r\n]*+)|(?P<text>\"(?:[^\"\\]|\\.)*+\")|(?P<plus>\+)"
    r"|(?P<other>[^\"/+ \t\r\n]++|.)",
    re.DOTALL,
)


def _strict(written: str) -> str:
    """Return the JSON without comments, and with joined texts as one. Any other `+` stays, so that it is no JSON."""
    parts: list[str] = []
    joins = False
    for found in _LENIENT.finditer(written):
        kind, part = found.lastgroup, found[0]
        if kind in {"blank", "comment"}:
            continue
        ends_in_text = bool(parts) and len(parts[-1]) > 1 and parts[-1][0] == '"'
        if kind == "plus" and ends_in_text and not joins:
            joins = True
        elif kind == "text" and joins:
            parts[-1] = parts[-1][:-1] + part[1:]
            joins = False
        else:
            # A blank, because two tokens must not become one.
            parts.append(f" + {part}" if joins else part if kind == "text" else f" {part}")
            joins = False
    return "".join([*parts, "+" if joins else ""])


def read(raw: bytes) -> tuple[Item, ...]:
    if len(raw) > MOST_BYTES:
        raise _fault("body_too_large", "", f"The file is too large. At most {MOST_BYTES:,} bytes are accepted.")
    try:
        value = msgspec.json.decode(_strict(raw.decode("utf-8-sig")))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        detail = "The file is no JSON. Beyond JSON, only // comments and texts joined by + are accepted."
        raise _fault("body_malformed", "", detail) from error
    _check_size(value)
    faults: list[ContentFault] = []
    file = _converted(value, _File, "", faults)
    items = () if file is None else _items(file.questionnaire, "/questionnaire", faults)
    if faults:
        raise ContentError(tuple(faults[:MOST_FAULTS]))
    return items


def _items(values: tuple[Any, ...], at: str, faults: list[ContentFault]) -> tuple[Item, ...]:
    found: list[Item] = []
    for number, value in enumerate(values):
        item = _converted(value, Item, f"{at}/{number}", faults)
        if item is not None:
            inside = _items(item.items, f"{at}/{number}/items", faults)
            found.append(msgspec.structs.replace(item, items=inside))
    return tuple(found)


_Shape = TypeVar("_Shape")


def _converted(value: object, shape: type[_Shape], at: str, faults: list[ContentFault]) -> _Shape | None:
    try:
        return msgspec.convert(value, shape)
    except UnicodeError:
        faults.append(ContentFault("text_invalid", at, UNSTORABLE))
    except (msgspec.ValidationError, RecursionError):
        wrong = islice(faults_of(value, shape), max(0, MOST_FAULTS - len(faults)))
        faults += [ContentFault(str(one.code), f"{at}{one.pointer or ''}", one.detail) for one in wrong]
    return None


def _check_size(value: object) -> None:
    """Hold the limits before items are looked at one by one."""
    count = 0
    level: list[tuple[str, Any]] = [("", value)]
    for depth in range(MOST_BLOCKS + 2):
        inside: list[tuple[str, Any]] = []
        for at, holder in level:
            name = "items" if depth else "questionnaire"
            items = holder.get(name) if isinstance(holder, dict) else None
            if isinstance(items, list):
                inside += ((f"{at}/{name}/{number}", item) for number, item in enumerate(items))
        count += len(inside)
        if count > MOST_ITEMS:
            detail = f"The file has too many items. At most {MOST_ITEMS:,} are accepted."
            raise _fault("too_many_items", "/questionnaire", detail)
        level = inside
    if level:
        detail = f"Blocks are nested too deeply. At most {MOST_BLOCKS} levels are accepted."
        raise _fault("too_deep", level[0][0], detail)


_BLOCKS: Final = frozenset({"p", "div", "ul", "ol", "pre", "table", "tr", "blockquote", "dl", "dt", "dd", "hr"}) | {
    f"h{number}" for number in range(1, 7)
}
_UNREAD: Final = frozenset(
    {"script", "style", "template", "iframe", "noembed", "noframes", "noscript", "object", "svg", "math", "textarea"}
    | {"title", "xmp", "select", "plaintext"}
)
_ADDRESS: Final = re.compile(r"(?:https?|mailto):[!-~]+", re.IGNORECASE)


def plain_text(html: str) -> str:
    """Return HTML as plain text: paragraphs, lists with dashes, links with their address. Scripts and styles go."""
    body = LexborHTMLParser(html).body
    pieces = "" if body is None else "".join(_pieces(body))
    lines = "\n".join(" ".join(line.split()) for line in pieces.split("\n"))
    plain = re.sub(r"\n{3,}", "\n\n", re.sub(r"(?m)^-\n+", "- ", lines)).strip()
    # A brace would begin a placeholder, and no foreign text means one of ours.
    return plain.translate({ord("{"): "\uff5b", ord("}"): "\uff5d"})


def _pieces(body: LexborNode) -> Iterator[str]:
    """Yield the text of all nodes, without recursion: how deep they nest is the sender's choice."""
    waiting: list[LexborNode | str] = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif node.is_text_node:
            yield (node.text_content or "").replace("\n", " ")
        elif node.tag not in _UNREAD and node.is_element_node:
            before, after = _around(node)
            inside: list[LexborNode | str] = [before, *node.iter(include_text=True), after]
            waiting += reversed(inside)


def _around(node: LexborNode) -> tuple[str, str]:
    if node.tag == "li":
        return "\n- ", "\n"
    if node.tag == "a":
        address = node.attributes.get("href") or ""
        is_said = address == node.text()
        return "", f" ({address})" if _ADDRESS.fullmatch(address) and not is_said else ""
    if node.tag == "br":
        return "\n", ""
    return ("\n\n", "\n\n") if node.tag in _BLOCKS else ("", "")


_TOKEN: Final = re.compile(r' *+(?:(?P<name>[^ ()!&|,"]++)|(?P<sign>&&|\|\||[!()])|(?P<other>[^ ]))')
_FUNCTIONS: Final = frozenset({"contains", "matches"})

Resolve = Callable[[str, int], Condition]
"""Return the test that a name stands for. Raises `ConditionError`, with the offset that it is given."""


class _Token(NamedTuple):
    text: str
    is_name: bool
    offset: int


def condition_of(written: str, resolve: Resolve) -> Condition:
    """Return the condition that an expression of VSAQ means. Raises `ConditionError`, with an offset in it."""
    expression = _Expression(written, resolve)
    condition = expression.whole()
    try:
        return parse(printed(condition))
    except ConditionError as error:
        raise ConditionError(error.fault, 0, error.detail) from error


def all_of(conditions: Iterable[Condition | None]) -> Condition | None:
    """Return the condition that all hold, without brackets that say nothing. None always holds."""
    parts: list[Condition] = []
    for one in conditions:
        if one is not None:
            parts += one.parts if isinstance(one, AllOf) else [one]
    once = tuple(dict.fromkeys(parts))
    if len(once) > 1:
        return AllOf(once)
    return once[0] if once else None


class _Expression:
    def __init__(self, written: str, resolve: Resolve) -> None:
        self._resolve = resolve
        self._tokens = []
        for found in _TOKEN.finditer(written):
            text = found[0].lstrip(" ")
            self._tokens.append(_Token(text, found["name"] is not None, found.end() - len(text)))
        self._tokens.append(_Token("", is_name=False, offset=len(written)))
        self._at = 0
        self._names = 0

    def whole(self) -> Condition:
        condition = self._signs(1)
        if self._next.text:
            raise self._unexpected()
        return condition

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _comes(self, *texts: str) -> bool:
        if self._next.is_name or self._next.text not in texts:
            return False
        self._at += 1
        return True

    def _unexpected(self) -> ConditionError:
        token = self._next
        if not token.text:
            detail = "The condition ends too early."
            return ConditionError(ConditionFault.EXPECTED, token.offset, detail)
        detail = f"{token.text[:40]!r} does not fit here. The condition may hold names, &&, ||, ! and brackets."
        return ConditionError(ConditionFault.UNEXPECTED, token.offset, detail)

    def _signs(self, depth: int) -> Condition:
        """Read operands and signs. Each sign takes all that stands before it as its left side."""
        left, kind = self._operand(depth), None
        while self._next.text in {"&&", "||"}:
            sign = AllOf if self._next.text == "&&" else AnyOf
            self._at += 1
            right = self._operand(depth)
            before = left.parts if sign is kind and isinstance(left, AllOf | AnyOf) else (left,)
            left, kind = sign((*before, right)), sign
        return left

    def _operand(self, depth: int) -> Condition:
        if depth > MOST_LEVELS:
            detail = f"The condition is nested too deeply. At most {MOST_LEVELS} levels are accepted."
            raise ConditionError(ConditionFault.TOO_DEEP, self._next.offset, detail)
        if self._comes("!"):
            if self._next.text == "!":  # VSAQ itself reads two of them as a value and a name without a sign
                raise self._unexpected()
            return Not(self._operand(depth + 1))
        if self._comes("("):
            condition = self._signs(depth + 1)
            if not self._comes(")"):
                raise self._unexpected()
            return condition
        token = self._next
        if not token.is_name:
            raise self._unexpected()
        self._at += 1
        self._names += 1
        if self._names > MOST_TESTS:
            detail = f"The condition has too many names. At most {MOST_TESTS} are accepted."
            raise ConditionError(ConditionFault.TOO_MANY_TESTS, token.offset, detail)
        if token.text in _FUNCTIONS:
            detail = f"The function {token.text}() has no counterpart here: conditions test choices. Take it out."
            raise ConditionError(ConditionFault.UNEXPECTED, token.offset, detail)
        return self._resolve(token.text, token.offset)
