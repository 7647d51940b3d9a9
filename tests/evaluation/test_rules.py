"""The methodology's table is well formed, and the small decisions beside it hold."""

from datetime import timedelta

import pytest

from tests.signals.make import NOW
from vendorrisk.evaluation.model import RuleSeverity, SignalFactor
from vendorrisk.evaluation.rules import FACTOR_WEIGHTS, RULES, default_disabled_rules, hold_for, next_scan

DAY = timedelta(days=1)
TABLE = """
tls.https 24 10 high 100 69 CC6.7
tls.cert_expired 24 20 critical 100 59 CC6.7,A1.2
tls.cert_expiring 24 6 high 100 - A1.2,CC7.1
tls.cert_name 24 14 high 100 69 CC6.7
tls.cert_trust 24 14 high 95 69 CC6.7
tls.key_sig 168 8 medium 100 - CC6.1,CC6.7
tls.legacy 168 8 medium 95 - CC6.7
tls.modern 168 6 high 95 - CC6.7
tls.weak_cipher 168 6 medium 95 - CC6.7
tls.lifetime 168 2 low 100 - CC6.7
tls.ct_issuer 168 4 medium 60 - CC6.1,CC7.2
web.redirect 24 10 high 100 - CC6.7
web.hsts 24 10 medium 100 - CC6.7
web.csp 24 10 medium 100 - CC6.8,CC6.6
web.frame 24 6 medium 100 - CC6.6
web.nosniff 24 3 low 100 - CC6.6
web.referrer 168 2 low 100 - C1.1
web.cookies 24 8 medium 100 - CC6.1,CC6.7
web.cors 168 8 high 100 - CC6.1
web.sri 168 4 medium 100 - CC6.8
web.banner 168 1 info 100 - CC7.1
email.spf 24 8 medium 100 - CC6.6
email.spf_valid 24 6 medium 100 - CC6.6
email.spf_all 24 6 high 100 - CC6.6
email.dmarc 24 10 high 100 - CC6.6
email.dmarc_policy 24 10 medium 100 - CC6.6
email.dmarc_sub 24 3 low 100 - CC6.6
email.dmarc_rua 168 2 low 100 - CC7.2
email.dkim 168 2 info 100 - CC6.6
email.mta_sts 24 4 low 100 - CC6.7
email.tlsrpt 168 1 info 100 - CC7.2
email.dane 168 2 info 100 - CC6.7
email.bimi 168 0 info 100 - -
dns.ns 24 6 medium 100 - A1.2
dns.dnssec 24 6 high 100 - CC6.6
dns.caa 168 3 low 100 - CC6.1
dom.expiry 168 12 critical 100 59 A1.2
dom.lock 168 3 low 100 - CC6.1
dom.change 24 0 high 100 - CC7.2,CC3.4
dom.age 168 2 medium 100 - CC3.2
dns.dangling 168 12 high 100 49 CC6.1,CC6.6
dns.mx 24 2 low 100 - A1.2
exp.ports 168 10 high 70 - CC6.6
exp.kev 168 14 critical 60 59 CC7.1
exp.epss 168 8 high 50 - CC7.1
exp.eol 168 4 medium 50 - CC7.1
kev.product 24 0 high 90 - CC7.1,CC9.2
oss.scorecard 168 3 low 80 - CC8.1
evt.breach 24 10 critical 100 79 CC7.4,P6.6
evt.breach_unverified 24 0 info 100 - CC7.3
evt.status 1 4 medium 100 - A1.2,CC7.4
tr.security_txt 168 5 low 100 - CC2.3,CC7.4
tr.status_page 168 2 info 100 - CC2.3
tr.trust 168 2 info 100 - CC2.3
tr.dpa 168 1 info 100 - CC2.3
tr.subprocessors 24 2 medium 100 - CC9.2,P6.4,C1.1
"""
"""Rule, hours between scans, weight, highest severity, confidence in percent, cap, criteria: as published."""


def test_the_factors_weigh_a_hundred_and_each_has_rules() -> None:
    assert sum(FACTOR_WEIGHTS.values()) == 100
    assert {rule.factor for rule in RULES.values()} == set(SignalFactor) == set(FACTOR_WEIGHTS)


def test_every_rule_says_what_it_sees_what_to_do_and_what_it_evidences() -> None:
    for rule in RULES.values():
        assert rule.observes.endswith("."), rule.id
        assert rule.remedy.endswith(".") or rule.remedy.startswith("Publish"), rule.id
        assert rule.criteria or rule.weight == 0, rule.id
        assert 50 <= rule.confidence_percent <= 100, rule.id


def test_the_methodology_is_the_one_that_was_specified_line_by_line() -> None:
    now = [
        f"{r.id} {r.cadence_hours} {r.weight} {r.severity.value} {r.confidence_percent} {r.cap or '-'} "
        f"{','.join(r.criteria) or '-'}"
        for r in RULES.values()
    ]
    assert now == TABLE.strip().splitlines()
    assert len(now) == 56


def test_only_serious_rules_cap_the_score() -> None:
    capping = {rule.id: rule.cap for rule in RULES.values() if rule.cap is not None}
    assert capping == {
        "tls.https": 69, "tls.cert_expired": 59, "tls.cert_name": 69, "tls.cert_trust": 69, "dom.expiry": 59,
        "dns.dangling": 49, "exp.kev": 59, "evt.breach": 79,
    }  # fmt: skip
    assert all(RULES[name].severity in {RuleSeverity.HIGH, RuleSeverity.CRITICAL} for name in capping)


def test_a_factor_is_evaluated_on_hosts_or_on_the_domain_never_both() -> None:
    for factor in SignalFactor:
        assert len({rule.scope for rule in RULES.values() if rule.factor is factor}) == 1


def test_what_is_off_says_why_and_can_be_switched_on() -> None:
    off = default_disabled_rules()
    assert {"exp.ports", "exp.kev", "tls.ct_issuer", "web.cors"} <= off
    assert "exp.kev" not in default_disabled_rules(["exp.kev"])
    assert all(RULES[name].disabled_reason for name in off)


def test_a_known_verdict_is_held_three_days_or_three_cadences() -> None:
    assert hold_for(RULES["web.csp"]) == 3 * DAY
    assert hold_for(RULES["tls.legacy"]) == 21 * DAY
    assert hold_for(RULES["web.csp"], slower=7) == 21 * DAY
    assert hold_for(RULES["tls.legacy"], slower=7) == 3 * 28 * DAY, "the longest cadence there is"


@pytest.mark.parametrize(("left", "again"), [
    (90 * DAY, DAY), (2 * DAY, 16 * timedelta(hours=1)), (timedelta(hours=1), timedelta(hours=1)),
    (-5 * DAY, timedelta(hours=1)),
])  # fmt: skip
def test_the_nearer_the_end_the_sooner_the_next_scan(left: timedelta, again: timedelta) -> None:
    assert next_scan(DAY, NOW + left, NOW) == again
    assert next_scan(DAY, None, NOW) == DAY
