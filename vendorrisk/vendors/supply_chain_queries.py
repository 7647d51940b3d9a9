"""The statements of services and fourth parties."""

from datetime import datetime
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import Holder, refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.ids import new_id
from vendorrisk.normal_form import clean_line
from vendorrisk.vendors.identifiers import name_key
from vendorrisk.vendors.model import (
    DataClass,
)
from vendorrisk.vendors.supply_chain_model import FourthParty, NewFourthParty, NewVendorService, VendorService

_sql = QueryFile("vendors")
_INSERT_SERVICE = _sql.rows("insert_service", VendorService)


_FIND_SERVICE = _sql.rows("find_service", VendorService)


_LOCK_SERVICE = _sql.rows("lock_service", VendorService)


LIST_SERVICES = _sql.rows("list_services", VendorService)


_UPDATE_SERVICE = _sql.rows("update_service", VendorService)


_DELETE_SERVICE = _sql.command("delete_service")


_INSERT_FOURTH_PARTY = _sql.rows("insert_fourth_party", FourthParty)


_FIND_FOURTH_PARTY = _sql.rows("find_fourth_party", FourthParty)


_LOCK_FOURTH_PARTY = _sql.rows("lock_fourth_party", FourthParty)


LIST_FOURTH_PARTIES = _sql.rows("list_fourth_parties", FourthParty)


_UPDATE_FOURTH_PARTY = _sql.rows("update_fourth_party", FourthParty)


_DELETE_FOURTH_PARTY = _sql.command("delete_fourth_party")
_SERVICE_OF_NAME = _sql.rows("service_of_name", Holder)
_FOURTH_PARTY_OF_NAME = _sql.rows("fourth_party_of_name", Holder)


_HAS = frozenset({Operator.HAS})
_ID = Column("id", UUID, "uuid", EQUALITY, sortable=False)
_VENDOR = Column("vendor_id", UUID, "uuid")
_CREATED = Column("created_at", datetime, "timestamptz", RANGE, sortable=True)
_UPDATED = Column("updated_at", datetime, "timestamptz", RANGE, sortable=True)


def _same_name(text: str) -> str:
    return name_key(clean_line(text))


_NAME = Column("name", sortable=True, normalise=_same_name, equal_sql="name_key")

SERVICES = ListOf(
    "vendor_services",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "name": _NAME,
        "data_classes": Column("data_classes", DataClass, operators=_HAS),
        "is_uptime_critical": Column("is_uptime_critical", bool, "boolean"),
        "handles_transactions": Column("handles_transactions", bool, "boolean"),
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    default_sort="name",
)


FOURTH_PARTIES = ListOf(
    "fourth_parties",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "service_id": Column("service_id", UUID, "uuid", nullable=True),
        "provider_id": Column("provider_id", UUID, "uuid", nullable=True),
        "name": _NAME,
        "created_at": _CREATED,
        "updated_at": _UPDATED,
    },
    default_sort="name",
)


_SERVICE_NAME = "vendor_services_name_is_unique"
_SERVICE_BROKEN = {
    _SERVICE_NAME: (
        Code.SERVICE_NAME_TAKEN,
        "The vendor has a service of this name. Change that one, or send another name.",
        "/name",
    )
}


_FOURTH_PARTY_NAME = "fourth_parties_name_is_unique"
_FOURTH_PARTY_BROKEN = {
    _FOURTH_PARTY_NAME: (
        Code.FOURTH_PARTY_NAME_TAKEN,
        "The vendor already lists a fourth party of this name. Change that one.",
        "/name",
    ),
    "fourth_parties_service_is_known": (Code.REFERENCE_UNKNOWN, "There is no such service.", "/service_id"),
    "fourth_parties_provider_is_known": (Code.REFERENCE_UNKNOWN, "There is no such vendor.", "/provider_id"),
}


async def insert_service(work: Work, vendor_id: UUID, new: NewVendorService) -> VendorService:
    holders = {_SERVICE_NAME: (_SERVICE_OF_NAME, (vendor_id, name_key(new.name)))}
    with refusing(_SERVICE_BROKEN, holders, seen_by="vendors:read"):
        return await _INSERT_SERVICE.one(
            work.db,
            work.tenant_id,
            new_id(),
            vendor_id,
            new.name,
            name_key(new.name),
            new.description,
            new.data_classes,
            new.categories_needed,
            new.is_uptime_critical,
            new.handles_transactions,
            work.now,
        )


async def find_service(work: Work, service_id: UUID) -> VendorService | None:
    return await _FIND_SERVICE.one_or_none(work.db, work.tenant_id, service_id)


async def lock_service(work: Work, service_id: UUID) -> VendorService | None:
    return await _LOCK_SERVICE.one_or_none(work.db, work.tenant_id, service_id)


async def update_service(work: Work, service: VendorService) -> VendorService:
    holders = {_SERVICE_NAME: (_SERVICE_OF_NAME, (service.vendor_id, name_key(service.name)))}
    with refusing(_SERVICE_BROKEN, holders, seen_by="vendors:read"):
        return await _UPDATE_SERVICE.one(
            work.db,
            work.tenant_id,
            service.id,
            service.name,
            name_key(service.name),
            service.description,
            service.data_classes,
            service.categories_needed,
            service.is_uptime_critical,
            service.handles_transactions,
            work.now,
        )


async def delete_service(work: Work, service_id: UUID) -> None:
    await _DELETE_SERVICE.run(work.db, work.tenant_id, service_id)


async def insert_fourth_party(work: Work, vendor_id: UUID, new: NewFourthParty) -> FourthParty:
    holders = {_FOURTH_PARTY_NAME: (_FOURTH_PARTY_OF_NAME, (vendor_id, name_key(new.name)))}
    with refusing(_FOURTH_PARTY_BROKEN, holders, seen_by="vendors:read"):
        return await _INSERT_FOURTH_PARTY.one(
            work.db,
            work.tenant_id,
            new_id(),
            vendor_id,
            new.service_id,
            new.provider_id,
            new.name,
            name_key(new.name),
            new.purpose,
            work.now,
        )


async def find_fourth_party(work: Work, fourth_party_id: UUID) -> FourthParty | None:
    return await _FIND_FOURTH_PARTY.one_or_none(work.db, work.tenant_id, fourth_party_id)


async def lock_fourth_party(work: Work, fourth_party_id: UUID) -> FourthParty | None:
    return await _LOCK_FOURTH_PARTY.one_or_none(work.db, work.tenant_id, fourth_party_id)


async def update_fourth_party(work: Work, party: FourthParty) -> FourthParty:
    holders = {_FOURTH_PARTY_NAME: (_FOURTH_PARTY_OF_NAME, (party.vendor_id, name_key(party.name)))}
    with refusing(_FOURTH_PARTY_BROKEN, holders, seen_by="vendors:read"):
        return await _UPDATE_FOURTH_PARTY.one(
            work.db,
            work.tenant_id,
            party.id,
            party.service_id,
            party.provider_id,
            party.name,
            name_key(party.name),
            party.purpose,
            work.now,
        )


async def delete_fourth_party(work: Work, fourth_party_id: UUID) -> None:
    await _DELETE_FOURTH_PARTY.run(work.db, work.tenant_id, fourth_party_id)
