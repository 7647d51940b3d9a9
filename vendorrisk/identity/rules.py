"""How a key is written and read, and which roles may be given."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import msgspec

from vendorrisk.access.model import Actor, permissions_of
from vendorrisk.access.permissions import Permission, Role
from vendorrisk.errors import Code, Refusal
from vendorrisk.identity.model import ApiKey

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(r"^vr_key_([0-9A-Za-z]{16})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})\Z")
_SECRET_BITS = 256
ADMIN_KEY_LASTS = timedelta(days=1)
"""How long a key must go on working to count as the one by which an admin gets in."""
_LATEST = datetime.max.replace(tzinfo=UTC)


class MadeKey(msgspec.Struct, frozen=True):
    text: str
    public_id: str
    secret_hash: bytes


def make_key(checksum_secret: bytes) -> MadeKey:
    """Return a new key `vr_key_<id>_<secret><checksum>`. Its text leaves the process once and is never stored."""
    public_id = _base62(secrets.randbits(95), 16)
    secret = _base62(secrets.randbits(_SECRET_BITS), 43)
    body = f"vr_key_{public_id}_{secret}"
    text = body + _checksum(body, checksum_secret)
    return MadeKey(text, public_id, hash_of(text))


def hash_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def public_id_of(text: str, checksum_secret: bytes) -> str | None:
    """Return the part that finds the key, or None where the text is no key of this installation.

    Neither a typing error nor an invented key reaches the table: the checksum takes the installation's secret.
    """
    match = _KEY.match(text)
    if match is None or not hmac.compare_digest(_checksum(text[:-6], checksum_secret), match[3]):
        return None
    return match[1]


def is_usable(expires_at: datetime | None, revoked_at: datetime | None, now: datetime) -> bool:
    return revoked_at is None and (expires_at is None or now < expires_at)


def successor_ends(old: ApiKey, now: datetime) -> datetime | None:
    """Return the expiry of a rotated key: the original lifetime, counted from now.

    None if the old key had no expiry.
    """
    if old.expires_at is None:
        return None
    return now + min(old.expires_at - old.created_at, _LATEST - now)


def check_grant(actor: Actor, roles: Iterable[Role], scopes: Iterable[Permission] | None) -> None:
    """Refuse to give permissions that the giver lacks."""
    missing = permissions_of(roles, scopes) - actor.permissions
    if missing:
        names = ", ".join(sorted(missing))
        raise Refusal(Code.PERMISSION_DENIED, f"You cannot give permissions that you do not hold: {names}.")


def check_within_member(
    roles: Iterable[Role], scopes: Iterable[Permission] | None, member_roles: Iterable[Role]
) -> None:
    """Refuse a key with permissions that its member lacks."""
    missing = permissions_of(roles, scopes) - permissions_of(member_roles, None)
    if missing:
        detail = f"The member does not hold: {', '.join(sorted(missing))}. Give the key roles or scopes of the member."
        raise Refusal(Code.KEY_EXCEEDS_MEMBER, detail, pointer="/roles")


def may_do_everything(key: ApiKey) -> bool:
    """Return True if the key gives all permissions, as long as it works and its member is an admin."""
    return Role.ADMIN in key.roles and key.scopes is None


def check_zone(name: str) -> None:
    if name not in available_timezones():
        raise Refusal(Code.TIME_ZONE_UNKNOWN, "Send an IANA time zone, such as Europe/Berlin.", pointer="/time_zone")


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def _checksum(body: str, checksum_secret: bytes) -> str:
    """Return 6 characters, some 35 bits."""
    digest = hmac.digest(checksum_secret, body.encode(), "sha256")
    return _base62(int.from_bytes(digest[:8]) % 62**6, 6)
