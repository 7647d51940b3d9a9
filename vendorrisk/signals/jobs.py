"""Background work on signals: enrol, look, settle, fetch feeds, tell the digest, keep partitions."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Gauge

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.model import AlertClass
from vendorrisk.background import Job, World
from vendorrisk.evaluation.certificates import mozilla_store
from vendorrisk.evaluation.evaluate import Datasets
from vendorrisk.evaluation.model import AssetKind, Group
from vendorrisk.identity import service as identity
from vendorrisk.ids import new_id
from vendorrisk.signals import queries, reconcile_queries, schedule, service
from vendorrisk.signals.collectors import Collector
from vendorrisk.signals.domain_scan import LAG, Visit
from vendorrisk.signals.feed_fetch import Lists, fetch_feeds
from vendorrisk.signals.queries import ClaimedPlace
from vendorrisk.signals.reconcile import Settling
from vendorrisk.signals.reconcile_queries import ToDigest, ToSettle

_ENROL, _COMPLETE, _SETTLE = 2000, 20_000, 100
_LEASE = timedelta(minutes=10)  # longer than any visit
_VISIT_SECONDS = 480
_VISITS_OF_A_SLICE = 2000
_SETTLE_LEASE = timedelta(minutes=10)
_SETTLED_AT_ONCE = 3  # one waits for the database while another counts

ASTRAY = Gauge("vendorrisk_signal_rows_without_partition", "Rows that found no partition.")

_log = structlog.get_logger("signals")


async def enrol_assets(world: World) -> int:
    """Put what was attached or asked for into the schedule, and leave the looking to whoever is free."""
    async with world.database.system() as connection:
        enrolled = await queries.enrol(connection, world.clock(), _ENROL, _groups(world))
    if enrolled:
        await world.nudge([service.LOOK])
    return enrolled


async def complete_schedule(world: World) -> int:
    """Put into the schedule what is watched and was left out: a group switched on since, a vendor that came back."""
    async with world.database.system() as connection:
        return await queries.complete_schedule(connection, world.clock(), _COMPLETE, _groups(world))


def _groups(world: World) -> list[tuple[AssetKind, Group]]:
    """Return what is looked at of each kind of asset, by what is switched on."""
    settings = world.settings
    on = {"with_ct": bool(settings.signal_ct_url), "with_exposure": bool(settings.signal_exposure_url)}
    return [(kind, group) for kind in AssetKind for group in schedule.groups_of(kind, **on)]


async def look_at_vendors(world: World) -> int:
    """Visit places that are due, some sixty at once, until none is or a slice is done; returns how many looks."""
    lists: Lists = world.lists
    async with world.database.system() as connection:
        await lists.refresh(connection)
        LAG.set(max(0.0, await queries.lag_seconds(connection, world.clock())))
    return await _Round(world).run()


class _Round:
    """Keeps visits under way until nothing is due."""

    def __init__(self, world: World) -> None:
        self._world = world
        lists: Lists = world.lists
        store = world.store or mozilla_store()
        versions = {"trust_store": store.version, **lists.versions}
        self._datasets = Datasets(store=store, preloaded=lists.preloaded, versions=versions)
        self._under_way: set[asyncio.Task[int]] = set()
        self._visits = self._looks = 0

    async def run(self) -> int:
        at_once, more = self._world.settings.signal_places_at_once, True
        try:
            while more or self._under_way:
                free = at_once - len(self._under_way)
                more = more and not self._world.stopping.is_set()
                if more and free >= max(1, at_once // 2):
                    more = await self._claim(free) and self._visits < _VISITS_OF_A_SLICE
                if self._under_way:
                    await self._land()
        finally:
            for task in self._under_way:
                task.cancel()
        if self._looks:
            await self._world.nudge([service.SETTLE])
        return self._looks

    async def _claim(self, free: int) -> bool:
        now, token = self._world.clock(), new_id()
        async with self._world.database.system() as connection:
            claimed = await queries.claim_places(connection, now, free, token, now + _LEASE)
        self._visits += len(claimed)
        self._under_way |= {asyncio.create_task(self._visit(place, token)) for place in claimed}
        return len(claimed) == free

    async def _visit(self, place: ClaimedPlace, token: UUID) -> int:
        world = self._world
        lists: Lists = world.lists
        collector = Collector(world.looks, world.settings, lists.registries, world.database, lists.leave)
        visit = Visit(
            place,
            token,
            database=world.database,
            collector=collector,
            datasets=self._datasets,
            clock=world.clock,
            spent=lambda name: 0 if world.pacer is None else world.pacer.spent[name],
        )
        try:
            async with asyncio.timeout(_VISIT_SECONDS):
                return await visit.go()
        except Exception:  # noqa: BLE001 - a place that breaks us must not stop the others; its lease lapses
            _log.exception("signal_visit_failed", place=place.name)
            return 0
        finally:
            if world.pacer is not None:
                world.pacer.spent.pop(place.name, None)

    async def _land(self) -> None:
        done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        self._looks += sum(task.result() for task in done)


async def settle_vendors(world: World) -> int:
    """Bring findings, dates, score and alerts of vendors in line with what was seen."""
    now = world.clock()
    leased_until = now + _SETTLE_LEASE
    async with world.database.system() as connection:
        due = await reconcile_queries.claim_vendors(connection, now, _SETTLE, leased_until)
        paused = await queries.paused_rules(connection, now)
        tenants = {one: await identity.acting_tenant(connection, one) for one in sorted({d.tenant_id for d in due})}
    off = service.off_rules(world.settings)
    gate = asyncio.Semaphore(_SETTLED_AT_ONCE)

    async def in_turn(one: ToSettle) -> Iterable[str]:
        async with gate:
            return await _settle(world, tenants[one.tenant_id], one, off, paused)

    nudges = {name for named in await asyncio.gather(*map(in_turn, due)) for name in named}
    if nudges:
        await world.nudge(sorted(nudges))
    return len(due)


async def _settle(
    world: World, tenant: Tenant, one: ToSettle, off: frozenset[str], paused: frozenset[str]
) -> Iterable[str]:
    by = system(tenant, service.SETTLE, Permission.SIGNALS_WRITE)
    now = world.clock()
    try:
        async with world.database.tenant(tenant.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id=f"{service.SETTLE}:{one.vendor_id}")
            row = await reconcile_queries.lock_vendor(work, one.vendor_id)
            if row is not None:
                vendor = await reconcile_queries.vendor(work, one.vendor_id)
                await Settling(work, vendor, row, off=off, paused=paused).go(row.settle_at)
            return work.nudges
    except Exception:  # noqa: BLE001 - one vendor that cannot be settled must not stop the others; its lease lapses
        _log.exception("signal_settling_failed", vendor=str(one.vendor_id))
        return ()


async def send_signal_digests(world: World) -> int:
    """Tell each tenant once a day, of days that are over, of findings of less weight that nobody was told of."""
    now = world.clock()
    async with world.database.system() as connection:
        due = await reconcile_queries.tenants_to_digest(connection, now)
    done = 0
    for each in due:
        tenant = Tenant(each.id, each.time_zone)
        by = system(tenant, "send_signal_digests", Permission.SIGNALS_WRITE)
        async with world.database.tenant(tenant.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id="send_signal_digests")
            done += await _digest(work)
            if work.nudges:
                await world.nudge(work.nudges)
    return done


async def _digest(work: Work) -> int:
    found = await reconcile_queries.to_digest(work)
    mild = [one for one in found if one.is_news]
    if mild and not await _tell(work, mild):
        return 0  # another worker's digest of today came first: these wait for tomorrow's
    await reconcile_queries.digested(work, [one.id for one in found])
    return len(found)


async def _tell(work: Work, mild: Sequence[ToDigest]) -> bool:
    lines = {f"{one.vendor_name} ({one.severity})": one.title for one in mild[:20]}
    title = f"{len(mild)} new findings from outside signals"
    key = f"{work.tenant_id}:{work.today}"
    tenant = work.tenant_id
    return await alerts.raise_event(work, AlertClass.SIGNAL_DIGEST, key, None, "tenant", tenant, title, lines)


async def keep_partitions(world: World) -> int:
    """Make partitions ahead, drop those past their retention, say where rows found none; wake what a clock put off."""
    settings = world.settings
    async with world.database.system() as connection:
        touched = await queries.keep_partitions(
            connection, world.clock(), settings.signal_keep_months, settings.signal_keep_run_days
        )
        await queries.forget_flips(connection, world.clock())
        await queries.wake(connection, world.clock())
        astray = await queries.rows_without_partition(connection)
    ASTRAY.set(astray)
    if astray:
        _log.error("signal_rows_without_partition", rows=astray)
    return 0 if touched == 0 else 1


JOBS = (
    Job("keep_signal_partitions", keep_partitions, 3600),
    Job(service.ENROL, enrol_assets, 60),
    Job("complete_signal_schedule", complete_schedule, 21600, 600, at_start=True),
    Job("fetch_signal_feeds", fetch_feeds, 300, 600),
    Job(service.LOOK, look_at_vendors, 60, 1800),
    Job(service.SETTLE, settle_vendors, 60, 600),
    Job("send_signal_digests", send_signal_digests, 3600),
)
"""What the schedule lists of this feature; partitions come first, so that a new database has them before it looks."""
