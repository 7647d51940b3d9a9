"""The lists that are fetched, their owners, and the lists that are off."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import msgspec

from vendorrisk.evaluation.rules import switched_on
from vendorrisk.settings import Settings


class FeedKind(msgspec.Struct, frozen=True, kw_only=True):
    """One feed. `setting` names the setting with its address. If it is empty, the feed is off, for the reason given."""

    setting: str
    every: timedelta
    attribution: str
    disabled_reason: str = ""
    needs_rule: str = ""
    is_kept_whole: bool = False


FEEDS: Mapping[str, FeedKind] = MappingProxyType(
    {
        "kev": FeedKind(
            setting="signal_kev_url",
            every=timedelta(hours=6),
            attribution="CISA Known Exploited Vulnerabilities Catalog (CC0).",
        ),
        "hibp": FeedKind(
            setting="signal_hibp_url",
            every=timedelta(hours=24),
            attribution="Breach list by Have I Been Pwned, haveibeenpwned.com (CC BY 4.0).",
        ),
        "rdap": FeedKind(
            setting="signal_rdap_url",
            every=timedelta(hours=24),
            attribution="RDAP bootstrap of IANA (RFC 9224).",
            is_kept_whole=True,
        ),
        "epss": FeedKind(
            setting="signal_epss_url",
            every=timedelta(hours=24),
            attribution="EPSS by FIRST, first.org/epss.",
            disabled_reason="Only exp.epss reads it, which is off by default.",
            needs_rule="exp.epss",
        ),
        "preload": FeedKind(
            setting="signal_preload_url",
            every=timedelta(days=7),
            attribution="HSTS preload list of Chromium (BSD-3-Clause).",
            disabled_reason="Its host is not meant for services: name a copy in VENDORRISK_SIGNAL_PRELOAD_URL.",
            is_kept_whole=True,
        ),
    }
)


def is_enabled(name: str, settings: Settings) -> bool:
    kind = FEEDS[name]
    if kind.needs_rule and kind.needs_rule not in switched_on(settings.signal_rules_on):
        return False
    return bool(getattr(settings, kind.setting))
