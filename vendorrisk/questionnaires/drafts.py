"""The draft of a questionnaire: its one version that can change.

A stored draft has no fault. Before anybody saves one, the draft is a copy of the latest published version, or a content
without questions. That one has version 0.
"""

import asyncio
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.errors import Code, Refusal
from vendorrisk.http.json_bodies import check_json
from vendorrisk.questionnaires import queries
from vendorrisk.questionnaires.content import Content, ContentFault, content_of
from vendorrisk.questionnaires.form_workbook import read_workbook
from vendorrisk.questionnaires.freezing import empty, frozen, problems, refusal
from vendorrisk.questionnaires.lints import lints
from vendorrisk.questionnaires.model import (
    FrozenContent,
    Questionnaire,
    QuestionnaireCheck,
    QuestionnaireDraft,
    StoredDraft,
)
from vendorrisk.questionnaires.reading import ReadContent, in_sandbox, read_json
from vendorrisk.questionnaires.service import check_in_use

_ZIP = b"PK\x03\x04"


async def draft(work: Work, questionnaire_id: UUID) -> QuestionnaireDraft:
    """Return the draft as it was saved, or the one to begin with."""
    return await _shown(work, found(await queries.find(work, questionnaire_id)))


async def _shown(work: Work, record: Questionnaire) -> QuestionnaireDraft:
    stored = await queries.find_draft(work, record.id)
    if stored is None:
        form = frozen(await first(work, record))
        return _detail(record, form, number=(record.latest_number or 0) + 1)
    text = found(await queries.find_draft_content(work, record.id))
    return QuestionnaireDraft(
        questionnaire_id=record.id,
        number=stored.number,
        content_sha256=stored.content_sha256,
        question_count=stored.question_count,
        weight_total=stored.weight_total,
        content=msgspec.Raw(text.encode()),
        updated_at=stored.updated_at,
        version=stored.version,
    )


def _detail(record: Questionnaire, form: FrozenContent, *, number: int) -> QuestionnaireDraft:
    return QuestionnaireDraft(
        questionnaire_id=record.id,
        number=number,
        content_sha256=form.sha256,
        question_count=form.question_count,
        weight_total=form.weight_total,
        content=msgspec.Raw(form.text.encode()),
        updated_at=None,
        version=0,
    )


async def latest(work: Work, record: Questionnaire) -> Content | None:
    """Return the content of the latest published version, or None before the first."""
    if record.latest_number is None:
        return None
    text = found(await queries.find_version_content(work, record.id, record.latest_number))
    return content_of(text.encode())


async def first(work: Work, record: Questionnaire) -> Content:
    """Return the content that a draft begins with."""
    return await latest(work, record) or empty(record.key, record.title)


async def check(transactions: Transactions, questionnaire_id: UUID, raw: bytes) -> QuestionnaireCheck:
    """Say which faults and warnings a content has as the next version. Nothing is saved."""
    async with transactions.look() as work:
        found(await queries.find(work, questionnaire_id))
    read = await read_sent(raw, transactions.tenant_id)
    work = await transactions.begin()
    record = found(await queries.find(work, questionnaire_id))
    form = read.form
    return QuestionnaireCheck(
        faults=problems((*read.faults, *key_faults(record, form))),
        warnings=problems((*read.warnings, *await lints_of(work, record, form))),
        content_sha256=form.sha256 if form else None,
        question_count=form.question_count if form else 0,
        weight_total=form.weight_total if form else 0,
    )


async def save(transactions: Transactions, questionnaire_id: UUID, raw: bytes, expected: int) -> QuestionnaireDraft:
    """Save a content as the draft. Refuses one with faults. If nothing differs, nothing is written."""
    async with transactions.look() as work:
        await _check_takes(work, found(await queries.find(work, questionnaire_id)), expected)
    read = await read_sent(raw, transactions.tenant_id)
    work = await transactions.begin()
    return await saved(work, questionnaire_id, read, expected)


async def read_sent(raw: bytes, tenant_id: UUID) -> ReadContent:
    """Read a questionnaire that a caller has sent: strict JSON, or our own workbook. The content decides."""
    if raw.startswith(_ZIP):
        return await in_sandbox(read_workbook, raw, tenant_id, is_quick=False)
    await asyncio.to_thread(check_json, raw)
    return await in_sandbox(read_json, raw, tenant_id)


async def saved(work: Work, questionnaire_id: UUID, read: ReadContent, expected: int) -> QuestionnaireDraft:
    """Save a content that was read, in the caller's transaction."""
    record = found(await queries.lock(work, questionnaire_id))
    before = await _check_takes(work, record, expected)
    form = fit(record, read)
    if before is None:
        begun = frozen(await first(work, record))
        if begun.sha256 == form.sha256:
            return await _shown(work, record)
        after = await queries.insert_draft(work, record.id, form)
    elif before.content_sha256 == form.sha256:
        return await _shown(work, record)
    else:
        after = await queries.update_draft(work, before.id, form)
    target = Target("questionnaire_version", after.id)
    await audit.record(work, Action.QUESTIONNAIRE_VERSION_DRAFTED, target, before=before, after=after)
    return await _shown(work, record)


async def _check_takes(work: Work, record: Questionnaire, expected: int) -> StoredDraft | None:
    """Return the stored draft. Refuses a retired questionnaire and a draft of another version."""
    stored = await queries.find_draft(work, record.id)
    check_draft_version(stored, expected)
    check_in_use(record)
    return stored


class _Unsaved(msgspec.Struct, frozen=True):
    version: int = 0


def check_draft_version(stored: StoredDraft | None, expected: int) -> None:
    """Refuse with 412 a change that was meant for another version of the draft. An unsaved one has version 0."""
    check_version(stored or _Unsaved(), expected)


async def discard(work: Work, questionnaire_id: UUID, expected: int) -> None:
    """Discard the draft. The next one begins with the latest published version."""
    record = found(await queries.lock(work, questionnaire_id))
    stored = await queries.find_draft(work, record.id)
    check_draft_version(stored, expected)
    if stored is None:
        if record.latest_number is not None:
            detail = f"Version {record.latest_number} is published and never changes. Retire the questionnaire instead."
            raise Refusal(Code.VERSION_PUBLISHED, detail)
        raise Refusal(Code.NOT_FOUND, "No draft was saved.")
    await queries.delete_draft(work, stored.id)
    target = Target("questionnaire_version", stored.id)
    await audit.record(work, Action.QUESTIONNAIRE_VERSION_DISCARDED, target, before=stored)


def fit(record: Questionnaire, read: ReadContent) -> FrozenContent:
    """Return the form of a content without faults. Refuses with all of its faults otherwise."""
    faults = (*read.faults, *key_faults(record, read.form))
    if faults or read.form is None:
        raise refusal(faults)
    return read.form


def key_faults(record: Questionnaire, form: FrozenContent | None) -> tuple[ContentFault, ...]:
    """Return the fault of a content that has the key of another questionnaire."""
    if form is None or form.key == record.key:
        return ()
    detail = f"The content has another key than its questionnaire. Write {record.key}."
    return (ContentFault("key_differs", "/key", detail),)


async def lints_of(work: Work, record: Questionnaire, form: FrozenContent | None) -> tuple[ContentFault, ...]:
    """Return doubts about a content beside the versions before it."""
    old = await latest(work, record)
    if form is None or old is None:
        return ()
    keys = await queries.keys(work, record.id)
    return await asyncio.to_thread(lints, old, content_of(form.text.encode()), keys)
