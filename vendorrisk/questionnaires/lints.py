"""Doubts about a content beside the versions before it. They block nothing."""

import unicodedata
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final

from vendorrisk.questionnaires.content import Content, ContentFault, Question, questions_of

_ALIKE: Final = 0.6
"""Below this ratio of `difflib`, two wordings may ask different things."""


def lints(old: Content, new: Content, last_uses: Mapping[str, int]) -> tuple[ContentFault, ...]:
    """Return the doubts about a content after a published one.

    `last_uses` has every key that a published version ever had, with the number of the latest such version.
    """
    before = {question.key: question for _, _, question in questions_of(old)}
    return tuple(_lints(old, new, before, last_uses))


def _lints(
    old: Content, new: Content, before: Mapping[str, Question], last_uses: Mapping[str, int]
) -> Iterator[ContentFault]:
    for at, section in enumerate(new.sections):
        for number, question in enumerate(section.questions):
            place = f"/sections/{at}/questions/{number}"
            earlier = before.get(question.key)
            if earlier is None:
                if question.key in last_uses:
                    detail = f"Version {last_uses[question.key]} had a question of this key. Give another a new key."
                    yield ContentFault("key_came_back", f"{place}/key", detail)
            elif earlier.meaning == question.meaning and not _is_alike(_words(old, earlier), _words(new, question)):
                detail = "The wording differs much. If it asks something else now, raise its meaning by 1."
                yield ContentFault("meaning_may_have_changed", f"{place}/text", detail)


def _words(content: Content, question: Question) -> str:
    text = question.text.get(content.default_language, "")
    return unicodedata.normalize("NFKC", text).lower()


def _is_alike(one: str, other: str) -> bool:
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE
