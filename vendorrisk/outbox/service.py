"""Operations on deliveries, for the features that own them, in their transaction."""

from uuid import UUID

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.outbox import queries, rules
from vendorrisk.outbox.model import Delivery, DeliveryAttempt, NewDelivery

SEND = "send_deliveries"
"""The name of the job, for nudges."""


async def deliver(work: Work, new: NewDelivery, *, tries: int = rules.TRIES) -> Delivery:
    """Make a delivery. It leaves after the commit."""
    made = await queries.insert(work, new, tries)
    work.nudge(SEND)
    return made


async def cancel(work: Work, destination_id: UUID) -> None:
    """Cancel pending deliveries to a destination. A delivery under way is cancelled if its attempt fails."""
    await queries.cancel(work, destination_id)


async def deliveries(work: Work, owner_kind: str, page: PageRequest) -> Page[Delivery]:
    return await work.page(queries.LIST_DELIVERIES, page, owner_kind)


async def delivery(work: Work, owner_kind: str, delivery_id: UUID) -> Delivery:
    return found(await queries.find(work, owner_kind, delivery_id))


async def attempts(work: Work, owner_kind: str, delivery_id: UUID, page: PageRequest) -> Page[DeliveryAttempt]:
    await delivery(work, owner_kind, delivery_id)
    return await work.page(queries.LIST_ATTEMPTS, page, delivery_id)


async def locked_to_resend(work: Work, owner_kind: str, delivery_id: UUID, expected: int) -> Delivery:
    """Lock a delivery that has ended unsent. Its owner decides whether it may be resent, and then calls `resend`."""
    before = found(await queries.lock(work, owner_kind, delivery_id))
    check_version(before, expected)
    if before.state not in rules.ENDED_UNSENT:
        detail = f"Only dead or cancelled deliveries can be resent. This one is {before.state.value}."
        raise Refusal(Code.DELIVERY_NOT_ENDED, detail)
    return before


async def resend(work: Work, before: Delivery) -> Delivery:
    """Try a locked delivery again, with as many tries as a new one and under the same key."""
    after = await queries.resend(work, before.id, rules.TRIES)
    work.nudge(SEND)
    return after
