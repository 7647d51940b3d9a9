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
from vendorrisk.errors import Code, FieldError, Refusal
from vendorrisk.vendors import queries, review_policy, rules
from vendorrisk.vendors.model import Lifecycle, TierSource, Vendor, VendorIntake, VendorTransition
from vendorrisk.vendors.normalise import normalised
from vendorrisk.vendors.service import locked


async def transition(work: Work, vendor_id: UUID, wanted: VendorTransition, expected: int) -> Vendor:
    """Transition a vendor. Refuses a state that may not follow, and names everything that is missing."""
    given = normalised(wanted)
    before = await locked(work, vendor_id, expected)
    _check_follows(before, wanted)
    intake, note = _intake_after(work, before, given["intake_note"], wanted.to)
    steps = {step.step: step.state for step in await queries.steps_of(work, vendor_id)}
    checks = rules.TransitionChecks(
        lifecycle=before.lifecycle,
        intake_decided=intake is not VendorIntake.OPEN,
        answered=before.tier_source is TierSource.INHERENT_RISK,
        business_owner=before.business_owner_id is not None,
        steps=steps,
    )
    if missing := rules.missing_for(checks, wanted.to):
        field_errors = [FieldError(one.detail, one.code, pointer="/to") for one in missing]
        raise Refusal(Code.VENDOR_TRANSITION_INCOMPLETE, " ".join(one.detail for one in missing), errors=field_errors)
    if wanted.to is Lifecycle.OFFBOARDING:
        await queries.open_steps(work, vendor_id)
    transitioned = msgspec.structs.replace(before, lifecycle=wanted.to, lifecycle_changed_at=work.now)
    after = await queries.transition(
        work,
        before,
        wanted.to,
        reason=given["reason"],
        next_review_on=await _review_after(work, transitioned),
        intake=intake,
        intake_note=note,
    )
    await audit.record(work, Action.VENDOR_TRANSITIONED, Target("vendor", vendor_id), before=before, after=after)
    return after


def _check_follows(before: Vendor, wanted: VendorTransition) -> None:
    if not rules.may_follow(before.lifecycle, wanted.to):
        states = ", ".join(sorted(rules.TRANSITIONS[before.lifecycle]))
        detail = f"From {before.lifecycle} a vendor can go to: {states}."
        raise Refusal(Code.VENDOR_TRANSITION_NOT_ALLOWED, detail, pointer="/to")
    if rules.needs_reason(before.lifecycle, wanted.to) and wanted.reason is None:
        detail = "Say why: this transition needs a reason."
        raise Refusal(
            Code.VENDOR_TRANSITION_INCOMPLETE, detail, errors=[FieldError(detail, "reason_missing", pointer="/reason")]
        )


def _intake_after(work: Work, before: Vendor, note: str | None, to: Lifecycle) -> tuple[VendorIntake, str | None]:
    """A vendor that was terminated and comes back needs a new intake. Only those who may approve may waive it."""
    if before.lifecycle is Lifecycle.TERMINATED:
        return VendorIntake.OPEN, None
    if note is not None and to is Lifecycle.ACTIVE and before.intake is VendorIntake.OPEN:
        permit(work.by.actor, Permission.VENDORS_APPROVE)
        return VendorIntake.WAIVED, note
    return before.intake, before.intake_note


async def _review_after(work: Work, transitioned: Vendor) -> date | None:
    if not rules.is_reviewed(transitioned.lifecycle):
        return None
    return transitioned.next_review_on or await review_policy.due_again(work, transitioned)
