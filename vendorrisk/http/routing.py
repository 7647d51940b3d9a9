"""How a handler is declared: five kinds of route, each with its permission and its promises.

    reads GET one thing. Answers with an ETag if the thing has a version
    lists      GET a page of a declared list
    creates POST that makes something. 201 with Location and ETag. Takes an Idempotency-Key
    acts POST that moves something that exists. Needs If-Match. Takes an Idempotency-Key
    changes PATCH (merge patch) or PUT. Needs If-Match
    removes    DELETE; needs If-Match; 204

The permission and the kind are data on the handler: the request middleware enforces them, the document shows them, and
the tests over every route read them.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from litestar import Response, delete, get, patch, post, put

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import ListOf
from vendorrisk.errors import Code
from vendorrisk.http.headers import etag
from vendorrisk.http.pagination_links import PageResponse

Handler = Callable[..., Any]
_Record = TypeVar("_Record")


class Kind(StrEnum):
    READ = "read"
    LIST = "list"
    CREATE = "create"
    ACT = "act"
    CHANGE = "change"
    REMOVE = "remove"


WRITES = frozenset({Kind.CREATE, Kind.ACT, Kind.CHANGE, Kind.REMOVE})
NEEDS_MATCH = frozenset({Kind.ACT, Kind.CHANGE, Kind.REMOVE})


def reads(path: str, permission: Permission, *, refuses: Sequence[Code] = (), **more: Any) -> Handler:
    """Declare GET of one thing."""
    return get(path, after_request=_tagged, **_told(Kind.READ, permission, refuses, more))


def lists(path: str, permission: Permission, of: ListOf, *, refuses: Sequence[Code] = (), **more: Any) -> Handler:
    """Declare GET of a page. The handler takes `page: ListPage` and returns a `Page`."""
    return get(path, response_class=PageResponse, **_told(Kind.LIST, permission, refuses, more, of=of))


def creates(
    path: str,
    permission: Permission,
    *,
    at: str | None = None,
    refuses: Sequence[Code] = (),
    **more: Any,
) -> Handler:
    """Declare POST that makes something. `at` is its place, such as "/v1/vendors/{id}"."""
    return post(path, after_request=_located(at), **_told(Kind.CREATE, permission, refuses, more, at=at))


def acts(
    path: str,
    permission: Permission,
    *,
    match: bool = True,
    at: str | None = None,
    refuses: Sequence[Code] = (),
    **more: Any,
) -> Handler:
    """Declare POST that moves a thing. `match=False` if the thing has no version to lose.

    `at` is the place of a record made on the way, if there is one to follow.
    """
    more = {"status_code": 200, **more}
    return post(path, after_request=_located(at), **_told(Kind.ACT, permission, refuses, more, match=match, at=at))


def changes(path: str, permission: Permission, *, refuses: Sequence[Code] = (), **more: Any) -> Handler:
    """Declare PATCH with a JSON merge patch (RFC 7396)."""
    return patch(path, after_request=_tagged, **_told(Kind.CHANGE, permission, refuses, more, match=True))


def replaces(
    path: str, permission: Permission, *, match: bool = True, refuses: Sequence[Code] = (), **more: Any
) -> Handler:
    """Declare PUT, which says the whole again."""
    return put(path, after_request=_tagged, **_told(Kind.CHANGE, permission, refuses, more, match=match))


def upserts(path: str, permission: Permission, *, refuses: Sequence[Code] = (), **more: Any) -> Handler:
    """Declare PUT of a whole record by the caller's own reference; answers 201 where it was created, else 200."""
    return replaces(path, permission, match=False, refuses=refuses, also=(201,), **more)


def upserted(record: _Record, is_new: bool) -> Response[_Record]:  # noqa: FBT001 - what `create_or_change` returned
    """Return the response to a record that was created or changed."""
    return Response(record, status_code=201 if is_new else 200)


def removes(path: str, permission: Permission, *, refuses: Sequence[Code] = (), **more: Any) -> Handler:
    """Declare DELETE."""
    return delete(path, **_told(Kind.REMOVE, permission, refuses, more, match=True))


def _told(
    kind: Kind,
    permission: Permission,
    refuses: Sequence[Code],
    more: dict[str, Any],
    *,
    of: ListOf | None = None,
    match: bool = False,
    at: str | None = None,
) -> dict[str, Any]:
    opt = {
        "kind": kind,
        "permission": permission,
        "refuses": tuple(refuses),
        "of": of,
        "match": match,
        "at": at,
        # A raw body is read by the handler itself: files and spreadsheets.
        "raw": more.pop("raw", None),
        # The handler of a JSON body opens its transactions itself, because it waits for a child process in between.
        "begins_later": more.pop("begins_later", False),
        # The media types of a response that goes out while the handler still reads: files and exports.
        "streams": more.pop("streams", None),
        # Whether such a response carries the ETag of its record, as its handler knows it.
        "tagged": more.pop("tagged", False),
        "example": more.pop("example", None),
        # The same of a raw body, as text: a file that can be sent as it is.
        "file_example": more.pop("file_example", None),
        # The type of each item of a bulk operation, and the shape of its body for the document.
        "bulk": None,
        "body": None,
        # Other statuses of success, such as 202 where the work may go on after the response.
        "also": more.pop("also", ()),
    }
    return {**more, "opt": {**opt, **more.pop("opt", {})}}


async def _tagged(response: Response[Any]) -> Response[Any]:
    version = getattr(response.content, "version", None)
    if isinstance(version, int):
        response.headers["ETag"] = etag(version)
    return response


def _located(at: str | None) -> Callable[[Response[Any]], Any]:
    async def located(response: Response[Any]) -> Response[Any]:
        if at is not None and response.content is not None:
            response.headers["Location"] = at.format(id=response.content.id)
        return await _tagged(response)

    return located
