"""What the doctor finds of files, keys, clock, zones, discs and backups; and how the checks are run."""

import asyncio
import base64
import hashlib
import io
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from tests.alerts.make import a_receiver
from tests.conftest import SECRET_KEYS, Company, entered
from tests.doctor.make import NOW, finding, in_production, patient, report
from vendorrisk.clock import system_clock
from vendorrisk.db import schema
from vendorrisk.doctor import database, machine
from vendorrisk.doctor.checkup import CHECKS, examine
from vendorrisk.doctor.machine import evaluated_sandbox
from vendorrisk.doctor.model import Finding, Level, Patient, Report
from vendorrisk.doctor.queries import Archiver
from vendorrisk.doctor.table import show
from vendorrisk.keys import Keyring
from vendorrisk.sandbox.confinement import Protections
from vendorrisk.settings import Settings
from vendorrisk.storage.configured import file_store_from

pytestmark = pytest.mark.anyio

NEWER = base64.b64encode(hashlib.sha256(b"newer").digest()).decode()


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_every_check_speaks_of_a_service_that_is_well(
    settings: Settings, company: Company, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_receiver(company)
    release = await schema.dump(owner)
    monkeypatch.setattr(database, "release_schema", lambda: release)
    told = await report(in_production(settings))
    assert told.healthy, told
    assert {f.check for f in told.findings} == {name for name, _ in CHECKS}
    assert {f.check for f in told.findings if f.level is Level.WARNING} <= {"roles", "worker"}


async def test_the_store_is_written_read_and_left_as_it_was(settings: Settings, tmp_path: Path) -> None:
    files = tmp_path / "files"
    mine = in_production(settings, storage_url=f"file://{files}")
    new = await finding(mine, "storage")
    assert (new.level, new.said) == (Level.OK, f"{files} is made with the first file")
    assert not await asyncio.to_thread(files.exists)
    await asyncio.to_thread(files.mkdir)
    found = await finding(mine, "storage")
    assert (found.level, found.said) == (Level.OK, f"{files}: written, read and removed")
    assert await asyncio.to_thread(contents, files) == []


async def test_a_store_that_cannot_be_written_is_a_failure(settings: Settings, tmp_path: Path) -> None:
    files = tmp_path / "files"
    await asyncio.to_thread(files.write_bytes, b"in the way")
    found = await finding(in_production(settings, storage_url=f"file://{files}"), "storage")
    assert found.level is Level.FAILURE
    assert "VENDORRISK_STORAGE_URL" in found.todo
    wrong = await finding(in_production(settings, storage_url="ftp://somewhere"), "storage")
    assert wrong.level is Level.FAILURE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look with another's eyes")
async def test_root_leaves_nothing_of_its_own_in_another_users_store(settings: Settings, tmp_path: Path) -> None:
    for folder in entered(tmp_path):
        await asyncio.to_thread(folder.chmod, 0o755)
    files = tmp_path / "files"
    await asyncio.to_thread(files.mkdir)
    await asyncio.to_thread(os.chown, files, 65534, 65534)
    found = await finding(in_production(settings, storage_url=f"file://{files}"), "storage")
    assert found.level is Level.OK, found
    owners = await asyncio.to_thread(lambda: {path.stat().st_uid for path in files.rglob("*")})
    assert owners == {65534}
    assert (os.geteuid(), os.getegid()) == (0, 0)


_LIBRARY_OF_ROOT = """
import asyncio, os, sys
from pathlib import Path
from vendorrisk.db.pool import Database
from vendorrisk.doctor.files import storage
from vendorrisk.doctor.model import Patient
from vendorrisk.settings import Settings

class OnlyRoot:
    def find_spec(self, name, *_):
        if os.geteuid() != 0:
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, OnlyRoot())
settings = Settings(storage_url=f"file://{sys.argv[1]}")
[found] = asyncio.run(storage(Patient(settings, Database(settings), None)))
print(found.level, found.said)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look with another's eyes")
async def test_a_library_that_only_root_may_read_does_not_fail_the_store(tmp_path: Path) -> None:
    for folder in entered(tmp_path):
        await asyncio.to_thread(folder.chmod, 0o755)
    files = tmp_path / "files"
    await asyncio.to_thread(files.mkdir)
    await asyncio.to_thread(os.chown, files, 65534, 65534)
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _LIBRARY_OF_ROOT, str(files), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await ran.communicate()
    assert told.decode().strip() == f"ok {files}: written, read and removed"


async def test_keys_are_told_by_their_ids_and_whether_older_ones_are_needed(
    settings: Settings, company: Company
) -> None:
    only = await finding(settings, "secret keys")
    old_id = Keyring.from_setting(SECRET_KEYS).ids[0]
    assert (only.level, only.said) == (Level.OK, f"1 set; {old_id} seals")

    rotated = msgspec.structs.replace(settings, secret_keys=f"{NEWER},{SECRET_KEYS}")
    idle = await finding(rotated, "secret keys")
    assert idle.level is Level.OK
    assert f"{old_id} may leave" in idle.todo

    await a_receiver(company)
    file_store = file_store_from(settings, Keyring.from_setting(SECRET_KEYS))
    stored = file_store.put(company.tenant.id, _once(b"%PDF-1.7\n%%EOF\n"), file_name="a.pdf", max_bytes=100)
    await stored
    await file_store.close()
    needed = await finding(rotated, "secret keys")
    assert needed.level is Level.WARNING
    assert f"{old_id} is still needed for 1 receivers and 1 files" in needed.said

    lost = await finding(msgspec.structs.replace(settings, secret_keys=NEWER), "secret keys")
    assert lost.level is Level.FAILURE
    assert f"key {old_id} sealed 1 receivers and 1 files, and is not set" in lost.said
    for found in (only, idle, needed, lost):
        assert NEWER not in found.said + found.todo
        assert SECRET_KEYS not in found.said + found.todo


async def _once(content: bytes) -> Any:
    yield content


@pytest.mark.parametrize("value", ["", "short", "not base64!"], ids=["none", "short", "not base64"])
async def test_keys_that_are_none_are_a_failure(settings: Settings, value: str) -> None:
    found = await finding(msgspec.structs.replace(settings, secret_keys=value), "secret keys")
    assert found.level is Level.FAILURE
    assert "VENDORRISK_SECRET_KEYS" in found.said


async def test_clocks_are_compared(settings: Settings) -> None:
    assert (await finding(settings, "clock")).level is Level.OK
    late = await finding(settings, "clock", clock=lambda: system_clock() - timedelta(minutes=5))
    assert late.level is Level.FAILURE
    assert late.said.startswith(("299.", "300."))
    quick = timedelta(milliseconds=2)
    assert machine.evaluated_clock(timedelta(seconds=1), quick).level is Level.OK
    assert machine.evaluated_clock(timedelta(seconds=3), quick).level is Level.WARNING
    assert machine.evaluated_clock(timedelta(seconds=3), timedelta(seconds=2)).level is Level.OK


async def test_a_zone_that_nobody_knows_is_a_failure(settings: Settings, company: Company, owner: Any) -> None:
    assert (await finding(settings, "time zones", clock=lambda: NOW)).level is Level.OK
    await owner.execute("update tenants set time_zone = 'Mars/Base' where id = $1", company.tenant.id)
    found = await finding(settings, "time zones", clock=lambda: NOW)
    assert found.level is Level.FAILURE
    assert found.said == "unknown to this machine: ['Mars/Base']; to the database: ['Mars/Base']"


async def test_rules_of_zones_that_are_years_old_are_a_warning(settings: Settings, company: Company) -> None:
    del company
    found = await finding(settings, "time zones", clock=lambda: NOW.replace(year=2040))
    assert found.level is Level.WARNING


@pytest.mark.parametrize(
    ("free_gib", "level"),
    [(50.0, Level.OK), (1.0, Level.WARNING), (0.1, Level.FAILURE)],
    ids=["room", "little", "none"],
)
def test_a_disc_is_evaluated_by_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_gib: float, level: Level
) -> None:
    usage = shutil._ntuple_diskusage(100 * 1024**3, 0, int(free_gib * 1024**3))  # type: ignore[attr-defined]  # the type that disk_usage returns
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage)
    found = machine.evaluated_room(tmp_path)
    assert found.level is level
    assert f"{free_gib:.1f} GiB free of 100.0" in found.said


@pytest.mark.parametrize(
    ("mode", "archived", "failed", "level"),
    [
        ("off", None, None, Level.OK),
        ("on", NOW, None, Level.OK),
        ("on", NOW, NOW - timedelta(hours=1), Level.OK),
        ("on", NOW - timedelta(hours=1), NOW, Level.FAILURE),
        ("on", None, NOW, Level.FAILURE),
        ("on", None, None, Level.WARNING),
    ],
    ids=["off", "archives", "fixed", "fails", "failed from the start", "nothing yet"],
)
def test_archiving_is_evaluated_by_what_came_last(mode: str, archived: Any, failed: Any, level: Level) -> None:
    assert machine.evaluated_archiving(mode, Archiver(1, archived, 1, failed)).level is level


async def test_settings_that_do_not_go_together_are_told(settings: Settings) -> None:
    assert (await finding(settings, "settings")).said == "for tests"
    local = await finding(in_production(settings, public_url="http://localhost:8080"), "settings")
    assert local.level is Level.WARNING
    assert (await finding(in_production(settings), "settings")).level is Level.OK
    tests_on = await finding(in_production(settings, egress_test_networks="127.0.0.0/8"), "settings")
    assert tests_on.level is Level.FAILURE


async def test_a_check_that_hangs_or_breaks_is_a_finding_and_the_others_go_on(settings: Settings) -> None:
    async def hangs(_patient: Patient) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async def breaks(one: Patient) -> list[Finding]:
        raise RuntimeError(f"with {one.settings.secret_keys} in it")

    async def fine(one: Patient) -> list[Finding]:
        return [Finding("fine", Level.OK, f"sees {one.settings.secret_keys}", one.settings.secret_keys)]

    async with patient(settings) as one:
        told = await examine(one, [("a", hangs), ("b", breaks), ("c", fine)], seconds=0.05)
    assert [(f.check, f.level) for f in told.findings] == [
        ("a", Level.FAILURE),
        ("b", Level.FAILURE),
        ("fine", Level.OK),
    ]
    assert "no answer within" in told.findings[0].said
    assert told.findings[1].said == "could not be looked at: RuntimeError: with … in it"
    assert (told.findings[2].said, told.findings[2].todo) == ("sees …", "…")
    assert not told.healthy


def test_a_finding_is_one_line_where_nobody_watches_whatever_is_in_it() -> None:
    hostile = Finding("disc space", Level.FAILURE, "a [bold]b[/bold]\n\x1b[31m c" + " long" * 100, "do\r\nthis")
    out = io.StringIO()
    show(Report(healthy=False, findings=[hostile, Finding("x", Level.OK, "well")]), Console(file=out, width=80))
    first, second, last = out.getvalue().splitlines()
    assert first.startswith("failure  disc space  a [bold]b[/bold] [31m c long long")
    assert first.endswith("long  → do this")
    assert second == "ok       x           well"
    assert last == "1 ok, 0 warnings, 1 failures"


def test_a_person_sees_the_same_in_a_table() -> None:
    out = io.StringIO()
    found = Finding("disc space", Level.WARNING, "little room", "Free some.")
    show(Report(healthy=True, findings=[found]), Console(file=out, width=80, force_terminal=True, no_color=True))
    assert "little room" in out.getvalue()
    assert "→ Free some." in out.getvalue()


@pytest.mark.anyio
async def test_it_says_which_protections_this_machine_gives_to_a_parser(settings: Settings) -> None:
    found = await finding(settings, "sandbox")
    assert found.level is Level.OK
    user = "its own" if os.geteuid() == 0 else "the one of the service"
    assert found.said.startswith(f"system calls: a short list, user: {user}, Landlock: ")
    lacking = evaluated_sandbox(Protections())
    assert (lacking.level, lacking.said) == (
        Level.WARNING,
        "system calls: not filtered, user: the one of the service, Landlock: not in this kernel",
    )
