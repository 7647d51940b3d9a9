"""Decisions about findings: which moves there are, and when one is due."""

from datetime import date, timedelta

from vendorrisk.errors import Code, Refusal
from vendorrisk.findings.model import Finding, FindingPolicy, NewMove, Severity, State

STANDING = frozenset({State.OPEN, State.ACKNOWLEDGED})
SET_ASIDE = frozenset({State.ACCEPTED, State.DISPUTED})
_CLOSED = frozenset(State) - STANDING
_MOVES = {
    State.OPEN: frozenset({State.ACKNOWLEDGED}) | _CLOSED,
    State.ACKNOWLEDGED: frozenset({State.OPEN}) | _CLOSED,
    State.REMEDIATED: frozenset({State.OPEN}),
    State.ACCEPTED: frozenset({State.OPEN, State.REMEDIATED}),
    State.DISPUTED: frozenset({State.OPEN, State.REMEDIATED, State.ACCEPTED, State.FALSE_POSITIVE}),
    State.FALSE_POSITIVE: frozenset({State.OPEN}),
}
_LONGEST_ACCEPTANCE = timedelta(days=731)
_LATEST = date(2200, 1, 1)


def due_on(severity: Severity, opened_on: date, policy: FindingPolicy) -> date:
    """Return the day by which a finding of this severity is to be seen to."""
    days = {
        Severity.CRITICAL: policy.critical_days,
        Severity.HIGH: policy.high_days,
        Severity.MEDIUM: policy.medium_days,
        Severity.LOW: policy.low_days,
    }[severity]
    return opened_on + timedelta(days=days)


def due_on_reopening(finding: Finding, today: date, policy: FindingPolicy) -> date:
    """Return the day for one that stands again: as many days as a new one has, but never earlier than it was."""
    return max(finding.due_on, due_on(finding.severity, today, policy))


def is_graver(one: Severity, other: Severity) -> bool:
    order = list(Severity)
    return order.index(one) < order.index(other)


def is_standing(finding: Finding) -> bool:
    return finding.state in STANDING


def check_due(day: date) -> None:
    if not date(2000, 1, 1) <= day <= _LATEST:
        raise Refusal(Code.FINDING_DATE_INVALID, "Send a date between 2000 and 2200.", pointer="/due_on")


def check_move(finding: Finding, move: NewMove, today: date) -> None:
    """Refuse a move that the states do not have, a closing without a reason, a setting aside without an end."""
    if move.to not in _MOVES[finding.state]:
        allowed = ", ".join(sorted(_MOVES[finding.state]))
        detail = f"From {finding.state.value} it may move to: {allowed}."
        raise Refusal(Code.FINDING_MOVE_REFUSED, detail, pointer="/to")
    if move.to in _CLOSED and move.reason is None:
        raise Refusal(Code.FINDING_REASON_MISSING, "Say why it is closed.", pointer="/reason")
    if move.to not in SET_ASIDE:
        if move.until_on is not None:
            detail = "Only an acceptance or a dispute has an end."
            raise Refusal(Code.FINDING_DATE_INVALID, detail, pointer="/until_on")
        return
    until = move.until_on
    if until is None or not today < until <= today + _LONGEST_ACCEPTANCE:
        detail = "Say until when: a day after today, within two years."
        raise Refusal(Code.FINDING_DATE_INVALID, detail, pointer="/until_on")
