"""Processes and ticks as they are stored, and the pure rules over them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

BEAT_SECONDS = 10
SILENT_AFTER = timedelta(seconds=45)
"""Longer than four heartbeats, and than a process needs for its longest blocking step."""


class Process(msgspec.Struct, frozen=True):
    """`kind` is api or worker. `key_ids` are the sealing keys that it holds, the first seals."""

    process: str
    kind: str
    host: str
    version: str
    key_ids: list[str]
    started_at: datetime
    seen_at: datetime


class Tick(msgspec.Struct, frozen=True):
    """The last run of a job in a process. No end while it runs, or if the process died in it."""

    job: str
    process: str
    started_at: datetime
    ended_at: datetime | None
    error: str | None


class Installation(msgspec.Struct, frozen=True):
    """One database with its processes. While its deliveries are held, no message leaves."""

    id: UUID
    restored_at: datetime | None
    deliveries_held_at: datetime | None


class DueDeliveries(msgspec.Struct, frozen=True):
    """`due` counts to 10,000 at most."""

    due: int
    oldest_due_at: datetime | None


def is_silent(process: Process, now: datetime) -> bool:
    return now - process.seen_at > SILENT_AFTER


def alive(processes: Sequence[Process], kind: str, now: datetime) -> list[Process]:
    return [one for one in processes if one.kind == kind and not is_silent(one, now)]


def missing(processes: Sequence[Process], kind: str, now: datetime) -> list[Process]:
    """Return the silent processes that no later one replaced. Each later process replaces one."""
    ours = sorted((one for one in processes if one.kind == kind), key=_started)
    later = list(ours)
    gone = []
    for silent in sorted((one for one in ours if is_silent(one, now)), key=_seen):
        replacement = next((one for one in later if one.started_at > silent.seen_at), None)
        if replacement is None:
            gone.append(silent)
        else:
            later.remove(replacement)
    return gone


def standing(processes: Sequence[Process], kind: str, now: datetime) -> str:
    """Return "ok", or the trouble with the processes of a kind, in words for an operator."""
    living, gone = alive(processes, kind, now), missing(processes, kind, now)
    if not living:
        return f"no {kind} has given a sign for {SILENT_AFTER.total_seconds():.0f} s"
    if gone:
        since = min(one.seen_at for one in gone)
        return f"{len(gone)} of {len(gone) + len(living)} gave no sign since {since:%Y-%m-%d %H:%M:%S} UTC"
    return "ok"


def _started(process: Process) -> datetime:
    return process.started_at


def _seen(process: Process) -> datetime:
    return process.seen_at
