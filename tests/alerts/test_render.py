"""Every class for every channel: real dates, the vendor, days left, who owns it, a link, and what to do."""

import json
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.whole.surface import unopened_app
from vendorrisk.alerts.model import AlertClass, AlertToSend, ReceiverKind, TimedClass
from vendorrisk.alerts.render import day, message_of
from vendorrisk.channels.mail_form import email_of, html_of
from vendorrisk.channels.port import Message
from vendorrisk.channels.slack_form import blocks, fallback
from vendorrisk.channels.text import plain
from vendorrisk.channels.webhook import body_of
from vendorrisk.vendors.model import Tier

RAISED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VENDOR = UUID("01936d2a-0000-7000-8000-000000000001")
BASE = "https://risk.example.org/"


def an_alert(alert_class: AlertClass, days_left: int = 30, **changes: Any) -> AlertToSend:
    timed = alert_class.value in set(TimedClass)
    test = alert_class is AlertClass.RECEIVER_TEST
    alert = AlertToSend(
        delivery_id=UUID(int=2),
        recipient="",
        receiver_id=UUID(int=3),
        tenant_id=UUID(int=1),
        kind=ReceiverKind.CONSOLE,
        receiver_name="Security channel",
        address_sealed=None,
        alert_id=UUID(int=4),
        alert_class=alert_class,
        subject_kind="document",
        subject_id=UUID(int=5),
        title="SOC 2 Type 2 report",
        tier=None if test else Tier.CRITICAL,
        due_on=RAISED.date() + timedelta(days=days_left) if timed else None,
        threshold_days=days_left if timed else None,
        days_left=days_left if timed else None,
        facts={} if timed or test else {"Gap": "1 to 31 January 2026", "Days": 31},
        raised_at=RAISED,
        vendor_id=None if test else VENDOR,
        vendor_name=None if test else "Example Analytics",
        business_owner=None if test else "Dana Reyes",
        security_owner=None if test else "Omar Haddad",
    )
    return msgspec.structs.replace(alert, **changes)


def forms(message: Message) -> dict[str, str]:
    """Return the message in each channel's form, as text to look things up in."""
    mail = email_of(message, sender="Risk <r@example.org>", to="o@example.org", key="k", sent_at=RAISED)
    return {
        "text": plain(message),
        "html": unescape(html_of(message)),
        "email": unescape("\n".join(str(part.get_content()) for part in mail.iter_parts())),
        "slack": fallback(message) + msgspec.json.encode(blocks(message, "k")).decode(),
        "webhook": body_of(message),
    }


@pytest.mark.parametrize("alert_class", AlertClass)
def test_every_class_renders_for_every_channel(alert_class: AlertClass) -> None:
    message = message_of(an_alert(alert_class), BASE)
    assert message.kind == f"alert.{alert_class.value}"
    assert message.action
    for name, form in forms(message).items():
        assert form, name
        if name != "webhook":
            assert message.action in form, name
            assert message.link in form, name


@pytest.mark.parametrize("alert_class", [AlertClass(each.value) for each in TimedClass])
def test_a_timed_alert_says_when_who_and_where(alert_class: AlertClass) -> None:
    message = message_of(an_alert(alert_class), BASE)
    for name, form in forms(message).items():
        if name != "webhook":
            for words in ("Example Analytics", "1 April 2026", "in 30 days", "Dana Reyes (business)", "Omar Haddad"):
                assert words in form, (name, words)
    payload = msgspec.json.decode(body_of(message))["data"]
    assert (payload["due_on"], payload["days_left"], payload["threshold_days"]) == ("2026-04-01", 30, 30)
    assert payload["vendor"] == {"id": str(VENDOR), "name": "Example Analytics"}
    assert payload["owners"] == {"business": "Dana Reyes", "security": "Omar Haddad"}
    assert message.link == f"https://risk.example.org/v1/vendors/{VENDOR}"


@pytest.mark.parametrize(
    ("left", "title"),
    [
        (180, "expires in 180 days"),
        (1, "expires tomorrow"),
        (0, "expires today"),
        (-1, "expired 1 day ago"),
        (-14, "expired 14 days ago"),
    ],
)
def test_the_title_says_what_is_left_in_words(left: int, title: str) -> None:
    message = message_of(an_alert(AlertClass.EVIDENCE_EXPIRING, left), BASE)
    assert message.title == f"SOC 2 Type 2 report of Example Analytics {title}"


def test_what_to_do_changes_with_the_time_that_is_left() -> None:
    actions = [message_of(an_alert(AlertClass.EVIDENCE_EXPIRING, left), BASE).action for left in (180, 90, 30, -7)]
    assert len(set(actions)) == 4


@pytest.mark.parametrize(
    ("alert_class", "left", "changes", "severity"),
    [
        (AlertClass.EVIDENCE_EXPIRING, 120, {"tier": Tier.LOW}, "info"),
        (AlertClass.EVIDENCE_EXPIRING, 60, {"tier": Tier.MEDIUM}, "low"),
        (AlertClass.EVIDENCE_EXPIRING, 20, {"tier": Tier.HIGH}, "medium"),
        (AlertClass.EVIDENCE_EXPIRING, 20, {"tier": None}, "high"),
        (AlertClass.EVIDENCE_EXPIRING, -1, {"tier": Tier.CRITICAL}, "critical"),
        (AlertClass.COVERAGE_GAP, 0, {"facts": {"Days": 92}}, "medium"),
        (AlertClass.COVERAGE_GAP, 0, {"facts": {"Days": 93}}, "high"),
        (AlertClass.BREACH_LISTED, 0, {}, "high"),
    ],
)
def test_every_form_names_the_severity(
    alert_class: AlertClass, left: int, changes: dict[str, Any], severity: str
) -> None:
    message = message_of(an_alert(alert_class, left, **changes), BASE)
    assert [fact.value for fact in message.facts if fact.label == "Severity"] == [severity]
    for name, form in forms(message).items():
        if name != "webhook":
            assert "Severity" in form, name
            assert severity in form, name


def test_a_vendor_without_owners_asks_for_one() -> None:
    message = message_of(an_alert(AlertClass.REVIEW_DUE, business_owner=None, security_owner=None), BASE)
    assert "Owner: nobody: name one" in plain(message)


def test_one_who_owns_both_sides_is_named_once() -> None:
    message = message_of(an_alert(AlertClass.REVIEW_DUE, security_owner="Dana Reyes"), BASE)
    assert "Owner: Dana Reyes\n" in plain(message)


def test_a_reader_learns_why_they_are_notified_and_where_to_change_it() -> None:
    through = message_of(an_alert(AlertClass.REVIEW_DUE), BASE)
    assert through.why == "You get this through the receiver “Security channel”."
    assert through.manage_link == f"https://risk.example.org/v1/receivers/{UUID(int=3)}"
    assert "own this vendor" in message_of(an_alert(AlertClass.REVIEW_DUE, recipient="a@example.org"), BASE).why


def webhooks() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(unopened_app().litestar.state.document["webhooks"]))
    return made


def test_the_document_tells_of_every_class_what_a_webhook_is_sent() -> None:
    assert set(webhooks()) == {f"alert.{alert_class.value}" for alert_class in AlertClass}


@pytest.mark.parametrize("alert_class", AlertClass)
def test_what_a_webhook_is_sent_and_its_example_fit_the_schema_of_its_class_and_of_no_other(
    alert_class: AlertClass,
) -> None:
    shown = webhooks()[f"alert.{alert_class.value}"]["post"]["requestBody"]["content"]["application/json"]
    document = unopened_app().litestar.state.document
    schema = Draft202012Validator({**shown["schema"], "components": document["components"]})
    sent = json.loads(body_of(message_of(an_alert(alert_class), BASE)))
    for body in (sent, shown["example"]):
        assert [error.message for error in schema.iter_errors(body)] == []
        assert set(body["data"]) == set(document["components"]["schemas"]["AlertData"]["properties"])
    assert list(schema.iter_errors({**sent, "type": "alert.none"}))
    assert list(schema.iter_errors({**sent, "data": {}}))


@given(st.dates())
def test_a_date_is_written_out(on: date) -> None:
    assert day(on) == f"{on.day} {on.strftime('%B')} {on.year}"


@given(st.text(min_size=1, max_size=300), st.dictionaries(st.text(max_size=40), st.text(max_size=400), max_size=12))
def test_any_words_of_a_vendor_give_every_form_without_markup_of_their_own(words: str, facts: dict[str, str]) -> None:
    for alert_class in AlertClass:
        message = message_of(an_alert(alert_class, vendor_name=words, title=words, facts=dict(facts)), BASE)
        made = forms(message)
        assert len(blocks(message, "k")[1].get("fields", [])) <= 10
        assert "<!" not in made["slack"]
        assert "<@" not in made["slack"]
