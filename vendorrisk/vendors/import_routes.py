"""Imports of vendors from a spreadsheet."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage, TheService
from vendorrisk.http.files import received_file
from vendorrisk.http.routing import acts, creates, lists, reads, removes
from vendorrisk.storage.media_types import MediaType
from vendorrisk.vendors import import_queries as queries
from vendorrisk.vendors import importing
from vendorrisk.vendors.columns import DateOrder
from vendorrisk.vendors.import_model import Acceptance, Import, ImportState, RowShown

_READ, _WRITE = Permission.VENDORS_READ, Permission.VENDORS_WRITE
_TAKEN = (MediaType.CSV.text, MediaType.XLSX.text, "application/octet-stream")
_WAITING = frozenset({ImportState.RECEIVED, ImportState.ACCEPTED})


@creates(
    "/vendor-imports",
    _WRITE,
    at="/v1/vendor-imports/{id}",
    refuses=[Code.IMPORT_UNREADABLE, Code.IMPORT_OUTDATED, Code.FILE_PART_INVALID],
    raw=_TAKEN,
    file_example="name,domain,country\nAcme Cloud,acme.example,DE\n",
    also=[202],
)
async def import_vendors(
    request: Request[Any, Any, Any],
    work: InWork,
    service: TheService,
    dry_run: Annotated[bool, QueryParameter(required=False)] = True,  # noqa: FBT002 - a query parameter
    partial: Annotated[bool, QueryParameter(required=False)] = False,  # noqa: FBT002 - a query parameter
    map: Annotated[list[str] | None, QueryParameter(required=False)] = None,  # noqa: A002 - the parameter's name
    date_order: Annotated[DateOrder | None, QueryParameter(required=False)] = None,
    file_name: Annotated[str | None, QueryParameter(required=False, min_length=1, max_length=255)] = None,
) -> Response[Import]:
    """Send a CSV or XLSX as the body, or as the one part of a form; by default as a dry run.

    A dry run tells what each row would do and changes nothing.

    Accept the dry run to apply it. With `dry_run=false` it is applied at once, unless a row has a problem; with
    `partial=true` the rows that have one are left out. A small file is answered when it is done (201); a large one at
    once (202), and the import tells how far it is. `map=heading:field` matches a column, `heading:ignore` leaves it.
    """
    sent = await received_file(request, most=service.settings.import_max_bytes, taken=_TAKEN)
    options = importing.Options(
        dry_run=dry_run,
        partial=partial,
        mapping=importing.mapping_of(map or []),
        date_order=date_order,
        file_name=importing.file_name_of(file_name or sent.name),
    )
    return _answer(await importing.receive(work, sent.content, options), done=201)


@lists("/vendor-imports", _READ, queries.IMPORTS)
async def list_vendor_imports(work: InWork, page: ListPage) -> Page[Import]:
    """List imports."""
    return await importing.many(work, page)


@reads("/vendor-imports/{import_id:uuid}", _READ)
async def get_vendor_import(work: InWork, import_id: FromPath[UUID]) -> Import:
    """Return an import: its state, how far it is, and what its rows do."""
    return await importing.one(work, import_id)


@lists("/vendor-imports/{import_id:uuid}/rows", _READ, queries.ROWS)
async def list_vendor_import_rows(work: InWork, import_id: FromPath[UUID], page: ListPage) -> Page[RowShown]:
    """Return the rows of an import with every problem per row and column; filter by `outcome`."""
    return await importing.rows(work, import_id, page)


@acts(
    "/vendor-imports/{import_id:uuid}/acceptance",
    _WRITE,
    refuses=[Code.IMPORT_NOT_READY, Code.IMPORT_HAS_PROBLEMS, Code.IMPORT_OUTDATED],
    also=[202],
    example={"partial": True},
)
async def accept_vendor_import(
    work: InWork, expected: ExpectedVersion, import_id: FromPath[UUID], data: JSONBody[Acceptance]
) -> Response[Import]:
    """Apply what was checked: all of it, or with `partial` all but the rows that have problems."""
    return _answer(await importing.accept(work, import_id, data, expected), done=200)


@removes("/vendor-imports/{import_id:uuid}", _WRITE, refuses=[Code.IMPORT_NOT_READY])
async def cancel_vendor_import(work: InWork, expected: ExpectedVersion, import_id: FromPath[UUID]) -> None:
    """Call an import off that was not applied; its rows are forgotten."""
    await importing.cancel(work, import_id, expected)


def _answer(told: Import, *, done: int) -> Response[Import]:
    return Response(told, status_code=202 if told.state in _WAITING else done)


router = Router(
    "/",
    route_handlers=[
        import_vendors,
        list_vendor_imports,
        get_vendor_import,
        list_vendor_import_rows,
        accept_vendor_import,
        cancel_vendor_import,
    ],
    tags=["Vendor imports"],
)
