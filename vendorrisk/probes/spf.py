"""SPF (RFC 7208): the record's grammar, `check_host`, and an audit of everything a record leads to.

Pure: DNS is a table of answers. `check_host` is the standard's function (section 4); `audit` walks every term
that some sender could reach, which is what a look from outside wants to know.
"""

import ipaddress
import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from vendorrisk.probes.answers import NOT_ASKED, Answers
from vendorrisk.probes.macros import Sender, expand, is_domain_spec, is_macro_string
from vendorrisk.probes.observation import Lookup, Raw

MOST_LOOKUPS = 10
MOST_VOID = 2
MOST_NAMES = 10  # MX or PTR names of one mechanism
_AUDITED = 40  # terms; far beyond what any receiver evaluates

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Result(StrEnum):
    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_OF_QUALIFIER = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}
_LOOKING_UP = frozenset({"include", "a", "mx", "ptr", "exists"})


class SpfError(Exception):
    """The record is not SPF, or leads to an error; `args[0]` is a slug."""


class _Unanswered(Exception):  # noqa: N818 - the standard's temperror
    pass


class Term(msgspec.Struct, frozen=True):
    """A directive. `domain` is an unexpanded domain-spec or empty; `four` and `six` are prefix lengths."""

    qualifier: str
    mechanism: str
    domain: str = ""
    network: str = ""
    four: int = 32
    six: int = 128


class Record(msgspec.Struct, frozen=True):
    terms: tuple[Term, ...]
    redirect: str = ""

    @property
    def reachable(self) -> tuple[Term, ...]:
        """The terms that come into play: `all` ends them (section 5.1)."""
        names = [term.mechanism for term in self.terms]
        return self.terms[: names.index("all")] if "all" in names else self.terms

    @property
    def all_qualifier(self) -> str:
        return next((term.qualifier for term in self.terms if term.mechanism == "all"), "")


# ── grammar (section 12)

_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"([-+~?])?([A-Za-z][A-Za-z0-9]*)(.*)", re.DOTALL)
_DUAL = re.compile(r"(?P<domain>.*?)(?:/(?P<four>0|[1-9]\d?))?(?://(?P<six>0|[1-9]\d{0,2}))?", re.DOTALL)
_PREFIX = re.compile(r"0|[1-9]\d{0,2}")


def is_record(text: str) -> bool:
    """Whether a TXT record is an SPF record at all (section 4.5)."""
    return re.match(r"v=spf1(?: |$)", text, re.IGNORECASE) is not None


def parse(text: str) -> Record:
    """Read a record that `is_record`; raises `SpfError` where the whole of it is not of the grammar."""
    if not text.isascii():
        raise SpfError("not_ascii")
    terms: list[Term] = []
    once: dict[str, str] = {}
    for word in filter(None, text.split(" ")[1:]):
        modifier = _MODIFIER.fullmatch(word)
        if modifier is None:
            terms.append(_directive(word))
        else:
            _modifier(modifier[1].lower(), modifier[2], once)
    return Record(tuple(terms), once.get("redirect", ""))


def _modifier(name: str, value: str, once: dict[str, str]) -> None:
    if name in {"redirect", "exp"}:
        if name in once or not is_domain_spec(value):
            raise SpfError("modifier_repeated" if name in once else "modifier_invalid")
        once[name] = value
    elif not is_macro_string(value):
        raise SpfError("modifier_invalid")


def _directive(word: str) -> Term:
    match = _DIRECTIVE.fullmatch(word)
    if match is None:
        raise SpfError("term_invalid")
    qualifier, name, rest = match[1] or "+", match[2].lower(), match[3]
    if name == "all" and not rest:
        return Term(qualifier, name)
    if name in {"ip4", "ip6"} and rest.startswith(":"):
        return Term(qualifier, name, network=_network(name, rest[1:]))
    if name in {"include", "exists"} and rest.startswith(":") and is_domain_spec(rest[1:]):
        return Term(qualifier, name, rest[1:])
    if name == "ptr" and (not rest or (rest.startswith(":") and is_domain_spec(rest[1:]))):
        return Term(qualifier, name, rest[1:])
    if name in {"a", "mx"}:
        return _with_lengths(qualifier, name, rest)
    known = name in {"all", "ip4", "ip6", "include", "exists", "ptr"}
    raise SpfError("argument_invalid" if known else "mechanism_unknown")


def _with_lengths(qualifier: str, name: str, rest: str) -> Term:
    match = _DUAL.fullmatch(rest)
    if match is None:
        raise SpfError("argument_invalid")
    given, four, six = match["domain"], int(match["four"] or 32), int(match["six"] or 128)
    if (given and not (given.startswith(":") and is_domain_spec(given[1:]))) or four > 32 or six > 128:  # noqa: PLR2004 - bits
        raise SpfError("argument_invalid")
    return Term(qualifier, name, given[1:], four=four, six=six)


def _network(name: str, text: str) -> str:
    address, slash, length = text.partition("/")
    if slash and not _PREFIX.fullmatch(length):
        raise SpfError("network_invalid")
    try:
        parsed = ipaddress.IPv4Address(address) if name == "ip4" else ipaddress.IPv6Address(address)
        return str(ipaddress.ip_network(f"{parsed}/{length or parsed.max_prefixlen}", strict=False))
    except ValueError:
        raise SpfError("network_invalid") from None


def select(found: Lookup) -> list[str]:
    """Return the SPF records among TXT records (section 4.5)."""
    return [text for text in found.records if is_record(text)]


# ── check_host (section 4)


def check_host(answers: Answers, address: str, domain: str, sender: str, helo: str) -> Result:
    """Judge one sender, as a receiver would. Questions not yet answered make it `temperror`."""
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
        if not _is_domain(domain):
            return Result.NONE
        try:
            records = select(self._look_up(domain, "TXT"))
            if not records:
                return Result.NONE
            return self._record(parse(_only(records)), domain)
        except SpfError:
            return Result.PERMERROR
        except _Unanswered:
            return Result.TEMPERROR

    def _record(self, record: Record, domain: str) -> Result:
        for term in record.terms:
            if term.mechanism in _LOOKING_UP:
                self._count()
            if self._matches(term, domain):
                return _OF_QUALIFIER[term.qualifier]
        if not record.redirect:
            return Result.NEUTRAL
        self._count()
        return self._followed(self.check(self._expanded(record.redirect, domain)))

    @staticmethod
    def _followed(result: Result) -> Result:
        """What redirect and include make of another record (sections 5.2 and 6.1)."""
        if result is Result.NONE:
            raise SpfError("record_missing")
        if result is Result.PERMERROR:
            raise SpfError("record_invalid")
        if result is Result.TEMPERROR:
            raise _Unanswered
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
        """The names of the sender's address that lead back to it (section 5.5); failures are just no names."""
        kind = "A" if self._sender.address.version == 4 else "AAAA"  # noqa: PLR2004 - IP version
        reverse = self._answers.get(self._sender.address.reverse_pointer, "PTR")
        if reverse is NOT_ASKED:
            raise _Unanswered
        for name in reverse.records[:MOST_NAMES]:
            there = self._answers.get(name, kind)
            if there is NOT_ASKED:
                raise _Unanswered
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
        if not _is_writable(name):
            return Lookup(outcome="nxdomain")
        found = self._answers.get(name, kind)
        if found.unseen:
            raise _Unanswered
        return found


def _unmapped(address: _Address) -> _Address:
    """An IPv4 address in IPv6 clothes is an IPv4 address (section 5)."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_in(address: _Address, record: str, length: int) -> bool:
    try:
        return address in ipaddress.ip_network(f"{record}/{length}", strict=False)
    except ValueError:  # not what an address record holds
        return False


def _only(records: list[str]) -> str:
    if len(records) > 1:
        raise SpfError("records_several")
    return records[0]


def _labels(name: str) -> list[str]:
    return name.removesuffix(".").split(".")


def _is_writable(name: str) -> bool:
    return len(name) <= 253 and all(0 < len(label) <= 63 for label in _labels(name))  # noqa: PLR2004 - RFC 1035


def _is_domain(name: str) -> bool:
    """Whether check_host takes the domain (section 4.3): several labels, each writable."""
    return _is_writable(name) and len(_labels(name)) > 1


def _is_under(name: str, domain: str) -> bool:
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")


# ── audit

SAMPLES = ("192.0.2.77", "198.51.100.77", "203.0.113.77")
"""Documentation addresses (RFC 5737): nobody sends from them, so a record that passes all lets anybody send."""


class Audit(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """What a domain's SPF leads to when no term matches before the end.

    `problem` is the first error a receiver can meet, `unseen` why the walk is not complete (then counts are a
    lower bound). `open_to_all` is True where senders from every documentation network pass.
    """

    records: int
    problem: str = ""
    where: str = ""
    lookups: int = 0
    voids: int = 0
    all_qualifier: str = ""
    open_to_all: bool = False
    unseen: str = ""
    text: str = ""


def audit(answers: Answers, domain: str) -> Audit:
    """Walk all that a record can lead to; questions not yet answered leave it `unseen`."""
    found = answers.get(domain, "TXT")
    if found.unseen:
        return Audit(records=0, unseen=found.unseen)
    records = select(found)
    if len(records) != 1:
        return Audit(records=len(records))
    walk = _Walk(answers)
    walk.record(records[0], domain, ())
    sender = f"postmaster@{domain}"
    results = [check_host(answers, address, domain, sender, domain) for address in SAMPLES]
    return Audit(
        records=1,
        problem=walk.problem,
        where=walk.where,
        lookups=walk.lookups,
        voids=walk.voids,
        all_qualifier=walk.all_qualifier,
        open_to_all=all(result is Result.PASS for result in results),
        unseen=walk.unseen,
        text=records[0],
    )


class _Walk:
    """Counts what a sender that matches nothing makes a receiver look up."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.problem = self.where = self.unseen = self.all_qualifier = ""
        self.lookups = self.voids = 0

    def record(self, text: str, domain: str, above: tuple[str, ...]) -> None:
        try:
            record = parse(text)
        except SpfError as error:
            self._fault(error.args[0], domain)
            return
        if not above:
            self.all_qualifier = record.all_qualifier
        for term in record.reachable:
            if term.mechanism in _LOOKING_UP and self._counted(domain):
                self._term(term, domain, (*above, domain))
        if record.redirect and not record.all_qualifier and self._counted(domain):
            self._redirect(record.redirect, domain, (*above, domain))

    def _counted(self, domain: str) -> bool:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            self._fault("lookups_too_many", domain)
        return self.lookups <= _AUDITED

    def _redirect(self, spec: str, domain: str, above: tuple[str, ...]) -> None:
        before = self.all_qualifier
        self._follow(spec, domain, above)
        if len(above) == 1 and "%" not in spec:
            records = select(self._answers.get(spec, "TXT"))
            self.all_qualifier = before or (_all_of(records[0]) if len(records) == 1 else "")

    def _term(self, term: Term, domain: str, above: tuple[str, ...]) -> None:
        if "%" in term.domain:
            return  # depends on the sender: counted, not looked up
        target = term.domain or domain
        if term.mechanism == "include":
            self._follow(target, domain, above)
        elif term.mechanism in {"a", "exists"}:
            self._void(target, ("A", "AAAA") if term.mechanism == "a" else ("A",))
        elif term.mechanism == "mx" and len(self._void(target, ("MX",))) > MOST_NAMES:
            self._fault("mx_too_many", domain)

    def _follow(self, target: str, domain: str, above: tuple[str, ...]) -> None:
        target = target.lower().rstrip(".")
        if "%" in target:
            return
        if target in above:
            self._fault("loop", domain)
            return
        found = self._look_up(target, "TXT")
        if found is None:
            return
        records = select(found)
        if not found.records:
            self._note_void(target)
        if len(records) == 1:
            self.record(records[0], target, above)
        else:
            self._fault("records_several" if records else "record_missing", target)

    def _void(self, target: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
        found = [self._look_up(target, kind) for kind in kinds]
        if None not in found and not any(one.records for one in found if one is not None):
            self._note_void(target)
        return tuple(record for one in found if one is not None for record in one.records)

    def _note_void(self, target: str) -> None:
        self.voids += 1
        if self.voids > MOST_VOID:
            self._fault("void_too_many", target)

    def _look_up(self, name: str, kind: str) -> Lookup | None:
        if not _is_writable(name):
            return Lookup(outcome="nxdomain")
        found = self._answers.get(name, kind)
        if found.unseen:
            self.unseen = self.unseen or found.unseen
            return None
        return found

    def _fault(self, problem: str, where: str) -> None:
        if not self.problem:
            self.problem, self.where = problem, where


def _all_of(text: str) -> str:
    try:
        return parse(text).all_qualifier
    except SpfError:
        return ""
