"""Bodies become stored values: every field of a vendor in its one form, and all field errors reported at once."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from vendorrisk.access.records import Body
from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.normal_form import YEARS, UnfitError, clean_line, clean_text
from vendorrisk.vendors import identifiers
from vendorrisk.vendors.model import Contact, NewContact

_ONE: Mapping[str, Callable[[str], Any]] = {
    "name": clean_line,
    "reference": lambda text: clean_line(text, 100),
    "description": clean_text,
    "intake_note": clean_text,
    "purpose": clean_text,
    "reason": clean_text,
    "note": clean_text,
    "proof": lambda text: clean_text(text, 2000),
    "country": identifiers.country_of,
    "domain": identifiers.domain_of,
    "legal_name": clean_line,
    "lei": identifiers.lei_of,
    "vat": identifiers.vat_of,
    "duns": identifiers.duns_of,
    "currency": identifiers.currency_of,
    "annual_spend": lambda text: identifiers.plain_amount(identifiers.amount_of(text)),
}
_MANY: Mapping[str, Callable[[str], str]] = {
    "aliases": identifiers.alias_of,
    "domains": identifiers.domain_of,
    "data_countries": identifiers.country_of,
    "tags": identifiers.tag_of,
    "data_classes": str,
    "categories_needed": str,
}


def normalised(body: Body) -> dict[str, Any]:
    """Return the fields that were sent, in the form in which they are stored.

    Refuse with a field error for each wrong one.
    """
    field_errors: list[FieldError] = []
    given = {
        name: _normalised(name, value, field_errors)
        for name, value in msgspec.structs.asdict(body).items()
        if value is not UNSET
    }
    if field_errors:
        raise Refusal(Code.VENDOR_FIELD_INVALID, field_errors[0].detail, errors=field_errors)
    return given


def _normalised(name: str, value: Any, field_errors: list[FieldError]) -> Any:
    if value is None:
        return None
    if read := _ONE.get(name):
        return _one(read, value, f"/{name}", name, field_errors)
    if read := _MANY.get(name):
        return sorted({_one(read, part, f"/{name}/{at}", name, field_errors) for at, part in enumerate(value)})
    if name == "contacts":
        return [_contact(contact, f"/contacts/{at}", field_errors) for at, contact in enumerate(value)]
    if name.endswith("_on") and value.year not in YEARS:
        field_errors.append(FieldError("Write a year from 1900 to 2200.", f"{name}_invalid", pointer=f"/{name}"))
    return value


def _one(read: Callable[[str], Any], value: str, pointer: str, name: str, field_errors: list[FieldError]) -> Any:
    try:
        return read(value)
    except UnfitError as error:
        field_errors.append(FieldError(str(error), f"{name}_invalid", pointer=pointer))
        return ""


def _contact(contact: NewContact, at: str, field_errors: list[FieldError]) -> Contact:
    readers = (
        ("name", clean_line),
        ("email", identifiers.email_of),
        ("phone", lambda text: clean_line(text, 40)),
        ("role", lambda text: clean_line(text, 100)),
    )
    return Contact(
        **{
            name: _one(read, value, f"{at}/{name}", name, field_errors)
            for name, read in readers
            if (value := getattr(contact, name)) is not None
        }
    )


def check_spend(fields: Mapping[str, Any]) -> None:
    """Refuse an amount without a currency, and a currency without an amount."""
    for there, lacking in (("annual_spend", "currency"), ("currency", "annual_spend")):
        if fields[there] is not None and fields[lacking] is None:
            detail = "Give annual_spend and currency together, or neither."
            raise Refusal(Code.VENDOR_FIELD_INVALID, detail, pointer=f"/{lacking}")
