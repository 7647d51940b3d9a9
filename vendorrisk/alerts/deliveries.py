"""Operations on the deliveries of alerts, which the outbox keeps and sends."""

from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.alerts import queries
from vendorrisk.alerts.model import Delivery
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target as Audited
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.outbox import model as stored
from vendorrisk.outbox import service as outbox

OWNER_KIND, _DESTINATION_KIND = "alert", "receiver"
"""The kind of alerts' deliveries in the outbox. `dispatch_alerts` makes them under the same name."""


async def deliver(work: Work, alert_id: UUID, receiver_id: UUID, *, tries: int) -> Delivery:
    """Deliver an alert to one receiver, outside of the dispatch."""
    new = stored.NewDelivery(
        owner_kind=OWNER_KIND, owner_id=alert_id, destination_kind=_DESTINATION_KIND, destination_id=receiver_id
    )
    return _shown(await outbox.deliver(work, new, tries=tries))


async def deliveries(work: Work, page: PageRequest) -> Page[Delivery]:
    found = await outbox.deliveries(work, OWNER_KIND, page)
    return Page(items=[_shown(one) for one in found.items], next=found.next, prev=found.prev, total=found.total)


async def delivery(work: Work, delivery_id: UUID) -> Delivery:
    return _shown(await outbox.delivery(work, OWNER_KIND, delivery_id))


async def attempts(work: Work, delivery_id: UUID, page: PageRequest) -> Page[stored.DeliveryAttempt]:
    return await outbox.attempts(work, OWNER_KIND, delivery_id, page)


async def resend(work: Work, delivery_id: UUID, expected: int) -> Delivery:
    """Try a dead or cancelled delivery again, with as many tries as a new one and under the same key."""
    locked = await outbox.locked_to_resend(work, OWNER_KIND, delivery_id, expected)
    before = _shown(locked)
    receiver = await queries.find_receiver(work, before.receiver_id)
    if receiver is None or not receiver.is_active:
        raise Refusal(Code.RECEIVER_INACTIVE, "Its receiver was removed or is switched off.")
    after = _shown(await outbox.resend(work, locked))
    await audit.record(work, Action.DELIVERY_RESENT, Audited("delivery", delivery_id), before=before, after=after)
    return after


def _shown(delivery: stored.Delivery) -> Delivery:
    """Return a delivery in the words of alerts: its owner is an alert, its destination a receiver."""
    values = msgspec.structs.asdict(delivery)
    for name in ("owner_kind", "destination_kind"):
        del values[name]
    return Delivery(alert_id=values.pop("owner_id"), receiver_id=values.pop("destination_id"), **values)
