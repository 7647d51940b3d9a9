"""Our own DNS client: asks the configured recursive servers, and tells apart every way of not knowing.

No search list, no hosts file, no cache: the same name asked twice is two questions, so that a look sees the
present and the guard vets exactly the answer it dials. A truncated answer is asked again over TCP
(RFC 7766). The AD flag (RFC 4035, section 3.2.3) is asked for and handed on; it means something only where
the path to the resolver is trusted.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
import msgspec

_EDNS_PAYLOAD = 1232  # bytes; what crosses the internet unfragmented (DNS Flag Day 2020)
_PORT = 53


class Outcome(StrEnum):
    """What came of a question. Only the first three say something about the name."""

    OK = "ok"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"


class Answer(msgspec.Struct, frozen=True):
    """One answer set. `records` is empty unless the outcome is OK; `canonical` is where the CNAMEs led."""

    name: str
    kind: str
    outcome: Outcome
    records: tuple[dns.rdata.Rdata, ...] = ()
    canonical: str = ""
    authenticated: bool = False
    ttl_seconds: int = 0

    def texts(self) -> tuple[str, ...]:
        """Return the records in presentation form (RFC 1035, section 5.1)."""
        return tuple(record.to_text() for record in self.records)


class Resolver:
    """Asks `servers` (address, port) in turn; each question has `lifetime_seconds` in all."""

    def __init__(
        self, servers: Sequence[tuple[str, int]], *, try_seconds: float = 2.0, lifetime_seconds: float = 5.0
    ) -> None:
        self._resolver = _stub(servers, try_seconds, lifetime_seconds, dns.flags.RD | dns.flags.AD)
        self._unchecked = _stub(servers, try_seconds, lifetime_seconds, dns.flags.RD | dns.flags.CD)

    async def ask(self, name: str, kind: str, *, checking_disabled: bool = False) -> Answer:
        """Ask one question; never raises for what the network or the name's owner does.

        `name` may hold underscores (`_dmarc.example.com`), unlike a host. With `checking_disabled` (RFC 4035,
        section 3.2.2) a validating resolver hands on what does not validate: so a bogus zone is told from a
        dead one. Raises `ValueError` for a kind that does not exist.
        """
        rdtype = _kind(kind)
        stub = self._unchecked if checking_disabled else self._resolver
        try:
            found = await stub.resolve(dns.name.from_text(name), rdtype, search=False)
        except dns.resolver.NXDOMAIN as error:
            responses = error.kwargs.get("responses", {})
            return _without_records(name, kind, Outcome.NXDOMAIN, next(iter(responses.values()), None))
        except dns.resolver.NoAnswer as error:
            return _without_records(name, kind, Outcome.NODATA, error.kwargs.get("response"))
        except (dns.exception.DNSException, OSError) as error:
            return Answer(name, kind, _failure(error))
        return Answer(
            name,
            kind,
            Outcome.OK,
            records=tuple(found),
            canonical=found.canonical_name.to_text(omit_final_dot=True),
            authenticated=bool(found.response.flags & dns.flags.AD),
            ttl_seconds=max(0, found.chaining_result.minimum_ttl),
        )


def _stub(
    servers: Sequence[tuple[str, int]], try_seconds: float, lifetime_seconds: float, flags: int
) -> dns.asyncresolver.Resolver:
    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
    stub.search = []
    stub.cache = None
    stub.timeout = try_seconds
    stub.lifetime = lifetime_seconds
    stub.use_edns(0, 0, _EDNS_PAYLOAD)
    stub.set_flags(flags)
    return stub


def _kind(kind: str) -> dns.rdatatype.RdataType:
    try:
        return dns.rdatatype.from_text(kind)
    except dns.exception.DNSException:
        raise ValueError(f"{kind!r} is no DNS record type") from None


def _without_records(name: str, kind: str, outcome: Outcome, response: dns.message.Message | None) -> Answer:
    if response is None:
        return Answer(name, kind, outcome)
    return Answer(name, kind, outcome, authenticated=bool(response.flags & dns.flags.AD))


def _failure(error: Exception) -> Outcome:
    """Say why there is no answer; where every server failed, by what the last one itself reported."""
    if isinstance(error, dns.exception.Timeout):
        return Outcome.TIMEOUT
    if not isinstance(error, dns.resolver.NoNameservers):
        return Outcome.MALFORMED
    responses = [each[-1] for each in error.kwargs.get("errors", ()) if each[-1] is not None]
    named = {dns.rcode.SERVFAIL: Outcome.SERVFAIL, dns.rcode.REFUSED: Outcome.REFUSED}
    return named.get(responses[-1].rcode(), Outcome.MALFORMED) if responses else Outcome.MALFORMED


def system_servers() -> list[tuple[str, int]]:
    """Return what /etc/resolv.conf names; an empty list where there is none."""
    try:
        configured = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return []
    return [(str(server), _PORT) for server in configured.nameservers if isinstance(server, str)]


def parse_servers(text: str) -> list[tuple[str, int]]:
    """Read `address`, `address:port` and `[v6]:port`, separated by commas; raises `ValueError`."""
    return [_parse_server(part.strip()) for part in text.split(",") if part.strip()]


def _parse_server(part: str) -> tuple[str, int]:
    match = re.fullmatch(r"\[(?P<six>[0-9a-fA-F:.]+)\](?::(?P<p6>\d+))?|(?P<four>[0-9.]+)(?::(?P<p4>\d+))?", part)
    if match is None:
        if ":" in part and "." not in part:
            return part, _PORT  # a bare IPv6 address
        raise ValueError(f"{part!r} is not an address or address:port")
    return match["six"] or match["four"], int(match["p6"] or match["p4"] or _PORT)
