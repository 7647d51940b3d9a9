"""Composite reads: one call for a page, a table or a dashboard."""

from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, QueryParameter

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.http.dependencies import InWork, ListPage
from vendorrisk.http.routing import lists, reads
from vendorrisk.overview import queries, service
from vendorrisk.overview.model import DecisionScope, TodayOverview, VendorOverview, VendorPosture, VendorViews


@reads("/overview/today", Permission.VENDORS_READ)
async def get_today(
    work: InWork,
    whose: Annotated[
        DecisionScope, QueryParameter(required=False, description="Whose decisions are shown.")
    ] = DecisionScope.EVERYONE,
) -> TodayOverview:
    """Return the day's dashboard: waiting work, changes since the last working day, dates due in 13 weeks."""
    return await service.today(work, whose)


@lists("/overview/vendors", Permission.VENDORS_READ, queries.POSTURES)
async def list_vendor_postures(work: InWork, page: ListPage) -> Page[VendorPosture]:
    """List vendors with coverage, grade, open findings, next date and owners.

    Sorts by the vendor's own record (name, tier, dates of the record) read one page however many vendors there are.
    Sorts by computed figures read all vendors that the filters leave.
    """
    return await service.postures(work, page)


@reads("/overview/vendor-views", Permission.VENDORS_READ)
async def get_vendor_views(work: InWork) -> VendorViews:
    """Return the usual views of the list of vendors: their filters and how many vendors each holds."""
    return await service.views(work)


@reads("/vendors/{vendor_id:uuid}/overview", Permission.VENDORS_READ)
async def get_vendor_overview(work: InWork, vendor_id: FromPath[UUID]) -> VendorOverview:
    """Return a vendor on one page: record, posture, coverage, findings, score, dates, documents, fourth parties."""
    return await service.of_vendor(work, vendor_id)


router = Router(
    "/",
    route_handlers=[get_today, list_vendor_postures, get_vendor_views, get_vendor_overview],
    tags=["Overview"],
)
