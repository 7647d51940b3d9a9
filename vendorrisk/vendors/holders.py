"""The vendor that already has a name, domain, reference or LEI, so that a conflict can name it."""

from uuid import UUID

from vendorrisk.db.constraints import Finding, Holder
from vendorrisk.db.queries import QueryFile
from vendorrisk.vendors.identifiers import name_key

_sql = QueryFile("vendors")
_OF_NAME = _sql.rows("holder_of_name", Holder)
_OF_REFERENCE = _sql.rows("holder_of_reference", Holder)
_OF_LEI = _sql.rows("holder_of_lei", Holder)
_OF_DOMAIN = _sql.rows("holder_of_domain", Holder)


def holders_of(
    vendor_id: UUID, name: str, reference: str | None, lei: str | None, domains: list[str]
) -> dict[str, Finding]:
    """Return, for each constraint that a vendor may break, the statement that finds the other vendor."""
    return {
        "vendors_name_is_unique": (_OF_NAME, (name_key(name),)),
        "vendors_reference_is_unique": (_OF_REFERENCE, (reference,)),
        "vendors_lei_is_unique": (_OF_LEI, (lei,)),
        "vendor_domains_domain_is_unique": (_OF_DOMAIN, (domains, vendor_id)),
    }
