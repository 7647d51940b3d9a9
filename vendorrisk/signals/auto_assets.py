"""Assets attached automatically: recorded domains of a vendor, and the `www` of each watched domain."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from vendorrisk.access.work import Work
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Change, Target
from vendorrisk.evaluation.model import AssetKind
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_setup import DnsObservation, host_addresses
from vendorrisk.probes.observation import replay
from vendorrisk.probes.public_suffix import is_registered_at_a_registry
from vendorrisk.signals import reconcile_queries, schedule
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.reconcile_queries import ScannedDomain
from vendorrisk.signals.service import ENROL, MOST_ASSETS


async def attach(work: Work, vendor_id: UUID) -> list[Change]:
    """Attach the assets that follow from recorded and watched domains, and detach those that follow no longer."""
    recorded = await reconcile_queries.recorded_domains(work, vendor_id)
    names = [name for name in recorded if schedule.registrable_domain_of(name) == name and schedule.is_watchable(name)]
    wanted = [(schedule.asset_id(AssetKind.DOMAIN, name), name, name) for name in names]
    attached = await reconcile_queries.attach_domains(work, vendor_id, wanted) if wanted else []
    gone = await _left(work, vendor_id, names)
    attached += await _attach_www(work, vendor_id)
    if attached:
        work.nudge(ENROL)
    return [*_attached(attached), *gone]


async def detach(work: Work, vendor_id: UUID) -> list[Change]:
    """Detach every asset that no person attached."""
    return await _left(work, vendor_id, [])


async def _attach_www(work: Work, vendor_id: UUID) -> list[VendorAsset]:
    domains = await reconcile_queries.domains_without_www(work, vendor_id)
    hosts = [
        (schedule.asset_id(AssetKind.HOST, f"www.{d.name}"), f"www.{d.name}", d.name) for d in domains if _has_www(d)
    ]
    return await reconcile_queries.attach_www(work, vendor_id, hosts, MOST_ASSETS) if hosts else []


def _has_www(domain: ScannedDomain) -> bool:
    """Return True if `www` resolves to an address. Names under a shared domain have no `www` of their own."""
    observation = replay(domain.raw, DnsObservation)
    return is_registered_at_a_registry(domain.name) and bool(
        host_addresses(Answers(observation.answers), f"www.{domain.name}")
    )


async def _left(work: Work, vendor_id: UUID, recorded: Sequence[str]) -> list[Change]:
    gone = await reconcile_queries.detach_domains(work, vendor_id, recorded)
    gone += await reconcile_queries.detach_www(work, vendor_id)
    return [Change(Action.VENDOR_ASSET_REMOVED, Target("vendor_asset", asset.id), before=asset) for asset in gone]


def _attached(assets: Iterable[VendorAsset]) -> list[Change]:
    return [Change(Action.VENDOR_ASSET_ATTACHED, Target("vendor_asset", asset.id), after=asset) for asset in assets]
