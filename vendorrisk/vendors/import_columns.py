"""The columns of a vendor spreadsheet: their headings, and how a cell becomes a value."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from vendorrisk.imports.cells import iso_date, listed, typed, worded
from vendorrisk.imports.columns import Column, Given, ImportCellProblem, Layout, ReadRow
from vendorrisk.normal_form import UnfitError, clean_line, clean_text, written_amount
from vendorrisk.vendors import identifiers
from vendorrisk.vendors.model import DataClass, Lifecycle, Tier

_NAMING = frozenset({"id", "reference", "name"})


def _uuid(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise UnfitError("Write the vendor's id as the export has it, or leave it blank.") from None


def _amount(text: str) -> str:
    return written_amount(identifiers.amount_of(text))


def _typed_amount(number: float) -> str:
    """Write four decimals at least, so that no point can be a thousands mark."""
    whole, point, part = typed(number).partition(".")
    return f"{whole}.{part:0<4}" if point else whole


def _typed_duns(number: float) -> str:
    return f"{number:09d}" if isinstance(number, int) else typed(number)


_data_class = worded(
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
_tier = worded(Tier, {"moderate": Tier.MEDIUM})
_lifecycle = worded(Lifecycle, {"live": Lifecycle.ACTIVE, "in_use": Lifecycle.ACTIVE, "ended": Lifecycle.TERMINATED})

COLUMNS: Mapping[str, Column] = {
    "id": Column("Id", _uuid, ("vendorid",)),
    "reference": Column("Reference", lambda t: clean_line(t, 100), ("ref", "vendornumber", "supplierid")),
    "name": Column("Name", clean_line, ("vendor", "vendorname", "supplier", "suppliername", "company")),
    "aliases": Column("Other names", listed(identifiers.alias_of, 20, r"[;\n]"), ("aliases", "alias", "dba")),
    "description": Column("Description", clean_text, ("notes", "purpose")),
    "lifecycle": Column("Lifecycle", _lifecycle, ("status", "state", "stage")),
    "tier": Column("Tier", _tier, ("criticality", "risktier", "risklevel")),
    "business_owner": Column("Business owner", identifiers.email_of, ("owner", "businessowneremail")),
    "security_owner": Column("Security owner", identifiers.email_of, ("securityowneremail",)),
    "domains": Column("Domains", listed(identifiers.domain_of, 50, r"[;,\s]"), ("domain", "website", "url", "web")),
    "country": Column("Country", identifiers.country_of, ("headquarters", "seat", "countrycode")),
    "data_countries": Column("Data countries", listed(identifiers.country_of, 60), ("datalocation", "dataregions")),
    "data_classes": Column("Data classes", listed(_data_class, 8), ("data", "datatypes", "dataclassification")),
    "legal_name": Column("Legal name", clean_line, ("legalentity", "registeredname")),
    "lei": Column("LEI", identifiers.lei_of, ("leicode",)),
    "vat": Column("VAT number", identifiers.vat_of, ("vat", "vatid", "vatno")),
    "duns": Column("D-U-N-S", identifiers.duns_of, ("dunsnumber",), _typed_duns),
    "annual_spend": Column(
        "Annual spend", _amount, ("spend", "annualcost", "yearlyspend", "contractvalue"), _typed_amount
    ),
    "currency": Column("Currency", identifiers.currency_of, ("spendcurrency",)),
    "tags": Column("Tags", listed(identifiers.tag_of, 30), ("labels", "categories")),
    "contact_name": Column("Contact name", clean_line, ("contact", "primarycontact", "contactperson")),
    "contact_email": Column("Contact e-mail", identifiers.email_of, ("email", "vendoremail")),
    "contact_phone": Column("Contact phone", lambda t: clean_line(t, 40), ("phone", "telephone")),
    "last_reviewed_on": Column(
        "Last reviewed on", iso_date, ("lastreview", "lastreviewdate", "reviewedon"), is_date=True
    ),
    "next_review_on": Column("Next review on", iso_date, ("nextreview", "nextreviewdate", "reviewdue"), is_date=True),
}
"""Every field a file can set, in the order of an export."""

SHOWN_ONLY: Mapping[str, str] = {"inherent_score": "Inherent score", "tier_source": "Tier source"}
"""Field → heading of the columns that an export adds and an import ignores."""


def _lacking(row: ReadRow) -> Iterator[ImportCellProblem]:
    told = {problem.field for problem in row.problems}
    if row.given.keys().isdisjoint(_NAMING) and told.isdisjoint(_NAMING):
        yield ImportCellProblem(row.number, "name_missing", "Give the vendor a name.", field="name")
    if ("annual_spend" in row.given) == ("currency" in row.given):
        return
    there, lacking = ("annual_spend", "currency") if "annual_spend" in row.given else ("currency", "annual_spend")
    if lacking not in told:
        detail = f"{COLUMNS[there].heading} is given without {COLUMNS[lacking].heading.lower()}. Give both or neither."
        yield ImportCellProblem(row.number, f"{lacking}_missing", detail, field=lacking)


def _keys(given: Given) -> Iterator[tuple[str, str]]:
    """Return the values of a row that may stand in a file only once."""
    for field in ("id", "reference", "lei"):
        if field in given:
            yield field, str(given[field])
    if name := given.get("name"):
        yield "name", identifiers.name_key(str(name))
    for domain in given.get("domains", ()):
        yield "domains", domain


LAYOUT = Layout(
    columns=COLUMNS,
    naming=_NAMING,
    named="the vendor's name",
    shown_only=SHOWN_ONLY,
    lacking=_lacking,
    keys=_keys,
)
"""The table of an import of vendors."""
