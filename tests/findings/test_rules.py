"""Which transitions a finding has, and when it is due."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.errors import Code, Refusal
from vendorrisk.findings import rules
from vendorrisk.findings.model import Finding, FindingPolicy, FindingSeverity, FindingState, NewTransition

TODAY = date(2026, 3, 2)
_NOW = datetime(2026, 3, 2, tzinfo=UTC)
ACTIVE = {FindingState.OPEN, FindingState.ACKNOWLEDGED}
SUPPRESSED = {FindingState.ACCEPTED, FindingState.DISPUTED}


def _finding(
    state: FindingState = FindingState.OPEN, severity: FindingSeverity = FindingSeverity.HIGH, due_on: date = TODAY
) -> Finding:
    return Finding(
        id=UUID(int=1),
        vendor_id=UUID(int=2),
        vendor_name="Acme",
        source_kind="manual",
        source_id=UUID(int=1),
        title="x",
        description=None,
        severity=severity,
        state=state,
        state_reason=None,
        state_changed_at=_NOW,
        owner_id=None,
        opened_on=TODAY,
        due_on=due_on,
        until_on=None,
        times_reopened=0,
        reference=None,
        metadata={},
        created_at=_NOW,
        updated_at=_NOW,
        version=1,
    )


def _refusal(state: FindingState, transition: NewTransition) -> Code | None:
    try:
        rules.check_transition(_finding(state), transition, TODAY)
    except Refusal as refusal:
        return refusal.code
    return None


def test_the_default_policy_gives_7_30_90_and_180_days() -> None:
    days = [(rules.due_on(severity, TODAY, FindingPolicy()) - TODAY).days for severity in FindingSeverity]
    assert days == [7, 30, 90, 180]


@given(st.sampled_from(FindingState), st.sampled_from(FindingState))
def test_a_transition_never_stays_and_only_what_is_suppressed_turns_into_another_closed_state(
    start: FindingState, end: FindingState
) -> None:
    until = TODAY + timedelta(days=1) if end in SUPPRESSED else None
    refused = _refusal(start, NewTransition(to=end, reason="because", until_on=until))
    allowed = start is not end and (start in ACTIVE or end is FindingState.OPEN)
    allowed = allowed or (start in SUPPRESSED and end is FindingState.REMEDIATED)
    allowed = allowed or (
        start is FindingState.DISPUTED and end in {FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}
    )
    assert refused is (None if allowed else Code.FINDING_TRANSITION_NOT_ALLOWED)


@pytest.mark.parametrize("to", sorted(set(FindingState) - ACTIVE))
def test_nothing_is_closed_without_a_reason(to: FindingState) -> None:
    assert _refusal(FindingState.OPEN, NewTransition(to=to)) is Code.FINDING_REASON_MISSING


@pytest.mark.parametrize(
    ("days", "accepted"), [(None, False), (-1, False), (0, False), (1, True), (731, True), (732, False)]
)
def test_what_is_suppressed_comes_back_after_today_and_within_two_years(days: int | None, *, accepted: bool) -> None:
    until = None if days is None else TODAY + timedelta(days=days)
    for to in SUPPRESSED:
        refused = _refusal(FindingState.OPEN, NewTransition(to=to, reason="because", until_on=until))
        assert refused is (None if accepted else Code.FINDING_DATE_INVALID)


@pytest.mark.parametrize("to", sorted(set(FindingState) - SUPPRESSED - {FindingState.OPEN}))
def test_only_what_is_suppressed_has_an_end(to: FindingState) -> None:
    transition = NewTransition(to=to, reason="because", until_on=TODAY + timedelta(days=9))
    assert _refusal(FindingState.OPEN, transition) is Code.FINDING_DATE_INVALID


@given(st.sampled_from(FindingSeverity), st.integers(-400, 400))
def test_what_stands_again_has_as_long_as_a_new_one_and_never_less_than_before(
    severity: FindingSeverity, days: int
) -> None:
    before = _finding(FindingState.REMEDIATED, severity, TODAY + timedelta(days=days))
    due_on = rules.due_on_reopening(before, TODAY, FindingPolicy())
    assert due_on == max(before.due_on, rules.due_on(severity, TODAY, FindingPolicy()))


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1999, 12, 31), date(2200, 1, 2), date(9999, 12, 31)])
def test_a_due_date_no_one_means_is_refused(day: date) -> None:
    with pytest.raises(Refusal) as refused:
        rules.check_due(day)
    assert refused.value.code is Code.FINDING_DATE_INVALID


@pytest.mark.parametrize("day", [date(2000, 1, 1), date(2200, 1, 1)])
def test_the_first_and_the_last_due_date_are_taken(day: date) -> None:
    rules.check_due(day)
