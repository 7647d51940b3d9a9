"""security.txt (RFC 9116): read line by line. A contact is stored as its kind and a hash, never in clear."""

import hashlib
import re
from datetime import UTC, datetime

from vendorrisk.probes.observation import Raw

_MOST_BYTES = 32 * 1024
_ONCE = ("expires", "preferred-languages")
_KNOWN = frozenset({
    "acknowledgments", "canonical", "contact", "csaf", "encryption", "expires", "hiring", "policy",
    "preferred-languages", "bug-bounty",
})  # fmt: skip
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(.*)")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


class SecurityTxt(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """`problems` are slugs of violations of the standard. `expires_at` is None if it is missing or unreadable."""

    contacts: tuple[str, ...] = ()
    expires_at: datetime | None = None
    canonical: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    signed: bool = False
    problems: tuple[str, ...] = ()


def parse(body: bytes) -> SecurityTxt:
    """Read a file of any content. Its errors are in `problems`."""
    problems: list[str] = []
    try:
        text = body[:_MOST_BYTES].decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return SecurityTxt(problems=("not_utf8",))
    text, signed = _unwrapped(text)
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = _FIELD.fullmatch(line.rstrip())
        if match is None:
            problems.append("line_malformed")
            continue
        values.setdefault(match[1].lower(), []).append(match[2].strip())
    contacts = [_contact(value) for value in values.get("contact", [])]
    problems += _faults(values, contacts)
    return SecurityTxt(
        contacts=tuple(sorted(c for c in contacts if c)),
        expires_at=_instant(values.get("expires", [""])[0]),
        canonical=tuple(sorted(values.get("canonical", []))),
        fields=tuple(sorted(name for name in values if name in _KNOWN)),
        signed=signed,
        problems=tuple(dict.fromkeys(problems)),
    )


def _unwrapped(text: str) -> tuple[str, bool]:
    """Extract the text of an OpenPGP cleartext signature (RFC 9580, section 7). The signature is not verified."""
    begin, end = "-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP SIGNATURE-----"
    if not text.startswith(begin) or end not in text:
        return text, False
    _, _, inside = text[len(begin) :].replace("\r\n", "\n").partition("\n\n")
    return inside.partition(end)[0].replace("\n- ", "\n"), True


def _faults(values: dict[str, list[str]], contacts: list[str]) -> list[str]:
    found = []
    if not values.get("contact"):
        found.append("contact_missing")
    elif not all(contacts):
        found.append("contact_invalid")
    if not values.get("expires"):
        found.append("expires_missing")
    elif len(values["expires"]) == 1 and _instant(values["expires"][0]) is None:
        found.append("expires_invalid")
    found += [f"{name}_repeated" for name in _ONCE if len(values.get(name, [])) > 1]
    return found


def _contact(value: str) -> str:
    """Return a contact's kind and hash, or an empty string for one that is not a URI the standard takes."""
    kind = value.partition(":")[0].lower()
    if kind not in {"mailto", "https", "tel"} or len(value) == len(kind) + 1:
        return ""
    return f"{kind}:{hashlib.blake2b(value.encode(), digest_size=8).hexdigest()}"


def _instant(value: str) -> datetime | None:
    if _RFC3339.fullmatch(value) is None:
        return None
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
