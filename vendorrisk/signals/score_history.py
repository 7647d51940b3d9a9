"""The last scores of a vendor, as reconciling compares them. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

_BETWEEN_SCORES = timedelta(minutes=15)


class Snapshotted(msgspec.Struct, frozen=True):
    """The score in brief, for comparing with later ones."""

    score: int | None
    grade: str
    model_version: str
    at: datetime


def rose(baseline: Snapshotted, recent: Sequence[Snapshotted]) -> bool:
    return baseline.score is not None and all(r.score is not None and r.score > baseline.score for r in recent)


def with_latest(recent: Sequence[Snapshotted], brief: Snapshotted) -> list[Snapshotted]:
    """Return the last two scores. Scores within a quarter of an hour count as one."""
    if not recent or abs(brief.at - recent[-1].at) >= _BETWEEN_SCORES:
        return [*recent[-1:], brief]
    return [*recent[:-1], brief]
