"""Many items in one request: each is done or fails alone, by the operation that does one.

    @bulk("/members/bulk-additions", Permission.MEMBERS_MANAGE, example=[{"name": "Dana Reyes", …}])
    async def add_members(work: Work, item: NewMember) -> Member:
        \"\"\"Add up to 200 members.\"\"\"
        return await service.add_member(work, item)

The declared function does one item. The route takes `{"items": […]}` and returns `BulkResults`. An item names an
existing record by `id` and `version`, and a parent by a field such as `vendor_id`.

Each item runs in a savepoint. An item that fails leaves no row and no audit entry. The audit entries of the others are
written at the end with one statement: writing one holds the tenant's audit chain, and an item that waited for a row
while it held the chain could block a caller who holds the row and waits for the chain.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar, get_type_hints
from uuid import UUID

import asyncpg
import msgspec
from litestar.params import JSONBody
from msgspec import Meta

from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import Body
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.model import Change
from vendorrisk.db.constraints import naming_holder, refusal_for
from vendorrisk.errors import FieldError, Kind, Refusal, under
from vendorrisk.http.dependencies import InWork, TheService
from vendorrisk.http.json_bodies import check_fit
from vendorrisk.http.routing import Handler, acts

MOST_ITEMS = 200

_Single = TypeVar("_Single", bound=Body)
_One = Callable[..., Awaitable[Any]]


class BulkItems(Body):
    """Items that are checked one by one; the document shows the fields of each operation's own."""

    items: Annotated[list[Any], Meta(min_length=1, max_length=MOST_ITEMS)]
    """1 to 200 items. Each is done or fails alone."""


class BulkResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The result of one item: the record, or the problem with its field errors."""

    index: int
    id: UUID | None = None
    """The record that was made or changed. Missing if the item failed."""
    version: int | None = None
    """The record's version afterwards. Missing if the item failed."""
    code: str | None = None
    """Stable code of the problem. Missing if there is none."""
    detail: str | None = None
    """What to do about the problem. Missing if there is none."""
    errors: tuple[FieldError, ...] = ()
    """The fields that are wrong. Pointers begin at the body, as in `/items/3/name`."""


class BulkResults(msgspec.Struct, frozen=True):
    """The results of all items, in the order sent."""

    items: list[BulkResult]
    """One result for each item, in the order sent."""
    done: int
    """How many items were done."""
    failed: int
    """How many items failed and changed nothing."""


def bulk(path: str, permission: Permission, *, example: Sequence[Any]) -> Callable[[_One], Handler]:
    """Declare the route that runs a function for each of many items.

    The function takes `work` and `item`, and `service` where it needs the process's own. The type of `item` is what the
    document shows and what each item is checked against.
    """

    def declared(one: _One) -> Handler:
        hints = get_type_hints(one)
        takes: type[Body] = hints["item"]

        async def many(work: InWork, service: TheService, data: JSONBody[BulkItems]) -> BulkResults:
            more = {"service": service} if "service" in hints else {}
            return await each(work, data.items, takes, lambda together, item: one(together, item, **more))

        many.__name__, many.__qualname__, many.__doc__ = one.__name__, one.__qualname__, one.__doc__
        many.__module__ = one.__module__
        return acts(  # type: ignore[no-any-return]  # Litestar's decorator
            path,
            permission,
            match=False,
            example={"items": list(example)},
            opt={"bulk": takes, "body": _body(path, takes)},
        )(many)

    return declared


async def each(work: Work, items: Sequence[Any], takes: type[Body], one: _One) -> BulkResults:
    """Run `one` for each item that fits `takes`, in a savepoint; refusals become results.

    A refusal that only asks to try again refuses the whole request, which has then changed nothing.
    """
    entries: list[Change] = []
    together = msgspec.structs.replace(work, entries_later=entries)
    results = []
    for index, value in enumerate(items):
        kept = len(entries)
        await work.db.execute("savepoint item")
        try:
            result = await _done(index, value, takes, lambda item: one(together, item))
        except (Refusal, asyncpg.PostgresError) as error:
            await work.db.execute("rollback to savepoint item")
            del entries[kept:]
            result = await _failed(work, index, error)
        await work.db.execute("release savepoint item")
        results.append(result)
    await audit.record_all(work, entries)
    failed = sum(result.code is not None for result in results)
    return BulkResults(results, done=len(results) - failed, failed=failed)


def part(item: Body, single: type[_Single]) -> _Single:
    """Return the body of the single operation that an item has beside the record it names."""
    return single(**{name: getattr(item, name) for name in single.__struct_fields__})


async def _done(index: int, value: Any, takes: type[Body], one: Callable[[Any], Awaitable[Any]]) -> BulkResult:
    check_fit(value, takes)
    item = msgspec.convert(value, takes)
    made = await one(item)
    return BulkResult(index=index, id=getattr(item, "id", None) or made.id, version=made.version)


async def _failed(work: Work, index: int, error: Refusal | asyncpg.PostgresError) -> BulkResult:
    refusal = error if isinstance(error, Refusal) else refusal_for(error)
    if refusal is None or refusal.code.kind in {Kind.UNAVAILABLE, Kind.INTERNAL, Kind.TOO_MANY}:
        raise error
    named = await naming_holder(work.db, work.tenant_id, work.by.actor.permissions, refusal)
    return BulkResult(
        index=index, code=named.code.code, detail=named.detail, errors=under(named.errors, f"/items/{index}")
    )


def _body(path: str, takes: type[Body]) -> type[msgspec.Struct]:
    """Return the shape of the body for the document, named after the path: `VendorsBulkChanges`."""
    name = "".join(word.capitalize() for word in re.split(r"[/-]", path))
    items: Any = Annotated[list[takes], Meta(min_length=1, max_length=MOST_ITEMS)]  # type: ignore[valid-type]  # made here
    doc = f"Up to {MOST_ITEMS} items. Each is done or fails alone."
    return msgspec.defstruct(
        name, [("items", items)], bases=(BulkItems,), module=__name__, namespace={"__doc__": doc}, kw_only=True
    )
