"""Observations made from lists, not from the vendor's machines: breaches, issuances, others' scans of addresses."""

import msgspec

from vendorrisk.probes.feeds.feed_parser import AddressFacts, Breach, Issuance
from vendorrisk.probes.observation import Raw, Unknown


class BreachObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="breaches"):
    """The listed breaches of a domain. Unknown if the list was never read, or is too old to be trusted."""

    domain: str
    breaches: tuple[Breach, ...] | Unknown


class IssuanceObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="issuances"):
    """A domain's certificates as certificate transparency lists them, and the CAs that its CAA records admit."""

    domain: str
    issuances: tuple[Issuance, ...] | Unknown
    admitted: tuple[str, ...] = ()


class ScorecardObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="scorecard"):
    """The OpenSSF Scorecard of a declared repository, in tenths of its 0 to 10."""

    repository: str
    tenths: int | Unknown


class ExposureObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="exposure"):
    """Others' scans of a domain's addresses, with the vulnerabilities that are exploited or likely to be."""

    domain: str
    addresses: tuple[AddressFacts | Unknown, ...]
    exploited: tuple[str, ...] = ()
    likely_millionths: dict[str, int] = msgspec.field(default_factory=dict)
