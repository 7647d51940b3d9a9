"""Products of vendors that a tenant uses."""

from uuid import UUID

from vendorrisk.access.records import check_version, found, patched
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.evaluation.product_names import plain
from vendorrisk.signals import api_queries
from vendorrisk.signals.service import RECONCILE
from vendorrisk.signals.supply_chain_model import (
    NewVendorProduct,
    SubprocessorChange,
    VendorProduct,
    VendorProductChanges,
)
from vendorrisk.vendors.service import vendor


async def products(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorProduct]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_PRODUCTS, page.within("vendor_id", vendor_id))


async def all_products(work: Work, page: PageRequest) -> Page[VendorProduct]:
    return await work.page(api_queries.LIST_PRODUCTS, page)


async def product(work: Work, product_id: UUID) -> VendorProduct:
    return found(await api_queries.find_product(work, product_id))


async def note_product(work: Work, vendor_id: UUID, new: NewVendorProduct) -> VendorProduct:
    """Record a product that the vendor runs. People are notified at once of its known exploited vulnerabilities."""
    await vendor(work, vendor_id)
    _check_names(new)
    noted = await api_queries.insert_product(work, vendor_id, new)
    await api_queries.want_reconciliation(work, vendor_id)
    await audit.record(work, Action.VENDOR_PRODUCT_NOTED, Target("vendor_product", noted.id), after=noted)
    work.nudge(RECONCILE)
    return noted


async def change_product(work: Work, product_id: UUID, changes: VendorProductChanges, expected: int) -> VendorProduct:
    """Correct a product. The vendor is reconciled, as with a new one."""
    before = found(await api_queries.lock_product(work, product_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    _check_names(wanted)
    if wanted == before:
        return before
    after = await api_queries.update_product(work, wanted)
    await api_queries.want_reconciliation(work, after.vendor_id)
    await audit.record(
        work, Action.VENDOR_PRODUCT_CHANGED, Target("vendor_product", product_id), before=before, after=after
    )
    work.nudge(RECONCILE)
    return after


async def remove_product(work: Work, product_id: UUID, expected: int) -> None:
    before = found(await api_queries.lock_product(work, product_id))
    check_version(before, expected)
    await api_queries.delete_product(work, product_id)
    await audit.record(work, Action.VENDOR_PRODUCT_REMOVED, Target("vendor_product", product_id), before=before)


async def all_subprocessor_changes(work: Work, page: PageRequest) -> Page[SubprocessorChange]:
    return await work.page(api_queries.LIST_CHANGES, page)


def _check_names(named: NewVendorProduct | VendorProduct) -> None:
    for field in ("maker", "product"):
        if not plain(getattr(named, field)):
            raise Refusal(Code.PRODUCT_NAMELESS, "Write letters or digits.", pointer=f"/{field}")
