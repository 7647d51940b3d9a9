"""All faults and warnings of a content. Faults prevent publication, warnings do not."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final, NamedTuple

import msgspec

from vendorrisk.questionnaires.condition_checks import FACT_PREFIXES, Subject, checked_condition, subject_of
from vendorrisk.questionnaires.condition_grammar import KEYWORDS, ConditionFault
from vendorrisk.questionnaires.condition_tree import Condition
from vendorrisk.questionnaires.content import (
    MOST_FAULTS,
    MOST_QUESTIONS,
    Column,
    Content,
    ContentFault,
    Question,
    QuestionKind,
    Section,
    options_of,
    questions_of,
)
from vendorrisk.questionnaires.question_checks import placeholder_faults, question_faults, twins
from vendorrisk.questionnaires.reachability import MOST_WORLDS, Reach, Reachability
from vendorrisk.value_checks import pointer_step

_TEXTS: Final = frozenset({"title", "label", "text", "help", "internal_help", "intro", "description"})


class Checked(msgspec.Struct, frozen=True):
    """The faults and the warnings of a content, at most 50 of each."""

    faults: tuple[ContentFault, ...]
    warnings: tuple[ContentFault, ...]


def checked(content: Content) -> Checked:
    """Return everything that is wrong or doubtful in a content."""
    conditions = _Conditions(content)
    faults = chain(_whole(content), _texts(content), _questions(content), conditions.faults())
    warnings = chain(conditions.warnings(), _doubts(content), _missing_translations(content))
    return Checked(tuple(islice(faults, MOST_FAULTS)), tuple(islice(warnings, MOST_FAULTS)))


def translated(content: Content) -> Mapping[str, tuple[int, int]]:
    """Return, for each language, how many texts are written in it, and how many there are."""
    texts = [found for _, found in _all_texts(msgspec.to_builtins(content), "")]
    return {language: (sum(language in one for one in texts), len(texts)) for language in content.languages}


def _whole(content: Content) -> Iterator[ContentFault]:
    asked = questions_of(content)
    if not asked:
        yield ContentFault("no_questions", "/sections", "The questionnaire asks nothing. Add a question.")
    if len(asked) > MOST_QUESTIONS:
        detail = f"The questionnaire has {len(asked):,} questions. At most {MOST_QUESTIONS:,} are accepted."
        yield ContentFault("too_many_questions", "/sections", detail)
    if content.default_language not in content.languages:
        detail = f"List {content.default_language} among the languages: it is the default."
        yield ContentFault("language_missing", "/default_language", detail)
    for number, language in enumerate(content.languages):
        if language in content.languages[:number]:
            yield ContentFault("twin_language", f"/languages/{number}", f"{language} is listed twice. Remove one.")
    yield from twins((section.key for section in content.sections), "/sections")
    for name, options in content.option_sets.items():
        yield from twins((option.key for option in options), f"/option_sets{pointer_step(name)}")


def _questions(content: Content) -> Iterator[ContentFault]:
    keys: set[str] = set()
    flags: set[str] = set()
    for at, _, question in _placed(content):
        if question.key in keys:
            detail = f"Another question has the key {question.key}. A key belongs to one question for ever."
            yield ContentFault("twin_key", f"{at}/key", detail)
        keys.add(question.key)
        if question.key in KEYWORDS or question.key.startswith(FACT_PREFIXES):
            detail = f"The key {question.key} has a meaning of its own in conditions. Choose another."
            yield ContentFault("key_reserved", f"{at}/key", detail)
        yield from question_faults(content, question, at)
        for number, flag in enumerate(question.flags):
            if flag.key in flags:
                detail = f"Another flag has the key {flag.key}. Give each its own."
                yield ContentFault("twin_key", f"{at}/flags/{number}/key", detail)
            flags.add(flag.key)


def _placed(content: Content) -> Iterator[tuple[str, Section, Question]]:
    """Yield the questions in their order, each with its JSON pointer and its section."""
    for at, section in enumerate(content.sections):
        for number, question in enumerate(section.questions):
            yield f"/sections/{at}/questions/{number}", section, question


def _all_texts(value: Any, at: str) -> Iterator[tuple[str, dict[str, str]]]:
    for name, part in value.items() if isinstance(value, dict) else enumerate(value):
        if not isinstance(part, dict | list | tuple):
            continue
        place = at + pointer_step(name)
        if name in _TEXTS and isinstance(part, dict):
            yield place, part
        else:
            yield from _all_texts(part, place)


def _texts(content: Content) -> Iterator[ContentFault]:
    default, languages = content.default_language, set(content.languages)
    for at, texts in _all_texts(msgspec.to_builtins(content), ""):
        if default not in texts:
            detail = f"This text is missing in {default}, the default language."
            yield ContentFault("language_incomplete", at, detail)
        for language in sorted(texts.keys() - languages):
            detail = f"{language} is not among the languages of the document. Add it there, or remove the text."
            yield ContentFault("language_unlisted", at + pointer_step(language), detail)
        for language, text in texts.items():
            yield from placeholder_faults(text, at + pointer_step(language))
    if default != "en":
        for at, _, question in _placed(content):
            if (
                question.kind is QuestionKind.YES_NO
                and question.options is None
                and "yes_no" not in content.option_sets
            ):
                detail = f"The usual options are in English. Add options in {default}, or an option set yes_no."
                yield ContentFault("language_incomplete", f"{at}/options", detail)


def _missing_translations(content: Content) -> Iterator[ContentFault]:
    counted = translated(content)
    for number, language in enumerate(content.languages):
        written, total = counted[language]
        if language != content.default_language and written < total:
            detail = f"{total - written} of {total} texts are missing in {language} and fall back to the default."
            yield ContentFault("language_partial", f"/languages/{number}", detail)


def _doubts(content: Content) -> Iterator[ContentFault]:
    same = Counter(other for _, _, question in questions_of(content) for other in set(question.same_as))
    for at, _, question in _placed(content):
        earns = question.kind in {QuestionKind.YES_NO, QuestionKind.SINGLE}
        if question.weight and earns and not any(option.credit for option in options_of(content, question)):
            yield ContentFault("never_earns_credit", f"{at}/options", "The question has a weight, but no credit.")
        for number, other in enumerate(question.same_as):
            if same[other] > 1:
                detail = f"{other} stands for several questions. An imported answer would go to the first."
                yield ContentFault("same_as_shared", f"{at}/same_as/{number}", detail)
    chosen: list[Question | Column] = []
    for _, _, question in questions_of(content):
        chosen += [question, *question.columns, *question.fields]
    used = {one.options for one in chosen if isinstance(one.options, str)}
    for name in content.option_sets:
        if name not in used and name != "yes_no":
            detail = "No question uses this option set."
            yield ContentFault("option_set_unused", f"/option_sets{pointer_step(name)}", detail)


class _Decided(NamedTuple):
    """A condition with its section's: where it stands, the thing it shows, and whether it can be true."""

    pointer: str
    shows: str
    conditions: list[Condition]
    reach: Reach


class _Conditions:
    """The conditions of a content, parsed once. Whether they can come true is decided only if all are sound."""

    def __init__(self, content: Content) -> None:
        self._found: list[ContentFault] = []
        asked = questions_of(content)
        self._subjects = {question.key: subject_of(content, question) for _, _, question in asked}
        self._shown: dict[str, list[Condition]] = {}
        self._places: list[tuple[str, str, list[Condition]]] = []
        self._flags: list[tuple[str, list[Condition]]] = []
        earlier: dict[str, Subject] = {}
        for number, section in enumerate(content.sections):
            self._read_section(f"/sections/{number}", section, earlier)
        for place, _, question in _placed(content):
            for number, flag in enumerate(question.flags):
                pointer = f"{place}/flags/{number}/when"
                self._flags.append((pointer, self._read(flag.when, pointer, self._subjects)))
        self._reachability = Reachability(self._subjects, self._shown)
        self._is_sound = not self._found and len(self._subjects) == len(asked)
        self._decided = list(self._decide()) if self._is_sound else []

    def faults(self) -> Iterator[ContentFault]:
        yield from self._found
        for one in self._decided:
            if one.reach is Reach.NEVER:
                detail = f"No answers and facts make this true: {one.shows} is never asked."
                yield ContentFault(ConditionFault.NEVER_ASKED, one.pointer, detail, 0)

    def warnings(self) -> Iterator[ContentFault]:
        for one in self._decided:
            if one.reach is Reach.UNDECIDED:
                detail = (
                    f"More than {MOST_WORLDS:,} combinations decide whether {one.shows} is asked. Not all were tried."
                )
                yield ContentFault("too_many_worlds", one.pointer, detail, 0)
            elif self._reachability.shows_early(one.conditions):
                detail = f"Because of a not, {one.shows} is asked before the answers that decide on it are given."
                yield ContentFault("shown_while_unanswered", one.pointer, detail, 0)
        for pointer, conditions in self._flags if self._is_sound else ():
            if self._reachability.of(conditions) is Reach.NEVER:
                yield ContentFault("never_raised", pointer, "No answers and facts raise this flag.", 0)

    def _decide(self) -> Iterator[_Decided]:
        never: set[str] = set()
        for pointer, shows, conditions in self._places:
            reach = self._reachability.of(conditions)
            # The questions of a section that is never asked need no fault of their own.
            if not any(pointer.startswith(f"{section}/questions/") for section in never):
                yield _Decided(pointer, shows, conditions, reach)
            if reach is Reach.NEVER and "/questions/" not in pointer:
                never.add(pointer.removesuffix("/when"))

    def _read_section(self, at: str, section: Section, earlier: dict[str, Subject]) -> None:
        whole: list[Condition] = []
        if section.when is not None:
            whole = self._read(section.when, f"{at}/when", earlier)
            self._places.append((f"{at}/when", f"the section {section.key}", whole))
        for number, question in enumerate(section.questions):
            self._shown[question.key] = whole
            if question.when is not None:
                pointer = f"{at}/questions/{number}/when"
                own = self._read(question.when, pointer, earlier, own=question.key)
                self._shown[question.key] = [*whole, *own]
                self._places.append((pointer, f"the question {question.key}", [*whole, *own]))
            earlier[question.key] = self._subjects[question.key]

    def _read(
        self, text: str, pointer: str, earlier: Mapping[str, Subject], *, own: str | None = None
    ) -> list[Condition]:
        condition, found = checked_condition(text, earlier, own=own, later=self._subjects)
        self._found += [ContentFault(one.fault, pointer, one.detail, one.offset) for one in found]
        return [condition] if condition is not None else []
