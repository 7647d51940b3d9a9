"""The routes of imports: the same six for every kind, under `/v1/<kind>-imports`."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from litestar import Request, Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter

from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InTransactions, InWork, ListPage, TheService
from vendorrisk.http.file_bodies import received_file
from vendorrisk.http.routing import acts, creates, lists, reads, removes
from vendorrisk.imports import queries
from vendorrisk.imports import service as imports
from vendorrisk.imports.cells import DateOrder
from vendorrisk.imports.kind import Kind
from vendorrisk.imports.model import Import, ImportAcceptance, ImportRow, ImportState
from vendorrisk.imports.options import Options, file_name_of, mapping_of
from vendorrisk.storage.media_types import MediaType

_ACCEPTED = (MediaType.CSV.text, MediaType.XLSX.text, "application/octet-stream")
_UNFIT = [Code.IMPORT_UNREADABLE, Code.IMPORT_OUTDATED, Code.FILE_PART_INVALID]
_NOT_NOW = [Code.IMPORT_NOT_READY, Code.IMPORT_HAS_PROBLEMS, Code.IMPORT_OUTDATED]
_WAITING = frozenset({ImportState.RECEIVED, ImportState.ACCEPTED})

_Function = TypeVar("_Function", bound=Callable[..., Any])


def router_of(kind: Kind) -> Router:
    """Make the routes of one kind."""
    handlers = [_receives(kind), _lists(kind), _reads(kind), _lists_rows(kind), _accepts(kind), _cancels(kind)]
    return Router("/", route_handlers=handlers, tags=[f"{kind.name.capitalize()} imports"])


def _named(name: str) -> Callable[[_Function], _Function]:
    """Give a handler the name by which the document knows its operation."""

    def named(handler: _Function) -> _Function:
        handler.__name__ = name
        return handler

    return named


def _receiving(kind: Kind) -> Callable[[Callable[..., Any]], Any]:
    place = f"/v1{kind.path}/{{id}}"
    example = kind.example
    return creates(kind.path, kind.write, at=place, refuses=_UNFIT, raw=_ACCEPTED, file_example=example, also=[202])


def _receives(kind: Kind) -> Any:
    @_receiving(kind)
    @_named(f"import_{kind.plural}")
    async def receive(
        request: Request[Any, Any, Any],
        transactions: InTransactions,
        service: TheService,
        dry_run: Annotated[bool, QueryParameter(required=False)] = True,  # noqa: FBT002 - a query parameter
        partial: Annotated[bool, QueryParameter(required=False)] = False,  # noqa: FBT002 - a query parameter
        map: Annotated[list[str] | None, QueryParameter(required=False)] = None,  # noqa: A002 - the parameter's name
        date_order: Annotated[DateOrder | None, QueryParameter(required=False)] = None,
        file_name: Annotated[str | None, QueryParameter(required=False, min_length=1, max_length=255)] = None,
    ) -> Response[Import]:
        """Send a CSV or XLSX as the body, or as the one part of a form. By default it is a dry run.

        A dry run shows the outcome of each row and changes nothing.

        Accept the dry run to apply it. With `dry_run=false` the file is applied at once, unless a row has a problem.
        With `partial=true` the rows that have a problem are left out. A small file is done when the response arrives
        (201). A large file is done later (202): read the import to see how far it is. `map=heading:field` matches a
        column, and `map=heading:ignore` leaves it out.
        """
        mapping = mapping_of(map or [], kind.layout.columns)
        async with received_file(request, most=service.settings.import_max_bytes, accepted=_ACCEPTED) as sent:
            named = file_name_of(file_name or sent.name)
            options = Options(dry_run=dry_run, partial=partial, mapping=mapping, date_order=date_order, file_name=named)
            tenant_id = transactions.tenant_id
            async with (
                service.places.heavy(service.places.imports, tenant_id),
                imports.looked_into(kind, sent.spool, options, on_behalf_of=tenant_id) as file,
            ):
                return _response(await imports.receive(await transactions.begin(), kind, file), done=201)

    return receive


def _lists(kind: Kind) -> Any:
    @lists(kind.path, kind.read, queries.imports_of(kind.record))
    @_named(f"list_{kind.record}s")
    async def list_imports(work: InWork, page: ListPage) -> Page[Import]:
        """List imports."""
        return await imports.many(work, kind, page)

    return list_imports


def _reads(kind: Kind) -> Any:
    @reads(f"{kind.path}/{{import_id:uuid}}", kind.read)
    @_named(f"get_{kind.record}")
    async def get_import(work: InWork, import_id: FromPath[UUID]) -> Import:
        """Return an import: its state, its progress, and the outcomes of its rows."""
        return await imports.one(work, kind, import_id)

    return get_import


def _lists_rows(kind: Kind) -> Any:
    @lists(f"{kind.path}/{{import_id:uuid}}/rows", kind.read, queries.ROWS)
    @_named(f"list_{kind.record}_rows")
    async def list_rows(work: InWork, import_id: FromPath[UUID], page: ListPage) -> Page[ImportRow]:
        """Return the rows of an import with every problem per row and column. Filter by `outcome`."""
        return await imports.rows(work, kind, import_id, page)

    return list_rows


def _accepts(kind: Kind) -> Any:
    place = f"{kind.path}/{{import_id:uuid}}/acceptance"

    @acts(place, kind.write, refuses=_NOT_NOW, also=[202], example={"partial": True})
    @_named(f"accept_{kind.record}")
    async def accept(
        work: InWork, expected: ExpectedVersion, import_id: FromPath[UUID], data: JSONBody[ImportAcceptance]
    ) -> Response[Import]:
        """Apply the checked rows: all of them, or with `partial` all without problems."""
        return _response(await imports.accept(work, kind, import_id, data, expected), done=200)

    return accept


def _cancels(kind: Kind) -> Any:
    @removes(f"{kind.path}/{{import_id:uuid}}", kind.write, refuses=[Code.IMPORT_NOT_READY])
    @_named(f"cancel_{kind.record}")
    async def cancel(work: InWork, expected: ExpectedVersion, import_id: FromPath[UUID]) -> None:
        """Cancel an import that was not applied. Its rows are deleted."""
        await imports.cancel(work, kind, import_id, expected)

    return cancel


def _response(made: Import, *, done: int) -> Response[Import]:
    return Response(made, status_code=202 if made.state in _WAITING else done)
