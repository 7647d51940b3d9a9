"""A host in any spelling becomes the one spelling that we resolve, or is refused.

Mapping comes before every test (UTS-46), so that look-alike digits and dots cannot smuggle an address past them. A
valid result is a fully qualified name of letters, digits and hyphens (RFC 952, 1123), at least two labels, the last not
a number in any base that some resolver would read as part of an IPv4 address.
"""

import re

import idna

from vendorrisk.egress.reasons import EgressError, Reason

_MOST_CHARACTERS = 253  # RFC 1035, section 2.3.4, less the root's length byte and dot
_MOST_IN_LABEL = 63
_LABELS_OF_A_NAME = 2
_LDH = re.compile(r"[a-z0-9.-]*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

SPECIAL_TLDS = frozenset(
    {
        # RFC 6761 and its registry, RFC 7686, 9476
        *("alt", "arpa", "example", "invalid", "local", "localhost", "onion", "test"),
        # ICANN: reserved for private use, or never delegated because networks use them inside
        *("corp", "home", "internal", "intranet", "lan", "mail", "private", "workgroup", "localdomain"),
    }
)


def normalise_host(name: str, *, test_names: bool = False) -> str:
    """Return the lower-case ASCII name, without a final dot.

    `test_names` lets `.test` (RFC 6761) pass. Only the guard's test override sets it.
    """
    ascii_name = _to_ascii(name)
    labels = ascii_name.split(".")
    if any(not _is_label(label) for label in labels) and ascii_name:
        raise EgressError(Reason.HOST_BAD_LABEL, "a label is empty, too long, or begins or ends with a hyphen")
    if len(labels) < _LABELS_OF_A_NAME:
        raise EgressError(Reason.HOST_NOT_FQDN, "give a full name such as www.example.com")
    if _NUMBER.fullmatch(labels[-1]):
        raise EgressError(Reason.HOST_IS_IP, "give a name, not an address")
    if labels[-1] in SPECIAL_TLDS and not (test_names and labels[-1] == "test"):
        raise EgressError(Reason.HOST_SPECIAL_TLD, f".{labels[-1]} is not part of the public internet")
    return ascii_name


def _to_ascii(name: str) -> str:
    if len(name) > 4 * _MOST_CHARACTERS:
        raise EgressError(Reason.HOST_TOO_LONG, f"a host has at most {_MOST_CHARACTERS} characters")
    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
    except idna.IDNAError:
        raise EgressError(Reason.HOST_BAD_CHAR, "the host holds a character no host may hold") from None
    mapped = mapped.removesuffix(".")
    if any(c.isascii() and not _LDH.fullmatch(c) for c in mapped):
        raise EgressError(Reason.HOST_BAD_CHAR, "a host holds only letters, digits, hyphens and dots")
    ascii_name = ".".join(_label_to_ascii(label) for label in mapped.split("."))
    if len(ascii_name) > _MOST_CHARACTERS:
        raise EgressError(Reason.HOST_TOO_LONG, f"a host has at most {_MOST_CHARACTERS} characters")
    return ascii_name


def _label_to_ascii(label: str) -> str:
    """Encode one mapped label (RFC 5891). An `xn--` label must equal the encoding of its decoded form."""
    try:
        if not label.isascii():
            return idna.alabel(label).decode("ascii")
        if label.startswith("xn--"):
            return idna.alabel(idna.ulabel(label)).decode("ascii")
    except idna.IDNAError:
        raise EgressError(Reason.HOST_BAD_LABEL, "a label is not a valid international name") from None
    return label


def _is_label(label: str) -> bool:
    return 0 < len(label) <= _MOST_IN_LABEL and not label.startswith("-") and not label.endswith("-")
