"""Rows that were read from a workbook become a questionnaire in our format, and words in a cell become an answer."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import msgspec

from vendorrisk.questionnaires.condition_grammar import KEYWORDS
from vendorrisk.questionnaires.content import (
    FORMAT,
    METHOD,
    MOST_QUESTIONS,
    MOST_SECTIONS,
    Content,
    Field,
    NotApplicable,
    Option,
    Question,
    QuestionKind,
    Section,
    content_of,
)
from vendorrisk.questionnaires.content_texts import LONGEST_LINE, LONGEST_TEXT
from vendorrisk.questionnaires.foreign.cells import is_not_applicable
from vendorrisk.questionnaires.foreign.outcome import RejectedWorkbookError

_LONGEST_KEY: Final = 64
_NUMBERING: Final = re.compile(r"^\s*\d+\)\s*")
_OUR_FACTS: Final = ("vendor.", "service.", "assessment.")

YES_NO: Final = (Option(key="yes", label={"en": "Yes"}, credit=1000), Option(key="no", label={"en": "No"}))
NO_YES: Final = (Option(key="yes", label={"en": "Yes"}), Option(key="no", label={"en": "No"}, credit=1000))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question as a workbook has it. `row` is where it stands, `section` the title above it."""

    id: str
    text: str
    section: str
    sheet: str
    row: int
    kind: QuestionKind = QuestionKind.YES_NO
    options: tuple[Option, ...] | None = None
    weight: int = 0
    takes_not_applicable: bool = False
    fields: tuple[Field, ...] = ()
    maps: dict[str, tuple[str, ...]] = {}
    when: str | None = None
    gate: bool = False
    required: bool = True
    help: str = ""


def key_of(name: str) -> str:
    """Return the key for an id: lower case, other characters as one hyphen."""
    parts = re.sub(r"[^a-z0-9._-]+", "-", name.lower())
    parts = re.sub(r"[._-]*-[._-]*|([._])[._]+", lambda found: found[1] or "-", parts).strip("._-")[:_LONGEST_KEY]
    if not parts or not parts[0].isalpha():
        parts = f"q-{parts}"[:_LONGEST_KEY]
    parts = parts.rstrip("._-")
    return f"q-{parts}"[:_LONGEST_KEY].rstrip("._-") if parts in KEYWORDS or parts.startswith(_OUR_FACTS) else parts


def line(text: str, longest: int = LONGEST_LINE) -> str:
    """Return a text on one line, cut with an ellipsis where it is too long."""
    return cut(" ".join(text.split()), longest)


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text, cut with an ellipsis where it is too long."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def content_from(key: str, title: str, framework: str, asked: Sequence[Asked], licence: str) -> Content:
    """Return the questionnaire. Questions keep their order, and follow their section's title."""
    if not asked:
        raise RejectedWorkbookError("The workbook holds no question where its form has them. Send an unchanged copy.")
    if len(asked) > MOST_QUESTIONS:
        detail = f"The workbook asks {len(asked):,} questions. At most {MOST_QUESTIONS:,} are accepted. Divide it."
        raise RejectedWorkbookError(detail)
    runs = [(name, list(run)) for name, run in groupby(asked, lambda one: one.section)]
    if len(runs) > MOST_SECTIONS:
        runs = [(title, list(asked))]
    section_keys, question_keys = _Keys(), _Keys()
    sections = tuple(
        Section(
            key=section_keys.new(name or "questions"),
            title={"en": line(name) or "Questions"},
            questions=tuple(_question(one, question_keys.new(one.id), framework) for one in run),
        )
        for name, run in runs
    )
    content = Content(
        format=FORMAT,
        key=key_of(key),
        title={"en": line(title)},
        licence=cut(licence) if licence else None,
        languages=("en",),
        default_language="en",
        method=METHOD,
        sections=sections,
    )
    return content_of(msgspec.to_builtins(content))


class _Keys:
    """Gives each name a key of its own."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def new(self, name: str) -> str:
        key, number = key_of(name), 1
        while key in self._given:
            number += 1
            key = f"{key_of(name)[: _LONGEST_KEY - 6]}-{number}"
        self._given.add(key)
        return key


def _question(one: Asked, key: str, framework: str) -> Question:
    return Question(
        key=key,
        kind=one.kind,
        text={"en": cut(one.text) or one.id},
        help={"en": cut(one.help)} if one.help else None,
        required=one.required,
        weight=one.weight,
        not_applicable=NotApplicable.WITH_REASON if one.takes_not_applicable else NotApplicable.NEVER,
        gate=one.gate,
        options=one.options,
        when=one.when,
        fields=one.fields,
        maps=one.maps,
        same_as=(f"{framework}:{one.id}",) if re.fullmatch(r"[!-~]{1,80}", one.id) else (),
    )


def options_from(labels: Iterable[str]) -> tuple[tuple[Option, ...], bool]:
    """Return the options of a list of choices, and whether the list takes "not applicable", which is no option."""
    options: list[Option] = []
    keys, takes_not_applicable = _Keys(), False
    for label in labels:
        words = _NUMBERING.sub("", label)
        if is_not_applicable(words):
            takes_not_applicable = True
        elif words and not any(plain_of(option) == words.lower() for option in options):
            options.append(Option(key=keys.new(words), label={"en": line(words)}))
    return tuple(options), takes_not_applicable


def plain_of(option: Option) -> str:
    """Return the label as it is compared."""
    return next(iter(option.label.values())).lower()


def chosen(words: str, options: Sequence[Option]) -> str | None:
    """Return the key of the option that the words name, in any case, with or without its number. None: none."""
    said = " ".join(_NUMBERING.sub("", words).lower().split())
    return next((option.key for option in options if said in {plain_of(option), option.key}), None)
