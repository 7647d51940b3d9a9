"""WHOIS answers (RFC 3912 gives them no form): read line by line in linear time, and only for certain facts.

A date that could mean two days is no date. The kind of answer is determined first: a server reports a rate limit in
words, which must not look like a missing domain. Runs in the sandbox's child.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from vendorrisk.probes.registration.rdap import Registration, told

MOST_BYTES = 64 * 1024
_MOST_LINES = 2_000
_MOST_LINE = 500


class Kind(StrEnum):
    OK = "ok"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    EMPTY = "whois_empty"
    ODD = "whois_odd"


_EXPIRY = frozenset({
    "registry expiry date", "registrar registration expiration date", "expiry date", "expiration date", "expires on",
    "expires", "expire", "expire date", "expiration time", "paid-till", "renewal date", "expire-date", "valid until",
    "validity", "domain expires", "exp date", "expires at", "expiration", "record expires on", "date d'expiration",
    "domain expiration date", "registry expiration date", "expiration-date",
})  # fmt: skip
_CREATED = frozenset({
    "creation date", "created", "created on", "registered", "registered on", "registration date", "registration time",
    "domain registration date", "created date", "created at", "registered date", "activated", "entry created",
    "domain created",
})  # fmt: skip
_STATUS = frozenset({"domain status", "status", "state", "eppstatus"})
_SERVERS = frozenset({"name server", "nserver", "nameserver", "name servers", "nameservers", "ns"})
_REGISTRAR = frozenset({"registrar", "registrar name", "sponsoring registrar", "registrar organization"})
_DOMAIN = frozenset({"domain name", "domain", "domainname", "complete domain name", "nom de domaine"})

_NOT_FOUND = re.compile(
    r"^[%#>*\s-]*(?:no match\b|not found\b|no entries found|no data found|nothing found|no object found|"
    r"no such domain|domain not found|domain .{0,100}(?:not found|is available|has not been registered|does not exist|"
    r"is free|not registered)|the queried object does not exist|object does not exist|no records? (?:found|match)|"
    r"(?:domain )?status\s*:\s*(?:free|available|not registered|no object found)\b|"
    r"the domain has not been registered|"
    r"this domain (?:name )?(?:is available|has not been registered|is not registered)|"
    r"[a-z0-9.-]{3,255} (?:is free|is available for|not found|no match|was not found|is not registered)\b|"
    r"no information available|error: no entries|object not found|domain name not known|available$)",
    re.IGNORECASE,
)
_TIRED = re.compile(
    r"(?:limit|quota).{0,40}(?:exceed|reached)|too many (?:requests|queries|connections)|"
    r"exceeded.{0,40}(?:limit|quota)|"
    r"try again (?:later|in)|access (?:denied|restricted)|blacklisted|rate.?limit|temporarily (?:blocked|unavailable)|"
    r"please (?:wait|slow)|query rate|connection refused",
    re.IGNORECASE,
)


def lines_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield `key: value` lines with lower-case keys. A `[key] value` line counts as well."""
    for raw in text.splitlines()[:_MOST_LINES]:
        line = raw[:_MOST_LINE].strip()
        if line.startswith("["):
            key, _, value = line[1:].partition("]")
        else:
            key, colon, value = line.partition(":")
            if not colon or line.startswith(("%", "#", ">>>")):
                continue
        key = key.strip(" .\t").lower()
        if key:
            yield key, value.strip()


class Answer(msgspec.Struct, frozen=True):
    kind: Kind
    registration: Registration | None = None


def read_answer(payload: bytes) -> Answer:
    """Read (domain, answer about it). The form in which a child can be asked."""
    domain, text = msgspec.msgpack.decode(payload, type=tuple[str, str])
    kind = classify(text, domain)
    return Answer(kind, read(text) if kind is Kind.OK else None)


def classify(text: str, domain: str) -> Kind:
    """Return the kind of an answer."""
    if not text.strip():
        return Kind.EMPTY
    found = list(lines_of(text))
    named = any(k in _DOMAIN and v.lower().rstrip(".").split(" ")[0] == domain for k, v in found)
    facts = {k for k, v in found if v} & (_EXPIRY | _CREATED | _SERVERS | _REGISTRAR)
    free = any(_NOT_FOUND.match(line[:_MOST_LINE]) for line in text.splitlines()[:_MOST_LINES])
    if facts and (named or not free):
        return Kind.OK
    if free:
        return Kind.NOT_FOUND
    tired = any(_TIRED.search(line[:_MOST_LINE]) for line in text.splitlines()[:_MOST_LINES])
    if tired:
        return Kind.RATE_LIMITED
    return Kind.OK if named else Kind.ODD


def read(text: str) -> Registration:
    """Read an answer that is `Kind.OK`. Uncertain facts are left out."""
    expires: list[datetime] = []
    created: list[datetime] = []
    statuses, servers, registrar = set(), set(), ""
    for key, value in lines_of(text):
        if key in _EXPIRY and (at := instant(value)) is not None:
            expires.append(at)
        elif key in _CREATED and (at := instant(value)) is not None:
            created.append(at)
        elif key in _STATUS and value:
            statuses.add(_status(value))
        elif key in _SERVERS and value:
            servers.add(value.split()[0].lower().rstrip("."))
        elif key in _REGISTRAR and value and not registrar:
            registrar = value[:200]
    return Registration(
        source="whois",
        expires_at=expires[0] if expires else None,
        created_at=created[0] if created else None,
        statuses=tuple(sorted(statuses)),
        name_servers=tuple(sorted(servers)),
        registrar=registrar,
    )


def _status(value: str) -> str:
    """Write an EPP status as RDAP does (RFC 8056): clientTransferProhibited → client transfer prohibited."""
    word = value.partition("http")[0].partition("(")[0].strip()
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word).lower()[:60]


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {m: n for n, m in enumerate(_MONTH_NAMES, 1)}
_ISO = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?!\d)")
_NAMED = re.compile(r"(\d{1,2})[- .]([A-Za-z]{3})[a-z]*[- .,]+(\d{4})(?!\d)")
_US = re.compile(
    r"(?:[A-Za-z]{3},? )?([A-Za-z]{3})[a-z]* +(\d{1,2}),? (?:\d\d:\d\d:\d\d (?:[A-Z]{3,4} )?)?(\d{4})(?!\d)"
)
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?!\d)")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)")
_TWELVE = 12


def instant(text: str) -> datetime | None:
    """Read a date at the beginning of a value. None for invalid dates, fillers and ambiguous dates."""
    text = text.strip()[:60]
    for pattern, read_groups in _FORMS:
        if match := pattern.match(text):
            return read_groups(match)
    return None


def _from_numbers(match: re.Match[str]) -> datetime | None:
    year, month, day, *rest = (int(group or 0) for group in match.groups())
    return _made(year, month, day, *rest)


def _day_first(match: re.Match[str]) -> datetime | None:
    return _made(int(match[3]), int(match[2]), int(match[1]))


def _day_or_month_first(match: re.Match[str]) -> datetime | None:
    first, second = int(match[1]), int(match[2])
    if first > _TWELVE or first == second:
        return _made(int(match[3]), second, first)
    return _made(int(match[3]), first, second) if second > _TWELVE else None


def _day_and_name(match: re.Match[str]) -> datetime | None:
    return _made(int(match[3]), _MONTHS.get(match[2].lower(), 0), int(match[1]))


def _name_and_day(match: re.Match[str]) -> datetime | None:
    return _made(int(match[3]), _MONTHS.get(match[1].lower(), 0), int(match[2]))


_FORMS = (
    (_ISO, _from_numbers),
    (_COMPACT, _from_numbers),
    (_NAMED, _day_and_name),
    (_US, _name_and_day),
    (_DOTTED, _day_first),  # dots are written day first everywhere
    (_SLASHED, _day_or_month_first),
)


def _made(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime | None:
    try:
        return told(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC))
    except ValueError:
        return None


def referred_server(text: str) -> str:
    """Return the server that IANA names for a top-level domain, or an empty string."""
    return next((value.lower() for key, value in lines_of(text) if key == "whois" and value), "")
