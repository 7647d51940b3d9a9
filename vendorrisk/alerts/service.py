"""Operations on deadlines, alerts, receivers and policies."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from vendorrisk.access.records import check_version, found, says_already
from vendorrisk.access.work import Work
from vendorrisk.alerts import confirmations, deliveries, queries, rules
from vendorrisk.alerts.model import (
    Alert,
    AlertClass,
    AlertPolicy,
    Deadline,
    Delivery,
    NewAlertPolicy,
    ReceiverKind,
    TimedClass,
    UpcomingAlert,
)
from vendorrisk.alerts.receiver_model import (
    CreatedReceiver,
    Limits,
    NewReceiver,
    Receiver,
    ReceiverChanges,
    Target,
    WebhookTarget,
)
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target as Audited
from vendorrisk.channels.port import Address, WebhookEndpoint
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.ids import new_id
from vendorrisk.keys import Keyring, SealError
from vendorrisk.outbox import service as outbox

RAISE, DISPATCH = "raise_due_alerts", "dispatch_alerts"
"""The names of the jobs, for nudges."""

opened_address = rules.opened_address
"""Open the sealed address of a receiver, for the doctor."""

_LONGEST_VIEW = timedelta(days=731)
_MOST_TITLE = 300
DEFAULT_LIMITS = Limits()


class Resealed(msgspec.Struct, frozen=True):
    """The result of a slice of `reseal`. The next slice begins at `last`. None means that nothing is left."""

    resealed: int
    unreadable: tuple[str, ...]
    last: tuple[UUID, UUID] | None


# For other features, in their transaction


async def watch(work: Work, deadline: Deadline) -> None:
    """Keep a date in view: people are notified at each threshold of the policy. The same again changes nothing."""
    await watch_all(work, [deadline])


async def watch_all(work: Work, deadlines: Sequence[Deadline]) -> None:
    """Watch many deadlines with one statement. A subject may be in the list only once."""
    short = [msgspec.structs.replace(d, title=d.title[:_MOST_TITLE]) for d in deadlines]
    if short and await queries.watch(work, short):
        work.nudge(RAISE)


async def unwatch(work: Work, alert_class: TimedClass, subject_kind: str, *subject_ids: UUID) -> None:
    """Let dates out of view. Alerts that were raised stay, and are still delivered."""
    await queries.unwatch(work, alert_class, subject_kind, subject_ids)


async def raise_event(
    work: Work,
    alert_class: AlertClass,
    dedupe_key: str,
    vendor_id: UUID | None,
    subject_kind: str,
    subject_id: UUID,
    title: str,
    facts: Mapping[str, Any],
) -> bool:
    """Raise an alert without a date. If this key was raised before, do nothing and return False.

    `facts` are labels and values for people, in order. Messages show the first six.
    """
    raised = await queries.raise_event(
        work, alert_class, dedupe_key, vendor_id, subject_kind, subject_id, title[:_MOST_TITLE], dict(facts)
    )
    if raised is not None:
        work.nudge(DISPATCH)
    return raised is not None


# Alerts


async def alerts(work: Work, page: PageRequest) -> Page[Alert]:
    return await work.page(queries.LIST_ALERTS, page)


async def alert(work: Work, alert_id: UUID) -> Alert:
    return found(await queries.find_alert(work, alert_id))


async def upcoming(work: Work, until: date, page: PageRequest) -> Page[UpcomingAlert]:
    """Return the alerts that would be raised up to and on a day, with their recipients."""
    if not work.today <= until <= work.today + _LONGEST_VIEW:
        detail = f"Send a day from today ({work.today}) to {_LONGEST_VIEW.days} days ahead."
        raise Refusal(Code.PERIOD_INVALID, detail, parameter="until")
    return await work.page(queries.LIST_UPCOMING, page, work.today, until)


# Receivers


async def receivers(work: Work, page: PageRequest) -> Page[Receiver]:
    return await work.page(queries.LIST_RECEIVERS, page)


async def receiver(work: Work, receiver_id: UUID) -> Receiver:
    return found(await queries.find_receiver(work, receiver_id))


async def add_receiver(
    work: Work, keyring: Keyring, new: NewReceiver, limits: Limits = DEFAULT_LIMITS
) -> CreatedReceiver:
    """Add a receiver of the alerts raised from now on. A webhook's secret is in the response, this once."""
    await _check_owners(work, new.owner_ids)
    await queries.lock_tenant(work)  # so that two at once do not pass the quota together
    if await queries.count_receivers(work) >= limits.receivers:
        detail = f"A tenant may have {limits.receivers} receivers. Remove one, or widen the filters of another."
        raise Refusal(Code.RECEIVERS_TOO_MANY, detail)
    receiver_id, address = new_id(), rules.address_of(new.target, limits.inside)
    added = await queries.insert_receiver(
        work,
        receiver_id,
        new,
        rules.kind_of(new.target),
        rules.sealed_address(keyring, work.tenant_id, receiver_id, address),
        rules.destination_of(new.target),
    )
    await audit.record(work, Action.RECEIVER_ADDED, Audited("receiver", added.id), after=added)
    await _ask_if_mail(work, keyring, added, limits)
    secret = address.secret if isinstance(address, WebhookEndpoint) else None
    return CreatedReceiver(**msgspec.structs.asdict(added), secret=secret)


async def change_receiver(
    work: Work,
    keyring: Keyring,
    receiver_id: UUID,
    changes: ReceiverChanges,
    expected: int,
    limits: Limits = DEFAULT_LIMITS,
) -> Receiver:
    """Change a receiver. A new target replaces the whole address. Switching off cancels pending deliveries.

    A webhook that moves without a new secret keeps the one it has: this response shows none.
    """
    before = found(await queries.lock_receiver(work, receiver_id))
    check_version(before, expected)
    given = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not UNSET and k != "target"}
    wanted = msgspec.structs.replace(before, **given)
    readdressed, sealed = False, None
    if changes.target is not UNSET:
        target = await _with_secret(work, keyring, before, changes.target)
        address = rules.address_of(target, limits.inside)
        readdressed = not await _has_address(work, keyring, before, target, address)
        sealed = rules.sealed_address(keyring, work.tenant_id, receiver_id, address)
        wanted = _readdressed(wanted, target)
    await _check_owners(work, wanted.owner_ids)
    if wanted == before and not readdressed:
        return before
    after = await queries.update_receiver(work, wanted, readdressed=readdressed, sealed=sealed)
    if before.is_active and not after.is_active:
        await outbox.cancel(work, receiver_id)
    await audit.record(work, Action.RECEIVER_CHANGED, Audited("receiver", receiver_id), before=before, after=after)
    if readdressed:
        await _ask_if_mail(work, keyring, after, limits)
    return after


async def _ask_if_mail(work: Work, keyring: Keyring, receiver: Receiver, limits: Limits) -> None:
    if receiver.kind is ReceiverKind.EMAIL:
        await confirmations.ask(work, keyring, receiver, limits)


async def _has_address(
    work: Work, keyring: Keyring, receiver: Receiver, target: Target, address: Address | None
) -> bool:
    """Return True if messages go to this address already. An address that no key opens counts as another one."""
    if address is None:
        return receiver.kind is rules.kind_of(target)
    with contextlib.suppress(SealError):
        sealed = await queries.sealed_address(work, receiver.id)
        return rules.opened_address(keyring, work.tenant_id, receiver.id, sealed) == address
    return False


async def _with_secret(work: Work, keyring: Keyring, before: Receiver, target: Target) -> Target:
    if not isinstance(target, WebhookTarget) or target.secret is not None:
        return target
    with contextlib.suppress(SealError):
        sealed = await queries.sealed_address(work, before.id)
        old = rules.opened_address(keyring, work.tenant_id, before.id, sealed)
        if isinstance(old, WebhookEndpoint):
            return msgspec.structs.replace(target, secret=old.secret)
    detail = "The receiver has no secret to keep. Send the one to sign its messages with."
    raise Refusal(Code.RECEIVER_ADDRESS_INVALID, detail, pointer="/target/secret")


async def remove_receiver(work: Work, receiver_id: UUID, expected: int) -> None:
    """Remove a receiver, delete its address and cancel its pending deliveries. Sent deliveries stay on record."""
    before = found(await queries.lock_receiver(work, receiver_id))
    check_version(before, expected)
    await queries.remove_receiver(work, receiver_id)
    await outbox.cancel(work, receiver_id)
    await audit.record(work, Action.RECEIVER_REMOVED, Audited("receiver", receiver_id), before=before)


async def test_receiver(work: Work, receiver_id: UUID, limits: Limits) -> Delivery:
    """Send a test message through a receiver, by the same way as every alert. The delivery shows the result."""
    tested = found(await queries.lock_receiver(work, receiver_id))
    if not tested.is_active:
        raise Refusal(Code.RECEIVER_INACTIVE, "Switch it on first.")
    if tested.kind is ReceiverKind.OWNERS:
        raise Refusal(Code.RECEIVER_WITHOUT_ADDRESS, "Its address depends on the vendor. Test an e-mail receiver.")
    if tested.kind is ReceiverKind.EMAIL and tested.confirmed_at is None:
        raise Refusal(Code.RECEIVER_UNCONFIRMED, "Its owner must confirm the address first, by the mail sent there.")
    await confirmations.check_quota(work, limits)
    alert_id = new_id()
    await queries.insert_test_alert(work, alert_id, receiver_id)
    made = await deliveries.deliver(work, alert_id, receiver_id, tries=1)
    await audit.record(work, Action.RECEIVER_TESTED, Audited("receiver", receiver_id), after=made)
    return made


def _readdressed(receiver: Receiver, target: Target) -> Receiver:
    return msgspec.structs.replace(receiver, kind=rules.kind_of(target), destination=rules.destination_of(target))


async def _check_owners(work: Work, owner_ids: Sequence[UUID] | None) -> None:
    if owner_ids and await queries.count_members(work, owner_ids) != len(set(owner_ids)):
        detail = "One of the owners is no member. Send ids from /v1/members."
        raise Refusal(Code.REFERENCE_UNKNOWN, detail, pointer="/owner_ids")


async def reseal(connection: Connection, keyring: Keyring, after: tuple[UUID, UUID], most: int) -> Resealed:
    """Seal again a slice of the addresses that an older key sealed, across tenants. Skip those that no key opens."""
    found = await queries.sealed_by_others(connection, bytes.fromhex(keyring.ids[0]), after, most)
    resealed, unreadable = 0, []
    for one in found:
        context = rules.seal_context(one.tenant_id, one.id)
        try:
            plain = keyring.open(one.address_sealed, context)
        except SealError:
            unreadable.append(f"receiver {one.id}")
            continue
        resealed += await queries.reseal(connection, one, keyring.seal(plain, context))
    last = (found[-1].tenant_id, found[-1].id) if found else None
    return Resealed(resealed, tuple(unreadable), last)


# Policies


async def policies(work: Work, page: PageRequest) -> Page[AlertPolicy]:
    return await work.page(queries.LIST_POLICIES, page)


async def policy(work: Work, alert_class: TimedClass) -> AlertPolicy:
    return found(await queries.find_policy(work, alert_class))


async def set_policy(work: Work, alert_class: TimedClass, new: NewAlertPolicy, expected: int) -> AlertPolicy:
    """Replace the policy of a class. The next thresholds of its deadlines are recalculated.

    A new threshold that lies between the last check and today counts as crossed, and is notified at the next check.
    """
    before = found(await queries.lock_policy(work, alert_class))
    check_version(before, expected)
    wanted = rules.policy_in_order(new)
    if says_already(before, wanted):
        return before
    after = await queries.update_policy(work, alert_class, wanted)
    await queries.reschedule(work, alert_class)
    target = Audited("alert_policy", work.tenant_id)
    await audit.record(work, Action.ALERT_POLICY_CHANGED, target, before=before, after=after)
    work.nudge(RAISE)
    return after
