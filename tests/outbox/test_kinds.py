"""Another feature sends by the outbox, of which the outbox knows nothing but the kind it was handed."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.alerts.make import a_receiver, an_alert, deliveries, recording, run_jobs
from tests.conftest import Company, FakeClock
from tests.fakes.outlet import RecordingOutlet
from tests.outbox.make import Death, Letters, later, letters_may_be_sent
from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.channels.port import EmailAddress, Failure, Undeliverable
from vendorrisk.errors import Code, Refusal
from vendorrisk.ids import new_id
from vendorrisk.outbox import rules, service
from vendorrisk.outbox.jobs import send_deliveries
from vendorrisk.outbox.model import Delivery
from vendorrisk.outbox.results import ATTEMPTS, DEAD
from vendorrisk.worker import MESSAGE_KINDS

pytestmark = pytest.mark.anyio


@pytest.fixture
async def letters(owner: Any) -> Letters:
    await letters_may_be_sent(owner)
    return Letters()


async def stored(owner: Any, delivery: Delivery) -> tuple[str, int, str | None, int]:
    row = await owner.fetchrow(
        "select state, attempts, failure, possible_duplicates from deliveries where id = $1", delivery.id
    )
    return tuple(row)


async def outcomes(owner: Any, delivery: Delivery) -> list[str]:
    rows = await owner.fetch(
        "select outcome from delivery_attempts where delivery_id = $1 order by number", delivery.id
    )
    return [row["outcome"] for row in rows]


def work_in(context: JobContext, company: Company, connection: Any) -> Work:
    by = system(Tenant(company.tenant.id, company.tenant.time_zone), "test", Permission.TENANT_MANAGE)
    return Work(db=connection, by=by, now=context.clock(), request_id="test")


async def test_the_message_of_another_kind_is_sent_once_and_its_attempt_recorded(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    before = ATTEMPTS.labels("post", "sent")._value.get()
    made = await letters.write(context, company, "Ada")
    assert await send_deliveries(context, [letters.kind]) == 1
    ((key, to, message),) = outlet.sent
    assert (key, to, message.title) == (str(made.id), EmailAddress("ada@example.org"), "Ada")
    assert message.link == context.settings.public_url
    assert await stored(owner, made) == ("sent", 1, None, 0)
    assert await outcomes(owner, made) == ["sent"]
    assert [(one.id, one.owner_id, one.state) for one in letters.ended] == [(made.id, made.owner_id, "sent")]
    assert ATTEMPTS.labels("post", "sent")._value.get() == before + 1
    assert await send_deliveries(context, [letters.kind]) == 0
    assert len(outlet.sent) == 1


async def test_a_dead_letter_of_another_kind_can_be_resent_and_is_no_alert_s(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    outlet.trouble = [Undeliverable(Failure.REJECTED, "no such mailbox", retryable=False)]
    before = DEAD.labels("post")._value.get()
    made = await letters.write(context, company, "Ada")
    await send_deliveries(context, [letters.kind])
    assert await stored(owner, made) == ("dead", 1, "rejected", 0)
    assert [(one.state, one.failure) for one in letters.ended] == [("dead", "rejected")]
    assert DEAD.labels("post")._value.get() == before + 1
    assert await deliveries(company) == []
    place = f"/v1/deliveries/{made.id}"
    assert (await company.client.get(place)).status_code == 404
    assert (await company.client.get(f"{place}/attempts")).status_code == 404
    assert (await company.client.post(f"{place}/resends", etag='"3"')).status_code == 404
    async with context.database.tenant(company.tenant.id) as connection:
        work = work_in(context, company, connection)
        locked = await service.locked_to_resend(work, "letter", made.id, 3)
        assert (await service.resend(work, locked)).state == "pending"
        with pytest.raises(Refusal) as refused:
            await service.locked_to_resend(work, "letter", made.id, 4)
        assert refused.value.code is Code.DELIVERY_NOT_ENDED
    await send_deliveries(context, [letters.kind])
    assert outlet.keys == [str(made.id)]
    assert await outcomes(owner, made) == ["failed", "sent"]


async def test_what_its_owner_no_longer_wants_is_cancelled_without_an_attempt(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    wanted, unwanted = await letters.write(context, company, "Ada"), await letters.write(context, company, "Bob")
    letters.withdrawn.add(unwanted.owner_id)
    assert await send_deliveries(context, [letters.kind]) == 2
    assert outlet.keys == [str(wanted.id)]
    assert await stored(owner, unwanted) == ("cancelled", 0, None, 0)
    assert await outcomes(owner, unwanted) == []
    assert [one.id for one in letters.ended] == [wanted.id]


@pytest.mark.parametrize("end", ["dead", "cancelled"])
async def test_a_letter_that_kills_every_sender_is_given_up_or_cancelled_where_nobody_wants_it(
    context: JobContext, company: Company, owner: Any, letters: Letters, clock: FakeClock, end: str
) -> None:
    class Deadly(RecordingOutlet):
        def before_response(self) -> None:
            raise Death

    recording(context)
    made = await letters.write(context, company, "Ada")
    context.channels = Deadly()
    for _ in range(rules.TRIES):
        with pytest.raises(Death):
            await send_deliveries(context, [letters.kind])
        clock.advance(seconds=91)
    context.channels = outlet = RecordingOutlet()
    if end == "cancelled":
        letters.withdrawn.add(made.owner_id)
    assert await send_deliveries(context, [letters.kind]) == 1
    assert (await stored(owner, made))[:2] == (end, rules.TRIES)
    assert await outcomes(owner, made) == ["uncertain"] * rules.TRIES
    assert [one.state for one in letters.ended] == (["dead"] if end == "dead" else [])
    assert outlet.sent == []


async def test_a_worker_leaves_kinds_alone_that_it_does_not_know(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    made = await letters.write(context, company, "Ada")
    await a_receiver(company)
    await an_alert(context, company, owner)
    await run_jobs(context)
    assert len(outlet.sent) == 1
    assert await stored(owner, made) == ("pending", 0, None, 0)


async def test_a_message_that_cannot_be_loaded_counts_its_tries_and_holds_up_no_other(
    context: JobContext, company: Company, owner: Any, letters: Letters, clock: FakeClock
) -> None:
    outlet = recording(context)
    made = [await letters.write(context, company, f"Letter{number}") for number in range(5)]
    await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    letters.poison = {made[1].owner_id}
    await send_deliveries(context, [letters.kind, *MESSAGE_KINDS])
    assert len(outlet.sent) == 5, "four letters and the alert"
    assert await stored(owner, made[1]) == ("pending", 1, "temporary", 0)
    for _ in range(rules.TRIES - 1):
        clock.advance(hours=8)
        await send_deliveries(context, [letters.kind])
    assert await stored(owner, made[1]) == ("dead", rules.TRIES, "temporary", 0)
    assert len(outlet.sent) == 5
    letters.poison.clear()
    async with context.database.tenant(company.tenant.id) as connection:
        work = work_in(context, company, connection)
        version = await owner.fetchval("select version from deliveries where id = $1", made[1].id)
        await service.resend(work, await service.locked_to_resend(work, "letter", made[1].id, version))
    await send_deliveries(context, [letters.kind])
    assert (await stored(owner, made[1]))[0] == "sent"


async def test_an_owner_that_fails_as_it_hears_of_the_end_undoes_only_what_it_wrote(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    made = await letters.write(context, company, "Ada")
    letters.trouble_at_end = "select 1 / 0"
    await send_deliveries(context, [letters.kind])
    assert await stored(owner, made) == ("sent", 1, None, 0)
    assert await outcomes(owner, made) == ["sent"]
    assert await send_deliveries(context, [letters.kind]) == 0
    assert outlet.keys == [str(made.id)]


async def test_a_recipient_without_a_destination_holds_up_no_other_recipient(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    outlet.trouble = [Undeliverable(Failure.UNREACHABLE, "away", retryable=True)]
    made = [await letters.write(context, company, f"Letter{number}") for number in range(100)]
    while await send_deliveries(context, [letters.kind]):
        pass
    assert len(outlet.sent) == 99
    assert sorted([(await stored(owner, one))[0] for one in made])[:2] == ["pending", "sent"]


async def test_letters_to_a_destination_wait_and_are_cancelled_with_it(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    outlet = recording(context)
    outlet.trouble = [Undeliverable(Failure.UNREACHABLE, "away", retryable=True) for _ in range(200)]
    room = {"destination_kind": "room", "destination_id": new_id()}
    made = [await letters.write(context, company, f"Letter{number}", **room) for number in range(150)]
    while await send_deliveries(context, [letters.kind]):
        pass
    assert outlet.tries < 100, "what was in flight found it away; the rest waits"
    async with context.database.tenant(company.tenant.id) as connection:
        await service.cancel(work_in(context, company, connection), room["destination_id"])
    assert {(await stored(owner, one))[0] for one in made} == {"cancelled"}


async def test_one_message_has_one_delivery_for_each_recipient_and_destination(
    context: JobContext, company: Company, owner: Any, letters: Letters
) -> None:
    made = await letters.write(context, company, "Ada")
    again = (
        "insert into deliveries (tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, recipient,"
        " attempts_allowed, next_attempt_at, created_at, updated_at)"
        " select tenant_id, gen_random_uuid(), owner_kind, owner_id, $1, $2, $3, 1, now(), now(), now() from deliveries"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(again, None, None, made.recipient)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(again, None, None, "")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(again, None, new_id(), made.recipient)
    await owner.execute(again, "room", UUID(int=1), made.recipient)


async def test_a_failure_that_passes_is_tried_again_under_the_same_key(
    context: JobContext, company: Company, owner: Any, letters: Letters, clock: FakeClock
) -> None:
    outlet = recording(context)
    outlet.trouble = [later()]
    made = await letters.write(context, company, "Ada")
    await send_deliveries(context, [letters.kind])
    assert letters.ended == []
    assert await stored(owner, made) == ("pending", 1, "temporary", 0)
    clock.advance(minutes=1)
    await send_deliveries(context, [letters.kind])
    assert outlet.keys == [str(made.id)]
    assert await outcomes(owner, made) == ["failed", "sent"]
