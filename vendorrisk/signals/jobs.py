"""Background work on signals: enrol, scan, reconcile, fetch feeds, send the digest, keep partitions."""

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
from vendorrisk.background import Job, JobContext
from vendorrisk.evaluation.certificates import mozilla_store
from vendorrisk.evaluation.evaluate import Datasets
from vendorrisk.evaluation.model import AssetKind, ScanKind
from vendorrisk.identity import service as identity
from vendorrisk.ids import new_id
from vendorrisk.signals import queries, reconcile_queries, schedule, service
from vendorrisk.signals.collectors import Collector
from vendorrisk.signals.domain_scan import LAG, DomainScan
from vendorrisk.signals.feed_fetch import Lists, fetch_feeds
from vendorrisk.signals.queries import ClaimedDomain
from vendorrisk.signals.reconcile import Reconciler
from vendorrisk.signals.reconcile_queries import ToDigest, ToReconcile

_ENROL, _COMPLETE, _RECONCILE = 2000, 20_000, 100
_LEASE = timedelta(minutes=10)  # longer than any domain scan
_DOMAIN_SCAN_SECONDS = 480
_DOMAINS_OF_A_SLICE = 2000
_RECONCILE_LEASE = timedelta(minutes=10)
_RECONCILED_AT_ONCE = 3  # one waits for the database while another counts

ASTRAY = Gauge("vendorrisk_signal_rows_without_partition", "Rows that found no partition.")

_log = structlog.get_logger("signals")


async def enrol_assets(context: JobContext) -> int:
    """Schedule attached and requested assets. A free worker makes the scans."""
    async with context.database.system() as connection:
        enrolled = await queries.enrol(connection, context.clock(), _ENROL, _groups(context))
    if enrolled:
        await context.nudge([service.SCAN])
    return enrolled


async def complete_schedule(context: JobContext) -> int:
    """Schedule missing scans of watched assets: a group switched on since, a vendor that came back."""
    async with context.database.system() as connection:
        return await queries.complete_schedule(connection, context.clock(), _COMPLETE, _groups(context))


def _groups(context: JobContext) -> list[tuple[AssetKind, ScanKind]]:
    """Return the groups that are scanned for each kind of asset, by the switched-on sources."""
    settings = context.settings
    on = {"with_ct": bool(settings.signal_ct_url), "with_exposure": bool(settings.signal_exposure_url)}
    return [(kind, group) for kind in AssetKind for group in schedule.groups_of(kind, **on)]


async def scan_vendors(context: JobContext) -> int:
    """Scan due domains, some sixty at once, until none is left or a slice is done. Return the number of scans."""
    lists: Lists = context.lists
    await lists.refresh(context.database, context.scanner)
    async with context.database.system() as connection:
        LAG.set(max(0.0, await queries.lag_seconds(connection, context.clock())))
    return await _Round(context).run()


class _Round:
    """Keeps domain scans under way until nothing is due."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        lists: Lists = context.lists
        store = context.store or mozilla_store()
        versions = {"trust_store": store.version, **lists.versions}
        self._datasets = Datasets(store=store, preloaded=lists.preloaded, versions=versions)
        self._under_way: set[asyncio.Task[int]] = set()
        self._domains = self._scans = 0

    async def run(self) -> int:
        at_once, more = self._context.settings.signal_scan_concurrency, True
        try:
            while more or self._under_way:
                free = at_once - len(self._under_way)
                more = more and not self._context.stopping.is_set()
                if more and free >= max(1, at_once // 2):
                    more = await self._claim(free) and self._domains < _DOMAINS_OF_A_SLICE
                if self._under_way:
                    await self._land()
        finally:
            for task in self._under_way:
                task.cancel()
        if self._scans:
            await self._context.nudge([service.RECONCILE])
        return self._scans

    async def _claim(self, free: int) -> bool:
        now, token = self._context.clock(), new_id()
        async with self._context.database.system() as connection:
            claimed = await queries.claim_domains(connection, now, free, token, now + _LEASE)
        self._domains += len(claimed)
        self._under_way |= {asyncio.create_task(self._scan(domain, token)) for domain in claimed}
        return len(claimed) == free

    async def _scan(self, domain: ClaimedDomain, token: UUID) -> int:
        context = self._context
        lists: Lists = context.lists
        collector = Collector(
            context.scanner, context.settings, lists.registries, context.database, lists.robots_permissions
        )
        scan = DomainScan(
            domain,
            token,
            database=context.database,
            collector=collector,
            datasets=self._datasets,
            clock=context.clock,
            spent=lambda name: 0 if context.pacer is None else context.pacer.spent[name],
        )
        try:
            async with asyncio.timeout(_DOMAIN_SCAN_SECONDS):
                return await scan.run()
        except Exception:  # noqa: BLE001 - a registrable domain that breaks us must not stop the others; its lease lapses
            _log.exception("domain_scan_failed", domain=domain.name)
            return 0
        finally:
            if context.pacer is not None:
                context.pacer.spent.pop(domain.name, None)

    async def _land(self) -> None:
        done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        self._scans += sum(task.result() for task in done)


async def reconcile_vendors(context: JobContext) -> int:
    """Bring findings, dates, score and alerts of vendors in line with the states of their assets."""
    now = context.clock()
    leased_until = now + _RECONCILE_LEASE
    async with context.database.system() as connection:
        due = await reconcile_queries.claim_vendors(connection, now, _RECONCILE, leased_until)
        paused = await queries.paused_rules(connection, now)
        tenants = {one: await identity.acting_tenant(connection, one) for one in sorted({d.tenant_id for d in due})}
    disabled_rules = service.configured_disabled_rules(context.settings)
    gate = asyncio.Semaphore(_RECONCILED_AT_ONCE)

    async def in_turn(one: ToReconcile) -> Iterable[str]:
        async with gate:
            return await _reconcile(context, tenants[one.tenant_id], one, disabled_rules, paused)

    nudges = {name for named in await asyncio.gather(*map(in_turn, due)) for name in named}
    if nudges:
        await context.nudge(sorted(nudges))
    return len(due)


async def _reconcile(
    context: JobContext, tenant: Tenant, one: ToReconcile, disabled_rules: frozenset[str], paused: frozenset[str]
) -> Iterable[str]:
    by = system(tenant, service.RECONCILE, Permission.SIGNALS_WRITE)
    now = context.clock()
    try:
        async with context.database.tenant(tenant.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id=f"{service.RECONCILE}:{one.vendor_id}")
            row = await reconcile_queries.lock_vendor(work, one.vendor_id)
            if row is not None:
                vendor = await reconcile_queries.vendor(work, one.vendor_id)
                await Reconciler(work, vendor, row, disabled_rules=disabled_rules, paused=paused).run(row.reconcile_at)
            return work.nudges
    except Exception:  # noqa: BLE001 - one vendor that cannot be reconciled must not stop the others; its lease lapses
        _log.exception("signal_reconciliation_failed", vendor=str(one.vendor_id))
        return ()


async def send_signal_digests(context: JobContext) -> int:
    """Notify each tenant once a day, of days that are over, of findings of less weight that were not notified."""
    now = context.clock()
    async with context.database.system() as connection:
        due = await reconcile_queries.tenants_to_digest(connection, now)
    done = 0
    for each in due:
        tenant = Tenant(each.id, each.time_zone)
        by = system(tenant, "send_signal_digests", Permission.SIGNALS_WRITE)
        async with context.database.tenant(tenant.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id="send_signal_digests")
            done += await _digest(work)
            if work.nudges:
                await context.nudge(work.nudges)
    return done


async def _digest(work: Work) -> int:
    found = await reconcile_queries.to_digest(work)
    mild = [one for one in found if one.is_news]
    if mild and not await _notify(work, mild):
        return 0  # another worker's digest of today came first: these wait for tomorrow's
    await reconcile_queries.digested(work, [one.id for one in found])
    return len(found)


async def _notify(work: Work, mild: Sequence[ToDigest]) -> bool:
    lines = {f"{one.vendor_name} ({one.severity})": one.title for one in mild[:20]}
    title = f"{len(mild)} new findings from external signals"
    key = f"{work.tenant_id}:{work.today}"
    tenant = work.tenant_id
    return await alerts.raise_event(work, AlertClass.SIGNAL_DIGEST, key, None, "tenant", tenant, title, lines)


async def maintain_partitions(context: JobContext) -> int:
    """Create partitions ahead, drop expired ones, report rows without a partition.

    Reschedule scans that a wrong clock postponed.
    """
    settings = context.settings
    async with context.database.system() as connection:
        touched = await queries.maintain_partitions(
            connection, context.clock(), settings.signal_retention_months, settings.scan_retention_days
        )
        await queries.forget_flips(connection, context.clock())
        await queries.wake(connection, context.clock())
        astray = await queries.rows_without_partition(connection)
    ASTRAY.set(astray)
    if astray:
        _log.error("signal_rows_without_partition", rows=astray)
    return 0 if touched == 0 else 1


JOBS = (
    Job("maintain_signal_partitions", maintain_partitions, 3600),
    Job(service.ENROL, enrol_assets, 60),
    Job("complete_signal_schedule", complete_schedule, 21600, 600, at_start=True),
    Job("fetch_signal_feeds", fetch_feeds, 300, 600),
    Job(service.SCAN, scan_vendors, 60, 1800),
    Job(service.RECONCILE, reconcile_vendors, 60, 600),
    Job("send_signal_digests", send_signal_digests, 3600),
)
"""This feature's scheduled jobs. Partitions come first, so that a new database has them before it scans."""
