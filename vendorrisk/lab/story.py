"""A week of three made-up vendors, from the first scan to the alerts: the whole flow without internet.

It runs the product's own jobs against the lab and a throw-away database. Only the clock is artificial.
"""

import base64
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from vendorrisk.access.model import Tenant, system
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.jobs import raise_due_alerts
from vendorrisk.alerts.queries import ALERTS
from vendorrisk.background import JobContext
from vendorrisk.db import migrations
from vendorrisk.db.paging import PageRequest
from vendorrisk.evaluation.model import AssetKind
from vendorrisk.feeds.fetch import fetch_feeds
from vendorrisk.identity import service as identity
from vendorrisk.lab import feeds, pki, registry
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import GOOD_HEADERS, Lab, good_vendor, good_zone, lab, registries, trusting_lab
from vendorrisk.probes.scanner import LiveScanner
from vendorrisk.settings import Settings
from vendorrisk.signals import jobs, service
from vendorrisk.signals.asset_model import NewVendorAsset
from vendorrisk.signals.score_model import SignalScore
from vendorrisk.vendors import service as vendors
from vendorrisk.vendors.model import NewVendor

SOLID, CARELESS, LAPSING = "solid.test", "careless.test", "lapsing.test"
_PAGE = b"<html><body><table><tr><th>Name</th><th>Purpose</th></tr>%s</table></body></html>"
_ROWS = (b"Borealis Hosting", b"Cobalt Mail", b"Dune Analytics")


class _Clock:
    def __init__(self) -> None:
        self.now = pki.NOW

    def __call__(self) -> datetime:
        return self.now


async def tell(dsn: str, console: Console) -> None:
    """Migrate the database at `dsn` and print the story on the console."""
    from vendorrisk.worker import make_job_context

    await migrations.migrate(dsn)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    settings = Settings(
        database_url=dsn, redis_url="redis://127.0.0.1:1", secret_keys=key, environment="test", home="/nonexistent",
        egress_test_networks="127.0.0.0/8", signal_seconds_between=0, signal_seconds_between_of_address=0,
        signal_kev_url="https://feeds.test/kev", signal_hibp_url="https://feeds.test/hibp",
        signal_rdap_url="https://feeds.test/rdap",
    )  # fmt: skip
    clock = _Clock()
    context, nudger = make_job_context(settings, clock=clock)
    async with lab({**_zone(), **good_zone(SOLID, "127.0.0.2")}, authenticated=True) as internet:
        page = await _servers(internet)
        context.scanner = LiveScanner(
            internet.guard, contact_url=settings.contact_url, sandbox=context.sandbox, trusted=trusting_lab()
        )
        context.store, context.nudge = pki.store(), _nobody_to_nudge
        await context.database.open()
        try:
            await _Story(context, clock, internet, page, console).tell()
        finally:
            await context.database.close()
            await context.scanner.aclose()
            await nudger.close()


async def _nobody_to_nudge(_jobs: Any) -> None:
    """The story runs each job itself."""


def _zone() -> dict[tuple[str, str], Any]:
    zone: dict[tuple[str, str], Any] = {("feeds.test", "A"): ["127.0.0.210"]}
    for domain, address in ((CARELESS, "127.0.0.3"), (LAPSING, "127.0.0.4")):
        zone |= good_zone(domain, address)
    zone[CARELESS, "TXT"] = ['"v=spf1 +all"']
    del zone[f"_dmarc.{CARELESS}", "TXT"]
    zone[CARELESS, "NS"] = [f"ns1.{CARELESS}."]
    return zone


async def _servers(internet: Lab) -> Any:
    """Start the machines of the three vendors, the registries and the feeds."""
    solid = await good_vendor(internet, SOLID, "127.0.0.2")
    solid.on("/subprocessors", Reply(200, [("Content-Type", "text/html")], _list(*_ROWS)))
    solid.on("/robots.txt", Reply(404))
    plain = pki.leaf(pki.Wish(names=(CARELESS, f"*.{CARELESS}")))
    careless = await internet.host("127.0.0.3", tls=pki.server_context(plain))
    careless.on("/", Reply(200, [("Set-Cookie", "PHPSESSID=1"), ("Server", "nginx/1.0.1")], b"<html></html>"))
    (await internet.host("127.0.0.3")).on("/", Reply(200, [], b"<html>plain</html>"))
    ending = pki.leaf(pki.Wish(names=(LAPSING, f"*.{LAPSING}"), ends=pki.NOW + 5 * pki.DAY))
    lapsing = await internet.host("127.0.0.4", tls=pki.server_context(ending))
    lapsing.on("/", Reply(200, list(GOOD_HEADERS), b"<html></html>"))
    to_https = lambda r: Reply(301, [("Location", f"https://{r.headers['host']}{r.target}")])  # noqa: E731 - one line of a story
    (await internet.host("127.0.0.4")).on("*", to_https)
    await registries(internet)
    lists = await internet.host("127.0.0.210", tls=pki.server_context(pki.leaf(pki.Wish(names=("feeds.test",)))))
    lists.on("/kev", Reply(200, [], feeds.kev()))
    breach = feeds.breach(Domain=CARELESS, Name="Careless2026", Title="Careless")
    lists.on("/hibp", Reply(200, [], feeds.breaches(breach)))
    lists.on("/rdap", Reply(200, [], registry.bootstrap("test", "https://rdap.test/")))
    return solid


def _list(*names: bytes) -> bytes:
    return _PAGE % b"".join(b"<tr><td>%s</td><td>Works for us</td></tr>" % name for name in names)


class _Story:
    def __init__(self, context: JobContext, clock: _Clock, internet: Lab, page: Any, console: Console) -> None:
        self._context, self._clock, self._internet, self._page, self._console = context, clock, internet, page, console
        self._vendors: dict[str, UUID] = {}
        self._told = 0

    async def tell(self) -> None:
        self._console.rule("Day 1: three vendors are watched")
        self._tenant = await self._found()
        await self._say("Scanned once. A bad result is believed only after a second scan.")
        self._clock.now += timedelta(minutes=16)
        self._console.rule("A quarter of an hour later")
        await self._say("Seen again: findings are open, the numbers follow, people are notified.")
        self._clock.now += timedelta(days=2, hours=1)
        self._console.rule("Day 3: Careless publishes DMARC; Solid has a new sub-processor and new name servers")
        zone = self._internet.dns.zone
        zone[f"_dmarc.{CARELESS}", "TXT"] = ['"v=DMARC1; p=reject; rua=mailto:d@careless.test"']
        zone[SOLID, "NS"] = ["ns1.elsewhere.test.", "ns2.elsewhere.test."]
        zone["ns1.elsewhere.test", "A"], zone["ns2.elsewhere.test", "A"] = ["192.0.2.1"], ["198.51.100.7"]
        self._page.on("/subprocessors", Reply(200, [("Content-Type", "text/html")], _list(*_ROWS, b"Ember Support")))
        await self._run()
        self._clock.now += timedelta(minutes=16)
        await self._say("Fixes count at once. Confirmed changes were seen twice, and people are notified.")
        self._clock.now += timedelta(days=3, hours=2)
        self._console.rule("Day 6: Lapsing's certificate has ended")
        await self._run()
        self._clock.now += timedelta(minutes=6)
        await self._say("An expired certificate caps the score, whatever else is well.")
        await self._explain(CARELESS)

    async def _found(self) -> Tenant:
        async with self._context.database.system() as connection:
            founded, _ = await identity.found_tenant(connection, "The lab", "UTC", self._clock())
        tenant = Tenant(founded.id, founded.time_zone)
        async with self._context.database.tenant(tenant.id) as connection:
            work = self._work(connection, tenant)
            for name, domain in (("Solid", SOLID), ("Careless", CARELESS), ("Lapsing", LAPSING)):
                made = await vendors.register(work, NewVendor(name=name))
                self._vendors[domain] = made.id
                new = NewVendorAsset(kind=AssetKind.DOMAIN, name=domain, is_primary=True)
                await service.attach(work, made.id, new, test_names=True)
            page = NewVendorAsset(kind=AssetKind.SUBPROCESSOR_PAGE, name=f"https://{SOLID}/subprocessors")
            await service.attach(work, self._vendors[SOLID], page, test_names=True)
        return tenant

    def _work(self, connection: Any, tenant: Tenant) -> Work:
        by = system(tenant, "lab", Permission.SIGNALS_WRITE)
        return Work(db=connection, by=by, now=self._clock(), request_id="lab")

    async def _run(self) -> int:
        scans = 0
        await self._all_of(jobs.maintain_partitions, fetch_feeds)
        while made := await self._scan():
            scans += made
        await self._all_of(raise_due_alerts)
        return scans

    async def _scan(self) -> int:
        """Scan all that is due, and reconcile it: that may bring a `www` that is scanned next."""
        scans = 0
        await self._all_of(jobs.enrol_assets)
        while made := await jobs.scan_vendors(self._context):
            scans += made
        await self._all_of(jobs.reconcile_vendors)
        return scans

    async def _all_of(self, *wanted: Callable[[JobContext], Awaitable[int]]) -> None:
        for job in wanted:
            while await job(self._context):
                pass

    async def _say(self, words: str) -> None:
        scans = await self._run()
        self._console.print(f"{words} ({scans} scans)", style="italic")
        table = Table(box=None, pad_edge=False)
        for heading in ("vendor", "grade", "score", "seen", "largest deductions"):
            table.add_column(heading, overflow="fold")
        for domain in self._vendors:
            score = await self._score(domain)
            costs: dict[str, int] = {}
            for one in score.top_deductions:
                costs[one.rule] = costs.get(one.rule, 0) + one.points_bp
            worst = ", ".join(f"{rule} -{points / 100:.1f}" for rule, points in list(costs.items())[:3])
            shown = "-" if score.score is None else str(score.score)
            table.add_row(domain, score.grade, shown, f"{score.coverage_bp / 100:.0f} %", worst)
        self._console.print(table)
        for kind, title in await self._news():
            self._console.print(f"  [yellow]▲[/] {kind}: {title}")
        self._console.print()

    async def _score(self, domain: str) -> SignalScore:
        async with self._context.database.tenant(self._tenant.id) as connection:
            return await service.current_score(self._work(connection, self._tenant), self._vendors[domain])

    async def _news(self) -> list[tuple[str, str]]:
        async with self._context.database.tenant(self._tenant.id) as connection:
            page = await alerts.alerts(
                self._work(connection, self._tenant), PageRequest(ALERTS, sort="raised_at", limit=200)
            )
        fresh, self._told = page.items[self._told :], len(page.items)
        return [(alert.alert_class.value, alert.title) for alert in fresh]

    async def _explain(self, domain: str) -> None:
        """Show how one number came about: the deductions add up."""
        score = await self._score(domain)
        self._console.rule(f"Why {domain} has {score.number}")
        for one in sorted((d for d in score.deductions if d.points_bp), key=lambda d: -d.points_bp):
            what = one.rule or one.kind
            verdict = one.verdict.value if one.verdict else ""
            self._console.print(f"  -{one.points_bp / 100:6.2f}  {what:22} {verdict:8} {one.asset}".rstrip())
        total = sum(d.points_bp for d in score.deductions)
        self._console.print(f"  100 - {total / 100:.2f} = {score.number}, by methodology {score.model_version}")
