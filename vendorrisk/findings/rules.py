"""Decisions about findings: which transitions there are, and when one is due."""

from datetime import date, timedelta

from vendorrisk.errors import Code, Refusal
from vendorrisk.findings.model import Finding, FindingPolicy, FindingSeverity, FindingState, NewTransition

ACTIVE = frozenset({FindingState.OPEN, FindingState.ACKNOWLEDGED})
SUPPRESSED = frozenset({FindingState.ACCEPTED, FindingState.DISPUTED})
_CLOSED = frozenset(FindingState) - ACTIVE
_TRANSITIONS = {
    FindingState.OPEN: frozenset({FindingState.ACKNOWLEDGED}) | _CLOSED,
    FindingState.ACKNOWLEDGED: frozenset({FindingState.OPEN}) | _CLOSED,
    FindingState.REMEDIATED: frozenset({FindingState.OPEN}),
    FindingState.ACCEPTED: frozenset({FindingState.OPEN, FindingState.REMEDIATED}),
    FindingState.DISPUTED: frozenset(
        {FindingState.OPEN, FindingState.REMEDIATED, FindingState.ACCEPTED, FindingState.FALSE_POSITIVE}
    ),
    FindingState.FALSE_POSITIVE: frozenset({FindingState.OPEN}),
}
_LONGEST_ACCEPTANCE = timedelta(days=731)
_LATEST = date(2200, 1, 1)


def due_on(severity: FindingSeverity, opened_on: date, policy: FindingPolicy) -> date:
    """Return the day by which a finding of this severity is to be seen to."""
    days = {
        FindingSeverity.CRITICAL: policy.critical_days,
        FindingSeverity.HIGH: policy.high_days,
        FindingSeverity.MEDIUM: policy.medium_days,
        FindingSeverity.LOW: policy.low_days,
    }[severity]
    return opened_on + timedelta(days=days)


def due_on_reopening(finding: Finding, today: date, policy: FindingPolicy) -> date:
    """Return the day for one that is active again: as many days as a new one has, but never earlier than it was."""
    return max(finding.due_on, due_on(finding.severity, today, policy))


def is_more_severe(one: FindingSeverity, other: FindingSeverity) -> bool:
    order = list(FindingSeverity)
    return order.index(one) < order.index(other)


def is_active(finding: Finding) -> bool:
    return finding.state in ACTIVE


def check_due(day: date) -> None:
    if not date(2000, 1, 1) <= day <= _LATEST:
        raise Refusal(Code.FINDING_DATE_INVALID, "Send a date between 2000 and 2200.", pointer="/due_on")


def check_transition(finding: Finding, transition: NewTransition, today: date) -> None:
    """Refuse a transition that the states do not have, a closing without a reason, a suppression without an end."""
    if transition.to not in _TRANSITIONS[finding.state]:
        allowed = ", ".join(sorted(_TRANSITIONS[finding.state]))
        detail = f"From {finding.state.value} it can go to: {allowed}."
        raise Refusal(Code.FINDING_TRANSITION_NOT_ALLOWED, detail, pointer="/to")
    if transition.to in _CLOSED and transition.reason is None:
        raise Refusal(Code.FINDING_REASON_MISSING, "Say why it is closed.", pointer="/reason")
    if transition.to not in SUPPRESSED:
        if transition.until_on is not None:
            detail = "Only an acceptance or a dispute has an end."
            raise Refusal(Code.FINDING_DATE_INVALID, detail, pointer="/until_on")
        return
    until = transition.until_on
    if until is None or not today < until <= today + _LONGEST_ACCEPTANCE:
        detail = "Say until when: a day after today, within two years."
        raise Refusal(Code.FINDING_DATE_INVALID, detail, pointer="/until_on")
