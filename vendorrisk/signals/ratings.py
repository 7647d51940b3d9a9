"""Ratings of vendors that a tenant imports from other services."""

from uuid import UUID

from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.probes.feeds.ratings import Rating, RatingsError, read_csv, read_json
from vendorrisk.signals import api_queries
from vendorrisk.signals.supply_chain_model import (
    RatingsImported,
    VendorRating,
)
from vendorrisk.vendors.service import vendor

_MOST_UNMATCHED = 100


async def ratings(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorRating]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_RATINGS, page.within("vendor_id", vendor_id))


async def import_ratings(transactions: Transactions, content: bytes, *, is_json: bool) -> RatingsImported:
    """Save ratings of vendors by their domains. A file with an invalid row changes nothing."""
    if not content.strip():
        raise Refusal(Code.FILE_EMPTY, "Send the ratings as the body.")
    try:
        read = read_json(content) if is_json else read_csv(content)
    except RatingsError as error:
        raise Refusal(Code.RATINGS_UNREADABLE, f"Nothing was imported: {error.args[0]}.") from None
    work = await transactions.begin()
    vendors = await api_queries.vendors_of(work, sorted({rating.domain for rating in read}))
    kept: dict[tuple[UUID, str, object], tuple[UUID, Rating]] = {}
    for rating in read:
        if rating.domain in vendors:
            vendor_id = vendors[rating.domain]
            kept[vendor_id, rating.provider, rating.rated_on] = (vendor_id, rating)
    changed = await api_queries.save_ratings(work, list(kept.values()))
    unmatched = sorted({rating.domain for rating in read} - set(vendors))
    result = RatingsImported(changed, len(kept) - changed, unmatched[:_MOST_UNMATCHED])
    await audit.record(work, Action.RATINGS_IMPORTED, Target("tenant", work.tenant_id), after=result)
    return result
