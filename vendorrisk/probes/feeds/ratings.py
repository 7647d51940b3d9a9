"""Third-party ratings, imported as a file: CSV by column, or the JSON list that rating services document.

A rating is stored as it is, beside our own score and never inside it, because we cannot explain its method. Files are
read in the sandbox's child.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date

import msgspec

from vendorrisk.probes.observation import Raw

codecs.lookup("utf-8-sig")  # loaded here because the child opens no file later
MOST_ROWS = 100_000
_MOST_BYTES = 16 * 1024 * 1024
_COLUMNS = {
    "domain": ("domain", "company_domain", "primary_domain", "website"),
    "provider": ("provider", "source", "rating_provider"),
    "value": ("score", "rating", "value"),
    "grade": ("grade", "letter_grade"),
    "rated_on": ("date", "as_of", "rated_on", "rating_date"),
}


class RatingsError(Exception):
    """The file cannot be used. `args[0]` names the error and its place."""


class Rating(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """One rating. `value` is in the provider's own scale, in hundredths."""

    domain: str
    provider: str
    rated_on: date
    value_hundredths: int | None = None
    grade: str = ""


class Ratings(msgspec.Struct, frozen=True):
    """The ratings of a file, or why it is refused."""

    ratings: list[Rating] = []
    fault: str = ""


def csv_ratings(body: bytes) -> Ratings:
    """Read a CSV. The form in which a child can be asked for it."""
    return _refusing(read_csv, body)


def json_ratings(body: bytes) -> Ratings:
    """Read a JSON list. The form in which a child can be asked for it."""
    return _refusing(read_json, body)


def _refusing(read: Callable[[bytes], tuple[Rating, ...]], body: bytes) -> Ratings:
    try:
        return Ratings(list(read(body)))
    except RatingsError as error:
        return Ratings(fault=error.args[0])


def read_csv(body: bytes) -> tuple[Rating, ...]:
    """Read a CSV with a header line (comma, semicolon or tab). The first invalid row refuses the file."""
    first = _text(body).partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    # Not from the text, of which a reader in memory would take four times its size.
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    rows = csv.DictReader(lines, delimiter=delimiter, restkey="_rest")
    try:
        return _read(rows)
    except csv.Error as error:
        raise RatingsError(f"line {rows.line_num}: {error}") from None


def read_json(body: bytes) -> tuple[Rating, ...]:
    """Read a list of objects with the same names, bare or under `entries`, `companies` or `results`."""
    try:
        document = msgspec.json.decode(_text(body))
    except (msgspec.DecodeError, RecursionError):
        raise RatingsError("the file is not JSON") from None
    if isinstance(document, dict):
        document = next((document[k] for k in ("entries", "companies", "results") if k in document), None)
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise RatingsError("the file holds no list of objects")
    return _read({str(k): "" if v is None else str(v) for k, v in row.items()} for row in document)


def _text(body: bytes) -> str:
    if len(body) > _MOST_BYTES:
        raise RatingsError(f"the file has more than {_MOST_BYTES} bytes")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RatingsError("the file is not UTF-8") from None


def _read(rows: Iterable[Mapping[str, str]]) -> tuple[Rating, ...]:
    found: list[Rating] = []
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise RatingsError(f"the file has more than {MOST_ROWS} rows")
        found.append(_rating(number, row))
    return tuple(found)


def _rating(number: int, row: Mapping[str, str]) -> Rating:
    lower = {str(key).strip().lower().replace(" ", "_"): value for key, value in row.items()}
    given = {
        name: next((str(lower[c]).strip() for c in columns if lower.get(c)), "") for name, columns in _COLUMNS.items()
    }
    for name in ("domain", "provider", "rated_on"):
        if not given[name]:
            raise RatingsError(f"row {number}: {name} is missing (columns: {', '.join(_COLUMNS[name])})")
    try:
        rated_on = date.fromisoformat(given["rated_on"][:10])
        value = _hundredths(given["value"])
    except (ValueError, OverflowError):
        raise RatingsError(f"row {number}: the date or the value cannot be read") from None
    if value is None and not given["grade"]:
        raise RatingsError(f"row {number}: neither a value nor a grade")
    return Rating(
        domain=given["domain"].lower().rstrip("."),
        provider=given["provider"][:100],
        rated_on=rated_on,
        value_hundredths=value,
        grade=given["grade"][:20],
    )


def _hundredths(text: str) -> int | None:
    """Read a plain decimal of at most six digits before the point, without exponent or sign."""
    if not text:
        return None
    whole, _, part = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 6 and (part + "0").isdigit()):  # noqa: PLR2004 - digits
        raise ValueError(text)
    return int(whole) * 100 + int((part + "00")[:2])
