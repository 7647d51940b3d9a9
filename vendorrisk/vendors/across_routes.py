"""Lists of reviews, services and fourth parties across all vendors."""

from litestar import Router

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.http.dependencies import InWork, ListPage
from vendorrisk.http.routing import lists
from vendorrisk.vendors import lifecycle, queries, services, supply_chain_queries
from vendorrisk.vendors.lifecycle_model import VendorReview
from vendorrisk.vendors.supply_chain_model import FourthParty, VendorService

_READ = Permission.VENDORS_READ


@lists("/reviews", _READ, queries.REVIEWS)
async def list_all_reviews(work: InWork, page: ListPage) -> Page[VendorReview]:
    """List the reviews of all vendors."""
    return await lifecycle.all_reviews(work, page)


@lists("/vendor-services", _READ, supply_chain_queries.SERVICES)
async def list_all_services(work: InWork, page: ListPage) -> Page[VendorService]:
    """List the services of all vendors."""
    return await services.all_services(work, page)


@lists("/fourth-parties", _READ, supply_chain_queries.FOURTH_PARTIES)
async def list_all_fourth_parties(work: InWork, page: ListPage) -> Page[FourthParty]:
    """List the fourth parties of all vendors."""
    return await services.all_fourth_parties(work, page)


router = Router("/", route_handlers=[list_all_reviews, list_all_services, list_all_fourth_parties], tags=["Vendors"])
