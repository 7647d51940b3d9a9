"""Transitions between states, what each waits for, and when reviews fall due."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.vendors import rules
from vendorrisk.vendors.lifecycle_model import OffboardingStepKind, OffboardingStepState
from vendorrisk.vendors.model import DataClass, Lifecycle, Tier, TrustCategory

READY = rules.TransitionChecks(lifecycle=Lifecycle.ONBOARDING, intake_decided=True, answered=True, business_owner=True)
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2200, 12, 31))


def test_a_vendor_can_reach_every_state_from_prospect() -> None:
    reached, edge = {Lifecycle.PROSPECT}, [Lifecycle.PROSPECT]
    while edge:
        edge = [s for s in rules.TRANSITIONS[edge.pop()] if s not in reached] + edge
        reached |= set(edge)
    assert reached == set(Lifecycle)


@pytest.mark.parametrize("state", Lifecycle)
def test_staying_where_one_is_is_no_transition(state: Lifecycle) -> None:
    assert not rules.may_follow(state, state)


def test_an_active_vendor_cannot_be_terminated_without_offboarding() -> None:
    assert not rules.may_follow(Lifecycle.ACTIVE, Lifecycle.TERMINATED)
    assert not rules.may_follow(Lifecycle.SUSPENDED, Lifecycle.TERMINATED)
    assert rules.may_follow(Lifecycle.OFFBOARDING, Lifecycle.TERMINATED)


def test_an_unchecked_prospect_cannot_become_active_at_once() -> None:
    assert not rules.may_follow(Lifecycle.PROSPECT, Lifecycle.ACTIVE)


def test_becoming_active_names_everything_that_is_missing_at_once() -> None:
    bare = rules.TransitionChecks(lifecycle=Lifecycle.ONBOARDING)
    codes = [missing.code for missing in rules.missing_for(bare, Lifecycle.ACTIVE)]
    assert codes == ["intake_open", "inherent_risk_unanswered", "business_owner_missing"]
    assert rules.missing_for(READY, Lifecycle.ACTIVE) == ()


@pytest.mark.parametrize("state", [OffboardingStepState.DONE, OffboardingStepState.WAIVED])
def test_termination_waits_for_each_step_of_the_checklist(state: OffboardingStepState) -> None:
    begun = dict.fromkeys(OffboardingStepKind, OffboardingStepState.OPEN)
    for resolved in OffboardingStepKind:
        checks = rules.TransitionChecks(lifecycle=Lifecycle.OFFBOARDING, steps=begun)
        assert f"{resolved}_open" in {m.code for m in rules.missing_for(checks, Lifecycle.TERMINATED)}
        begun = {**begun, resolved: state}
    checks = rules.TransitionChecks(lifecycle=Lifecycle.OFFBOARDING, steps=begun)
    assert rules.missing_for(checks, Lifecycle.TERMINATED) == ()


def test_a_prospect_that_was_never_used_needs_no_checklist() -> None:
    prospect = rules.TransitionChecks(lifecycle=Lifecycle.PROSPECT)
    assert rules.missing_for(prospect, Lifecycle.TERMINATED) == ()
    assert rules.needs_reason(Lifecycle.PROSPECT, Lifecycle.TERMINATED)


def test_reasons_are_asked_only_for_transitions_that_exist() -> None:
    asked = {(a, b) for a in Lifecycle for b in Lifecycle if rules.needs_reason(a, b)}
    assert all(rules.may_follow(a, b) for a, b in asked)
    assert asked == {
        (Lifecycle.PROSPECT, Lifecycle.TERMINATED),
        (Lifecycle.ONBOARDING, Lifecycle.PROSPECT),
        (Lifecycle.ACTIVE, Lifecycle.SUSPENDED),
        (Lifecycle.SUSPENDED, Lifecycle.ACTIVE),
        (Lifecycle.OFFBOARDING, Lifecycle.ACTIVE),
        (Lifecycle.TERMINATED, Lifecycle.PROSPECT),
    }


@pytest.mark.parametrize(
    ("tier", "due"),
    [
        (Tier.CRITICAL, date(2025, 11, 30)),
        (Tier.HIGH, date(2026, 2, 28)),
        (Tier.MEDIUM, date(2026, 8, 31)),
        (Tier.LOW, date(2027, 8, 31)),
    ],
)
def test_reviews_fall_due_by_tier_and_stop_at_the_end_of_a_short_month(tier: Tier, due: date) -> None:
    assert rules.next_review_on(Lifecycle.ACTIVE, tier, date(2025, 8, 31)) == due
    assert rules.next_review_on(Lifecycle.SUSPENDED, tier, date(2025, 8, 31)) == due, "in use again tomorrow"


def test_a_leap_day_plus_a_year_is_28_february() -> None:
    assert rules.months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert rules.months_after(date(2024, 2, 29), 48) == date(2028, 2, 29)


def test_the_end_of_time_is_not_passed() -> None:
    assert rules.months_after(date(9999, 12, 31), 3) == date.max
    assert rules.months_after(date(9999, 9, 30), 3) == date(9999, 12, 30)


@pytest.mark.parametrize(
    "state", [Lifecycle.PROSPECT, Lifecycle.ONBOARDING, Lifecycle.OFFBOARDING, Lifecycle.TERMINATED]
)
def test_nothing_falls_due_for_a_vendor_not_in_use(state: Lifecycle) -> None:
    assert rules.next_review_on(state, Tier.CRITICAL, date(2026, 1, 1)) is None
    assert rules.next_review_on(Lifecycle.ACTIVE, None, date(2026, 1, 1)) is None


@given(DAYS, st.integers(min_value=0, max_value=240))
def test_months_are_added_by_the_calendar(day: date, months: int) -> None:
    later = rules.months_after(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1
    assert later >= day


@given(DAYS, st.sampled_from(list(Tier)), st.sampled_from(list(Tier)))
def test_a_higher_tier_is_never_reviewed_later(day: date, one: Tier, other: Tier) -> None:
    order = list(Tier)
    higher, lower = sorted((one, other), key=order.index)
    first = rules.next_review_on(Lifecycle.ACTIVE, higher, day)
    second = rules.next_review_on(Lifecycle.ACTIVE, lower, day)
    assert first is not None
    assert second is not None
    assert first <= second


@pytest.mark.parametrize(
    ("classes", "uptime", "transactions", "needed"),
    [
        ([], False, False, [{TrustCategory.SECURITY}]),
        ([DataClass.PUBLIC], True, False, [{TrustCategory.SECURITY}, {TrustCategory.AVAILABILITY}]),
        (
            [DataClass.PERSONAL],
            False,
            False,
            [{TrustCategory.SECURITY}, {TrustCategory.PRIVACY, TrustCategory.CONFIDENTIALITY}],
        ),
        *(
            (
                [personal],
                False,
                False,
                [{TrustCategory.SECURITY}, {TrustCategory.PRIVACY, TrustCategory.CONFIDENTIALITY}],
            )
            for personal in (DataClass.SPECIAL_CATEGORY, DataClass.HEALTH)
        ),
        *(
            ([secret], False, False, [{TrustCategory.SECURITY}, {TrustCategory.CONFIDENTIALITY}])
            for secret in (DataClass.SECRETS, DataClass.CARD)
        ),
        (
            [DataClass.PERSONAL, DataClass.CONFIDENTIAL],
            False,
            True,
            [{TrustCategory.SECURITY}, {TrustCategory.CONFIDENTIALITY}, {TrustCategory.PROCESSING_INTEGRITY}],
        ),
    ],
)
def test_a_service_needs_the_categories_its_data_and_use_call_for(
    classes: list[DataClass], *, uptime: bool, transactions: bool, needed: list[set[TrustCategory]]
) -> None:
    found = rules.categories_needed(classes, uptime_critical=uptime, transactions=transactions)
    assert list(found) == [frozenset(one) for one in needed]
