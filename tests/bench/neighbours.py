"""Another tenant's requests and alerts, alone and while one tenant does its worst in every way at once.

An alert begins with the request that raises it, and ends when the mail server of the bench has the mail.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import msgspec

from tests.bench.stack import Stack, children_of, environment_of, free_port, process, resident_mb, serving
from tests.bench.table import Line
from tests.fakes.smtp import SmtpFake, smtp_fake
from vendorrisk.db.pool import Database
from vendorrisk.identity import service as identity
from vendorrisk.lab.dns import dns_fake
from vendorrisk.settings import Settings

GOAL = "<= 2.00"
MOST_API_MB, MOST_WORKER_MB, MOST_CHILDREN_MB = 300, 300, 512
_SITE, _HOOK = "hostile.test", "hooks.example.com"
_DEAD = 1_500
_PATIENCE_SECONDS = 60.0

_DEAD_WEBHOOKS = """
with made as (
    insert into alerts (
        tenant_id, id, alert_class, dedupe_key, subject_kind, subject_id, title, facts, raised_at, dispatched_at
    )
    select $1, gen_random_uuid(), 'coverage_gap', n::text, 'service', gen_random_uuid(), 'A gap', '{"Days": 31}', $3, $3
    from generate_series(1, $4::int) as n
    returning id
)
insert into deliveries (
    tenant_id, id, owner_kind, owner_id, destination_kind, destination_id, attempts_allowed, next_attempt_at,
    created_at, updated_at
)
select $1, gen_random_uuid(), 'alert', id, 'receiver', $2, 8, $3, $3, $3 from made
"""


class Seen(msgspec.Struct):
    """Seconds of each request and of each alert, and the requests that were not answered as they should be."""

    requests: list[float] = []
    alerts: list[float] = []
    refused: list[str] = []


class Neighbour:
    """The tenant that only works: it reads its vendors, and records reports that leave gaps."""

    def __init__(self, client: httpx.AsyncClient, mail: SmtpFake) -> None:
        self.client, self.mail, self.seen = client, mail, Seen()
        self.vendor_id = self.owner_id = ""
        self._number = 0
        self._subjects: list[str] = []

    async def settle(self) -> None:
        self.owner_id = (await self._post("/v1/members", name="Olga", email="olga@example.com", roles=["owner"]))["id"]
        await self._post("/v1/receivers", name="Owners", target={"kind": "owners"})
        self.vendor_id = (await self._vendor())["id"]

    async def work(self, seconds: float) -> Seen:
        self.seen = Seen()
        until = time.perf_counter() + seconds
        await asyncio.gather(self._read(until), self._alert(until))
        return self.seen

    async def _read(self, until: float) -> None:
        while time.perf_counter() < until:
            for place in (f"/v1/vendors/{self.vendor_id}", "/v1/vendors?limit=50", "/v1/overview/vendors?limit=50"):
                begun = time.perf_counter()
                answer = await self.client.get(place)
                self.seen.requests.append(time.perf_counter() - begun)
                if answer.status_code != httpx.codes.OK:
                    self.seen.refused.append(f"{place}: {answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(0.02)

    async def _alert(self, until: float) -> None:
        while time.perf_counter() < until:
            vendor = await self._vendor()
            await self._report(vendor["id"], 2024)
            begun = time.perf_counter()
            await self._report(vendor["id"], 2026)
            while not self._has_mail_of(vendor["name"]):
                if time.perf_counter() - begun > _PATIENCE_SECONDS:
                    break
                await asyncio.sleep(0.01)
            self.seen.alerts.append(time.perf_counter() - begun)

    def _has_mail_of(self, name: str) -> bool:
        """Read the subjects of new mails, each once: this process must not be slower than what it measures."""
        self._subjects.extend(str(mail["Subject"]) for mail in self.mail.messages[len(self._subjects) :])
        return any(name in subject for subject in self._subjects[-50:])

    async def _vendor(self) -> Any:
        self._number += 1
        return await self._post(
            "/v1/vendors",
            name=f"Neighbour {self._number:04}",
            lifecycle="active",
            tier="high",
            intake_note="In use.",
            business_owner_id=self.owner_id,
        )

    async def _report(self, vendor_id: str, year: int) -> None:
        await self._post(
            "/v1/soc2-reports",
            vendor_id=vendor_id,
            report_type="type_2",
            period_start_on=f"{year}-01-01",
            period_end_on=f"{year}-06-30",
            opinion="unqualified",
            categories=["security"],
        )

    async def _post(self, place: str, **body: Any) -> Any:
        answer = await self.client.post(place, json=body)
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            self.seen.refused.append(f"{place}: {answer.status_code} {answer.text[:200]}")
            await asyncio.sleep(0.2)
            return await self._post(place, **body)
        return answer.json()


class Memory:
    """The most memory that was seen, in megabytes: of the API, the worker, and the children of both together."""

    def __init__(self, api: int, worker: int) -> None:
        self._pids = (api, worker)
        self.api = self.worker = self.children = 0.0

    async def watch(self) -> None:
        while True:
            api, worker = [await asyncio.to_thread(resident_mb, pid, with_children=False) for pid in self._pids]
            children = [child for pid in self._pids for child in children_of(pid)]
            taken = sum([await asyncio.to_thread(resident_mb, child) for child in children])
            self.api, self.worker = max(self.api, api), max(self.worker, worker)
            self.children = max(self.children, taken)
            await asyncio.sleep(0.5)


async def run(stack: Stack, *, quick: bool) -> list[Line]:
    await stack.new_database("neighbours")
    seconds = 10.0 if quick else 30.0
    site, hook = free_port(), free_port()
    zone = {(_SITE, "A"): ["127.0.0.2"], (_HOOK, "A"): ["127.0.0.3"]}
    async with dns_fake(zone) as names, smtp_fake() as mail:
        settings = msgspec.structs.replace(
            stack.settings("neighbours"),
            environment="test",
            smtp_url=f"smtp://127.0.0.1:{mail.port}?tls=never",
            egress_resolvers=":".join(map(str, names.address)),
            egress_test_networks="127.0.0.0/8",
            egress_test_ports=f"80={site},443={hook}",
        )
        attacker, attacked = await _tenants(settings)
        environment = environment_of(settings)
        with (
            serving(["vendorrisk", "api"], environment, stack.folder / "api.log") as (api, port),
            process(["vendorrisk", "worker"], environment, stack.folder / "worker.log") as worker,
        ):
            async with _client(port, attacked) as client, _client(port, attacker) as other:
                neighbour = Neighbour(client, mail)
                await neighbour.settle()
                alone = await neighbour.work(seconds)
                arguments = [str(port), attacker, *await _armed(other, settings), str(site), str(hook)]
                memory = Memory(api, worker)
                with process(["tests.bench.attacks", *arguments], os.environ, stack.folder / "attacks.log"):
                    watching = asyncio.create_task(memory.watch())
                    await asyncio.sleep(3)
                    beset = await neighbour.work(seconds)
                    watching.cancel()
    return _lines(alone, beset, memory)


@asynccontextmanager
async def _client(port: int, key: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        yield client


async def _tenants(settings: Settings) -> list[str]:
    """Found the two tenants. Return their keys."""
    database = Database(settings)
    await database.open()
    try:
        keys = []
        for name in ("Attacker", "Neighbour"):
            async with database.system() as connection:
                keys.append((await identity.found_tenant(connection, name, "UTC", datetime.now(UTC)))[1].secret)
        return keys
    finally:
        await database.close()


async def _armed(client: httpx.AsyncClient, settings: Settings) -> list[str]:
    """Make a hostile site that is watched, dead webhooks, and a document of four megabytes beside an empty one."""
    vendor = (await client.post("/v1/vendors", json={"name": "Hostile"})).raise_for_status().json()
    asset = {"kind": "domain", "name": _SITE}
    (await client.post(f"/v1/vendors/{vendor['id']}/assets", json=asset)).raise_for_status()
    documents = []
    for title in ("Large", "Empty"):
        new = {"vendor_id": vendor["id"], "kind": "other", "title": title}
        documents.append((await client.post("/v1/documents", json=new)).raise_for_status().json()["id"])
    body, headers = b"%PDF-1.7\n" + os.urandom(4 << 20), {"Content-Type": "application/pdf", "If-Match": '"1"'}
    place = f"/v1/documents/{documents[0]}/file"
    (await client.put(place, content=body, headers=headers)).raise_for_status()
    target = {"kind": "webhook", "url": f"https://{_HOOK}/hook"}
    receiver = (await client.post("/v1/receivers", json={"name": "Dead", "target": target})).raise_for_status().json()
    owner = await asyncpg.connect(settings.database_url)
    try:
        tenant = await owner.fetchval("select id from tenants where name = 'Attacker'")
        await owner.execute(_DEAD_WEBHOOKS, tenant, receiver["id"], datetime.now(UTC), _DEAD)
    finally:
        await owner.close()
    return documents


def _lines(alone: Seen, beset: Seen, memory: Memory) -> list[Line]:
    if alone.refused or beset.refused:
        print("refused of the neighbour:", *sorted(set(alone.refused + beset.refused))[:10], sep="\n  ")
    requests, calm = 1000 * _p95(beset.requests), 1000 * _p95(alone.requests)
    return [
        Line("a neighbour's requests, p95", requests, calm, "alone", "ms", GOAL),
        Line("a neighbour's alerts, p95", 1000 * _p95(beset.alerts), 1000 * _p95(alone.alerts), "alone", "ms", GOAL),
        Line("a neighbour's refusals", len(beset.refused), 1, "one", "", "<= 0.00"),
        Line("memory of the API", memory.api, MOST_API_MB, "the ceiling", "MB", "<= 1.00"),
        Line("memory of the worker", memory.worker, MOST_WORKER_MB, "the ceiling", "MB", "<= 1.00"),
        Line("memory of all children", memory.children, MOST_CHILDREN_MB, "the ceiling", "MB", "<= 1.00"),
    ]


def _p95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] if ordered else _PATIENCE_SECONDS
