"""Inherent risk: the answers, the score and the tier that follow."""

from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.vendors import queries, review_policy, tiering
from vendorrisk.vendors.inherent_risk_model import (
    InherentRiskAnswers,
    InherentRiskAssessment,
    InherentRiskAssessmentDetail,
    InherentRiskModel,
    InherentRiskQuestion,
    TierFloor,
)
from vendorrisk.vendors.service import locked, vendor


async def risk_model(work: Work) -> InherentRiskModel:
    model, months = tiering.CURRENT, await review_policy.in_force(work)
    return InherentRiskModel(
        model.version,
        [InherentRiskQuestion(q.factor, q.title, q.weight, q.scale) for q in model.questions],
        [TierFloor(floor.key, floor.tier, floor.reason) for floor in model.floors],
        {tier.value: least for tier, least in model.thresholds},
        {tier.value: months[tier] for tier in months},
    )


async def assess(
    work: Work, vendor_id: UUID, answers: InherentRiskAnswers, expected: int
) -> InherentRiskAssessmentDetail:
    """Compute score and tier from the answers, keep both with their reasons, and set the next review by the tier."""
    before = await locked(work, vendor_id, expected)
    given = {factor: getattr(answers, factor.value) for factor in tiering.RiskFactor}
    result = tiering.inherent_risk_for(given)
    rated = msgspec.structs.replace(before, tier=result.tier)
    next_review_on = before.next_review_on if before.tier is result.tier else await review_policy.due_again(work, rated)
    assessment = await queries.insert_assessment(work, vendor_id, {f.value: v for f, v in given.items()}, result)
    after = await queries.rate(work, before, result, next_review_on)
    await audit.record(
        work,
        Action.VENDOR_RATED,
        Target("vendor", vendor_id),
        before=before,
        after={"vendor": after, "assessment": assessment},
    )
    return InherentRiskAssessmentDetail(assessment, after.next_review_on, after.version)


async def assessment(work: Work, vendor_id: UUID) -> InherentRiskAssessmentDetail:
    """Return the newest assessment, or null if the questions were never answered."""
    record = await vendor(work, vendor_id)
    newest = await queries.newest_assessment(work, vendor_id)
    return InherentRiskAssessmentDetail(newest, record.next_review_on, record.version)


async def assessments(work: Work, vendor_id: UUID, page: PageRequest) -> Page[InherentRiskAssessment]:
    await vendor(work, vendor_id)
    return await work.page(queries.LIST_ASSESSMENTS, page, vendor_id)
