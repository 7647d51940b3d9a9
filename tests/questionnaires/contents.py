"""Contents of every shape that the format allows, and some that are checked, for property tests."""

from typing import Any

import msgspec
from hypothesis import reject
from hypothesis import strategies as st

from vendorrisk.evidence.document_model import DocumentKind
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.normal_form import UnfitError, clean_line, clean_text
from vendorrisk.questionnaires.content import (
    FORMAT,
    METHOD,
    Band,
    Column,
    ColumnKind,
    Content,
    ContentError,
    EvidenceWanted,
    Field,
    FindingRule,
    Flag,
    NoneAnswer,
    NotApplicable,
    Option,
    Question,
    QuestionKind,
    Score,
    ScoreRule,
    Section,
    content_of,
)

KEYS = st.from_regex(r"[a-z][a-z0-9]{0,5}([._-][a-z0-9]{1,4}){0,2}", fullmatch=True)
LANGUAGES = st.sampled_from(["en", "de", "pt-BR", "zh-Hant"])
_WORDS = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")),
        st.sampled_from("=+-@'_x00A_ \n"),
    ),
    min_size=1,
    max_size=30,
)
NUMBERS = st.one_of(st.integers(-(10**15) + 1, 10**15 - 1), st.floats(-1e9, 1e9, allow_nan=False, allow_infinity=False))


def _cleaned(text: str, *, is_line: bool) -> str:
    """Return the normal form of a text, empty if it has none."""
    try:
        return clean_line(text, 300) if is_line else clean_text(text, 2000)
    except UnfitError:
        return ""


LINE = _WORDS.map(lambda text: _cleaned(text, is_line=True)).filter(bool)
TEXT = _WORDS.map(lambda text: _cleaned(text, is_line=False)).filter(bool)
LINES: st.SearchStrategy[Any] = st.dictionaries(LANGUAGES, LINE, min_size=1, max_size=2)
TEXTS: st.SearchStrategy[Any] = st.dictionaries(LANGUAGES, TEXT, min_size=1, max_size=2)
CREDIT = st.integers(0, 1000)
CONDITION = st.sampled_from(["a = yes", "  n > 10 and\n not b is answered", "vendor.tier = 'x\ty'", "="])


def maybe(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | one


def many(one: st.SearchStrategy[Any], by: str = "key", most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(one, max_size=most, unique_by=lambda part: getattr(part, by)).map(tuple)


OPTION = st.builds(Option, key=KEYS, label=LINES, credit=CREDIT, asks_note=st.booleans())
OPTIONS = many(OPTION).filter(bool)
COLUMN: dict[str, Any] = {
    "key": KEYS,
    "label": LINES,
    "kind": st.sampled_from(ColumnKind),
    "required": st.booleans(),
    "options": st.none() | KEYS | OPTIONS,
}
ID = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
QUESTION = st.builds(
    Question,
    key=KEYS,
    kind=st.sampled_from(QuestionKind),
    text=TEXTS,
    meaning=st.integers(1, 1000),
    help=maybe(TEXTS),
    internal_help=maybe(TEXTS),
    required=st.booleans(),
    weight=st.integers(0, 1000),
    critical=st.booleans(),
    not_applicable=st.sampled_from(NotApplicable),
    gate=st.booleans(),
    evidence=maybe(
        st.builds(
            EvidenceWanted,
            wanted=st.booleans(),
            required=st.booleans(),
            kinds=st.lists(st.sampled_from(DocumentKind), max_size=2).map(tuple),
        )
    ),
    options=st.none() | KEYS | OPTIONS,
    score=maybe(
        st.builds(
            Score,
            rule=st.sampled_from(ScoreRule),
            none_of=maybe(KEYS),
            column=maybe(KEYS),
            bands=st.lists(st.builds(Band, up_to=maybe(NUMBERS), credit=CREDIT), max_size=3).map(tuple),
        )
    ),
    none=maybe(st.builds(NoneAnswer, label=LINES, credit=CREDIT)),
    when=maybe(CONDITION),
    flags=many(
        st.builds(
            Flag,
            key=KEYS,
            when=CONDITION,
            severity=st.sampled_from(FindingSeverity),
            title=LINES,
            text=maybe(TEXTS),
            shown=st.booleans(),
        ),
        most=2,
    ),
    finding=maybe(st.builds(FindingRule, severity=st.sampled_from(FindingSeverity))),
    fields=many(st.builds(Field, **COLUMN), most=2),
    maps=st.dictionaries(KEYS, st.lists(ID, max_size=2).map(tuple), max_size=2),
    same_as=st.lists(st.builds("{}:{}".format, KEYS, ID), max_size=2).map(tuple),
    minimum=maybe(NUMBERS),
    maximum=maybe(NUMBERS),
    whole=st.booleans(),
    unit=maybe(LINE.map(lambda text: text[:40].strip()).filter(bool)),
    not_before=maybe(st.sampled_from(["2020-01-01", "today"])),
    not_after=maybe(st.sampled_from(["2030-12-31", "today"])),
    max_characters=maybe(st.integers(1, 8000)),
    min_choices=maybe(st.integers(0, 100)),
    max_choices=maybe(st.integers(1, 100)),
    columns=many(st.builds(Column, **COLUMN), most=2),
    min_rows=maybe(st.integers(0, 200)),
    max_rows=maybe(st.integers(1, 200)),
)
SECTION = st.builds(Section, key=KEYS, title=LINES, intro=maybe(TEXTS), when=maybe(CONDITION), questions=st.just(()))


@st.composite
def contents(draw: Any) -> Content:
    """Return a content in its normal form. Its keys are unique, and nothing else is checked."""
    sections = draw(many(SECTION))
    questions = list(draw(many(QUESTION, most=4)))
    made = []
    for at, section in enumerate(sections):
        own = tuple(questions[at :: len(sections)])
        made.append(
            Section(key=section.key, title=section.title, intro=section.intro, when=section.when, questions=own)
        )
    content = Content(
        format=FORMAT,
        key=draw(KEYS),
        title=draw(LINES),
        description=draw(maybe(TEXTS)),
        licence=draw(maybe(TEXT)),
        languages=tuple(draw(st.lists(LANGUAGES, min_size=1, max_size=3))),
        default_language=draw(LANGUAGES),
        method=METHOD,
        option_sets=draw(st.dictionaries(KEYS, OPTIONS, max_size=2)),
        sections=tuple(made),
    )
    return normal(content)


def normal(content: Content) -> Content:
    """Return a content as it comes back from JSON. Raises `ContentError` if it has no normal form."""
    try:
        return content_of(msgspec.json.encode(content))
    except ContentError:
        reject()
        raise
