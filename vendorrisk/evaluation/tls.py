"""Evaluation of port 443: certificate, versions, ciphers, and certificates issued elsewhere.

A handshake that failed is no verdict by itself. Only where HTTP answered at the same time (the positive control) and
port 443 was closed, or answered otherwise than with a handshake, is HTTPS known to be missing. A dropped connection may
have met a filter, and proves nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from vendorrisk.evaluation import certificates as x
from vendorrisk.evaluation.certificates import Chain, TrustStore
from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.evaluation.rules import RULES
from vendorrisk.probes.feeds.feed_parser import Issuance
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.tls.clienthello import NAMES, Greeting
from vendorrisk.probes.tls.handshake import CertObservation, HelloObservation

_CERTIFICATE_RULES = (
    "tls.cert_expired", "tls.cert_expiring", "tls.cert_name", "tls.cert_trust", "tls.key_sig", "tls.lifetime",
)  # fmt: skip
_ANSWERED_OTHERWISE = frozenset({"connect_refused", "tls_failed", "protocol"})
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_SSL3 = 0x0300


def evaluate_certificate(observation: CertObservation, *, now: datetime, store: TrustStore) -> tuple[Evaluation, ...]:
    """Evaluate a certificate scan at an instant, over a named trust store."""
    if isinstance(observation.handshake, Unknown):
        return _without_handshake(observation, observation.handshake.reason)
    try:
        chain = x.parse_chain(observation.handshake.chain, observation.handshake.fetched)
        trust = x.trust(chain, store, now)
    except ValueError:
        return _without_handshake(observation, "certificate_malformed", tls_spoken=True)
    found: Facts = {"version": observation.handshake.version}
    return (
        passed("tls.https", "handshake", "HTTPS is offered.", evidence=found),
        _expired(chain, now),
        _expiring(chain, now),
        _name(observation.host, chain),
        _trust(trust, observation.handshake.fetch_failed, store),
        _strength(chain),
        _lifetime(chain, trust),
    )


def _without_handshake(
    observation: CertObservation, reason: str, *, tls_spoken: bool = False
) -> tuple[Evaluation, ...]:
    rest = tuple(unknown(rule, reason) for rule in _CERTIFICATE_RULES)
    if tls_spoken:
        return (passed("tls.https", "handshake", "HTTPS is offered."), *rest)
    if observation.plain_answers and reason in _ANSWERED_OTHERWISE:
        words = "HTTP answers on port 80, and port 443 completes no TLS handshake."
        missing = failed("tls.https", "no_tls", words, cap=RULES["tls.https"].cap, evidence={"why": reason})
        return (missing, *rest)
    if observation.plain_answers is False and reason == "connect_refused":
        return (inapplicable("tls.https", "no_web", "The host serves no web site."), *rest)
    return (unknown("tls.https", reason), *rest)


def _facts(chain: Chain) -> Facts:
    return {
        "serial": f"{chain.leaf.serial_number:x}",
        "not_after": chain.leaf.not_valid_after_utc.isoformat(),
        "issuer": chain.leaf.issuer.rfc4514_string(),
    }


def _expired(chain: Chain, now: datetime) -> Evaluation:
    rule, leaf, facts = "tls.cert_expired", chain.leaf, _facts(chain)
    whole = now.replace(microsecond=0)
    if whole > leaf.not_valid_after_utc:
        words = f"The certificate ended on {leaf.not_valid_after_utc:%Y-%m-%d}."
        return failed(rule, "expired", words, cap=RULES[rule].cap, evidence=facts)
    if whole < leaf.not_valid_before_utc:
        words = f"The certificate begins on {leaf.not_valid_before_utc:%Y-%m-%d} only."
        return failed(rule, "not_yet_valid", words, cap=RULES[rule].cap, evidence=facts)
    return passed(rule, "in_date", f"In date until {leaf.not_valid_after_utc:%Y-%m-%d}.", evidence=facts)


def _clamp(value: timedelta, least: timedelta, most: timedelta) -> timedelta:
    return max(least, min(value, most))


def _expiring(chain: Chain, now: datetime) -> Evaluation:
    """The threshold depends on the lifetime: a soon end for a year's certificate is half the life of a short one."""
    rule, life = "tls.cert_expiring", x.lifetime(chain.leaf)
    left = chain.leaf.not_valid_after_utc - now.replace(microsecond=0)
    facts: Facts = {"serial": f"{chain.leaf.serial_number:x}", "lifetime_days": life.days}
    if left < timedelta(0):
        return inapplicable(rule, "already_expired", "The certificate has ended. See tls.cert_expired.")
    words = f"The certificate ends in {left.days} days."
    if left <= _clamp(life * 5 / 100, 8 * _HOUR, 7 * _DAY):
        return failed(rule, "ends_now", words, evidence=facts)
    if left <= _clamp(life * 15 / 100, _DAY, 21 * _DAY):
        return warned(rule, "ends_soon", words, evidence=facts, severity=RuleSeverity.MEDIUM)
    return passed(rule, "time_left", "There is a fair part of its lifetime left.", evidence=facts)


def _name(host: str, chain: Chain) -> Evaluation:
    rule, named = "tls.cert_name", x.names(chain.leaf)
    facts: Facts = {"names": named[:20]}
    if x.is_named(host, chain.leaf):
        return passed(rule, "named", "The certificate names the host.", evidence=facts)
    reason = "other_name" if named else "no_name"
    words = f"The certificate does not name {host}."
    return failed(rule, reason, words, cap=RULES[rule].cap, evidence=facts)


def _trust(trust: x.Trust, fetch_failed: str, store: TrustStore) -> Evaluation:
    rule = "tls.cert_trust"
    facts: Facts = {"store": store.version}
    if trust.reason == "trusted":
        return passed(rule, "trusted", "The chain leads to a root of the store.", evidence=facts)
    if trust.reason == "incomplete":
        return warned(rule, "incomplete", "An intermediate is not sent. Some clients fail.", evidence=facts)
    if fetch_failed:
        return unknown(rule, "issuer_unreachable", f"The chain is incomplete, its issuer unreachable: {fetch_failed}.")
    words = {
        "self_signed": "The certificate is signed by itself.",
        "untrusted": "The chain leads to no root of the store.",
    }[trust.reason]
    return failed(rule, trust.reason, words, cap=RULES[rule].cap, evidence=facts)


def _strength(chain: Chain) -> Evaluation:
    rule, weak = "tls.key_sig", x.weaknesses(chain)
    if any(w.endswith("_unknown") for w in weak):
        return unknown(rule, weak[0])
    if weak:
        return failed(rule, "weak", f"Weak: {', '.join(weak)}.", evidence={"weak": weak})
    return passed(rule, "strong", "Key and signatures are of present strength.")


def _lifetime(chain: Chain, trust: x.Trust) -> Evaluation:
    rule, limit, life = "tls.lifetime", x.lifetime_limit(chain.leaf), x.lifetime(chain.leaf)
    if not trust.is_trusted or limit is None:
        return inapplicable(rule, "no_limit", "The limit binds publicly trusted certificates of our day.")
    if life > limit:
        words = f"{life.days} days, where {limit.days} were allowed."
        return warned(rule, "too_long", words, evidence={"days": life.days})
    return passed(rule, "within_limit", f"{life.days} of {limit.days} days.", evidence={"days": life.days})


# ── versions and ciphers


def evaluate_versions(observation: HelloObservation) -> tuple[Evaluation, ...]:
    """Evaluate the responses to the greetings. A refusal counts only if another greeting was accepted."""
    seen = {greeting: observation.outcomes.get(greeting.value, "not_greeted") for greeting in Greeting}
    if Greeting.TLS1_2 not in _accepted(seen) and Greeting.TLS1_3 not in _accepted(seen):
        return _without_control(observation, seen)
    return (_legacy(observation, seen), _modern(seen), _weak_cipher(seen))


def _accepted(seen: dict[Greeting, str]) -> list[Greeting]:
    return [greeting for greeting, outcome in seen.items() if outcome == "accepted"]


def _is_refusal(outcome: str) -> bool:
    """With a positive control, hanging up on a greeting is a refusal like an alert, and so is a lower version."""
    return outcome in {"refused", "closed", "lower"}


def _without_control(observation: HelloObservation, seen: dict[Greeting, str]) -> tuple[Evaluation, ...]:
    legacy = [g for g in (Greeting.SSL3, Greeting.LEGACY) if seen[g] == "accepted"]
    if legacy:
        modern = failed("tls.modern", "only_old", "Neither TLS 1.2 nor TLS 1.3 is spoken.")
        if not all(_is_refusal(seen[g]) for g in (Greeting.TLS1_2, Greeting.TLS1_3)):
            modern = unknown("tls.modern", seen[Greeting.TLS1_2])
        return (_legacy(observation, seen), modern, _weak_cipher(seen))
    reason = next((o for o in seen.values() if o not in {"refused", "not_greeted"}), "all_refused")
    return tuple(unknown(rule, reason) for rule in ("tls.legacy", "tls.modern", "tls.weak_cipher"))


def _legacy(observation: HelloObservation, seen: dict[Greeting, str]) -> Evaluation:
    rule = "tls.legacy"
    spoken = [observation.versions.get(g.value, 0) for g in (Greeting.SSL3, Greeting.LEGACY) if seen[g] == "accepted"]
    if spoken:
        words = f"{NAMES.get(min(spoken), 'An old version')} is still spoken."
        severity = RuleSeverity.HIGH if _SSL3 in spoken else RuleSeverity.MEDIUM
        names = tuple(NAMES.get(version, "old") for version in spoken)
        return failed(rule, "old_spoken", words, severity=severity, evidence={"versions": names})
    odd = next((seen[g] for g in (Greeting.SSL3, Greeting.LEGACY) if not _is_refusal(seen[g])), "")
    if odd:
        return unknown(rule, odd)
    return passed(rule, "old_refused", "SSL 3.0, TLS 1.0 and TLS 1.1 are refused.")


def _modern(seen: dict[Greeting, str]) -> Evaluation:
    rule = "tls.modern"
    if seen[Greeting.TLS1_3] == "accepted":
        return passed(rule, "tls_1_3", "TLS 1.3 is spoken.")
    if not _is_refusal(seen[Greeting.TLS1_3]):
        return unknown(rule, seen[Greeting.TLS1_3])
    return warned(rule, "no_tls_1_3", "TLS 1.3 is not spoken.", severity=RuleSeverity.LOW)


def _weak_cipher(seen: dict[Greeting, str]) -> Evaluation:
    rule, outcome = "tls.weak_cipher", seen[Greeting.WEAK]
    if outcome == "accepted":
        return failed(rule, "weak_accepted", "A client with nothing but RC4, 3DES, NULL or export is let in.")
    if not _is_refusal(outcome):
        return unknown(rule, outcome)
    return passed(rule, "weak_refused", "Weak ciphers are refused.")


# ── certificate transparency


def evaluate_issuers(
    issued: Iterable[Issuance] | Unknown, *, admitted: Iterable[str], known: Iterable[str], now: datetime
) -> tuple[Evaluation, ...]:
    """Evaluate the last 30 days' issuances against the CAA records and the issuers of the 365 days before.

    `admitted` are the CAs of the CAA records by domain, `known` the issuer names seen before.
    """
    rule = "tls.ct_issuer"
    if isinstance(issued, Unknown):
        return (unknown(rule, issued.reason),)
    recent = [i for i in issued if now - timedelta(days=30) <= i.not_before <= now]
    words = {w for domain in admitted for w in (domain.lower(), domain.lower().partition(".")[0])}
    familiar = {name.lower() for name in known}
    strange = sorted({
        i.issuer for i in recent
        if i.issuer.lower() not in familiar and not any(w in i.issuer.lower().replace(" ", "").replace("'", "")
                                                        for w in words)
    })  # fmt: skip
    if strange:
        named: Facts = {"issuers": tuple(strange[:10])}
        return (warned(rule, "new_issuer", f"A certificate came from {strange[0]}.", evidence=named),)
    return (passed(rule, "known_issuers", "Every recent certificate came from a known issuer."),)
