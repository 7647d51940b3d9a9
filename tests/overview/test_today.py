"""The day's dashboard."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Company, FakeClock
from tests.evidence.make import recorded, type_2
from tests.overview.test_postures import in_use
from tests.vendors.make import added, member
from tests.whole.things import Things, list_change, proposed
from vendorrisk.background import JobContext
from vendorrisk.overview import rules

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("today", "zone", "expected"),
    [
        (date(2026, 3, 2), "UTC", datetime(2026, 2, 27, 17, tzinfo=UTC)),
        (date(2026, 3, 1), "UTC", datetime(2026, 2, 27, 17, tzinfo=UTC)),
        (date(2026, 2, 28), "UTC", datetime(2026, 2, 27, 17, tzinfo=UTC)),
        (date(2026, 3, 4), "Europe/Berlin", datetime(2026, 3, 3, 16, tzinfo=UTC)),
    ],
)
def test_changes_count_since_the_previous_working_day_ended(today: date, zone: str, expected: datetime) -> None:
    assert rules.since(today, ZoneInfo(zone)) == expected


async def test_an_empty_tenant_is_told_that_nothing_is_there(company: Company) -> None:
    found = await company.client.get("/v1/overview/today")
    assert found.status_code == 200, found.text
    today = found.json()
    assert today["headline"] == {
        "decisions_waiting": 0,
        "dates_this_week": 0,
        "dates_this_week_at_critical_vendors": 0,
        "vendors_worse": 0,
    }
    assert (today["waiting"], today["changes"], today["due"], today["coverage"], today["findings"]) == ([],) * 5
    assert today["scores"]["median"] is None
    assert (today["messages"]["has_vendors"], today["messages"]["receivers"], today["is_silent"]) == (False, 0, False)


async def test_a_monday_takes_one_call(
    company: Company, clock: FakeClock, role_client: Any, context: JobContext, owner: Any
) -> None:
    client = company.client
    mine = await member(client, "olga@example.com")
    vendor_id = await in_use(client, "Nimbus", mine, tier="critical", next_review_on="2026-03-04")
    await recorded(client, type_2(vendor_id))
    clock.advance(days=-3)
    await added(client, "/v1/findings", vendor_id=vendor_id, title="Old", severity="high", due_on="2026-03-01")
    clock.advance(days=3)
    await added(client, "/v1/findings", vendor_id=vendor_id, title="New", severity="low")
    things = Things(company, await role_client("admin"), context, owner)
    await list_change(things, {})
    document = await added(client, "/v1/documents", vendor_id=vendor_id, kind="policy", title="A policy")
    await proposed(things, document["id"], "auditor", "Example CPA LLP")
    await added(client, "/v1/intake-requests", name="Wanted", purpose="Hosting")
    found = await client.get("/v1/overview/today")
    assert found.status_code == 200, found.text
    today = found.json()
    assert today["since"] == "2026-02-27T17:00:00Z"
    kinds = {row["kind"]: row["waiting"] for row in today["waiting_by_kind"]}
    assert kinds == {
        "finding_due": 1, "proposals_to_confirm": 1, "subprocessor_change": 1, "intake_request": 1,
    }  # fmt: skip
    assert today["headline"]["decisions_waiting"] == sum(kinds.values()) == len(today["waiting"])
    assert today["waiting"][0]["title"] == "Old", "what is due first comes first"
    assert today["waiting"][0]["vendor_name"] == "Nimbus"
    assert today["headline"]["dates_this_week_at_critical_vendors"] == 1, "the review"
    assert [(c["kind"], c["after"]) for c in today["changes"]] == [("finding_opened", "New")]
    assert {(d["alert_class"], d["week"]) for d in today["due"]} >= {("finding_due", -1), ("review_due", 0)}
    assert today["coverage"] == [{"tier": "critical", "state": "in_reliance", "vendors": 1, "qualified": 0}]
    assert today["findings"] == [
        {"severity": "high", "open": 1, "overdue": 1},
        {"severity": "low", "open": 1, "overdue": 0},
    ]


async def test_what_is_mine_is_what_i_own_or_nobody_does(company: Company, api: Any, clock: FakeClock) -> None:
    from tests.conftest import client_of

    client = company.client
    me, other = await member(client, "me@example.com"), await member(client, "other@example.com")
    for name, owner in (("Mine", me), ("Theirs", other)):
        await in_use(client, name, owner, next_review_on="2026-03-02")
    key = await client.post("/v1/api-keys", {"name": "mine", "roles": ["owner"], "member_id": me})
    clock.advance(seconds=1)
    own = client_of(api, key.json()["secret"])
    shown = (await own.get("/v1/overview/today", params={"whose": "mine"})).json()["waiting"]
    everyone = (await own.get("/v1/overview/today")).json()["waiting"]
    assert [item["title"] for item in shown] == ["Mine"]
    assert [item["title"] for item in everyone] == ["Mine", "Theirs"]


async def test_coverage_that_lapsed_over_the_weekend_makes_a_vendor_worse(
    company: Company, clock: FakeClock, context: JobContext
) -> None:
    from vendorrisk.evidence import jobs

    client = company.client
    clock.now = datetime(2026, 2, 27, 12, tzinfo=UTC)
    vendor_id = await in_use(client, "Nimbus", await member(client, "olga@example.com"))
    await recorded(client, type_2(vendor_id, start="2024-03-01", end="2025-02-28"))
    assert (await client.get("/v1/overview/today")).json()["changes"] == []
    clock.now += timedelta(days=3)
    while await jobs.age_coverage(context):
        pass
    today = (await client.get("/v1/overview/today")).json()
    assert [(c["kind"], c["vendor_name"]) for c in today["changes"]] == [("coverage_lapsed", "Nimbus")]
    assert today["headline"]["vendors_worse"] == 1


async def test_an_alert_that_nobody_receives_turns_the_day_red(company: Company, context: JobContext) -> None:
    from vendorrisk.alerts import jobs

    client = company.client
    await in_use(client, "Nimbus", await member(client, "olga@example.com"), next_review_on="2026-03-02")
    await jobs.raise_due_alerts(context)
    await jobs.dispatch_alerts(context)
    today = (await client.get("/v1/overview/today")).json()
    assert today["messages"]["alerts_without_recipients"] == 1
    assert today["is_silent"] is True
