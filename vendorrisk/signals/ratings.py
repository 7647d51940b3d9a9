"""Ratings of vendors that a tenant imports from other services."""

from collections.abc import Callable
from uuid import UUID

from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.probes.feeds.ratings import Rating, Ratings, csv_ratings, json_ratings
from vendorrisk.sandbox.running import API_SANDBOX, Limits, Reason, SandboxError
from vendorrisk.sandbox.slots import API_ROOM, SMALL_BYTES
from vendorrisk.signals import api_queries
from vendorrisk.signals.supply_chain_model import (
    RatingsImported,
    VendorRating,
)
from vendorrisk.vendors.service import vendor

_MOST_UNMATCHED = 100
_SMALL_FILE = 1 << 20
_QUICK = Limits(cpu_seconds=2, wall_seconds=10.0, memory_bytes=SMALL_BYTES)
_LARGE = Limits(cpu_seconds=10, wall_seconds=20.0, memory_bytes=API_ROOM.large_bytes, answer_bytes=32 << 20)


async def ratings(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorRating]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_RATINGS, page.within("vendor_id", vendor_id))


async def import_ratings(transactions: Transactions, content: bytes, *, is_json: bool) -> RatingsImported:
    """Save ratings of vendors by their domains. A file with an invalid row changes nothing."""
    if not content.strip():
        raise Refusal(Code.FILE_EMPTY, "Send the ratings as the body.")
    read = await _read(content, transactions.tenant_id, is_json=is_json)
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


async def _read(content: bytes, tenant_id: UUID, *, is_json: bool) -> list[Rating]:
    """Read the file in the sandbox. A small file does not wait behind a large one, and tenants take turns."""
    parser: Callable[[bytes], Ratings] = json_ratings if is_json else csv_ratings
    limits = _QUICK if len(content) <= _SMALL_FILE else _LARGE
    try:
        found = await API_SANDBOX.run(parser, content, limits, on_behalf_of=tenant_id)
    except SandboxError as error:
        if error.reason is Reason.BUSY:
            raise Refusal(Code.OVERLOADED, "Too many files are being read.", retry_after_seconds=10) from None
        detail = "Nothing was imported: the file is damaged, or too large to be read. Send it in parts."
        raise Refusal(Code.RATINGS_UNREADABLE, detail) from None
    if found.fault:
        raise Refusal(Code.RATINGS_UNREADABLE, f"Nothing was imported: {found.fault}.")
    return found.ratings
