"""The offboarding checklist."""

from uuid import UUID

from vendorrisk.access.records import check_version, found, says_already
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.errors import Code, Refusal
from vendorrisk.vendors import queries
from vendorrisk.vendors.lifecycle_model import (
    Checklist,
    OffboardingStep,
    Settlement,
    Step,
    StepState,
)
from vendorrisk.vendors.model import Lifecycle
from vendorrisk.vendors.normalise import settled
from vendorrisk.vendors.service import vendor


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
