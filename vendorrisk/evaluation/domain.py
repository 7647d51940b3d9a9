"""Evaluation of a domain's registration: its end, its lock, its age, and changes of its providers."""

from datetime import datetime, timedelta

from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.evaluation.rules import RULES
from vendorrisk.probes.observation import Lookup, Unknown
from vendorrisk.probes.public_suffix import registrable_domain
from vendorrisk.probes.registration.domain_registration import RegObservation
from vendorrisk.probes.registration.rdap import NotOwn, NotRegistered, Registration

_WARN_DAYS, _FAIL_DAYS = 30, 7
_YOUNG = timedelta(days=30)
_ENDING = frozenset({"redemption period", "pending delete", "pending restore"})
_LOCKS = frozenset({"client transfer prohibited", "server transfer prohibited"})
_WITHOUT_LOCK = frozenset({"de", "au", "nl", "eu", "uk", "at", "ch", "li", "jp", "no", "be", "dk"})
"""Top-level domains whose registry publishes no such status."""

_RULES = ("dom.expiry", "dom.lock", "dom.age")


def evaluate(observation: RegObservation, *, now: datetime) -> tuple[Evaluation, ...]:
    found = observation.registration
    if isinstance(found, Unknown):
        return tuple(unknown(rule, found.reason) for rule in _RULES)
    if isinstance(found, NotOwn):
        words = "The name is lent under another's, and has no registration of its own."
        return tuple(inapplicable(rule, "no_own_registration", words) for rule in _RULES)
    if isinstance(found, NotRegistered):
        rule = "dom.expiry"
        gone = failed(rule, "not_registered", "The domain is not registered.", cap=RULES[rule].cap)
        rest = (inapplicable(r, "not_registered", "The domain is not registered.") for r in _RULES[1:])
        return (gone, *rest)
    return (_expiry(found, now), _lock(observation.domain, found), _age(found, now))


def _expiry(found: Registration, now: datetime) -> Evaluation:
    rule = "dom.expiry"
    ending = sorted(_ENDING & set(found.statuses))
    facts: Facts = {
        "expires_at": None if found.expires_at is None else found.expires_at.isoformat(),
        "source": found.source,
    }
    if ending:
        words = f"The registration has ended: {ending[0]}."
        return failed(rule, ending[0].replace(" ", "_"), words, cap=RULES[rule].cap, evidence=facts)
    if found.expires_at is None:
        return unknown(rule, "no_expiry_stated", "The registry does not say when the registration ends.")
    left = found.expires_at - now
    if left < timedelta(0):
        words = f"The registration ended on {found.expires_at:%Y-%m-%d}."
        return failed(rule, "expired", words, cap=RULES[rule].cap, evidence=facts)
    words = f"The registration ends on {found.expires_at:%Y-%m-%d}."
    if left <= timedelta(days=_FAIL_DAYS):
        return failed(rule, "ends_now", words, severity=RuleSeverity.HIGH, evidence=facts)
    if left <= timedelta(days=_WARN_DAYS):
        return warned(rule, "ends_soon", words, severity=RuleSeverity.MEDIUM, evidence=facts)
    return passed(rule, "time_left", words, evidence=facts)


def _lock(domain: str, found: Registration) -> Evaluation:
    rule = "dom.lock"
    if _LOCKS & set(found.statuses):
        return passed(rule, "locked", "Transfers are prohibited.")
    if domain.rpartition(".")[2] in _WITHOUT_LOCK:
        return inapplicable(rule, "registry_has_none", "The registry knows no transfer lock.")
    if not found.statuses:
        return unknown(rule, "no_status_stated", "The registry does not publish the domain's status.")
    return warned(rule, "unlocked", "The domain can be transferred away.")


def _age(found: Registration, now: datetime) -> Evaluation:
    rule = "dom.age"
    if found.created_at is None:
        return unknown(rule, "no_creation_stated", "The registry does not say since when.")
    if now - found.created_at < _YOUNG:
        return warned(rule, "young", f"The domain is {(now - found.created_at).days} days old.")
    return passed(rule, "grown", f"Registered since {found.created_at:%Y-%m-%d}.")


def mail_providers(mx: Lookup) -> tuple[str, ...]:
    """Return the mail providers: the registrable domains of the MX hosts."""
    hosts = (record.rpartition(" ")[2] for record in mx.records)
    return tuple(sorted({registrable_domain(host) or host for host in hosts if host}))


def evaluate_change(
    kind: str, before: tuple[str, ...], after: tuple[str, ...], *, lock_removed_at: datetime | None, now: datetime
) -> Evaluation:
    """Evaluate name servers, registrar or mail providers against those last confirmed.

    `kind` is ns, registrar or mail. A change within seven days of the lock's removal is the pattern of a domain theft.
    """
    rule = "dom.change"
    if set(before) == set(after):
        return passed(rule, "same", f"The {kind} is as before.", subject=kind, evidence={"now": after})
    facts: Facts = {"before": before, "now": after}
    words = f"The {kind} changed from {', '.join(before) or 'nothing'} to {', '.join(after) or 'nothing'}."
    if lock_removed_at is not None and timedelta(0) <= now - lock_removed_at <= timedelta(days=7):
        return failed(rule, "changed_after_unlock", words, subject=kind, evidence=facts)
    return warned(rule, "changed", words, subject=kind, evidence=facts, severity=RuleSeverity.MEDIUM)
