"""From states to score inputs and findings: what counts for a rule, how severe it is, what is left out and until
when.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from vendorrisk.evaluation.model import AssetKind, RuleSeverity, ScanKind, Verdict
from vendorrisk.evaluation.rules import RULES, default_disabled_rules
from vendorrisk.findings.model import FindingSeverity, FindingState
from vendorrisk.signals import finding_rules, score_inputs, shared_assets
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.reconcile_queries import SignalFinding, VendorState

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ASSET = UUID(int=1)
P, W, F, U = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN


def an_asset(kind: AssetKind = AssetKind.DOMAIN, name: str = "acme.test", number: int = 1, **more: Any) -> VendorAsset:
    parts: dict[str, Any] = dict.fromkeys(VendorAsset.__struct_fields__)
    return VendorAsset(**{**parts, "id": UUID(int=number), "kind": kind, "name": name, "is_primary": False, **more})


def a_state(rule: str = "web.csp", verdict: Verdict = F, **more: Any) -> VendorState:
    known = None if verdict is U else verdict
    parts: dict[str, Any] = dict.fromkeys(VendorState.__struct_fields__)
    parts |= {"vendor_asset_id": ASSET, "rule": rule, "verdict": verdict, "known": known, "known_at": NOW}
    parts |= {"subject": "", "scan_kind": RULES[rule].group, "severity": RULES[rule].severity}
    parts |= {"believed": {}, "confidence_percent": 100, "is_open": True, "unknown_scans": 0}
    return VendorState(**{**parts, **more})


def a_finding(state: FindingState = FindingState.OPEN, rule: str = "web.csp", **more: Any) -> SignalFinding:
    parts: dict[str, Any] = dict.fromkeys(SignalFinding.__struct_fields__)
    parts |= {"vendor_asset_id": ASSET, "rule": rule, "state": state, "opened_at": NOW, "state_changed_at": NOW}
    return SignalFinding(**{**parts, **more})


def input_for(rule: str, *states: VendorState) -> Any:
    found = score_inputs.score_inputs_of([an_asset()], states, {}, frozenset(), 1)
    [one] = [given for given in found if given.rule == rule]
    return one


def test_what_was_never_seen_is_unknown_and_what_is_off_or_not_scored_is_left_out() -> None:
    found = list(score_inputs.score_inputs_of([an_asset()], [], {}, default_disabled_rules(), 1))
    assert {one.verdict for one in found} == {U}
    assert {one.rule for one in found} & (default_disabled_rules() | {"evt.breach_unverified"}) == set()
    assert {"tls.https", "email.dmarc", "evt.breach"} <= {one.rule for one in found}


def test_assets_stand_apart_and_the_main_one_is_marked() -> None:
    hosts = [an_asset(AssetKind.HOST, "b.test", 2), an_asset(AssetKind.HOST, "a.test", 3, is_primary=True)]
    found = [one for one in score_inputs.score_inputs_of(hosts, [], {}, frozenset(), 1) if one.rule == "web.csp"]
    assert [(one.asset, one.primary) for one in found] == [("a.test", True), ("b.test", False)]


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (a_state(verdict=F), a_state(verdict=U, known=P)),
        (a_state(verdict=U, known=F), a_state(verdict=U, known=P)),
        (a_state(verdict=U, known=F), a_state(verdict=W)),
        (a_state(verdict=U, known=None), a_state(verdict=W)),
        (a_state(verdict=W), a_state(verdict=P)),
        (a_state(verdict=P), a_state(verdict=Verdict.NA)),
        (a_state(cap=59), a_state(cap=69)),
        (a_state(cap=69), a_state(cap=None)),
        (a_state(believed={"faded_percent": 80}), a_state(believed={"faded_percent": 20})),
        (a_state(believed={}), a_state(believed={"faded_percent": 80})),
        (a_state(confidence_percent=95), a_state(confidence_percent=80)),
    ],
)
def test_of_several_subjects_of_a_rule_the_worst_stands_for_it(worse: VendorState, better: VendorState) -> None:
    for states in ((worse, better), (better, worse)):
        stands = input_for("web.csp", *states)
        assert (stands.verdict, stands.known, stands.cap) == (worse.verdict, worse.known, worse.cap)
        assert stands.confidence_percent == worse.confidence_percent
        assert stands.deficit_percent == worse.believed.get("faded_percent", 100)


def test_a_warn_is_one_level_milder_than_its_rule_unless_it_has_its_own_severity() -> None:
    assert RULES["web.csp"].severity is RuleSeverity.MEDIUM
    assert finding_rules.finding_severity(a_state(verdict=F)) is FindingSeverity.MEDIUM
    assert finding_rules.finding_severity(a_state(verdict=W)) is FindingSeverity.LOW
    assert finding_rules.finding_severity(a_state(verdict=W, severity=RuleSeverity.HIGH)) is FindingSeverity.HIGH


def test_what_is_information_alone_opens_no_finding() -> None:
    assert finding_rules.finding_severity(a_state(verdict=F, severity=RuleSeverity.INFO)) is None
    assert not finding_rules.is_finding(a_state(verdict=F, severity=RuleSeverity.INFO))
    assert not finding_rules.is_finding(a_state("tr.security_txt", W, severity=RULES["tr.security_txt"].severity))


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (a_state(verdict=F), True),
        (a_state(verdict=W), True),
        (a_state(verdict=U, known=F), True),
        (a_state(verdict=F, is_open=False), False),
        (a_state(verdict=P), False),
        (a_state(verdict=U, known=None), False),
    ],
)
def test_what_is_open_and_bad_is_a_finding_also_where_it_cannot_be_seen_any_more(
    state: VendorState, *, found: bool
) -> None:
    assert finding_rules.is_finding(state) is found


def test_three_scans_in_vain_over_seven_days_are_told_by_asset_and_group() -> None:
    not_known = {"unknown_since": NOW - 7 * DAY, "unknown_scans": 3}
    dark = [a_state("web.csp", **not_known), a_state("web.hsts", **not_known), a_state("email.dmarc", **not_known)]
    light = [
        a_state("tls.https", unknown_since=None, unknown_scans=0),
        a_state("dns.ns", **{**not_known, "unknown_scans": 2}),
        a_state("dom.expiry", **{**not_known, "unknown_since": NOW - 7 * DAY + timedelta(seconds=1)}),
    ]
    found = finding_rules.unobservable([*dark, *light], NOW)
    assert {(group, len(states)) for (_, _, group), states in found.items()} == {
        (ScanKind.HTTP.value, 2),
        (ScanKind.EMAIL.value, 1),
    }


def test_a_finding_suppressed_is_left_out_to_the_end_of_its_day_and_a_false_one_for_a_year() -> None:
    until = date(2026, 12, 24)
    for state in (FindingState.ACCEPTED, FindingState.DISPUTED):
        assert finding_rules.suppressed_until(a_finding(state, until_on=until)) == datetime(2026, 12, 25, tzinfo=UTC)
    assert finding_rules.suppressed_until(a_finding(FindingState.FALSE_POSITIVE)) == NOW + timedelta(days=365)
    for state in (FindingState.OPEN, FindingState.ACKNOWLEDGED, FindingState.REMEDIATED):
        assert finding_rules.suppressed_until(a_finding(state)) is None


def test_a_rule_is_left_out_only_where_every_finding_of_it_is_suppressed_and_until_the_first_ends() -> None:
    early = a_finding(FindingState.ACCEPTED, until_on=date(2026, 12, 1))
    late = a_finding(FindingState.DISPUTED, until_on=date(2026, 12, 24))
    key = (ASSET, "web.csp")
    assert finding_rules.suppressions([late, early]) == {key: datetime(2026, 12, 2, tzinfo=UTC)}
    assert finding_rules.suppressions([late, a_finding(FindingState.OPEN)]) == {}
    assert finding_rules.suppressions([late, a_finding(FindingState.OPEN, closed_at=NOW)]) == {
        key: datetime(2026, 12, 25, tzinfo=UTC)
    }
    assert finding_rules.suppressions([late, a_finding(FindingState.OPEN, rule="web.hsts")]).keys() == {key}


# ── what several assets show of one thing

MAIN = an_asset(is_primary=True)
WWW = an_asset(AssetKind.HOST, "www.acme.test", 2)
ENDED, ENDS, DANGLING = "tls.cert_expired", "tls.cert_expiring", "dns.dangling"


def shows(asset: VendorAsset, rule: str, verdict: Verdict = F, **more: Any) -> VendorState:
    evidence = {"serial": "1f", "issuer": "CN=x", "not_after": "2027-01-22T00:00:00+00:00"}
    subject = WWW.name if rule == DANGLING else ""
    parts = {"vendor_asset_id": asset.id, "evidence": evidence, "subject": subject, "reason": ""}
    return a_state(rule, verdict, **{**parts, **more})


def found_on(asset: VendorAsset, rule: str, state: FindingState = FindingState.OPEN, **more: Any) -> SignalFinding:
    parts = {"subject": WWW.name if rule == DANGLING else "", "severity": FindingSeverity.CRITICAL}
    return a_finding(state, rule, vendor_asset_id=asset.id, **{**parts, **more})


def coverers(states: list[VendorState], *sources: SignalFinding) -> dict[UUID, UUID]:
    covered = finding_rules.covered_by_another([MAIN, WWW], states, sources)
    return {key[0]: coverer[0] for key, coverer in covered.items()}


@pytest.mark.parametrize(("rule", "first", "second"), [(ENDED, MAIN, WWW), (DANGLING, WWW, MAIN)])
def test_one_thing_on_two_assets_is_notified_of_the_one_it_belongs_to(
    rule: str, first: VendorAsset, second: VendorAsset
) -> None:
    both = [shows(first, rule), shows(second, rule)]
    assert coverers(both) == {second.id: first.id}
    assert coverers([shows(first, rule, P), shows(second, rule)]) == {second.id: first.id}, "it is scanned soon"
    assert coverers([shows(first, rule, U), shows(second, rule)]) == {second.id: first.id}, "it waits to be confirmed"
    gone = [shows(first, rule, U, known=P, unknown_since=NOW), shows(second, rule)]
    assert coverers(gone) == {}, "what cannot be seen covers nothing"
    held = [shows(first, rule, U, known=F, unknown_since=NOW), shows(second, rule)]
    assert coverers(held) == {}
    assert coverers(held, found_on(first, rule)) == {second.id: first.id}, "its finding stands"
    assert coverers(held, found_on(first, rule, FindingState.ACCEPTED)) == {second.id: first.id}
    assert coverers(held, found_on(first, rule, FindingState.REMEDIATED)) == {}
    assert coverers(held, found_on(first, rule, closed_at=NOW)) == {}
    assert coverers(held, found_on(first, rule, severity=FindingSeverity.LOW)) == {}, "this is more severe"
    assert coverers(both, found_on(second, rule)) == {first.id: second.id}, "not notified twice"
    assert coverers(both, found_on(first, rule), found_on(second, rule)) == {}


def test_another_certificate_is_another_matter() -> None:
    other = {"serial": "2f", "issuer": "CN=x", "not_after": "2027-01-22T00:00:00+00:00"}
    states = [shows(MAIN, ENDED, P, evidence=other), shows(WWW, ENDED), shows(MAIN, ENDS), shows(WWW, ENDS)]
    assert coverers(states) == {}


def test_an_alias_counts_on_its_host_unless_that_is_unknown_and_was_better() -> None:
    def counted(of_host: VendorState) -> list[str]:
        states = [shows(MAIN, DANGLING), of_host]
        found = score_inputs.score_inputs_of([MAIN, WWW], states, {}, frozenset(), 1)
        return sorted(one.asset for one in found if one.rule == DANGLING)

    both = [MAIN.name, WWW.name]
    assert counted(shows(WWW, DANGLING)) == [WWW.name]
    assert counted(shows(WWW, DANGLING, P)) == [WWW.name]
    assert counted(shows(WWW, DANGLING, U, known=F, unknown_since=NOW)) == [WWW.name]
    assert counted(shows(WWW, DANGLING, U, known=P, unknown_since=NOW)) == both
    assert counted(shows(WWW, DANGLING, U)) == both, "it was never seen itself"


def test_what_another_covers_is_suppressed_with_that() -> None:
    states = [shows(MAIN, ENDED), shows(WWW, ENDED)]
    until = {(MAIN.id, ENDED): NOW + DAY}
    source = found_on(MAIN, ENDED, FindingState.ACCEPTED)
    covered = finding_rules.covered_by_another([MAIN, WWW], states, [source])
    found = score_inputs.score_inputs_of([MAIN, WWW], states, until, frozenset(), 1, covered)
    assert [s.suppressed_until for s in found if s.rule == ENDED] == [NOW + DAY, NOW + DAY]
    found = score_inputs.score_inputs_of([MAIN, WWW], states, until, frozenset(), 1)
    assert [s.suppressed_until for s in found if s.rule == ENDED] == [NOW + DAY, None], "which has a finding of its own"


def test_a_certificate_that_changed_on_the_main_host_leaves_the_others_awaiting_a_scan_of_their_own() -> None:
    other = an_asset(AssetKind.HOST, "acme.example", 3, registrable_domain="acme.example")
    main, www = (msgspec.structs.replace(asset, registrable_domain="acme.test") for asset in (MAIN, WWW))
    new, own = ({"serial": serial, "issuer": "CN=x", "not_after": "2027-04-22T00:00:00+00:00"} for serial in "23")

    def waiting(**of_main: Any) -> tuple[frozenset[UUID], dict[Any, Any]]:
        of_main = {"changed_at": NOW, "last_scan_at": NOW, "evidence": new, **of_main}
        earlier = {"changed_at": NOW - 9 * DAY, "last_scan_at": NOW - DAY}
        states = [
            shows(main, ENDED, P, **of_main),
            shows(www, ENDED, **earlier),
            shows(other, ENDED, **earlier, evidence=own),
        ]
        assets = [main, www, other]
        return shared_assets.awaiting_a_scan(assets, states), finding_rules.covered_by_another(assets, states, [])

    assert waiting() == ({www.id}, {(www.id, ENDED, ""): None})
    assert waiting(changed_at=NOW - DAY) == (frozenset(), {}), "it was scanned since"
    assert waiting(unknown_since=NOW) == (frozenset(), {})


def test_what_was_attached_of_late_is_waited_for_until_each_kind_of_scan_was_made() -> None:
    host = an_asset(AssetKind.HOST, "www.acme.test", attached_at=NOW)
    groups = {ScanKind.DNS: DANGLING, ScanKind.HTTP: "web.csp", ScanKind.CERT: ENDED, ScanKind.TLS: "tls.legacy"}
    states = {group: a_state(rule, U) for group, rule in groups.items()}

    def waits(*seen: ScanKind, at: datetime = NOW, disabled_rules: frozenset[str] = frozenset()) -> bool:
        return score_inputs.waits_for_a_scan([host], [states[group] for group in seen], disabled_rules, at)

    assert waits()
    assert waits(ScanKind.DNS, ScanKind.HTTP), "its certificate was not scanned yet"
    assert not waits(*groups)
    assert not waits(ScanKind.DNS, at=NOW + 7 * DAY)
    assert not waits(
        ScanKind.DNS,
        ScanKind.HTTP,
        ScanKind.CERT,
        disabled_rules=frozenset({"tls.legacy", "tls.modern", "tls.weak_cipher"}),
    )
