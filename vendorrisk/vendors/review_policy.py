"""How often a tenant reviews its vendors, by tier, and the dates that follow."""

from datetime import date

import msgspec

from vendorrisk.access.records import check_version, says_already
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.vendors import queries, rules
from vendorrisk.vendors.lifecycle_model import ReviewPolicy, ReviewPolicyDetail
from vendorrisk.vendors.model import Lifecycle, Tier, Vendor
from vendorrisk.vendors.rules import Cadence


async def policy(work: Work) -> ReviewPolicyDetail:
    """Return the policy in force. Version 0 is the default."""
    return await queries.find_review_policy(work) or _DEFAULT


async def set_policy(work: Work, wanted: ReviewPolicy, expected: int) -> ReviewPolicyDetail:
    """Say the whole policy again.

    Review dates that follow from the old policy follow from the new one. Other dates stay.

    A date that somebody set by hand is one of the others.
    """
    before = await queries.lock_review_policy(work) or _DEFAULT
    check_version(before, expected)
    if before.version and says_already(before, wanted):
        return before
    after = await queries.save_review_policy(work, wanted)
    moved = await queries.reschedule_reviews(work, _cadence(before), _cadence(after))
    target = Target("review_policy", work.tenant_id)
    told = {"policy": after, "vendors_rescheduled": moved}
    await audit.record(work, Action.REVIEW_POLICY_CHANGED, target, before=before, after=told)
    return after


async def in_force(work: Work) -> Cadence:
    return _cadence(await policy(work))


async def next_review_on(work: Work, lifecycle: Lifecycle, tier: Tier | None, since: date) -> date | None:
    """Return the day the next review is due by the tenant's cadence. None if no review falls due."""
    if tier is None or not rules.is_reviewed(lifecycle):
        return None
    return rules.next_review_on(lifecycle, tier, since, await in_force(work))


async def due_again(work: Work, record: Vendor) -> date | None:
    """Return the day of the next review: from the last one, or from the day the vendor came into its state."""
    since = record.last_reviewed_on or work.by.today(record.lifecycle_changed_at)
    return await next_review_on(work, record.lifecycle, record.tier, since)


_DEFAULT = ReviewPolicyDetail(**msgspec.structs.asdict(ReviewPolicy()), version=0)


def _cadence(shown: ReviewPolicyDetail) -> Cadence:
    return {tier: getattr(shown, f"{tier.value}_months") for tier in Tier}
