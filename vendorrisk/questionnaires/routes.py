"""Questionnaires, their published versions, and the built-in ones. Drafts have routes of their own."""

from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InTransactions, InWork, ListPage
from vendorrisk.http.routing import acts, changes, creates, lists, reads
from vendorrisk.questionnaires import built_ins, queries, service
from vendorrisk.questionnaires.comparison import Comparison
from vendorrisk.questionnaires.model import (
    BuiltIns,
    ExportFormat,
    NewQuestionnaire,
    Questionnaire,
    QuestionnaireChanges,
    QuestionnaireVersion,
    QuestionnaireVersionDetail,
)
from vendorrisk.storage.media_types import MediaType
from vendorrisk.storage.names import content_disposition

_READ, _WRITE = Permission.QUESTIONNAIRES_READ, Permission.QUESTIONNAIRES_WRITE
_ONE = "/questionnaires/{questionnaire_id:uuid}"
_VERSION = _ONE + "/versions/{number:int}"
_WRITTEN_AS = {ExportFormat.JSON: "application/json", ExportFormat.XLSX: MediaType.XLSX.text}


@lists("/questionnaires", _READ, queries.QUESTIONNAIRES)
async def list_questionnaires(work: InWork, page: ListPage) -> Page[Questionnaire]:
    """List questionnaires. `filter=retired_at:null:true` leaves those that can be sent."""
    return await service.questionnaires(work, page)


@creates(
    "/questionnaires",
    _WRITE,
    at="/v1/questionnaires/{id}",
    refuses=[Code.QUESTIONNAIRE_KEY_TAKEN],
    example={"key": "cloud-hosting", "title": "Cloud hosting", "description": "For those who host our data."},
)
async def create_questionnaire(work: InWork, data: JSONBody[NewQuestionnaire]) -> Questionnaire:
    """Create a questionnaire of your own. Its questions follow as a draft, which is then published."""
    return await service.create(work, data)


@reads(_ONE, _READ)
async def get_questionnaire(work: InWork, questionnaire_id: FromPath[UUID]) -> Questionnaire:
    """Return a questionnaire with the figures of its latest published version."""
    return await service.questionnaire(work, questionnaire_id)


@changes(_ONE, _WRITE, example={"title": "Cloud hosting and operation"})
async def change_questionnaire(
    work: InWork, expected: ExpectedVersion, questionnaire_id: FromPath[UUID], data: JSONBody[QuestionnaireChanges]
) -> Questionnaire:
    """Change the title, description or licence note. Questions change by a draft and its publication."""
    return await service.change(work, questionnaire_id, data, expected)


@acts(_ONE + "/retirement", _WRITE, refuses=[Code.QUESTIONNAIRE_RETIRED])
async def retire_questionnaire(
    work: InWork, expected: ExpectedVersion, questionnaire_id: FromPath[UUID]
) -> Questionnaire:
    """Retire a questionnaire for ever. It is sent no more. Its versions and all that was sent stay as they are."""
    return await service.retire(work, questionnaire_id, expected)


@lists(_ONE + "/versions", _READ, queries.VERSIONS)
async def list_questionnaire_versions(
    work: InWork, questionnaire_id: FromPath[UUID], page: ListPage
) -> Page[QuestionnaireVersion]:
    """List the published versions, the latest first."""
    return await service.versions(work, questionnaire_id, page)


@reads(_VERSION, _READ)
async def get_questionnaire_version(
    work: InWork, questionnaire_id: FromPath[UUID], number: FromPath[int]
) -> QuestionnaireVersionDetail:
    """Return a published version with its content, exactly as it was hashed."""
    return await service.version(work, questionnaire_id, number)


@reads(_VERSION + "/export", _READ, streams=tuple(_WRITTEN_AS.values()))
async def export_questionnaire_version(
    transactions: InTransactions,
    questionnaire_id: FromPath[UUID],
    number: FromPath[int],
    format: Annotated[ExportFormat, QueryParameter(required=False)] = ExportFormat.JSON,  # noqa: A002 - the parameter's name
) -> Stream:
    """Download a published version as JSON or as a workbook. Both can be imported again with the same SHA-256."""
    name, file = await service.exported(transactions, questionnaire_id, number, format)
    return Stream(file, media_type=_WRITTEN_AS[format], headers={"content-disposition": content_disposition(name)})


@reads(_ONE + "/comparison", _READ)
async def get_questionnaire_comparison(
    work: InWork,
    questionnaire_id: FromPath[UUID],
    earlier: Annotated[
        int | None,
        QueryParameter(
            name="from", ge=1, le=2**31 - 1, required=False, description="Number of the earlier published version."
        ),
    ] = None,
    later: Annotated[
        int | None,
        QueryParameter(
            name="to", ge=1, le=2**31 - 1, required=False, description="Number of the later published version."
        ),
    ] = None,
) -> Comparison:
    """Compare two published versions question by question: by default the latest with the one before it."""
    return await service.comparison(work, questionnaire_id, earlier, later)


@reads("/built-in-questionnaires", _READ)
async def get_built_in_questionnaires(work: InWork) -> BuiltIns:  # noqa: ARG001 - the same in every tenant
    """Return the questionnaires that come with the service, each with its licence."""
    return await built_ins.all_of_them()


@acts(
    "/built-in-questionnaires/{built_in_key:str}/adoption",
    _WRITE,
    match=False,
    at="/v1/questionnaires/{id}",
    refuses=[Code.QUESTIONNAIRE_KEY_TAKEN],
)
async def adopt_questionnaire(work: InWork, built_in_key: FromPath[str]) -> Questionnaire:
    """Copy a built-in questionnaire into the tenant and publish it as version 1. Its licence note is kept."""
    return await built_ins.adopt(work, built_in_key)


router = Router(
    "/",
    route_handlers=[
        list_questionnaires,
        create_questionnaire,
        get_questionnaire,
        change_questionnaire,
        retire_questionnaire,
        list_questionnaire_versions,
        get_questionnaire_version,
        export_questionnaire_version,
        get_questionnaire_comparison,
        get_built_in_questionnaires,
        adopt_questionnaire,
    ],
    tags=["Questionnaires"],
)
