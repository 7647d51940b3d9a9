"""SPF macros (RFC 7208, section 7): the grammar of a domain-spec, and its expansion."""

import ipaddress
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

import msgspec

_EXPAND = r"%(?:[%_-]|\{[slodiphcrtvSLODIPHCRTV](?:[1-9]\d*)?[rR]?[.+,/_=-]*\})"
_MACRO_STRING = re.compile(rf"(?:{_EXPAND}|[!-$&-~])*")
# Possessive, so that a label of 60 KB is read once.
_ENDS_WELL = re.compile(
    rf"(?:.*(?:{_EXPAND})|.*\.(?:[0-9]*+[A-Za-z][A-Za-z0-9]*+|[A-Za-z0-9]+-[A-Za-z0-9-]*[A-Za-z0-9])\.?)",
    re.DOTALL,
)
_MACRO = re.compile(r"%(?:([%_-])|\{([A-Za-z])(\d*)([rR]?)([.+,/_=-]*)\})")
_ONLY_IN_EXP = frozenset("crt")
_LONGEST = 253
_MOST_DIGITS = 9  # far more than a name has parts, and few enough to be read as a number


class Sender(msgspec.Struct, frozen=True):
    """The sender that SPF checks. `domain` is that of the mail address."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    local: str
    domain: str
    helo: str


def is_macro_string(text: str) -> bool:
    return _MACRO_STRING.fullmatch(text) is not None


def is_domain_spec(text: str) -> bool:
    """Whether the text ends in a top label or a macro, and has no letter reserved for explanations (7.1, 7.2)."""
    letters = {match[2].lower() for match in _MACRO.finditer(text) if match[2]}
    return is_macro_string(text) and not letters & _ONLY_IN_EXP and _ENDS_WELL.fullmatch(text) is not None


def expand(spec: str, sender: Sender, domain: str, *, validated: Callable[[], Iterable[str]] = lambda: ()) -> str:
    """Return the expanded domain-spec for this sender. Labels beyond 253 characters are dropped on the left.

    `validated` yields the names of the sender's address, used only by the `p` macro.
    """

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return {"%": "%", "_": " ", "-": "%20"}[match[1]]
        return _transformed(match, sender, domain, validated)

    return _shortened(_MACRO.sub(one, spec))


def _transformed(match: re.Match[str], sender: Sender, domain: str, validated: Callable[[], Iterable[str]]) -> str:
    letter = match[2].lower()
    parts = re.split(f"[{re.escape(match[5] or '.')}]", _value(letter, sender, domain, validated))
    if match[4]:
        parts.reverse()
    if match[3]:
        parts = parts[-int(match[3][:_MOST_DIGITS]) :]
    text = ".".join(parts)
    return quote(text, safe="") if match[2].isupper() else text


def _value(letter: str, sender: Sender, domain: str, validated: Callable[[], Iterable[str]]) -> str:
    if letter == "i":
        return _dotted(sender.address)
    if letter == "p":
        return _best(list(validated()), domain)
    return {
        "s": f"{sender.local}@{sender.domain}",
        "l": sender.local,
        "o": sender.domain,
        "d": domain,
        "h": sender.helo,
        "v": "in-addr" if sender.address.version == 4 else "ip6",  # noqa: PLR2004 - IP version
    }[letter]


def _dotted(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if address.version == 4:  # noqa: PLR2004 - IP version
        return str(address)
    return ".".join(address.exploded.replace(":", ""))


def _best(names: list[str], domain: str) -> str:
    """Return the name that equals the domain, or one under it, or any (section 7.3)."""
    own = [n for n in names if n.lower() == domain.lower()]
    under = [n for n in names if n.lower().endswith(f".{domain.lower()}")]
    return next(iter([*own, *under, *names]), "unknown")


def _shortened(name: str) -> str:
    while len(name) > _LONGEST and "." in name:
        name = name.partition(".")[2]
    return name
