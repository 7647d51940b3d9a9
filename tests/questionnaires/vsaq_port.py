"""A port of VSAQ's own evaluation of conditions, and its files as plain items.

The port follows `tokenizeExpression_` and `evalTokenizedExpression_` of `vsaq/static/questionnaire/utils.js` in
https://github.com/google/vsaq, commit 366d670e, Apache License 2.0, without functions and texts in quotes.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import vendorrisk

FOLDER = Path(vendorrisk.__file__).parent / "questionnaires" / "built_in"
FILES = {
    "vsaq-webapp": "vsaq_webapp.json",
    "vsaq-infrastructure": "vsaq_infrastructure.json",
    "vsaq-physical": "vsaq_physical_and_datacenter.json",
    "vsaq-programs": "vsaq_security_privacy_programs.json",
}
"""Key of the built-in questionnaire → the file of Google."""

Item = dict[str, Any]
Resolve = Callable[[str], bool]


class InvalidExpressionError(Exception):
    pass


def source(key: str) -> list[Item]:
    """Read a file by other means than the converter: its comments and joins are taken line by line."""
    lines = (FOLDER / FILES[key]).read_text(encoding="utf-8").split("\n")
    text = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
    blocks: list[Item] = json.loads(re.sub(r'"\s*\+\s*\n\s*"', "", text))["questionnaire"]
    return blocks


def items(blocks: list[Item]) -> Iterator[Item]:
    for item in blocks:
        yield item
        yield from items(item.get("items", []))


def names_of(item: Item) -> list[str]:
    """Return the ids of the choices of a group."""
    return [name for choice in item.get("choices", ()) for name in choice]


def evaluated(written: str, resolve: Resolve) -> bool:
    return bool(_value(_tokens(written, 0)[0], resolve))


def _tokens(written: str, position: int) -> tuple[list[Any], int]:  # noqa: C901, PLR0912 - branch by branch as there
    group: list[Any] = []
    name, at = "", position
    while at < len(written):
        character = written[at]
        if character not in " ()!&|,":
            name += character
        else:
            if name:
                if group and not _is_sign(group[-1]):
                    raise InvalidExpressionError
                group.append(name)
                name = ""
            if character == "(":
                inner, at = _tokens(written, at + 1)
                group.append(inner)
                if at == -1:
                    raise InvalidExpressionError
            elif character == ")":
                if position == 0 or written[position - 1] != "(":
                    raise InvalidExpressionError
                return group, at
            elif character in "&|,":
                if character != ",":
                    at += 1
                    if written[at : at + 1] != character:
                        raise InvalidExpressionError
                if group and _is_sign(group[-1]):
                    raise InvalidExpressionError
                group.append(character)
            elif character == "!":
                group.append(character)
        at += 1
    return [*group, *([name] if name else [])], -1


def _is_sign(token: object) -> bool:
    return isinstance(token, str) and token in {"&", "|", "!", ","}


def _value(tokens: list[Any], resolve: Resolve) -> bool:
    if not tokens:
        return True
    flat = [
        _value(token, resolve) if isinstance(token, list) else token if _is_sign(token) else resolve(token)
        for token in tokens
    ]
    turned: list[Any] = []
    at = 0
    while at < len(flat):
        if flat[at] == "!":
            at += 1
            turned.append(not flat[at])
        else:
            turned.append(flat[at])
        at += 1
    result = turned[0]
    for sign, value in zip(turned[1::2], turned[2::2], strict=True):
        if sign not in {"&", "|"}:
            raise InvalidExpressionError
        result = (result and value) if sign == "&" else (result or value)
    return bool(result)


class World:
    """What VSAQ shows and warns of when these choices are made. A choice of a hidden item is false."""

    def __init__(self, blocks: list[Item], chosen: set[str]) -> None:
        self._chosen, self._seen = chosen, set[str]()
        self._visible: dict[str, bool] = {}
        self.asked: list[bool] = []
        self.warned: list[str] = []
        self._walk(blocks, is_shown=True)

    def resolve(self, name: str) -> bool:
        return self._visible[name[1:]] if name.startswith("^") else name in self._seen

    def _walk(self, blocks: list[Item], *, is_shown: bool) -> None:
        for item in blocks:
            here = evaluated(item.get("cond", ""), self.resolve) and is_shown
            self._visible[item.get("id", "")] = here
            if item["type"] == "tip":
                self.warned += [item["id"]] if here and item.get("warn") == "yes" else []
            elif item["type"] not in {"block", "info"}:
                self.asked.append(here)
                self._seen |= set(names_of(item)) & self._chosen if here else set()
            self._walk(item.get("items", []), is_shown=here)
