"""Lists: declared filters and sorts, and keyset cursors, as SQL.

A list declares its columns once (`ListOf`). A request may filter `field:operator:value` and sort by the fields declared
for it. SQL is put together from these declarations alone, and every value is a parameter. The statement in
`sql/queries/` has two placeholders: `/*where*/` (begins with `and`) and `/*order*/` (the order and the limit).

A cursor names its list, order, filters and tenant, and is authenticated, so that a cut, swapped or foreign one is
refused. Nulls sort last in either direction.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import inspect

from vendorrisk.errors import Code, Refusal
from vendorrisk.value_words import one_of, wanted

Row = TypeVar("Row")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_FILTERS = 20
_MAX_VALUES = 100
_CURSOR_VERSION = 1
_FORMS = {int: re.compile(r"[+-]?[0-9]{1,20}"), Decimal: re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,10})?")}
_BEYOND = {"smallint": 2**15, "int2": 2**15, "int": 2**31, "integer": 2**31, "int4": 2**31}
_TAG_BYTES = 16
_LONGEST_NUMBER = 30


class Operator(StrEnum):
    """The operators of a filter. `in` takes a comma-separated list. `has` asks an array column for a member."""

    EQ = "eq"
    NE = "ne"
    IN = "in"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    HAS = "has"
    NULL = "null"


_COMPARE = {
    Operator.EQ: "=",
    Operator.NE: "is distinct from",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.GT: ">",
    Operator.GTE: ">=",
}

EQUALITY = frozenset({Operator.EQ, Operator.NE, Operator.IN})
RANGE = frozenset({*EQUALITY, Operator.LT, Operator.LTE, Operator.GT, Operator.GTE})


class Column(msgspec.Struct, frozen=True):
    """One field of a list: its SQL expression, its type as asyncpg takes it, and the operators that it allows.

    `normalise` brings a filter's value into the form in which the field is stored. It raises ValueError with words for
    the caller. `equal_sql` is the expression that equality compares, if it is another one. `weight_sql` turns a value,
    written as `{}`, into the value to sort and compare by, if that is another one. A weight is never null.
    """

    sql: str
    kind: Any = str
    pg: str = "text"
    operators: frozenset[Operator] = EQUALITY
    sortable: bool = False
    nullable: bool = False
    normalise: Callable[[str], str] | None = None
    equal_sql: str | None = None
    weight_sql: str = "{}"

    def allows(self) -> frozenset[Operator]:
        return self.operators | {Operator.NULL} if self.nullable else self.operators

    @property
    def sorted_sql(self) -> str:
        return self.weight_sql.format(self.sql)

    @property
    def sorts_nulls(self) -> bool:
        return self.nullable and self.weight_sql == "{}"

    def compared(self, operator: Operator) -> tuple[str, str]:
        """Return the expression that the operator compares, and the form of the value beside it."""
        if operator in EQUALITY:
            return self.equal_sql or self.sql, "{}"
        return (self.sql, "{}") if operator is Operator.HAS else (self.sorted_sql, self.weight_sql)


class Filter(msgspec.Struct, frozen=True):
    field: str
    operator: Operator
    value: Any


class ListOf(msgspec.Struct, frozen=True):
    """The declaration of one list. `key` is unique within the tenant and breaks ties."""

    name: str
    columns: Mapping[str, Column]
    default_sort: str
    key: str = "id"
    key_sql: str = "id"
    key_pg: str = "uuid"
    key_kind: Any = UUID


class PageRequest(msgspec.Struct, frozen=True):
    """A request for a page, checked against its list. `bounds` are the conditions of its path. A cursor knows none."""

    of: ListOf
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    limit: int = DEFAULT_LIMIT
    total: bool = False
    cursor: str | None = None
    bounds: tuple[Filter, ...] = ()

    def within(self, field: str, value: object) -> "PageRequest":
        """Return the request for the part of the list that belongs to one record."""
        return msgspec.structs.replace(self, bounds=(*self.bounds, Filter(field, Operator.EQ, value)))


class Page(msgspec.Struct, Generic[Row], kw_only=True, omit_defaults=True):
    """A page of a list. `next` and `prev` are cursors for the same filters and order. Absent at an end."""

    items: list[Row]
    next: str | None = None
    prev: str | None = None
    total: int | None = None


class Where(msgspec.Struct, frozen=True):
    """SQL for `/*where*/` and its parameters, numbered from the first free one."""

    sql: str
    arguments: tuple[object, ...]


class _Position(msgspec.Struct, frozen=True):
    backwards: bool
    value: Any
    key: Any


def read_filters(of: ListOf, texts: Sequence[str]) -> tuple[Filter, ...]:
    """Read `field:operator:value` texts. Refuse an unknown field, operator, or a value of a wrong type."""
    if len(texts) > MAX_FILTERS:
        raise _bad_filter(f"Send at most {MAX_FILTERS} filters. These are {len(texts)}.")
    return tuple(_read_numbered(of, texts, index) for index in range(len(texts)))


def _read_numbered(of: ListOf, texts: Sequence[str], index: int) -> Filter:
    """Read one of the filters. A refusal says which one, by its number and its field."""
    try:
        return _read_filter(of, texts[index])
    except Refusal as refusal:
        name = texts[index].partition(":")[0]
        # A value may be a secret that was sent by mistake, so only a known field is repeated.
        named = f" ({name})" if name in of.columns else ""
        raise _bad_filter(f"Filter {index + 1} of {len(texts)}{named}: {refusal.detail}") from None


def _read_filter(of: ListOf, text: str) -> Filter:
    name, _, rest = text.partition(":")
    word, colon, value = rest.partition(":")
    column = of.columns.get(name)
    if column is None:
        raise _bad_filter(f"There is no such field. Filter by {one_of(sorted(of.columns))}.")
    if not colon or word not in column.allows():
        allowed = one_of(sorted(column.allows()))
        raise _bad_filter(f"The operator is missing or not allowed. Send {name}:operator:value with {allowed}.")
    operator = Operator(word)
    return Filter(name, operator, _read_value(column, operator, value))


def _read_value(column: Column, operator: Operator, text: str) -> object:
    if "\x00" in text:
        raise _bad_filter("The value has a NUL character. Take it out.")
    try:
        if operator is Operator.NULL:
            return msgspec.convert(text, bool, strict=False)
        if operator is Operator.IN:
            parts = text.split(",")
            if len(parts) > _MAX_VALUES:
                raise _bad_filter(f"It has {len(parts)} values. Send at most {_MAX_VALUES}.")
            return [_one_value(_normalised(part, column), column) for part in parts]
        return _one_value(_normalised(text, column), column)
    except (msgspec.ValidationError, ValueError, OverflowError):
        kind = bool if operator is Operator.NULL else column.kind
        detail = f"The value has the wrong form. Send {wanted(inspect.type_info(kind))}."
        raise _bad_filter(detail) from None


def _normalised(text: str, column: Column) -> str:
    try:
        return text if column.normalise is None else column.normalise(text)
    except ValueError as error:
        raise _bad_filter(f"The value does not fit. {error}") from None


def _one_value(text: str, column: Column) -> object:
    # Lenient conversion turns "1e3" into a whole number and "4102444800" into an instant.
    if (form := _FORMS.get(column.kind)) is not None and not form.fullmatch(text):
        raise ValueError(text)
    value: object = msgspec.convert(text, column.kind, strict=column.kind in {date, datetime})
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _BEYOND.get(column.pg, 2**63):
        raise ValueError(text)
    if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) < _LONGEST_NUMBER):
        raise ValueError(text)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(text)
        # An instant that in UTC lies outside the years 1 to 9999 overflows here.
        return value.astimezone(UTC)
    return value


def where(filters: Sequence[Filter], of: ListOf, first: int) -> Where:
    """Return the SQL of the filters. Parameters are numbered from `first`."""
    parts: list[str] = []
    arguments: list[object] = []
    for item in filters:
        column = of.columns[item.field]
        if item.operator is Operator.NULL:
            parts.append(f"and {column.sql} is {'null' if item.value else 'not null'}")
            continue
        place = f"${first + len(arguments)}::{column.pg}"
        arguments.append(item.value)
        expression, form = column.compared(item.operator)
        match item.operator:
            case Operator.IN:
                parts.append(f"and {expression} = any({place}[])")
            case Operator.HAS:
                parts.append(f"and {expression} @> array[{place}]")
            case operator:
                parts.append(f"and {expression} {_COMPARE[operator]} {form.format(place)}")
    return Where(" ".join(parts), tuple(arguments))


class Paged(msgspec.Struct, frozen=True):
    """A statement for one page, with the arguments that follow the statement's own."""

    sql: str
    arguments: tuple[object, ...]
    request: PageRequest
    descending: bool
    backwards: bool
    moved: bool
    scope: bytes
    secrets: tuple[bytes, ...]

    def page(self, rows: list[Row], position: Callable[[Row], tuple[Any, Any]] | None = None) -> Page[Row]:
        """Cut the extra row off and add the cursors. `position` gives a row's (sort value, key)."""
        more = len(rows) > self.request.limit
        rows = rows[: self.request.limit]
        if self.backwards:
            rows.reverse()
        field, key = self.request.sort.lstrip("-"), self.request.of.key
        at = position or (lambda row: (getattr(row, field), getattr(row, key)))
        onward = bool(rows) and (more or self.backwards)
        back = bool(rows) and (self.moved if not self.backwards else more)
        return Page(
            items=rows,
            next=self._cursor(at(rows[-1]), backwards=False) if onward else None,
            prev=self._cursor(at(rows[0]), backwards=True) if back else None,
        )

    def _cursor(self, position: tuple[Any, Any], *, backwards: bool) -> str:
        value, key = position
        body = msgspec.msgpack.encode(
            [_CURSOR_VERSION, backwards, msgspec.to_builtins(value), msgspec.to_builtins(key)]
        )
        return base64.urlsafe_b64encode(_tag(self.secrets[0], self.scope, body) + body).decode().rstrip("=")


def paged(sql: str, request: PageRequest, *, first: int, tenant_id: UUID, secrets: Sequence[bytes]) -> Paged:
    """Fill a statement's places for one page. One row more is read than asked for, to know whether more follow."""
    of = request.of
    sort = request.sort or of.default_sort
    descending, field = sort.startswith("-"), sort.lstrip("-")
    request = msgspec.structs.replace(request, sort=sort)
    condition = where((*request.bounds, *request.filters), of, first)
    scope = _scope(request, tenant_id)
    position = None if request.cursor is None else _read_cursor(request.cursor, scope, secrets, of, of.columns[field])
    backwards = position is not None and position.backwards
    seek = Where("", ())
    if position is not None:
        seek = _seek(of, field, descending, position, first + len(condition.arguments))
    turned = descending != backwards
    nulls = "first" if backwards else "last"
    ordering = f"{of.columns[field].sorted_sql} {'desc' if turned else 'asc'}"
    if of.columns[field].sorts_nulls:
        ordering += f" nulls {nulls}"
    if field != of.key:
        ordering += f", {of.key_sql} {'desc' if turned else 'asc'}"
    return Paged(
        sql=sql.replace("/*where*/", f"{condition.sql} {seek.sql}").replace(
            "/*order*/", f"order by {ordering} limit {request.limit + 1}"
        ),
        arguments=(*condition.arguments, *seek.arguments),
        request=request,
        descending=descending,
        backwards=backwards,
        moved=position is not None,
        scope=scope,
        secrets=tuple(secrets),
    )


def counted(sql: str, request: PageRequest, *, first: int) -> tuple[str, tuple[object, ...]]:
    """Return the statement that counts the rows that pass the filters."""
    condition = where((*request.bounds, *request.filters), request.of, first)
    inner = sql.replace("/*where*/", condition.sql).replace("/*order*/", "")
    return f"select count(*) from ({inner}) as counted", condition.arguments


def check_sort(of: ListOf, sort: str) -> str:
    """Return the sort, or refuse one that is not declared."""
    column = of.columns.get(sort.removeprefix("-"))
    if column is None or not column.sortable:
        names = one_of(sorted(name for name, c in of.columns.items() if c.sortable))
        raise Refusal(
            Code.SORT_INVALID,
            f"This is no sort order. Send {names}; prefix a field with - for descending order.",
            parameter="sort",
        )
    return sort


def _seek(of: ListOf, field: str, descending: bool, position: _Position, first: int) -> Where:  # noqa: FBT001 - a direction
    """Return the condition "after this position" in the order that is read."""
    column = of.columns[field]
    sign = "<" if descending != position.backwards else ">"
    key = f"${first}::{of.key_pg}"
    if field == of.key:
        return Where(f"and {of.key_sql} {sign} {key}", (position.key,))
    tie = f"{of.key_sql} {sign} {key}"
    if position.value is None and column.sorts_nulls:
        after = f"({column.sql} is null and {tie})"
        return Where(
            f"and ({after} or {column.sql} is not null)" if position.backwards else f"and {after}", (position.key,)
        )
    value = column.weight_sql.format(f"${first + 1}::{column.pg}")
    arguments = (position.key, position.value)
    by = column.sorted_sql
    if not column.sorts_nulls:
        # With a row comparison, one index serves both the place and the order.
        return Where(f"and ({by}, {of.key_sql}) {sign} ({value}, {key})", arguments)
    beyond = f"{by} {sign} {value} or ({by} = {value} and {tie})"
    return Where(f"and ({beyond})" if position.backwards else f"and ({beyond} or {column.sql} is null)", arguments)


def _scope(request: PageRequest, tenant_id: UUID) -> bytes:
    parts = [request.of.name, request.sort, tenant_id.hex, msgspec.json.encode(request.filters).decode()]
    return hashlib.sha256("\x1f".join(parts).encode()).digest()


def _tag(secret: bytes, scope: bytes, body: bytes) -> bytes:
    return hmac.new(secret, scope + body, hashlib.sha256).digest()[:_TAG_BYTES]


def _read_cursor(text: str, scope: bytes, secrets: Sequence[bytes], of: ListOf, column: Column) -> _Position:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if any(hmac.compare_digest(tag, _tag(secret, scope, body)) for secret in secrets):
            _, backwards, value, key = msgspec.msgpack.decode(body, type=tuple[int, bool, Any, Any])
            if value is not None:
                value = msgspec.convert(value, column.kind, strict=False)
            return _Position(backwards, value, msgspec.convert(key, of.key_kind))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        pass
    raise Refusal(
        Code.CURSOR_INVALID,
        "Take `next` or `prev` of a page of this list, with the same filters and sort, or leave it out.",
        parameter="cursor",
    )


def _bad_filter(detail: str) -> Refusal:
    return Refusal(Code.FILTER_INVALID, detail, parameter="filter")
