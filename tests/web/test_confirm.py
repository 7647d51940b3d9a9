"""The owner of an e-mail address confirms it by a page without script, before alerts are sent there."""

import logging
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.alerts.make import a_receiver, an_alert, deliveries, recording, run_jobs
from tests.conftest import Company, FakeClock, client_of, found_company
from tests.fakes.outlet import RecordingOutlet
from vendorrisk.alerts.confirmations import LASTS
from vendorrisk.alerts.receiver_model import Limits
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.channels.port import EmailAddress

pytestmark = pytest.mark.anyio

MAIL = {"kind": "email", "address": "risk@example.com"}
_HREF = re.compile(r'href="([^"]+)"')


@pytest.fixture
def browser(api: Api) -> httpx.AsyncClient:
    """A browser that is not signed in and runs no script."""
    return client_of(api, None).http


async def link(context: JobContext, outlet: RecordingOutlet) -> str:
    """Send what is due; returns the path of the last mail's link."""
    await run_jobs(context)
    _, to, message = outlet.sent[-1]
    assert to == EmailAddress("risk@example.com")
    assert message.link.startswith(context.settings.public_url)
    return message.link.removeprefix(context.settings.public_url)


async def test_get_changes_nothing_post_confirms_once_and_alerts_follow(
    api: Api, context: JobContext, company: Company, owner: Any, browser: httpx.AsyncClient
) -> None:
    outlet = recording(context)
    made = await a_receiver(company, target=MAIL)
    assert made["confirmed_at"] is None
    await an_alert(context, company, owner)
    place = await link(context, outlet)
    assert len(outlet.sent) == 1, "the confirmation and no alert"
    assert await deliveries(company) == []
    for _ in range(2):
        shown = await browser.get(place)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "Acme wants to send alerts about its vendors to risk@example.com." in shown.text
    here = f"/v1/receivers/{made['id']}"
    assert (await company.client.get(here)).json()["confirmed_at"] is None
    done = await browser.post(place, headers={"content-type": "application/x-www-form-urlencoded"})
    assert (done.status_code, "The address is confirmed" in done.text) == (200, True), done.text
    assert (await company.client.get(here)).json()["confirmed_at"] is not None
    for again in (await browser.post(place), await browser.get(place)):
        assert (again.status_code, "This link has ended" in again.text) == (410, True)
        assert "risk@example.com" not in again.text
    await an_alert(context, company, owner)
    await run_jobs(context)
    assert [message.kind for _, _, message in outlet.sent] == ["receiver.confirmation", "alert.evidence_expiring"]
    entries = await company.client.items("/v1/audit-entries")
    (entry,) = [e for e in entries if e["action"] == "receiver:confirmed"]
    assert (entry["actor_kind"], entry["target_id"]) == ("system", made["id"])


async def test_the_pages_allow_no_script_no_frame_and_no_other_host(
    context: JobContext, company: Company, browser: httpx.AsyncClient
) -> None:
    outlet = recording(context)
    await a_receiver(company, target=MAIL)
    place = await link(context, outlet)
    for page in (await browser.get(place), await browser.get("/confirm/nothing")):
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text


async def test_a_tenants_name_cannot_write_into_the_page(
    api: Api, context: JobContext, clock: FakeClock, browser: httpx.AsyncClient
) -> None:
    outlet = recording(context)
    evil = await found_company(api, clock, "<script>x</script>{address}")
    await a_receiver(evil, target=MAIL)
    shown = await browser.get(await link(context, outlet))
    assert "&lt;script&gt;x&lt;/script&gt;{address} wants" in shown.text
    assert "<script>" not in shown.text


@pytest.mark.parametrize("token", ["x", "a" * 107, "%2e%2e", "A" * 107, "ä", "a" * 4000])
async def test_an_invented_link_is_not_known_and_never_reaches_the_database(
    api: Api, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    def tenant(*_of: Any) -> Any:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(api.service.database, "tenant", tenant)
    for page in (await browser.get(f"/confirm/{token}"), await browser.post(f"/confirm/{token}")):
        assert page.status_code == 404, page.text


async def test_a_link_ends_with_time_with_a_later_one_with_another_address_and_with_its_receiver(
    context: JobContext, company: Company, clock: FakeClock, browser: httpx.AsyncClient
) -> None:
    outlet = recording(context)
    made = await a_receiver(company, target=MAIL)
    here = f"/v1/receivers/{made['id']}"
    first = await link(context, outlet)
    again = await company.client.post(f"{here}/confirmations")
    assert (again.status_code, again.json()["confirmed_at"]) == (202, None), again.text
    second = await link(context, outlet)
    assert [(await browser.get(place)).status_code for place in (first, second)] == [410, 200]
    clock.advance(seconds=LASTS.total_seconds())
    assert (await browser.post(second)).status_code == 410
    await company.client.post(f"{here}/confirmations")
    third = await link(context, outlet)
    other = {**MAIL, "address": "other@example.com"}
    await company.client.patch(here, {"target": other}, etag=await company.client.etag(here))
    assert (await browser.post(third)).status_code == 410
    await run_jobs(context)
    _, to, message = outlet.sent[-1]
    assert to == EmailAddress("other@example.com")
    await company.client.delete(here, etag=await company.client.etag(here))
    assert (await browser.post(message.link.removeprefix(context.settings.public_url))).status_code == 410


async def test_the_token_is_in_the_mail_alone(
    context: JobContext,
    company: Company,
    owner: Any,
    browser: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    outlet = recording(context)
    await a_receiver(company, target=MAIL)
    with caplog.at_level(logging.DEBUG):
        place = await link(context, outlet)
        await browser.get(place)
        await browser.post(place)
    token = place.removeprefix("/confirm/")
    assert len(token) > 80
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert not any(token in line for line in ours), "the client of the test logs its own requests"
    assert token not in "".join(capfd.readouterr())
    for table in ("receiver_confirmations", "deliveries", "delivery_attempts", "audit_entries", "receivers"):
        rows = await owner.fetch(f"select t::text as text from {table} as t")
        assert rows
        assert not any(token in row["text"] for row in rows)


async def test_a_receiver_that_needs_no_confirmation_gets_none_and_one_unconfirmed_no_test(
    company: Company,
) -> None:
    console = await a_receiver(company)
    refused = await company.client.post(f"/v1/receivers/{console['id']}/confirmations")
    assert (refused.status_code, refused.json()["code"]) == (409, "receiver_confirmed")
    mail = await a_receiver(company, name="Mail", target=MAIL)
    untested = await company.client.post(f"/v1/receivers/{mail['id']}/tests")
    assert (untested.status_code, untested.json()["code"]) == (409, "receiver_unconfirmed")


async def test_a_tenant_has_so_many_receivers_tests_and_confirmations_and_no_more(
    company: Company, other_company: Company, owner: Any, clock: FakeClock
) -> None:
    made = await a_receiver(company)
    place = f"/v1/receivers/{made['id']}/tests"
    for _ in range(Limits().messages_an_hour):
        assert (await company.client.post(place)).status_code == 202
    refused = await company.client.post(place)
    assert (refused.status_code, refused.json()["code"]) == (429, "receiver_messages_too_many")
    assert int(refused.headers["retry-after"]) > 0
    unasked = await company.client.post("/v1/receivers", {"name": "Mail", "target": MAIL})
    assert (unasked.status_code, unasked.json()["code"]) == (429, "receiver_messages_too_many")
    assert [r["name"] for r in await company.client.items("/v1/receivers")] == ["Console"], "nothing half done"
    await a_receiver(other_company, name="Mail", target=MAIL)
    clock.now += timedelta(hours=1, seconds=1)
    assert (await company.client.post(place)).status_code == 202
    await owner.execute(
        "insert into receivers (tenant_id, id, name, kind, address_sealed, destination, created_at, updated_at)"
        " select tenant_id, gen_random_uuid(), 'R' || n, kind, address_sealed, destination, created_at, updated_at"
        " from receivers, generate_series(2, $2::int) as n where tenant_id = $1",
        company.tenant.id,
        Limits().receivers,
    )
    full = await company.client.post("/v1/receivers", {"name": "One more", "target": {"kind": "console"}})
    assert (full.status_code, full.json()["code"]) == (409, "receivers_too_many")
