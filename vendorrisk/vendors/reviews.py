"""Reviews of a vendor."""

from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.vendors import queries, review_policy, rules
from vendorrisk.vendors.lifecycle_model import (
    NewVendorReview,
    VendorReview,
    VendorReviewDetail,
)
from vendorrisk.vendors.normalise import normalised
from vendorrisk.vendors.service import locked, vendor


async def hold_review(work: Work, vendor_id: UUID, new: NewVendorReview, expected: int) -> VendorReviewDetail:
    """Record a review. One that is older than the last known is kept, and moves no date."""
    note = normalised(new)["note"]
    before = await locked(work, vendor_id, expected)
    if not rules.is_reviewed(before.lifecycle):
        detail = f"A vendor is reviewed while active or suspended. This one is {before.lifecycle}."
        raise Refusal(Code.VENDOR_NOT_REVIEWED, detail)
    reviewed_on = new.reviewed_on or work.today
    if reviewed_on > work.today:
        raise Refusal(Code.VENDOR_FIELD_INVALID, "A review is recorded once it was held.", pointer="/reviewed_on")
    if new.next_review_on is not None and new.next_review_on <= reviewed_on:
        raise Refusal(Code.VENDOR_FIELD_INVALID, "The next review comes after this one.", pointer="/next_review_on")
    next_on = new.next_review_on or await review_policy.next_review_on(work, before.lifecycle, before.tier, reviewed_on)
    new.note = note
    review = await queries.insert_review(work, vendor_id, new, reviewed_on, next_on)
    if before.last_reviewed_on is not None and reviewed_on < before.last_reviewed_on:
        reviewed_on, next_on = before.last_reviewed_on, before.next_review_on
    after = await queries.note_review(work, vendor_id, reviewed_on, next_on)
    await audit.record(
        work,
        Action.VENDOR_REVIEWED,
        Target("vendor", vendor_id),
        before=before,
        after={"vendor": after, "review": review},
    )
    return VendorReviewDetail(**msgspec.structs.asdict(review), version=after.version)


async def reviews(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorReview]:
    await vendor(work, vendor_id)
    return await work.page(queries.LIST_REVIEWS, page.within("vendor_id", vendor_id))


async def all_reviews(work: Work, page: PageRequest) -> Page[VendorReview]:
    return await work.page(queries.LIST_REVIEWS, page)
