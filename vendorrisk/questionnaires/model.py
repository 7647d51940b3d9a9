"""Questionnaires: stored records, request bodies and responses."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.records import Body


class QuestionnaireSource(StrEnum):
    """Where the questions of a questionnaire are from."""

    OWN = "own"
    BASELINE = "baseline"
    MVSP = "mvsp"
    VSAQ = "vsaq"
    CAIQ = "caiq"
    HECVAT = "hecvat"
    SHEET = "sheet"


class VersionState(StrEnum):
    """A draft can change. A published version is frozen for ever."""

    DRAFT = "draft"
    PUBLISHED = "published"


class ExportFormat(StrEnum):
    """The format of an exported version. Both hold the whole content, and can be imported again."""

    JSON = "json"
    XLSX = "xlsx"


_NOT_BLANK = {"words": "text that is not blank"}

Key = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*\Z",
        extra={"words": "small letters and digits, in words that are separated by . _ or -, such as cloud-baseline"},
    ),
]
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", extra=_NOT_BLANK)]
Description = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S", extra=_NOT_BLANK)]
LicenceNote = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\S", extra=_NOT_BLANK)]
ChangeNote = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S", extra=_NOT_BLANK)]


class Questionnaire(msgspec.Struct, frozen=True, kw_only=True):
    """A line of versions under one key. The latest published version is the one that is sent."""

    id: UUID
    key: str
    """The key of the questionnaire and of its content, for ever."""
    title: str
    """The name in your own lists. Respondents see the title of the content."""
    description: str | None
    """The purpose of the questionnaire. Null if nobody wrote it."""
    source: QuestionnaireSource
    licence_note: str | None
    """Copyright and licence of the text. Null if it is your own."""
    latest_number: int | None
    """Number of the latest published version. Null before the first."""
    latest_version_id: UUID | None
    """The latest published version. Null before the first."""
    question_count: int | None
    """How many questions the latest published version has. Null before the first."""
    weight_total: int | None
    """Sum of the weights in the latest published version. Null before the first."""
    published_at: datetime | None
    """When the latest version was published. Null before the first."""
    has_draft: bool
    """Whether a draft was saved since the latest publication."""
    retired_at: datetime | None
    """When it was retired. Null while it can be sent."""
    created_at: datetime
    updated_at: datetime
    version: int


class NewQuestionnaire(Body):
    """A questionnaire of your own. Its questions follow as a draft."""

    key: Key
    """Unique in the tenant, for ever. The content has the same key."""
    title: Title
    """The name in your own lists."""
    description: Description | None = None
    """The purpose of the questionnaire."""
    licence_note: LicenceNote | None = None
    """Copyright and licence of the text, if it is not your own."""


class QuestionnaireChanges(Body):
    """Changes of the record. Questions change by a draft and its publication."""

    title: Title | UnsetType = UNSET
    """The name in your own lists."""
    description: Description | UnsetType | None = UNSET
    """The purpose of the questionnaire."""
    licence_note: LicenceNote | UnsetType | None = UNSET
    """Copyright and licence of the text."""


class QuestionnaireVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A published version. It never changes."""

    id: UUID
    questionnaire_id: UUID
    """The questionnaire that it is a version of."""
    number: int
    """Number of the version, from 1."""
    content_sha256: str
    """SHA-256 of the canonical content, in hexadecimal."""
    method: str
    """The scoring method, such as `q1`."""
    question_count: int
    """How many questions it has."""
    weight_total: int
    """Sum of the weights of its questions."""
    change_note: str | None
    """The changes since the version before, in words. Null for the first version."""
    published_at: datetime
    """When it was published."""
    published_by_id: UUID
    """The API key that published it."""
    published_by_label: str
    """Name of the API key that published it."""
    created_at: datetime
    """When its draft was first saved."""
    updated_at: datetime
    """When it was published, which was its last change."""


class QuestionnaireVersionDetail(QuestionnaireVersion, frozen=True, kw_only=True):
    """A published version with its content."""

    content: msgspec.Raw
    """The whole questionnaire in the format `vendorrisk-questionnaire/1`."""


class QuestionnaireDraft(msgspec.Struct, frozen=True, kw_only=True):
    """The next version. Version 0 is one that nobody has saved: a copy of the latest published version."""

    questionnaire_id: UUID
    """The questionnaire that it is a draft of."""
    number: int
    """Number that it gets when it is published."""
    content_sha256: str
    """SHA-256 of the canonical content, in hexadecimal."""
    question_count: int
    """How many questions it has."""
    weight_total: int
    """Sum of the weights of its questions."""
    content: msgspec.Raw
    """The whole questionnaire in the format `vendorrisk-questionnaire/1`."""
    updated_at: datetime | None
    """When it was last saved. Null if nobody has saved it."""
    version: int


class StoredDraft(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a draft. Its digest stands for its content in the audit log."""

    id: UUID
    questionnaire_id: UUID
    number: int
    content_sha256: str
    question_count: int
    weight_total: int
    created_at: datetime
    updated_at: datetime
    version: int


class FrozenContent(msgspec.Struct, frozen=True, kw_only=True):
    """A content as it is stored: canonical JSON, its key, its digest in hexadecimal, and its counts."""

    key: str
    text: str
    sha256: str
    method: str
    question_count: int
    weight_total: int


class AskedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question of a published version, for statements across vendors. `place` counts from 1."""

    place: int
    key: str
    section: str
    kind: str
    meaning: int
    weight: int
    is_critical: bool
    wants_evidence: bool
    criteria: tuple[str, ...]
    same_as: tuple[str, ...]


class LastUse(msgspec.Struct, frozen=True):
    """The latest published version that has a question of this key."""

    key: str
    number: int


class Publication(Body):
    """The publication of a draft."""

    change_note: ChangeNote | None = None
    """The changes since the version before, in words. Required from the second version on."""


class ContentProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A fault or a warning at one place of the content."""

    code: str
    """Stable code, such as `refers_forward`."""
    pointer: str
    """JSON pointer (RFC 6901) into the content."""
    detail: str
    """The problem, and advice to solve it."""
    offset: int | None = None
    """Character of a condition where its fault stands, from 0. Null if it has no such place."""


class QuestionnaireCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Faults and warnings that a publication of the content would meet. Nothing is saved."""

    faults: list[ContentProblem]
    """Faults, at most 50. While there is one, the content can be neither saved nor published."""
    warnings: list[ContentProblem]
    """Doubts that a person should look at. They block nothing."""
    content_sha256: str | None
    """SHA-256 of the canonical content, in hexadecimal. Null if it cannot be read."""
    question_count: int
    """How many questions it has. 0 if it cannot be read."""
    weight_total: int
    """Sum of the weights of its questions. 0 if it cannot be read."""


class BuiltIn(msgspec.Struct, frozen=True, kw_only=True):
    """A questionnaire that comes with the service."""

    key: str
    """Key of the questionnaire, by which it is adopted."""
    title: str
    """Name of the questionnaire."""
    description: str | None
    """The purpose of the questionnaire. Null if it does not say."""
    source: QuestionnaireSource
    licence: str
    """SPDX identifier of its licence."""
    licence_note: str
    """Copyright and licence of the text."""
    question_count: int
    """How many questions it has."""
    weight_total: int
    """Sum of the weights of its questions."""
    content_sha256: str
    """SHA-256 of the canonical content, in hexadecimal."""


class BuiltIns(msgspec.Struct, frozen=True):
    """All questionnaires that come with the service."""

    items: list[BuiltIn]
    """The questionnaires, by key."""
