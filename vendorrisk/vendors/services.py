"""Services that a tenant uses of a vendor."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import asyncpg
import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.vendors import supply_chain_queries
from vendorrisk.vendors.normalise import normalised
from vendorrisk.vendors.service import vendor
from vendorrisk.vendors.supply_chain_model import (
    NewVendorService,
    VendorService,
    VendorServiceChanges,
)


async def services(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorService]:
    await vendor(work, vendor_id)
    return await work.page(supply_chain_queries.LIST_SERVICES, page.within("vendor_id", vendor_id))


async def all_services(work: Work, page: PageRequest) -> Page[VendorService]:
    return await work.page(supply_chain_queries.LIST_SERVICES, page)


async def service(work: Work, service_id: UUID) -> VendorService:
    return found(await supply_chain_queries.find_service(work, service_id))


async def add_service(work: Work, vendor_id: UUID, new: NewVendorService) -> VendorService:
    await vendor(work, vendor_id)
    wanted = msgspec.convert(normalised(new), NewVendorService)
    added = await supply_chain_queries.insert_service(work, vendor_id, wanted)
    await audit.record(work, Action.VENDOR_SERVICE_ADDED, Target("vendor_service", added.id), after=added)
    return added


async def change_service(work: Work, service_id: UUID, changes: VendorServiceChanges, expected: int) -> VendorService:
    given = normalised(changes)
    before = found(await supply_chain_queries.lock_service(work, service_id))
    check_version(before, expected)
    wanted = msgspec.structs.replace(before, **given)
    if wanted == before:
        return before
    after = await supply_chain_queries.update_service(work, wanted)
    target = Target("vendor_service", service_id)
    await audit.record(work, Action.VENDOR_SERVICE_CHANGED, target, before=before, after=after)
    return after


async def remove_service(work: Work, service_id: UUID, expected: int) -> None:
    """Remove a service without references. A service with evidence stays."""
    before = found(await supply_chain_queries.lock_service(work, service_id))
    check_version(before, expected)
    with _unless_used():
        await supply_chain_queries.delete_service(work, service_id)
    await audit.record(work, Action.VENDOR_SERVICE_REMOVED, Target("vendor_service", service_id), before=before)


@contextmanager
def _unless_used() -> Iterator[None]:
    # Which features refer to a service is theirs to know, so any broken foreign key says the same.
    try:
        yield
    except asyncpg.ForeignKeyViolationError:
        raise Refusal(Code.IN_USE, "Other records refer to it. Detach them first.") from None
