"""An alert becomes a message: in neutral parts, to which each channel gives its form. Pure.

The same alert renders to the same message at every try: days and dates were fixed when the alert was raised.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from vendorrisk.alerts.model import (
    AlertClass,
    AlertData,
    AlertEvent,
    AlertOwners,
    AlertSubject,
    AlertToSend,
    AlertVendor,
    TimedClass,
)
from vendorrisk.channels.port import Fact, Message
from vendorrisk.openapi.webhook_docs import Webhook
from vendorrisk.vendors.model import Tier

_CHASE_DAYS = 30  # from here on asking is not enough
_PREPARE_DAYS = 90
_MOST_FACTS = 6  # beside our own, so that Slack's ten fields hold all: an alert with facts of its own has no date


def message_of(alert: AlertToSend, public_url: str) -> Message:
    """Return the message for one delivery. Links begin with `public_url`."""
    base = public_url.rstrip("/")
    title, summary, action = _WORDS[alert.alert_class](alert)
    return Message(
        kind=kind_of(alert.alert_class),
        title=title,
        summary=summary,
        facts=tuple(_facts(alert)),
        action=action,
        link=_link(alert, base),
        link_label="Open the vendor" if alert.vendor_id else "Open",
        why=_why(alert),
        manage_link=f"{base}/v1/receivers/{alert.receiver_id}",
        at=alert.raised_at,
        payload=_payload(alert),
    )


def day(on: date) -> str:
    """Write a date out, as "2 March 2026", which no reader takes for another day."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def days(count: int) -> str:
    return "1 day" if abs(count) == 1 else f"{abs(count)} days"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_Words = tuple[str, str, str]


def _evidence_expiring(alert: AlertToSend) -> _Words:
    due, left, vendor = _due(alert)
    if left < 0:
        return (
            f"{alert.title} of {vendor} expired {days(left)} ago",
            f"It could be relied on until {day(due)}.",
            "Get the new report or a bridge letter, or record why the vendor may be used without one.",
        )
    title = f"{alert.title} of {vendor} expires {_when(left)}"
    summary = f"It can be relied on until {day(due)}."
    if left <= _CHASE_DAYS:
        return (
            title,
            summary,
            "Chase the vendor for the new report, and ask for a bridge letter for the time until then.",
        )
    if left <= _PREPARE_DAYS:
        return title, summary, "Ask the vendor for the next report, and on which day it will be issued."
    return title, summary, "Ask the vendor when the next audit ends, and note the date the report is expected."


def _coverage_gap(alert: AlertToSend) -> _Words:
    return (
        f"Gap in {alert.title} of {_vendor(alert)}",
        "No report covers part of the time, so nobody has tested the controls then.",
        "Ask the vendor for a report or bridge letter for these days, or record why the gap is accepted.",
    )


def _review_due(alert: AlertToSend) -> _Words:
    due, left, vendor = _due(alert)
    if left < 0:
        title, summary = f"Review of {vendor} is {days(left)} overdue", f"It was due on {day(due)}."
    else:
        title, summary = f"Review of {vendor} is due {_when(left)}", f"It is due on {day(due)}."
    return title, summary, "Go through the vendor's evidence, findings and inherent risk, and record the review."


def _finding_due(alert: AlertToSend) -> _Words:
    due, left, vendor = _due(alert)
    if left < 0:
        title, summary = f"Finding at {vendor} is {days(left)} overdue: {alert.title}", f"It was due on {day(due)}."
    else:
        title, summary = f"Finding at {vendor} is due {_when(left)}: {alert.title}", f"It is due on {day(due)}."
    return title, summary, "Close the finding with proof, agree a new date with a reason, or accept the risk."


def _receiver_test(alert: AlertToSend) -> _Words:
    return (
        "Test message from vendor risk",
        f"{alert.receiver_name} is set up: alerts that pass its filters arrive here.",
        "Nothing to do. This is only a test.",
    )


def _certificate_expiring(alert: AlertToSend) -> _Words:
    due, left, vendor = _due(alert)
    if left < 0:
        title = f"{alert.title.removesuffix(' ends')} of {vendor} ended {days(left)} ago"
        return title, f"It ended on {day(due)}. Browsers and clients reject it.", "Tell the vendor now."
    return (
        f"{alert.title.removesuffix(' ends')} of {vendor} ends {_when(left)}",
        f"It ends on {day(due)}. Most certificates are renewed automatically a month ahead. This one was not.",
        "Ask the vendor whether the renewal is under way.",
    )


def _domain_expiring(alert: AlertToSend) -> _Words:
    due, left, vendor = _due(alert)
    when = f"ended {days(left)} ago" if left < 0 else f"ends {_when(left)}"
    return (
        f"{alert.title.removesuffix(' ends')} of {vendor} {when}",
        f"The registration's end is {day(due)}. After it anyone may take the name, its web site and its mail.",
        "Ask the vendor to renew the domain and to switch auto-renewal on.",
    )


def _event(summary: str, action: str) -> Callable[[AlertToSend], _Words]:
    """Make the words of an event under its own title."""
    return lambda alert: (alert.title, summary, action)


_WORDS: Mapping[AlertClass, Callable[[AlertToSend], _Words]] = {
    AlertClass.CERTIFICATE_EXPIRING: _certificate_expiring,
    AlertClass.DOMAIN_EXPIRING: _domain_expiring,
    AlertClass.SIGNAL_FINDING: _event(
        "Confirmed by two external scans. A finding was opened.",
        "Ask the vendor about it. Dispute the finding if it does not concern them.",
    ),
    AlertClass.SIGNAL_SCORE_FELL: _event(
        "Confirmed by two consecutive scores. The largest deductions are listed.",
        "Open the score: every deduction is explained.",
    ),
    AlertClass.DOMAIN_CHANGED: _event(
        "This can be a planned move or a domain takeover.", "Ask the vendor to confirm the change."
    ),
    AlertClass.SUBPROCESSORS_CHANGED: _event(
        "The vendor changed its list of sub-processors.",
        "Accept or dismiss the proposed changes before the contract's time to object ends.",
    ),
    AlertClass.BREACH_LISTED: _event(
        "Have I Been Pwned lists a breach of the vendor.",
        "Ask for the incident report, and whether our data was in it.",
    ),
    AlertClass.KNOWN_EXPLOITED: _event(
        "CISA lists a product of the vendor's inventory as being exploited.",
        "Ask the vendor whether it is affected and by when it is fixed.",
    ),
    AlertClass.VENDOR_OUTAGE: _event(
        "It has lasted for half an hour, at a vendor that is critical to us.",
        "Inform the people who depend on it, and follow the status page.",
    ),
    AlertClass.SIGNAL_DIGEST: _event(
        "Less severe findings that external signals opened since the last digest.",
        "Read them when there is time. Nothing here is urgent.",
    ),
    AlertClass.EVIDENCE_EXPIRING: _evidence_expiring,
    AlertClass.COVERAGE_GAP: _coverage_gap,
    AlertClass.REVIEW_DUE: _review_due,
    AlertClass.FINDING_DUE: _finding_due,
    AlertClass.RECEIVER_TEST: _receiver_test,
}


def _due(alert: AlertToSend) -> tuple[date, int, str]:
    """Return the parts that a timed alert always has (`alerts_have_a_cause`): its date and the days that were left."""
    return alert.due_on or alert.raised_at.date(), alert.days_left or 0, _vendor(alert)


def _vendor(alert: AlertToSend) -> str:
    return alert.vendor_name or "a vendor"


def _when(left: int) -> str:
    return "today" if left == 0 else "tomorrow" if left == 1 else f"in {days(left)}"


def _facts(alert: AlertToSend) -> list[Fact]:
    known = [
        ("Severity", None if "Severity" in alert.facts else severity_of(alert)),
        ("Vendor", alert.vendor_name),
        ("Tier", alert.tier.value.capitalize() if alert.tier else None),
        ("Due", day(alert.due_on) if alert.due_on else None),
        *((str(label), _text(value)) for label, value in list(alert.facts.items())[:_MOST_FACTS]),
    ]
    if alert.vendor_id is not None:
        known += [("Owner", _owners(alert))]
    return [Fact(label, value) for label, value in known if value]


_SEVERITIES = ("info", "low", "medium", "high", "critical")
_OF_TIER = {Tier.CRITICAL: 1, Tier.LOW: -1, None: 1}
_OF_CLASS = {
    AlertClass.COVERAGE_GAP: "medium",
    AlertClass.BREACH_LISTED: "high",
    AlertClass.DOMAIN_CHANGED: "high",
    AlertClass.VENDOR_OUTAGE: "high",
    AlertClass.KNOWN_EXPLOITED: "high",
    AlertClass.SIGNAL_FINDING: "high",
    AlertClass.SUBPROCESSORS_CHANGED: "medium",
    AlertClass.SIGNAL_SCORE_FELL: "medium",
}
_LONG_GAP_DAYS = 92


def severity_of(alert: AlertToSend) -> str:
    """Return how grave an alert is: a date by its nearness and the vendor's tier, an event by its class."""
    if alert.due_on is None:
        days_of_gap = alert.facts.get("Days")
        if alert.alert_class is AlertClass.COVERAGE_GAP and isinstance(days_of_gap, int):
            return "high" if days_of_gap > _LONG_GAP_DAYS else "medium"
        return _OF_CLASS.get(alert.alert_class, "info")
    left = alert.days_left or 0
    nearness = sum(left <= bound for bound in (90, 30, 7))
    return _SEVERITIES[max(0, min(4, nearness + _OF_TIER.get(alert.tier, 0)))]


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def _owners(alert: AlertToSend) -> str:
    if alert.business_owner == alert.security_owner and alert.business_owner:
        return alert.business_owner
    owners = [f"{name} ({part})" for part, name in _owners_of(alert).items() if name]
    return ", ".join(owners) or "nobody: name one"


def _owners_of(alert: AlertToSend) -> Mapping[str, str | None]:
    return {"business": alert.business_owner, "security": alert.security_owner}


def _link(alert: AlertToSend, base: str) -> str:
    if alert.vendor_id is not None:
        return f"{base}/v1/vendors/{alert.vendor_id}"
    return f"{base}/v1/alerts/{alert.alert_id}"


def _why(alert: AlertToSend) -> str:
    if alert.recipient:
        return "You get this because you own this vendor."
    return f"You get this through the receiver “{alert.receiver_name}”."


def _payload(alert: AlertToSend) -> dict[str, object]:
    """Return the part that a webhook's receiver gets as `data`."""
    data = AlertData(
        alert_id=alert.alert_id,
        alert_class=alert.alert_class,
        vendor=None if alert.vendor_id is None else AlertVendor(alert.vendor_id, _vendor(alert)),
        tier=alert.tier,
        subject=AlertSubject(alert.subject_kind, alert.subject_id),
        title=alert.title,
        due_on=alert.due_on,
        threshold_days=alert.threshold_days,
        days_left=alert.days_left,
        facts=alert.facts,
        owners=AlertOwners(alert.business_owner, alert.security_owner),
    )
    payload: dict[str, object] = msgspec.to_builtins(data)
    return payload


_RAISED_WHEN: Mapping[AlertClass, str] = {
    AlertClass.EVIDENCE_EXPIRING: "A document or report comes to the end of the time it can be relied on",
    AlertClass.COVERAGE_GAP: "Days that no SOC 2 report covers came to light",
    AlertClass.REVIEW_DUE: "A vendor's review comes due, or is overdue",
    AlertClass.FINDING_DUE: "A finding comes due, or is overdue",
    AlertClass.RECEIVER_TEST: "Somebody asked for a test message",
    AlertClass.CERTIFICATE_EXPIRING: "A certificate that is served ends soon",
    AlertClass.DOMAIN_EXPIRING: "A domain's registration ends soon",
    AlertClass.SIGNAL_FINDING: "A severe finding was opened by an external signal",
    AlertClass.SIGNAL_SCORE_FELL: "A vendor's signal score fell far",
    AlertClass.DOMAIN_CHANGED: "A domain's registration or name servers changed",
    AlertClass.SUBPROCESSORS_CHANGED: "A vendor's list of sub-processors changed",
    AlertClass.BREACH_LISTED: "A breach of a vendor was listed",
    AlertClass.KNOWN_EXPLOITED: "A product of a vendor is listed as being exploited",
    AlertClass.VENDOR_OUTAGE: "A critical vendor's status page reports an outage",
    AlertClass.SIGNAL_DIGEST: "Findings of less weight that were opened since the last digest",
}


def webhooks() -> list[Webhook]:
    """Return the description of each class for the API's document."""
    return [
        Webhook(kind_of(alert_class), words, AlertEvent, _example(alert_class))
        for alert_class, words in _RAISED_WHEN.items()
    ]


def kind_of(alert_class: AlertClass) -> str:
    """Return the type of a webhook's event."""
    return f"alert.{alert_class.value}"


def _example(alert_class: AlertClass) -> object:
    is_timed, is_test = alert_class.value in set(TimedClass), alert_class is AlertClass.RECEIVER_TEST
    data = AlertData(
        alert_id=UUID("018f2b6a-7c1e-7d30-9a52-3f6d1c0be111"),
        alert_class=alert_class,
        vendor=None if is_test else AlertVendor(UUID("018f2b6a-7c1e-7d30-9a52-3f6d1c0be222"), "Nimbus Hosting"),
        tier=None if is_test else Tier.HIGH,
        subject=AlertSubject("receiver" if is_test else "vendor", UUID("018f2b6a-7c1e-7d30-9a52-3f6d1c0be222")),
        title="Title of the alert",
        due_on=date(2026, 4, 1) if is_timed else None,
        threshold_days=30 if is_timed else None,
        days_left=30 if is_timed else None,
        facts={},
        owners=AlertOwners(None if is_test else "Dana Reyes", None),
    )
    event = AlertEvent(kind_of(alert_class), datetime(2026, 3, 2, 8, tzinfo=UTC), data)
    return msgspec.to_builtins(event)
