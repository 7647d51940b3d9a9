"""One way in: an observation of any kind becomes judgements, given the instant, the named datasets and the past.

The past (`Before`) is what was last believed of the same asset: a change is judged against it, nothing else is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from vendorrisk.evaluation import dns, domain, email, events, exposure, tls, transparency, web
from vendorrisk.evaluation.certificates import TrustStore
from vendorrisk.evaluation.model import AssetKind, Group, Judgement
from vendorrisk.evaluation.results import unknown
from vendorrisk.evaluation.rules import PAGE_RULES, rules_of
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_setup import DnsLook, name_servers
from vendorrisk.probes.feeds.feed_observations import BreachLook, ExposureLook, IssuanceLook, ScorecardLook
from vendorrisk.probes.mail.mail_setup import EmailLook
from vendorrisk.probes.observation import Unseen
from vendorrisk.probes.registration.domain_registration import RegLook
from vendorrisk.probes.registration.rdap import Registration
from vendorrisk.probes.tls.handshake import CertLook, HelloLook
from vendorrisk.probes.web.page_parser import PageText
from vendorrisk.probes.web.pages import PageLook
from vendorrisk.probes.web.site import WebLook
from vendorrisk.probes.web.status_page import StatusLook

Observation = (
    CertLook
    | HelloLook
    | WebLook
    | EmailLook
    | DnsLook
    | RegLook
    | StatusLook
    | PageLook
    | BreachLook
    | IssuanceLook
    | ExposureLook
    | ScorecardLook
)


class Datasets(msgspec.Struct, frozen=True):
    """What judgements rest on beside the observation; `versions` are written down with them."""

    store: TrustStore
    preloaded: Callable[[str], bool] = lambda _: False
    versions: dict[str, str] = {}


class Before(msgspec.Struct, frozen=True):
    """What was believed of the asset: of each kind of `dom.change` its value, the last list, when the lock went."""

    values: Mapping[str, tuple[str, ...]] = {}
    page: PageText | None = None
    lock_removed_at: datetime | None = None


_NOTHING = Before()
_YEAR = timedelta(days=365)


def judge(
    look: Observation,
    *,
    now: datetime,
    datasets: Datasets,
    kind: AssetKind = AssetKind.DOMAIN,
    before: Before = _NOTHING,
) -> tuple[Judgement, ...]:
    """Judge an observation: pure, so that a stored one gives the same judgements for ever."""
    match look:
        case CertLook():
            return tls.judge_certificate(look, now=now, store=datasets.store)
        case HelloLook():
            return tls.judge_versions(look)
        case WebLook():
            openness = transparency.judge_security_txt(look.security_txt, now=now)
            found = (*web.judge(look, preloaded=datasets.preloaded), openness)
            return _only(found, kind)
        case EmailLook():
            return email.judge(look)
        case DnsLook():
            return _only((*dns.judge(look), *_dns_changes(look, before, now)), kind)
        case RegLook():
            return (*domain.judge(look, now=now), *_registrar_change(look, before, now))
        case StatusLook():
            return (events.judge_status(look, now=now),)
        case _:
            return _judge_lists(look, now, kind, before)


def _judge_lists(
    look: PageLook | BreachLook | IssuanceLook | ExposureLook | ScorecardLook,
    now: datetime,
    kind: AssetKind,
    before: Before,
) -> tuple[Judgement, ...]:
    match look:
        case PageLook() if kind is AssetKind.SUBPROCESSOR_PAGE:
            return (transparency.judge_subprocessors(look, before.page),)
        case PageLook():
            return (transparency.judge_page(PAGE_RULES[kind], look),)
        case ScorecardLook():
            return (exposure.judge_scorecard(look.tenths),)
        case BreachLook():
            return events.judge_breaches(look.domain, look.breaches, now=now)
        case IssuanceLook():
            return tls.judge_issuers(look.issuances, admitted=look.admitted, known=_known(look, now), now=now)
        case ExposureLook():
            return exposure.judge(
                look.addresses, exploited=frozenset(look.exploited), millionths=look.likely_millionths
            )


def blind(kind: AssetKind, group: Group, reason: str) -> tuple[Judgement, ...]:
    """Return "unknown" for every rule of a group that was not looked at at all."""
    return tuple(unknown(rule.id, reason) for rule in rules_of(kind, group) if rule.id != "dom.change")


def _only(found: tuple[Judgement, ...], kind: AssetKind) -> tuple[Judgement, ...]:
    """Leave out what is judged of the domain, where a look was at one of its hosts."""
    if kind is AssetKind.DOMAIN:
        return found
    applies = {rule.id for rule in rules_of(kind)}
    return tuple(one for one in found if one.rule in applies)


def _dns_changes(look: DnsLook, before: Before, now: datetime) -> tuple[Judgement, ...]:
    answers = Answers(look.answers)
    servers, mail = name_servers(answers, look.domain), answers.get(look.domain, "MX")
    found = []
    if servers:
        found.append(_change("ns", servers, before, now))
    if not mail.unseen:
        found.append(_change("mail", domain.mail_providers(mail), before, now))
    return tuple(found)


def _registrar_change(look: RegLook, before: Before, now: datetime) -> tuple[Judgement, ...]:
    if not isinstance(look.registration, Registration) or not look.registration.registrar:
        return ()
    return (_change("registrar", (look.registration.registrar,), before, now),)


def _change(kind: str, value: tuple[str, ...], before: Before, now: datetime) -> Judgement:
    known = before.values.get(kind, value)
    return domain.judge_change(kind, known, value, lock_removed_at=before.lock_removed_at, now=now)


def _known(look: IssuanceLook, now: datetime) -> set[str]:
    """Return the issuers of the year before the last 30 days."""
    if isinstance(look.issuances, Unseen):
        return set()
    month = now - timedelta(days=30)
    return {one.issuer for one in look.issuances if month - _YEAR <= one.not_before < month}
