"""One way in: an observation of any kind becomes evaluations, given the instant, the named datasets and the past.

The past (`Before`) holds the last confirmed values of the same asset. Only changes are evaluated against it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from vendorrisk.evaluation import dns, domain, email, events, exposure, tls, transparency, web
from vendorrisk.evaluation.certificates import TrustStore
from vendorrisk.evaluation.model import AssetKind, Evaluation, ScanKind
from vendorrisk.evaluation.results import unknown
from vendorrisk.evaluation.rules import PAGE_RULES, rules_of
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_setup import DnsObservation, name_servers
from vendorrisk.probes.feeds.feed_observations import (
    BreachObservation,
    ExposureObservation,
    IssuanceObservation,
    ScorecardObservation,
)
from vendorrisk.probes.mail.mail_setup import EmailObservation
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.registration.domain_registration import RegObservation
from vendorrisk.probes.registration.rdap import Registration
from vendorrisk.probes.tls.handshake import CertObservation, HelloObservation
from vendorrisk.probes.web.page_parser import PageText
from vendorrisk.probes.web.pages import PageObservation
from vendorrisk.probes.web.site import WebObservation
from vendorrisk.probes.web.status_page import StatusObservation

Observation = (
    CertObservation
    | HelloObservation
    | WebObservation
    | EmailObservation
    | DnsObservation
    | RegObservation
    | StatusObservation
    | PageObservation
    | BreachObservation
    | IssuanceObservation
    | ExposureObservation
    | ScorecardObservation
)


class Datasets(msgspec.Struct, frozen=True):
    """The inputs of evaluations beside the observation. `versions` are stored with the evaluations."""

    store: TrustStore
    preloaded: Callable[[str], bool] = lambda _: False
    versions: dict[str, str] = {}


class Before(msgspec.Struct, frozen=True):
    """The confirmed past of the asset: values by kind of `dom.change`, the last list, the time the lock was removed."""

    values: Mapping[str, tuple[str, ...]] = {}
    page: PageText | None = None
    lock_removed_at: datetime | None = None


_NOTHING = Before()
_YEAR = timedelta(days=365)


def evaluate(
    observation: Observation,
    *,
    now: datetime,
    datasets: Datasets,
    kind: AssetKind = AssetKind.DOMAIN,
    before: Before = _NOTHING,
) -> tuple[Evaluation, ...]:
    """Evaluate an observation: pure, so that a stored one gives the same evaluations for ever."""
    match observation:
        case CertObservation():
            return tls.evaluate_certificate(observation, now=now, store=datasets.store)
        case HelloObservation():
            return tls.evaluate_versions(observation)
        case WebObservation():
            openness = transparency.evaluate_security_txt(observation.security_txt, now=now)
            found = (*web.evaluate(observation, preloaded=datasets.preloaded), openness)
            return _only(found, kind)
        case EmailObservation():
            return email.evaluate(observation)
        case DnsObservation():
            return _only((*dns.evaluate(observation), *_dns_changes(observation, before, now)), kind)
        case RegObservation():
            return (*domain.evaluate(observation, now=now), *_registrar_change(observation, before, now))
        case StatusObservation():
            return (events.evaluate_status(observation, now=now),)
        case _:
            return _evaluate_lists(observation, now, kind, before)


def _evaluate_lists(
    observation: PageObservation | BreachObservation | IssuanceObservation | ExposureObservation | ScorecardObservation,
    now: datetime,
    kind: AssetKind,
    before: Before,
) -> tuple[Evaluation, ...]:
    match observation:
        case PageObservation() if kind is AssetKind.SUBPROCESSOR_PAGE:
            return (transparency.evaluate_subprocessors(observation, before.page),)
        case PageObservation():
            return (transparency.evaluate_page(PAGE_RULES[kind], observation),)
        case ScorecardObservation():
            return (exposure.evaluate_scorecard(observation.tenths),)
        case BreachObservation():
            return events.evaluate_breaches(observation.domain, observation.breaches, now=now)
        case IssuanceObservation():
            return tls.evaluate_issuers(
                observation.issuances, admitted=observation.admitted, known=_known(observation, now), now=now
            )
        case ExposureObservation():
            return exposure.evaluate(
                observation.addresses,
                exploited=frozenset(observation.exploited),
                millionths=observation.likely_millionths,
            )


def all_unknown(kind: AssetKind, group: ScanKind, reason: str) -> tuple[Evaluation, ...]:
    """Return "unknown" for every rule of a group that was not scanned at all."""
    return tuple(unknown(rule.id, reason) for rule in rules_of(kind, group) if rule.id != "dom.change")


def _only(found: tuple[Evaluation, ...], kind: AssetKind) -> tuple[Evaluation, ...]:
    """Leave out evaluations of domain rules if the scan was of one of its hosts."""
    if kind is AssetKind.DOMAIN:
        return found
    applies = {rule.id for rule in rules_of(kind)}
    return tuple(one for one in found if one.rule in applies)


def _dns_changes(observation: DnsObservation, before: Before, now: datetime) -> tuple[Evaluation, ...]:
    answers = Answers(observation.answers)
    servers, mail = name_servers(answers, observation.domain), answers.get(observation.domain, "MX")
    found = []
    if servers:
        found.append(_change("ns", servers, before, now))
    if not mail.unknown:
        found.append(_change("mail", domain.mail_providers(mail), before, now))
    return tuple(found)


def _registrar_change(observation: RegObservation, before: Before, now: datetime) -> tuple[Evaluation, ...]:
    if not isinstance(observation.registration, Registration) or not observation.registration.registrar:
        return ()
    return (_change("registrar", (observation.registration.registrar,), before, now),)


def _change(kind: str, value: tuple[str, ...], before: Before, now: datetime) -> Evaluation:
    known = before.values.get(kind, value)
    return domain.evaluate_change(kind, known, value, lock_removed_at=before.lock_removed_at, now=now)


def _known(observation: IssuanceObservation, now: datetime) -> set[str]:
    """Return the issuers of the year before the last 30 days."""
    if isinstance(observation.issuances, Unknown):
        return set()
    month = now - timedelta(days=30)
    return {one.issuer for one in observation.issuances if month - _YEAR <= one.not_before < month}
