"""Transitions of a vendor's lifecycle."""

from datetime import date
from uuid import UUID

import msgspec

from vendorrisk.access.model import permit
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Fault, Refusal
from vendorrisk.vendors import queries, review_policy, rules
from vendorrisk.vendors.lifecycle_model import (
    Review,
)
from vendorrisk.vendors.model import Intake, Lifecycle, Move, TierSource, Vendor
from vendorrisk.vendors.normalise import settled
from vendorrisk.vendors.service import locked


async def move(work: Work, vendor_id: UUID, wanted: Move, expected: int) -> Vendor:
    """Move a vendor. Refuses a state that may not follow, and names everything that is missing."""
    given = settled(wanted)
    before = await locked(work, vendor_id, expected)
    _check_follows(before, wanted)
    intake, note = _intake_after(work, before, given["intake_note"], wanted.to)
    steps = {step.step: step.state for step in await queries.steps_of(work, vendor_id)}
    standing = rules.Standing(
        lifecycle=before.lifecycle,
        intake_settled=intake is not Intake.OPEN,
        answered=before.tier_source is TierSource.INHERENT_RISK,
        business_owner=before.business_owner_id is not None,
        steps=steps,
    )
    if missing := rules.missing_for(standing, wanted.to):
        faults = [Fault(one.detail, one.code, pointer="/to") for one in missing]
        raise Refusal(Code.VENDOR_MOVE_INCOMPLETE, " ".join(one.detail for one in missing), errors=faults)
    if wanted.to is Lifecycle.OFFBOARDING:
        await queries.open_steps(work, vendor_id)
    moved = msgspec.structs.replace(before, lifecycle=wanted.to, lifecycle_changed_at=work.now)
    after = await queries.move(
        work,
        before,
        wanted.to,
        reason=given["reason"],
        next_review_on=await _review_after(work, moved),
        intake=intake,
        intake_note=note,
    )
    await audit.record(work, Action.VENDOR_MOVED, Target("vendor", vendor_id), before=before, after=after)
    return after


def _check_follows(before: Vendor, wanted: Move) -> None:
    if not rules.may_follow(before.lifecycle, wanted.to):
        states = ", ".join(sorted(rules.MOVES[before.lifecycle]))
        detail = f"From {before.lifecycle} a vendor can move to: {states}."
        raise Refusal(Code.VENDOR_MOVE_NOT_ALLOWED, detail, pointer="/to")
    if rules.needs_reason(before.lifecycle, wanted.to) and wanted.reason is None:
        detail = "Say why: this move needs a reason."
        raise Refusal(Code.VENDOR_MOVE_INCOMPLETE, detail, errors=[Fault(detail, "reason_missing", pointer="/reason")])


def _intake_after(work: Work, before: Vendor, note: str | None, to: Lifecycle) -> tuple[Intake, str | None]:
    """A vendor that comes back from the end is asked about anew; a waiver is for those who may approve."""
    if before.lifecycle is Lifecycle.TERMINATED:
        return Intake.OPEN, None
    if note is not None and to is Lifecycle.ACTIVE and before.intake is Intake.OPEN:
        permit(work.by.actor, Permission.VENDORS_APPROVE)
        return Intake.WAIVED, note
    return before.intake, before.intake_note


async def _review_after(work: Work, moved: Vendor) -> date | None:
    if not rules.is_reviewed(moved.lifecycle):
        return None
    return moved.next_review_on or await review_policy.due_again(work, moved)


async def all_reviews(work: Work, page: PageRequest) -> Page[Review]:
    return await work.page(queries.LIST_REVIEWS, page)
