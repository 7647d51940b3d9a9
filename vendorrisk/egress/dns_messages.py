"""DNS messages (RFC 1035, section 4): one question is written, and the reply is parsed as its answer.

The constant part is written by hand, because a vendor takes some sixty questions: the question itself, an answer
without records, and the frame around records of the requested name. dnspython parses each record, and every message of
another form.
"""

import re
import secrets
from enum import StrEnum

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import msgspec

_HEADER_BYTES = 12
_EDNS_PAYLOAD = 1232  # bytes that cross the internet unfragmented (DNS Flag Day 2020)
_OPT = b"\0" + int(dns.rdatatype.OPT).to_bytes(2) + _EDNS_PAYLOAD.to_bytes(2) + bytes(6)  # RFC 6891, section 6.1.2
_EMPTY_OPT = re.compile(rb"(?:\0\0\x29..\0.{3}\0\0)?", re.DOTALL)  # of whatever size and version, or none at all
_FIXED_BYTES = 10  # of a record after its name: type, class, TTL, length
_POINTER, _LONGEST_LABEL = 0xC0, 63
_THE_NAME = bytes([_POINTER, _HEADER_BYTES])  # a pointer to the question's name, by which nearly all servers repeat it
_WITHOUT_QUESTION = frozenset({dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED})


class Outcome(StrEnum):
    """The outcome of a question. Only the first three are evidence about the name."""

    OK = "ok"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"


_OUTCOMES = {
    dns.rcode.NOERROR: Outcome.NODATA,
    dns.rcode.NXDOMAIN: Outcome.NXDOMAIN,
    dns.rcode.SERVFAIL: Outcome.SERVFAIL,
    dns.rcode.REFUSED: Outcome.REFUSED,
}


class Answer(msgspec.Struct, frozen=True):
    """One answer set. `records` is empty unless the outcome is OK. Aliases on the way to them are left out."""

    name: str
    kind: str
    outcome: Outcome
    records: tuple[dns.rdata.Rdata, ...] = ()
    authenticated: bool = False

    def texts(self) -> tuple[str, ...]:
        """Return the records in presentation form (RFC 1035, section 5.1)."""
        return tuple(record.to_text() for record in self.records)


class TruncatedError(Exception):
    """The answer did not fit. The question must be repeated over TCP (RFC 7766, section 5)."""


class Question(msgspec.Struct, frozen=True):
    """A question as it is sent: `wire` is the message, `section` the part that its answer must repeat."""

    name: str
    kind: str
    wire: bytes
    section: bytes


def question(name: str, kind: str, flags: int) -> Question:
    """Write a question under an id nobody can guess.

    Raises `ValueError` for a kind that does not exist, and dnspython's exceptions for a name that cannot be written.
    """
    section = dns.name.from_text(name).to_digestable() + _kind(kind).to_bytes(2) + dns.rdataclass.IN.to_bytes(2)
    header = secrets.token_bytes(2) + flags.to_bytes(2) + b"\0\1\0\0\0\0\0\1"
    return Question(name, kind, header + section + _OPT, section)


def read(wire: bytes, asked: Question) -> Answer | None:
    """Parse a reply. None if it answers another question, and the caller should wait for the next.

    An answer that cannot be parsed, or contradicts itself, is MALFORMED. Raises `TruncatedError`.
    """
    if len(wire) < _HEADER_BYTES or wire[:2] != asked.wire[:2]:
        return None
    flags, questions, records, *others = (int.from_bytes(wire[at : at + 2]) for at in range(2, _HEADER_BYTES, 2))
    if not flags & dns.flags.QR or dns.opcode.from_flags(flags) != dns.opcode.QUERY:
        return None
    start = _HEADER_BYTES + (len(asked.section) if questions else 0)
    if questions:
        if questions != 1 or wire[_HEADER_BYTES:start].lower() != asked.section.lower():
            return None
    elif flags & 0xF not in _WITHOUT_QUESTION:
        return None
    if flags & dns.flags.TC:
        raise TruncatedError
    if records:
        is_plain = questions == 1 and not flags & 0xF and not others[0]
        return (_plain(wire, asked, records, others[1], flags) if is_plain else None) or _with_records(wire, asked)
    rcode = _whole_rcode(wire, start, sum(others), flags & 0xF)
    outcome = _OUTCOMES.get(rcode, Outcome.MALFORMED)  # type: ignore[call-overload]  # an rcode is an int
    return Answer(asked.name, asked.kind, outcome, authenticated=bool(flags & dns.flags.AD))


def _whole_rcode(wire: bytes, at: int, records: int, low: int) -> int:
    """Walk over records. Return the rcode with the upper bits of an OPT (RFC 6891), or -1 if a record is broken."""
    for _ in range(records):
        at = _after_name(wire, at)
        if at < 0 or at + _FIXED_BYTES > len(wire):
            return -1
        if int.from_bytes(wire[at : at + 2]) == dns.rdatatype.OPT:
            low |= wire[at + 4] << 4
        at += _FIXED_BYTES + int.from_bytes(wire[at + 8 : at + 10])
        if at > len(wire):
            return -1
    return low


def _after_name(wire: bytes, at: int) -> int:
    """Return the end of a name: its root, or the position after its pointer. -1 if it has no end."""
    while at < len(wire):
        length = wire[at]
        if length == 0:
            return at + 1
        if length >= _POINTER:
            return at + 2
        if length > _LONGEST_LABEL:
            return -1
        at += 1 + length
    return -1


def _plain(wire: bytes, asked: Question, records: int, additional: int, flags: int) -> Answer | None:
    """Read records that are all of the name, kind and class asked for, with nothing after them but an empty OPT.

    Returns None where the message is any different, or cannot be read so.
    """
    at, kind = _HEADER_BYTES + len(asked.section), dns.rdatatype.RdataType(int.from_bytes(asked.section[-4:-2]))
    if records > 1 and dns.rdatatype.is_singleton(kind):
        return None
    frame = _THE_NAME + asked.section[-4:]
    found: dict[dns.rdata.Rdata, None] = {}
    for _ in range(records):
        if not wire.startswith(frame, at):
            return None
        start = at + len(_THE_NAME) + _FIXED_BYTES
        at = start + int.from_bytes(wire[start - 2 : start])
        try:
            found[dns.rdata.from_wire(dns.rdataclass.IN, kind, wire, start, at - start)] = None
        except (dns.exception.DNSException, ValueError):
            return None
    if additional != (at < len(wire)) or _EMPTY_OPT.fullmatch(wire, at) is None:
        return None
    return Answer(asked.name, asked.kind, Outcome.OK, tuple(found), authenticated=bool(flags & dns.flags.AD))


def _with_records(wire: bytes, asked: Question) -> Answer:
    malformed = Answer(asked.name, asked.kind, Outcome.MALFORMED)
    try:
        message = dns.message.from_wire(wire)
        chain = message.resolve_chaining() if isinstance(message, dns.message.QueryMessage) else None
    except (dns.exception.DNSException, ValueError):
        return malformed
    outcome = _OUTCOMES.get(message.rcode())
    if chain is None or outcome is None:
        return malformed
    authenticated = bool(message.flags & dns.flags.AD)
    if outcome is not Outcome.NODATA or chain.answer is None:
        return Answer(asked.name, asked.kind, outcome, authenticated=authenticated)
    return Answer(asked.name, asked.kind, Outcome.OK, records=tuple(chain.answer), authenticated=authenticated)


def _kind(kind: str) -> dns.rdatatype.RdataType:
    try:
        return dns.rdatatype.from_text(kind)
    except dns.exception.DNSException:
        raise ValueError(f"{kind!r} is no DNS record type") from None
