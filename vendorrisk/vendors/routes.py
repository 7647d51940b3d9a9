"""Routes of vendors, their lifecycle, supply chain and imports. Imports have their own routes."""

from typing import Annotated
from uuid import UUID

from litestar import Response, Router
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from vendorrisk.access.permissions import Permission
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InTransactions, InWork, ListPage, OwnReference
from vendorrisk.http.routing import changes, creates, lists, reads, upserted, upserts
from vendorrisk.sheets.reading import FileFormat
from vendorrisk.sheets.writing import as_file
from vendorrisk.storage.media_types import MediaType
from vendorrisk.vendors import export, service
from vendorrisk.vendors.model import (
    NewVendor,
    Vendor,
    VendorChanges,
    VendorMatches,
    VendorSummary,
)
from vendorrisk.vendors.vendor_list import VENDORS

_READ, _WRITE = Permission.VENDORS_READ, Permission.VENDORS_WRITE
_ACCEPTED = [
    Code.VENDOR_NAME_TAKEN,
    Code.VENDOR_DOMAIN_TAKEN,
    Code.VENDOR_REFERENCE_TAKEN,
    Code.VENDOR_LEI_TAKEN,
    Code.VENDOR_FIELD_INVALID,
    Code.REFERENCE_UNKNOWN,
]
_WRITTEN_AS = {FileFormat.CSV: "text/csv; charset=utf-8", FileFormat.XLSX: MediaType.XLSX.text}


@lists("/vendors", _READ, VENDORS)
async def list_vendors(work: InWork, page: ListPage) -> Page[VendorSummary]:
    """List vendors."""
    return await service.vendors(work, page)


@creates(
    "/vendors",
    _WRITE,
    at="/v1/vendors/{id}",
    refuses=_ACCEPTED,
    example={"name": "Acme Cloud", "domains": ["acme.example"], "country": "DE", "data_classes": ["personal"]},
)
async def register_vendor(work: InWork, data: JSONBody[NewVendor]) -> Vendor:
    """Register a vendor: as a prospect, in onboarding, or, where it is in use already, as active."""
    return await service.register(work, data)


@upserts(
    "/vendors/by-reference",
    _WRITE,
    refuses=[*_ACCEPTED, Code.VENDOR_TIER_IS_COMPUTED, Code.REFERENCE_DIFFERS],
    example={"name": "Borealis Mail", "country": "NO", "metadata": {"cost_centre": "4711"}},
)
async def register_or_change_vendor(
    work: InWork, reference: OwnReference, data: JSONBody[NewVendor]
) -> Response[Vendor]:
    """Register a vendor under your own reference, or change the one that has it. No version is needed.

    Send the whole vendor: a field that is left out takes its default. A tier or next review that is left out stays, and
    what only a registration sets (`lifecycle`, `intake_note`, `last_reviewed_on`) is not changed. If nothing differs,
    nothing is written.
    """
    return upserted(*await service.register_or_change(work, reference, data))


@reads("/vendors/search", _READ)
async def search_vendors(
    work: InWork,
    q: Annotated[str, QueryParameter(min_length=1, max_length=200, description="A name, another name, or a domain.")],
    limit: Annotated[int, QueryParameter(ge=1, le=50, required=False)] = 20,
) -> VendorMatches:
    """Find vendors by names or domains that are similar to the text, despite typing errors."""
    return await service.search(work, q, limit)


@reads("/vendors/export", _READ, opt={"of": VENDORS}, streams=(MediaType.CSV.text, MediaType.XLSX.text))
async def export_vendors(
    transactions: InTransactions,
    page: ListPage,
    format: Annotated[FileFormat, QueryParameter(required=False)] = FileFormat.CSV,  # noqa: A002 - the parameter's name
) -> Stream:
    """Download all that a list shows, with the same filters and order. The file can be imported again."""
    return Stream(
        as_file(format, export.HEADING, service.exported(transactions, page)),
        media_type=_WRITTEN_AS[format],
        headers={"content-disposition": f'attachment; filename="vendors.{format}"'},
    )


@reads("/vendors/{vendor_id:uuid}", _READ)
async def get_vendor(work: InWork, vendor_id: FromPath[UUID]) -> Vendor:
    """Return a vendor."""
    return await service.vendor(work, vendor_id)


@changes(
    "/vendors/{vendor_id:uuid}",
    _WRITE,
    refuses=[*_ACCEPTED, Code.VENDOR_TIER_IS_COMPUTED],
    example={"description": "Hosting of the shop", "tags": ["hosting"]},
)
async def change_vendor(
    work: InWork, expected: ExpectedVersion, vendor_id: FromPath[UUID], data: JSONBody[VendorChanges]
) -> Vendor:
    """Change a vendor's record. Its state, reviews and computed tier change by their own routes."""
    return await service.change(work, vendor_id, data, expected)


router = Router(
    "/",
    route_handlers=[
        list_vendors,
        register_vendor,
        register_or_change_vendor,
        search_vendors,
        export_vendors,
        get_vendor,
        change_vendor,
    ],
    tags=["Vendors"],
)
