"""Snapshots: everything that a score was computed from, its digest, and the score computed again.

A snapshot is kept at each submission and decision. Its digest covers the content, the submission, the marks, the
policy, the facts, the day and the method. The score of a snapshot is the same for ever, because no method changes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from vendorrisk.questionnaires.visibility import Compiled, Fact
from vendorrisk.scoring import q1
from vendorrisk.scoring.answers import Answer, Mark
from vendorrisk.scoring.declaration import answers_of, digest
from vendorrisk.scoring.policy import ScoringPolicy
from vendorrisk.scoring.score_model import Result
from vendorrisk.value_checks import pointer_step

METHODS: Final = {q1.METHOD: q1.score}
"""All methods of this release. One that was released stays."""

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_MOST_DIFFERENCES: Final = 50


class UnknownMethodError(LookupError):
    """The method of a snapshot is not one of this release."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of a score. `marks` are those of the answers as declared."""

    method: str
    content_sha256: str
    submission: bytes
    """The declaration (`declaration.declared`)."""
    submitted_on: date
    """In the tenant's zone."""
    facts: Mapping[str, Fact]
    marks: tuple[Mark, ...]
    policy: ScoringPolicy


class ScoreDifference(msgspec.Struct, frozen=True):
    """A part of a stored score that comes out differently. `pointer` is a JSON pointer into the result."""

    pointer: str
    stored: Any
    computed: Any


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot computed again. At most 50 differences are listed."""

    is_equal: bool
    inputs_equal: bool
    """False: the inputs are not those that the stored digest covers."""
    differences: tuple[ScoreDifference, ...]


def standing_marks(answers: Iterable[Answer], marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the marks that count: those of the answers as they stand. By place."""
    versions = {answer.place: answer.version for answer in answers}
    standing = (mark for mark in marks if versions.get(mark.place) == mark.answer_version)
    return tuple(sorted(standing, key=lambda mark: mark.place))


def inputs_sha256(snapshot: Snapshot) -> bytes:
    """Return the SHA-256 over all inputs, as 32 bytes. The order of marks and of facts does not matter."""
    inputs = {
        "format": "vendorrisk-score-inputs/1",
        "method": snapshot.method,
        "content_sha256": snapshot.content_sha256,
        "submission_sha256": digest(snapshot.submission),
        "submitted_on": snapshot.submitted_on,
        "facts": {name: _plain(fact) for name, fact in snapshot.facts.items()},
        "marks": sorted(snapshot.marks, key=lambda mark: mark.place),
        "policy": snapshot.policy,
    }
    return hashlib.sha256(_ENCODER.encode(inputs)).digest()


def written(result: Result) -> bytes:
    """Return a result as it is stored: canonical JSON."""
    return _ENCODER.encode(result)


def computed(snapshot: Snapshot, compiled: Compiled) -> Result:
    """Return the score of a snapshot. `compiled` is the content that it names. Raises `UnknownMethodError`."""
    method = METHODS.get(snapshot.method)
    if method is None:
        raise UnknownMethodError(snapshot.method)
    versions = {mark.place: mark.answer_version for mark in snapshot.marks}
    answers = answers_of(compiled.content, snapshot.submission, versions)
    return method(compiled, answers, snapshot.marks, snapshot.policy, snapshot.facts, snapshot.submitted_on)


def replayed(snapshot: Snapshot, compiled: Compiled, stored_sha256: bytes, stored_result: bytes | str) -> Replay:
    """Compute a stored score again. Raises `UnknownMethodError`."""
    result = msgspec.json.decode(written(computed(snapshot, compiled)))
    inputs_equal = compiled.sha256 == snapshot.content_sha256 and inputs_sha256(snapshot) == stored_sha256
    found = (found for _, found in zip(range(_MOST_DIFFERENCES), _differences(stored_result, result), strict=False))
    differences = tuple(found)
    return Replay(is_equal=inputs_equal and not differences, inputs_equal=inputs_equal, differences=differences)


def _differences(stored: bytes | str, result: Any) -> Iterator[ScoreDifference]:
    yield from _compared(msgspec.json.decode(stored), result, "")


def _compared(stored: Any, result: Any, at: str) -> Iterator[ScoreDifference]:
    if isinstance(stored, dict) and isinstance(result, dict):
        for name in sorted({*stored, *result}):
            yield from _compared(stored.get(name), result.get(name), at + pointer_step(name))
    elif isinstance(stored, list) and isinstance(result, list) and len(stored) == len(result):
        for index, (left, right) in enumerate(zip(stored, result, strict=True)):
            yield from _compared(left, right, f"{at}/{index}")
    elif stored != result:
        yield ScoreDifference(at, stored, result)


def _plain(fact: Fact) -> Any:
    return fact if fact is None or isinstance(fact, str | bool) else sorted(map(str, fact))
