"""A broken constraint becomes a refusal at the one query that can break it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

import asyncpg
import msgspec

from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import Query
from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.value_words import shown

Broken = tuple[Code, str, str | None]
"""(code, detail, JSON pointer)"""


class Holder(msgspec.Struct, frozen=True):
    """The record that already has the unique value. `value` if several were asked for at once."""

    id: UUID
    name: str
    value: str | None = None


Finding = tuple[Query[Holder], tuple[object, ...]]
"""The statement that finds the holder, and its arguments after the tenant."""


class TakenRefusal(Refusal):
    """A refusal of a value that another record has.

    Its holder can be read once the broken transaction is rolled back.
    """

    def __init__(self, broken: Broken, finding: Finding, permission: str) -> None:
        code, detail, pointer = broken
        super().__init__(code, detail, pointer=pointer)
        self.finding, self.permission = finding, permission


@contextmanager
def refusing(
    broken: Mapping[str, Broken], holders: Mapping[str, Finding] | None = None, *, seen_by: str = ""
) -> Iterator[None]:
    """Turn the violation of a named constraint into the refusal listed for it. Others pass through.

    `holders` finds the other record of a constraint, for callers with the permission `seen_by`.
    """
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        if (found := broken.get(error.constraint_name or "")) is None:
            raise
        if (finding := (holders or {}).get(error.constraint_name or "")) is not None:
            raise TakenRefusal(found, finding, seen_by) from None
        code, detail, pointer = found
        raise Refusal(code, detail, pointer=pointer) from None


async def naming_holder(
    connection: Connection, tenant_id: UUID, permissions: Collection[str], refusal: Refusal
) -> Refusal:
    """Return the refusal with the name and id of the other record, if it still exists and the caller may see it."""
    if not isinstance(refusal, TakenRefusal) or refusal.permission not in permissions:
        return refusal
    query, arguments = refusal.finding
    holder = await query.one_or_none(connection, tenant_id, *arguments)
    if holder is None:
        return refusal
    what = "It is" if holder.value is None else f"{shown(holder.value)} is with"
    detail = f"{refusal.detail} {what} {shown(holder.name)} ({holder.id})."
    own = refusal.errors[0] if refusal.errors else FieldError(detail, refusal.code.code, pointer="")
    field_error = msgspec.structs.replace(own, detail=detail, record_id=holder.id)
    return Refusal(refusal.code, detail, errors=[field_error])


def refusal_for(error: asyncpg.PostgresError) -> Refusal | None:
    """Return the refusal for an error that any statement may meet, or None if it is our own fault."""
    match error:
        case asyncpg.ForeignKeyViolationError():
            return Refusal(Code.REFERENCE_UNKNOWN, "A record that this one refers to does not exist.")
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return Refusal(Code.TEXT_INVALID, "A text holds a character that cannot be stored, such as NUL.")
        case asyncpg.QueryCanceledError():
            return Refusal(Code.OVERLOADED, "This took too long and was stopped.", retry_after_seconds=5)
        case (
            asyncpg.LockNotAvailableError()
            | asyncpg.DeadlockDetectedError()
            | asyncpg.SerializationError()
            | asyncpg.ReadOnlySQLTransactionError()
        ):
            return Refusal(Code.OVERLOADED, "Another change was in the way. Try again.", retry_after_seconds=1)
        case _ if _is_out_of_range(error):
            return Refusal(Code.BODY_INVALID, "A number or date is out of range.")
    return None


def _is_out_of_range(error: asyncpg.PostgresError) -> bool:
    if isinstance(error, asyncpg.NumericValueOutOfRangeError | asyncpg.DatetimeFieldOverflowError):
        return True
    # Raised by asyncpg itself, before anything is sent, for an instant that in UTC lies outside the years 1 to 9999.
    return isinstance(error, asyncpg.DataError) and isinstance(error.__cause__, OverflowError)
