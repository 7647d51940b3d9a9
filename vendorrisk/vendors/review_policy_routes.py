"""How often vendors are reviewed."""

from litestar import Router
from litestar.params import JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.http.dependencies import ExpectedVersion, InWork
from vendorrisk.http.routing import reads, replaces
from vendorrisk.vendors import review_policy
from vendorrisk.vendors.lifecycle_model import ReviewPolicy, ReviewPolicyDetail


@reads("/review-policy", Permission.VENDORS_READ)
async def get_review_policy(work: InWork) -> ReviewPolicyDetail:
    """Return how often vendors are reviewed. Version 0 is the default: quarterly for critical ones."""
    return await review_policy.policy(work)


@replaces(
    "/review-policy",
    Permission.TENANT_MANAGE,
    example={"critical_months": 3, "high_months": 6, "medium_months": 12, "low_months": 12},
)
async def set_review_policy(
    work: InWork, expected: ExpectedVersion, data: JSONBody[ReviewPolicy]
) -> ReviewPolicyDetail:
    """Say the whole policy again. Next reviews that follow from it move. Dates that were set by hand stay."""
    return await review_policy.set_policy(work, data, expected)


router = Router("/", route_handlers=[get_review_policy, set_review_policy], tags=["Vendors"])
