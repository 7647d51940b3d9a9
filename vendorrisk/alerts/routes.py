"""Routes of alerts, upcoming alerts, receivers, deliveries and policies."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from vendorrisk.access.permissions import Permission
from vendorrisk.access.records import Body, Version
from vendorrisk.access.work import Work
from vendorrisk.alerts import confirmations, deliveries, queries
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.model import Alert, AlertPolicy, Delivery, NewAlertPolicy, TimedClass, UpcomingAlert
from vendorrisk.alerts.receiver_model import CreatedReceiver, Limits, NewReceiver, Receiver, ReceiverChanges
from vendorrisk.bulk import bulk
from vendorrisk.db.paging import Page
from vendorrisk.egress.guard import inside_hosts
from vendorrisk.errors import Code
from vendorrisk.http.app_state import Service
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage, TheService
from vendorrisk.http.routing import acts, changes, creates, lists, reads, removes, replaces
from vendorrisk.outbox.model import DeliveryAttempt


def _limits(service: Service) -> Limits:
    """Return the limits that the settings give the receivers of a tenant."""
    settings = service.settings
    return Limits(settings.receivers_per_tenant, settings.receiver_messages_per_hour, inside_hosts(settings))


_ADDRESS = (Code.RECEIVER_NAME_TAKEN, Code.RECEIVER_ADDRESS_INVALID, Code.REFERENCE_UNKNOWN)


@lists("/alerts", Permission.ALERTS_READ, queries.ALERTS)
async def list_alerts(work: InWork, page: ListPage) -> Page[Alert]:
    """List the alerts that were raised, newest first."""
    return await alerts.alerts(work, page)


@lists("/alerts/upcoming", Permission.ALERTS_READ, queries.UPCOMING, refuses=[Code.PERIOD_INVALID])
async def list_upcoming_alerts(
    work: InWork, page: ListPage, until: Annotated[date, QueryParameter()]
) -> Page[UpcomingAlert]:
    """List the alerts that would be raised until a day, with their recipients, if nothing changes.

    This sends nothing.
    """
    return await alerts.upcoming(work, until, page)


@reads("/alerts/{alert_id:uuid}", Permission.ALERTS_READ)
async def get_alert(work: InWork, alert_id: FromPath[UUID]) -> Alert:
    """Return an alert."""
    return await alerts.alert(work, alert_id)


@lists("/receivers", Permission.ALERTS_READ, queries.RECEIVERS)
async def list_receivers(work: InWork, page: ListPage) -> Page[Receiver]:
    """List the places that alerts are sent to."""
    return await alerts.receivers(work, page)


@creates(
    "/receivers",
    Permission.ALERTS_MANAGE,
    at="/v1/receivers/{id}",
    refuses=(*_ADDRESS, Code.RECEIVERS_TOO_MANY, Code.RECEIVER_MESSAGES_TOO_MANY),
    example={
        "name": "Risk team",
        "target": {"kind": "email", "address": "risk@example.com"},
        "tiers": ["critical", "high"],
    },
)
async def add_receiver(work: InWork, service: TheService, data: JSONBody[NewReceiver]) -> CreatedReceiver:
    """Add a receiver of alerts. A webhook's signing secret is in this response and nowhere else.

    The owner of an e-mail address is asked by mail to confirm it. Until then the receiver gets no alerts.
    """
    return await alerts.add_receiver(work, service.keyring, data, _limits(service))


@reads("/receivers/{receiver_id:uuid}", Permission.ALERTS_READ)
async def get_receiver(work: InWork, receiver_id: FromPath[UUID]) -> Receiver:
    """Return a receiver, without its secrets."""
    return await alerts.receiver(work, receiver_id)


@changes(
    "/receivers/{receiver_id:uuid}",
    Permission.ALERTS_MANAGE,
    refuses=(*_ADDRESS, Code.RECEIVER_MESSAGES_TOO_MANY),
    example={"classes": ["evidence_expiring", "coverage_gap"]},
)
async def change_receiver(
    work: InWork,
    service: TheService,
    expected: ExpectedVersion,
    receiver_id: FromPath[UUID],
    data: JSONBody[ReceiverChanges],
) -> Receiver:
    """Change a receiver. `target` replaces the whole address, but for the secret of a webhook where none is sent.

    Switching a receiver off cancels its pending deliveries.
    """
    return await alerts.change_receiver(work, service.keyring, receiver_id, data, expected, _limits(service))


@removes("/receivers/{receiver_id:uuid}", Permission.ALERTS_MANAGE)
async def remove_receiver(work: InWork, expected: ExpectedVersion, receiver_id: FromPath[UUID]) -> None:
    """Remove a receiver and forget its address. Its pending deliveries are cancelled."""
    await alerts.remove_receiver(work, receiver_id, expected)


@acts(
    "/receivers/{receiver_id:uuid}/confirmations",
    Permission.ALERTS_MANAGE,
    match=False,
    status_code=202,
    refuses=[Code.RECEIVER_CONFIRMED, Code.RECEIVER_MESSAGES_TOO_MANY],
)
async def request_receiver_confirmation(work: InWork, service: TheService, receiver_id: FromPath[UUID]) -> Receiver:
    """Send the mail again that asks the owner of the address to confirm it. Links of earlier mails end."""
    return await confirmations.ask_again(work, service.keyring, receiver_id, _limits(service))


@acts(
    "/receivers/{receiver_id:uuid}/tests",
    Permission.ALERTS_MANAGE,
    match=False,
    at="/v1/deliveries/{id}",
    status_code=202,
    refuses=[
        Code.RECEIVER_INACTIVE,
        Code.RECEIVER_WITHOUT_ADDRESS,
        Code.RECEIVER_UNCONFIRMED,
        Code.RECEIVER_MESSAGES_TOO_MANY,
    ],
)
async def test_receiver(work: InWork, service: TheService, receiver_id: FromPath[UUID]) -> Delivery:
    """Send a test message. It goes the way of every alert: read the delivery to see the result."""
    return await alerts.test_receiver(work, receiver_id, _limits(service))


@lists("/deliveries", Permission.ALERTS_READ, queries.DELIVERIES)
async def list_deliveries(work: InWork, page: ListPage) -> Page[Delivery]:
    """List deliveries, newest first. `filter=state:eq:dead` shows the dead letters."""
    return await deliveries.deliveries(work, page)


@reads("/deliveries/{delivery_id:uuid}", Permission.ALERTS_READ)
async def get_delivery(work: InWork, delivery_id: FromPath[UUID]) -> Delivery:
    """Return a delivery."""
    return await deliveries.delivery(work, delivery_id)


@lists("/deliveries/{delivery_id:uuid}/attempts", Permission.ALERTS_READ, queries.ATTEMPTS)
async def list_delivery_attempts(work: InWork, page: ListPage, delivery_id: FromPath[UUID]) -> Page[DeliveryAttempt]:
    """List the attempts of a delivery, with their results."""
    return await deliveries.attempts(work, delivery_id, page)


@acts(
    "/deliveries/{delivery_id:uuid}/resends",
    Permission.ALERTS_MANAGE,
    refuses=[Code.DELIVERY_NOT_ENDED, Code.RECEIVER_INACTIVE],
)
async def resend_delivery(work: InWork, expected: ExpectedVersion, delivery_id: FromPath[UUID]) -> Delivery:
    """Try a dead or cancelled delivery again, under the same key."""
    return await deliveries.resend(work, delivery_id, expected)


class ResentDelivery(Body):
    """A delivery to try again, and the version that is meant."""

    id: UUID
    """The delivery."""
    version: Version


@bulk(
    "/deliveries/bulk-resends",
    Permission.ALERTS_MANAGE,
    example=[{"id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10", "version": 1}],
)
async def resend_deliveries(work: Work, item: ResentDelivery) -> Delivery:
    """Try up to 200 dead or cancelled deliveries again, under the same keys. Each is resent or rejected alone."""
    return await deliveries.resend(work, item.id, item.version)


@lists("/alert-policies", Permission.ALERTS_READ, queries.POLICIES)
async def list_alert_policies(work: InWork, page: ListPage) -> Page[AlertPolicy]:
    """List the policies of the alert classes that have a date."""
    return await alerts.policies(work, page)


@reads("/alert-policies/{alert_class:str}", Permission.ALERTS_READ)
async def get_alert_policy(work: InWork, alert_class: FromPath[TimedClass]) -> AlertPolicy:
    """Return the policy of an alert class."""
    return await alerts.policy(work, alert_class)


@replaces(
    "/alert-policies/{alert_class:str}",
    Permission.ALERTS_MANAGE,
    example={
        "critical": [180, 90, 30, 7, 0],
        "high": [90, 30, 7, 0],
        "medium": [30, 7, 0],
        "low": [30, 0],
        "overdue_every_days": 7,
    },
)
async def set_alert_policy(
    work: InWork, expected: ExpectedVersion, alert_class: FromPath[TimedClass], data: JSONBody[NewAlertPolicy]
) -> AlertPolicy:
    """Say the whole policy of a class again. The next thresholds of all its deadlines follow at once."""
    return await alerts.set_policy(work, alert_class, data, expected)


router = Router(
    "/",
    route_handlers=[
        list_alerts,
        list_upcoming_alerts,
        get_alert,
        list_receivers,
        add_receiver,
        get_receiver,
        change_receiver,
        remove_receiver,
        request_receiver_confirmation,
        test_receiver,
        list_deliveries,
        get_delivery,
        list_delivery_attempts,
        resend_delivery,
        resend_deliveries,
        list_alert_policies,
        get_alert_policy,
        set_alert_policy,
    ],
    tags=["Alerts"],
)
