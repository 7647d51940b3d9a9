"""The statements of scans: schedule, leases, observations, evaluations, storms, partitions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from vendorrisk.db.connection import Connection
from vendorrisk.db.queries import QueryFile
from vendorrisk.evaluation.model import AssetKind, RuleSeverity, RuleState, ScanKind, Verdict

Item = TypeVar("Item")


class ClaimedDomain(msgspec.Struct, frozen=True):
    name: str
    is_opted_out: bool
    is_by_robots: bool
    spent: int
    tries: int
    asked_by: UUID | None


class DueScan(msgspec.Struct, frozen=True, kw_only=True):
    """A group of signals that is due on an asset.

    `tier_rank` is that of the most demanding watcher, 1 (critical) to 4. `assets_here` counts all assets of the domain.
    """

    registrable_domain: str
    asset_id: UUID
    kind: AssetKind
    name: str
    scan_kind: ScanKind
    failures: int
    last_scan_at: datetime | None
    observation_id: UUID | None
    observed_at: datetime | None
    raw_hash: bytes | None
    watchers: int
    tier_rank: int
    assets_here: int


class StoredState(msgspec.Struct, frozen=True, kw_only=True):
    asset_id: UUID
    rule: str
    subject: str
    scan_kind: ScanKind
    known: Verdict | None
    reason: str
    detail: str
    evidence: dict[str, Any]
    believed: dict[str, Any]
    severity: RuleSeverity
    confidence_percent: int
    cap: int | None
    observation_id: UUID | None
    memory: dict[str, Any]

    def remembered(self) -> RuleState:
        return msgspec.convert(self.memory, RuleState)


class Pause(msgspec.Struct, frozen=True):
    rule: str
    paused_at: datetime
    paused_until: datetime


class Flips(msgspec.Struct, frozen=True):
    rule: str
    flips: int
    watched: int


class NewObservation(msgspec.Struct, frozen=True):
    id: UUID
    asset_id: UUID
    scan_kind: ScanKind
    raw: bytes
    raw_hash: bytes
    previous_hash: bytes | None
    scan_id: UUID


_across = QueryFile("across_tenants")
_sql = QueryFile("signals")
_ENROL = _sql.scalar("enrol_assets", int)
_CLAIM_ASKED = _sql.rows("claim_asked_domains", ClaimedDomain)
_CLAIM_DOMAINS = _sql.rows("claim_domains", ClaimedDomain)
_DUE = _sql.rows("due_scans", DueScan)
_FORGET_UNWATCHED = _sql.command("forget_unwatched")
_STATES = _sql.rows("states_of_assets", StoredState)
_READ_OBSERVATION = _sql.scalar("read_observation", bytes)
_PAUSED = _sql.scalar("paused_rules", str)
_LAST_PAUSES = _sql.rows("last_pauses", Pause)
_HOLD = _sql.scalar("hold_lease", str)
_APPEND_OBSERVATIONS = _sql.command("append_observations")
_SAVE_STATES = _sql.command("save_states")
_APPEND_EVALUATIONS = _sql.command("append_evaluations")
_APPEND_SCANS = _sql.command("append_scans")
_SAVE_SCHEDULE = _sql.command("save_schedule")
_NOTE_FLIPS = _sql.command("note_flips")
_COUNT_FLIPS = _sql.rows("count_flips", Flips)
_PAUSE = _sql.command("pause_rule")
_FORGET_FLIPS = _sql.command("forget_flips")
_TENANTS_WATCHING = _sql.scalar("tenants_watching", UUID)
_REQUEST_RECONCILIATION = _sql.command("request_reconciliation")
_RELEASE = _sql.command("release_domain")
_OPT_OUT = _sql.command("opt_out_domain")
_OPT_IN = _sql.command("opt_in_domain")
_COMPLETE = _sql.scalar("complete_schedule", int)
_WAKE_VENDORS = _across.command("wake_vendors")
_WAKE = _sql.command("wake_what_sleeps_too_long")
_MAINTAIN_PARTITIONS = _sql.scalar("maintain_partitions", int)
_WITHOUT_PARTITION = _sql.scalar("rows_without_partition", int)
_LAG = _sql.scalar("scan_lag", float)


async def enrol(
    connection: Connection, tenant_id: UUID, now: datetime, most: int, groups: Sequence[tuple[AssetKind, ScanKind]]
) -> int:
    """Schedule the requested scans of a tenant. Return their number."""
    kinds, wanted = [kind.value for kind, _ in groups], [group.value for _, group in groups]
    return await _ENROL.one(connection, now, most, kinds, wanted, tenant_id)


async def claim_domains(
    connection: Connection, now: datetime, most: int, token: UUID, lease: timedelta, asked_by: UUID | None = None
) -> list[ClaimedDomain]:
    """Claim domains that a tenant asked for, or without one those that are due by the schedule."""
    if asked_by is None:
        return await _CLAIM_DOMAINS.many(connection, now, most, token, lease)
    return await _CLAIM_ASKED.many(connection, now, most, token, lease, asked_by)


async def due_scans(connection: Connection, registrable_domain: str, now: datetime, most: int) -> list[DueScan]:
    return await _DUE.many(connection, registrable_domain, now, most)


async def forget_unwatched(
    connection: Connection, assets: Sequence[UUID], registrable_domain: str, token: UUID
) -> None:
    await _FORGET_UNWATCHED.run(connection, assets, registrable_domain, token)


async def states_of(connection: Connection, assets: Iterable[UUID]) -> list[StoredState]:
    return await _STATES.many(connection, list(assets))


async def raw_observation(connection: Connection, observation_id: UUID) -> bytes | None:
    return await _READ_OBSERVATION.one_or_none(connection, observation_id)


async def paused_rules(connection: Connection, now: datetime) -> frozenset[str]:
    return frozenset(await _PAUSED.many(connection, now))


async def last_pauses(connection: Connection) -> dict[str, Pause]:
    """Return the last pause of each rule that ever had one."""
    return {pause.rule: pause for pause in await _LAST_PAUSES.many(connection)}


async def hold_lease(connection: Connection, registrable_domain: str, token: UUID) -> bool:
    return await _HOLD.one_or_none(connection, registrable_domain, token) is not None


async def append_observations(
    connection: Connection,
    now: datetime,
    scanner_version: str,
    datasets: Mapping[str, str],
    rows: Sequence[NewObservation],
) -> None:
    columns = [
        [r.id for r in rows],
        [r.asset_id for r in rows],
        [r.scan_kind.value for r in rows],
        [r.raw for r in rows],
        [r.raw_hash for r in rows],
        [r.previous_hash for r in rows],
        [r.scan_id for r in rows],
    ]
    await _APPEND_OBSERVATIONS.run(connection, now, scanner_version, datasets, *columns)


async def save_states(connection: Connection, now: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
    await _SAVE_STATES.run(connection, now, rows)


async def append_evaluations(connection: Connection, now: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
    await _APPEND_EVALUATIONS.run(connection, now, rows)


async def append_scans(
    connection: Connection, now: datetime, datasets: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    await _APPEND_SCANS.run(connection, now, datasets, rows)


async def save_schedule(connection: Connection, now: datetime, rows: Sequence[Mapping[str, Any]]) -> None:
    await _SAVE_SCHEDULE.run(connection, now, rows)


async def note_flips(connection: Connection, now: datetime, flips: Sequence[tuple[str, UUID]]) -> None:
    await _NOTE_FLIPS.run(connection, now, [rule for rule, _ in flips], [asset for _, asset in flips])


async def count_flips(connection: Connection, now: datetime, rules: Mapping[str, ScanKind]) -> list[Flips]:
    return await _COUNT_FLIPS.many(connection, now, list(rules), [group.value for group in rules.values()])


async def pause(connection: Connection, counted: Flips, now: datetime, until: datetime) -> None:
    await _PAUSE.run(connection, counted.rule, now, until, counted.flips, counted.watched)


async def forget_flips(connection: Connection, now: datetime) -> None:
    await _FORGET_FLIPS.run(connection, now)


async def request_reconciliation(connection: Connection, assets: Sequence[UUID], now: datetime) -> None:
    """Reconcile every vendor that watches one of these assets, by one statement for each tenant."""
    tenants = await _TENANTS_WATCHING.many(connection, assets)
    await _REQUEST_RECONCILIATION.run_each(connection, [(tenant, list(assets), now) for tenant in tenants])


async def release(
    connection: Connection,
    registrable_domain: str,
    token: UUID,
    now: datetime,
    spent: int,
    *,
    opted_out: bool,
    opted_in: bool,
) -> None:
    """Release a registrable domain. robots.txt may have opted it out, or in again."""
    await _RELEASE.run(connection, registrable_domain, token, now, spent, opted_out, opted_in)


async def opt_out(connection: Connection, registrable_domain: str, now: datetime, note: str | None) -> None:
    await _OPT_OUT.run(connection, registrable_domain, now, note)


async def opt_in(connection: Connection, registrable_domain: str, now: datetime) -> int:
    return await _OPT_IN.run(connection, registrable_domain, now)


async def complete_schedule(
    connection: Connection, now: datetime, most: int, groups: Sequence[tuple[AssetKind, ScanKind]]
) -> int:
    """Schedule watched assets that were never scanned. Return the number of missing scans."""
    kinds, wanted = [kind.value for kind, _ in groups], [group.value for _, group in groups]
    return await _COMPLETE.one(connection, now, kinds, wanted, most)


async def wake(connection: Connection, now: datetime) -> None:
    await _WAKE.run(connection, now, list(ScanKind))
    await _WAKE_VENDORS.run(connection, now)


async def maintain_partitions(connection: Connection, now: datetime, months: int, run_days: int) -> int:
    return await _MAINTAIN_PARTITIONS.one(connection, now, months, run_days)


async def rows_without_partition(connection: Connection) -> int:
    return await _WITHOUT_PARTITION.one(connection)


async def lag_seconds(connection: Connection, now: datetime) -> float:
    """Return how long the oldest due scan has been due. Negative if none is due."""
    return await _LAG.one(connection, now)
