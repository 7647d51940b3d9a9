"""The format `vendorrisk-questionnaire/1`: its types, its canonical form and its digest.

Credits are integers in thousandths, 0 to 1000. Weights are integers, 0 to 1000. A text is plain: neither HTML nor
Markdown. It may hold the placeholders `{vendor}`, `{service}`, `{tenant}` and `{due_on}`.

The types hold shapes and bounds of single values. `content_checks` holds the rules between values.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from vendorrisk.evidence.document_model import DocumentKind
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.questionnaires.content_texts import LONGEST_LINE, LONGEST_TEXT, UNSTORABLE, cleaned
from vendorrisk.value_checks import faults_of

FORMAT: Final = "vendorrisk-questionnaire/1"
METHOD: Final = "q1"

MOST_BYTES: Final = 4 * 2**20
MOST_FAULTS: Final = 50
MOST_QUESTIONS: Final = 2000
MOST_SECTIONS: Final = 100
MOST_OPTIONS: Final = 100
MOST_COLUMNS: Final = 20
MOST_FIELDS: Final = 5  # further fields of a question
MOST_ROWS: Final = 200
MOST_CHARACTERS: Final = 8000  # of a text answer
MOST_IN_A_CELL: Final = 1000  # characters of one cell of a table, and of one further field
MOST_FILES: Final = 20
MOST_DIGITS: Final = 15  # of a number, so that a double holds it exactly
TODAY: Final = "today"
"""A bound of dates: the day of the submission."""


class QuestionKind(StrEnum):
    """The kinds of questions, which decide the form of an answer."""

    YES_NO = "yes_no"
    SINGLE = "single"
    MULTIPLE = "multiple"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    FILE = "file"
    TABLE = "table"


class Stance(StrEnum):
    """The form of an answer. A cleared one counts as unanswered."""

    ANSWERED = "answered"
    NOT_APPLICABLE = "not_applicable"
    CLEARED = "cleared"


class ColumnKind(StrEnum):
    """The kinds of columns and of further fields."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SINGLE = "single"
    YES_NO = "yes_no"
    COUNTRY = "country"


class NotApplicable(StrEnum):
    """Whether a vendor may declare a question not applicable."""

    NEVER = "never"
    WITH_REASON = "with_reason"


class ScoreRule(StrEnum):
    """How an answer without a single option earns its credit."""

    SHARE = "share"  # multiple: credits chosen, of all positive credits
    BEST = "best"  # multiple: the highest credit chosen
    WORST = "worst"  # multiple: the lowest credit chosen
    BANDS = "bands"  # number: the first band that reaches the value
    AGE_IN_DAYS = "age_in_days"  # date: the first band that reaches its age at the submission
    ROWS = "rows"  # table: the mean of the credits of one column
    COUNT = "count"  # table: the first band that reaches the number of rows


Key = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*\Z",
        extra={"words": "lower-case letters and digits, in parts joined by one of the characters . _ -"},
    ),
]
Language = Annotated[
    str,
    Meta(
        pattern=r"^[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?\Z",
        extra={"words": "a language (BCP 47), like en, pt-BR or zh-Hant"},
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Line = Annotated[str, Meta(min_length=1, max_length=LONGEST_LINE)]
Texts = Annotated[dict[Language, Text], Meta(min_length=1, max_length=20)]
"""A text by language."""
Lines = Annotated[dict[Language, Line], Meta(min_length=1, max_length=20)]
"""A short text on one line, by language: a title or a label."""
Credit = Annotated[int, Meta(ge=0, le=1000)]
"""Thousandths."""
Weight = Annotated[int, Meta(ge=0, le=1000)]

_LARGEST: Final = 10**MOST_DIGITS - 1
Number = (
    Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)] | Annotated[float, Meta(ge=-float(_LARGEST), le=float(_LARGEST))]
)
DayBound = Annotated[
    str,
    Meta(pattern=r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|today)\Z", extra={"words": "a date, like 2026-06-30, or today"}),
]
SameAs = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*:[!-~]+\Z",
        extra={"words": "a framework and an id in it, like caiq4:IAM-14.1"},
    ),
]
CriterionId = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+\Z", extra={"words": "an id without blanks"})
]
CriterionIds = Annotated[tuple[CriterionId, ...], Meta(max_length=200)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a content. Unknown fields are refused, defaults are left out of the canonical form."""


class Option(Part, frozen=True, kw_only=True):
    """A choice. `asks_note` wants a note beside the answer."""

    key: Key
    label: Lines
    credit: Credit = 0
    asks_note: bool = False


Options = Annotated[tuple[Option, ...], Meta(min_length=1, max_length=MOST_OPTIONS)]
# The name has no pattern: a union of a list and a text with a pattern crashes msgspec 0.22 when garbage is collected.
OptionsOrSet = str | Options | None
"""Options of its own, or the name of an option set."""


class Band(Part, frozen=True, kw_only=True):
    """Values up to and including `up_to` earn the credit. Null: all that lie above the other bands."""

    up_to: Number | None = None
    credit: Credit

    def __post_init__(self) -> None:
        _keep_whole(self, "up_to")


class Score(Part, frozen=True, kw_only=True):
    """How the answer earns its credit. `bands` ascend. `none_of` is the option that excludes all others."""

    rule: ScoreRule
    none_of: Key | None = None
    bands: Annotated[tuple[Band, ...], Meta(max_length=50)] = ()
    column: Key | None = None


class NoneAnswer(Part, frozen=True, kw_only=True):
    """The answer "there is none", "never" or "no limit" to a number, a date or a table."""

    label: Lines
    credit: Credit = 0


class EvidenceWanted(Part, frozen=True, kw_only=True):
    """Files beside the answer. `wanted` lowers the credit without one, `required` prevents the submission."""

    wanted: bool
    required: bool = False
    kinds: Annotated[tuple[DocumentKind, ...], Meta(max_length=20)] = ()


class Column(Part, frozen=True, kw_only=True):
    """A column of a table."""

    key: Key
    label: Lines
    kind: ColumnKind
    required: bool = False
    options: OptionsOrSet = None


class Field(Column, frozen=True, kw_only=True):
    """A further input under a question. It earns no credit."""


class Flag(Part, frozen=True, kw_only=True):
    """A condition that needs attention. With `shown` false it never leaves the tenant."""

    key: Key
    when: str
    severity: FindingSeverity
    title: Lines
    text: Texts | None = None
    shown: bool = True


class FindingRule(Part, frozen=True, kw_only=True):
    """The severity of the finding that a bad answer opens."""

    severity: FindingSeverity


class Question(Part, frozen=True, kw_only=True):
    """A question. The fields from `minimum` on belong to single kinds."""

    key: Key
    kind: QuestionKind
    text: Texts
    meaning: Annotated[int, Meta(ge=1, le=1000)] = 1
    help: Texts | None = None
    internal_help: Texts | None = None
    required: bool = True
    weight: Weight = 0
    critical: bool = False
    not_applicable: NotApplicable = NotApplicable.NEVER
    gate: bool = False
    evidence: EvidenceWanted | None = None
    options: OptionsOrSet = None
    score: Score | None = None
    none: NoneAnswer | None = None
    when: str | None = None
    flags: Annotated[tuple[Flag, ...], Meta(max_length=20)] = ()
    finding: FindingRule | None = None
    fields: Annotated[tuple[Field, ...], Meta(max_length=MOST_FIELDS)] = ()
    maps: Annotated[dict[Key, CriterionIds], Meta(max_length=20)] = {}
    """Ids of criteria, by framework."""
    same_as: Annotated[tuple[SameAs, ...], Meta(max_length=20)] = ()
    """The same question in other questionnaires."""
    minimum: Number | None = None
    maximum: Number | None = None
    whole: bool = False
    unit: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    not_before: DayBound | None = None
    not_after: DayBound | None = None
    max_characters: Annotated[int, Meta(ge=1, le=MOST_CHARACTERS)] | None = None
    min_choices: Annotated[int, Meta(ge=0, le=MOST_OPTIONS)] | None = None
    max_choices: Annotated[int, Meta(ge=1, le=MOST_OPTIONS)] | None = None
    columns: Annotated[tuple[Column, ...], Meta(max_length=MOST_COLUMNS)] = ()
    min_rows: Annotated[int, Meta(ge=0, le=MOST_ROWS)] | None = None
    max_rows: Annotated[int, Meta(ge=1, le=MOST_ROWS)] | None = None

    def __post_init__(self) -> None:
        _keep_whole(self, "minimum")
        _keep_whole(self, "maximum")


class Section(Part, frozen=True, kw_only=True):
    """Questions under one title. Its condition holds for all of them."""

    key: Key
    title: Lines
    intro: Texts | None = None
    when: str | None = None
    questions: Annotated[tuple[Question, ...], Meta(max_length=MOST_QUESTIONS)] = ()


class Content(Part, frozen=True, kw_only=True):
    """All that a version of a questionnaire says."""

    format: Literal["vendorrisk-questionnaire/1"]
    key: Key
    title: Lines
    description: Texts | None = None
    licence: Text | None = None
    languages: Annotated[tuple[Language, ...], Meta(min_length=1, max_length=20)]
    default_language: Language
    method: Literal["q1"]
    option_sets: Annotated[dict[Key, Options], Meta(max_length=MOST_QUESTIONS)] = {}
    sections: Annotated[tuple[Section, ...], Meta(max_length=MOST_SECTIONS)] = ()


class ContentFault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fault. `pointer` is a JSON pointer (RFC 6901) into the content, `offset` a character of a condition."""

    code: str
    pointer: str
    detail: str
    offset: int | None = None


class ContentError(Exception):
    """A document is no content of this format. Holds at most 50 faults."""

    def __init__(self, faults: tuple[ContentFault, ...]) -> None:
        super().__init__(*faults)
        self.faults = faults


DEFAULT_OPTIONS: Final = (
    Option(key="yes", label={"en": "Yes"}, credit=1000),
    Option(key="partial", label={"en": "In part"}, credit=500, asks_note=True),
    Option(key="planned", label={"en": "Planned, with a date"}, credit=250, asks_note=True),
    Option(key="no", label={"en": "No"}),
)
"""The options of a `yes_no` question or column that names none, where the content has no set `yes_no` of its own."""

NONE_VALUE: Final = {"none": True}
"""The stored value of the answer `none` ("there is none", "never", "no limit") to a number, a date or a table."""

_TOO_LARGE: Final = ContentFault(
    "body_too_large", "", f"The document is too large. At most {MOST_BYTES:,} bytes are accepted."
)
_ENCODER = msgspec.json.Encoder(order="sorted")


def content_of(raw: bytes | object) -> Content:
    """Return the content of a document: JSON, or the value of one. Texts come back in their one normal form.

    Raises `ContentError`: the document is no JSON, too large, of another shape, or holds a text that cannot be shown.
    """
    value = _decoded(raw) if isinstance(raw, bytes | bytearray | memoryview) else raw
    content = _converted(value)
    plain = msgspec.to_builtins(content)
    if faults := tuple(ContentFault("text_invalid", at, detail) for at, detail in cleaned(plain))[:MOST_FAULTS]:
        raise ContentError(faults)
    content = _converted(plain)
    if len(canonical(content)) > MOST_BYTES:
        raise ContentError((_TOO_LARGE,))
    return content


def canonical(content: Content) -> bytes:
    """Return the canonical form: sorted keys, no blanks, UTF-8, NFC, no field that has its default."""
    return unicodedata.normalize("NFC", _ENCODER.encode(content).decode()).encode()


def digest(canonical_form: bytes) -> str:
    """Return the SHA-256, in hexadecimal."""
    return hashlib.sha256(canonical_form).hexdigest()


def options_of(content: Content, question: Question | Column) -> tuple[Option, ...]:
    """Return the options of a question or column: its own, those of its set, or the default of `yes_no`.

    An unknown set has none.
    """
    if isinstance(question.options, str):
        return content.option_sets.get(question.options, ())
    if question.options is None and question.kind == QuestionKind.YES_NO:
        return content.option_sets.get("yes_no", DEFAULT_OPTIONS)
    return question.options or ()


def questions_of(content: Content) -> tuple[tuple[int, Section, Question], ...]:
    """Return all questions in their order, each with its place, from 1, and its section."""
    pairs = ((section, question) for section in content.sections for question in section.questions)
    return tuple((place, section, question) for place, (section, question) in enumerate(pairs, 1))


def _decoded(raw: bytes | bytearray | memoryview) -> object:
    if len(raw) > MOST_BYTES:
        raise ContentError((_TOO_LARGE,))
    try:
        return msgspec.json.decode(bytes(raw).removeprefix(b"\xef\xbb\xbf"))  # the mark that some editors put first
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        fault = ContentFault("body_malformed", "", "The document is not valid JSON. Check its brackets and quotes.")
        raise ContentError((fault,)) from error


def _converted(value: object) -> Content:
    try:
        return msgspec.convert(value, Content)
    except UnicodeEncodeError as error:
        raise ContentError((ContentFault("text_invalid", "", UNSTORABLE),)) from error
    except (msgspec.ValidationError, RecursionError) as error:
        raise ContentError(tuple(_shape_faults(value))) from error


def _shape_faults(value: object) -> Iterator[ContentFault]:
    for _, field_error in zip(range(MOST_FAULTS), faults_of(value, Content), strict=False):
        yield ContentFault(str(field_error.code), field_error.pointer or "", field_error.detail)


def _keep_whole(part: msgspec.Struct, name: str) -> None:
    """Store 7.0 as 7, so that equal numbers have one canonical form."""
    value = getattr(part, name)
    if isinstance(value, float) and value.is_integer():
        msgspec.structs.force_setattr(part, name, int(value))
