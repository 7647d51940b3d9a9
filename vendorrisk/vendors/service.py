"""The record: register, read, search, change and export."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.upsert import as_changes, create_or_change, with_reference
from vendorrisk.access.work import Transactions, Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.normal_form import UnfitError, clean_line
from vendorrisk.sheets.writing import Cells
from vendorrisk.vendors import export, queries, review_policy
from vendorrisk.vendors.model import (
    Lifecycle,
    NewVendor,
    TierSource,
    Vendor,
    VendorChanges,
    VendorIntake,
    VendorMatches,
    VendorSummary,
)
from vendorrisk.vendors.normalise import check_spend, normalised

_LEAST_LIKENESS = 0.3
_EXPORT_BATCH = 2_000
_REGISTERED_AS = frozenset({Lifecycle.PROSPECT, Lifecycle.ONBOARDING, Lifecycle.ACTIVE})


async def vendor(work: Work, vendor_id: UUID) -> Vendor:
    return found(await queries.find(work, vendor_id))


async def vendors(work: Work, page: PageRequest) -> Page[VendorSummary]:
    return await work.page(queries.LIST, page)


async def search(work: Work, text: str, limit: int) -> VendorMatches:
    """Find vendors by something like their name, another name or a domain. Typing errors are forgiven."""
    wanted = _clean(text, 200, "q")
    return VendorMatches(await queries.search(work, wanted, limit, _LEAST_LIKENESS))


def _clean(text: str, longest: int, parameter: str) -> str:
    try:
        return clean_line(text, longest)
    except UnfitError as error:
        raise Refusal(Code.PARAMETER_INVALID, str(error), parameter=parameter) from None


async def locked(work: Work, vendor_id: UUID, expected: int) -> Vendor:
    """Return the vendor for a change that was meant for this version of it."""
    record = found(await queries.lock(work, vendor_id))
    check_version(record, expected)
    return record


async def register(work: Work, new: NewVendor) -> Vendor:
    fields = normalised(new)
    check_spend(fields)
    if new.last_reviewed_on is not None and new.last_reviewed_on > work.today:
        raise Refusal(Code.VENDOR_FIELD_INVALID, "A review is recorded once it was held.", pointer="/last_reviewed_on")
    _check_taken_over(new)
    since = new.last_reviewed_on or work.today
    fields["next_review_on"] = new.next_review_on or await review_policy.next_review_on(
        work, new.lifecycle, new.tier, since
    )
    registered = await queries.insert(
        work,
        fields,
        intake=VendorIntake.WAIVED if new.intake_note else VendorIntake.OPEN,
        tier_source=TierSource.DECLARED if new.tier else None,
    )
    await audit.record(work, Action.VENDOR_REGISTERED, Target("vendor", registered.id), after=registered)
    return registered


def _check_taken_over(new: NewVendor) -> None:
    if new.lifecycle not in _REGISTERED_AS:
        detail = f"Register it as one of {', '.join(sorted(_REGISTERED_AS))}, and transition it from there."
        raise Refusal(Code.VENDOR_FIELD_INVALID, detail, pointer="/lifecycle")
    if new.lifecycle is not Lifecycle.ACTIVE:
        return
    field_errors = [
        FieldError("A vendor that is taken over as active needs this.", f"{name}_missing", pointer=f"/{name}")
        for name in ("intake_note", "business_owner_id", "tier")
        if getattr(new, name) is None
    ]
    if field_errors:
        detail = "Say who owns it, which tier it has and why no intake was needed. Or register it as a prospect."
        raise Refusal(Code.VENDOR_FIELD_INVALID, detail, errors=field_errors)


async def change(work: Work, vendor_id: UUID, changes: VendorChanges, expected: int) -> Vendor:
    given = normalised(changes)
    before = await locked(work, vendor_id, expected)
    wanted = msgspec.structs.replace(before, **given)
    check_spend(given | {"annual_spend": wanted.annual_spend, "currency": wanted.currency})
    if wanted.tier is not before.tier:
        wanted = await _declared(work, before, wanted, keeps_date="next_review_on" in given)
    if wanted == before:
        return before
    after = await queries.update(work, wanted)
    await audit.record(work, Action.VENDOR_CHANGED, Target("vendor", vendor_id), before=before, after=after)
    return after


async def register_or_change(work: Work, reference: str, new: NewVendor) -> tuple[Vendor, bool]:
    """Register a vendor under the caller's own number, or make the one that has it what the body says."""
    reference = _clean(reference, 100, "reference")
    with_reference(new, reference)

    async def change_known() -> Vendor | None:
        known = await queries.lock_of_reference(work, reference)
        changes = as_changes(new, VendorChanges, kept=("tier", "next_review_on"))
        return None if known is None else await change(work, known.id, changes, known.version)

    return await create_or_change(work, change_known, lambda: register(work, new))


async def _declared(work: Work, before: Vendor, wanted: Vendor, *, keeps_date: bool) -> Vendor:
    if before.tier_source is TierSource.INHERENT_RISK:
        detail = "Answer the inherent-risk questions again: this tier follows from answers."
        raise Refusal(Code.VENDOR_TIER_IS_COMPUTED, detail, pointer="/tier")
    wanted = msgspec.structs.replace(wanted, tier_source=TierSource.DECLARED)
    if keeps_date:
        return wanted
    return msgspec.structs.replace(wanted, next_review_on=await review_policy.due_again(work, wanted))


async def exported(transactions: Transactions, page: PageRequest) -> AsyncIterator[Sequence[Cells]]:
    """Yield all that the filters leave, in their order, in batches read one after another.

    No transaction is open while the caller takes a batch.
    """
    cursor: str | None = None
    while True:
        request = msgspec.structs.replace(page, limit=_EXPORT_BATCH, cursor=cursor, total=False)
        async with transactions.look() as work:
            batch = await work.page(queries.EXPORT, request)
        yield [tuple(export.as_cells(record)) for record in batch.items]
        cursor = batch.next
        if cursor is None:
            return
