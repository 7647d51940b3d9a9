"""The columns of a vendor spreadsheet: what each may be headed, and how a cell becomes a value.

A blank cell, or a column that is not there, leaves what is stored as it is. A row that has a problem in one cell is
read to its end, so that all its problems are told at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.vendors import identifiers
from vendorrisk.vendors.identifiers import UnfitError
from vendorrisk.vendors.model import DataClass, Lifecycle, Tier
from vendorrisk.vendors.sheet_errors import ERRORS
from vendorrisk.vendors.spreadsheet import Cell, Row, Table

Value = str | list[str]
"""What a cell becomes: as it stands in JSON."""

Given = dict[str, Value]
"""Field → value, for the cells of one row that were not blank."""

IGNORE = "ignore"
_CHUNK = 5_000
_NAMING = frozenset({"id", "reference", "name"})


class DateOrder(StrEnum):
    """How 03/04/2026 is meant. Without one, such a date is refused."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class CellProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a row cannot be taken as it is. `column` is the heading in the file; absent where it is the row."""

    row: int
    """Row of the file, from 1, headings not counted."""
    code: str
    """Stable code of the problem."""
    detail: str
    """What to do."""
    column: str | None = None
    field: str | None = None
    """The field that the column is mapped to."""


class ReadRow(msgspec.Struct, frozen=True, gc=False):
    """A row after its cells were read."""

    number: int
    given: Given
    problems: list[CellProblem]


class MappingError(ValueError):
    """The headings cannot be matched with fields; the message says what to do."""


class Column(msgspec.Struct, frozen=True):
    """One field of the spreadsheet. `synonyms` are other headings it goes by, in letters and digits only."""

    heading: str
    read: Callable[[str], Value]
    synonyms: tuple[str, ...] = ()


def _listed(one: Callable[[str], str], most: int, marks: str = r"[;,\n]") -> Callable[[str], list[str]]:
    """Return a reader of lists; the result is sorted and has nothing twice."""
    splitter = re.compile(marks)

    @lru_cache(maxsize=16384)
    def read(text: str) -> list[str]:
        values = sorted({one(part) for part in splitter.split(text) if part.strip()})
        if len(values) > most:
            raise UnfitError(f"At most {most} are taken here; there are {len(values)}.")
        return values

    return read


def _worded(kind: type[StrEnum], meanings: Mapping[str, StrEnum]) -> Callable[[str], str]:
    words = {member.value: member for member in kind} | dict(meanings)

    @lru_cache(maxsize=1024)
    def read(text: str) -> str:
        found = words.get(re.sub(r"[\s_-]+", "_", text.strip().lower()))
        if found is None:
            raise UnfitError(f"Write one of: {', '.join(kind)}.")
        return found.value

    return read


def _uuid(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise UnfitError("Write the vendor's id as the export has it, or leave it blank.") from None


def _amount(text: str) -> str:
    return identifiers.written_amount(identifiers.amount_of(text))


def _iso_date(text: str) -> str:
    return read_date(text, None).isoformat()


_data_class = _worded(
    DataClass,
    {
        "pii": DataClass.PERSONAL,
        "personal_data": DataClass.PERSONAL,
        "phi": DataClass.HEALTH,
        "health_data": DataClass.HEALTH,
        "pci": DataClass.CARD,
        "card_data": DataClass.CARD,
        "special_categories": DataClass.SPECIAL_CATEGORY,
        "credentials": DataClass.SECRETS,
    },
)
_tier = _worded(Tier, {"moderate": Tier.MEDIUM})
_lifecycle = _worded(Lifecycle, {"live": Lifecycle.ACTIVE, "in_use": Lifecycle.ACTIVE, "ended": Lifecycle.TERMINATED})

COLUMNS: Mapping[str, Column] = {
    "id": Column("Id", _uuid, ("vendorid",)),
    "reference": Column("Reference", lambda t: identifiers.clean_line(t, 100), ("ref", "vendornumber", "supplierid")),
    "name": Column("Name", identifiers.clean_line, ("vendor", "vendorname", "supplier", "suppliername", "company")),
    "aliases": Column("Other names", _listed(identifiers.alias_of, 20, r"[;\n]"), ("aliases", "alias", "dba")),
    "description": Column("Description", identifiers.clean_text, ("notes", "purpose")),
    "lifecycle": Column("Lifecycle", _lifecycle, ("status", "state", "stage")),
    "tier": Column("Tier", _tier, ("criticality", "risktier", "risklevel")),
    "business_owner": Column("Business owner", identifiers.email_of, ("owner", "businessowneremail")),
    "security_owner": Column("Security owner", identifiers.email_of, ("securityowneremail",)),
    "domains": Column("Domains", _listed(identifiers.domain_of, 50, r"[;,\s]"), ("domain", "website", "url", "web")),
    "country": Column("Country", identifiers.country_of, ("headquarters", "seat", "countrycode")),
    "data_countries": Column("Data countries", _listed(identifiers.country_of, 60), ("datalocation", "dataregions")),
    "data_classes": Column("Data classes", _listed(_data_class, 8), ("data", "datatypes", "dataclassification")),
    "legal_name": Column("Legal name", identifiers.clean_line, ("legalentity", "registeredname")),
    "lei": Column("LEI", identifiers.lei_of, ("leicode",)),
    "vat": Column("VAT number", identifiers.vat_of, ("vat", "vatid", "vatno")),
    "duns": Column("D-U-N-S", identifiers.duns_of, ("dunsnumber",)),
    "annual_spend": Column("Annual spend", _amount, ("spend", "annualcost", "yearlyspend", "contractvalue")),
    "currency": Column("Currency", identifiers.currency_of, ("spendcurrency",)),
    "tags": Column("Tags", _listed(identifiers.tag_of, 30), ("labels", "categories")),
    "contact_name": Column("Contact name", identifiers.clean_line, ("contact", "primarycontact", "contactperson")),
    "contact_email": Column("Contact e-mail", identifiers.email_of, ("email", "vendoremail")),
    "contact_phone": Column("Contact phone", lambda t: identifiers.clean_line(t, 40), ("phone", "telephone")),
    "last_reviewed_on": Column("Last reviewed on", _iso_date, ("lastreview", "lastreviewdate", "reviewedon")),
    "next_review_on": Column("Next review on", _iso_date, ("nextreview", "nextreviewdate", "reviewdue")),
}
"""Every field a file can set, in the order of an export."""

SHOWN_ONLY: Mapping[str, str] = {"inherent_score": "Inherent score", "tier_source": "Tier source"}
"""Field → heading of what an export adds and an import leaves alone."""


def _plain(heading: str) -> str:
    return "".join(character for character in heading.casefold() if character.isalnum())


_BY_HEADING = {
    _plain(text): field for field, column in COLUMNS.items() for text in (field, column.heading, *column.synonyms)
}
_KNOWN_BUT_LEFT = {_plain(heading) for heading in SHOWN_ONLY.values()} | {_plain(field) for field in SHOWN_ONLY}


class Matched(msgspec.Struct, frozen=True):
    """Which column of the file holds which field: (position, heading, field), and what to tell about the others."""

    columns: tuple[tuple[int, str, str], ...]
    notices: tuple[str, ...]


def match_headings(headings: Sequence[str], chosen: Mapping[str, str]) -> Matched:
    """Match by the caller's choice (heading → field, or `ignore`), then by name; refuses two for one field."""
    left = {heading for heading in chosen if heading not in headings}
    if left:
        raise MappingError(f"The file has no column headed {_quoted(left)}. It has: {_quoted(filter(None, headings))}.")
    if unknown := {field for field in chosen.values() if field != IGNORE and field not in COLUMNS}:
        raise MappingError(f"{_quoted(unknown)} is no field. Map to one of: {', '.join(COLUMNS)}, or {IGNORE}.")
    found: dict[str, tuple[int, str, str]] = {}
    unmatched: list[str] = []
    for at, heading in enumerate(headings):
        field = chosen.get(heading) or _BY_HEADING.get(_plain(heading))
        if field is None:
            unmatched += [heading] if heading and _plain(heading) not in _KNOWN_BUT_LEFT else []
        elif field in found:
            raise MappingError(
                f"Both {found[field][1]!r} and {heading!r} would give {field}. Map one of them to {IGNORE}."
            )
        elif field != IGNORE:
            found[field] = (at, heading, field)
    if found.keys().isdisjoint(_NAMING):
        raise MappingError(
            f"No column gives the vendor's name. Map one: the file has {_quoted(filter(None, headings))}."
        )
    notices = (f"Left out, because no field goes by these names: {_quoted(unmatched)}.",) if unmatched else ()
    return Matched(tuple(found.values()), notices)


def _quoted(texts: Iterator[str] | set[str] | list[str]) -> str:
    names = [repr(text[:60]) for text in texts]
    return ", ".join(sorted(names[:30])) + (" …" if len(names) > 30 else "")  # noqa: PLR2004 - enough to be told


_Reader = tuple[int, str, str, Callable[[str], Value]]


def read_rows(table: Table, matched: Matched, order: DateOrder | None = None) -> Iterator[ReadRow]:
    """Read every row; problems are told per cell, then per row, then between rows of the same file."""
    readers: list[_Reader] = [(at, heading, field, _reader(field, order)) for at, heading, field in matched.columns]
    seen: dict[tuple[str, str], int] = {}
    for start in range(0, len(table.rows), _CHUNK):
        chunk = [ReadRow(row.number, {}, _beyond(row, table)) for row in table.rows[start : start + _CHUNK]]
        for reader in readers:
            _read_column(table.rows[start : start + _CHUNK], chunk, reader, escaped=table.escaped)
        for row in chunk:
            row.problems.extend(_lacking(row))
            row.problems.extend(_repeated(row, seen))
        yield from chunk


def _beyond(row: Row, table: Table) -> list[CellProblem]:
    """Tell of cells that no heading stands above: a mark within a value has moved what follows it."""
    if all(cell is None for cell in row.cells[len(table.headings) :]):
        return []
    detail = (
        f"The row has more cells than the {len(table.headings)} headings. Put quotes around values that hold a comma."
    )
    return [CellProblem(row.number, "cells_beyond_headings", detail)]


def _read_column(rows: Sequence[Row], chunk: Sequence[ReadRow], reader: _Reader, *, escaped: bool) -> None:
    """Read one column of many rows: each distinct text once, because most columns hold few."""
    at, heading, field, read = reader
    texts = [_text(row.cells[at], field) if at < len(row.cells) else None for row in rows]
    values: dict[str | None, Value] = {}
    refused: dict[str | None, str] = {}
    for text in set(texts):
        if text in ERRORS:
            refused[text] = f"The cell holds the error {text}. Correct its formula, or clear it."
        elif text is not None:
            try:
                values[text] = read(text[1:] if escaped and text[0] == "'" and _GUARDED.match(text) else text)
            except UnfitError as error:
                refused[text] = str(error)
    for text, row in zip(texts, chunk, strict=True):
        if value := values.get(text):
            row.given[field] = value
        elif text in refused:
            row.problems.append(CellProblem(row.number, f"{field}_invalid", refused[text], heading, field))


# OWASP, "CSV Injection": a cell that begins with one of these may be taken for a formula.
_RISKY = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
MAY_RUN = re.compile(f"'*{_RISKY}")
"""Text that an export guards with a '. Text that has the ' already gets one more, so that reading can take it off."""
_GUARDED = re.compile(f"'+{_RISKY}")


def _text(cell: Cell, field: str) -> str | None:
    """Return a cell as it was typed, or None where it is blank."""
    if cell is None or isinstance(cell, str):
        return cell
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float():
            # Its shortest form is what was typed. Four decimals at least, so that no point can be a thousands mark.
            whole, _, part = f"{Decimal(repr(cell)):f}".partition(".")
            return f"{whole}.{part:0<4}" if field == "annual_spend" else f"{whole}.{part}"
        case _:
            return f"{cell:09d}" if field == "duns" else str(cell)


def _reader(field: str, order: DateOrder | None) -> Callable[[str], Value]:
    if order is not None and field.endswith("_on"):
        return lambda text: read_date(text, order).isoformat()
    return COLUMNS[field].read


def _lacking(row: ReadRow) -> Iterator[CellProblem]:
    told = {problem.field for problem in row.problems}
    if row.given.keys().isdisjoint(_NAMING) and told.isdisjoint(_NAMING):
        yield CellProblem(row.number, "name_missing", "Give the vendor a name.", field="name")
    if ("annual_spend" in row.given) == ("currency" in row.given):
        return
    there, lacking = ("annual_spend", "currency") if "annual_spend" in row.given else ("currency", "annual_spend")
    if lacking not in told:
        detail = f"{COLUMNS[there].heading} is given without {COLUMNS[lacking].heading.lower()}; give both or neither."
        yield CellProblem(row.number, f"{lacking}_missing", detail, field=lacking)


def _repeated(row: ReadRow, seen: dict[tuple[str, str], int]) -> Iterator[CellProblem]:
    for field, key in _keys(row.given):
        first = seen.setdefault((field, key), row.number)
        if first != row.number:
            detail = f"Row {first} has the same {COLUMNS[field].heading.lower()}: {key[:100]!r}. Keep one of them."
            yield CellProblem(row.number, f"{field}_repeated", detail, COLUMNS[field].heading, field)


def _keys(given: Given) -> Iterator[tuple[str, str]]:
    """Return what may stand in a file only once."""
    for field in ("id", "reference", "lei"):
        if field in given:
            yield field, str(given[field])
    if name := given.get("name"):
        yield "name", identifiers.name_key(str(name))
    for domain in given.get("domains", ()):
        yield "domains", domain


_DMY_DOTS = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")


def read_date(text: str, order: DateOrder | None) -> date:
    """Read 2026-03-04, 4.3.2026, and with an order 03/04/2026 too. Years 1900 to 2200."""
    stripped = text.strip()
    try:
        if found := _ISO.fullmatch(stripped):
            return _dated(found[1], found[2], found[3])
        if found := _DMY_DOTS.fullmatch(stripped):
            return _dated(found[3], found[2], found[1])
        if found := _SLASHES.fullmatch(stripped):
            return _slashed(found, order)
    except ValueError as error:
        if isinstance(error, UnfitError):
            raise
    raise UnfitError("Write the date as YYYY-MM-DD, such as 2026-03-31.")


def _slashed(found: re.Match[str], order: DateOrder | None) -> date:
    if order is None:
        raise UnfitError(f"{found[0]} can be read in two ways; write YYYY-MM-DD, or say date_order=dmy or mdy.")
    day, month = (found[1], found[2]) if order is DateOrder.DAY_FIRST else (found[2], found[1])
    return _dated(found[3], month, day)


def _dated(year: str, month: str, day: str) -> date:
    read = date(int(year), int(month), int(day))
    if read.year not in identifiers.YEARS:
        raise UnfitError("Write a year from 1900 to 2200.")
    return read


def as_cells(record: Any) -> Iterator[Cell | date | Decimal]:
    """Return the cells of one vendor in an export, in the order of `COLUMNS`, then what is shown only."""
    for field in (*COLUMNS, *SHOWN_ONLY):
        value = getattr(record, field)
        if isinstance(value, list | tuple):
            yield "; ".join(value)
        elif value is None or isinstance(value, str | int | date | Decimal):
            yield value
        else:
            yield str(value)
