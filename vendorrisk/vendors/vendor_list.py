"""The columns by which the list of vendors may be filtered and sorted.

A filter's value is normalised as a write's is.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Operator
from vendorrisk.normal_form import clean_line
from vendorrisk.vendors import identifiers
from vendorrisk.vendors.identifiers import name_key
from vendorrisk.vendors.model import DataClass, Lifecycle, Tier, TierSource, VendorIntake

_HAS = frozenset({Operator.HAS})
_ID = Column("id", UUID, "uuid", EQUALITY, sortable=False)
_CREATED = Column("created_at", datetime, "timestamptz", RANGE, sortable=True)
_UPDATED = Column("updated_at", datetime, "timestamptz", RANGE, sortable=True)
_OWNER = Column("business_owner_id", UUID, "uuid", nullable=True)


def _same_name(text: str) -> str:
    return name_key(clean_line(text))


def _reference(text: str) -> str:
    return clean_line(text, 100)


VENDORS = ListOf(
    "vendors",
    {
        "id": _ID,
        "name": Column("name", sortable=True, normalise=_same_name, equal_sql="name_key"),
        "reference": Column("reference", nullable=True, normalise=_reference),
        "aliases": Column("aliases", operators=_HAS, normalise=identifiers.alias_of),
        "lifecycle": Column("lifecycle", Lifecycle),
        "intake": Column("intake", VendorIntake),
        "tier": Column("tier", Tier, operators=RANGE, sortable=True, nullable=True, weight_sql="level_weight({})"),
        "tier_source": Column("tier_source", TierSource, nullable=True),
        "inherent_score": Column("inherent_score", int, "int", RANGE, sortable=True, nullable=True),
        "business_owner_id": _OWNER,
        "security_owner_id": Column("security_owner_id", UUID, "uuid", nullable=True),
        "domains": Column("domains", operators=_HAS, normalise=identifiers.domain_of),
        "country": Column("country", nullable=True, normalise=identifiers.country_of),
        "data_countries": Column("data_countries", operators=_HAS, normalise=identifiers.country_of),
        "data_classes": Column("data_classes", DataClass, operators=_HAS),
        "tags": Column("tags", operators=_HAS, normalise=identifiers.tag_of),
        "legal_name": Column("legal_name", nullable=True, normalise=clean_line),
        "lei": Column("lei", nullable=True, normalise=identifiers.lei_of),
        "vat": Column("vat", nullable=True, normalise=identifiers.vat_of),
        "duns": Column("duns", nullable=True, normalise=identifiers.duns_of),
        "annual_spend": Column("annual_spend", Decimal, "numeric", RANGE, sortable=True, nullable=True),
        "currency": Column("currency", nullable=True, normalise=identifiers.currency_of),
        "last_reviewed_on": Column("last_reviewed_on", date, "date", RANGE, sortable=True, nullable=True),
        "next_review_on": Column("next_review_on", date, "date", RANGE, sortable=True, nullable=True),
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    default_sort="name",
)
