"""The times of scans: groups by kind of asset, periods by tier, a steady time of day. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import UUID, uuid5

from vendorrisk.egress.hosts import normalise_host
from vendorrisk.egress.reasons import EgressError
from vendorrisk.evaluation.model import AssetKind, Evaluation, ScanKind
from vendorrisk.evaluation.rules import HOST_GROUPS, LONGEST_CADENCE, next_scan
from vendorrisk.probes.public_suffix import registrable_domain
from vendorrisk.vendors.model import Tier

_NAMESPACE = UUID("6f1f6a1e-6a0e-5d0c-9c55-3f5f3b0d7a11")
_ALWAYS: Mapping[AssetKind, tuple[ScanKind, ...]] = MappingProxyType(
    {
        AssetKind.DOMAIN: (ScanKind.DNS, ScanKind.EMAIL, ScanKind.REG, ScanKind.FEEDS, *HOST_GROUPS),
        AssetKind.HOST: (ScanKind.DNS, *HOST_GROUPS),
        AssetKind.STATUS_PAGE: (ScanKind.PAGES, ScanKind.STATUS),
        AssetKind.TRUST_PAGE: (ScanKind.PAGES,),
        AssetKind.DPA_PAGE: (ScanKind.PAGES,),
        AssetKind.SUBPROCESSOR_PAGE: (ScanKind.PAGES,),
        AssetKind.REPOSITORY: (ScanKind.FEEDS,),
    }
)
_HOURS: Mapping[ScanKind, int] = MappingProxyType(
    {
        ScanKind.DNS: 24,
        ScanKind.EMAIL: 24,
        ScanKind.HTTP: 24,
        ScanKind.CERT: 24,
        ScanKind.TLS: 168,
        ScanKind.REG: 168,
        ScanKind.CT: 168,
        ScanKind.PAGES: 24,
        ScanKind.STATUS: 1,
        ScanKind.EXPOSURE: 168,
        ScanKind.FEEDS: 24,
    }
)
ON_THEIR_MACHINES = frozenset({ScanKind.HTTP, ScanKind.CERT, ScanKind.TLS, ScanKind.PAGES, ScanKind.STATUS})
"""Groups that open a connection to the vendor's own machines. An opt-out stops them."""
BUDGETED = ON_THEIR_MACHINES - {ScanKind.STATUS}
"""Those that share a day's budget of connections. A status page is made to be read often, and has its own pace."""

_CRITICAL, _HIGH, _MEDIUM, _LOW = 1, 2, 3, 4
_SLOWER = {_CRITICAL: 1, _HIGH: 1, _MEDIUM: 2, _LOW: 7}
_CRITICAL_STATUS = timedelta(minutes=15)
_FIRST_RETRY, _LAST_RETRY = timedelta(hours=1), timedelta(hours=20)
"""With the spread, which adds a fifth at most, the last is within a day."""
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def asset_id(kind: AssetKind, name: str) -> UUID:
    """Return the id of a public asset. It is derived from kind and name, so that all tenants share it."""
    return uuid5(_NAMESPACE, f"{kind.value}\n{name}")


def registrable_domain_of(host: str) -> str:
    """Return the registrable domain, the unit of politeness, leases and opt-outs."""
    return registrable_domain(host) or host


def is_watchable(name: str) -> bool:
    """Return True if a recorded domain can be scanned. Reserved names, such as those for examples, cannot."""
    try:
        return normalise_host(name, test_names=True) == name
    except EgressError:
        return False


def groups_of(kind: AssetKind, *, with_ct: bool = False, with_exposure: bool = False) -> tuple[ScanKind, ...]:
    more = ((ScanKind.CT, with_ct), (ScanKind.EXPOSURE, with_exposure)) if kind is AssetKind.DOMAIN else ()
    return (*_ALWAYS[kind], *(group for group, wanted in more if wanted))


def period(group: ScanKind, tier_rank: int) -> timedelta:
    """Return how often: by the group, slower for tiers of which less depends (1 critical to 4 low)."""
    if group is ScanKind.STATUS and tier_rank == _CRITICAL:
        return _CRITICAL_STATUS
    return min(timedelta(hours=_HOURS[group] * _SLOWER[tier_rank]), LONGEST_CADENCE)


def slower(tier: Tier | None) -> int:
    """Return how many cadences lie between two scans of a vendor of this tier."""
    ranks = {Tier.CRITICAL: _CRITICAL, Tier.MEDIUM: _MEDIUM, Tier.LOW: _LOW}
    return _SLOWER[ranks.get(tier, _HIGH) if tier is not None else _HIGH]


def after_seen(
    asset: UUID, group: ScanKind, tier_rank: int, now: datetime, *, again: timedelta | None, ends_at: datetime | None
) -> datetime:
    """Return the next scan of an observed asset: sooner if a change waits to be confirmed or an end is near."""
    if again is not None:
        return now + again
    regular = period(group, tier_rank)
    if ends_at is not None:
        sooner = next_scan(regular, ends_at, now)
        if sooner < regular:
            return now + sooner
    return _in_its_place(asset, group, regular, now)


def after_unknown(asset: UUID, group: ScanKind, failures: int, now: datetime) -> datetime:
    """Return the time of the next attempt: doubling from an hour, spread by asset, and within a day."""
    wait = min(_FIRST_RETRY * (1 << min(failures - 1, 10)), _LAST_RETRY)
    return now + wait + wait * (_offset(asset, group) % 1000) / 5000


def _in_its_place(asset: UUID, group: ScanKind, regular: timedelta, now: datetime) -> datetime:
    """Return the next of the instants that belong to this asset and group, half a period or more away.

    Scans keep their place in the day, and a million assets attached at once drift apart.
    """
    seconds = int(regular.total_seconds())
    least = int((now - _EPOCH).total_seconds()) + seconds // 2
    offset = _offset(asset, group) % seconds
    return _EPOCH + timedelta(seconds=least + (offset - least) % seconds)


def _offset(asset: UUID, group: ScanKind) -> int:
    return int.from_bytes(hashlib.blake2b(asset.bytes + group.value.encode(), digest_size=8).digest(), "big")


def ends_at(evaluations: Iterable[Evaluation]) -> datetime | None:
    """Return the earliest end (certificate, registration) that evaluations name."""
    named = (j.evidence.get(key) for j in evaluations for key in ("not_after", "expires_at"))
    return min((datetime.fromisoformat(text) for text in named if isinstance(text, str)), default=None)
