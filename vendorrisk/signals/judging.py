"""One way in: an observation of any kind becomes judgements, given the instant and the named datasets."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from vendorrisk.probes.email import EmailLook
from vendorrisk.probes.nameservice import DnsLook
from vendorrisk.probes.registration import RegLook
from vendorrisk.probes.status import StatusLook
from vendorrisk.probes.tls import CertLook, HelloLook
from vendorrisk.probes.web import WebLook
from vendorrisk.signals import (
    judge_dns,
    judge_domain,
    judge_email,
    judge_events,
    judge_tls,
    judge_transparency,
    judge_web,
)
from vendorrisk.signals.certificates import TrustStore
from vendorrisk.signals.model import Judgement

CHECKER_VERSION = "1"
"""Rises when a collector records something else for the same world; written down with each run."""

Observation = CertLook | HelloLook | WebLook | EmailLook | DnsLook | RegLook | StatusLook


class Datasets(msgspec.Struct, frozen=True):
    """What judgements rest on beside the observation; `versions` are written down with them."""

    store: TrustStore
    preloaded: Callable[[str], bool] = lambda _: False
    versions: dict[str, str] = {}


def judge(look: Observation, *, now: datetime, datasets: Datasets) -> tuple[Judgement, ...]:
    """Judge an observation: pure, so that a stored one gives the same judgements for ever."""
    match look:
        case CertLook():
            return judge_tls.judge_certificate(look, now=now, store=datasets.store)
        case HelloLook():
            return judge_tls.judge_versions(look)
        case WebLook():
            openness = judge_transparency.judge_security_txt(look.security_txt, now=now)
            return (*judge_web.judge(look, preloaded=datasets.preloaded), openness)
        case EmailLook():
            return judge_email.judge(look)
        case DnsLook():
            return judge_dns.judge(look)
        case RegLook():
            return judge_domain.judge(look, now=now)
        case StatusLook():
            return (judge_events.judge_status(look, now=now),)
