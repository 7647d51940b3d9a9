"""What is done about a vendor: its moves, inherent risk, reviews and offboarding."""

from datetime import date
from uuid import UUID

import msgspec

from vendorrisk.access.model import permit
from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import check_version, found, says_already
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Fault, Refusal
from vendorrisk.vendors import cadence, queries, rules, tiering
from vendorrisk.vendors.diligence_model import (
    Assessed,
    Assessment,
    Checklist,
    FloorShown,
    InherentAnswers,
    ModelShown,
    NewReview,
    OffboardingStep,
    Review,
    ReviewHeld,
    ScaleShown,
    Settlement,
    Step,
    StepState,
)
from vendorrisk.vendors.fields import settled
from vendorrisk.vendors.model import Intake, Lifecycle, Move, TierSource, Vendor
from vendorrisk.vendors.service import locked, vendor


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
    return moved.next_review_on or await cadence.due_again(work, moved)


async def risk_model(work: Work) -> ModelShown:
    model, months = tiering.CURRENT, await cadence.in_force(work)
    return ModelShown(
        model.version,
        [ScaleShown(q.factor, q.title, q.weight, q.scale) for q in model.questions],
        [FloorShown(floor.key, floor.tier, floor.reason) for floor in model.floors],
        {tier.value: least for tier, least in model.thresholds},
        {tier.value: months[tier] for tier in months},
    )


async def assess(work: Work, vendor_id: UUID, answers: InherentAnswers, expected: int) -> Assessed:
    """Compute score and tier from the answers, keep both with their reasons, and set the next review by the tier."""
    before = await locked(work, vendor_id, expected)
    given = {factor: getattr(answers, factor.value) for factor in tiering.Factor}
    result = tiering.inherent_risk_for(given)
    rated = msgspec.structs.replace(before, tier=result.tier)
    next_review_on = before.next_review_on if before.tier is result.tier else await cadence.due_again(work, rated)
    assessment = await queries.insert_assessment(work, vendor_id, {f.value: v for f, v in given.items()}, result)
    after = await queries.rate(work, before, result, next_review_on)
    await audit.record(
        work,
        Action.VENDOR_RATED,
        Target("vendor", vendor_id),
        before=before,
        after={"vendor": after, "assessment": assessment},
    )
    return Assessed(assessment, after.next_review_on, after.version)


async def assessment(work: Work, vendor_id: UUID) -> Assessed:
    """Return the newest assessment; null where the questions were never answered."""
    record = await vendor(work, vendor_id)
    newest = await queries.newest_assessment(work, vendor_id)
    return Assessed(newest, record.next_review_on, record.version)


async def assessments(work: Work, vendor_id: UUID, page: PageRequest) -> Page[Assessment]:
    await vendor(work, vendor_id)
    return await work.page(queries.LIST_ASSESSMENTS, page, vendor_id)


async def hold_review(work: Work, vendor_id: UUID, new: NewReview, expected: int) -> ReviewHeld:
    """Record a review. One that is older than the last known is kept, and moves no date."""
    note = settled(new)["note"]
    before = await locked(work, vendor_id, expected)
    if not rules.is_reviewed(before.lifecycle):
        detail = f"A vendor is reviewed while active or suspended; this one is {before.lifecycle}."
        raise Refusal(Code.VENDOR_NOT_REVIEWED, detail)
    reviewed_on = new.reviewed_on or work.today
    if reviewed_on > work.today:
        raise Refusal(Code.VENDOR_FIELD_INVALID, "A review is recorded once it was held.", pointer="/reviewed_on")
    if new.next_review_on is not None and new.next_review_on <= reviewed_on:
        raise Refusal(Code.VENDOR_FIELD_INVALID, "The next review comes after this one.", pointer="/next_review_on")
    next_on = new.next_review_on or await cadence.next_review_on(work, before.lifecycle, before.tier, reviewed_on)
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
    return ReviewHeld(review.id, review, after.version)


async def reviews(work: Work, vendor_id: UUID, page: PageRequest) -> Page[Review]:
    await vendor(work, vendor_id)
    return await work.page(queries.LIST_REVIEWS, page.within("vendor_id", vendor_id))


async def all_reviews(work: Work, page: PageRequest) -> Page[Review]:
    return await work.page(queries.LIST_REVIEWS, page)


async def checklist(work: Work, vendor_id: UUID) -> Checklist:
    await vendor(work, vendor_id)
    return Checklist(await queries.steps_of(work, vendor_id))


async def step(work: Work, vendor_id: UUID, name: OffboardingStep) -> Step:
    await vendor(work, vendor_id)
    steps = {one.step: one for one in await queries.steps_of(work, vendor_id)}
    if not steps:
        raise Refusal(Code.OFFBOARDING_NOT_BEGUN, "Move the vendor to offboarding first.")
    return found(steps.get(name))


async def settle_step(
    work: Work, vendor_id: UUID, name: OffboardingStep, settlement: Settlement, expected: int
) -> Step:
    """Record how a step was settled: by whom and when is the caller and now."""
    given = settled(settlement)
    record = found(await queries.lock(work, vendor_id))
    if record.lifecycle is not Lifecycle.OFFBOARDING:
        raise Refusal(Code.OFFBOARDING_NOT_BEGUN, "Move the vendor to offboarding first.")
    before = found(await queries.lock_step(work, vendor_id, name))
    check_version(before, expected)
    settlement.note, settlement.proof = given["note"], given["proof"]
    _check_settlement(name, settlement)
    if says_already(before, settlement):
        return before
    after = await queries.settle_step(work, before.id, settlement)
    target = Target("offboarding_step", before.id)
    await audit.record(work, Action.OFFBOARDING_STEP_SETTLED, target, before=before, after=after)
    return after


def _check_settlement(name: OffboardingStep, settlement: Settlement) -> None:
    if settlement.state is StepState.WAIVED and settlement.note is None:
        raise Refusal(Code.SETTLEMENT_INCOMPLETE, "Say in the note why this is waived.", pointer="/note")
    proven = settlement.note is not None or settlement.proof is not None
    if name is OffboardingStep.DELETION_PROVEN and settlement.state is StepState.DONE and not proven:
        detail = "Say how deletion was proven: a note, or where the certificate is."
        raise Refusal(Code.SETTLEMENT_INCOMPLETE, detail, pointer="/proof")
