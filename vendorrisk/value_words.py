"""Sentences about values: the value that a type takes, and the value that was sent, for people outside.

Neither words of the decoder nor names of Python types nor expressions reach a caller. A pattern describes its values in
`Meta(extra={"words": …})` what it wants. A test holds that every pattern does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import inspect

AN_ID: Final = "an id (UUID), like 018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10"
A_DATE: Final = "a date, like 2026-06-30"
AN_INSTANT: Final = "an instant with its time zone, like 2026-06-30T12:00:00Z"
TRUE_OR_FALSE: Final = "true or false"

_MOST_NAMED = 40
_LONGEST_SHOWN = 60


def shown(text: str) -> str:
    """Return a text of the caller for a message: quoted, in one line, and cut where it is long."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return '"' + "".join(c if c.isprintable() else "�" for c in cut) + '"'


def one_of(values: Sequence[object]) -> str:
    """Name the values that are allowed. Of many, the first and how many more there are."""
    named = [str(value) for value in values[:_MOST_NAMED]]
    more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
    return ("" if len(values) == 1 else "one of: ") + ", ".join(named) + more


def between(least: object, most: object, unit: str = "") -> str:
    """Return bounds, either of which may be missing, as `1 to 200 characters`."""
    tail = f" {unit}" if unit else ""
    if least is not None and most is not None:
        return f"{least} to {most}{tail}" if least != most else f"exactly {least}{tail}"
    return f"at least {least}{tail}" if least is not None else f"at most {most}{tail}"


def wanted(kind: inspect.Type) -> str:
    """Return a description of this type's values, to follow `Send`."""
    said = _WORDS.get(type(kind))
    return said(kind) if said is not None else "a value as the API document describes it"


def _described(kind: inspect.Metadata) -> str:
    """Return the words beside a pattern, with the bounds of the length."""
    said = (kind.extra or {}).get("words")
    if said is None:
        return wanted(kind.type)
    least, most = getattr(kind.type, "min_length", None), getattr(kind.type, "max_length", None)
    return f"{said}" + ("" if least is None and most is None else f" ({between(least, most, 'characters')})")


def sent(value: object) -> str:
    """Name the kind of value that was sent, to stand after `This is`, but never the value itself."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _number(kind: inspect.IntType | inspect.FloatType) -> str:
    name = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
    least, most = lowest(kind), highest(kind)
    above = f" above {kind.gt}" if kind.gt is not None and isinstance(kind, inspect.FloatType) else ""
    if above:
        return name + above + ("" if most is None else f" and at most {most}")
    return name + _bounds(" from " if least is not None and most is not None else " of ", least, most, "")


def lowest(kind: inspect.IntType | inspect.FloatType) -> Any:
    if kind.gt is not None and isinstance(kind, inspect.IntType):
        return kind.gt + 1
    return kind.ge


def highest(kind: inspect.IntType | inspect.FloatType) -> Any:
    if kind.lt is not None and isinstance(kind, inspect.IntType):
        return kind.lt - 1
    return kind.le if kind.le is not None else kind.lt


def _bounds(word: str, least: object, most: object, unit: str) -> str:
    return "" if least is None and most is None else word + between(least, most, unit)


def _either(kind: inspect.UnionType) -> str:
    """Name the choices of a union. Objects of several shapes are one choice."""
    named = dict.fromkeys(wanted(choice) for choice in kind.types)
    named.pop("null", None)
    return " or ".join([*named, *(["null"] if kind.includes_none else [])])


def _counted(name: str, unit: str) -> Callable[[Any], str]:
    return lambda kind: name + _bounds(" of ", kind.min_length, kind.max_length, unit)


def _plainly(name: str) -> Callable[[Any], str]:
    return lambda _kind: name


_WORDS: Mapping[type[inspect.Type], Callable[[Any], str]] = {
    inspect.Metadata: _described,
    inspect.UnionType: _either,
    inspect.StrType: _counted("text", "characters"),
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.ListType: _counted("a list", "items"),
    inspect.DictType: _counted("an object", "fields"),
    inspect.EnumType: lambda kind: one_of([member.value for member in kind.cls]),
    inspect.LiteralType: lambda kind: one_of(kind.values),
    inspect.BoolType: _plainly(TRUE_OR_FALSE),
    inspect.UUIDType: _plainly(AN_ID),
    inspect.DateType: _plainly(A_DATE),
    inspect.DateTimeType: _plainly(AN_INSTANT),
    inspect.DecimalType: _plainly("a number, like 1250.50"),
    inspect.StructType: _plainly("an object"),
    inspect.NoneType: _plainly("null"),
}
