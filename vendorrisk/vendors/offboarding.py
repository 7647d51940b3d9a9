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
    OffboardingChecklist,
    OffboardingStep,
    OffboardingStepKind,
    OffboardingStepResolution,
    OffboardingStepState,
)
from vendorrisk.vendors.model import Lifecycle
from vendorrisk.vendors.normalise import normalised
from vendorrisk.vendors.service import vendor


async def checklist(work: Work, vendor_id: UUID) -> OffboardingChecklist:
    await vendor(work, vendor_id)
    return OffboardingChecklist(await queries.steps_of(work, vendor_id))


async def step(work: Work, vendor_id: UUID, name: OffboardingStepKind) -> OffboardingStep:
    await vendor(work, vendor_id)
    steps = {one.step: one for one in await queries.steps_of(work, vendor_id)}
    if not steps:
        raise Refusal(Code.OFFBOARDING_NOT_BEGUN, "Transition the vendor to offboarding first.")
    return found(steps.get(name))


async def resolve_step(
    work: Work, vendor_id: UUID, name: OffboardingStepKind, resolution: OffboardingStepResolution, expected: int
) -> OffboardingStep:
    """Record how a step was resolved, with the caller and the present instant."""
    given = normalised(resolution)
    record = found(await queries.lock(work, vendor_id))
    if record.lifecycle is not Lifecycle.OFFBOARDING:
        raise Refusal(Code.OFFBOARDING_NOT_BEGUN, "Transition the vendor to offboarding first.")
    before = found(await queries.lock_step(work, vendor_id, name))
    check_version(before, expected)
    resolution.note, resolution.proof = given["note"], given["proof"]
    _check_resolution(name, resolution)
    if says_already(before, resolution):
        return before
    after = await queries.resolve_step(work, before.id, resolution)
    target = Target("offboarding_step", before.id)
    await audit.record(work, Action.OFFBOARDING_STEP_RESOLVED, target, before=before, after=after)
    return after


def _check_resolution(name: OffboardingStepKind, resolution: OffboardingStepResolution) -> None:
    if resolution.state is OffboardingStepState.WAIVED and resolution.note is None:
        raise Refusal(Code.RESOLUTION_INCOMPLETE, "Say in the note why this is waived.", pointer="/note")
    proven = resolution.note is not None or resolution.proof is not None
    if name is OffboardingStepKind.DELETION_PROVEN and resolution.state is OffboardingStepState.DONE and not proven:
        detail = "Say how deletion was proven: a note, or where the certificate is."
        raise Refusal(Code.RESOLUTION_INCOMPLETE, detail, pointer="/proof")
