"""Small TXT and other records: tag lists, MTA-STS, TLS-RPT, BIMI, DKIM keys, CAA, TLSA."""

import base64
import binascii
import re

import msgspec

_MOST_TAGS = 64


class TagError(Exception):
    """The text is no tag list. `args[0]` is a slug."""


def tags(text: str) -> dict[str, str]:
    """Read `name=value; name=value` (RFC 6376, section 3.2). Names are case-sensitive and occur once."""
    found: dict[str, str] = {}
    for part in text.split(";")[:_MOST_TAGS]:
        if not part.strip():
            continue
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is None:
            raise TagError("tag_invalid")
        if name in found:
            raise TagError("tag_repeated")
        found[name] = value
    return found


def versioned(texts: tuple[str, ...], version: str) -> list[str]:
    """Return the TXT records with `v=version` as first tag, as in MTA-STS, TLS-RPT and BIMI."""
    return [text for text in texts if re.match(rf"v={re.escape(version)}[ \t]*(?:;|$)", text)]


def is_mta_sts(text: str) -> bool:
    """Whether the record names a policy (RFC 8461, section 3.1): an id of 1 to 32 letters and digits."""
    try:
        return re.fullmatch(r"[A-Za-z0-9]{1,32}", tags(text).get("id", "")) is not None
    except TagError:
        return False


def is_tls_rpt(text: str) -> bool:
    """Whether the record names a place for reports (RFC 8460, section 3): mailto or https."""
    try:
        places = [part.strip() for part in tags(text).get("rua", "").split(",")]
    except TagError:
        return False
    return bool(places) and all(re.match(r"(?:mailto:[^@]+@.|https://.)", place) for place in places)


_LONGEST_AGE = 31_557_600  # seconds; a year
_MX_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


class MtaStsPolicy(msgspec.Struct, frozen=True):
    mode: str
    max_age_seconds: int
    mx: tuple[str, ...]


def parse_mta_sts_policy(body: str) -> MtaStsPolicy | None:
    """Read a policy file (RFC 8461, section 3.2). None if it is not one. If a key is repeated, the first counts."""
    found: dict[str, str] = {}
    mx: list[str] = []
    for line in body.replace("\r\n", "\n").split("\n"):
        name, colon, value = (piece.strip(" \t") for piece in line.partition(":"))
        if not line.strip():
            continue
        if not colon:
            return None
        if name == "mx":
            mx.append(value.lower().rstrip("."))
        else:
            found.setdefault(name, value)
    mode, age = found.get("mode", ""), found.get("max_age", "")
    well = found.get("version") == "STSv1" and mode in {"enforce", "testing", "none"}
    if not well or re.fullmatch(r"[0-9]{1,10}", age) is None or int(age) > _LONGEST_AGE:
        return None
    if not all(_MX_PATTERN.fullmatch(pattern) for pattern in mx) or (mode != "none" and not mx):
        return None
    return MtaStsPolicy(mode, int(age), tuple(mx))


def mx_allowed(host: str, patterns: tuple[str, ...]) -> bool:
    """Return True if an MX host fits a policy's patterns: a wildcard matches one whole leftmost label."""
    host = host.lower().rstrip(".")
    return any(host == p or (p.startswith("*.") and host.partition(".")[2] == p[2:]) for p in patterns)


class DkimKey(msgspec.Struct, frozen=True):
    """`bits` is 0 for a key that is not RSA."""

    kind: str
    bits: int = 0


def parse_dkim(text: str) -> DkimKey | None:
    """Read a DKIM key record (RFC 6376, section 3.6.1). None if it is missing, revoked or unreadable."""
    try:
        found = tags(text)
    except TagError:
        return None
    if found.get("v", "DKIM1") != "DKIM1" or not found.get("p"):
        return None
    kind = found.get("k", "rsa")
    if kind != "rsa":
        return DkimKey(kind)
    try:
        bits = rsa_bits(base64.b64decode(re.sub(r"\s", "", found["p"]), validate=True))
    except (ValueError, IndexError, binascii.Error):
        return None
    return DkimKey("rsa", bits)


def rsa_bits(der: bytes) -> int:
    """Return the modulus' length of an RSA key, as SubjectPublicKeyInfo or bare (RFC 6376, section 3.6.1).

    It is parsed by our own code, because libraries now refuse to load the weak keys that this must find. Raises
    `ValueError` or `IndexError` for other input.
    """
    outer = _der(der, 0x30)
    inner = outer
    if outer[:1] == b"\x30":
        algorithm = _der(outer, 0x30)
        bits = _der(outer[len(algorithm) + 2 :], 0x03)
        inner = _der(bits[1:], 0x30)
    return int.from_bytes(_der(inner, 0x02)).bit_length()


def _der(encoded: bytes, tag: int) -> bytes:
    """Return the content of the first DER element, which must have the tag."""
    if encoded[0] != tag:
        raise ValueError(f"tag {encoded[0]:#x} where {tag:#x} was due")
    length, start = encoded[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(encoded[2:start])
    if start + length > len(encoded):
        raise ValueError("cut")
    return encoded[start : start + length]


_TLSA_LENGTH = {"1": 64, "2": 128}
_DANE_USAGES = frozenset({"2", "3"})


def is_usable_tlsa(text: str) -> bool:
    """Whether a TLSA record can be used for mail (RFC 7672, section 3.1): DANE-TA or DANE-EE, whole data."""
    parts = text.split(" ", 3)
    if len(parts) != 4 or parts[0] not in _DANE_USAGES or parts[1] not in {"0", "1"}:  # noqa: PLR2004 - fields
        return False
    digest = parts[3].replace(" ", "")
    if parts[2] == "0":
        return bool(digest)
    return len(digest) == _TLSA_LENGTH.get(parts[2], -1)


_CAA_TAGS = frozenset({"issue", "issuewild", "issuemail", "issuevmc", "iodef", "contactemail", "contactphone"})


class Caa(msgspec.Struct, frozen=True):
    critical: bool
    tag: str
    value: str


def parse_caa(text: str) -> Caa | None:
    """Read a CAA record in presentation form (RFC 8659, section 4.1)."""
    match = re.fullmatch(r'(\d{1,3}) ([A-Za-z0-9]+) "?([^"]*)"?', text)
    return Caa(bool(int(match[1]) & 128), match[2].lower(), match[3].strip()) if match else None


def limits_issue(records: tuple[str, ...]) -> bool:
    """Return True if CAA records limit the issuers: `iodef`, `issuewild` and the like alone do not (RFC 8659, 4.2).

    A critical property that no CA knows forbids all of them (section 4.1).
    """
    parsed = [parse_caa(text) for text in records]
    return any(c is not None and (c.tag == "issue" or (c.critical and c.tag not in _CAA_TAGS)) for c in parsed)


def issuers(records: tuple[str, ...]) -> tuple[str, ...]:
    """Return the CAs that CAA records admit, by their domain."""
    parsed = [parse_caa(text) for text in records]
    named = {c.value.partition(";")[0].strip().lower() for c in parsed if c and c.tag in {"issue", "issuewild"}}
    return tuple(sorted(named - {""}))
