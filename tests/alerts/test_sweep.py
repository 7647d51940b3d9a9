"""Deadlines and the sweep: which threshold is notified, when, and how often."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.make import TODAY, Feature, a_receiver, a_vendor, expiry, recording, run_jobs
from tests.conftest import Company, FakeClock
from vendorrisk.alerts.jobs import raise_due_alerts
from vendorrisk.alerts.model import TimedClass
from vendorrisk.background import JobContext
from vendorrisk.ids import new_id

pytestmark = pytest.mark.anyio

TIER_DAYS = [180, 90, 60, 30, 14, 7, 1, 0]


def latest(due_on: date, today: date, tier_days: list[int], every: int | None) -> int | None:
    """The specification in other words than the SQL: the crossed threshold with the fewest days left."""
    overdue = [] if every is None else [-every * n for n in range(1, 400)]
    crossed = [threshold for threshold in [*tier_days, *overdue] if due_on - timedelta(days=threshold) <= today]
    return min(crossed, default=None)


async def thresholds(owner: Any) -> list[int]:
    rows = await owner.fetch(
        "select threshold_days from alerts where threshold_days is not null order by raised_at, id"
    )
    return [row["threshold_days"] for row in rows]


async def test_each_threshold_is_notified_on_its_day_and_once(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    vendor = await a_vendor(owner, company)
    await Feature(context, company).watch(expiry(vendor, TODAY + timedelta(days=181)))
    notified: list[tuple[int, str]] = []
    for day in range(200):
        await run_jobs(context)
        await run_jobs(context)
        notified += [(181 - day, message.title) for _, _, message in outlet.sent]
        outlet.sent.clear()
        clock.advance(days=1)
    assert [left for left, _ in notified] == [180, 90, 60, 30, 14, 7, 1, 0, -7, -14]
    assert notified[0][1] == "SOC 2 Type 2 report of Example Analytics expires in 180 days"
    assert notified[7][1] == "SOC 2 Type 2 report of Example Analytics expires today"
    assert notified[9][1] == "SOC 2 Type 2 report of Example Analytics expired 14 days ago"


async def test_a_week_of_downtime_sends_one_message_with_the_days_that_are_really_left(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    outlet = recording(context)
    await a_receiver(company)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), TODAY + timedelta(days=8)))
    await run_jobs(context)
    assert await thresholds(owner) == [14]
    outlet.sent.clear()
    clock.advance(days=9)
    await run_jobs(context)
    assert await thresholds(owner) == [14, 0]
    assert [m.title for _, _, m in outlet.sent] == ["SOC 2 Type 2 report of Example Analytics expired 1 day ago"]


@settings(max_examples=40)
@given(
    days_ahead=st.integers(-60, 400),
    gaps=st.lists(st.integers(0, 120), min_size=1, max_size=8),
    tier_days=st.lists(st.integers(0, 400), min_size=1, max_size=9, unique=True),
    every=st.none() | st.integers(1, 60),
)
async def test_however_long_nobody_checked_the_latest_threshold_is_notified_and_none_twice(
    context: JobContext,
    company: Company,
    owner: Any,
    clock: FakeClock,
    days_ahead: int,
    gaps: list[int],
    tier_days: list[int],
    every: int | None,
) -> None:
    clock.now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    recording(context)
    await owner.execute("delete from alerts")
    await owner.execute("delete from deadlines")
    await owner.execute(
        "update alert_policies set critical = $1, overdue_every_days = $2 where alert_class = 'evidence_expiring'",
        tier_days,
        every,
    )
    due_on = TODAY + timedelta(days=days_ahead)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company, f"V {new_id()}"), due_on))
    notified: list[int] = []
    for gap in gaps:
        clock.advance(days=gap)
        await raise_due_alerts(context)
        expected = latest(due_on, clock.now.date(), tier_days, every)
        if expected is not None and expected not in notified:
            notified.append(expected)
        assert await thresholds(owner) == notified, "after every check: the latest threshold, and nothing between"
        next_alert_on = await owner.fetchval("select next_alert_on from deadlines")
        assert next_alert_on is None or next_alert_on > clock.now.date()
    assert len(notified) == len(set(notified))


async def test_today_is_the_tenants_own(
    context: JobContext, company: Company, other_company: Company, owner: Any, clock: FakeClock
) -> None:
    recording(context)
    clock.now = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # already the 2nd in Tokyo
    for place in (company, other_company):
        await Feature(context, place).watch(expiry(await a_vendor(owner, place), date(2026, 3, 9), title="Report"))
    await owner.execute("update alert_policies set critical = '{7}'")
    await owner.execute("update deadlines set next_alert_on = due_on - 7")
    assert await raise_due_alerts(context) == 1
    assert await owner.fetchval("select tenant_id from alerts") == other_company.tenant.id
    clock.advance(hours=9)
    assert await raise_due_alerts(context) == 1
    assert await thresholds(owner) == [7, 7]


async def test_a_changed_date_begins_anew_and_the_same_again_changes_nothing(
    context: JobContext, company: Company, owner: Any
) -> None:
    recording(context)
    feature, vendor, document = Feature(context, company), await a_vendor(owner, company), new_id()
    first = expiry(vendor, TODAY + timedelta(days=30), subject_id=document)
    assert await feature.watch(first) == ["raise_due_alerts"]
    await run_jobs(context)
    assert await feature.watch(first) == []
    await run_jobs(context)
    assert await thresholds(owner) == [30]
    await feature.watch(expiry(vendor, TODAY + timedelta(days=60), subject_id=document))
    await run_jobs(context)
    assert sorted(await thresholds(owner)) == [30, 60]
    await feature.watch(first)
    await run_jobs(context)
    assert sorted(await thresholds(owner)) == [30, 60], "the first date again: its threshold was notified"


async def test_what_no_longer_matters_is_not_notified_and_may_matter_again(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    recording(context)
    feature = Feature(context, company)
    deadline = expiry(await a_vendor(owner, company), TODAY + timedelta(days=31))
    await feature.watch(deadline)
    await run_jobs(context)
    assert await thresholds(owner) == [60]
    await feature.unwatch(deadline)
    clock.advance(days=20)
    assert await run_jobs(context) == 0
    await feature.watch(deadline)
    await run_jobs(context)
    assert await thresholds(owner) == [60, 14]


async def test_an_event_is_raised_once_for_its_key(context: JobContext, company: Company, owner: Any) -> None:
    outlet = recording(context)
    await a_receiver(company)
    vendor = await a_vendor(owner, company, tier="high")
    feature = Feature(context, company)
    assert await feature.raise_gap(vendor)
    assert not await feature.raise_gap(vendor)
    assert await feature.raise_gap(vendor, "gap-2")
    await run_jobs(context)
    assert len(outlet.sent) == 2
    assert {alert["tier"] for alert in await company.client.items("/v1/alerts")} == {"high"}


async def test_workers_that_sweep_at_once_raise_each_alert_once(
    context: JobContext, company: Company, owner: Any
) -> None:
    recording(context)
    vendor = await a_vendor(owner, company)
    await Feature(context, company).watch(*(expiry(vendor, TODAY + timedelta(days=7)) for _ in range(2500)))
    counts = await asyncio.gather(*(raise_due_alerts(context) for _ in range(4)))
    while await raise_due_alerts(context):
        pass
    assert len(await thresholds(owner)) == 2500
    assert all(count <= 1000 for count in counts)
    assert await owner.fetchval("select count(distinct id) from alerts where raised_at is not null") == 2500


async def test_a_vendors_review_date_is_kept_in_step_by_the_database(
    context: JobContext, company: Company, owner: Any
) -> None:
    recording(context)
    vendor = await a_vendor(owner, company, tier="low", next_review_on=TODAY + timedelta(days=40))
    await a_vendor(owner, company, "No date")
    await a_vendor(owner, company, "Gone", lifecycle="terminated", next_review_on=TODAY)
    row = await owner.fetchrow("select * from deadlines")
    assert (row["subject_id"], row["alert_class"], row["due_on"]) == (
        vendor,
        "review_due",
        TODAY + timedelta(days=40),
    )
    assert row["next_alert_on"] == TODAY + timedelta(days=10)
    await owner.execute("update vendors set next_review_on = $1", TODAY + timedelta(days=7))
    assert await owner.fetchval("select count(*) from deadlines where is_watched") == 2, "one gained a date"
    await owner.execute("update vendors set lifecycle = 'offboarding' where id <> $1", vendor)
    await run_jobs(context)
    (alert,) = await company.client.items("/v1/alerts")
    assert (alert["alert_class"], alert["threshold_days"], alert["vendor_id"]) == ("review_due", 7, str(vendor))
    await owner.execute("update vendors set next_review_on = null")
    assert await owner.fetchval("select count(*) from deadlines where next_alert_on is not null") == 0


@pytest.mark.parametrize("lifecycle", ["offboarding", "terminated"])
async def test_nobody_is_notified_of_what_runs_out_at_a_vendor_that_is_left_but_of_what_it_owes(
    context: JobContext, company: Company, owner: Any, clock: FakeClock, lifecycle: str
) -> None:
    recording(context)
    left = await a_vendor(owner, company, lifecycle=lifecycle)
    runs_out = [
        expiry(left, TODAY + timedelta(days=8), alert_class=one)
        for one in TimedClass
        if one not in {TimedClass.FINDING_DUE, TimedClass.REVIEW_DUE}
    ]
    owed = expiry(left, TODAY + timedelta(days=8), alert_class=TimedClass.FINDING_DUE)
    await Feature(context, company).watch(*runs_out, owed)
    until = (TODAY + timedelta(days=30)).isoformat()
    coming = await company.client.items("/v1/alerts/upcoming", until=until)
    assert {one["alert_class"] for one in coming} == {"finding_due"}
    clock.advance(days=20)
    await run_jobs(context)
    assert [alert["alert_class"] for alert in await company.client.items("/v1/alerts")] == ["finding_due"]
    await owner.execute("update vendors set lifecycle = 'active'")
    clock.advance(days=7)
    await run_jobs(context)
    notified = {alert["alert_class"] for alert in await company.client.items("/v1/alerts")}
    assert notified == {"finding_due", *(one.alert_class for one in runs_out)}, "it came back"


async def test_another_tier_has_other_thresholds_for_all_deadlines_of_the_vendor(
    context: JobContext, company: Company, owner: Any
) -> None:
    recording(context)
    body = {"critical": [180], "high": [5], "medium": [5], "low": [5], "overdue_every_days": 7}
    place = "/v1/alert-policies/evidence_expiring"
    assert (await company.client.put(place, body, etag=await company.client.etag(place))).status_code == 200
    vendor = await a_vendor(owner, company, tier="low")
    await Feature(context, company).watch(expiry(vendor, TODAY + timedelta(days=100)))
    assert await run_jobs(context) == 0
    await owner.execute("update vendors set tier = 'critical'")
    await run_jobs(context)
    assert await thresholds(owner) == [180], "what the new tier wants notified is notified at the next check"


async def test_a_changed_policy_changes_the_next_alerts_at_once_and_notifies_nothing_twice(
    context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    recording(context)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), TODAY + timedelta(days=85)))
    await run_jobs(context)
    assert await thresholds(owner) == [90]
    place = "/v1/alert-policies/evidence_expiring"
    client = company.client
    policy = (await client.get(place)).json()
    assert policy["critical"] == TIER_DAYS
    body = {tier: [20, 80, 20] for tier in ("critical", "high", "medium", "low")} | {"overdue_every_days": None}
    assert (await client.put(place, body)).status_code == 428
    changed = await client.put(place, body, etag='"1"')
    assert (changed.json()["critical"], changed.headers["etag"]) == ([80, 20], '"2"')
    assert await owner.fetchval("select next_alert_on from deadlines") == TODAY + timedelta(days=5)
    assert await run_jobs(context) == 0
    clock.advance(days=5)
    await run_jobs(context)
    clock.advance(days=300)
    await run_jobs(context)
    assert await thresholds(owner) == [90, 80, 20]
    assert await run_jobs(context) == 0, "nobody is notified of what is overdue"


@pytest.mark.parametrize("days", [[], [731], [-1], [1.5], "30", [None], list(range(21))])
async def test_lead_days_that_make_no_sense_are_refused(company: Company, days: object) -> None:
    place = "/v1/alert-policies/review_due"
    body = dict.fromkeys(("critical", "high", "medium", "low"), days) | {"overdue_every_days": 7}
    refused = await company.client.put(place, body, etag='"1"')
    assert refused.status_code == 422, refused.text
    assert (await company.client.get(place)).json()["version"] == 1


async def test_a_class_without_dates_has_no_policy(company: Company) -> None:
    assert (await company.client.get("/v1/alert-policies/coverage_gap")).status_code in {400, 404}
    kept = await company.client.items("/v1/alert-policies")
    assert [policy["alert_class"] for policy in kept] == sorted(TimedClass)


@pytest.mark.parametrize("day", [date(1899, 12, 31), date(3000, 1, 1), date.min, date.max])
async def test_a_deadline_out_of_range_is_not_stored(
    context: JobContext, company: Company, owner: Any, day: date
) -> None:
    vendor = await a_vendor(owner, company, next_review_on=day)
    with pytest.raises(asyncpg.PostgresError):
        await Feature(context, company).watch(expiry(vendor, day))
    assert await owner.fetchval("select count(*) from deadlines") == 0
