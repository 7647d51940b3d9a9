"""Status pages: the JSON that Statuspage and its kin serve, and RSS or Atom elsewhere. Pure.

Runs in the sandbox's child, and in time in proportion to the length of a page all the same.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice

import msgspec

from vendorrisk.probes.observation import Raw, Unknown

_MOST_INCIDENTS = 100
_MOST_OF_AN_ID = 100
_INDICATORS = frozenset({"none", "minor", "major", "critical", "maintenance"})
_IMPACTS = frozenset({"none", "minor", "major", "critical", "maintenance"})


class StatusError(Exception):
    """The response is no supported status page. `args[0]` is a slug."""


class Incident(Raw, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    impact: str
    started_at: datetime
    resolved_at: datetime | None = None


class StatusFacts(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="status_facts"):
    """`indicator` is the page's own word. `knows_impact` is False if the feed does not rate its incidents."""

    indicator: str
    incidents: tuple[Incident, ...] = ()
    knows_impact: bool = True


class _Status(msgspec.Struct):
    indicator: str


class _Incident(msgspec.Struct):
    id: str
    impact: str
    created_at: datetime
    started_at: datetime | None = None
    resolved_at: datetime | None = None


class _Summary(msgspec.Struct):
    status: _Status
    incidents: list[_Incident] = []


class _History(msgspec.Struct):
    incidents: list[_Incident]


def read_page(body: bytes) -> StatusFacts | Unknown:
    """Read a page of either kind. The form in which a child can be asked."""
    try:
        return read_json(body) if body.lstrip()[:1] == b"{" else read_feed(body)
    except StatusError as error:
        return Unknown(reason=error.args[0])


def read_history(body: bytes) -> tuple[Incident, ...] | Unknown:
    """Read the incidents of a page. The form in which a child can be asked."""
    try:
        return read_incidents(body)
    except StatusError as error:
        return Unknown(reason=error.args[0])


def read_json(body: bytes) -> StatusFacts:
    """Read `/api/v2/summary.json` or `status.json`."""
    try:
        page = msgspec.json.decode(body, type=_Summary)
    except (msgspec.DecodeError, RecursionError):
        raise StatusError("status_schema") from None
    if page.status.indicator not in _INDICATORS:
        raise StatusError("status_schema")
    return StatusFacts(indicator=page.status.indicator, incidents=_sorted(page.incidents))


def read_incidents(body: bytes) -> tuple[Incident, ...]:
    """Read `/api/v2/incidents.json`: the latest incidents, those that are over as well."""
    try:
        return _sorted(msgspec.json.decode(body, type=_History).incidents)
    except (msgspec.DecodeError, RecursionError):
        raise StatusError("status_schema") from None


def joined(now: StatusFacts, past: tuple[Incident, ...]) -> StatusFacts:
    """Join past and current incidents. If an incident is in both, the current entry counts."""
    running = {one.id for one in now.incidents}
    found = [*now.incidents, *(one for one in past if one.id not in running)][:_MOST_INCIDENTS]
    return msgspec.structs.replace(now, incidents=tuple(sorted(found, key=lambda i: i.id)))


def _sorted(incidents: list[_Incident]) -> tuple[Incident, ...]:
    if any(one.impact not in _IMPACTS for one in incidents):
        raise StatusError("status_schema")
    try:
        return tuple(_read(one) for one in sorted(incidents, key=lambda i: i.id)[:_MOST_INCIDENTS])
    except OverflowError:
        raise StatusError("status_schema") from None


def _read(one: _Incident) -> Incident:
    return Incident(
        id=one.id[:_MOST_OF_AN_ID],
        impact=one.impact,
        started_at=_utc(one.started_at or one.created_at),
        resolved_at=_utc(one.resolved_at) if one.resolved_at else None,
    )


_ITEM = re.compile(rb"<(item|entry)[\s>]")
_WHEN = re.compile(rb"<(pubDate|updated|published)(?:\s[^<>]{0,500})?>([^<]{1,60})</")
_ID = re.compile(rb"<(guid|id)(?:\s[^<>]{0,500})?>([^<]{1,300})</")


def _items(body: bytes) -> Iterator[bytes]:
    """Yield each item of a feed up to its end. An item without an end is the last of its kind."""
    at, unended = 0, set[bytes]()
    while (opening := _ITEM.search(body, at)) is not None:
        name, at = opening[1], opening.end()
        end = -1 if name in unended else body.find(b"</" + name + b">", at)
        if end < 0:
            unended.add(name)
            continue
        yield body[at:end]
        at = end


def read_feed(body: bytes) -> StatusFacts:
    """Read RSS or Atom by its items alone, without an XML parser, so that no entity can be expanded."""
    if not re.search(rb"<(?:rss|feed|rdf:RDF)[\s>]", body[:2_000]):
        raise StatusError("status_schema")
    incidents = []
    for item in islice(_items(body[:1_000_000]), _MOST_INCIDENTS):
        when, name = _WHEN.search(item), _ID.search(item)
        at = _instant(when[2].decode("utf-8", "replace")) if when else None
        if at is not None:
            key = name[2].decode("utf-8", "replace")[:_MOST_OF_AN_ID] if name else at.isoformat()
            incidents.append(Incident(id=key, impact="minor", started_at=at, resolved_at=at))
    ordered = tuple(sorted(incidents, key=lambda i: i.id))
    return StatusFacts(indicator="none", incidents=ordered, knows_impact=False)


def _instant(text: str) -> datetime | None:
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _utc(reader(text.strip()))
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _utc(at: datetime) -> datetime:
    """Raises `OverflowError` for the first day of the year 1, or the last of 9999, in another zone."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
