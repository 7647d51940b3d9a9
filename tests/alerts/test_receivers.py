"""Receivers by route: what is accepted, what is shown, who is notified."""

import base64
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.alerts.make import TODAY, Feature, a_member, a_receiver, a_vendor, confirm_all, expiry, recording, run_jobs
from tests.conftest import Company
from vendorrisk.alerts.jobs import WITHOUT_RECIPIENTS, raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.channels.port import EmailAddress, SlackConversation, SlackWebhook, WebhookEndpoint

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TARGETS: dict[str, tuple[dict[str, str], str, object]] = {
    "slack_webhook": (
        {"kind": "slack_webhook", "url": "https://hooks.slack.com/services/T0/B0/canary"},
        "https://hooks.slack.com/…",
        SlackWebhook("https://hooks.slack.com/services/T0/B0/canary"),
    ),
    "slack_bot": (
        {"kind": "slack_bot", "token": "xoxb-canary-1", "conversation": "C0123ABC"},
        "C0123ABC",
        SlackConversation("xoxb-canary-1", "C0123ABC"),
    ),
    "email": ({"kind": "email", "address": "risk@Example.com"}, "risk@example.com", EmailAddress("risk@example.com")),
    "webhook": (
        {"kind": "webhook", "url": "https://in.example.com/api/canary/hook?t=canary", "secret": SECRET},
        "https://in.example.com/…",
        WebhookEndpoint("https://in.example.com/api/canary/hook?t=canary", SECRET),
    ),
}


@pytest.mark.parametrize("kind", TARGETS)
async def test_an_address_is_kept_sealed_shown_in_part_and_used_whole(
    context: JobContext, company: Company, owner: Any, kind: str
) -> None:
    outlet = recording(context)
    target, shown, address = TARGETS[kind]
    made = await a_receiver(company, target=target)
    assert (made["kind"], made["destination"]) == (kind, shown)
    sealed = await owner.fetchval("select address_sealed from receivers")
    assert b"canary" not in sealed
    everything = [
        (await company.client.get(f"/v1/receivers/{made['id']}")).text,
        (await company.client.get("/v1/receivers")).text,
        (await company.client.get("/v1/audit-entries")).text,
    ]
    assert not any("canary" in text or SECRET in text for text in everything)
    await confirm_all(owner)
    await company.client.post(f"/v1/receivers/{made['id']}/tests")
    await run_jobs(context)
    assert [to for _, to, _ in outlet.sent] == [address]


async def test_a_webhook_that_moves_keeps_the_secret_its_receiver_knows(company: Company, context: JobContext) -> None:
    outlet = recording(context)
    made = await a_receiver(company, target={"kind": "webhook", "url": "https://in.example.com/hook"})
    place = f"/v1/receivers/{made['id']}"
    for target, secret in (
        ({"url": "https://new.example.com/hook"}, made["secret"]),
        ({"url": "https://new.example.com/hook", "secret": SECRET}, SECRET),
        ({"url": "https://newer.example.com/hook"}, SECRET),
    ):
        body = {"target": {"kind": "webhook", **target}}
        moved = await company.client.patch(place, body, etag=await company.client.etag(place))
        assert moved.status_code == 200, moved.text
        assert moved.json()["destination"] == f"{target['url'].removesuffix('/hook')}/…", "the path may be the secret"
        await company.client.post(f"{place}/tests")
        await run_jobs(context)
        assert outlet.sent[-1][1] == WebhookEndpoint(target["url"], secret)


async def test_a_receiver_that_becomes_a_webhook_is_told_its_secret_by_whoever_changes_it(company: Company) -> None:
    made = await a_receiver(company, target={"kind": "email", "address": "risk@example.com"})
    place = f"/v1/receivers/{made['id']}"
    target = {"kind": "webhook", "url": "https://in.example.com/hook"}
    refused = await company.client.patch(place, {"target": target}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (422, "receiver_address_invalid"), refused.text
    assert refused.json()["errors"][0]["pointer"] == "/target/secret"
    assert (await company.client.get(place)).json()["kind"] == "email"
    taken = await company.client.patch(place, {"target": {**target, "secret": SECRET}}, etag='"1"')
    assert (taken.status_code, taken.json()["kind"]) == (200, "webhook"), taken.text


async def test_a_webhook_without_a_secret_gets_a_strong_one_shown_once(company: Company) -> None:
    made = await a_receiver(company, target={"kind": "webhook", "url": "https://in.example.com/hook"})
    assert len(base64.b64decode(made["secret"].removeprefix("whsec_"))) == 32
    assert made["secret"] not in (await company.client.get(f"/v1/receivers/{made['id']}")).text


@pytest.mark.parametrize(
    "target",
    [
        {"kind": "webhook", "url": "http://in.example.com/hook"},
        {"kind": "webhook", "url": "https://127.0.0.1/hook"},
        {"kind": "webhook", "url": "https://2130706433/hook"},
        {"kind": "webhook", "url": "https://[::1]/hook"},
        {"kind": "webhook", "url": "https://metadata.google.internal/"},
        {"kind": "webhook", "url": "https://in.example.com:8443/hook"},
        {"kind": "webhook", "url": "https://in.example.com:99999/hook"},
        {"kind": "webhook", "url": "https://user:word@in.example.com/"},
        {"kind": "webhook", "url": "https://in.example.com/a b"},
        {"kind": "webhook", "url": "https://in.example.com/\r\nx: y"},
        {"kind": "webhook", "url": "https://in.example.com\\@10.0.0.1/"},
        {"kind": "webhook", "url": "https://[x"},
        {"kind": "webhook", "url": "https://in.example.com/", "secret": "short"},
        {"kind": "slack_webhook", "url": "https://localhost/x"},
        {"kind": "slack_bot", "token": "xoxb-1\r\nX: y", "conversation": "C0123"},
        {"kind": "slack_bot", "token": "xoxb-12345", "conversation": "<!channel>"},
        {"kind": "email", "address": "risk@example.com\r\nBcc: x@y.z"},
        {"kind": "email", "address": "a@b@example.com"},
        {"kind": "email", "address": "not-an-address"},
        {"kind": "console", "url": "https://x.example.com"},
        {"kind": "pigeon"},
        {},
        "console",
    ],
)
async def test_a_target_we_could_never_reach_is_refused(company: Company, target: object) -> None:
    refused = await company.client.post("/v1/receivers", {"name": "R", "target": target})
    assert refused.status_code == 422, refused.text
    assert all(error["pointer"].startswith("/target") for error in refused.json()["errors"])
    assert await company.client.items("/v1/receivers") == []


async def test_a_name_is_taken_once_and_free_again_after_removal(company: Company) -> None:
    made = await a_receiver(company)
    twin = await company.client.post("/v1/receivers", {"name": "CONSOLE", "target": {"kind": "console"}})
    assert (twin.status_code, twin.json()["code"]) == (409, "receiver_name_taken")
    place = f"/v1/receivers/{made['id']}"
    assert (await company.client.delete(place, etag='"1"')).status_code == 204
    assert (await company.client.get(place)).status_code == 404
    assert (await company.client.post(f"{place}/tests")).status_code == 404
    await a_receiver(company)


async def test_a_change_keeps_the_address_unless_a_new_target_is_sent(
    context: JobContext, company: Company, owner: Any
) -> None:
    outlet = recording(context)
    made = await a_receiver(company, target=TARGETS["email"][0])
    await confirm_all(owner)
    place = f"/v1/receivers/{made['id']}"
    renamed = await company.client.patch(place, {"name": "Mail", "tiers": ["critical"]}, etag='"1"')
    assert (renamed.json()["destination"], renamed.json()["tiers"]) == ("risk@example.com", ["critical"])
    assert (await company.client.patch(place, {"name": "X"}, etag='"1"')).status_code == 412
    moved = await company.client.patch(place, {"target": TARGETS["slack_bot"][0], "tiers": None}, etag='"2"')
    assert (moved.json()["kind"], moved.json()["tiers"]) == ("slack_bot", None)
    await company.client.post(f"{place}/tests")
    await run_jobs(context)
    assert [to for _, to, _ in outlet.sent] == [TARGETS["slack_bot"][2]]


async def test_an_owner_who_is_no_member_is_refused(company: Company) -> None:
    refused = await company.client.post(
        "/v1/receivers", {"name": "R", "target": {"kind": "console"}, "owner_ids": [str(uuid4())]}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_unknown")


async def test_alerts_are_routed_by_class_tier_and_owner(context: JobContext, company: Company, owner: Any) -> None:
    outlet = recording(context)
    dana = await a_member(company, "Dana Reyes", "dana@example.com")
    omar = await a_member(company, "Omar Haddad", "omar@example.com")
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "critical": {"tiers": ["critical"]},
        "low": {"tiers": ["low", "medium"]},
        "gaps": {"classes": ["coverage_gap"]},
        "to-dana": {"owner_ids": [str(dana)]},
        "critical-dana": {"tiers": ["critical"], "owner_ids": [str(dana)]},
    }
    for name, chosen in filters.items():
        await a_receiver(company, name=name, target={"kind": "email", "address": f"{name}@example.com"}, **chosen)
    await a_receiver(company, name="owners", target={"kind": "owners"})
    await confirm_all(owner)
    critical = await a_vendor(owner, company, "C", tier="critical", security_owner_id=dana, business_owner_id=omar)
    untiered = await a_vendor(owner, company, "U", business_owner_id=dana, security_owner_id=dana)
    feature = Feature(context, company)

    async def notified() -> list[str]:
        await run_jobs(context)
        names = sorted(to.address.partition("@")[0] for _, to, _ in outlet.sent if isinstance(to, EmailAddress))
        outlet.sent.clear()
        return names

    # "to-dana" filters by owner; "dana" and "omar" are the owners themselves.
    await feature.watch(expiry(critical, TODAY))
    assert await notified() == ["all", "critical", "critical-dana", "dana", "omar", "to-dana"]
    await feature.watch(expiry(untiered, TODAY))
    as_critical = ["all", "critical", "critical-dana", "dana", "to-dana"]
    assert await notified() == as_critical, "a tier that is not known counts as critical, as it does for thresholds"
    await feature.raise_gap(untiered)
    assert await notified() == sorted([*as_critical, "gaps"])


async def test_what_is_of_no_vendor_is_sent_to_no_receiver_that_asks_for_tiers(
    context: JobContext, company: Company
) -> None:
    outlet = recording(context)
    await a_receiver(company, name="all")
    await a_receiver(company, name="tiers", tiers=["critical", "high", "medium", "low"])
    await Feature(context, company).raise_gap(None)
    await run_jobs(context)
    assert len(outlet.sent) == 1


async def test_an_alert_that_no_receiver_lets_pass_says_so_and_is_counted(
    context: JobContext, company: Company, owner: Any
) -> None:
    recording(context)
    await a_receiver(company, name="low", tiers=["low"])
    high, low = [await a_vendor(owner, company, tier, tier=tier) for tier in ("high", "low")]
    await Feature(context, company).watch(expiry(high, TODAY), expiry(low, TODAY))
    before = WITHOUT_RECIPIENTS._value.get()
    await raise_due_alerts(context)
    raised = await company.client.items("/v1/alerts")
    assert [alert["has_recipients"] for alert in raised] == [None, None], "receivers were not looked for yet"
    await run_jobs(context)
    (unheard,) = await company.client.items("/v1/alerts", filter="has_recipients:eq:false")
    assert unheard["vendor_id"] == str(high)
    assert (await company.client.get(f"/v1/alerts/{unheard['id']}")).json()["has_recipients"] is False
    (notified,) = await company.client.items("/v1/alerts", filter="has_recipients:eq:true")
    assert notified["vendor_id"] == str(low)
    assert WITHOUT_RECIPIENTS._value.get() - before == 1
    await run_jobs(context)
    assert WITHOUT_RECIPIENTS._value.get() - before == 1


async def test_an_owner_who_left_is_not_notified(context: JobContext, company: Company, owner: Any) -> None:
    outlet = recording(context)
    dana = await a_member(company, "Dana Reyes", "dana@example.com")
    await a_receiver(company, name="owners", target={"kind": "owners"})
    vendor = await a_vendor(owner, company, business_owner_id=dana)
    await company.client.patch(f"/v1/members/{dana}", {"is_active": False}, etag='"1"')
    await Feature(context, company).watch(expiry(vendor, TODAY))
    await run_jobs(context)
    assert outlet.sent == []
    (alert,) = await company.client.items("/v1/alerts")
    assert alert["dispatched_at"] is not None


async def test_a_test_message_goes_to_that_receiver_only(context: JobContext, company: Company) -> None:
    outlet = recording(context)
    first = await a_receiver(company)
    await a_receiver(company, name="Second")
    asked = await company.client.post(f"/v1/receivers/{first['id']}/tests")
    assert (asked.status_code, asked.json()["state"]) == (202, "pending")
    await run_jobs(context)
    assert [message.title for _, _, message in outlet.sent] == ["Test message from vendor risk"]
    delivery = (await company.client.get(f"/v1/deliveries/{asked.json()['id']}")).json()
    assert (delivery["state"], delivery["receiver_id"], delivery["detail"]) == ("sent", first["id"], "recorded")


async def test_what_cannot_be_tested_says_why(company: Company) -> None:
    owners = await a_receiver(company, name="owners", target={"kind": "owners"})
    off = await a_receiver(company)
    await company.client.patch(f"/v1/receivers/{off['id']}", {"is_active": False}, etag='"1"')
    for made, code in ((owners, "receiver_without_address"), (off, "receiver_inactive")):
        refused = await company.client.post(f"/v1/receivers/{made['id']}/tests")
        assert (refused.status_code, refused.json()["code"]) == (409, code)


async def test_a_write_leaves_one_entry_and_a_refused_one_none(company: Company) -> None:
    before = len(await company.client.items("/v1/audit-entries"))
    made = await a_receiver(company)
    place = f"/v1/receivers/{made['id']}"
    await company.client.post("/v1/receivers", {"name": "Console", "target": {"kind": "console"}})
    await company.client.post(f"{place}/tests")
    await company.client.patch(place, {"name": "C"}, etag='"1"')
    await company.client.delete(place, etag='"2"')
    entries = await company.client.items("/v1/audit-entries")
    assert [entry["action"] for entry in entries[: len(entries) - before]] == [
        "receiver:removed",
        "receiver:changed",
        "receiver:tested",
        "receiver:added",
    ]


async def test_another_tenants_receiver_is_absent(
    context: JobContext, company: Company, other_company: Company, owner: Any
) -> None:
    outlet = recording(context)
    made = await a_receiver(company)
    place = f"/v1/receivers/{made['id']}"
    client = other_company.client
    assert (await client.get(place)).status_code == 404
    assert (await client.patch(place, {"name": "X"}, etag='"1"')).status_code == 404
    assert (await client.delete(place, etag='"1"')).status_code == 404
    assert (await client.post(f"{place}/tests")).status_code == 404
    await Feature(context, other_company).watch(expiry(await a_vendor(owner, other_company), TODAY + timedelta(days=1)))
    await run_jobs(context)
    assert outlet.sent == []
