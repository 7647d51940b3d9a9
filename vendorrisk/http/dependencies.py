"""The arguments that a handler may take, by name. The request middleware has made it all before the handler runs.

`expected` and `page` ask for `work` although they do not need it: Litestar resolves independent dependencies in a task
group, which costs more than all of them. A chain is resolved one after the other.
"""

from typing import Annotated, Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from vendorrisk.access.work import Transactions, Work
from vendorrisk.db.paging import DEFAULT_LIMIT, MAX_LIMIT, PageRequest, check_sort, read_filters
from vendorrisk.http.app_state import Service

InWork: TypeAlias = NamedDependency[Work]
InTransactions: TypeAlias = NamedDependency[Any]  # `Transactions`: a protocol, which Litestar cannot check
_InWork: TypeAlias = NamedDependency[Any]
ExpectedVersion: TypeAlias = NamedDependency[int]
ListPage: TypeAlias = NamedDependency[PageRequest]
OwnReference: TypeAlias = Annotated[
    str, QueryParameter(min_length=1, max_length=100, description="Your own number for the record.")
]
TheService: TypeAlias = NamedDependency[Service]


async def provide_work(request: Request[Any, Any, Any]) -> Any:
    """Return the operation's `Work`, or None to a handler that opens its transactions itself."""
    work: Work | None = request.scope["request_context"].work  # type: ignore[typeddict-item]  # our own key of the scope
    return work


async def provide_transactions(request: Request[Any, Any, Any]) -> Any:
    transactions: Transactions = request.scope["request_context"]  # type: ignore[typeddict-item]  # as above
    return transactions


async def provide_expected_version(request: Request[Any, Any, Any], work: _InWork) -> int:  # noqa: ARG001 - see above
    version: int = request.scope["request_context"].expected_version  # type: ignore[typeddict-item]  # our own key of the scope
    return version


async def provide_service(request: Request[Any, Any, Any]) -> Service:
    service: Service = request.scope["service"]  # type: ignore[typeddict-item]  # our own key of the scope
    return service


async def provide_page(
    request: Request[Any, Any, Any],
    work: _InWork,  # noqa: ARG001 - see above
    filter: Annotated[list[str] | None, QueryParameter(required=False)] = None,  # noqa: A002 - the parameter's name
    sort: Annotated[str | None, QueryParameter(required=False)] = None,
    cursor: Annotated[str | None, QueryParameter(required=False)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, required=False)] = DEFAULT_LIMIT,
    total: Annotated[bool, QueryParameter(required=False)] = False,  # noqa: FBT002 - a query parameter
) -> PageRequest:
    of = request.route_handler.opt["of"]
    return PageRequest(
        of,
        read_filters(of, filter or []),
        check_sort(of, of.default_sort if sort is None else sort),
        limit,
        total,
        cursor or None,
    )


DEPENDENCIES = {
    "work": Provide(provide_work),
    "transactions": Provide(provide_transactions),
    "expected": Provide(provide_expected_version),
    "page": Provide(provide_page),
    "service": Provide(provide_service),
}
