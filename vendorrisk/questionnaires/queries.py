"""The statements of questionnaires."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import Holder, refusing
from vendorrisk.db.paging import RANGE, Column, ListOf
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.ids import new_id
from vendorrisk.questionnaires.model import (
    AskedQuestion,
    FrozenContent,
    LastUse,
    NewQuestionnaire,
    Questionnaire,
    QuestionnaireSource,
    QuestionnaireVersion,
    StoredDraft,
)

_sql = QueryFile("questionnaires")
_INSERT = _sql.command("insert_questionnaire")
_FIND = _sql.rows("find_questionnaire", Questionnaire)
_LOCK = _sql.scalar("lock_questionnaire", UUID)
LIST_QUESTIONNAIRES = _sql.rows("list_questionnaires", Questionnaire)
_HOLDER_OF_KEY = _sql.rows("holder_of_questionnaire_key", Holder)
_UPDATE = _sql.command("update_questionnaire")
LIST_VERSIONS = _sql.rows("list_questionnaire_versions", QuestionnaireVersion)
_FIND_VERSION = _sql.rows("find_questionnaire_version", QuestionnaireVersion)
_FIND_VERSION_CONTENT = _sql.scalar("find_version_content", str)
_FIND_DRAFT = _sql.rows("find_draft", StoredDraft)
_FIND_DRAFT_CONTENT = _sql.scalar("find_draft_content", str)
_INSERT_DRAFT = _sql.rows("insert_draft", StoredDraft)
_UPDATE_DRAFT = _sql.rows("update_draft", StoredDraft)
_DELETE_DRAFT = _sql.command("delete_draft")
_INSERT_QUESTIONS = _sql.command("insert_questions")
_PUBLISH = _sql.rows("publish_draft", QuestionnaireVersion)
_KEYS = _sql.rows("keys_of_versions", LastUse)

QUESTIONNAIRES = ListOf(
    "questionnaires",
    {
        "id": Column("q.id", UUID, "uuid"),
        "key": Column("q.key", sortable=True),
        "title": Column("q.title", sortable=True),
        "source": Column("q.source", QuestionnaireSource),
        "retired_at": Column("q.retired_at", datetime, "timestamptz", RANGE, nullable=True),
        "published_at": Column("latest.published_at", datetime, "timestamptz", RANGE, nullable=True),
        "created_at": Column("q.created_at", datetime, "timestamptz", RANGE, sortable=True),
        "updated_at": Column("q.updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="title",
    key_sql="q.id",
)

VERSIONS = ListOf(
    "questionnaire_versions",
    {
        "id": Column("v.id", UUID, "uuid"),
        "questionnaire_id": Column("v.questionnaire_id", UUID, "uuid"),
        "number": Column("v.number", int, "integer", RANGE, sortable=True),
        "content_sha256": Column("encode(v.content_sha256, 'hex')"),
        "published_at": Column("v.published_at", datetime, "timestamptz", RANGE, sortable=True),
        "updated_at": Column("v.updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-number",
    key_sql="v.id",
)

_TAKEN = {
    "questionnaires_key_is_unique": (
        Code.QUESTIONNAIRE_KEY_TAKEN,
        "Another questionnaire has this key. Change its draft, or choose another key.",
        "/key",
    ),
}
_FROZEN = {
    "questionnaire_versions_published_are_frozen": (
        Code.VERSION_PUBLISHED,
        "A published version never changes. Publish another one, or retire the questionnaire.",
        None,
    ),
}


async def insert(work: Work, new: NewQuestionnaire, source: QuestionnaireSource) -> UUID:
    """Insert a questionnaire and return its id. Refuses a key that another one has, a retired one included."""
    questionnaire_id = new_id()
    own = (new.key, new.title, new.description, source, new.licence_note, work.now)
    holders = {"questionnaires_key_is_unique": (_HOLDER_OF_KEY, (new.key,))}
    with refusing(_TAKEN, holders, seen_by="questionnaires:read"):
        await _INSERT.run(work.db, work.tenant_id, questionnaire_id, *own)
    return questionnaire_id


async def find(work: Work, questionnaire_id: UUID) -> Questionnaire | None:
    return await _FIND.one_or_none(work.db, work.tenant_id, questionnaire_id)


async def lock(work: Work, questionnaire_id: UUID) -> Questionnaire | None:
    """Lock a questionnaire, and with it its draft, and return the record as it is then."""
    await _LOCK.one_or_none(work.db, work.tenant_id, questionnaire_id)
    return await find(work, questionnaire_id)


async def update(work: Work, q: Questionnaire) -> None:
    own = (q.id, q.title, q.description, q.licence_note, q.retired_at, work.now)
    await _UPDATE.run(work.db, work.tenant_id, *own)


async def find_version(work: Work, questionnaire_id: UUID, number: int) -> QuestionnaireVersion | None:
    return await _FIND_VERSION.one_or_none(work.db, work.tenant_id, questionnaire_id, number)


async def find_version_content(work: Work, questionnaire_id: UUID, number: int) -> str | None:
    """Return the canonical content of a published version."""
    return await _FIND_VERSION_CONTENT.one_or_none(work.db, work.tenant_id, questionnaire_id, number)


async def find_draft(work: Work, questionnaire_id: UUID) -> StoredDraft | None:
    return await _FIND_DRAFT.one_or_none(work.db, work.tenant_id, questionnaire_id)


async def find_draft_content(work: Work, questionnaire_id: UUID) -> str | None:
    """Return the canonical content of the draft."""
    return await _FIND_DRAFT_CONTENT.one_or_none(work.db, work.tenant_id, questionnaire_id)


async def insert_draft(work: Work, questionnaire_id: UUID, frozen: FrozenContent) -> StoredDraft:
    """Insert a draft as the next version. The caller holds the lock of the questionnaire."""
    own = (frozen.text, frozen.sha256, frozen.method, frozen.question_count, frozen.weight_total, work.now)
    return await _INSERT_DRAFT.one(work.db, work.tenant_id, new_id(), questionnaire_id, *own)


async def update_draft(work: Work, draft_id: UUID, frozen: FrozenContent) -> StoredDraft:
    own = (frozen.text, frozen.sha256, frozen.method, frozen.question_count, frozen.weight_total, work.now)
    with refusing(_FROZEN):
        return await _UPDATE_DRAFT.one(work.db, work.tenant_id, draft_id, *own)


async def delete_draft(work: Work, draft_id: UUID) -> None:
    with refusing(_FROZEN):
        await _DELETE_DRAFT.run(work.db, work.tenant_id, draft_id)


async def publish(
    work: Work, draft_id: UUID, asked: str, questions: Sequence[AskedQuestion], change_note: str | None
) -> QuestionnaireVersion:
    """Freeze a draft with its questions spread out. `asked` is its content as a respondent sees it."""
    actor = work.by.actor
    with refusing(_FROZEN):
        await _INSERT_QUESTIONS.run(work.db, work.tenant_id, draft_id, list(questions))
        own = (asked, change_note, work.now, actor.id, actor.label)
        return await _PUBLISH.one(work.db, work.tenant_id, draft_id, *own)


async def keys(work: Work, questionnaire_id: UUID) -> dict[str, int]:
    """Return every key that a published version ever had, with the number of the latest version that has it."""
    rows = await _KEYS.many(work.db, work.tenant_id, questionnaire_id)
    return {row.key: row.number for row in rows}
