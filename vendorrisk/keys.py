"""The keyring: the operator's secret keys, keys derived from them, and small secrets sealed with them.

Sealed bytes, version 1, all lengths fixed but the last:

    b"VRS"  version  key id   salt     nonce    AES-256-GCM ciphertext and tag
    3       1        8        16       12       n + 16

The AES key is HKDF-SHA256 (RFC 5869) of the operator's key with the salt, so no key meets the limit of 2^32 random
nonces (NIST SP 800-38D, section 8.3). The header and the caller's context are authenticated, so a secret sealed for one
row does not open in another. The key id is itself derived, and reveals nothing about the key.

Rotation has two phases, because processes start one after the other. First append the new key in the setting of every
process: the first seals, all open. Only then move it to the front. `needs_reseal` finds values sealed by an older one.
When there are none, the older key may leave the setting.
"""

import os
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vendorrisk.setting_forms import Wrong, sealing_keys
from vendorrisk.settings import SettingError

_HOW: Final = "VENDORRISK_SECRET_KEYS takes base64 keys of 32 bytes or more, comma-separated (openssl rand -base64 32)"
_MAGIC: Final = b"VRS\x01"
_ID, _SALT, _NONCE, _TAG = 8, 16, 12, 16
_HEADER: Final = len(_MAGIC) + _ID + _SALT + _NONCE


class SealError(Exception):
    """Sealed bytes do not open: damaged, sealed for another context, or the key has left the setting."""


class UnknownKeyError(SealError):
    """Another process sealed this with a key that we do not hold. The bytes are whole: this is no damage."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"sealed with key {key_id}, which VENDORRISK_SECRET_KEYS of this process does not hold")
        self.key_id = key_id


class _Key(msgspec.Struct, frozen=True):
    id: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"<key {self.id.hex()}>"


class Keyring:
    """One or more secret keys. Prints only key ids."""

    def __init__(self, secrets: list[bytes]) -> None:
        if not secrets:
            raise SettingError(f"{_HOW}; none is set")
        keys = [_Key(_stretch(secret, b"", "key-id", _ID), secret) for secret in secrets]
        self._keys = {key.id: key for key in keys}
        if len(self._keys) != len(keys):
            raise SettingError(f"{_HOW}; one of them is there twice")
        self._first = keys[0]

    @classmethod
    def from_setting(cls, value: str) -> "Keyring":
        """Read the setting. Raises `SettingError`, which never repeats the value."""
        try:
            return cls(sealing_keys(value) if value.strip() else [])
        except Wrong as wrong:
            raise SettingError(f"{_HOW}; {wrong}") from None

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of the keys in hexadecimal, the one that seals first."""
        return tuple(identifier.hex() for identifier in self._keys)

    def __repr__(self) -> str:
        return f"<keyring {' '.join(identifier.hex() for identifier in self._keys)}>"

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose, derived from the first key. New values are made with them."""
        return _stretch(self._first.secret, b"", f"derive/{purpose}", 32)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """Return 32 bytes for one purpose from each key, the first key's first. Earlier values are checked with all."""
        return tuple(_stretch(key.secret, b"", f"derive/{purpose}", 32) for key in self._keys.values())

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Encrypt with the first key. `context` (not secret) must be given again to open."""
        header = _MAGIC + self._first.id + os.urandom(_SALT + _NONCE)
        return header + _cipher(self._first, header).encrypt(header[-_NONCE:], plaintext, header + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt with whichever key sealed. Raises `SealError`."""
        header = _header_of(sealed)
        key = self._keys.get(_id_in(header))
        if key is None:
            raise UnknownKeyError(_id_in(header).hex())
        try:
            return _cipher(key, header).decrypt(header[-_NONCE:], sealed[_HEADER:], header + context)
        except InvalidTag:
            raise SealError("the sealed bytes are damaged, or were sealed for something else") from None

    def needs_reseal(self, sealed: bytes) -> bool:
        """Return True if another key than the first sealed this. Raises `SealError` if nothing sealed it."""
        return _id_in(_header_of(sealed)) != self._first.id


def sealed_by(sealed: bytes) -> str:
    """Return the id of the key that sealed this, in hexadecimal. Raises `SealError` if nothing sealed it."""
    return _id_in(_header_of(sealed)).hex()


def _stretch(secret: bytes, salt: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, b"vendorrisk/1/" + purpose.encode()).derive(secret)


def _cipher(key: _Key, header: bytes) -> AESGCM:
    salt = header[len(_MAGIC) + _ID : -_NONCE]
    return AESGCM(_stretch(key.secret, salt, "seal", 32))


def _header_of(sealed: bytes) -> bytes:
    if len(sealed) < _HEADER + _TAG or not sealed.startswith(_MAGIC):
        raise SealError("these bytes were not sealed by this service")
    return sealed[:_HEADER]


def _id_in(header: bytes) -> bytes:
    return header[len(_MAGIC) : len(_MAGIC) + _ID]
