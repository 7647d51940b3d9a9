"""The statements of the API: records that routes read and write."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.constraints import Holder, refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.evaluation.model import AssetKind, RuleSeverity, ScanKind, Verdict
from vendorrisk.evaluation.product_names import plain
from vendorrisk.feeds.model import Feed
from vendorrisk.ids import new_id
from vendorrisk.probes.feeds.ratings import Rating
from vendorrisk.signals.asset_model import (
    AssetSource,
    FindingSignal,
    PastEvaluation,
    Signal,
    StoredObservation,
    VendorAsset,
)
from vendorrisk.signals.score_model import LatestSignalScore, SignalScoreSummary, Snapshot
from vendorrisk.signals.supply_chain_model import (
    NewVendorProduct,
    SubprocessorChange,
    SubprocessorChangeKind,
    SubprocessorChangeState,
    VendorProduct,
    VendorRating,
)


class PauseInForce(msgspec.Struct, frozen=True):
    rule: str
    paused_until: datetime


class VendorOfDomain(msgspec.Struct, frozen=True):
    domain: str
    vendor_id: UUID


class LatestScore(msgspec.Struct, frozen=True):
    snapshot_id: UUID | None
    scored_at: datetime | None


_sql = QueryFile("signal_records")
_ATTACH = _sql.rows("attach_asset", VendorAsset)
_FIND_ASSET = _sql.rows("find_asset", VendorAsset)
_LOCK_ASSET = _sql.rows("lock_asset", VendorAsset)
LIST_ASSETS = _sql.rows("list_assets", VendorAsset)
_UPDATE_ASSET = _sql.rows("update_asset", VendorAsset)
_OTHER_PRIMARIES = _sql.rows("lock_other_primaries", VendorAsset)
_REMOVE_ASSET = _sql.command("remove_asset")
_COUNT_ASSETS = _sql.scalar("count_assets", int)
_WANT_RECONCILIATION = _sql.command("want_reconciliation")
_REQUEST_SCANS = _sql.command("request_scans")
LIST_SIGNALS = _sql.rows("list_signals", Signal)
LIST_EVALUATIONS = _sql.rows("list_evaluations", PastEvaluation)
_FIND_OBSERVATION = _sql.rows("find_observation", StoredObservation)
_FIND_SIGNAL = _sql.rows("find_signal_of_finding", FindingSignal)
_NAMES_SEEN = _sql.scalar("names_seen_on_certificates", str)
_DOMAINS = _sql.scalar("domains_recorded", str)
_CURRENT = _sql.rows("current_score", LatestScore)
_FIND_SNAPSHOT = _sql.rows("find_snapshot", Snapshot)
LIST_LATEST_SCORES = _sql.rows("list_latest_scores", LatestSignalScore)
LIST_SNAPSHOTS = _sql.rows("list_snapshots", SignalScoreSummary)
_PAUSES = _sql.rows("pauses", PauseInForce)
_FEEDS = _sql.rows("feeds", Feed)
_INSERT_PRODUCT = _sql.rows("insert_product", VendorProduct)
_FIND_PRODUCT = _sql.rows("find_product", VendorProduct)
_LOCK_PRODUCT = _sql.rows("lock_product", VendorProduct)
LIST_PRODUCTS = _sql.rows("list_products", VendorProduct)
_UPDATE_PRODUCT = _sql.rows("update_product", VendorProduct)
_DELETE_PRODUCT = _sql.command("delete_product")
_FIND_CHANGE = _sql.rows("find_change", SubprocessorChange)
_LOCK_CHANGE = _sql.rows("lock_change", SubprocessorChange)
LIST_CHANGES = _sql.rows("list_changes", SubprocessorChange)
_DECIDE = _sql.rows("decide_change", SubprocessorChange)
_VENDORS_OF = _sql.rows("vendors_of_domains", VendorOfDomain)
_SAVE_RATINGS = _sql.scalar("save_ratings", int)
LIST_RATINGS = _sql.rows("list_ratings", VendorRating)
_ASSET_OF_VENDOR = _sql.rows("asset_of_vendor", Holder)
_PRODUCT_OF_NAME = _sql.rows("product_of_name", Holder)

_ID = Column("id", UUID, "uuid")
_VENDOR = Column("vendor_id", UUID, "uuid")
_UPDATED = Column("updated_at", datetime, "timestamptz", RANGE, sortable=True)
ASSETS = ListOf(
    "vendor_assets",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "kind": Column("kind", AssetKind),
        "source": Column("source", AssetSource),
        "registrable_domain": Column("registrable_domain"),
        "name": Column("name", sortable=True),
        "is_primary": Column("is_primary", bool, "boolean"),
        "attached_at": Column("attached_at", datetime, "timestamptz", RANGE, sortable=True),
        "updated_at": _UPDATED,
    },
    default_sort="name",
)
SIGNALS = ListOf(
    "signals",
    {
        "id": Column("s.id", UUID, "uuid"),
        "vendor_asset_id": Column("va.id", UUID, "uuid"),
        "rule": Column("s.rule", sortable=True),
        "scan_kind": Column("s.scan_kind", ScanKind),
        "verdict": Column("s.verdict", Verdict),
        "severity": Column("s.severity", RuleSeverity),
        "is_open": Column("s.is_open", bool, "boolean"),
        "changed_at": Column("s.changed_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="rule",
    key_sql="s.id",
)
EVALUATIONS = ListOf(
    "evaluations",
    {
        "id": Column("j.id", UUID, "uuid"),
        "vendor_asset_id": Column("va.id", UUID, "uuid"),
        "rule": Column("j.rule"),
        "verdict": Column("j.verdict", Verdict),
        "change": Column("j.change", operators=EQUALITY, nullable=True),
        "evaluated_at": Column("j.evaluated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-evaluated_at",
    key_sql="j.id",
)
SNAPSHOTS = ListOf(
    "scores",
    {
        "id": _ID,
        "grade": Column("grade"),
        "reason": Column("reason"),
        "scored_at": Column("scored_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="-scored_at",
)
LATEST_SCORES = ListOf(
    "latest_scores",
    {
        "id": Column("s.snapshot_id", UUID, "uuid"),
        "vendor_id": Column("s.vendor_id", UUID, "uuid"),
        "grade": Column("s.grade"),
        "number": Column("s.number", int, "integer", RANGE, sortable=True, nullable=True),
        "score": Column("s.score", int, "integer", RANGE, nullable=True),
        "coverage_bp": Column("s.coverage_bp", int, "integer", RANGE, nullable=True),
        "scored_at": Column("s.scored_at", datetime, "timestamptz", RANGE, sortable=True, nullable=True),
    },
    default_sort="number",
    key="vendor_id",
    key_sql="s.vendor_id",
)
PRODUCTS = ListOf(
    "vendor_products",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "maker": Column("maker", normalise=plain, equal_sql="maker_key"),
        "product": Column("product", sortable=True, normalise=plain, equal_sql="product_key"),
        "updated_at": _UPDATED,
    },
    default_sort="product",
)
CHANGES = ListOf(
    "subprocessor_changes",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "change": Column("change", SubprocessorChangeKind),
        "state": Column("state", SubprocessorChangeState),
        "name": Column("name"),
        "observed_at": Column("observed_at", datetime, "timestamptz", RANGE, sortable=True),
        "decided_at": Column("decided_at", datetime, "timestamptz", RANGE, nullable=True),
        "updated_at": _UPDATED,
    },
    default_sort="-observed_at",
)
RATINGS = ListOf(
    "vendor_ratings",
    {
        "id": _ID,
        "vendor_id": _VENDOR,
        "provider": Column("provider"),
        "rated_on": Column("rated_on", date, "date", RANGE, sortable=True),
        "imported_at": Column("imported_at", datetime, "timestamptz", RANGE),
    },
    default_sort="-rated_on",
)

_BROKEN = {
    "vendor_assets_are_attached_once": (Code.ASSET_ATTACHED, "The vendor has this asset already.", "/name"),
    "vendor_products_are_noted_once": (Code.PRODUCT_NOTED, "The vendor has this product already.", "/product"),
}


async def attach(
    work: Work,
    vendor_id: UUID,
    asset_id: UUID,
    kind: AssetKind,
    name: str,
    registrable_domain: str,
    *,
    is_primary: bool,
) -> VendorAsset:
    own = (new_id(), vendor_id, asset_id, kind, name, registrable_domain, is_primary)
    holders = {"vendor_assets_are_attached_once": (_ASSET_OF_VENDOR, (vendor_id, asset_id))}
    with refusing(_BROKEN, holders, seen_by="signals:read"):
        return await _ATTACH.one(work.db, work.tenant_id, *own, work.now)


async def find_asset(work: Work, asset_id: UUID) -> VendorAsset | None:
    return await _FIND_ASSET.one_or_none(work.db, work.tenant_id, asset_id)


async def lock_asset(work: Work, asset_id: UUID) -> VendorAsset | None:
    return await _LOCK_ASSET.one_or_none(work.db, work.tenant_id, asset_id)


async def update_asset(work: Work, asset_id: UUID, *, is_primary: bool) -> VendorAsset:
    return await _UPDATE_ASSET.one(work.db, work.tenant_id, asset_id, is_primary, work.now)


async def lock_other_primaries(work: Work, vendor_id: UUID, asset_id: UUID) -> list[VendorAsset]:
    return await _OTHER_PRIMARIES.many(work.db, work.tenant_id, vendor_id, asset_id)


async def remove_asset(work: Work, asset_id: UUID) -> None:
    await _REMOVE_ASSET.run(work.db, work.tenant_id, asset_id, work.now)


async def count_assets(work: Work, vendor_id: UUID) -> int:
    return await _COUNT_ASSETS.one(work.db, work.tenant_id, vendor_id)


async def want_reconciliation(work: Work, vendor_id: UUID) -> None:
    await _WANT_RECONCILIATION.run(work.db, work.tenant_id, vendor_id, work.now)


async def request_scans(work: Work, vendor_id: UUID) -> int:
    return await _REQUEST_SCANS.run(work.db, work.tenant_id, vendor_id, work.now)


async def find_observation(work: Work, observation_id: UUID) -> StoredObservation | None:
    return await _FIND_OBSERVATION.one_or_none(work.db, work.tenant_id, observation_id)


async def find_signal(work: Work, finding_id: UUID) -> FindingSignal | None:
    return await _FIND_SIGNAL.one_or_none(work.db, work.tenant_id, finding_id)


async def names_seen(work: Work, vendor_id: UUID) -> list[str]:
    return await _NAMES_SEEN.many(work.db, work.tenant_id, vendor_id)


async def domains_recorded(work: Work, vendor_id: UUID) -> list[str]:
    return await _DOMAINS.many(work.db, work.tenant_id, vendor_id)


async def current(work: Work, vendor_id: UUID) -> LatestScore | None:
    return await _CURRENT.one_or_none(work.db, work.tenant_id, vendor_id)


async def find_snapshot(work: Work, snapshot_id: UUID) -> Snapshot | None:
    return await _FIND_SNAPSHOT.one_or_none(work.db, work.tenant_id, snapshot_id)


async def pauses(work: Work) -> dict[str, datetime]:
    return {row.rule: row.paused_until for row in await _PAUSES.many(work.db, work.now)}


async def feeds(work: Work) -> list[Feed]:
    return await _FEEDS.many(work.db)


async def insert_product(work: Work, vendor_id: UUID, new: NewVendorProduct) -> VendorProduct:
    own = (new_id(), vendor_id, new.maker, plain(new.maker), new.product, plain(new.product))
    holders = {"vendor_products_are_noted_once": (_PRODUCT_OF_NAME, (vendor_id, plain(new.maker), plain(new.product)))}
    with refusing(_BROKEN, holders, seen_by="signals:read"):
        return await _INSERT_PRODUCT.one(work.db, work.tenant_id, *own, work.now)


async def find_product(work: Work, product_id: UUID) -> VendorProduct | None:
    return await _FIND_PRODUCT.one_or_none(work.db, work.tenant_id, product_id)


async def lock_product(work: Work, product_id: UUID) -> VendorProduct | None:
    return await _LOCK_PRODUCT.one_or_none(work.db, work.tenant_id, product_id)


async def update_product(work: Work, p: VendorProduct) -> VendorProduct:
    own = (p.id, p.maker, plain(p.maker), p.product, plain(p.product))
    holders = {"vendor_products_are_noted_once": (_PRODUCT_OF_NAME, (p.vendor_id, plain(p.maker), plain(p.product)))}
    with refusing(_BROKEN, holders, seen_by="signals:read"):
        return await _UPDATE_PRODUCT.one(work.db, work.tenant_id, *own, work.now)


async def delete_product(work: Work, product_id: UUID) -> None:
    await _DELETE_PRODUCT.run(work.db, work.tenant_id, product_id)


async def find_change(work: Work, change_id: UUID) -> SubprocessorChange | None:
    return await _FIND_CHANGE.one_or_none(work.db, work.tenant_id, change_id)


async def lock_change(work: Work, change_id: UUID) -> SubprocessorChange | None:
    return await _LOCK_CHANGE.one_or_none(work.db, work.tenant_id, change_id)


async def decide(
    work: Work, change_id: UUID, state: SubprocessorChangeState, fourth_party_id: UUID | None
) -> SubprocessorChange:
    actor = work.by.actor
    own = (change_id, state, fourth_party_id, work.now, actor.id, actor.label)
    return await _DECIDE.one(work.db, work.tenant_id, *own)


async def vendors_of(work: Work, domains: Sequence[str]) -> dict[str, UUID]:
    return {row.domain: row.vendor_id for row in await _VENDORS_OF.many(work.db, work.tenant_id, domains)}


async def save_ratings(work: Work, ratings: Sequence[tuple[UUID, Rating]]) -> int:
    """Save each rating with its vendor. Return the number of new or changed ratings."""
    columns = [
        [new_id() for _ in ratings],
        [vendor_id for vendor_id, _ in ratings],
        [r.domain for _, r in ratings],
        [r.provider for _, r in ratings],
        [r.rated_on for _, r in ratings],
        [r.value_hundredths for _, r in ratings],
        [r.grade for _, r in ratings],
    ]
    return await _SAVE_RATINGS.one(work.db, work.tenant_id, work.now, *columns)
