"""The methodology's table is well formed, and the small decisions beside it hold."""

from datetime import timedelta

import pytest

from tests.signals.make import NOW
from vendorrisk.signals.model import Factor, Severity
from vendorrisk.signals.rules import FACTOR_WEIGHTS, RULES, hold_for, next_look, rules_off

DAY = timedelta(days=1)


def test_the_factors_weigh_a_hundred_and_each_has_rules() -> None:
    assert sum(FACTOR_WEIGHTS.values()) == 100
    assert {rule.factor for rule in RULES.values()} == set(Factor) == set(FACTOR_WEIGHTS)


def test_every_rule_says_what_it_sees_what_to_do_and_what_it_evidences() -> None:
    for rule in RULES.values():
        assert rule.observes.endswith("."), rule.id
        assert rule.remedy.endswith(".") or rule.remedy.startswith("Publish"), rule.id
        assert rule.criteria or rule.weight == 0, rule.id
        assert 50 <= rule.confidence_percent <= 100, rule.id


def test_only_serious_rules_cap_the_score() -> None:
    capping = {rule.id: rule.cap for rule in RULES.values() if rule.cap is not None}
    assert capping == {
        "tls.https": 69, "tls.cert_expired": 59, "tls.cert_name": 69, "tls.cert_trust": 69, "dom.expiry": 59,
        "dns.dangling": 49, "exp.kev": 59, "evt.breach": 79,
    }  # fmt: skip
    assert all(RULES[name].severity in {Severity.HIGH, Severity.CRITICAL} for name in capping)


def test_a_factor_is_judged_on_hosts_or_on_the_domain_never_both() -> None:
    for factor in Factor:
        assert len({rule.scope for rule in RULES.values() if rule.factor is factor}) == 1


def test_what_is_off_says_why_and_can_be_switched_on() -> None:
    off = rules_off()
    assert {"exp.ports", "exp.kev", "tls.ct_issuer", "web.cors"} <= off
    assert "exp.kev" not in rules_off(["exp.kev"])
    assert all(RULES[name].off_because for name in off)


def test_a_known_verdict_is_held_three_days_or_three_cadences() -> None:
    assert hold_for(RULES["web.csp"]) == 3 * DAY
    assert hold_for(RULES["tls.legacy"]) == 21 * DAY
    assert hold_for(RULES["web.csp"], slower=7) == 21 * DAY
    assert hold_for(RULES["tls.legacy"], slower=7) == 3 * 28 * DAY, "the longest cadence there is"


@pytest.mark.parametrize(("left", "again"), [
    (90 * DAY, DAY), (2 * DAY, 16 * timedelta(hours=1)), (timedelta(hours=1), timedelta(hours=1)),
    (-5 * DAY, timedelta(hours=1)),
])  # fmt: skip
def test_the_nearer_the_end_the_sooner_the_next_look(left: timedelta, again: timedelta) -> None:
    assert next_look(DAY, NOW + left, NOW) == again
    assert next_look(DAY, None, NOW) == DAY
