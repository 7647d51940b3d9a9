"""Background work on signals: enrol, scan, reconcile, fetch feeds, send the digest, keep partitions."""

import asyncio
from collections import Counter
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
from vendorrisk.feeds.fetch import Lists, fetch_feeds
from vendorrisk.ids import new_id
from vendorrisk.queues import queries as queues
from vendorrisk.queues import rows
from vendorrisk.queues.places import Places
from vendorrisk.queues.turns import Queue, due_tenants, in_turn, remember
from vendorrisk.signals import queries, reconcile_queries, schedule, service
from vendorrisk.signals.collectors import Collector
from vendorrisk.signals.domain_scan import LAG, DomainScan
from vendorrisk.signals.queries import ClaimedDomain
from vendorrisk.signals.reconcile import Reconciler
from vendorrisk.signals.reconcile_queries import ToDigest, ToReconcile

_ENROL, _COMPLETE, _RECONCILE = 2000, 20_000, 100
_LEASE = timedelta(minutes=10)  # longer than any domain scan
_DOMAIN_SCAN_SECONDS = 480
_DOMAINS_OF_A_SLICE = 2000
_RECONCILE_LEASE = timedelta(minutes=10)
_LOOK_SECONDS = 1.0  # so often it looks for tenants that ask, while scans do not end
_RECONCILED_AT_ONCE = 3  # one waits for the database while another counts

REQUESTED = Queue(service.ENROL, queues.NOTE_REQUESTED_SCANS)
DOMAINS = Queue(service.SCAN, queues.NOTE_DOMAINS)
RECONCILIATIONS = Queue(service.RECONCILE, queues.NOTE_RECONCILIATIONS)
DIGESTS = Queue("send_signal_digests", queues.NOTE_DIGESTS)

ASTRAY = Gauge("vendorrisk_signal_rows_without_partition", "Rows that found no partition.")

_log = structlog.get_logger("signals")


async def enrol_assets(context: JobContext) -> int:
    """Schedule attached and requested assets. A free worker makes the scans."""
    now = context.clock()

    async def visit(tenant: Tenant) -> int:
        async with context.database.system() as connection:
            return await queries.enrol(connection, tenant.id, now, _ENROL, _groups(context))

    enrolled = await in_turn(context, REQUESTED, visit, now)
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


_SCHEDULED = UUID(int=0)
"""Takes the turn of the domains that no tenant asked for."""


class _Round:
    """Keeps domain scans under way until nothing is due, shared by the tenants that asked and by the schedule."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        lists: Lists = context.lists
        store = context.store or mozilla_store()
        versions = {"trust_store": store.version, **lists.versions}
        self._datasets = Datasets(store=store, preloaded=lists.preloaded, versions=versions)
        at_once = context.settings.signal_scan_concurrency
        if context.scan_places is None:
            # One source alone gets as many as the setting says. A quarter more is for others that ask.
            context.scan_places = Places(at_once + max(1, at_once // 4), 2 * at_once, portion=4)
        self._places: Places = context.scan_places
        self._claim_at = 0.0
        self._under_way: dict[asyncio.Task[int], UUID] = {}
        self._domains = self._scans = 0
        self._served, self._left = set[UUID](), set[UUID]()

    async def run(self) -> int:
        more = True
        try:
            while more or self._under_way:
                if more:
                    more = await self._claim() and not self._context.stopping.is_set()
                    more = more and self._domains < _DOMAINS_OF_A_SLICE
                if self._under_way:
                    await self._land()
        finally:
            for task, asker in self._under_way.items():
                task.cancel()
                self._places.free(asker, "")
        await remember(self._context, DOMAINS, sorted(self._served), sorted(self._left - self._served))
        if self._scans:
            await self._context.nudge([service.RECONCILE])
        return self._scans

    async def _claim(self) -> bool:
        """Claim a share of domains for each tenant that asked, and for the schedule. Return whether more may follow."""
        if self._under_way and asyncio.get_running_loop().time() < self._claim_at:
            return True
        self._claim_at = asyncio.get_running_loop().time() + _LOOK_SECONDS
        now, token, claimed = self._context.clock(), new_id(), 0
        due = await due_tenants(self._context, DOMAINS, now)
        for asker, most in self._places.shares([*(one.id for one in due if one.id not in self._left), _SCHEDULED]):
            async with self._context.database.system() as connection:
                by = None if asker == _SCHEDULED else asker
                found = await queries.claim_domains(connection, now, most, token, _LEASE, by)
            for domain in found:
                self._places.take(asker, "")
                self._under_way[asyncio.create_task(self._scan(domain, token))] = asker
            if asker != _SCHEDULED:
                (self._served if found else self._left).add(asker)
            claimed += len(found)
        self._domains += claimed
        return bool(claimed or self._under_way)

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
        except Exception as error:  # noqa: BLE001 - a domain that breaks us must not stop the others; its lease lapses
            _log.exception("domain_scan_failed", domain=domain.name, tries=domain.tries)
            if domain.tries >= rows.MOST_TRIES:
                rows.note_given_up(DOMAINS.name, domain.name, rows.reason_of(error))
            return 0
        finally:
            if context.pacer is not None:
                context.pacer.spent.pop(domain.name, None)

    async def _land(self) -> None:
        """Wait for scans to end, but now and then look for tenants that have asked meanwhile."""
        done, _ = await asyncio.wait(self._under_way, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self._places.free(self._under_way.pop(task), "")
            self._scans += task.result()
        self._left.clear()


async def reconcile_vendors(context: JobContext) -> int:
    """Bring findings, dates, score and alerts of vendors in line with the states of their assets."""
    reconciliation = _Reconciliation(context)

    async def visit(tenant: Tenant) -> int:
        return (await reconciliation.visit([tenant]))[0]

    handled = await in_turn(
        context, RECONCILIATIONS, visit, context.clock(), together=reconciliation.visit, most=_RECONCILE
    )
    if reconciliation.nudges:
        await context.nudge(sorted(reconciliation.nudges))
    return handled


class _Reconciliation:
    """One run of the reconciliation. `nudges` names the jobs that its vendors ask for."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._disabled_rules = service.configured_disabled_rules(context.settings)
        self._gate = asyncio.Semaphore(_RECONCILED_AT_ONCE)
        self.nudges: set[str] = set()

    async def visit(self, tenants: Sequence[Tenant]) -> list[int]:
        now, most = self._context.clock(), max(1, _RECONCILE // len(tenants))
        async with self._context.database.system() as connection:
            due = await reconcile_queries.claim_vendors(
                connection, [one.id for one in tenants], now, most, _RECONCILE_LEASE
            )
            paused = await queries.paused_rules(connection, now)
        by_id = {one.id: one for one in tenants}

        async def in_gate(one: ToReconcile) -> Iterable[str]:
            async with self._gate:
                return await _reconcile(self._context, by_id[one.tenant_id], one, self._disabled_rules, paused)

        self.nudges.update(name for named in await asyncio.gather(*map(in_gate, due)) for name in named)
        counted = Counter(one.tenant_id for one in due)
        return [counted[one.id] for one in tenants]


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
    except Exception as error:  # noqa: BLE001 - a vendor that cannot be reconciled must not stop the others; it waits
        _log.exception("signal_reconciliation_failed", vendor=str(one.vendor_id), tries=one.tries)
        if one.tries >= rows.MOST_TRIES:
            rows.note_given_up(RECONCILIATIONS.name, one.vendor_id, rows.reason_of(error))
        return ()


async def send_signal_digests(context: JobContext) -> int:
    """Notify each tenant once a day, of days that are over, of findings of less weight that were not notified."""
    now = context.clock()

    async def visit(tenant: Tenant) -> int:
        by = system(tenant, DIGESTS.name, Permission.SIGNALS_WRITE)
        async with context.database.tenant(tenant.id) as connection:
            work = Work(db=connection, by=by, now=now, request_id=DIGESTS.name)
            done = await _digest(work)
        if work.nudges:
            await context.nudge(work.nudges)
        return done

    return await in_turn(context, DIGESTS, visit, now)


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
    # A run that has ended its claims waits for slow domains. The next run claims meanwhile.
    Job(service.SCAN, scan_vendors, 60, 1800, at_once=2),
    Job(service.RECONCILE, reconcile_vendors, 60, 600),
    Job("send_signal_digests", send_signal_digests, 3600),
)
"""This feature's scheduled jobs. Partitions come first, so that a new database has them before it scans."""
