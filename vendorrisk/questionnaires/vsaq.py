"""Google's Vendor Security Assessment Questionnaire (VSAQ) as a questionnaire of our format.

A file is JSON. Beyond JSON, `//` comments and texts joined by `+` are accepted, and nothing else. A block becomes a
section, a group of choices a question, and a warning a flag. An info or a tip without warning becomes help. A warning
that asks why asks for a note beside the choices that raise it. HTML becomes plain text.

A condition refers to earlier items only. `^id` holds while the item is shown. An answer in a hidden block counts as
unanswered, however far up the block is hidden. VSAQ itself looks one level up.

VSAQ has no weights. So no question has one, and flags alone tell good from bad.

Source: the items in `vsaq/static/questionnaire` of https://github.com/google/vsaq, commit 366d670e.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, Final

from vendorrisk.normal_form import UnfitError, clean_line, clean_text
from vendorrisk.questionnaires.condition_grammar import KEYWORDS, ConditionError, ConditionFault, parse, printed
from vendorrisk.questionnaires.condition_tree import (
    AllOf,
    AnswerState,
    AnyOf,
    Compare,
    Condition,
    Count,
    Given,
    Has,
    Is,
    Operator,
    leaves_of,
    truth_of,
)
from vendorrisk.questionnaires.content import (
    FORMAT,
    METHOD,
    MOST_FAULTS,
    MOST_QUESTIONS,
    MOST_SECTIONS,
    Content,
    ContentError,
    ContentFault,
    QuestionKind,
    content_of,
)
from vendorrisk.questionnaires.content_texts import LONGEST_LINE, LONGEST_TEXT
from vendorrisk.questionnaires.vsaq_reading import Item, all_of, condition_of, plain_text, read, walk
from vendorrisk.value_checks import pointer_step

_MOST_HTML: Final = 20_000  # characters of one text with its markup
_LONGEST_KEY: Final = 64
_MOST_FLAGS: Final = 20  # of a question
_NONE_OF_THEM: Final = "None of the above."
_GROUPS: Final = frozenset({"radiogroup", "checkgroup"})
_KINDS: Final[Mapping[str, QuestionKind]] = {
    "radiogroup": QuestionKind.SINGLE,
    "checkgroup": QuestionKind.MULTIPLE,
    "check": QuestionKind.SINGLE,
    "yesno": QuestionKind.SINGLE,
    "line": QuestionKind.TEXT,
    "box": QuestionKind.TEXT,
    "upload": QuestionKind.FILE,
}


def content_of_vsaq(raw: bytes, key: str, licence: str | None = None) -> Content:
    """Return a questionnaire of that key, in English.

    Raises `ContentError`. Its pointers lead into the file.
    """
    return content_of(_Conversion(read(raw), key, licence).document())


class _Keys:
    """Keys made of ids, each used once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, identifier: str) -> str:
        key = re.sub(r"[^a-z0-9]+", "-", identifier.lower()).strip("-")
        key = (key if key[:1].isalpha() and key not in KEYWORDS else f"q-{key}")[:_LONGEST_KEY].strip("-")
        found, number = key, 1
        while found in self._taken:
            number += 1
            found = f"{key[: _LONGEST_KEY - 6].rstrip('-')}-{number}"
        self._taken.add(found)
        return found


_Part = dict[str, Any]


class _Conversion:
    """One file on its way. Items are visited in their order, so that a condition finds what stands before it."""

    def __init__(self, items: tuple[Item, ...], key: str, licence: str | None) -> None:
        self._key, self._licence, self._items = key, licence, items
        self._faults: list[ContentFault] = []
        self._question_keys, self._section_keys, self._flag_keys = _Keys(), _Keys(), _Keys()
        self._ids = {name for item in walk(items) for name in (item.id, *item.names) if name}
        self._seen: set[str] = set()
        self._tests: dict[str, Condition] = {}
        self._shown: dict[str, Condition | None] = {}
        self._questions: dict[str, _Part] = {}
        self._sections: list[_Part] = []
        self._waiting: list[str] = []  # infos, which introduce what comes next

    def document(self) -> _Part:
        """Return the document. Raises `ContentError` with the faults of all items."""
        title = self._key
        if len(self._items) == 1 and self._items[0].type == "block":
            title = self._line(self._items[0].text, "/questionnaire/0/text")
        self._block(title, self._items, "/questionnaire", None)
        self._check_faults()
        if self._waiting and self._sections:
            self._add(self._sections[-1], "intro", "\n\n".join(self._waiting), "/questionnaire")
            self._check_faults()
        found = {
            "format": FORMAT,
            "key": self._key,
            "title": {"en": title},
            "licence": self._licence,
            "languages": ["en"],
            "default_language": "en",
            "method": METHOD,
            "sections": self._sections,
        }
        return {name: part for name, part in found.items() if part is not None}

    def _check_faults(self) -> None:
        if self._faults:
            raise ContentError(tuple(self._faults))

    def _refuse(self, code: str, at: str, detail: str, offset: int | None = None) -> None:
        self._faults.append(ContentFault(code, at, detail, offset))
        if len(self._faults) == MOST_FAULTS:
            raise ContentError(tuple(self._faults))

    def _block(self, title: str, items: tuple[Item, ...], at: str, above: Condition | None) -> None:
        """Add the items of a block. Items after an inner block go to a section of their own."""
        section: _Part | None = None
        for number, item in enumerate(items):
            place = f"{at}/{number}"
            self._check(item, place)
            own = self._condition(item, place)
            shown = own if above is None else self._bounded(all_of((above, own)), item, place)
            if item.type == "block":
                self._note(item, shown)
                self._block(self._line(item.text, f"{place}/text"), item.items, f"{place}/items", shown)
                section = None
            elif item.type == "info":
                self._waiting.append(self._text(item.text, f"{place}/text"))
            elif item.type == "tip":
                self._note(item, shown)
                self._tip(item, own, shown, place)
            else:
                section = section or self._section(title, above, place)
                section["questions"].append(self._question(item, own, section, place))
                self._note(item, shown)

    def _check(self, item: Item, at: str) -> None:
        for name in filter(None, (item.id, *item.names)):
            if name in self._seen:
                self._refuse("twin_key", at, f"The id {name} is used twice. Give each item its own.")
            self._seen.add(name)
        if item.choice_conditions:
            detail = f"The item {item.called} has conditions of single choices (choicesConds). Take them out."
            self._refuse("member_not_supported", f"{at}/choicesConds", detail)
        if item.auth == "admin":
            detail = f"The item {item.called} is for administrators (auth). Take it out: a vendor would see it."
            self._refuse("member_not_supported", f"{at}/auth", detail)

    def _note(self, item: Item, shown: Condition | None) -> None:
        if item.id:
            self._shown[item.id] = shown

    def _section(self, title: str, when: Condition | None, at: str) -> _Part:
        self._bound(len(self._sections), MOST_SECTIONS, "sections", at)
        section: _Part = {"key": self._section_keys.of(title), "title": {"en": title}, "questions": []}
        if when is not None:
            section["when"] = printed(when)
        self._sections.append(section)
        return section

    def _bound(self, count: int, most: int, things: str, at: str) -> None:
        if count >= most:
            self._refuse(f"too_many_{things}", at, f"There are too many {things}. At most {most:,} are accepted.")

    def _question(self, item: Item, own: Condition | None, section: _Part, at: str) -> _Part:
        self._bound(len(self._questions), MOST_QUESTIONS, "questions", at)
        key = self._question_keys.of(item.id or _common(item.names))
        question: _Part = {"key": key, "kind": _KINDS[item.type], "required": item.type not in {"upload", "checkgroup"}}
        self._options(item, question, at)
        if item.required is not None:
            question["required"] = item.required
        infos, self._waiting = "\n\n".join(self._waiting), []
        if item.text or not infos:
            question["text"] = {"en": self._text(item.text or section["title"]["en"], f"{at}/text")}
            if infos:
                part, name = (question, "help") if section["questions"] else (section, "intro")
                self._add(part, name, infos, at)
        else:
            question["text"] = {"en": infos}
        if own is not None:
            question["when"] = printed(own)
        if item.id:
            question["same_as"] = [f"vsaq:{item.id}"]
        elif item.type not in _GROUPS:
            self._refuse("id_missing", at, f"The item {item.called} has no id. Give it one.")
        self._questions[key] = question
        return question

    def _options(self, item: Item, question: _Part, at: str) -> None:
        """Add the options, and the tests that their names stand for."""
        key = question["key"]
        answered: Condition = Is(key, AnswerState.ANSWERED)
        if item.type in _GROUPS:
            keys, several = _Keys(), item.type == "checkgroup"
            question["options"] = []
            for number, choice in enumerate(item.choices):
                [(name, label)] = choice.items()
                option = keys.of(name)
                place = f"{at}/choices/{number}{pointer_step(name)}"
                question["options"].append({"key": option, "label": {"en": self._label(question, label, place)}})
                chosen = Has(key, option) if several else Compare(key, Operator.EQUAL, option)
                self._tests[name] = self._tests[f"{name}/yes"] = chosen
            if item.has_default:
                none_of = keys.of("none-of-the-above")
                question["options"].append({"key": none_of, "label": {"en": _NONE_OF_THEM}})
                if several:
                    question |= {"required": True, "score": {"rule": "best", "none_of": none_of}}
            if not question["options"]:
                self._refuse("options_missing", f"{at}/choices", f"The item {item.called} has no choices. Add one.")
            self._tests[item.id] = Count(key, Operator.MORE, 0) if several else answered
        elif item.type in {"check", "yesno"}:
            labels = {name: self._label(question, getattr(item, name), f"{at}/{name}") for name in ("yes", "no")}
            question["options"] = [{"key": name, "label": {"en": label}} for name, label in labels.items()]
            yes, no = (Compare(key, Operator.EQUAL, name) for name in labels)
            self._tests |= {item.id: yes, f"{item.id}/yes": yes}
            if item.type == "yesno":
                self._tests |= {f"{item.id}/no": no, f"{item.id}/value": answered}
        else:
            self._tests[f"{item.id}/value"] = Count(key, Operator.MORE, 0) if item.type == "upload" else answered

    def _tip(self, tip: Item, own: Condition | None, shown: Condition | None, at: str) -> None:
        """Turn a warning into a flag of the last question that decides on it, and any other tip into help."""
        text = self._text(tip.text, f"{at}/text")
        why = self._text(tip.why, f"{at}/why") if tip.why else None
        decisive = own or shown
        if decisive is None:
            if tip.warn == "yes" and not tip.cond:
                detail = f"The warning {tip.called} holds always. Give it a condition (cond), or make it an info."
                self._refuse("condition_missing", at, detail)
            self._waiting += filter(None, (text, why))
            return
        order = list(self._questions)
        question = self._questions[max((leaf.ref for leaf in leaves_of(decisive)), key=order.index)]
        part, name = question, "help"
        if tip.warn == "yes" and shown is not None:
            part, name = self._flag(question, tip, shown, text, at), "text"
        else:
            self._add(question, "help", text, at)
        if why is not None:
            self._ask_notes(decisive, question)
            is_full = len(part[name]["en"]) + len(why) + 2 > LONGEST_TEXT
            self._add(*((question, "help") if is_full else (part, name)), why, f"{at}/why")

    def _flag(self, question: _Part, tip: Item, shown: Condition, text: str, at: str) -> _Part:
        self._bound(len(question.get("flags", ())), _MOST_FLAGS, "flags", at)
        flag: _Part = {
            "key": self._flag_keys.of(tip.id or tip.name or "tip"),
            "when": printed(shown),
            "severity": tip.severity,
            "title": {"en": _shortened(plain_text(tip.name or tip.text))},
            "text": {"en": text},
        }
        question.setdefault("flags", []).append(flag)
        return flag

    def _ask_notes(self, condition: Condition, last: _Part) -> None:
        """Ask for a note beside each choice that raises the warning alone, else beside those of the last question."""
        chosen = list(_positive(condition))
        holds = truth_of(condition)
        alone = [test for test in chosen if holds(_given(test))]
        for test in alone or [test for test in chosen if test.ref == last["key"]]:
            for option in self._questions[test.ref]["options"]:
                if option["key"] == test.literal:
                    option["asks_note"] = True

    def _condition(self, item: Item, at: str) -> Condition | None:
        if not item.cond.strip(" "):
            return None

        def resolve(name: str, offset: int) -> Condition:
            return self._resolved(name, offset, item.id)

        try:
            return condition_of(item.cond, resolve)
        except ConditionError as error:
            detail = f"The condition of the item {item.called}: {error.detail}"
            self._refuse(error.fault, f"{at}/cond", detail, error.offset)
            return None

    def _resolved(self, name: str, offset: int, own_id: str) -> Condition:
        """Return the test that a name stands for. `^id` is the condition under which an item is shown."""
        base = re.sub(r"/(?:yes|no|value)\Z", "", name.removeprefix("^"))
        if name.startswith("^") and name[1:] in self._shown:
            shown = self._shown[name[1:]]
            if shown is not None:
                return shown
            fault, detail = ConditionFault.NEVER_SO, f"{name[1:]} is shown always. Take {name} out."
        elif name in self._tests:
            return self._tests[name]
        elif base == own_id:
            fault, detail = ConditionFault.REFERS_TO_ITSELF, f"{name} is the item itself."
        elif base in self._seen:
            fault, detail = ConditionFault.UNEXPECTED, f"{name} has no choice. Name a choice, or write ^{base}."
        elif base in self._ids:
            fault, detail = ConditionFault.REFERS_FORWARD, f"{name} stands later in the file. Move it before this item."
        else:
            fault, detail = ConditionFault.UNKNOWN_QUESTION, f"There is no item or choice {name[:100]}."
        raise ConditionError(fault, offset, detail)

    def _bounded(self, condition: Condition | None, item: Item, at: str) -> Condition | None:
        """Hold the bounds of a condition together with those of the blocks around it."""
        if condition is not None:
            try:
                parse(printed(condition))
            except ConditionError as error:
                detail = f"The condition of the item {item.called}, with those of its blocks: {error.detail}"
                self._refuse(error.fault, f"{at}/cond", detail)
                return None
        return condition

    def _label(self, question: _Part, html: str, at: str) -> str:
        """Return the label of an option. One that is too long is cut, and stands whole in the help."""
        text = " ".join(self._text(html, at).split())
        if len(text) > LONGEST_LINE:
            self._add(question, "help", text, at)
        return _shortened(text)

    def _line(self, html: str, at: str) -> str:
        return self._fits(" ".join(self._text(html, at).split()), at, LONGEST_LINE)

    def _text(self, html: str, at: str) -> str:
        if len(html) > _MOST_HTML:
            self._refuse("text_invalid", at, f"Shorten it to at most {_MOST_HTML:,} characters, markup included.")
            return "-"
        # Before the parser, which takes a NUL away silently.
        return self._fits(plain_text(self._fits(html, at, _MOST_HTML)), at)

    def _fits(self, text: str, at: str, longest: int = LONGEST_TEXT) -> str:
        try:
            return clean_line(text, longest) if longest == LONGEST_LINE else clean_text(text, longest)
        except UnfitError as error:
            self._refuse("text_invalid", at, str(error))
            return "-"

    def _add(self, part: _Part, name: str, text: str, at: str) -> None:
        before = part.get(name, {}).get("en")
        part[name] = {"en": self._fits(f"{before}\n\n{text}" if before else text, at)}


def _common(names: list[str]) -> str:
    """Return the common beginning of the choices, which names a group without an id."""
    columns = zip(*(name.split("_") for name in names), strict=False)
    same = takewhile(lambda words: len(set(words)) == 1, columns)
    return "_".join(words[0] for words in same) or next(iter(names), "")


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1].rstrip()}\u2026"


def _given(test: Compare | Has) -> Mapping[str, Given]:
    """Return the one answer that a test of a choice wants."""
    option = str(test.literal)
    return {test.ref: frozenset({option}) if isinstance(test, Has) else option}


def _positive(condition: Condition) -> Iterator[Compare | Has]:
    """Yield the choices that a condition wants made."""
    if isinstance(condition, Compare | Has):
        yield condition
    elif isinstance(condition, AllOf | AnyOf):
        for part in condition.parts:
            yield from _positive(part)
