"""A business user requests a vendor. Someone else approves or rejects the request."""

from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.model import Actor
from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Change, Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.vendors import queries
from vendorrisk.vendors.lifecycle_model import (
    IntakeApproval,
    IntakeRejection,
    IntakeRequest,
    IntakeState,
    NewIntakeRequest,
)
from vendorrisk.vendors.model import Lifecycle, NewVendor, VendorIntake
from vendorrisk.vendors.normalise import normalised


async def requests(work: Work, page: PageRequest) -> Page[IntakeRequest]:
    return await work.page(queries.LIST_REQUESTS, page)


async def request(work: Work, request_id: UUID) -> IntakeRequest:
    return found(await queries.find_request(work, request_id))


async def ask(work: Work, new: NewIntakeRequest) -> IntakeRequest:
    """Ask for a vendor. The requester is its business owner unless another is named."""
    wanted = msgspec.convert(normalised(new), NewIntakeRequest)
    if wanted.business_owner_id is None:
        wanted.business_owner_id = work.by.actor.member_id
    made = await queries.insert_request(work, wanted)
    await audit.record(work, Action.INTAKE_REQUESTED, Target("intake_request", made.id), after=made)
    return made


async def approve(work: Work, request_id: UUID, approval: IntakeApproval, expected: int) -> IntakeRequest:
    """Approve a request: its vendor goes into onboarding, and is made where it was not known.

    A terminated vendor is refused, because its way back needs a new request.
    """
    before = await _undecided(work, request_id, expected)
    reason = normalised(approval)["reason"]
    taken_on = await _taken_on(work, before)
    after = await queries.decide_request(work, request_id, IntakeState.APPROVED, taken_on.target.id, reason)
    decided = Change(Action.INTAKE_APPROVED, Target("intake_request", request_id), before, after)
    await audit.record_all(work, [decided, taken_on])
    return after


async def reject(work: Work, request_id: UUID, rejection: IntakeRejection, expected: int) -> IntakeRequest:
    before = await _undecided(work, request_id, expected)
    reason = normalised(rejection)["reason"]
    after = await queries.decide_request(work, request_id, IntakeState.REJECTED, before.vendor_id, reason)
    target = Target("intake_request", request_id)
    await audit.record(work, Action.INTAKE_REJECTED, target, before=before, after=after)
    return after


async def _undecided(work: Work, request_id: UUID, expected: int) -> IntakeRequest:
    record = found(await queries.lock_request(work, request_id))
    check_version(record, expected)
    if record.state is not IntakeState.OPEN:
        raise Refusal(Code.INTAKE_DECIDED, f"The request was {record.state}. Make a new one.")
    if is_requester(work.by.actor, record):
        raise Refusal(Code.FOUR_EYES_NEEDED, "The requester cannot decide. Let someone else do it.")
    return record


def is_requester(actor: Actor, record: IntakeRequest) -> bool:
    """Whether the same credentials or the same person asked."""
    same_person = actor.member_id is not None and actor.member_id == record.requested_by_member_id
    return actor.id == record.requested_by_id or same_person


async def _taken_on(work: Work, record: IntakeRequest) -> Change:
    """Register the vendor, or decide the intake of a known one. Return the change for the audit log."""
    if record.vendor_id is None:
        made = await queries.insert(work, _fields(record), intake=VendorIntake.APPROVED, tier_source=None)
        return Change(Action.VENDOR_REGISTERED, Target("vendor", made.id), after=made)
    known = found(await queries.lock(work, record.vendor_id))
    if known.lifecycle is Lifecycle.TERMINATED:
        detail = "The vendor is terminated. Transition it back to prospect first, with the reason, and approve then."
        raise Refusal(Code.VENDOR_TRANSITION_NOT_ALLOWED, detail)
    is_prospect = known.lifecycle is Lifecycle.PROSPECT
    transitioned = await queries.transition(
        work,
        known,
        Lifecycle.ONBOARDING if is_prospect else known.lifecycle,
        reason=None if is_prospect else known.lifecycle_reason,
        next_review_on=known.next_review_on,
        intake=VendorIntake.APPROVED,
        intake_note=known.intake_note,
    )
    action = Action.VENDOR_TRANSITIONED if is_prospect else Action.VENDOR_CHANGED
    return Change(action, Target("vendor", known.id), known, transitioned)


def _fields(record: IntakeRequest) -> dict[str, Any]:
    new = NewVendor(
        name=record.name,
        lifecycle=Lifecycle.ONBOARDING,
        description=record.purpose,
        domains=[record.domain] if record.domain else [],
        data_classes=record.data_classes,
        business_owner_id=record.business_owner_id,
    )
    return msgspec.structs.asdict(new)
