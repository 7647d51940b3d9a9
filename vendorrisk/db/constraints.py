"""A broken constraint becomes a refusal at the one query that can break it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg

from vendorrisk.errors import Code, Refusal

Broken = tuple[Code, str, str | None]
"""(code, detail, JSON pointer)"""


@contextmanager
def refusing(broken: Mapping[str, Broken]) -> Iterator[None]:
    """Turn the violation of a named constraint into the refusal listed for it; others pass through."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        if (found := broken.get(error.constraint_name or "")) is None:
            raise
        code, detail, pointer = found
        raise Refusal(code, detail, pointer=pointer) from None


def refusal_for(error: asyncpg.PostgresError) -> Refusal | None:
    """Return the refusal for what any statement may run into, or None where it is our own fault."""
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
    # Raised by asyncpg itself, before anything is sent: an instant whose UTC lies outside the years 1 to 9999.
    return isinstance(error, asyncpg.DataError) and isinstance(error.__cause__, OverflowError)
