"""Deliveries of alerts: through the real channels, and to receivers that are removed or switched off meanwhile."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import trustme

from tests.alerts.make import (
    TODAY,
    Feature,
    a_member,
    a_receiver,
    a_vendor,
    an_alert,
    attempts,
    confirm_all,
    deliveries,
    expiry,
    recording,
    run_jobs,
    send,
    the_delivery,
)
from tests.conftest import Company, FakeClock
from tests.fakes.outlet import RecordingOutlet
from tests.fakes.smtp import SmtpFake, smtp_fake
from tests.outbox.make import Death, claimed, later
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.channels.outlets import outlets_from
from vendorrisk.channels.port import Address, Message, Sent
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import HttpFake, Received, Reply, http_fake
from vendorrisk.outbox import rules

pytestmark = pytest.mark.anyio

HOST = "hooks.example.com"


# Through the real channels


@dataclass
class Outside:
    web: HttpFake
    mail: SmtpFake


@asynccontextmanager
async def outside(context: JobContext) -> AsyncIterator[Outside]:
    """A TLS server for Slack and webhooks, an SMTP server, and the outlets of the settings that lead there."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(HOST).configure_cert(server)
    authority.configure_trust(client)
    async with dns_fake({(HOST, "A"): ["127.0.0.1"]}) as names, http_fake(tls=server) as web, smtp_fake() as mail:
        settings = msgspec.structs.replace(
            context.settings,
            egress_resolvers=f"127.0.0.1:{names.address[1]}",
            egress_test_networks="127.0.0.0/8",
            egress_test_ports=f"443={web.port}",
            smtp_url=f"smtp://127.0.0.1:{mail.port}?tls=never",
            mail_from="Vendor risk <risk@example.org>",
            slack_api_url=f"https://{HOST}/api/",
            public_url="https://risk.example.org",
        )
        await context.channels.aclose()
        context.settings, context.channels = settings, outlets_from(settings, context.clock, tls=client)
        yield Outside(web, mail)


async def test_one_alert_reaches_slack_mail_and_webhook_and_says_the_same(
    context: JobContext, company: Company, owner: Any
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
    await confirm_all(owner)
    vendor = await a_vendor(owner, company, business_owner_id=dana)
    await Feature(context, company).watch(expiry(vendor, TODAY + timedelta(days=30)))
    async with outside(context) as there:
        there.web.on("*", Reply(200, [], b'{"ok":true}'))
        await run_jobs(context)
        await run_jobs(context)
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
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    for name in ("good", "failing", "gone"):
        await a_receiver(company, name=name, target={"kind": "webhook", "url": f"https://{HOST}/{name}"})
    await an_alert(context, company, owner)
    async with outside(context) as there:
        there.web.on("/good", Reply(204))
        there.web.on("/failing", Reply(503, [("Retry-After", "600")]))
        there.web.on("/gone", Reply(410))
        await run_jobs(context)
        states = {d["state"]: d for d in await deliveries(company)}
        assert set(states) == {"sent", "pending", "dead"}
        assert states["dead"]["failure"] == "rejected"
        assert datetime.fromisoformat(states["pending"]["next_attempt_at"]) == clock() + timedelta(seconds=600)
        clock.advance(seconds=599)
        await run_jobs(context)
        assert len(there.web.requests) == 3
        there.web.on("/failing", Reply(204))
        clock.advance(seconds=2)
        await run_jobs(context)
    tries = [request.headers["webhook-id"] for request in there.web.requests if request.path == "/failing"]
    assert len(tries) == 2
    assert len(set(tries)) == 1, "a retry carries the same key"
    assert await attempts(company, states["pending"]) == [("failed", "temporary"), ("sent", None)]


async def test_a_receiver_that_leads_inside_is_never_reached(context: JobContext, company: Company, owner: Any) -> None:
    await a_receiver(company, target={"kind": "webhook", "url": "https://inside.example.com/x"})
    await an_alert(context, company, owner)
    async with dns_fake({("inside.example.com", "A"): ["10.0.0.5"]}) as names:
        settings = msgspec.structs.replace(context.settings, egress_resolvers=f"127.0.0.1:{names.address[1]}")
        context.channels = outlets_from(settings, context.clock)
        await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["failure"], delivery["detail"]) == ("dead", "address_refused", "address")


@pytest.mark.parametrize("end", ["abort", "close"])
async def test_a_webhook_over_tls_that_breaks_off_before_its_response_may_have_accepted_it(
    context: JobContext, company: Company, owner: Any, end: str
) -> None:
    async def breaks(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort() if end == "abort" else writer.close()

    await a_receiver(company, target={"kind": "webhook", "url": f"https://{HOST}/in"})
    await an_alert(context, company, owner)
    async with outside(context) as there:
        there.web.on("/in", breaks)
        await run_jobs(context)
        assert len(there.web.requests) == 1
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["failure"], delivery["possible_duplicates"]) == ("pending", "unreachable", 1)
    assert await attempts(company, delivery) == [("uncertain", "unreachable")]


async def test_an_address_that_no_longer_opens_is_tried_again_and_heals_with_a_new_one(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    made = await a_receiver(company, target={"kind": "slack_bot", "token": "xoxb-12345", "conversation": "C0123ABC"})
    await owner.execute("update receivers set address_sealed = 'VRS'")
    await an_alert(context, company, owner)
    await run_jobs(context)
    assert ((await the_delivery(company))["failure"], outlet.tries) == ("not_configured", 0)
    place = f"/v1/receivers/{made['id']}"
    await company.client.patch(
        place, {"target": {"kind": "slack_bot", "token": "xoxb-12345", "conversation": "C0456DEF"}}, etag='"1"'
    )
    clock.advance(minutes=1)
    await run_jobs(context)
    assert len(outlet.sent) == 1


# Receivers that went


@pytest.mark.parametrize("how", ["removed", "switched off"])
async def test_what_waits_for_a_receiver_that_went_is_cancelled(
    context: JobContext, company: Company, owner: Any, clock: FakeClock, how: str
) -> None:
    outlet = recording(context)
    made = await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    place = f"/v1/receivers/{made['id']}"
    if how == "removed":
        await company.client.delete(place, etag='"1"')
    else:
        await company.client.patch(place, {"is_active": False}, etag='"1"')
    await run_jobs(context)
    await an_alert(context, company, owner)
    clock.advance(days=1)
    await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], outlet.sent) == ("cancelled", [])
    refused = await company.client.post(f"/v1/deliveries/{delivery['id']}/resends", etag=f'"{delivery["version"]}"')
    assert (refused.status_code, refused.json()["code"]) == (409, "receiver_inactive")
    if how == "switched off":
        await company.client.patch(place, {"is_active": True}, etag='"2"')
        place = f"/v1/deliveries/{delivery['id']}"
        assert (await company.client.post(f"{place}/resends", etag=f'"{delivery["version"]}"')).status_code == 200
        await run_jobs(context)
        assert outlet.keys == [delivery["id"]]


@pytest.mark.parametrize("how", ["removed", "switched off"])
@pytest.mark.parametrize("end", ["asks to wait", "dies"])
async def test_what_was_under_way_to_a_receiver_that_went_meanwhile_is_not_sent_again(
    context: JobContext, company: Company, owner: Any, clock: FakeClock, how: str, end: str
) -> None:
    outlet = recording(context)
    made = await a_receiver(company)
    await an_alert(context, company, owner)
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    place = f"/v1/receivers/{made['id']}"

    class Leaving(RecordingOutlet):
        async def send(self, message: Message, to: Address, key: str) -> Sent:
            if how == "removed":
                await company.client.delete(place, etag='"1"')
            else:
                await company.client.patch(place, {"is_active": False}, etag='"1"')
            return await super().send(message, to, key)

        def before_response(self) -> None:
            raise Death

    context.channels = Leaving(trouble=[later()] if end == "asks to wait" else [])
    with pytest.raises(Death) if end == "dies" else contextlib.nullcontext():
        await send(context)
    context.channels = outlet
    clock.advance(days=1)
    await run_jobs(context)
    delivery = await the_delivery(company)
    assert (delivery["state"], delivery["next_attempt_at"], outlet.tries) == ("cancelled", None, 0)
    assert await attempts(company, delivery) == ([("uncertain", None)] if end == "dies" else [("failed", "temporary")])
    if how == "switched off":
        await company.client.patch(place, {"is_active": True}, etag='"2"')
        again = f"/v1/deliveries/{delivery['id']}"
        assert (await company.client.post(f"{again}/resends", etag=f'"{delivery["version"]}"')).status_code == 200
        await run_jobs(context)
        delivery = await the_delivery(company)
        assert (outlet.keys, delivery["possible_duplicates"]) == ([delivery["id"]], int(end == "dies"))


async def test_a_last_try_under_way_to_a_receiver_that_went_meanwhile_is_cancelled(
    context: JobContext, company: Company, clock: FakeClock
) -> None:
    outlet = recording(context)
    made = await a_receiver(company)
    assert (await company.client.post(f"/v1/receivers/{made['id']}/tests")).status_code == 202
    for _ in range(rules.TRIES):
        assert len(await claimed(context)) == 1
        clock.advance(seconds=91)
    assert (await company.client.delete(f"/v1/receivers/{made['id']}", etag='"1"')).status_code == 204
    clock.advance(seconds=91)
    await run_jobs(context)
    assert ((await the_delivery(company))["state"], outlet.sent) == ("cancelled", [])


async def test_every_job_does_nothing_the_second_time(context: JobContext, company: Company, owner: Any) -> None:
    outlet = recording(context)
    await a_receiver(company)
    await an_alert(context, company, owner)
    assert await run_jobs(context) == 3
    assert await run_jobs(context) == 0
    assert len(outlet.sent) == 1


async def test_another_tenants_deliveries_are_absent(
    context: JobContext, company: Company, other_company: Company, owner: Any
) -> None:
    recording(context)
    await a_receiver(company)
    await an_alert(context, company, owner)
    await run_jobs(context)
    delivery = await the_delivery(company)
    place = f"/v1/deliveries/{delivery['id']}"
    assert await deliveries(other_company) == []
    assert (await other_company.client.get(place)).status_code == 404
    assert (await other_company.client.get(f"{place}/attempts")).status_code == 404
    assert (await other_company.client.post(f"{place}/resends", etag='"1"')).status_code == 404
    alert = (await company.client.items("/v1/alerts"))[0]
    assert (await company.client.get(f"/v1/alerts/{alert['id']}")).json() == alert
    assert (await other_company.client.get(f"/v1/alerts/{alert['id']}")).status_code == 404
