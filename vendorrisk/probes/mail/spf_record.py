"""The grammar of an SPF record (RFC 7208, section 12)."""

import ipaddress
import re
from enum import StrEnum

import msgspec

from vendorrisk.probes.mail.spf_macros import is_domain_spec, is_macro_string
from vendorrisk.probes.observation import Lookup


class Result(StrEnum):
    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


RESULT_OF_QUALIFIER = {"+": Result.PASS, "-": Result.FAIL, "~": Result.SOFTFAIL, "?": Result.NEUTRAL}
LOOKING_UP = frozenset({"include", "a", "mx", "ptr", "exists"})


class SpfError(Exception):
    """The record is not SPF, or leads to an error. `args[0]` is a slug."""


class Term(msgspec.Struct, frozen=True):
    """A directive. `domain` is an unexpanded domain-spec or empty. `four` and `six` are prefix lengths."""

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


_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"([-+~?])?([A-Za-z][A-Za-z0-9]*)(.*)", re.DOTALL)
_DUAL = re.compile(r"(?P<domain>.*?)(?:/(?P<four>0|[1-9]\d?))?(?://(?P<six>0|[1-9]\d{0,2}))?", re.DOTALL)
_PREFIX = re.compile(r"0|[1-9]\d{0,2}")


def is_record(text: str) -> bool:
    """Whether a TXT record is an SPF record at all (section 4.5)."""
    return re.match(r"v=spf1(?: |$)", text, re.IGNORECASE) is not None


def parse(text: str) -> Record:
    """Read a record that `is_record`. Raises `SpfError` if any part violates the grammar."""
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


def labels(name: str) -> list[str]:
    return name.removesuffix(".").split(".")


def is_writable(name: str) -> bool:
    return len(name) <= 253 and all(0 < len(label) <= 63 for label in labels(name))  # noqa: PLR2004 - RFC 1035


def is_domain(name: str) -> bool:
    """Whether check_host takes the domain (section 4.3): several labels, each writable."""
    return is_writable(name) and len(labels(name)) > 1
