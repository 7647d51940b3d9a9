"""The draft of a questionnaire: read, saved, checked, discarded, published."""

from typing import Any
from uuid import UUID

from litestar import Request, Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InTransactions, InWork, TheService
from vendorrisk.http.file_bodies import received_file
from vendorrisk.http.places import in_turn
from vendorrisk.http.routing import acts, reads, removes, replaces
from vendorrisk.questionnaires import drafts, publication
from vendorrisk.questionnaires.content import MOST_BYTES
from vendorrisk.questionnaires.model import (
    Publication,
    QuestionnaireCheck,
    QuestionnaireDraft,
    QuestionnaireVersionDetail,
)
from vendorrisk.storage.media_types import MediaType

_WRITE = Permission.QUESTIONNAIRES_WRITE
_DRAFT = "/questionnaires/{questionnaire_id:uuid}/draft"
_ACCEPTED = ("application/json", MediaType.XLSX.text, "application/octet-stream")
_FAULTS = [Code.QUESTIONNAIRE_INVALID, Code.CONDITION_INVALID]
_UNFIT = [Code.FILE_PART_INVALID]

EXAMPLE: dict[str, Any] = {
    "format": "vendorrisk-questionnaire/1",
    "key": "cloud-baseline",
    "title": {"en": "Cloud baseline"},
    "languages": ["en"],
    "default_language": "en",
    "method": "q1",
    "sections": [
        {
            "key": "access",
            "title": {"en": "Access"},
            "questions": [
                {
                    "key": "access.mfa",
                    "kind": "yes_no",
                    "text": {"en": "Do administrators use a second factor?"},
                    "weight": 9,
                    "critical": True,
                    "maps": {"soc2": ["CC6.1"]},
                },
                {
                    "key": "access.keys",
                    "kind": "yes_no",
                    "text": {"en": "Is that factor a key that cannot be phished?"},
                    "weight": 3,
                    "when": "access.mfa = yes",
                },
            ],
        }
    ],
}
"""A whole questionnaire in the format `vendorrisk-questionnaire/1`, of two questions."""


@reads(_DRAFT, _WRITE)
async def get_questionnaire_draft(work: InWork, questionnaire_id: FromPath[UUID]) -> QuestionnaireDraft:
    """Return the draft of the next version. Until one is saved, it is a copy of the latest version, with ETag "0"."""
    return await drafts.draft(work, questionnaire_id)


@replaces(
    _DRAFT,
    _WRITE,
    raw=_ACCEPTED,
    example=EXAMPLE,
    refuses=[*_FAULTS, *_UNFIT, Code.QUESTIONNAIRE_RETIRED],
)
async def set_questionnaire_draft(
    request: Request[Any, Any, Any],
    transactions: InTransactions,
    expected: ExpectedVersion,
    service: TheService,
    questionnaire_id: FromPath[UUID],
) -> QuestionnaireDraft:
    """Save a whole questionnaire as the draft: JSON, or a workbook as the export writes it.

    All faults are listed, at most 50, with JSON pointers into the content, and the sheet and row of a workbook. A
    condition that no answers can make true is a fault. If nothing differs from the draft, nothing is written.
    """
    async with (
        received_file(request, most=MOST_BYTES, accepted=_ACCEPTED) as sent,
        in_turn(service.places.large_bodies, transactions.tenant_id),
    ):
        return await drafts.save(transactions, questionnaire_id, await sent.spool.read(), expected)


@removes(_DRAFT, _WRITE, refuses=[Code.VERSION_PUBLISHED])
async def remove_questionnaire_draft(work: InWork, expected: ExpectedVersion, questionnaire_id: FromPath[UUID]) -> None:
    """Discard the draft. The next one begins as a copy of the latest published version, which never changes."""
    await drafts.discard(work, questionnaire_id, expected)


@acts(_DRAFT + "/check", _WRITE, match=False, raw=_ACCEPTED, example=EXAMPLE, refuses=_UNFIT)
async def check_questionnaire_draft(
    request: Request[Any, Any, Any], transactions: InTransactions, service: TheService, questionnaire_id: FromPath[UUID]
) -> QuestionnaireCheck:
    """Check a whole questionnaire as the next version, and save nothing. Warnings block nothing."""
    async with (
        received_file(request, most=MOST_BYTES, accepted=_ACCEPTED) as sent,
        in_turn(service.places.large_bodies, transactions.tenant_id),
    ):
        return await drafts.check(transactions, questionnaire_id, await sent.spool.read())


@acts(
    _DRAFT + "/publication",
    Permission.QUESTIONNAIRES_PUBLISH,
    refuses=[*_FAULTS, Code.CHANGE_NOTE_MISSING, Code.VERSION_UNCHANGED, Code.QUESTIONNAIRE_RETIRED],
    example={"change_note": "Asks for keys that cannot be phished."},
    begins_later=True,
)
async def publish_questionnaire_draft(
    transactions: InTransactions,
    expected: ExpectedVersion,
    questionnaire_id: FromPath[UUID],
    data: JSONBody[Publication],
) -> QuestionnaireVersionDetail:
    """Publish the draft as the next version, which never changes. From the second version on a note is required.

    Pointers of faults lead into the content of the draft.
    """
    return await publication.publish(transactions, questionnaire_id, data, expected)


router = Router(
    "/",
    route_handlers=[
        get_questionnaire_draft,
        set_questionnaire_draft,
        remove_questionnaire_draft,
        check_questionnaire_draft,
        publish_questionnaire_draft,
    ],
    tags=["Questionnaires"],
)
