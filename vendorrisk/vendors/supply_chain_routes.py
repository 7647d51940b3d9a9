"""Services of vendors and fourth parties."""

from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage
from vendorrisk.http.routing import changes, creates, lists, reads, removes
from vendorrisk.vendors import fourth_parties, services, supply_chain_queries
from vendorrisk.vendors.fourth_parties import all_fourth_parties
from vendorrisk.vendors.supply_chain_model import (
    FourthParty,
    FourthPartyChanges,
    NewFourthParty,
    NewVendorService,
    VendorService,
    VendorServiceChanges,
)

_READ, _WRITE = Permission.VENDORS_READ, Permission.VENDORS_WRITE


@lists("/vendors/{vendor_id:uuid}/services", _READ, supply_chain_queries.SERVICES)
async def list_vendor_services(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[VendorService]:
    """List the services that you use of a vendor."""
    return await services.services(work, vendor_id, page)


@creates(
    "/vendors/{vendor_id:uuid}/services",
    _WRITE,
    at="/v1/vendor-services/{id}",
    refuses=[Code.SERVICE_NAME_TAKEN, Code.VENDOR_FIELD_INVALID],
    example={"name": "Object storage", "data_classes": ["personal"], "is_uptime_critical": True},
)
async def add_vendor_service(
    work: InWork, vendor_id: FromPath[UUID], data: JSONBody[NewVendorService]
) -> VendorService:
    """Add a service that we use of the vendor. Evidence covers services."""
    return await services.add_service(work, vendor_id, data)


@reads("/vendor-services/{service_id:uuid}", _READ)
async def get_vendor_service(work: InWork, service_id: FromPath[UUID]) -> VendorService:
    """Return a vendor's service."""
    return await services.service(work, service_id)


@changes(
    "/vendor-services/{service_id:uuid}",
    _WRITE,
    refuses=[Code.SERVICE_NAME_TAKEN, Code.VENDOR_FIELD_INVALID],
    example={"is_uptime_critical": True},
)
async def change_vendor_service(
    work: InWork, expected: ExpectedVersion, service_id: FromPath[UUID], data: JSONBody[VendorServiceChanges]
) -> VendorService:
    """Change a vendor's service. Its coverage is computed again."""
    return await services.change_service(work, service_id, data, expected)


@removes("/vendor-services/{service_id:uuid}", _WRITE, refuses=[Code.IN_USE])
async def remove_vendor_service(work: InWork, expected: ExpectedVersion, service_id: FromPath[UUID]) -> None:
    """Remove a service that nothing refers to."""
    await services.remove_service(work, service_id, expected)


@lists("/vendors/{vendor_id:uuid}/fourth-parties", _READ, supply_chain_queries.FOURTH_PARTIES)
async def list_fourth_parties(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[FourthParty]:
    """List the companies that a vendor depends on."""
    return await fourth_parties.fourth_parties(work, vendor_id, page)


_LINKS = [
    Code.FOURTH_PARTY_NAME_TAKEN,
    Code.FOURTH_PARTY_IS_THE_VENDOR,
    Code.REFERENCE_UNKNOWN,
    Code.VENDOR_FIELD_INVALID,
]


@creates(
    "/vendors/{vendor_id:uuid}/fourth-parties",
    _WRITE,
    at="/v1/fourth-parties/{id}",
    refuses=_LINKS,
    example={"name": "Borealis Hosting", "purpose": "Data centre"},
)
async def add_fourth_party(work: InWork, vendor_id: FromPath[UUID], data: JSONBody[NewFourthParty]) -> FourthParty:
    """Add a company that the vendor depends on. Link it if it is a vendor of ours too."""
    return await fourth_parties.add_fourth_party(work, vendor_id, data)


@reads("/fourth-parties/{fourth_party_id:uuid}", _READ)
async def get_fourth_party(work: InWork, fourth_party_id: FromPath[UUID]) -> FourthParty:
    """Return a fourth party."""
    return await fourth_parties.fourth_party(work, fourth_party_id)


@changes(
    "/fourth-parties/{fourth_party_id:uuid}",
    _WRITE,
    refuses=_LINKS,
    example={"purpose": "Data centre in Oslo"},
)
async def change_fourth_party(
    work: InWork, expected: ExpectedVersion, fourth_party_id: FromPath[UUID], data: JSONBody[FourthPartyChanges]
) -> FourthParty:
    """Change a fourth party."""
    return await fourth_parties.change_fourth_party(work, fourth_party_id, data, expected)


@removes("/fourth-parties/{fourth_party_id:uuid}", _WRITE)
async def remove_fourth_party(work: InWork, expected: ExpectedVersion, fourth_party_id: FromPath[UUID]) -> None:
    """Remove a fourth party."""
    await fourth_parties.remove_fourth_party(work, fourth_party_id, expected)


@lists("/vendor-services", _READ, supply_chain_queries.SERVICES)
async def list_all_services(work: InWork, page: ListPage) -> Page[VendorService]:
    """List the services of all vendors."""
    return await services.all_services(work, page)


@lists("/fourth-parties", _READ, supply_chain_queries.FOURTH_PARTIES)
async def list_all_fourth_parties(work: InWork, page: ListPage) -> Page[FourthParty]:
    """List the fourth parties of all vendors."""
    return await all_fourth_parties(work, page)


router = Router(
    "/",
    route_handlers=[
        list_vendor_services,
        add_vendor_service,
        get_vendor_service,
        change_vendor_service,
        remove_vendor_service,
        list_fourth_parties,
        add_fourth_party,
        get_fourth_party,
        change_fourth_party,
        remove_fourth_party,
        list_all_services,
        list_all_fourth_parties,
    ],
    tags=["Vendors"],
)
