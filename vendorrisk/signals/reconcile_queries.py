"""The statements of reconciliation: from states to findings, score, dates and alerts."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.evaluation.model import RuleSeverity, ScanKind, Verdict
from vendorrisk.findings.model import FindingSeverity, FindingState
from vendorrisk.ids import new_id
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.score_model import CurrentScore
from vendorrisk.vendors.model import Lifecycle, Tier

Item = TypeVar("Item")


class _Payload(msgspec.Struct, frozen=True):
    payload: Any


class ToReconcile(msgspec.Struct, frozen=True):
    tenant_id: UUID
    vendor_id: UUID
    tries: int


class ScannedDomain(msgspec.Struct, frozen=True):
    """A domain, with the stored form of the last scan of its DNS."""

    name: str
    raw: bytes


class ReconciledVendor(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    lifecycle: Lifecycle
    tier: Tier | None


class VendorState(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's state on an asset of the vendor."""

    vendor_asset_id: UUID
    rule: str
    subject: str
    scan_kind: ScanKind
    verdict: Verdict
    known: Verdict | None
    known_at: datetime | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    believed: dict[str, Any]
    severity: RuleSeverity
    confidence_percent: int
    cap: int | None
    is_open: bool
    is_flapping: bool
    evaluated_at: datetime
    changed_at: datetime
    unknown_since: datetime | None
    unknown_scans: int
    observation_id: UUID | None
    last_scan_at: datetime | None = None


class SignalFinding(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    vendor_asset_id: UUID
    rule: str
    subject: str
    generation: int
    finding_id: UUID
    opened_at: datetime
    closed_at: datetime | None
    notified_at: datetime | None
    severity: FindingSeverity
    model_version: str | None
    observation_id: UUID | None
    state: FindingState
    until_on: date | None
    state_changed_at: datetime


class Event(msgspec.Struct, frozen=True, kw_only=True):
    vendor_asset_id: UUID
    asset_name: str
    id: UUID
    rule: str
    subject: str
    verdict: Verdict
    reason: str
    detail: str
    evidence: dict[str, Any]
    severity: RuleSeverity
    change: str
    evaluated_at: datetime


class Product(msgspec.Struct, frozen=True):
    maker: str
    product: str


class ToDigest(msgspec.Struct, frozen=True):
    id: UUID
    title: str
    severity: str
    vendor_id: UUID
    vendor_name: str
    is_news: bool


_sql = QueryFile("signal_reconcile")
_CLAIM_VENDORS = _sql.rows("claim_vendors_to_reconcile", ToReconcile)
_LOCK_VENDOR = _sql.rows("lock_vendor_signals", CurrentScore)
_VENDOR = _sql.rows("vendor_to_reconcile", ReconciledVendor)
_ATTACH_DOMAINS = _sql.rows("attach_recorded_domains", VendorAsset)
_DETACH_DOMAINS = _sql.rows("detach_unrecorded_domains", VendorAsset)
_WITHOUT_WWW = _sql.rows("domains_without_www", ScannedDomain)
_ATTACH_WWW = _sql.rows("attach_www", VendorAsset)
_DETACH_WWW = _sql.rows("detach_www", VendorAsset)
_DOMAINS = _sql.scalar("domains_of_vendor", str)
_ASSETS = _sql.rows("assets_of_vendor", VendorAsset)
_REMOVED = _sql.scalar("assets_removed_of_vendor", UUID)
_VENDOR_STATES = _sql.rows("states_of_vendor", VendorState)
_FINDINGS = _sql.rows("findings_of_signals", SignalFinding)
_SAVE_FINDING = _sql.command("save_signal_finding")
_FINDING_CLOSED = _sql.command("signal_finding_closed")
_EVENTS = _sql.rows("events_of_vendor", Event)
_PROPOSE = _sql.command("propose_changes")
_PRODUCTS = _sql.rows("products_of_vendor", Product)
_EXPLOITED = _sql.rows("exploited_of_makers", _Payload)
_NOTE_EXPLOIT = _sql.command("note_exploit")
_KNOWN_EXPLOITS = _sql.scalar("known_exploits", str)
_APPEND_SNAPSHOT = _sql.command("append_snapshot")
_RECONCILED = _sql.command("reconciled")
_TO_DIGEST = _sql.rows("findings_to_digest", ToDigest)
_DIGESTED = _sql.command("digested")


async def claim_vendors(
    connection: Connection, tenants: Sequence[UUID], now: datetime, most: int, lease: timedelta
) -> list[ToReconcile]:
    """Claim due vendors of several tenants, at most so many of each, by one statement for each."""
    return await _CLAIM_VENDORS.each(connection, [(tenant, now, most, lease) for tenant in tenants])


async def lock_vendor(work: Work, vendor_id: UUID) -> CurrentScore | None:
    return await _LOCK_VENDOR.one_or_none(work.db, work.tenant_id, vendor_id)


async def vendor(work: Work, vendor_id: UUID) -> ReconciledVendor:
    return await _VENDOR.one(work.db, work.tenant_id, vendor_id)


async def recorded_domains(work: Work, vendor_id: UUID) -> list[str]:
    return await _DOMAINS.many(work.db, work.tenant_id, vendor_id)


async def attach_domains(work: Work, vendor_id: UUID, assets: Sequence[tuple[UUID, str, str]]) -> list[VendorAsset]:
    """Attach recorded domains (asset id, name, registrable domain). Return the newly attached ones."""
    ids, names, domains = ([a[i] for a in assets] for i in range(3))
    own = (work.tenant_id, vendor_id, work.now)
    return await _ATTACH_DOMAINS.many(work.db, *own, [new_id() for _ in assets], ids, names, domains)


async def detach_domains(work: Work, vendor_id: UUID, recorded: Sequence[str]) -> list[VendorAsset]:
    """Detach domains that came from the record and were removed there. Return them as they were."""
    return await _DETACH_DOMAINS.many(work.db, work.tenant_id, vendor_id, work.now, recorded)


async def domains_without_www(work: Work, vendor_id: UUID) -> list[ScannedDomain]:
    return await _WITHOUT_WWW.many(work.db, work.tenant_id, vendor_id)


async def attach_www(
    work: Work, vendor_id: UUID, assets: Sequence[tuple[UUID, str, str]], most: int
) -> list[VendorAsset]:
    """Attach (asset id, name, registrable domain) of hosts that follow from domains, up to `most` assets of the vendor
    in all.
    """
    ids, names, domains = ([a[i] for a in assets] for i in range(3))
    own = (work.tenant_id, vendor_id, work.now)
    return await _ATTACH_WWW.many(work.db, *own, [new_id() for _ in assets], ids, names, domains, most)


async def detach_www(work: Work, vendor_id: UUID) -> list[VendorAsset]:
    """Detach hosts whose domain is watched no longer. Return them as they were."""
    return await _DETACH_WWW.many(work.db, work.tenant_id, vendor_id, work.now)


async def assets(work: Work, vendor_id: UUID) -> list[VendorAsset]:
    return await _ASSETS.many(work.db, work.tenant_id, vendor_id)


async def removed_assets(work: Work, vendor_id: UUID) -> list[UUID]:
    return await _REMOVED.many(work.db, work.tenant_id, vendor_id)


async def vendor_states(work: Work, vendor_id: UUID) -> list[VendorState]:
    return await _VENDOR_STATES.many(work.db, work.tenant_id, vendor_id)


async def signal_findings(work: Work, vendor_id: UUID) -> list[SignalFinding]:
    return await _FINDINGS.many(work.db, work.tenant_id, vendor_id)


async def save_finding(work: Work, vendor_id: UUID, f: SignalFinding) -> None:
    own = (f.vendor_asset_id, f.rule, f.subject, f.generation, f.finding_id)
    times = (f.opened_at, f.closed_at, f.notified_at)
    grounds = (f.severity, f.model_version, f.observation_id)
    await _SAVE_FINDING.run(work.db, work.tenant_id, f.id, vendor_id, *own, *times, *grounds)


async def finding_closed(work: Work, source_id: UUID) -> None:
    await _FINDING_CLOSED.run(work.db, work.tenant_id, source_id, work.now)


async def events(work: Work, vendor_id: UUID, since: datetime) -> list[Event]:
    return await _EVENTS.many(work.db, work.tenant_id, vendor_id, since)


async def propose(
    work: Work, vendor_id: UUID, vendor_asset_id: UUID, evaluated: bytes, changes: Sequence[tuple[str, str, str]]
) -> None:
    """Propose changes (kind, name, details) of one evaluation (`evaluated`). Repeating them has no effect."""
    ids = [new_id() for _ in changes]
    kinds, names, details = ([change[i] for change in changes] for i in range(3))
    own = (work.tenant_id, vendor_id, vendor_asset_id, evaluated, work.now)
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


async def reconciled(work: Work, vendor_id: UUID, *values: object) -> None:
    await _RECONCILED.run(work.db, work.tenant_id, vendor_id, *values)


async def to_digest(work: Work) -> list[ToDigest]:
    return await _TO_DIGEST.many(work.db, work.tenant_id)


async def digested(work: Work, ids: Sequence[UUID]) -> None:
    await _DIGESTED.run(work.db, work.tenant_id, ids, work.now)
