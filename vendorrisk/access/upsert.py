"""Create a record by the caller's own reference, or change the one that has it: safe to send twice, and by two at once.

The caller sends the whole record. A field that is left out takes its default, but for a date or tier that follows from
others, which stays as it is. A body that says what the record says makes no version and no audit entry.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from vendorrisk.access.records import Body
from vendorrisk.access.work import Work
from vendorrisk.db.constraints import TakenRefusal
from vendorrisk.errors import Code, Refusal

_Record = TypeVar("_Record")
_Changes = TypeVar("_Changes", bound=Body)


async def create_or_change(
    work: Work, change: Callable[[], Awaitable[_Record | None]], create: Callable[[], Awaitable[_Record]]
) -> tuple[_Record, bool]:
    """Return the record, and whether it was created. `change` returns None if no record has the reference.

    If another caller creates the record meanwhile, the unique constraint refuses this one, which then changes it.
    """
    if (changed := await change()) is not None:
        return changed, False
    await work.db.execute("savepoint creation")
    try:
        created = await create()
    except TakenRefusal:
        await work.db.execute("rollback to savepoint creation")
        if (changed := await change()) is None:
            raise
        return changed, False
    await work.db.execute("release savepoint creation")
    return created, True


def with_reference(new: Any, reference: str) -> None:
    """Return a body with the reference of its address. A body with another reference is refused."""
    if new.reference not in {None, reference}:
        detail = "Leave it out, or send the reference that the address has."
        raise Refusal(Code.REFERENCE_DIFFERS, detail, pointer="/reference")
    new.reference = reference


def as_changes(new: Body, kind: type[_Changes], *, kept: Collection[str]) -> _Changes:
    """Return the changes that make a record equal to the body. Fields in `kept` stay if they are not sent."""
    given = {name: getattr(new, name) for name in kind.__struct_fields__}
    return kind(**{name: value for name, value in given.items() if value is not None or name not in kept})
