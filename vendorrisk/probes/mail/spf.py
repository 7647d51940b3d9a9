"""SPF (RFC 7208): the record's grammar, `check_host`, and an audit of everything a record leads to.

Pure: DNS is a table of answers. `check_host` is the standard's function (section 4). `audit` walks every term that some
sender could reach, which a scan needs to know.
"""

import ipaddress
from collections.abc import Iterator

from vendorrisk.probes.dns.dns_lookups import NOT_ASKED, Answers
from vendorrisk.probes.mail.spf_macros import Sender, expand
from vendorrisk.probes.mail.spf_record import (
    LOOKING_UP,
    RESULT_OF_QUALIFIER,
    Record,
    Result,
    SpfError,
    Term,
    is_domain,
    is_writable,
    parse,
    select,
)
from vendorrisk.probes.observation import Lookup

MOST_LOOKUPS = 10
MOST_VOID = 2
MOST_NAMES = 10  # MX or PTR names of one mechanism

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class UnansweredError(Exception):
    """The standard's temperror."""


def check_host(answers: Answers, address: str, domain: str, sender: str, helo: str) -> Result:
    """Evaluate one sender, as a receiver would. Questions not yet answered make it `temperror`."""
    local, at, _ = sender.rpartition("@")
    who = Sender(
        _unmapped(ipaddress.ip_address(address)),
        (local or "postmaster") if at else "postmaster",
        sender.rpartition("@")[2],
        helo,
    )
    return _Evaluation(answers, who).check(domain)


class _Evaluation:
    """One run of check_host, with the counters it shares between records."""

    def __init__(self, answers: Answers, sender: Sender) -> None:
        self._answers = answers
        self._sender = sender
        self._lookups = 0
        self._voids = 0

    def check(self, domain: str) -> Result:
        if not is_domain(domain):
            return Result.NONE
        try:
            records = select(self._look_up(domain, "TXT"))
            if not records:
                return Result.NONE
            return self._record(parse(only(records)), domain)
        except SpfError:
            return Result.PERMERROR
        except UnansweredError:
            return Result.TEMPERROR

    def _record(self, record: Record, domain: str) -> Result:
        for term in record.terms:
            if term.mechanism in LOOKING_UP:
                self._count()
            if self._matches(term, domain):
                return RESULT_OF_QUALIFIER[term.qualifier]
        if not record.redirect:
            return Result.NEUTRAL
        self._count()
        return self._followed(self.check(self._expanded(record.redirect, domain)))

    @staticmethod
    def _followed(result: Result) -> Result:
        """The result of redirect and include for another record (sections 5.2 and 6.1)."""
        if result is Result.NONE:
            raise SpfError("record_missing")
        if result is Result.PERMERROR:
            raise SpfError("record_invalid")
        if result is Result.TEMPERROR:
            raise UnansweredError
        return result

    def _matches(self, term: Term, domain: str) -> bool:
        if term.mechanism == "all":
            return True
        if term.network:
            network = ipaddress.ip_network(term.network)
            return network.version == self._sender.address.version and self._sender.address in network
        target = self._expanded(term.domain, domain) if term.domain else domain
        if term.mechanism == "include":
            return self._followed(self.check(target)) is Result.PASS
        if term.mechanism == "exists":
            return bool(self._void_counted(target, "A").records)
        if term.mechanism == "ptr":
            return any(_is_under(name, target) for name in self._validated())
        hosts = [target] if term.mechanism == "a" else self._mail_hosts(target)
        return any(self._is_at(host, term, count=term.mechanism == "a") for host in hosts)

    def _is_at(self, host: str, term: Term, *, count: bool) -> bool:
        version = self._sender.address.version
        kind, length = ("A", term.four) if version == 4 else ("AAAA", term.six)  # noqa: PLR2004 - IP version
        found = self._void_counted(host, kind) if count else self._look_up(host, kind)
        return any(_is_in(self._sender.address, record, length) for record in found.records)

    def _mail_hosts(self, target: str) -> list[str]:
        hosts = [record.split(" ")[-1] for record in self._void_counted(target, "MX").records]
        if len(hosts) > MOST_NAMES:
            raise SpfError("mx_too_many")
        return hosts

    def _validated(self) -> Iterator[str]:
        """The names of the sender's address that resolve back to it (section 5.5). A failure yields no names."""
        kind = "A" if self._sender.address.version == 4 else "AAAA"  # noqa: PLR2004 - IP version
        reverse = self._answers.get(self._sender.address.reverse_pointer, "PTR")
        if reverse is NOT_ASKED:
            raise UnansweredError
        for name in reverse.records[:MOST_NAMES]:
            there = self._answers.get(name, kind)
            if there is NOT_ASKED:
                raise UnansweredError
            if str(self._sender.address) in there.records:
                yield name

    def _expanded(self, spec: str, domain: str) -> str:
        return expand(spec, self._sender, domain, validated=self._validated)

    def _count(self) -> None:
        self._lookups += 1
        if self._lookups > MOST_LOOKUPS:
            raise SpfError("lookups_too_many")

    def _void_counted(self, name: str, kind: str) -> Lookup:
        found = self._look_up(name, kind)
        if not found.records:
            self._voids += 1
            if self._voids > MOST_VOID:
                raise SpfError("void_too_many")
        return found

    def _look_up(self, name: str, kind: str) -> Lookup:
        if not is_writable(name):
            return Lookup(outcome="nxdomain")
        found = self._answers.get(name, kind)
        if found.unknown:
            raise UnansweredError
        return found


def _unmapped(address: _Address) -> _Address:
    """An IPv4 address in IPv6 clothes is an IPv4 address (section 5)."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_in(address: _Address, record: str, length: int) -> bool:
    try:
        return address in ipaddress.ip_network(f"{record}/{length}", strict=False)
    except ValueError:  # no valid content of an address record
        return False


def only(records: list[str]) -> str:
    if len(records) > 1:
        raise SpfError("records_several")
    return records[0]


def _is_under(name: str, domain: str) -> bool:
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")
