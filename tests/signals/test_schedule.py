"""When what is scanned: by kind, by tier, in its place of the day; and when again what could not be seen."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.signals.make import NOW, evaluation
from vendorrisk.evaluation import rules
from vendorrisk.evaluation.model import AssetKind, Evaluation, ScanKind, Verdict
from vendorrisk.signals import schedule

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASSET = UUID(int=7)
IDS = st.uuids()
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
PERIODIC = [group for group in ScanKind if group is not ScanKind.STATUS]


@pytest.mark.parametrize("group", PERIODIC)
def test_what_less_depends_on_is_scanned_less_often(group: ScanKind) -> None:
    regular = schedule.period(group, 1)
    assert schedule.period(group, 2) == regular
    assert schedule.period(group, 3) == regular * 2
    assert schedule.period(group, 4) == min(regular * 7, 28 * DAY)


def test_the_published_periods() -> None:
    daily = {ScanKind.DNS, ScanKind.EMAIL, ScanKind.HTTP, ScanKind.CERT, ScanKind.PAGES, ScanKind.FEEDS}
    assert {group for group in PERIODIC if schedule.period(group, 1) == DAY} == daily
    assert {schedule.period(group, 1) for group in set(PERIODIC) - daily} == {7 * DAY}
    assert [schedule.period(ScanKind.STATUS, tier) for tier in (1, 2, 3, 4)] == [HOUR / 4, HOUR, 2 * HOUR, 7 * HOUR]


@given(IDS, st.sampled_from(PERIODIC), st.integers(1, 4), INSTANTS)
def test_a_scan_keeps_its_place_and_comes_half_a_period_later_or_more(
    asset: UUID, group: ScanKind, tier: int, now: datetime
) -> None:
    regular = schedule.period(group, tier)
    due = schedule.after_seen(asset, group, tier, now, again=None, ends_at=None)
    assert regular / 2 - timedelta(seconds=1) <= due - now <= regular * 1.5
    following = schedule.after_seen(asset, group, tier, due, again=None, ends_at=None)
    assert following - due == regular


def test_a_thousand_assets_attached_at_once_are_spread_over_the_day() -> None:
    due = [schedule.after_seen(UUID(int=n), ScanKind.DNS, 1, NOW, again=None, ends_at=None) for n in range(1000)]
    by_hour = [sum(instant.hour == hour for instant in due) for hour in range(24)]
    assert min(by_hour) > 10
    assert max(by_hour) < 100


def test_what_waits_to_be_confirmed_is_scanned_as_soon_as_it_asks() -> None:
    ends_at = NOW + HOUR
    due = schedule.after_seen(ASSET, ScanKind.CERT, 4, NOW, again=timedelta(minutes=5), ends_at=ends_at)
    assert due == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(("left", "wait"), [(2 * DAY, 16 * HOUR), (6 * HOUR, 2 * HOUR), (HOUR, HOUR), (-DAY, HOUR)])
def test_what_is_about_to_end_is_scanned_when_a_third_of_its_time_has_gone(left: timedelta, wait: timedelta) -> None:
    assert schedule.after_seen(ASSET, ScanKind.CERT, 1, NOW, again=None, ends_at=NOW + left) == NOW + wait


def test_what_ends_far_away_keeps_its_place() -> None:
    plain = schedule.after_seen(ASSET, ScanKind.CERT, 1, NOW, again=None, ends_at=None)
    assert schedule.after_seen(ASSET, ScanKind.CERT, 1, NOW, again=None, ends_at=NOW + 90 * DAY) == plain


@given(IDS, st.sampled_from(ScanKind))
def test_what_could_not_be_seen_is_tried_again_after_an_hour_then_twice_as_long_up_to_a_day(
    asset: UUID, group: ScanKind
) -> None:
    waits = [schedule.after_unknown(asset, group, failures, NOW) - NOW for failures in (1, 2, 3, 4, 5, 6, 50)]
    spread = waits[0] / HOUR
    assert 1 <= spread < 1.2
    assert [round(wait / HOUR / spread) for wait in waits] == [1, 2, 4, 8, 16, 20, 20]
    assert max(waits) <= 24 * HOUR


def test_every_kind_is_evaluated_by_the_rules_of_its_groups_alone() -> None:
    by_kind = {kind: {rule.id for rule in rules.rules_of(kind)} for kind in AssetKind}
    assert by_kind[AssetKind.REPOSITORY] == {"oss.scorecard"}
    assert by_kind[AssetKind.STATUS_PAGE] == {"tr.status_page", "evt.status"}
    assert by_kind[AssetKind.TRUST_PAGE] == {"tr.trust"}
    assert by_kind[AssetKind.HOST] < by_kind[AssetKind.DOMAIN]
    assert {"dns.dangling", "tls.https", "web.csp"} <= by_kind[AssetKind.HOST]
    assert {"email.dmarc", "evt.breach", "kev.product"} & by_kind[AssetKind.HOST] == set()
    assert {"kev.product", "evt.status", "oss.scorecard", *rules.PAGE_RULES.values()} & by_kind[
        AssetKind.DOMAIN
    ] == set()


def test_sources_that_are_off_are_asked_of_no_asset() -> None:
    for kind in AssetKind:
        plain = set(schedule.groups_of(kind))
        assert plain & {ScanKind.CT, ScanKind.EXPOSURE} == set()
        more = set(schedule.groups_of(kind, with_ct=True, with_exposure=True)) - plain
        assert more == ({ScanKind.CT, ScanKind.EXPOSURE} if kind is AssetKind.DOMAIN else set())


def test_an_asset_is_known_by_what_it_is() -> None:
    assert schedule.asset_id(AssetKind.HOST, "acme.com") == schedule.asset_id(AssetKind.HOST, "acme.com")
    assert schedule.asset_id(AssetKind.HOST, "acme.com") != schedule.asset_id(AssetKind.DOMAIN, "acme.com")
    assert [schedule.registrable_domain_of(name) for name in ("www.acme.co.uk", "acme.co.uk", "co.uk")] == [
        *("acme.co.uk", "acme.co.uk", "co.uk"),
    ]


def test_the_earliest_end_that_evaluations_name_is_taken() -> None:
    def ending(**evidence: str) -> Evaluation:
        return Evaluation(
            rule="tls.cert_expired", verdict=Verdict.PASS, reason="seen", detail="", evidence={**evidence}
        )

    early, late = "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"
    named = [evaluation(Verdict.PASS), ending(expires_at=late), ending(not_after=early)]
    assert schedule.ends_at(named) == datetime(2026, 12, 1, tzinfo=UTC)
    assert schedule.ends_at(named[:1]) is None


@pytest.mark.parametrize("kind", AssetKind)
def test_nothing_is_evaluated_by_a_rule_for_which_it_is_never_scanned(kind: AssetKind) -> None:
    scanned = schedule.groups_of(kind, with_ct=True, with_exposure=True)
    assert {rule.id for rule in rules.rules_of(kind) if rule.group not in scanned} == set()
