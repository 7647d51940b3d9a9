"""Deliveries: real channels, failures, death in the middle, and what is never doubled or lost."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import msgspec
import pytest
import trustme

from tests.alerts.make import TODAY, Feature, a_member, a_receiver, a_vendor, expiry, recording, run_jobs
from tests.conftest import Company, FakeClock
from tests.fakes.outlet import RecordingOutlet
from tests.fakes.smtp import SmtpFake, smtp_fake
from vendorrisk.alerts import queries, rules
from vendorrisk.alerts.jobs import deliver_alerts, dispatch_alerts, raise_due_alerts
from vendorrisk.background import World
from vendorrisk.channels.outlets import outlets_from
from vendorrisk.channels.port import Address, Failure, Message, Sent, Undeliverable
from vendorrisk.ids import new_id
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import HttpFake, Received, Reply, http_fake

pytestmark = pytest.mark.anyio

HOST = "hooks.example.com"


def later(**more: Any) -> Undeliverable:
    return Undeliverable(Failure.TEMPORARY, "503", retryable=True, **more)


async def an_alert(world: World, company: Company, owner: Any) -> UUID:
    """Raise one alert for a vendor of its own; returns the vendor."""
    vendor = await a_vendor(owner, company, f"Vendor {new_id()}")
    await Feature(world, company).watch(expiry(vendor, TODAY + timedelta(days=30)))
    return vendor


async def deliveries(company: Company, **params: Any) -> list[dict[str, Any]]:
    return await company.client.items("/v1/deliveries", **params)


async def the_delivery(company: Company) -> dict[str, Any]:
    (one,) = await deliveries(company)
    return one


async def attempts(company: Company, delivery: dict[str, Any]) -> list[tuple[str, str | None]]:
    made = await company.client.items(f"/v1/deliveries/{delivery['id']}/attempts")
    return [(attempt["outcome"], attempt["failure"]) for attempt in made]


# Through the real channels


@dataclass
class Outside:
    web: HttpFake
    mail: SmtpFake


@asynccontextmanager
async def outside(world: World) -> AsyncIterator[Outside]:
    """A TLS server for Slack and webhooks, an SMTP server, and the outlets of the settings that lead there."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(HOST).configure_cert(server)
    authority.configure_trust(client)
    async with dns_fake({(HOST, "A"): ["127.0.0.1"]}) as names, http_fake(tls=server) as web, smtp_fake() as mail:
        settings = msgspec.structs.replace(
            world.settings,
            egress_resolvers=f"127.0.0.1:{names.address[1]}",
            egress_test_networks="127.0.0.0/8",
            egress_test_ports=f"443={web.port}",
            smtp_url=f"smtp://127.0.0.1:{mail.port}?tls=never",
            mail_from="Vendor risk <risk@example.org>",
            slack_api_url=f"https://{HOST}/api/",
            public_url="https://risk.example.org",
        )
        await world.channels.aclose()
        world.settings, world.channels = settings, outlets_from(settings, world.clock, tls=client)
        yield Outside(web, mail)


async def test_one_alert_reaches_slack_mail_and_webhook_and_says_the_same(
    world: World, company: Company, owner: Any
) -> None:
    dana = await a_member(company, "Dana Reyes", "dana@example.org")
    targets: dict[str, dict[str, str]] = {
        "hook": {"kind": "slack_webhook", "url": f"https://{HOST}/services/T/B/x"},
        "bot": {"kind": "slack_bot", "token": "xoxb-1234-5", "conversation": "C0123"},
        "webhook": {"kind": "webhook", "url": f"https://{HOST}/in"},
        "mail": {"kind": "email", "address": "risk@example.org"},
        "owners": {"kind": "owners"},
    }
    for name, target in targets.items():
        await a_receiver(company, name=name, target=target)
    vendor = await a_vendor(owner, company, business_owner_id=dana)
    await Feature(world, company).watch(expiry(vendor, TODAY + timedelta(days=30)))
    async with outside(world) as there:
        there.web.on("*", Reply(200, [], b'{"ok":true}'))
        await run_jobs(world)
        await run_jobs(world)
    posted = {request.path: json.loads(request.body) for request in there.web.requests}
    assert set(posted) == {"/services/T/B/x", "/api/chat.postMessage", "/in"}
    assert len(there.web.requests) == 3
    for path in ("/services/T/B/x", "/api/chat.postMessage"):
        assert "expires in 30 days" in posted[path]["text"]
    assert posted["/in"]["data"]["vendor"]["name"] == "Example Analytics"
    assert sorted(mail["To"] for mail in there.mail.messages) == ["dana@example.org", "risk@example.org"]
    made = {delivery["id"]: delivery for delivery in await deliveries(company)}
    assert {delivery["state"] for delivery in made.values()} == {"sent"}
    webhook = next(request for request in there.web.requests if request.path == "/in")
    carried = {mail["Message-ID"].strip("<>").partition("@")[0] for mail in there.mail.messages}
    assert carried | {webhook.headers["webhook-id"]} <= set(made), "the key is the delivery's id"


async def test_a_slow_and_a_failing_receiver_do_not_hold_up_the_others(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    for name in ("good", "failing", "gone"):
        await a_receiver(company, name=name, target={"kind": "webhook", "url": f"https://{HOST}/{name}"})
    await an_alert(world, company, owner)
    async with outside(world) as there:
        there.web.on("/good", Reply(204))
        there.web.on("/failing", Reply(503, [("Retry-After", "600")]))
        there.web.on("/gone", Reply(410))
        await run_jobs(world)
        states = {d["state"]: d for d in await deliveries(company)}
        assert set(states) == {"sent", "pending", "dead"}
        assert states["dead"]["failure"] == "rejected"
        assert datetime.fromisoformat(states["pending"]["next_attempt_at"]) == clock() + timedelta(seconds=600)
        clock.advance(seconds=599)
        await run_jobs(world)
        assert len(there.web.requests) == 3
        there.web.on("/failing", Reply(204))
        clock.advance(seconds=2)
        await run_jobs(world)
    tries = [request.headers["webhook-id"] for request in there.web.requests if request.path == "/failing"]
    assert len(tries) == 2
    assert len(set(tries)) == 1, "a retry carries the same key"
    assert await attempts(company, states["pending"]) == [("failed", "temporary"), ("sent", None)]


async def test_a_receiver_that_leads_inside_is_never_reached(world: World, company: Company, owner: Any) -> None:
    await a_receiver(company, target={"kind": "webhook", "url": "https://inside.example.com/x"})
    await an_alert(world, company, owner)
    async with dns_fake({("inside.example.com", "A"): ["10.0.0.5"]}) as names:
        settings = msgspec.structs.replace(world.settings, egress_resolvers=f"127.0.0.1:{names.address[1]}")
        world.channels = outlets_from(settings, world.clock)
        await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["failure"], delivery["detail"]) == ("dead", "address_refused", "address")


# Trying again, and giving up


async def test_tries_are_further_and_further_apart_then_end_in_a_dead_letter_that_can_be_resent(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    outlet.trouble = [later() for _ in range(rules.TRIES)]
    await a_receiver(company)
    await an_alert(world, company, owner)
    waits = []
    for _ in range(rules.TRIES):
        await run_jobs(world)
        delivery = await the_delivery(company)
        if delivery["next_attempt_at"] is None:
            break
        waits.append((datetime.fromisoformat(delivery["next_attempt_at"]) - clock()).total_seconds())
        clock.now = datetime.fromisoformat(delivery["next_attempt_at"])
    assert (outlet.tries, outlet.sent) == (rules.TRIES, [])
    doubling = [after / before for before, after in pairwise(waits) if after < 6 * 3600 * 0.8]
    assert len(doubling) > 7
    assert all(1.9 < factor < 2.1 for factor in doubling)
    assert max(waits) <= 6 * 3600 * 1.2
    assert (delivery["state"], delivery["attempts"]) == ("dead", rules.TRIES)
    clock.advance(days=1)
    assert await deliver_alerts(world) == 0
    place = f"/v1/deliveries/{delivery['id']}"
    assert [d["id"] for d in await deliveries(company, filter="state:eq:dead")] == [delivery["id"]]
    assert (await company.client.post(f"{place}/resend")).status_code == 428
    resent = await company.client.post(f"{place}/resend", etag=await company.client.etag(place))
    assert resent.json()["state"] == "pending"
    await deliver_alerts(world)
    assert outlet.keys == [delivery["id"]]
    again = await company.client.post(f"{place}/resend", etag=await company.client.etag(place))
    assert (again.status_code, again.json()["code"]) == (409, "delivery_not_ended")
    assert len(await attempts(company, delivery)) == rules.TRIES + 1


async def test_a_receiver_that_cannot_be_reached_is_left_alone_for_a_while(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    await a_receiver(company)
    vendor = await a_vendor(owner, company)
    await Feature(world, company).watch(*(expiry(vendor, TODAY) for _ in range(200)))
    outlet.trouble = [Undeliverable(Failure.UNREACHABLE, "away", retryable=True) for _ in range(1000)]
    await run_jobs(world)
    assert outlet.tries < 100, "what was in flight found it away; the rest waits"
    outlet.trouble.clear()
    clock.advance(minutes=11)
    while await run_jobs(world):
        pass
    assert len(set(outlet.keys)) == len(outlet.keys) == 200


async def test_an_address_that_no_longer_opens_is_tried_again_and_heals_with_a_new_one(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    made = await a_receiver(company, target={"kind": "email", "address": "a@example.org"})
    await owner.execute("update receivers set address_sealed = 'VRS'")
    await an_alert(world, company, owner)
    await run_jobs(world)
    assert ((await the_delivery(company))["failure"], outlet.tries) == ("not_configured", 0)
    place = f"/v1/receivers/{made['id']}"
    await company.client.patch(place, {"target": {"kind": "email", "address": "b@example.org"}}, etag='"1"')
    clock.advance(minutes=1)
    await run_jobs(world)
    assert len(outlet.sent) == 1


async def test_a_fault_of_ours_stops_nobody_elses_message(world: World, company: Company, owner: Any) -> None:
    class Broken(RecordingOutlet):
        async def send(self, message: Message, to: Address, key: str) -> Sent:
            if "Broken" in message.title:
                raise RuntimeError("a bug")
            return await super().send(message, to, key)

    recording(world)
    world.channels = outlet = Broken()
    await a_receiver(company)
    feature = Feature(world, company)
    for name in ("Fine", "Broken", "Well"):
        await feature.watch(expiry(await a_vendor(owner, company, name), TODAY))
    await run_jobs(world)
    assert len(outlet.sent) == 2
    (broken,) = await deliveries(company, filter="state:eq:pending")
    assert (broken["failure"], broken["detail"]) == ("temporary", "RuntimeError")


@pytest.mark.parametrize("how", ["removed", "switched off"])
async def test_what_waits_for_a_receiver_that_went_is_cancelled(
    world: World, company: Company, owner: Any, clock: FakeClock, how: str
) -> None:
    outlet = recording(world)
    made = await a_receiver(company)
    await an_alert(world, company, owner)
    await raise_due_alerts(world)
    await dispatch_alerts(world)
    place = f"/v1/receivers/{made['id']}"
    if how == "removed":
        await company.client.delete(place, etag='"1"')
    else:
        await company.client.patch(place, {"is_active": False}, etag='"1"')
    await run_jobs(world)
    await an_alert(world, company, owner)
    clock.advance(days=1)
    await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], outlet.sent) == ("cancelled", [])
    refused = await company.client.post(f"/v1/deliveries/{delivery['id']}/resend", etag=f'"{delivery["version"]}"')
    assert (refused.status_code, refused.json()["code"]) == (409, "receiver_inactive")
    if how == "switched off":
        await company.client.patch(place, {"is_active": True}, etag='"2"')
        place = f"/v1/deliveries/{delivery['id']}"
        assert (await company.client.post(f"{place}/resend", etag=f'"{delivery["version"]}"')).status_code == 200
        await run_jobs(world)
        assert outlet.keys == [delivery["id"]]


@pytest.mark.parametrize("how", ["removed", "switched off"])
@pytest.mark.parametrize("end", ["asks to wait", "dies"])
async def test_what_was_under_way_to_a_receiver_that_went_meanwhile_is_not_sent_again(
    world: World, company: Company, owner: Any, clock: FakeClock, how: str, end: str
) -> None:
    outlet = recording(world)
    made = await a_receiver(company)
    await an_alert(world, company, owner)
    await raise_due_alerts(world)
    await dispatch_alerts(world)
    place = f"/v1/receivers/{made['id']}"

    class Leaving(RecordingOutlet):
        async def send(self, message: Message, to: Address, key: str) -> Sent:
            if how == "removed":
                await company.client.delete(place, etag='"1"')
            else:
                await company.client.patch(place, {"is_active": False}, etag='"1"')
            return await super().send(message, to, key)

        def before_answer(self) -> None:
            raise Death

    world.channels = Leaving(trouble=[later()] if end == "asks to wait" else [])
    with pytest.raises(Death) if end == "dies" else contextlib.nullcontext():
        await deliver_alerts(world)
    world.channels = outlet
    clock.advance(days=1)
    await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["next_attempt_at"], outlet.tries) == ("cancelled", None, 0)
    assert await attempts(company, delivery) == ([("uncertain", None)] if end == "dies" else [("failed", "temporary")])
    if how == "switched off":
        await company.client.patch(place, {"is_active": True}, etag='"2"')
        again = f"/v1/deliveries/{delivery['id']}"
        assert (await company.client.post(f"{again}/resend", etag=f'"{delivery["version"]}"')).status_code == 200
        await run_jobs(world)
        delivery = await the_delivery(company)
        assert (outlet.keys, delivery["possibly_doubled"]) == ([delivery["id"]], int(end == "dies"))


async def test_a_connection_that_breaks_before_the_answer_is_counted_as_a_possible_double(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    outlet.breaks = True
    await a_receiver(company)
    await an_alert(world, company, owner)
    await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["possibly_doubled"]) == ("pending", 1)
    outlet.breaks = False
    clock.advance(minutes=11)
    await run_jobs(world)
    assert outlet.keys == [delivery["id"]] * 2
    assert await attempts(company, delivery) == [("uncertain", "unreachable"), ("sent", None)]


@pytest.mark.parametrize("end", ["abort", "close"])
async def test_a_webhook_over_tls_that_breaks_off_before_its_answer_may_have_taken_it(
    world: World, company: Company, owner: Any, end: str
) -> None:
    async def breaks(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort() if end == "abort" else writer.close()

    await a_receiver(company, target={"kind": "webhook", "url": f"https://{HOST}/in"})
    await an_alert(world, company, owner)
    async with outside(world) as there:
        there.web.on("/in", breaks)
        await run_jobs(world)
        assert len(there.web.requests) == 1
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["failure"], delivery["possibly_doubled"]) == ("pending", "unreachable", 1)
    assert await attempts(company, delivery) == [("uncertain", "unreachable")]


async def test_a_dead_letter_whose_last_try_may_have_arrived_says_so_when_it_is_resent(
    world: World, company: Company, owner: Any
) -> None:
    outlet = recording(world)
    made = await a_receiver(company)
    outlet.trouble = [Undeliverable(Failure.TIMEOUT, "no answer in time", retryable=True)]
    tested = (await company.client.post(f"/v1/receivers/{made['id']}/test")).json()
    await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["id"], delivery["state"], delivery["possibly_doubled"]) == (tested["id"], "dead", 0)
    place = f"/v1/deliveries/{delivery['id']}"
    resent = await company.client.post(f"{place}/resend", etag=f'"{delivery["version"]}"')
    assert resent.json()["possibly_doubled"] == 1
    await run_jobs(world)
    assert ((await the_delivery(company))["state"], outlet.keys) == ("sent", [delivery["id"]])


# Death in the middle


class Death(BaseException):
    """The process is gone: nothing after this line runs, not even an `except Exception`."""


async def test_a_sender_that_dies_before_recording_leaves_an_uncertain_try_and_the_next_has_the_same_key(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    class Mortal(RecordingOutlet):
        def before_answer(self) -> None:
            if len(self.sent) == 1:
                raise Death

    recording(world)
    world.channels = outlet = Mortal()
    await a_receiver(company)
    await an_alert(world, company, owner)
    await raise_due_alerts(world)
    await dispatch_alerts(world)
    with pytest.raises(Death):
        await deliver_alerts(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], await attempts(company, delivery)) == ("sending", [("sending", None)])
    clock.advance(seconds=60)
    assert await deliver_alerts(world) == 0, "the lease still holds"
    clock.advance(seconds=60)
    assert await deliver_alerts(world) == 1
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["possibly_doubled"]) == ("sent", 1)
    assert await attempts(company, delivery) == [("uncertain", None), ("sent", None)]
    assert outlet.keys == [delivery["id"]] * 2, "doubled inside the window only, and under one key"


async def test_a_message_whose_sending_kills_its_sender_is_dead_after_the_tries_allowed_and_can_be_resent(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    class Deadly(RecordingOutlet):
        def before_answer(self) -> None:
            raise Death

    recording(world)
    world.channels = outlet = Deadly()
    await a_receiver(company)
    await an_alert(world, company, owner)
    await raise_due_alerts(world)
    await dispatch_alerts(world)
    for _ in range(rules.TRIES):
        with pytest.raises(Death):
            await deliver_alerts(world)
        clock.advance(seconds=91)
    assert await deliver_alerts(world) == 1, "given up, which kills nobody"
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["attempts"], delivery["failure"]) == ("dead", rules.TRIES, "timeout")
    assert await attempts(company, delivery) == [("uncertain", None)] * rules.TRIES
    clock.advance(days=1)
    assert await deliver_alerts(world) == 0
    assert len(outlet.sent) == rules.TRIES
    world.channels = sound = RecordingOutlet()
    again = await company.client.post(f"/v1/deliveries/{delivery['id']}/resend", etag=f'"{delivery["version"]}"')
    assert (again.status_code, again.json()["state"]) == (200, "pending")
    await run_jobs(world)
    assert ((await the_delivery(company))["state"], sound.keys) == ("sent", [delivery["id"]])


async def test_a_last_try_under_way_to_a_receiver_that_went_meanwhile_is_cancelled(
    world: World, company: Company, clock: FakeClock
) -> None:
    outlet = recording(world)
    made = await a_receiver(company)
    assert (await company.client.post(f"/v1/receivers/{made['id']}/test")).status_code == 202
    for _ in range(rules.TRIES):
        async with world.database.system() as connection:
            await queries.claim(connection, clock(), 10, new_id(), clock() + timedelta(seconds=90), rules.TRIES)
        clock.advance(seconds=91)
    assert (await company.client.delete(f"/v1/receivers/{made['id']}", etag='"1"')).status_code == 204
    clock.advance(seconds=91)
    await run_jobs(world)
    assert ((await the_delivery(company))["state"], outlet.sent) == ("cancelled", [])


async def test_a_sender_that_dies_before_sending_loses_nothing(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    await a_receiver(company)
    await an_alert(world, company, owner)
    await raise_due_alerts(world)
    await dispatch_alerts(world)
    async with world.database.system() as connection:
        claimed = await queries.claim(connection, clock(), 10, new_id(), clock() + timedelta(seconds=90), rules.TRIES)
    assert len(claimed) == 1
    clock.advance(seconds=91)
    await run_jobs(world)
    assert outlet.keys == [str(claimed[0].id)]


async def test_one_who_lost_the_lease_records_nothing(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    await a_receiver(company)
    await an_alert(world, company, owner)
    await raise_due_alerts(world)
    await dispatch_alerts(world)
    token = new_id()
    async with world.database.system() as connection:
        (claimed,) = await queries.claim(connection, clock(), 10, token, clock() + timedelta(seconds=90), rules.TRIES)
    clock.advance(seconds=91)
    await run_jobs(world)
    before = await the_delivery(company)
    late = rules.not_sent(claimed, token, Undeliverable(Failure.REJECTED, "no", retryable=False), clock())
    async with world.database.system() as connection:
        assert await queries.record(connection, clock(), [late]) == 0
    assert await the_delivery(company) == before
    assert (before["state"], len(outlet.sent)) == ("sent", 1)


async def test_no_answer_in_time_counts_as_perhaps_taken(
    world: World, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(world)
    outlet.trouble = [Undeliverable(Failure.TIMEOUT, "no answer in time", retryable=True)]
    await a_receiver(company)
    await an_alert(world, company, owner)
    await run_jobs(world)
    clock.advance(minutes=1)
    await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["possibly_doubled"]) == ("sent", 1)
    assert await attempts(company, delivery) == [("uncertain", "timeout"), ("sent", None)]


async def test_no_transaction_is_open_while_a_message_is_under_way(world: World, company: Company, owner: Any) -> None:
    open_transactions: list[int] = []

    class Watching(RecordingOutlet):
        async def send(self, message: Message, to: Address, key: str) -> Sent:
            await asyncio.sleep(0.05)
            open_transactions.append(
                await owner.fetchval(
                    "select count(*) from pg_stat_activity"
                    " where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()"
                )
            )
            return await super().send(message, to, key)

    recording(world)
    world.channels = outlet = Watching()
    await a_receiver(company)
    await an_alert(world, company, owner)
    await run_jobs(world)
    assert (len(outlet.sent), open_transactions) == (1, [0])


async def test_many_workers_send_each_message_once(world: World, company: Company, owner: Any) -> None:
    outlet = recording(world)
    await a_receiver(company)
    vendor = await a_vendor(owner, company)
    await Feature(world, company).watch(*(expiry(vendor, TODAY) for _ in range(700)))

    async def worker() -> None:
        for _ in range(6):
            await run_jobs(world)
            await asyncio.sleep(0)

    await asyncio.gather(*(worker() for _ in range(3)))
    while await run_jobs(world):
        pass
    assert len(outlet.keys) == len(set(outlet.keys)) == 700
    assert {d["state"] for d in await deliveries(company, limit=200)} == {"sent"}


async def test_every_job_does_nothing_the_second_time(world: World, company: Company, owner: Any) -> None:
    outlet = recording(world)
    await a_receiver(company)
    await an_alert(world, company, owner)
    assert await run_jobs(world) == 3
    assert await run_jobs(world) == 0
    assert len(outlet.sent) == 1


async def test_words_of_a_stranger_that_postgres_cannot_hold_are_recorded_in_part(
    world: World, company: Company, owner: Any
) -> None:
    outlet = recording(world)
    outlet.trouble = [Undeliverable(Failure.REJECTED, "no\0 \ud800" + "x" * 9000, retryable=False)]
    await a_receiver(company)
    await an_alert(world, company, owner)
    await run_jobs(world)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["detail"][:5], len(delivery["detail"])) == ("dead", "no  ?", 500)


async def test_another_tenants_deliveries_are_absent(
    world: World, company: Company, other_company: Company, owner: Any
) -> None:
    recording(world)
    await a_receiver(company)
    await an_alert(world, company, owner)
    await run_jobs(world)
    delivery = await the_delivery(company)
    place = f"/v1/deliveries/{delivery['id']}"
    assert await deliveries(other_company) == []
    assert (await other_company.client.get(place)).status_code == 404
    assert (await other_company.client.get(f"{place}/attempts")).status_code == 404
    assert (await other_company.client.post(f"{place}/resend", etag='"1"')).status_code == 404
    alert = (await company.client.items("/v1/alerts"))[0]
    assert (await company.client.get(f"/v1/alerts/{alert['id']}")).json() == alert
    assert (await other_company.client.get(f"/v1/alerts/{alert['id']}")).status_code == 404


def test_the_back_off_is_never_shorter_than_the_receiver_asks() -> None:
    for tries in range(1, 40):
        assert rules.wait_seconds(new_id(), tries, 5000) >= 5000
        assert 24 <= rules.wait_seconds(new_id(), tries, None) <= 6 * 3600 * 1.2
