"""RDAP (RFC 9082, 9083) and its bootstrap (RFC 9224): a registry's data about a domain, without its people.

An answer is read in this process: it is JSON of a bounded size, from a registry that IANA names, and the parser reads
it once, into the shape below.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from vendorrisk.probes.observation import Raw

_FIRST = datetime(1980, 1, 1, tzinfo=UTC)
"""No domain is older than the DNS. An earlier date is a filler."""
_MOST_BYTES = 256 * 1024


class RdapError(Exception):
    """The response cannot be used. `args[0]` is a slug."""


class Registration(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="registration"):
    """A registered domain.

    Statuses are those of RFC 8056, in lower case with blanks. None means that the registry did not publish them.
    """

    source: str
    expires_at: datetime | None = None
    created_at: datetime | None = None
    statuses: tuple[str, ...] = ()
    name_servers: tuple[str, ...] = ()
    registrar: str = ""
    signed: bool | None = None


class NotRegistered(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="not_registered"):
    """The registry says that there is no such domain."""

    source: str


class NotOwn(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="not_own"):
    """The domain has no registration of its own: it is a name under a shared domain, or a suffix."""


class _Event(msgspec.Struct, rename="camel"):
    event_action: str = ""
    event_date: str = ""


class _Server(msgspec.Struct, rename="camel"):
    ldh_name: str = ""


class _SecureDns(msgspec.Struct, rename="camel"):
    delegation_signed: bool | None = None


class _Entity(msgspec.Struct, rename="camel"):
    roles: list[str] = []
    vcard_array: list[Any] = []


class _Domain(msgspec.Struct, rename={"secure_dns": "secureDNS", "kind": "objectClassName", "name": "ldhName"}):
    kind: str = ""
    name: str = ""
    events: list[_Event] = []
    status: list[str] = []
    nameservers: list[_Server] = []
    secure_dns: _SecureDns | None = None
    entities: list[_Entity] = []


class _Bootstrap(msgspec.Struct):
    version: str
    services: list[tuple[list[str], list[str]]]


def read_bootstrap(body: bytes) -> dict[str, str]:
    """Return the HTTPS base address for each top-level domain. Raises `RdapError` for another shape."""
    try:
        file = msgspec.json.decode(body, type=_Bootstrap)
    except (msgspec.DecodeError, RecursionError):
        raise RdapError("feed_schema") from None
    found: dict[str, str] = {}
    for names, bases in file.services:
        secure = next((base for base in bases if base.startswith("https://")), "")
        found.update({name.lower(): secure.rstrip("/") + "/" for name in names if secure})
    if file.version != "1.0" or not found:
        raise RdapError("feed_schema")
    return found


class _Error(msgspec.Struct, rename="camel"):
    error_code: int = 404


def says_not_found(body: bytes) -> bool:
    """Return True if the body of a 404 is a registry's: empty, or an RDAP error (RFC 7480, section 5.3).

    A page for people comes from a proxy in front of the registry, and is no evidence about the domain.
    """
    try:
        return not body.strip() or msgspec.json.decode(body[:_MOST_BYTES], type=_Error).error_code == 404  # noqa: PLR2004 - RDAP
    except (msgspec.DecodeError, RecursionError):
        return False


def parse(body: bytes, domain: str) -> Registration:
    """Read a response about a domain. One about another domain, or of another shape, raises `RdapError`."""
    if len(body) > _MOST_BYTES:
        raise RdapError("rdap_too_large")
    try:
        response = msgspec.json.decode(body, type=_Domain)
    except (msgspec.DecodeError, RecursionError):
        raise RdapError("rdap_malformed") from None
    if response.kind != "domain" or response.name.lower().rstrip(".") != domain.lower():
        raise RdapError("rdap_other_object")
    return Registration(
        source="rdap",
        expires_at=_at(response.events, "expiration"),
        created_at=_at(response.events, "registration"),
        statuses=tuple(sorted({status.strip().lower() for status in response.status})),
        name_servers=tuple(sorted({s.ldh_name.lower().rstrip(".") for s in response.nameservers if s.ldh_name})),
        registrar=next((_name(e) for e in response.entities if "registrar" in e.roles), ""),
        signed=response.secure_dns.delegation_signed if response.secure_dns is not None else None,
    )


def _at(events: list[_Event], action: str) -> datetime | None:
    """Return an event's date. If several events have the same name, return the latest."""
    return max(
        (at for e in events if e.event_action.lower() == action and (at := _instant(e.event_date))), default=None
    )


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip().upper())
        return told(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def told(at: datetime) -> datetime | None:
    """Return the date of a registration, or None for an impossible date."""
    return at if at >= _FIRST else None


def _name(entity: _Entity) -> str:
    """Return the `fn` of a jCard (RFC 7095): for a registrar, the name of the company."""
    try:
        return next(str(line[3])[:200].replace("\0", "\ufffd") for line in entity.vcard_array[1] if line[0] == "fn")
    except (IndexError, TypeError, KeyError, StopIteration):
        return ""
