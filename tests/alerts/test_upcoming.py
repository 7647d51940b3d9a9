"""What would be sent, forecast without sending it."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.make import TODAY, Feature, a_member, a_receiver, a_vendor, expiry, recording, run_jobs
from tests.conftest import MONDAY_MORNING, Company, FakeClock
from vendorrisk.alerts.jobs import raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.ids import new_id

pytestmark = pytest.mark.anyio


async def forecast(company: Company, until: date, **params: Any) -> list[dict[str, Any]]:
    return await company.client.items("/v1/alerts/upcoming", until=until.isoformat(), **params)


async def test_what_is_forecast_is_what_is_then_notified(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    feature = Feature(context, company)
    for number, ahead in enumerate((-30, -1, 0, 3, 29, 45, 200)):
        vendor = await a_vendor(owner, company, f"Vendor {number}", next_review_on=TODAY + timedelta(days=ahead))
        await feature.watch(expiry(vendor, TODAY + timedelta(days=ahead + 5)))
    promised = Counter(
        (row["alert_on"], row["vendor_name"], row["alert_class"], row["threshold_days"], row["days_left"])
        for row in await forecast(company, TODAY + timedelta(days=60), limit=7)
    )
    assert await owner.fetchval("select count(*) from alerts") == 0
    notified: Counter[tuple[str, ...]] = Counter()
    for _ in range(61):
        await run_jobs(context)
        for _, _, message in outlet.sent:
            data: Any = message.payload
            day = clock.now.date().isoformat()
            notified[day, data["vendor"]["name"], data["alert_class"], data["threshold_days"], data["days_left"]] += 1
        outlet.sent.clear()
        clock.advance(days=1)
    assert notified == promised
    assert sum(notified.values()) > 50


@settings(max_examples=25)
@given(
    days_ahead=st.lists(st.integers(-60, 120), min_size=1, max_size=4),
    tier_days=st.lists(st.integers(0, 120), min_size=1, max_size=6, unique=True),
    every=st.none() | st.integers(1, 40),
    away=st.none() | st.integers(0, 50),
    view=st.integers(0, 40),
)
async def test_whatever_the_policy_and_however_long_nobody_checked_what_is_forecast_is_notified(
    context: JobContext,
    company: Company,
    owner: Any,
    clock: FakeClock,
    *,
    days_ahead: list[int],
    tier_days: list[int],
    every: int | None,
    away: int | None,
    view: int,
) -> None:
    clock.now = MONDAY_MORNING
    recording(context)
    await owner.execute("delete from alerts; delete from deadlines")
    await owner.execute(
        "update alert_policies set critical = $1, overdue_every_days = $2 where alert_class = 'evidence_expiring'",
        tier_days,
        every,
    )
    vendor = await a_vendor(owner, company, f"V {new_id()}")
    await Feature(context, company).watch(*(expiry(vendor, TODAY + timedelta(days=ahead)) for ahead in days_ahead))
    if away is not None:
        await raise_due_alerts(context)
        clock.advance(days=away)
    before = await owner.fetchval("select count(*) from alerts")
    rows = await forecast(company, clock.now.date() + timedelta(days=view), limit=50)
    promised = Counter((row["alert_on"], row["subject_id"], row["threshold_days"], row["days_left"]) for row in rows)
    assert await owner.fetchval("select count(*) from alerts") == before
    for _ in range(view + 1):
        await raise_due_alerts(context)
        clock.advance(days=1)
    notified = await owner.fetch(
        "select raised_at::date::text, subject_id::text, threshold_days, days_left"
        " from alerts order by raised_at offset $1",
        before,
    )
    assert Counter(map(tuple, notified)) == promised


async def test_it_says_to_whom(context: JobContext, company: Company, owner: Any) -> None:
    dana = await a_member(company, "Dana Reyes", "dana@example.com")
    omar = await a_member(company, "Omar Haddad", "omar@example.com")
    vendor = await a_vendor(owner, company, tier="high", business_owner_id=dana, security_owner_id=omar)
    await a_receiver(company)
    await a_receiver(company, name="Owners", target={"kind": "owners"}, tiers=["high"])
    await a_receiver(company, name="Low only", tiers=["low"])
    await a_receiver(company, name="Gaps only", classes=["coverage_gap"])
    await a_receiver(company, name="Omar's", owner_ids=[str(omar)])
    await Feature(context, company).watch(expiry(vendor, TODAY + timedelta(days=20)))
    (first, *_) = await forecast(company, TODAY + timedelta(days=3))
    assert [(r["name"], r["destination"]) for r in first["recipients"]] == [
        ("Console", "the worker's output"),
        ("Omar's", "the worker's output"),
        ("Owners", "dana@example.com"),
        ("Owners", "omar@example.com"),
    ]


async def test_a_vendor_without_a_tier_is_foretold_to_those_who_ask_for_critical_ones(
    context: JobContext, company: Company, owner: Any
) -> None:
    await a_receiver(company, name="Critical only", tiers=["critical"])
    await a_receiver(company, name="The others", tiers=["high", "medium", "low"])
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), TODAY + timedelta(days=20)))
    (first, *_) = await forecast(company, TODAY + timedelta(days=6))
    assert [r["name"] for r in first["recipients"]] == ["Critical only"]


async def test_what_was_notified_is_not_forecast_again(context: JobContext, company: Company, owner: Any) -> None:
    recording(context)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), TODAY + timedelta(days=30)))
    assert [row["threshold_days"] for row in await forecast(company, TODAY)] == [30]
    await run_jobs(context)
    assert await forecast(company, TODAY + timedelta(days=15)) == []
    assert [row["threshold_days"] for row in await forecast(company, TODAY + timedelta(days=16))] == [14]


async def test_filters_and_pages_hold(context: JobContext, company: Company, owner: Any) -> None:
    low = await a_vendor(owner, company, "Low", tier="low")
    others = [await a_vendor(owner, company, f"V{n}") for n in range(5)]
    await Feature(context, company).watch(
        expiry(low, TODAY + timedelta(days=90)), *(expiry(other, TODAY + timedelta(days=30)) for other in others)
    )
    until = TODAY + timedelta(days=90)
    whole = await forecast(company, until)
    assert [row["alert_on"] for row in whole] == sorted(row["alert_on"] for row in whole)
    assert await forecast(company, until, limit=3) == whole
    assert await forecast(company, until, sort="-alert_on", limit=4) == sorted(
        whole, key=lambda row: (row["alert_on"], row["id"]), reverse=True
    )
    assert {row["tier"] for row in await forecast(company, until, filter="tier:eq:low")} == {"low"}
    count = await company.client.get("/v1/alerts/upcoming", params={"until": until.isoformat(), "total": "true"})
    assert count.json()["total"] == len(whole)


@pytest.mark.parametrize("until", ["2026-03-01", "2030-01-01", "0001-01-01", "9999-12-31", "soon", "2026-02-30", ""])
async def test_a_period_that_cannot_be_shown_is_refused(company: Company, until: str) -> None:
    refused = await company.client.get("/v1/alerts/upcoming", params={"until": until})
    assert refused.status_code == 400, refused.text
    assert (await company.client.get("/v1/alerts/upcoming")).status_code == 400


async def test_another_tenant_foresees_nothing_of_it(
    context: JobContext, company: Company, other_company: Company, owner: Any
) -> None:
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), TODAY + timedelta(days=30)))
    assert await forecast(other_company, TODAY + timedelta(days=60)) == []
