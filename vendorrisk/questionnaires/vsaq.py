"""Google's Vendor Security Assessment Questionnaire (VSAQ) as a questionnaire of our format.

A file is JSON with `//` comments and with texts that are joined by `+`. Items are blocks, groups of choices, texts,
files, infos and tips. A block becomes a section, a choice an option, and a tip with a warning a flag. Conditions name
choices, and tips by `^`. In them `&&` and `||` have equal precedence, from left to right. The functions `contains` and
`matches` are refused by name.

VSAQ has no weights. So no question has one, and flags alone tell good from bad.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any, Final, NamedTuple

import msgspec

from vendorrisk.questionnaires.content import FORMAT, METHOD, Content, ContentError, ContentFault, content_of

_LONGEST_TEXT, _LONGEST_LINE, _LONGEST_KEY = 2000, 300, 64
_MOST_ITEMS: Final = 20_000
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_JOINED = re.compile(r'"\s*\+\s*"')
_TOKEN = re.compile(r"\s*(?:(?P<name>\^?[A-Za-z0-9_/.-]+)|(?P<sign>&&|\|\||[!()]))")
_LINK = re.compile(r"<a\s[^>]*?href\s*=\s*[\"']([^\"'>]*)[\"'][^>]*>(.*?)</a\s*>", re.IGNORECASE | re.DOTALL)
_ENDS = re.compile(r"<(?:/p|p|br|/ul|ul|/ol|ol)\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_KINDS: Final = {"line": "text", "box": "text", "upload": "file"}
_YES_NO: Final = (("yes", "Yes"), ("no", "No"))


class _Choice(NamedTuple):
    """Where a choice of the file went: its question, its option, and whether several may be chosen."""

    question: str
    option: str
    is_multiple: bool

    def test(self) -> str:
        return f"{self.question} {'has' if self.is_multiple else '='} {self.option}"


def content_of_vsaq(raw: bytes, key: str) -> Content:
    """Return a questionnaire of that key, in English. Raises `ContentError` with the item of each fault."""
    try:
        text = _JOINED.sub("", _COMMENT.sub("", raw.decode("utf-8-sig")))
        blocks = msgspec.json.decode(text)["questionnaire"]
        return content_of(msgspec.json.encode(_Conversion(blocks, key).document))
    except (msgspec.MsgspecError, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        detail = "The file is no VSAQ questionnaire. Send its JSON, with the member `questionnaire`."
        raise _fault("vsaq_unreadable", detail) from error


def _fault(code: str, detail: str) -> ContentError:
    return ContentError((ContentFault(code, "", detail),))


class _Conversion:
    """One file on its way. Conditions are translated when all items are known."""

    def __init__(self, blocks: list[dict[str, Any]], key: str) -> None:
        self._choices: dict[str, _Choice] = {}
        self._tips: dict[str, str] = {}
        self._sections: list[dict[str, Any]] = []
        self._keys: set[str] = set()
        self._groups: set[str] = set()
        self._grouped: dict[str, str] = {}
        self._count = 0
        whole: Mapping[str, Any] = blocks[0] if len(blocks) == 1 else {"text": key, "items": blocks}
        self._note(blocks)
        self._block(whole, None)
        self._ask_notes(blocks)
        self.document = {
            "format": FORMAT,
            "key": key,
            "title": {"en": _plain(whole["text"], _LONGEST_LINE)},
            "licence": "Apache-2.0",
            "languages": ["en"],
            "default_language": "en",
            "method": METHOD,
            "sections": [section for section in self._sections if section["questions"]],
        }

    def _note(self, items: list[dict[str, Any]]) -> None:
        """Note all choices and tips, so that a condition can name any of them."""
        for item in items:
            self._count += 1
            if self._count > _MOST_ITEMS:
                raise _fault("too_many_items", f"The file has more than {_MOST_ITEMS} items.")
            kind = item["type"]
            if kind in {"radiogroup", "checkgroup"}:
                names = [name for choice in item["choices"] for name in choice]
                question = self._grouped[names[0]] = self._unique(_group_key(item, names), self._groups)
                for name in names:
                    self._choices[name] = _Choice(question, _key(name), kind == "checkgroup")
            elif kind == "check":
                self._choices[item["id"]] = _Choice(_key(item["id"]), "yes", is_multiple=False)
            elif kind == "yesno":
                for option, _ in _YES_NO:
                    self._choices[f"{item['id']}/{option}"] = _Choice(_key(item["id"]), option, is_multiple=False)
            elif kind == "tip":
                self._tips[item["id"]] = item.get("cond", "")
            self._note(item.get("items", []))

    def _block(self, block: Mapping[str, Any], above: str | None) -> None:
        """Add a section for the items of a block, and one more after each block inside of it."""
        when = _both(above, self._condition(block))
        section = self._section(block, when)
        for item in block["items"]:
            kind = item["type"]
            if kind == "block":
                self._block(item, when)
                section = self._section(block, when)
            elif kind == "info":
                self._add_text(section, "intro", item["text"])
            elif kind == "tip":
                self._tip(section, item)
            else:
                section["questions"].append(self._question(item, section))

    def _section(self, block: Mapping[str, Any], when: str | None) -> dict[str, Any]:
        title = _plain(block["text"], _LONGEST_LINE)
        section: dict[str, Any] = {
            "key": self._unique(_key(block.get("id") or title), self._keys),
            "title": {"en": title},
            "questions": [],
        }
        if when is not None:
            section["when"] = when
        self._sections.append(section)
        return section

    @staticmethod
    def _unique(key: str, taken: set[str]) -> str:
        found, number = key, 1
        while found in taken:
            number += 1
            found = f"{key[: _LONGEST_KEY - 6]}-{number}"
        taken.add(found)
        return found

    def _question(self, item: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
        kind = item["type"]
        text = _plain(item.get("text") or section["title"]["en"], _LONGEST_TEXT)
        question: dict[str, Any] = {"text": {"en": text}, "required": kind not in {"upload", "checkgroup"}}
        if kind in {"radiogroup", "checkgroup"}:
            choices = [pair for choice in item["choices"] for pair in choice.items()]
            question["key"] = self._grouped[choices[0][0]]
            question["kind"] = "single" if kind == "radiogroup" else "multiple"
            question["options"] = [self._option(name, label) for name, label in choices]
            for _, label in choices:
                if len(_plain(label, _LONGEST_TEXT)) > _LONGEST_LINE:
                    self._add_text(question, "help", label)
        elif kind in {"check", "yesno"}:
            question["kind"] = "single"
            question["options"] = [{"key": key, "label": {"en": label}} for key, label in _YES_NO]
        elif kind in _KINDS:
            question["kind"] = _KINDS[kind]
        else:
            raise _fault("item_unknown", f"The item {item.get('id')!r} is of the unknown type {kind!r}.")
        if (when := self._condition(item)) is not None:
            question["when"] = when
        return question if "key" in question else {"key": _key(item["id"]), **question}

    def _option(self, name: str, label: str) -> dict[str, Any]:
        return {"key": self._choices[name].option, "label": {"en": _plain(label, _LONGEST_LINE)}}

    def _tip(self, section: dict[str, Any], tip: Mapping[str, Any]) -> None:
        """Turn a warning into a flag of the question before it, and any other tip into help."""
        before = [question for one in self._sections for question in one["questions"]]
        when = self._condition(tip)
        if not before or when is None or tip.get("warn") != "yes":
            place, name = (before[-1], "help") if before else (section, "intro")
            self._add_text(place, name, tip["text"])
            return
        flag = {
            "key": _key(tip["id"]),
            "when": _both(section.get("when"), when),
            "severity": tip.get("severity", "medium"),
            "title": {"en": _plain(tip.get("name") or tip["text"], _LONGEST_LINE)},
            "text": {"en": _plain(tip["text"], _LONGEST_TEXT)},
        }
        before[-1].setdefault("flags", []).append(flag)

    def _ask_notes(self, items: list[dict[str, Any]]) -> None:
        """Ask for a note beside each choice that alone raises a tip which asks why."""
        options = {
            (q["key"], o["key"]): o for s in self._sections for q in s["questions"] for o in q.get("options", ())
        }
        for item in items:
            choice = self._choices.get(item.get("cond", "").strip())
            if item["type"] == "tip" and item.get("why") and choice is not None:
                options[choice.question, choice.option]["asks_note"] = True
            self._ask_notes(item.get("items", []))

    @staticmethod
    def _add_text(part: dict[str, Any], name: str, text: str) -> None:
        before = part.get(name, {}).get("en", "")
        part[name] = {"en": _plain(f"{before}\n\n{text}", _LONGEST_TEXT)}

    def _condition(self, item: Mapping[str, Any]) -> str | None:
        written = item.get("cond", "").strip()
        return self._translated(written, str(item.get("id")), ()) if written else None

    def _translated(self, written: str, item: str, inside: tuple[str, ...]) -> str:
        tokens = list(_tokens(written, item))
        made = self._expression(tokens, item, inside)
        if tokens:
            raise _fault("condition_unreadable", f"The condition of the item {item!r} goes on after its end.")
        return made

    def _expression(self, tokens: list[str], item: str, inside: tuple[str, ...]) -> str:
        """Translate from left to right: each sign takes all before it as its left side."""
        left = self._operand(tokens, item, inside)
        sign_before = ""
        while tokens and tokens[0] in {"&&", "||"}:
            sign = {"&&": "and", "||": "or"}[tokens.pop(0)]
            if sign_before and sign != sign_before:
                left = f"({left})"
            left, sign_before = f"{left} {sign} {self._operand(tokens, item, inside)}", sign
        return left

    def _operand(self, tokens: list[str], item: str, inside: tuple[str, ...]) -> str:
        word = tokens.pop(0) if tokens else ""
        if word == "!":
            return f"not {self._operand(tokens, item, inside)}"
        if word == "(":
            made = self._expression(tokens, item, inside)
            if not tokens or tokens.pop(0) != ")":
                raise _fault("condition_unreadable", f"A bracket of the condition of the item {item!r} is not closed.")
            return f"({made})"
        if word.startswith("^") and word[1:] in self._tips and word not in inside:
            return f"({self._translated(self._tips[word[1:]], word[1:], (*inside, word))})"
        if word in self._choices:
            return self._choices[word].test()
        raise _fault("condition_unreadable", f"The condition of the item {item!r} has {word!r}, which is no choice.")


def _tokens(written: str, item: str) -> Iterator[str]:
    if found := re.search(r"\b(contains|matches)\s*\(", written):
        detail = f"The condition of the item {item!r} calls {found[1]}(), which no condition here can do."
        raise _fault("condition_unreadable", detail)
    place = 0
    while place < len(written):
        token = _TOKEN.match(written, place)
        if token is None:
            raise _fault(
                "condition_unreadable", f"The condition of the item {item!r} has {written[place:].strip()[:1]!r}."
            )
        yield token["name"] or token["sign"]
        place = token.end()


def _both(above: str | None, own: str | None) -> str | None:
    if above is None or own is None:
        return above or own
    return f"({above}) and ({own})"


def _group_key(item: Mapping[str, Any], names: list[str]) -> str:
    """Return the key of a group of choices: its id, or the common beginning of its choices."""
    if item.get("id"):
        return _key(item["id"])
    words = [name.split("_") for name in names]
    common = [one[0] for one in zip(*words, strict=False) if len(set(one)) == 1]
    return _key("_".join([*common, "choice"]) if len(common) > 1 else f"{names[0]}_choice")


def _key(identifier: str) -> str:
    words = re.findall(r"[a-z0-9]+", identifier.lower())
    joined = "_".join(words)
    return (joined if joined[:1].isalpha() else f"q{joined}")[:_LONGEST_KEY].rstrip("_")


def _plain(html: str, longest: int) -> str:
    """Return HTML as plain text, cut to its bound. Links keep their address."""
    linked = _LINK.sub(lambda found: f"{found[2]} ({found[1]})", html)
    broken = _ENDS.sub("\n", re.sub(r"<li\s*>", "\n- ", linked, flags=re.IGNORECASE))
    lines = [" ".join(line.split()) for line in unescape(_TAG.sub("", broken)).split("\n")]
    plain = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    # A brace would begin a placeholder.
    plain = plain.translate({ord("{"): "\uff5b", ord("}"): "\uff5d"})
    plain = plain if longest > _LONGEST_LINE else " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"
