"""The record: register, read, search, change, one at a time or many at once, and export."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.access.records import Body, check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Change, Target
from vendorrisk.db.constraints import naming_holder
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, FieldError, Refusal, under
from vendorrisk.http.json_bodies import check_fit
from vendorrisk.normal_form import UnfitError, clean_line
from vendorrisk.sheets.writing import Cells
from vendorrisk.vendors import export, queries, review_policy
from vendorrisk.vendors.model import (
    ChangedVendor,
    Lifecycle,
    NewVendor,
    NewVendors,
    RowResult,
    RowResults,
    TierSource,
    Vendor,
    VendorChanges,
    VendorIntake,
    VendorMatches,
    VendorsChanges,
    VendorSummary,
)
from vendorrisk.vendors.normalise import check_spend, normalised

_Wanted = TypeVar("_Wanted", bound=Body)
_LEAST_LIKENESS = 0.3
_EXPORT_BATCH = 2_000
_REGISTERED_AS = frozenset({Lifecycle.PROSPECT, Lifecycle.ONBOARDING, Lifecycle.ACTIVE})


async def vendor(work: Work, vendor_id: UUID) -> Vendor:
    return found(await queries.find(work, vendor_id))


async def vendors(work: Work, page: PageRequest) -> Page[VendorSummary]:
    return await work.page(queries.LIST, page)


async def search(work: Work, text: str, limit: int) -> VendorMatches:
    """Find vendors by something like their name, another name or a domain. Typing errors are forgiven."""
    try:
        wanted = clean_line(text)
    except UnfitError as error:
        raise Refusal(Code.PARAMETER_INVALID, str(error), parameter="q") from None
    return VendorMatches(await queries.search(work, wanted, limit, _LEAST_LIKENESS))


async def locked(work: Work, vendor_id: UUID, expected: int) -> Vendor:
    """Return the vendor for a change that was meant for this version of it."""
    record = found(await queries.lock(work, vendor_id))
    check_version(record, expected)
    return record


async def register(work: Work, new: NewVendor) -> Vendor:
    change = await _register(work, new)
    await audit.record_all(work, [change])
    registered: Vendor = change.after
    return registered


async def _register(work: Work, new: NewVendor) -> Change:
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
    return Change(Action.VENDOR_REGISTERED, Target("vendor", registered.id), after=registered)


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
    made = await _change(work, vendor_id, changes, expected)
    await audit.record_all(work, [] if made.after == made.before else [made])
    changed: Vendor = made.after
    return changed


async def _change(work: Work, vendor_id: UUID, changes: VendorChanges, expected: int) -> Change:
    given = normalised(changes)
    before = await locked(work, vendor_id, expected)
    wanted = msgspec.structs.replace(before, **given)
    check_spend(given | {"annual_spend": wanted.annual_spend, "currency": wanted.currency})
    if wanted.tier is not before.tier:
        wanted = await _declared(work, before, wanted, keeps_date="next_review_on" in given)
    if wanted == before:
        return Change(Action.VENDOR_CHANGED, Target("vendor", vendor_id), before=before, after=before)
    after = await queries.update(work, wanted)
    return Change(Action.VENDOR_CHANGED, Target("vendor", vendor_id), before=before, after=after)


async def _declared(work: Work, before: Vendor, wanted: Vendor, *, keeps_date: bool) -> Vendor:
    if before.tier_source is TierSource.INHERENT_RISK:
        detail = "Answer the inherent-risk questions again: this tier follows from answers."
        raise Refusal(Code.VENDOR_TIER_IS_COMPUTED, detail, pointer="/tier")
    wanted = msgspec.structs.replace(wanted, tier_source=TierSource.DECLARED)
    if keeps_date:
        return wanted
    return msgspec.structs.replace(wanted, next_review_on=await review_policy.due_again(work, wanted))


async def register_many(work: Work, new: NewVendors) -> RowResults:
    """Register each item on its own. An item that fails leaves nothing behind and does not stop the others."""

    async def one(item: dict[str, Any]) -> Change:
        return await _register(work, _read(item, NewVendor))

    return await _each(work, new.items, one, "/items/{}")


async def change_many(work: Work, wanted: VendorsChanges) -> RowResults:
    """Change each vendor on its own, each held to its version."""

    async def one(item: ChangedVendor) -> Change:
        return await _change(work, item.id, _read(item.changes, VendorChanges), item.version)

    return await _each(work, wanted.items, one, "/items/{}/changes")


_Item = TypeVar("_Item")


async def _each(
    work: Work, items: Sequence[_Item], run: Callable[[_Item], Awaitable[Change]], place: str
) -> RowResults:
    results: list[RowResult] = []
    changes: list[Change] = []
    for index, item in enumerate(items):
        await work.db.execute("savepoint item")
        try:
            done = await run(item)
        except Refusal as found_wrong:
            await work.db.execute("rollback to savepoint item")
            refusal = await naming_holder(work.db, work.tenant_id, work.by.actor.permissions, found_wrong)
            errors = under(refusal.errors, place.format(index))
            results.append(RowResult(index=index, code=refusal.code.code, detail=refusal.detail, errors=errors))
        else:
            await work.db.execute("release savepoint item")
            changes += [done] if done.after != done.before else []
            results.append(RowResult(index=index, id=done.after.id, version=done.after.version))
    await audit.record_all(work, changes)
    failed = sum(1 for one in results if one.code is not None)
    return RowResults(results, done=len(results) - failed, failed=failed)


def _read(value: dict[str, Any], kind: type[_Wanted]) -> _Wanted:
    check_fit(value, kind)
    return msgspec.convert(value, kind)


async def exported(work: Work, page: PageRequest) -> AsyncIterator[Sequence[Cells]]:
    """Yield all that the filters leave, in their order, in batches read one after another."""
    cursor: str | None = None
    while True:
        request = msgspec.structs.replace(page, limit=_EXPORT_BATCH, cursor=cursor, total=False)
        batch = await work.page(queries.EXPORT, request)
        yield [tuple(export.as_cells(record)) for record in batch.items]
        cursor = batch.next
        if cursor is None:
            return
