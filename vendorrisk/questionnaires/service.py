"""Operations on questionnaires and on their published versions."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found, patched
from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.questionnaires import form_workbook, queries
from vendorrisk.questionnaires.comparison import Comparison, compared
from vendorrisk.questionnaires.content import Content, content_of
from vendorrisk.questionnaires.model import (
    ExportFormat,
    NewQuestionnaire,
    Questionnaire,
    QuestionnaireChanges,
    QuestionnaireSource,
    QuestionnaireVersion,
    QuestionnaireVersionDetail,
)

_MOST_NUMBER = 2**31 - 1
_PIECE_BYTES = 64 * 1024


async def questionnaires(work: Work, page: PageRequest) -> Page[Questionnaire]:
    return await work.page(queries.LIST_QUESTIONNAIRES, page)


async def questionnaire(work: Work, questionnaire_id: UUID) -> Questionnaire:
    return found(await queries.find(work, questionnaire_id))


async def create(work: Work, new: NewQuestionnaire) -> Questionnaire:
    """Create a questionnaire of the tenant's own. Its first draft has no questions."""
    return await created(work, new, QuestionnaireSource.OWN)


async def created(work: Work, new: NewQuestionnaire, source: QuestionnaireSource) -> Questionnaire:
    """Create a questionnaire whose questions are from a source."""
    made = await questionnaire(work, await queries.insert(work, new, source))
    await audit.record(work, Action.QUESTIONNAIRE_CREATED, Target("questionnaire", made.id), after=made)
    return made


async def change(work: Work, questionnaire_id: UUID, changes: QuestionnaireChanges, expected: int) -> Questionnaire:
    """Change the record. Its questions and published versions stay as they are."""
    before = found(await queries.lock(work, questionnaire_id))
    check_version(before, expected)
    return await _changed(work, Action.QUESTIONNAIRE_CHANGED, before, patched(before, changes))


async def retire(work: Work, questionnaire_id: UUID, expected: int) -> Questionnaire:
    """Retire a questionnaire for ever. It is sent no more, and what was sent goes on."""
    before = found(await queries.lock(work, questionnaire_id))
    check_version(before, expected)
    check_in_use(before)
    wanted = msgspec.structs.replace(before, retired_at=work.now)
    return await _changed(work, Action.QUESTIONNAIRE_RETIRED, before, wanted)


async def _changed(work: Work, action: Action, before: Questionnaire, wanted: Questionnaire) -> Questionnaire:
    if wanted == before:
        return before
    await queries.update(work, wanted)
    after = await questionnaire(work, before.id)
    await audit.record(work, action, Target("questionnaire", before.id), before=before, after=after)
    return after


def check_in_use(record: Questionnaire) -> None:
    """Refuse what a retired questionnaire does not do any more."""
    if record.retired_at is not None:
        detail = "It was retired, and is neither changed nor sent any more. Create another questionnaire."
        raise Refusal(Code.QUESTIONNAIRE_RETIRED, detail)


async def versions(work: Work, questionnaire_id: UUID, page: PageRequest) -> Page[QuestionnaireVersion]:
    await questionnaire(work, questionnaire_id)
    return await work.page(queries.LIST_VERSIONS, page.within("questionnaire_id", questionnaire_id))


async def version(work: Work, questionnaire_id: UUID, number: int) -> QuestionnaireVersionDetail:
    """Return a published version with its content, exactly as it was hashed."""
    _check_number(number)
    stored = found(await queries.find_version(work, questionnaire_id, number))
    text = found(await queries.find_version_content(work, questionnaire_id, number))
    return QuestionnaireVersionDetail(**msgspec.structs.asdict(stored), content=msgspec.Raw(text.encode()))


async def content_of_version(work: Work, questionnaire_id: UUID, number: int) -> Content:
    """Return the content of a published version."""
    _check_number(number)
    text = found(await queries.find_version_content(work, questionnaire_id, number))
    return content_of(text.encode())


async def comparison(work: Work, questionnaire_id: UUID, earlier: int | None, later: int | None) -> Comparison:
    """Compare two published versions: by default the latest with the one before it."""
    record = await questionnaire(work, questionnaire_id)
    to = found(later or record.latest_number)
    old = await content_of_version(work, questionnaire_id, earlier or max(1, to - 1))
    return await asyncio.to_thread(compared, old, await content_of_version(work, questionnaire_id, to))


async def exported(
    transactions: Transactions, questionnaire_id: UUID, number: int, form: ExportFormat
) -> tuple[str, AsyncIterator[bytes]]:
    """Return a file name, and a published version as a file of that form."""
    async with transactions.look() as work:
        record = await questionnaire(work, questionnaire_id)
        _check_number(number)
        text = found(await queries.find_version_content(work, questionnaire_id, number)).encode()
    if form is ExportFormat.XLSX:
        text = await asyncio.to_thread(lambda: form_workbook.written(content_of(text)))
    return f"{record.key}-{number}.{form}", _pieces(text)


async def _pieces(file: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(file), _PIECE_BYTES):
        yield file[start : start + _PIECE_BYTES]


def _check_number(number: int) -> None:
    found(number if 0 < number <= _MOST_NUMBER else None)
