"""The keyring: what it takes, what it seals, and what it will not open."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.keys import Keyring, SealError
from vendorrisk.settings import SettingError

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(100, 140))).decode()
REFUSED = {
    "nothing": "",
    "only blanks": "  ",
    "an empty place": f"{OLD},",
    "not base64": f"{OLD},canary secret!",
    "a lone base64 digit": "A" * 45,
    "31 bytes": base64.b64encode(bytes(31)).decode(),
    "the same key twice": f"{OLD},{OLD}",
    "a lone surrogate": "\udc80" * 44,
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_setting_that_is_no_keyring_is_refused_without_being_repeated(case: str) -> None:
    with pytest.raises(SettingError) as refused:
        Keyring.from_setting(REFUSED[case])
    assert "VENDORRISK_SECRET_KEYS takes base64 keys of 32 bytes or more" in str(refused.value)
    assert "canary" not in str(refused.value)
    assert OLD not in str(refused.value)


def test_url_safe_and_unpadded_base64_and_blanks_name_the_same_key() -> None:
    secret = bytes([0xFB, 0xFF] * 16)
    plain = Keyring.from_setting(base64.b64encode(secret).decode())
    other = Keyring.from_setting(f" {base64.urlsafe_b64encode(secret).decode().rstrip('=')} ")
    assert other.derive("x") == plain.derive("x")


def test_what_is_printed_holds_no_key() -> None:
    ring = Keyring.from_setting(f"{OLD},{NEW}")
    secret = bytes(range(32))
    assert secret.hex() not in repr(ring)
    assert str(secret) not in repr(vars(ring))


def test_purposes_and_keys_give_different_bytes_and_the_first_key_comes_first() -> None:
    old, both = Keyring.from_setting(OLD), Keyring.from_setting(f"{NEW},{OLD}")
    assert len(old.derive("cursor")) == 32
    assert len({old.derive("cursor"), old.derive("session"), both.derive("cursor")}) == 3
    assert both.derive_all("cursor") == (both.derive("cursor"), old.derive("cursor"))


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_what_is_sealed_opens_with_the_same_context(plaintext: bytes, context: bytes) -> None:
    ring = Keyring.from_setting(OLD)
    sealed = ring.seal(plaintext, context)
    assert ring.open(sealed, context) == plaintext
    assert ring.seal(plaintext, context) != sealed


def test_another_context_does_not_open_it() -> None:
    ring = Keyring.from_setting(OLD)
    with pytest.raises(SealError, match="sealed for something else"):
        ring.open(ring.seal(b"secret", b"row 1"), b"row 2")


def test_every_single_damaged_byte_and_every_cut_is_noticed() -> None:
    ring = Keyring.from_setting(OLD)
    sealed = ring.seal(b"secret", b"row")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(SealError):
            ring.open(bytes(damaged), b"row")
        with pytest.raises(SealError):
            ring.open(sealed[:place], b"row")
    with pytest.raises(SealError):
        ring.open(sealed + b"\0", b"row")


def test_rotation_opens_the_old_seals_with_the_new_and_says_what_to_seal_again() -> None:
    old, both, new = (Keyring.from_setting(value) for value in (OLD, f"{NEW},{OLD}", NEW))
    sealed = old.seal(b"secret", b"row")
    assert not old.needs_reseal(sealed)
    assert both.needs_reseal(sealed)
    again = both.seal(both.open(sealed, b"row"), b"row")
    assert not both.needs_reseal(again)
    assert new.open(again, b"row") == b"secret"
    with pytest.raises(SealError, match="does not hold"):
        new.open(sealed, b"row")


def test_needs_reseal_refuses_what_was_never_sealed() -> None:
    with pytest.raises(SealError, match="not sealed by this service"):
        Keyring.from_setting(OLD).needs_reseal(b"VRS\x02" + bytes(100))
