"""A draft becomes a published version: frozen, with a digest, a form for respondents, and its questions spread out."""

import asyncio
from uuid import UUID

from vendorrisk.access.records import found, stale
from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.errors import Code, Refusal
from vendorrisk.questionnaires import drafts, queries
from vendorrisk.questionnaires.content import Content, content_of
from vendorrisk.questionnaires.freezing import frozen, spread
from vendorrisk.questionnaires.model import (
    Publication,
    Questionnaire,
    QuestionnaireVersion,
    QuestionnaireVersionDetail,
    StoredDraft,
)
from vendorrisk.questionnaires.reading import in_sandbox, read_json
from vendorrisk.questionnaires.respondent_view import respondent_view
from vendorrisk.questionnaires.service import check_in_use, version


async def publish(
    transactions: Transactions, questionnaire_id: UUID, publication: Publication, expected: int
) -> QuestionnaireVersionDetail:
    """Publish the draft. If two callers publish it at once, one is refused, because its draft is gone."""
    async with transactions.look() as work:
        record = found(await queries.find(work, questionnaire_id))
        begun = frozen(await drafts.first(work, record)).text
        text = await queries.find_draft_content(work, questionnaire_id) or begun
    read = await in_sandbox(read_json, text.encode(), transactions.tenant_id)
    work = await transactions.begin()
    record = found(await queries.lock(work, questionnaire_id))
    stored = await queries.find_draft(work, questionnaire_id)
    drafts.check_draft_version(stored, expected)
    check_in_use(record)
    form = drafts.fit(record, read)
    if stored is not None and stored.content_sha256 != form.sha256:
        raise stale()  # saved again while it was checked
    latest = await drafts.latest(work, record)
    if stored is None or (latest is not None and frozen(latest).sha256 == form.sha256):
        raise Refusal(Code.VERSION_UNCHANGED, "The draft equals the latest published version. Change it first.")
    check_note(record, publication)
    made = await published(work, stored, content_of(form.text.encode()), publication.change_note)
    return await version(work, questionnaire_id, made.number)


def check_note(record: Questionnaire, publication: Publication) -> None:
    """Refuse a second or later version without a note of its changes."""
    if record.latest_number is not None and publication.change_note is None:
        raise Refusal(Code.CHANGE_NOTE_MISSING, "Say what changed since the version before.", pointer="/change_note")


async def published(work: Work, stored: StoredDraft, content: Content, change_note: str | None) -> QuestionnaireVersion:
    """Freeze a draft that was checked, in the caller's transaction."""
    asked = await asyncio.to_thread(respondent_view, content)
    after = await queries.publish(work, stored.id, asked.decode(), spread(content), change_note)
    target = Target("questionnaire_version", after.id)
    await audit.record(work, Action.QUESTIONNAIRE_VERSION_PUBLISHED, target, before=stored, after=after)
    return after
