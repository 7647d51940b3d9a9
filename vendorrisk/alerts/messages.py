"""The messages of alerts, as the outbox is handed them."""

from uuid import UUID

import msgspec

from vendorrisk.alerts import deliveries, queries, render, rules
from vendorrisk.alerts.model import AlertToSend, ReceiverKind
from vendorrisk.channels.port import Address, EmailAddress, Failure, Undeliverable
from vendorrisk.keys import Keyring, SealError
from vendorrisk.outbox.kind import Kind


def _channel(alert: AlertToSend) -> str:
    return alert.kind.value


def _address(alert: AlertToSend, keyring: Keyring) -> Address:
    if alert.kind is ReceiverKind.OWNERS:
        return EmailAddress(alert.recipient)
    return receiver_address(keyring, alert.tenant_id, alert.receiver_id, alert.address_sealed or b"")


def receiver_address(keyring: Keyring, tenant_id: UUID, receiver_id: UUID, sealed: bytes) -> Address:
    """Open the address of a receiver. Raises `Undeliverable`."""
    try:
        return rules.opened_address(keyring, tenant_id, receiver_id, sealed)
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
