"""The machine we run on: settings, clock, time zones, disc space, the sandbox, and signs of backups."""

import os
import shutil
import time
import zoneinfo
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from vendorrisk.clock import zone
from vendorrisk.db.pool import NOT_READY
from vendorrisk.doctor import queries
from vendorrisk.doctor.database import server
from vendorrisk.doctor.model import DatabaseAwayError, Finding, Level, Patient
from vendorrisk.sandbox.confinement import Protections, given
from vendorrisk.sandbox.running import SMALL, Sandbox, SandboxError
from vendorrisk.settings import faults_in
from vendorrisk.storage.configured import disk_root

_SKEW_WARNING, _SKEW_FAILURE = timedelta(seconds=2), timedelta(seconds=30)
_ZONES_OLD_YEARS = 2
_SPACE_WARNING, _SPACE_FAILURE = 2 * 1024**3, 256 * 1024**2
_SHARE_WARNING, _FILES_FAILURE = 0.05, 1000
_BACKUP = "Back up three things together: the database, the file store, and VENDORRISK_SECRET_KEYS, kept apart."
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


async def settings(patient: Patient) -> list[Finding]:
    """Find settings that are right by themselves and wrong together."""
    told = patient.settings
    if wrong := faults_in(told):
        todo = "Correct it: no process starts with it."
        return [Finding("settings", Level.FAILURE, one, todo) for one in wrong]
    if told.environment == "test":
        todo = "Unset VENDORRISK_ENVIRONMENT: the switches of tests may be on."
        return [Finding("settings", Level.WARNING, "for tests", todo)]
    host = urlsplit(told.public_url).hostname
    if not patient.is_embedded and host in _LOOPBACK:
        todo = "Set VENDORRISK_PUBLIC_URL to the address that people open."
        return [Finding("settings", Level.WARNING, f"links in messages begin with {told.public_url}", todo)]
    return [Finding("settings", Level.OK, "every one is known and fits")]


async def clock(patient: Patient) -> list[Finding]:
    """Compare this machine's clock with the database's: leases and due dates hang on both."""
    before, begun = patient.clock(), time.monotonic()
    told = await server(patient)
    took = timedelta(seconds=time.monotonic() - begun)
    return [evaluated_clock(abs(told.now - (before + took / 2)), took)]


def evaluated_clock(apart: timedelta, took: timedelta) -> Finding:
    """Evaluate the difference of the clocks. Half of the query's duration is the uncertainty."""
    said = f"{max(timedelta(), apart - took / 2).total_seconds():.1f} s from the database's"
    todo = "Let a time service (chrony, systemd-timesyncd) set both machines' clocks."
    if apart > _SKEW_FAILURE + took:
        return Finding("clock", Level.FAILURE, said, todo)
    if apart > _SKEW_WARNING + took:
        return Finding("clock", Level.WARNING, said, todo)
    return Finding("clock", Level.OK, said)


async def time_zones(patient: Patient) -> list[Finding]:
    """See that this machine and the database know every tenant's zone, by rules that are not years old."""
    lacking = "Install the time zone data (the package tzdata)."
    edition = _edition()
    if edition is None or not zoneinfo.available_timezones():
        return [Finding("time zones", Level.FAILURE, "this machine has no time zone data", lacking)]
    try:
        await server(patient)
        async with patient.database.system() as connection:
            used = await queries.ZONES.many(connection)
    except (DatabaseAwayError, *NOT_READY):
        used = []
    here = [one.time_zone for one in used if not _is_known_here(one.time_zone)]
    there = [one.time_zone for one in used if not one.is_known]
    if here or there:
        said = f"unknown to this machine: {here or 'none'}; to the database: {there or 'none'}"
        return [Finding("time zones", Level.FAILURE, said, f"{lacking} Or give those tenants a zone that is known.")]
    said = f"edition {edition}, {len(used)} in use, all known to both"
    if edition[:4].isdigit() and int(edition[:4]) <= patient.clock().year - _ZONES_OLD_YEARS:
        return [Finding("time zones", Level.WARNING, said, "Upgrade the package tzdata: rules change each year.")]
    return [Finding("time zones", Level.OK, said)]


def _edition() -> str | None:
    """Return the edition of the time zone rules in use: the system's if it has them, otherwise the package's."""
    for folder in zoneinfo.TZPATH:
        rules = Path(folder, "tzdata.zi")
        if rules.exists():
            with rules.open(encoding="utf-8") as lines:
                return lines.readline().removeprefix("# version ").strip()
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return None


def _is_known_here(name: str) -> bool:
    try:
        zone(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


async def disc(patient: Patient) -> list[Finding]:
    """Check that data on this machine has room to grow."""
    places = [patient.settings.home_path()] if patient.is_embedded or patient.is_new else []
    if (root := disk_root(patient.settings)) is not None:
        places.append(root)
    seen: set[int] = set()
    found = []
    for place in places:
        there = next(folder for folder in (place, *place.parents) if folder.exists())
        if (device := there.stat().st_dev) not in seen:
            seen.add(device)
            found.append(evaluated_room(there))
    return found or [Finding("disc space", Level.OK, "nothing is kept on this machine's discs")]


def evaluated_room(place: Path) -> Finding:
    usage, files = shutil.disk_usage(place), os.statvfs(place)
    said = f"{place}: {usage.free / 1024**3:.1f} GiB free of {usage.total / 1024**3:.1f}"
    todo = "Free some, or move the data to a larger disc: a full one stops every write."
    # Some file systems count no files at all.
    if usage.free < _SPACE_FAILURE or (files.f_files and files.f_favail < _FILES_FAILURE):
        return Finding("disc space", Level.FAILURE, f"{said}, {files.f_favail} files", todo)
    if usage.free < _SPACE_WARNING or usage.free < usage.total * _SHARE_WARNING:
        return Finding("disc space", Level.WARNING, said, todo)
    return Finding("disc space", Level.OK, said)


async def sandbox(_patient: Patient) -> list[Finding]:
    """Read something in a child, and tell the protections that this machine gave it."""
    try:
        found = await Sandbox().run(given, b"", SMALL)
    except SandboxError as error:
        todo = "Files and pages cannot be read. See the lines of this command's standard error."
        return [Finding("sandbox", Level.FAILURE, f"no child process can read: {error}", todo)]
    return [evaluated_sandbox(found)]


def evaluated_sandbox(found: Protections) -> Finding:
    said = ", ".join((
        f"system calls: {'a short list' if found.system_calls else 'not filtered'}",
        f"user: {'its own' if found.own_user else 'the one of the service'}",
        f"Landlock: {f'version {found.landlock}' if found.landlock else 'not in this kernel'}",
    ))  # fmt: skip
    if not found.system_calls:
        todo = "Run on Linux on x86-64 or ARM64, where nothing forbids a process to give up system calls (seccomp)."
        return Finding("sandbox", Level.WARNING, said, todo)
    return Finding("sandbox", Level.OK, said)


async def backups(patient: Patient) -> list[Finding]:
    """Tell what the database knows of its own archiving. A snapshot taken from outside cannot be seen from here."""
    if patient.is_embedded:
        said = "embedded mode keeps none: it is for evaluation"
        return [
            Finding("backups", Level.OK, said, f"Stop it and copy {patient.settings.home_path()}, secret.keys too.")
        ]
    told = await server(patient)
    async with patient.database.borrowed() as connection:
        archiver = await queries.ARCHIVER.one(connection)
    return [evaluated_archiving(told.archive_mode, archiver)]


def evaluated_archiving(mode: str, archiver: queries.Archiver) -> Finding:
    if mode == "off":
        return Finding("backups", Level.OK, "the database archives nothing itself; snapshots cannot be seen", _BACKUP)
    last = archiver.last_archived_at
    if archiver.last_failed_at is not None and (last is None or archiver.last_failed_at > last):
        said = f"archiving fails, last at {archiver.last_failed_at:%Y-%m-%d %H:%M} UTC ({archiver.failed_count} times)"
        return Finding("backups", Level.FAILURE, said, "See the database's log. Its disc fills until this is fixed.")
    if last is None:
        return Finding("backups", Level.WARNING, "archiving is on, and nothing was archived yet", _BACKUP)
    return Finding("backups", Level.OK, f"the database archives its log, last at {last:%Y-%m-%d %H:%M} UTC", _BACKUP)
