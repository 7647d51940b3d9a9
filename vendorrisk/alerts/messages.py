"""The messages of alerts, as the outbox is handed them."""

import msgspec

from vendorrisk.alerts import deliveries, queries, render, service
from vendorrisk.alerts.model import AlertToSend, ReceiverKind
from vendorrisk.channels.port import Address, EmailAddress, Failure, Undeliverable
from vendorrisk.keys import Keyring, SealError
from vendorrisk.outbox.kind import Kind


def _channel(alert: AlertToSend) -> str:
    return alert.kind.value


def _address(alert: AlertToSend, keyring: Keyring) -> Address:
    if alert.kind is ReceiverKind.OWNERS:
        return EmailAddress(alert.recipient)
    try:
        return service.opened_address(keyring, alert.tenant_id, alert.receiver_id, alert.address_sealed or b"")
    except (SealError, msgspec.DecodeError) as error:
        detail = "the receiver's address cannot be opened; send it again"
        raise Undeliverable(Failure.NOT_CONFIGURED, detail, retryable=True) from error


ALERT = Kind(
    owner_kind=deliveries.OWNER_KIND,
    load=queries.load,
    channel=_channel,
    address=_address,
    render=render.message_of,
)
