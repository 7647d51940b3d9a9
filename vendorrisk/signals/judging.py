"""One way in: an observation of any kind becomes judgements, given the instant, the named datasets and the past.

The past (`Before`) is what was last believed of the same asset: a change is judged against it, nothing else is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from vendorrisk.probes.answers import Answers
from vendorrisk.probes.email import EmailLook
from vendorrisk.probes.joined import BreachLook, ExposureLook, IssuanceLook, ScorecardLook
from vendorrisk.probes.nameservice import DnsLook, name_servers
from vendorrisk.probes.observation import Unseen
from vendorrisk.probes.page_text import PageText
from vendorrisk.probes.pages import PageLook
from vendorrisk.probes.rdap import Registration
from vendorrisk.probes.registration import RegLook
from vendorrisk.probes.status import StatusLook
from vendorrisk.probes.tls import CertLook, HelloLook
from vendorrisk.probes.web import WebLook
from vendorrisk.signals import (
    judge_dns,
    judge_domain,
    judge_email,
    judge_events,
    judge_exposure,
    judge_tls,
    judge_transparency,
    judge_web,
)
from vendorrisk.signals.certificates import TrustStore
from vendorrisk.signals.model import Group, Judgement
from vendorrisk.signals.schedule import PAGE_RULES, rules_of
from vendorrisk.signals.verdicts import unknown
from vendorrisk.signals.watch_model import AssetKind

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
            return judge_tls.judge_certificate(look, now=now, store=datasets.store)
        case HelloLook():
            return judge_tls.judge_versions(look)
        case WebLook():
            openness = judge_transparency.judge_security_txt(look.security_txt, now=now)
            found = (*judge_web.judge(look, preloaded=datasets.preloaded), openness)
            return _only(found, kind)
        case EmailLook():
            return judge_email.judge(look)
        case DnsLook():
            return _only((*judge_dns.judge(look), *_dns_changes(look, before, now)), kind)
        case RegLook():
            return (*judge_domain.judge(look, now=now), *_registrar_change(look, before, now))
        case StatusLook():
            return (judge_events.judge_status(look, now=now),)
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
            return (judge_transparency.judge_subprocessors(look, before.page),)
        case PageLook():
            return (judge_transparency.judge_page(PAGE_RULES[kind], look),)
        case ScorecardLook():
            return (judge_exposure.judge_scorecard(look.tenths),)
        case BreachLook():
            return judge_events.judge_breaches(look.domain, look.breaches, now=now)
        case IssuanceLook():
            return judge_tls.judge_issuers(look.issuances, admitted=look.admitted, known=_known(look, now), now=now)
        case ExposureLook():
            return judge_exposure.judge(
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
        found.append(_change("mail", judge_domain.mail_providers(mail), before, now))
    return tuple(found)


def _registrar_change(look: RegLook, before: Before, now: datetime) -> tuple[Judgement, ...]:
    if not isinstance(look.registration, Registration) or not look.registration.registrar:
        return ()
    return (_change("registrar", (look.registration.registrar,), before, now),)


def _change(kind: str, value: tuple[str, ...], before: Before, now: datetime) -> Judgement:
    known = before.values.get(kind, value)
    return judge_domain.judge_change(kind, known, value, lock_removed_at=before.lock_removed_at, now=now)


def _known(look: IssuanceLook, now: datetime) -> set[str]:
    """Return the issuers of the year before the last 30 days."""
    if isinstance(look.issuances, Unseen):
        return set()
    month = now - timedelta(days=30)
    return {one.issuer for one in look.issuances if month - _YEAR <= one.not_before < month}
