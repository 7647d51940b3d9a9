"""The statements of settling: from states to findings, score, dates and what is told."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.evaluation.model import Group, Severity, Verdict
from vendorrisk.findings.model import Severity as FindingSeverity
from vendorrisk.findings.model import State
from vendorrisk.ids import new_id
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.score_model import CurrentScore
from vendorrisk.vendors.model import Lifecycle, Tier

Item = TypeVar("Item")


class _Payload(msgspec.Struct, frozen=True):
    payload: Any


class ToSettle(msgspec.Struct, frozen=True):
    tenant_id: UUID
    vendor_id: UUID


class LookedAtDomain(msgspec.Struct, frozen=True):
    """A domain, with the stored form of the last look at its DNS."""

    name: str
    raw: bytes


class SettledVendor(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    lifecycle: Lifecycle
    tier: Tier | None


class VendorState(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's state on an asset of the vendor."""

    vendor_asset_id: UUID
    rule: str
    discriminator: str
    look_group: Group
    verdict: Verdict
    known: Verdict | None
    known_at: datetime | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    believed: dict[str, Any]
    severity: Severity
    confidence_percent: int
    cap: int | None
    is_open: bool
    is_flapping: bool
    judged_at: datetime
    changed_at: datetime
    unseen_since: datetime | None
    unseen_looks: int
    observation_id: UUID | None
    last_look_at: datetime | None = None


class SignalFinding(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    vendor_asset_id: UUID
    rule: str
    discriminator: str
    generation: int
    finding_id: UUID
    opened_at: datetime
    closed_at: datetime | None
    told_at: datetime | None
    severity: FindingSeverity
    model_version: str | None
    observation_id: UUID | None
    state: State
    until_on: date | None
    state_changed_at: datetime


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    vendor_asset_id: UUID
    asset_name: str
    id: UUID
    rule: str
    discriminator: str
    verdict: Verdict
    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: Severity
    happening: str
    judged_at: datetime


class Product(msgspec.Struct, frozen=True):
    maker: str
    product: str


class TenantDue(msgspec.Struct, frozen=True):
    id: UUID
    time_zone: str


class ToDigest(msgspec.Struct, frozen=True):
    id: UUID
    title: str
    severity: str
    vendor_id: UUID
    vendor_name: str
    is_news: bool


_sql = QueryFile("signal_settling")
_CLAIM_VENDORS = _sql.rows("claim_vendors_to_settle", ToSettle)
_LOCK_VENDOR = _sql.rows("lock_vendor_signals", CurrentScore)
_VENDOR = _sql.rows("vendor_to_settle", SettledVendor)
_ATTACH_DOMAINS = _sql.rows("attach_recorded_domains", VendorAsset)
_LEAVE_DOMAINS = _sql.rows("leave_unrecorded_domains", VendorAsset)
_WITHOUT_WWW = _sql.rows("domains_without_www", LookedAtDomain)
_ATTACH_WWW = _sql.rows("attach_www", VendorAsset)
_LEAVE_WWW = _sql.rows("leave_www", VendorAsset)
_DOMAINS = _sql.scalar("domains_of_vendor", str)
_ASSETS = _sql.rows("assets_of_vendor", VendorAsset)
_REMOVED = _sql.scalar("assets_removed_of_vendor", UUID)
_VENDOR_STATES = _sql.rows("states_of_vendor", VendorState)
_FINDINGS = _sql.rows("findings_of_signals", SignalFinding)
_KEEP_FINDING = _sql.command("keep_signal_finding")
_FINDING_CLOSED = _sql.command("signal_finding_closed")
_HAPPENINGS = _sql.rows("happenings_of_vendor", Happened)
_PROPOSE = _sql.command("propose_changes")
_PRODUCTS = _sql.rows("products_of_vendor", Product)
_EXPLOITED = _sql.rows("exploited_of_makers", _Payload)
_NOTE_EXPLOIT = _sql.command("note_exploit")
_KNOWN_EXPLOITS = _sql.scalar("known_exploits", str)
_APPEND_SNAPSHOT = _sql.command("append_snapshot")
_SETTLED = _sql.command("settled")
_TENANTS_TO_DIGEST = _sql.rows("tenants_to_digest", TenantDue)
_TO_DIGEST = _sql.rows("findings_to_digest", ToDigest)
_DIGESTED = _sql.command("digested")


async def claim_vendors(connection: Connection, now: datetime, most: int, until: datetime) -> list[ToSettle]:
    return await _CLAIM_VENDORS.many(connection, now, most, until)


async def lock_vendor(work: Work, vendor_id: UUID) -> CurrentScore | None:
    return await _LOCK_VENDOR.one_or_none(work.db, work.tenant_id, vendor_id)


async def vendor(work: Work, vendor_id: UUID) -> SettledVendor:
    return await _VENDOR.one(work.db, work.tenant_id, vendor_id)


async def recorded_domains(work: Work, vendor_id: UUID) -> list[str]:
    return await _DOMAINS.many(work.db, work.tenant_id, vendor_id)


async def attach_domains(work: Work, vendor_id: UUID, assets: Sequence[tuple[UUID, str, str]]) -> list[VendorAsset]:
    """Attach (asset id, name, place) of recorded domains; returns those that were not attached before."""
    ids, names, places = ([a[i] for a in assets] for i in range(3))
    own = (work.tenant_id, vendor_id, work.now)
    return await _ATTACH_DOMAINS.many(work.db, *own, [new_id() for _ in assets], ids, names, places)


async def leave_domains(work: Work, vendor_id: UUID, recorded: Sequence[str]) -> list[VendorAsset]:
    """Take off the domains that came from the record and stand there no more; returns them as they were."""
    return await _LEAVE_DOMAINS.many(work.db, work.tenant_id, vendor_id, work.now, recorded)


async def domains_without_www(work: Work, vendor_id: UUID) -> list[LookedAtDomain]:
    return await _WITHOUT_WWW.many(work.db, work.tenant_id, vendor_id)


async def attach_www(
    work: Work, vendor_id: UUID, assets: Sequence[tuple[UUID, str, str]], most: int
) -> list[VendorAsset]:
    """Attach (asset id, name, place) of hosts that follow from domains, up to `most` assets of the vendor in all."""
    ids, names, places = ([a[i] for a in assets] for i in range(3))
    own = (work.tenant_id, vendor_id, work.now)
    return await _ATTACH_WWW.many(work.db, *own, [new_id() for _ in assets], ids, names, places, most)


async def leave_www(work: Work, vendor_id: UUID) -> list[VendorAsset]:
    """Take off the hosts whose domain is watched no more; returns them as they were."""
    return await _LEAVE_WWW.many(work.db, work.tenant_id, vendor_id, work.now)


async def assets(work: Work, vendor_id: UUID) -> list[VendorAsset]:
    return await _ASSETS.many(work.db, work.tenant_id, vendor_id)


async def removed_assets(work: Work, vendor_id: UUID) -> list[UUID]:
    return await _REMOVED.many(work.db, work.tenant_id, vendor_id)


async def vendor_states(work: Work, vendor_id: UUID) -> list[VendorState]:
    return await _VENDOR_STATES.many(work.db, work.tenant_id, vendor_id)


async def signal_findings(work: Work, vendor_id: UUID) -> list[SignalFinding]:
    return await _FINDINGS.many(work.db, work.tenant_id, vendor_id)


async def keep_finding(work: Work, vendor_id: UUID, f: SignalFinding) -> None:
    own = (f.vendor_asset_id, f.rule, f.discriminator, f.generation, f.finding_id)
    times = (f.opened_at, f.closed_at, f.told_at)
    grounds = (f.severity, f.model_version, f.observation_id)
    await _KEEP_FINDING.run(work.db, work.tenant_id, f.id, vendor_id, *own, *times, *grounds)


async def finding_closed(work: Work, source_id: UUID) -> None:
    await _FINDING_CLOSED.run(work.db, work.tenant_id, source_id, work.now)


async def happenings(work: Work, vendor_id: UUID, since: datetime) -> list[Happened]:
    return await _HAPPENINGS.many(work.db, work.tenant_id, vendor_id, since)


async def propose(
    work: Work, vendor_id: UUID, vendor_asset_id: UUID, judged: bytes, changes: Sequence[tuple[str, str, str]]
) -> None:
    """Propose changes (kind, name, details) that one judgement saw (`judged` names it); the same again does nothing."""
    ids = [new_id() for _ in changes]
    kinds, names, details = ([change[i] for change in changes] for i in range(3))
    own = (work.tenant_id, vendor_id, vendor_asset_id, judged, work.now)
    await _PROPOSE.run(work.db, *own, ids, kinds, names, details)


async def products(work: Work, vendor_id: UUID) -> list[Product]:
    return await _PRODUCTS.many(work.db, work.tenant_id, vendor_id)


async def exploited_of(connection: Connection, makers: Sequence[str], kind: type[Item]) -> list[Item]:
    return [msgspec.convert(row.payload, kind) for row in await _EXPLOITED.many(connection, makers)]


async def note_exploit(work: Work, vendor_id: UUID, cve: str, finding_id: UUID) -> int:
    return await _NOTE_EXPLOIT.run(work.db, work.tenant_id, new_id(), vendor_id, cve, finding_id, work.now)


async def known_exploits(work: Work, vendor_id: UUID) -> frozenset[str]:
    return frozenset(await _KNOWN_EXPLOITS.many(work.db, work.tenant_id, vendor_id))


async def append_snapshot(work: Work, *values: object) -> None:
    await _APPEND_SNAPSHOT.run(work.db, work.tenant_id, work.now, *values)


async def settled(work: Work, vendor_id: UUID, *values: object) -> None:
    await _SETTLED.run(work.db, work.tenant_id, vendor_id, *values)


async def tenants_to_digest(connection: Connection, now: datetime) -> list[TenantDue]:
    return await _TENANTS_TO_DIGEST.many(connection, now)


async def to_digest(work: Work) -> list[ToDigest]:
    return await _TO_DIGEST.many(work.db, work.tenant_id)


async def digested(work: Work, ids: Sequence[UUID]) -> None:
    await _DIGESTED.run(work.db, work.tenant_id, ids, work.now)
