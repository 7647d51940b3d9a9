"""Worker, API, Valkey and Postgres are killed at random points while people work and alerts go out; Valkey forgets.

Nothing that was acknowledged may be lost or duplicated, every alert that must exist exists once, every message arrives;
one arrives twice only where its sender was killed between the receiver's response and the record of it, and then under
the same key, counted as perhaps duplicated.

    TEST_CHAOS_SEED, TEST_CHAOS_OPERATIONS, TEST_CHAOS_KILLS    another run, or a longer one (`make chaos`)
    TEST_CHAOS_WAIT=1    lets the leases of killed senders (90 s) and back-offs (30 s) run out by themselves
"""

import asyncio
import hashlib
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from tests.embedded.make import data_folder
from tests.whole.callers import Caller, Memory
from tests.whole.installation import PARTS, Installation
from tests.whole.outside import HOST, Outside
from vendorrisk.audit import service as audit
from vendorrisk.db.pool import Database
from vendorrisk.settings import Settings

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("TEST_CHAOS_SEED", "20260302"))
OPERATIONS = int(os.environ.get("TEST_CHAOS_OPERATIONS", "400"))
KILLS = int(os.environ.get("TEST_CHAOS_KILLS", "24"))
WAITS = os.environ.get("TEST_CHAOS_WAIT") == "1"
_CALLERS = 4
_BETWEEN_SECONDS = (0.2, 1.8)
_WORK_SECONDS = 60 + OPERATIONS + 8 * KILLS  # a bound, not a wish
_SETTLE_SECONDS = 300 if WAITS else 75
_TARGETS: dict[str, dict[str, str]] = {
    "webhook": {"kind": "webhook", "url": f"https://{HOST}/in"},
    "slack": {"kind": "slack_webhook", "url": f"https://{HOST}/slack"},
    "mail": {"kind": "email", "address": "risk@example.org"},
}


class Figures(msgspec.Struct):
    """What is printed at the end."""

    operations: int
    repeated: int
    replayed: int
    kills: dict[str, int]
    work_seconds: float
    settle_seconds: float
    alerts: int = 0
    deliveries: int = 0
    arrived: int = 0
    refused: int = 0
    uncertain: int = 0
    duplicated: int = 0
    audited: int = 0

    def __str__(self) -> str:
        killed = ", ".join(f"{part} {count}" for part, count in sorted(self.kills.items()))
        return (
            f"seed {SEED}: {self.operations} operations ({self.repeated} tries repeated, {self.replayed} replayed),"
            f" {sum(self.kills.values())} kills ({killed}) in {self.work_seconds:.0f} s,"
            f" settled in {self.settle_seconds:.0f} s; {self.alerts} alerts, {self.deliveries} deliveries,"
            f" {self.arrived} arrivals, {self.refused} refused by receivers, {self.uncertain} tries uncertain,"
            f" {self.duplicated} arrivals duplicated, {self.audited} audit entries in a whole chain"
        )


class Run:
    """The installation, the world outside, and those who call."""

    def __init__(self, installation: Installation, outside: Outside) -> None:
        self.installation, self.outside = installation, outside
        self.key = installation.start()
        self.http = httpx.Client(
            base_url=installation.address, headers={"authorization": f"Bearer {self.key}"}, timeout=20
        )
        receivers = []
        for name, target in _TARGETS.items():
            made = self.http.post("/v1/receivers", json={"name": name, "target": target})
            assert made.status_code == 201, made.text
            receivers.append(made.json()["id"])
        self._confirm()
        self.moved_at: datetime | None = None
        self.callers = [Caller(number, SEED, installation.address, self.key, receivers) for number in range(_CALLERS)]

    def _confirm(self) -> None:
        """Follow the link of the mail that asks for it, as the owner of the address does."""
        deadline, mails = time.monotonic() + 60, self.outside.mail.messages
        while not mails and time.monotonic() < deadline:
            self.installation.tend()
            time.sleep(0.02)
        link = re.search(r"/confirm/\S+", str(mails[0].get_body(("plain",)).get_content()))
        assert link is not None
        assert self.http.post(link[0]).status_code == 200
        mails.clear()

    @property
    def memories(self) -> list[Memory]:
        return [caller.memory for caller in self.callers]

    def work(self) -> float:
        """Let people work while things die, until both have been enough; returns how long it took."""
        points, begun = random.Random(f"kills {SEED}"), time.monotonic()
        parts = _parts(points)
        next_at, left = begun + points.uniform(*_BETWEEN_SECONDS), KILLS
        for caller in self.callers:
            caller.start()
        while left or sum(caller.done for caller in self.callers) < OPERATIONS:
            assert time.monotonic() - begun < _WORK_SECONDS, (
                f"the work does not end\n{self.installation.said()[-4000:]}"
            )
            self._check_callers()
            if left and time.monotonic() > next_at:
                self._kill(next(parts), points)
                left, next_at = left - 1, time.monotonic() + points.uniform(*_BETWEEN_SECONDS)
            self.installation.tend()
            time.sleep(0.02)
        for caller in self.callers:
            caller.over.set()
        while any(caller.is_alive() for caller in self.callers):
            self.installation.tend()
            time.sleep(0.02)
        self._check_callers()
        return time.monotonic() - begun

    def _check_callers(self) -> None:
        for caller in self.callers:
            assert caller.trouble is None, f"{caller.trouble!r}\n{self.installation.said()[-6000:]}"

    def _kill(self, part: str, points: random.Random) -> None:
        """Kill something; a sender mostly just after a receiver took something, where it hurts most."""
        if part in {"worker", "everything"} and points.random() < 0.8:
            before, deadline = len(self.outside.taken), time.monotonic() + 5
            while len(self.outside.taken) == before and time.monotonic() < deadline:
                self.installation.tend()
                time.sleep(0.001)
            time.sleep(points.uniform(0, 0.03))
        self.installation.kill(part, points)

    def settle(self) -> float:
        """Wait until everything that is to be sent has been; returns how long it took."""
        begun = time.monotonic()
        self.outside.is_moody = False
        if not WAITS:
            # The senders are dead for certain: the end of their leases, and of all waiting, may be moved to now.
            self.installation.kill("worker", random.Random(0))
            self.moved_at = datetime.now(UTC)
            asyncio.run(self._sql(_MOVE_TIME))
        while unsettled := asyncio.run(self._sql(_UNSETTLED)):
            assert time.monotonic() - begun < _SETTLE_SECONDS, (
                f"left over: {[dict(row) for row in unsettled][:5]}\n{self.installation.said()[-4000:]}"
            )
            self.installation.tend()
            time.sleep(0.1)
        return time.monotonic() - begun

    def sql(self, statement: str) -> list[Any]:
        return asyncio.run(self._sql(statement))

    async def _sql(self, statement: str) -> list[Any]:
        """Look behind the service."""
        while True:
            try:
                connection = await asyncpg.connect(self.installation.settings["DATABASE_URL"], timeout=5)
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.to_thread(self.installation.tend)
        await connection.execute("set role vendorrisk_system")
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    def items(self, path: str) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        while True:
            response = self.http.get(path, params={"limit": 100, **({"cursor": cursor} if cursor else {})})
            assert response.status_code == 200, response.text
            page = response.json()
            found += page["items"]
            if (cursor := page.get("next")) is None:
                return found


def _parts(points: random.Random) -> Iterator[str]:
    """Return what to kill, for ever: each part once, in some order, and then each once again."""
    while True:
        yield from points.sample(PARTS, len(PARTS))


_MOVE_TIME = "update deliveries set next_attempt_at = now() where next_attempt_at > now() returning id"
_UNSETTLED = """
    select 'deadline' as what, id from deadlines where next_alert_on <= current_date
    union all select 'alert', id from alerts where dispatched_at is null
    union all select state, id from deliveries where state not in ('sent', 'dead')
"""
_ATTEMPTS = """
    select a.delivery_id, a.started_at, a.ended_at, a.failure, d.possible_duplicates
    from delivery_attempts a
    join deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id
    where a.outcome = 'uncertain'
"""


def test_nothing_acknowledged_is_lost_or_duplicated_whatever_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    with data_folder() as folder, Outside(folder.parent, SEED) as outside:
        installation = Installation(folder, **outside.settings())
        try:
            run = Run(installation, outside)
            worked = run.work()
            kills = Counter(kill.part for kill in installation.kills)
            figures = Figures(*_effort(run), kills, worked, run.settle())
            check_records(run)
            check_files(run)
            check_alerts(run, figures)
            check_deliveries(run, figures)
            check_duplicates(run, figures)
            check_audit(run, figures)
        except BaseException:
            with capsys.disabled():
                print(f"\nchaos: failed with seed {SEED}")  # noqa: T201 - the seed is what repeats it
            raise
        finally:
            installation.stop()
    with capsys.disabled():
        print(f"\nchaos: {figures}")  # noqa: T201 - figures to be read
    assert sum(kills.values()) == KILLS


def _effort(run: Run) -> tuple[int, int, int]:
    return (
        sum(caller.done for caller in run.callers),
        sum(caller.repeated for caller in run.callers),
        sum(caller.replayed for caller in run.callers),
    )


def check_records(run: Run) -> None:
    """Everything acknowledged is there, once, as it was last acknowledged; and there is nothing else."""
    vendors = {vendor.id: vendor for memory in run.memories for vendor in memory.vendors.values()}
    found = {item["id"]: (item["name"], item["version"]) for item in run.items("/v1/vendors")}
    assert found == {vendor.id: (vendor.name, vendor.version) for vendor in vendors.values()}
    for vendor in vendors.values():
        assert run.http.get(f"/v1/vendors/{vendor.id}").json()["description"] == vendor.description
    for path, kept, shown in (
        ("/v1/soc2-reports", "reports", "vendor_id"),
        ("/v1/documents", "documents", "title"),
        ("/v1/findings", "findings", "title"),
    ):
        remembered = {key: value for memory in run.memories for key, value in getattr(memory, kept).items()}
        assert {item["id"]: item[shown] for item in run.items(path)} == remembered, path


def check_files(run: Run) -> None:
    """Each file is the one that was sent, byte by byte."""
    for memory in run.memories:
        assert set(memory.files) == set(memory.documents)
        for document, digest in memory.files.items():
            content = run.http.get(f"/v1/documents/{document}/file").content
            assert hashlib.sha256(content).hexdigest() == digest, document


def check_alerts(run: Run, figures: Figures) -> None:
    """Whatever is due soon has its alert, once, and nothing else has one."""
    alerts = run.items("/v1/alerts")
    figures.alerts = len(alerts)
    told = Counter(
        alert["subject_id"] if alert["subject_kind"] == "document" else alert["vendor_id"]
        for alert in alerts
        if alert["alert_class"] == "evidence_expiring"
    )
    assert told == Counter(subject for memory in run.memories for subject in memory.expiring)
    assert Counter(alert["alert_class"] for alert in alerts) == {
        "evidence_expiring": len(told),
        "receiver_test": sum(len(memory.tests) for memory in run.memories),
    }


def check_deliveries(run: Run, figures: Figures) -> None:
    """Each alert has one delivery per receiver, each test its one, and each arrived where it was sent."""
    deliveries = run.items("/v1/deliveries")
    figures.deliveries = len(deliveries)
    tests = {test for memory in run.memories for test in memory.tests}
    assert tests <= {delivery["id"] for delivery in deliveries}
    made = Counter((d["alert_id"], d["receiver_id"]) for d in deliveries if d["id"] not in tests)
    assert set(made.values()) <= {1}
    assert len(made) == (figures.alerts - len(tests)) * len(_TARGETS)
    states = {delivery["id"]: delivery["state"] for delivery in deliveries}
    dead = {key for key, state in states.items() if state == "dead"}
    assert dead <= tests & run.outside.refused, "only a test message is given up at its first refusal"
    arrived = set(run.outside.arrivals())
    assert arrived >= set(states) - dead, "all others arrived"
    # A test whose sender was killed after it was taken is sent once more, and given up where that is refused.
    uncertain = {str(attempt["delivery_id"]) for attempt in run.sql(_ATTEMPTS)}
    assert arrived - (set(states) - dead) <= dead & uncertain, "and nothing else"


def check_duplicates(run: Run, figures: Figures) -> None:
    """What arrived twice was in the hands of a sender that was killed, has one key and one body, and says so."""
    uncertain = run.sql(_ATTEMPTS)
    arrivals = run.outside.arrivals()
    figures.arrived, figures.refused = arrivals.total(), len(run.outside.refused)
    figures.uncertain = len(uncertain)
    tries = Counter(str(attempt["delivery_id"]) for attempt in uncertain)
    deaths = [kill.at for kill in run.installation.kills if kill.part in {"worker", "everything"}]
    others = [kill.at for kill in run.installation.kills if kill.part not in {"worker", "api"}]
    killed_by: dict[datetime, list[datetime]] = {}
    for attempt in uncertain:
        begun, last = attempt["started_at"], attempt["started_at"] + _SEND_AND_RECORD
        death = min((at for at in deaths if at >= begun), default=None)
        assert death is not None, f"nobody was killed, and yet: {dict(attempt)}"
        assert death <= last, f"nobody was killed in time, and yet: {dict(attempt)}"
        killed_by.setdefault(death, []).append(begun)
        lease_ends = min(begun + _LEASE, run.moved_at or begun + _LEASE)
        assert attempt["ended_at"] >= lease_ends - _CLOCK, f"reclaimed before its lease ran out: {dict(attempt)}"
        assert attempt["possible_duplicates"] >= tries[str(attempt["delivery_id"])]
    for death, begun_at in killed_by.items():
        # Where Postgres died a claim may not have been heard of, and where Valkey did a second sender may have begun.
        senders = 2 if any(min(begun_at) - _CLOCK <= at <= death for at in others) else 1
        assert len(begun_at) <= senders * _IN_FLIGHT, "one death leaves no more than was under way"
    for key, count in arrivals.items():
        figures.duplicated += count - 1
        assert count - 1 <= tries[key], f"{key} arrived {count} times"
    bodies: dict[str, set[bytes]] = {}
    for taken in run.outside.taken:
        bodies.setdefault(taken.key, set()).add(taken.body)
    assert {key: len(each) for key, each in bodies.items() if len(each) > 1} == {}, "the same message each time"


def check_audit(run: Run, figures: Figures) -> None:
    """The chain is whole, and has one entry for each acknowledged write."""
    verified = asyncio.run(_verified(run.installation.settings["DATABASE_URL"]))
    assert verified.fault is None
    found = {row["action"]: row["count"] for row in run.sql(_ENTRIES)}
    figures.audited = sum(found.values())
    vendors = [vendor for memory in run.memories for vendor in memory.vendors.values()]
    kept = {kind: sum(len(getattr(memory, kind)) for memory in run.memories) for kind in _AUDITED}
    expected = {action: kept[kind] for kind, action in _AUDITED.items()}
    expected["vendor:changed"] = sum(vendor.version - 1 for vendor in vendors)
    assert {action: found[action] for action in expected} == expected


async def _verified(url: str) -> Any:
    database = Database(Settings(database_url=url))
    await database.open()
    try:
        async with database.system() as connection:
            (tenant,) = await audit.chains(connection)
            return await audit.verify(connection, tenant)
    finally:
        await database.close()


_LEASE, _CLOCK, _IN_FLIGHT = timedelta(seconds=90), timedelta(seconds=1), 64
_SEND_AND_RECORD = timedelta(seconds=35)  # the longest send of this test, and as long as recording is tried
_ENTRIES = "select action, count(*) from audit_entries group by action"
_AUDITED = {
    "vendors": "vendor:registered",
    "reports": "soc2_report:recorded",
    "documents": "document:added",
    "files": "document:file_stored",
    "findings": "finding:opened",
    "tests": "receiver:tested",
}
