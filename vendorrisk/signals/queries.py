"""The statements of looks, feeds and settling: what jobs run."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.findings.model import State
from vendorrisk.ids import new_id
from vendorrisk.signals.model import Group, RuleState, Severity, Verdict
from vendorrisk.signals.watch_model import AssetKind, CurrentScore, Feed, VendorAsset
from vendorrisk.vendors.model import Lifecycle, Tier

Item = TypeVar("Item")


class ClaimedPlace(msgspec.Struct, frozen=True):
    name: str
    is_opted_out: bool
    spent: int


class DueLook(msgspec.Struct, frozen=True, kw_only=True):
    """A group of signals that is due on an asset; `tier_rank` is 1 (critical) to 4 of the least patient watcher."""

    place: str
    asset_id: UUID
    kind: AssetKind
    name: str
    look_group: Group
    failures: int
    last_look_at: datetime | None
    observed_at: datetime | None
    raw_hash: bytes | None
    watchers: int
    tier_rank: int


class StoredState(msgspec.Struct, frozen=True, kw_only=True):
    asset_id: UUID
    rule: str
    discriminator: str
    look_group: Group
    known: Verdict | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    believed: dict[str, Any]
    severity: Severity
    confidence_percent: int
    cap: int | None
    observation_id: UUID | None
    memory: dict[str, Any]

    def remembered(self) -> RuleState:
        return msgspec.convert(self.memory, RuleState)


class Flips(msgspec.Struct, frozen=True):
    rule: str
    flips: int
    watched: int


class ClaimedFeed(msgspec.Struct, frozen=True):
    feed: str
    version: str
    etag: str
    last_modified: str
    failures: int


class NewObservation(msgspec.Struct, frozen=True):
    id: UUID
    asset_id: UUID
    look_group: Group
    raw: bytes
    raw_hash: bytes
    previous_hash: bytes | None
    run_id: UUID


class ToSettle(msgspec.Struct, frozen=True):
    tenant_id: UUID
    vendor_id: UUID


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
    value_hash: bytes


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


class _Payload(msgspec.Struct, frozen=True):
    payload: Any


_sql = QueryFile("signals")
_ENROL = _sql.scalar("enrol_assets", int)
_CLAIM_PLACES = _sql.rows("claim_places", ClaimedPlace)
_DUE = _sql.rows("due_looks", DueLook)
_FORGET_UNWATCHED = _sql.command("forget_unwatched")
_STATES = _sql.rows("states_of_assets", StoredState)
_READ_OBSERVATION = _sql.scalar("read_observation", bytes)
_PAUSED = _sql.scalar("paused_rules", str)
_HOLD = _sql.scalar("hold_lease", str)
_APPEND_OBSERVATIONS = _sql.command("append_observations")
_KEEP_STATES = _sql.command("keep_states")
_APPEND_JUDGEMENTS = _sql.command("append_judgements")
_APPEND_RUNS = _sql.command("append_runs")
_KEEP_SCHEDULE = _sql.command("keep_schedule")
_NOTE_FLIPS = _sql.command("note_flips")
_COUNT_FLIPS = _sql.rows("count_flips", Flips)
_PAUSE = _sql.command("pause_rule")
_FORGET_FLIPS = _sql.command("forget_flips")
_ASK_TO_SETTLE = _sql.command("ask_to_settle")
_RELEASE = _sql.command("release_place")
_OPT_OUT = _sql.command("opt_out_place")
_OPT_IN = _sql.command("opt_in_place")
_KEEP_PARTITIONS = _sql.scalar("keep_partitions", int)
_WITHOUT_PARTITION = _sql.scalar("rows_without_partition", int)
_LAG = _sql.scalar("look_lag", float)

_feeds = QueryFile("signal_feeds")
_CLAIM_FEED = _feeds.rows("claim_feed", ClaimedFeed)
_KNOW_FEEDS = _feeds.command("know_feeds")
_KEEP_ITEMS = _feeds.scalar("keep_feed_items", str)
_DROP_ITEMS = _feeds.command("drop_feed_items")
_FETCHED = _feeds.command("feed_fetched")
_UNCHANGED = _feeds.command("feed_unchanged")
_FAILED = _feeds.command("feed_failed")
_FEED = _feeds.rows("feed_of", Feed)
_BODY = _feeds.scalar("feed_body", bytes)
_ITEMS = _feeds.rows("items_of_subject", _Payload)
_ITEM = _feeds.rows("item_of_feed", _Payload)
_LOOK_AGAIN = _feeds.command("look_again_at_domains")
_SETTLE_OWNERS = _feeds.command("settle_owners_of")

_settling = QueryFile("signal_settling")
_CLAIM_VENDORS = _settling.rows("claim_vendors_to_settle", ToSettle)
_LOCK_VENDOR = _settling.rows("lock_vendor_signals", CurrentScore)
_VENDOR = _settling.rows("vendor_to_settle", SettledVendor)
_ATTACH_DOMAINS = _settling.command("attach_recorded_domains")
_LEAVE_DOMAINS = _settling.command("leave_unrecorded_domains")
_DOMAINS = _settling.scalar("domains_of_vendor", str)
_ASSETS = _settling.rows("assets_of_vendor", VendorAsset)
_VENDOR_STATES = _settling.rows("states_of_vendor", VendorState)
_FINDINGS = _settling.rows("findings_of_signals", SignalFinding)
_KEEP_FINDING = _settling.command("keep_signal_finding")
_FINDING_CLOSED = _settling.command("signal_finding_closed")
_HAPPENINGS = _settling.rows("happenings_of_vendor", Happened)
_PROPOSE = _settling.command("propose_changes")
_PRODUCTS = _settling.rows("products_of_vendor", Product)
_EXPLOITED = _settling.rows("exploited_of_makers", _Payload)
_NOTE_EXPLOIT = _settling.command("note_exploit")
_KNOWN_EXPLOITS = _settling.scalar("known_exploits", str)
_APPEND_SNAPSHOT = _settling.command("append_snapshot")
_SETTLED = _settling.command("settled")
_TENANTS_TO_DIGEST = _settling.rows("tenants_to_digest", TenantDue)
_TO_DIGEST = _settling.rows("findings_to_digest", ToDigest)
_DIGESTED = _settling.command("digested")


# Looks


async def enrol(connection: Connection, now: datetime, most: int, groups: Sequence[tuple[AssetKind, Group]]) -> int:
    """Give what was asked for its place in the schedule; returns how many were asked for."""
    kinds, wanted = [kind.value for kind, _ in groups], [group.value for _, group in groups]
    return await _ENROL.one(connection, now, most, kinds, wanted)


async def claim_places(
    connection: Connection, now: datetime, most: int, token: UUID, until: datetime
) -> list[ClaimedPlace]:
    return await _CLAIM_PLACES.many(connection, now, most, token, until)


async def due_looks(connection: Connection, place: str, now: datetime, most: int) -> list[DueLook]:
    return await _DUE.many(connection, place, now, most)


async def forget_unwatched(connection: Connection, assets: Sequence[UUID], place: str, token: UUID) -> None:
    await _FORGET_UNWATCHED.run(connection, assets, place, token)


async def states_of(connection: Connection, assets: Iterable[UUID]) -> list[StoredState]:
    return await _STATES.many(connection, list(assets))


async def raw_observation(connection: Connection, observation_id: UUID) -> bytes | None:
    return await _READ_OBSERVATION.one_or_none(connection, observation_id)


async def paused_rules(connection: Connection, now: datetime) -> frozenset[str]:
    return frozenset(await _PAUSED.many(connection, now))


async def hold_lease(connection: Connection, place: str, token: UUID) -> bool:
    return await _HOLD.one_or_none(connection, place, token) is not None


async def append_observations(
    connection: Connection,
    now: datetime,
    checker_version: str,
    datasets: Mapping[str, str],
    rows: Sequence[NewObservation],
) -> None:
    columns = [
        [r.id for r in rows],
        [r.asset_id for r in rows],
        [r.look_group.value for r in rows],
        [r.raw for r in rows],
        [r.raw_hash for r in rows],
        [r.previous_hash for r in rows],
        [r.run_id for r in rows],
    ]
    await _APPEND_OBSERVATIONS.run(connection, now, checker_version, datasets, *columns)


async def keep_states(connection: Connection, now: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
    await _KEEP_STATES.run(connection, now, rows)


async def append_judgements(connection: Connection, now: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
    await _APPEND_JUDGEMENTS.run(connection, now, rows)


async def append_runs(
    connection: Connection, now: datetime, datasets: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    await _APPEND_RUNS.run(connection, now, datasets, rows)


async def keep_schedule(connection: Connection, now: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
    await _KEEP_SCHEDULE.run(connection, now, rows)


async def note_flips(connection: Connection, now: datetime, flips: Sequence[tuple[str, UUID]]) -> None:
    await _NOTE_FLIPS.run(connection, now, [rule for rule, _ in flips], [asset for _, asset in flips])


async def count_flips(connection: Connection, now: datetime, rules: Mapping[str, Group]) -> list[Flips]:
    return await _COUNT_FLIPS.many(connection, now, list(rules), [group.value for group in rules.values()])


async def pause(connection: Connection, counted: Flips, now: datetime, until: datetime) -> None:
    await _PAUSE.run(connection, counted.rule, now, until, counted.flips, counted.watched)


async def forget_flips(connection: Connection, now: datetime) -> None:
    await _FORGET_FLIPS.run(connection, now)


async def ask_to_settle(connection: Connection, assets: Sequence[UUID], now: datetime) -> None:
    await _ASK_TO_SETTLE.run(connection, assets, now)


async def release(
    connection: Connection, place: str, token: UUID, now: datetime, spent: int, *, opted_out: bool, opted_in: bool
) -> None:
    """Give a place back; robots.txt may have opted it out, or in again."""
    await _RELEASE.run(connection, place, token, now, spent, opted_out, opted_in)


async def opt_out(connection: Connection, place: str, now: datetime, note: str | None) -> None:
    await _OPT_OUT.run(connection, place, now, note)


async def opt_in(connection: Connection, place: str) -> int:
    return await _OPT_IN.run(connection, place)


async def keep_partitions(connection: Connection, now: datetime, months: int, run_days: int) -> int:
    return await _KEEP_PARTITIONS.one(connection, now, months, run_days)


async def rows_without_partition(connection: Connection) -> int:
    return await _WITHOUT_PARTITION.one(connection)


async def lag_seconds(connection: Connection, now: datetime) -> float:
    """Return how long the look that has waited longest has been due; negative where none is."""
    return await _LAG.one(connection, now)


# Feeds


async def claim_feed(
    connection: Connection, now: datetime, token: UUID, until: datetime, feeds: Sequence[str]
) -> ClaimedFeed | None:
    await _KNOW_FEEDS.run(connection, feeds, now)
    return await _CLAIM_FEED.one_or_none(connection, now, token, until, feeds)


async def keep_items(
    connection: Connection, feed: str, items: Sequence[tuple[str, str, bytes]], now: datetime
) -> list[str]:
    """Keep (key, subject, payload) of a feed; returns the subjects of those that are new."""
    keys, subjects = [key for key, _, _ in items], [subject for _, subject, _ in items]
    return await _KEEP_ITEMS.many(connection, feed, keys, subjects, [payload.decode() for _, _, payload in items], now)


async def drop_items(connection: Connection, feed: str, kept: Sequence[str], now: datetime) -> None:
    await _DROP_ITEMS.run(connection, feed, kept, now)


async def feed_fetched(
    connection: Connection,
    claimed: ClaimedFeed,
    token: UUID,
    now: datetime,
    next_at: datetime,
    *,
    items: int,
    body: bytes | None,
) -> int:
    """Close a fetch; returns 0 where the lease was lost meanwhile."""
    own = (claimed.version, claimed.etag, claimed.last_modified)
    return await _FETCHED.run(connection, claimed.feed, token, *own, now, items, body, next_at)


async def feed_unchanged(connection: Connection, feed: str, token: UUID, now: datetime, next_at: datetime) -> None:
    await _UNCHANGED.run(connection, feed, token, now, next_at)


async def feed_failed(
    connection: Connection, feed: str, token: UUID, now: datetime, why: str, next_at: datetime
) -> None:
    await _FAILED.run(connection, feed, token, now, why, next_at)


async def feed_of(connection: Connection, feed: str) -> Feed | None:
    return await _FEED.one_or_none(connection, feed)


async def feed_body(connection: Connection, feed: str) -> bytes | None:
    return await _BODY.one_or_none(connection, feed)


async def items_of(connection: Connection, feed: str, subject: str, kind: type[Item]) -> list[Item]:
    return [msgspec.convert(row.payload, kind) for row in await _ITEMS.many(connection, feed, subject)]


async def item(connection: Connection, feed: str, key: str, kind: type[Item]) -> Item | None:
    found = await _ITEM.one_or_none(connection, feed, key)
    return None if found is None else msgspec.convert(found.payload, kind)


async def look_again_at(connection: Connection, domains: Sequence[str], now: datetime) -> None:
    await _LOOK_AGAIN.run(connection, domains, now)


async def settle_owners_of(connection: Connection, makers: Sequence[str], now: datetime) -> None:
    await _SETTLE_OWNERS.run(connection, makers, now)


# Settling


async def claim_vendors(connection: Connection, now: datetime, most: int, until: datetime) -> list[ToSettle]:
    return await _CLAIM_VENDORS.many(connection, now, most, until)


async def lock_vendor(work: Work, vendor_id: UUID) -> CurrentScore | None:
    return await _LOCK_VENDOR.one_or_none(work.db, work.tenant_id, vendor_id)


async def vendor(work: Work, vendor_id: UUID) -> SettledVendor:
    return await _VENDOR.one(work.db, work.tenant_id, vendor_id)


async def recorded_domains(work: Work, vendor_id: UUID) -> list[str]:
    return await _DOMAINS.many(work.db, work.tenant_id, vendor_id)


async def attach_domains(work: Work, vendor_id: UUID, assets: Sequence[tuple[UUID, str, str]]) -> int:
    """Attach (asset id, name, place) of recorded domains; returns how many were not attached before."""
    ids, names, places = ([a[i] for a in assets] for i in range(3))
    own = (work.tenant_id, vendor_id, work.now)
    return await _ATTACH_DOMAINS.run(work.db, *own, [new_id() for _ in assets], ids, names, places)


async def leave_domains(work: Work, vendor_id: UUID, recorded: Sequence[str]) -> None:
    await _LEAVE_DOMAINS.run(work.db, work.tenant_id, vendor_id, work.now, recorded)


async def assets(work: Work, vendor_id: UUID) -> list[VendorAsset]:
    return await _ASSETS.many(work.db, work.tenant_id, vendor_id)


async def vendor_states(work: Work, vendor_id: UUID) -> list[VendorState]:
    return await _VENDOR_STATES.many(work.db, work.tenant_id, vendor_id)


async def signal_findings(work: Work, vendor_id: UUID) -> list[SignalFinding]:
    return await _FINDINGS.many(work.db, work.tenant_id, vendor_id)


async def keep_finding(work: Work, vendor_id: UUID, f: SignalFinding) -> None:
    own = (f.vendor_asset_id, f.rule, f.discriminator, f.generation, f.finding_id)
    await _KEEP_FINDING.run(work.db, work.tenant_id, f.id, vendor_id, *own, f.opened_at, f.closed_at, f.told_at)


async def finding_closed(work: Work, source_id: UUID) -> None:
    await _FINDING_CLOSED.run(work.db, work.tenant_id, source_id, work.now)


async def happenings(work: Work, vendor_id: UUID, since: datetime) -> list[Happened]:
    return await _HAPPENINGS.many(work.db, work.tenant_id, vendor_id, since)


async def propose(
    work: Work, vendor_id: UUID, vendor_asset_id: UUID, value_hash: bytes, changes: Sequence[tuple[str, str]]
) -> None:
    ids = [new_id() for _ in changes]
    kinds, names = [change for change, _ in changes], [name for _, name in changes]
    own = (work.tenant_id, vendor_id, vendor_asset_id, value_hash, work.now)
    await _PROPOSE.run(work.db, *own, ids, kinds, names)


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


async def tenants_to_digest(connection: Connection) -> list[TenantDue]:
    return await _TENANTS_TO_DIGEST.many(connection)


async def to_digest(work: Work) -> list[ToDigest]:
    return await _TO_DIGEST.many(work.db, work.tenant_id)


async def digested(work: Work, ids: Sequence[UUID]) -> None:
    await _DIGESTED.run(work.db, work.tenant_id, ids, work.now)
