"""Senders that die, failures that pass, and a kind of message of which the outbox has never heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.conftest import MONDAY_MORNING, Company
from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.background import JobContext
from vendorrisk.channels.port import EmailAddress, Failure, Message, Undeliverable
from vendorrisk.db.connection import Connection
from vendorrisk.identity import service as identity
from vendorrisk.ids import new_id
from vendorrisk.outbox import claims, service
from vendorrisk.outbox.kind import Kind
from vendorrisk.outbox.model import Delivery, Due, NewDelivery, Recorded
from vendorrisk.outbox.queries import Share
from vendorrisk.outbox.sending import sending_places
from vendorrisk.worker import MESSAGE_KINDS


class Death(BaseException):
    """The process is gone: nothing after this line runs, not even an `except Exception`."""


def later(**more: Any) -> Undeliverable:
    return Undeliverable(Failure.TEMPORARY, "503", retryable=True, **more)


async def claimed(context: JobContext) -> list[claims.Flight]:
    """Claim as a sender does that then dies."""
    kinds = {kind.owner_kind: kind for kind in MESSAGE_KINDS}
    async with context.database.system() as connection:
        shares = [Share(each.id, 10) for each in await identity.every_tenant(connection)]
    return (await claims.claim(context, kinds, shares, sending_places())).flights


@dataclass
class Letters:
    """A feature beside alerts, whose messages are words by the id of their owner.

    Those `withdrawn` are not to be sent any more. Those of `poison` break the statement that loads them.
    """

    words: dict[UUID, str] = field(default_factory=dict)
    withdrawn: set[UUID] = field(default_factory=set)
    ended: list[Recorded] = field(default_factory=list)
    loads: int = 0
    poison: set[UUID] = field(default_factory=set)
    trouble_at_end: str = ""

    @property
    def kind(self) -> Kind[str]:
        return Kind(
            owner_kind="letter",
            load=self._load,
            channel=lambda _words: "post",
            address=lambda words, _keyring: EmailAddress(f"{words.lower()}@example.org"),
            render=lambda words, base: Message(kind="letter", title=words, summary="", link=base, at=MONDAY_MORNING),
            ended=self._ended,
        )

    async def write(self, context: JobContext, company: Company, words: str, **where: Any) -> Delivery:
        """Write a letter, and make its delivery as a service does."""
        owner_id = new_id()
        self.words[owner_id] = words
        tenant = Tenant(company.tenant.id, company.tenant.time_zone)
        async with context.database.tenant(tenant.id) as connection:
            by = system(tenant, "test", Permission.TENANT_MANAGE)
            work = Work(db=connection, by=by, now=context.clock(), request_id="test")
            to = where or {"recipient": f"{words.lower()}@example.org"}
            made = await service.deliver(work, NewDelivery(owner_kind="letter", owner_id=owner_id, **to))
            assert work.nudges == ["send_deliveries"]
            return made

    async def _load(self, connection: Connection, due: Sequence[Due]) -> Mapping[UUID, str]:
        self.loads += 1
        if self.poison & {one.owner_id for one in due}:
            await connection.execute("select 1 / 0")
        return {one.id: self.words[one.owner_id] for one in due if one.owner_id not in self.withdrawn}

    async def _ended(self, connection: Connection, recorded: Sequence[Recorded]) -> None:
        self.ended += recorded
        if self.trouble_at_end:
            await connection.execute(self.trouble_at_end)


async def letters_may_be_sent(owner: Any) -> None:
    """Open the closed lists of this test's database to a kind of owner that the product does not have."""
    for name in ("owner", "destination"):
        await owner.execute(f"alter table deliveries drop constraint deliveries_{name}_kind_is_known")
