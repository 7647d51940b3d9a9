"""How a key is read, when it is usable, and what may be given."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.access.model import Actor, ActorKind, Tenant, permissions_of
from vendorrisk.access.permissions import Permission, Role
from vendorrisk.errors import Code, Refusal
from vendorrisk.identity import rules

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SECRET = b"of this installation, 32 bytes.."


def actor(*permissions: Permission) -> Actor:
    return Actor(ActorKind.API_KEY, UUID(int=1), "a key", Tenant(UUID(int=2), "UTC"), frozenset(permissions))


def test_a_key_is_found_by_its_public_part_and_no_two_are_alike() -> None:
    one, other = rules.make_key(SECRET), rules.make_key(SECRET)
    assert rules.public_id_of(one.text, SECRET) == one.public_id != other.public_id
    assert rules.hash_of(one.text) == one.secret_hash != other.secret_hash


@given(st.integers(0, 72), st.sampled_from("0aZ_~ é"))
def test_a_key_with_one_wrong_character_is_no_key(place: int, character: str) -> None:
    text = rules.make_key(SECRET).text
    wrong = text[:place] + character + text[place + 1 :]
    assert rules.public_id_of(wrong, SECRET) is None or wrong == text


@given(st.binary(min_size=32, max_size=32))
def test_a_key_of_another_installation_is_no_key_here(other: bytes) -> None:
    assert other == SECRET or rules.public_id_of(rules.make_key(other).text, SECRET) is None


@pytest.mark.parametrize("cut", [0, 1, 72, 73, 74])
def test_a_key_that_is_not_whole_is_no_key(cut: int) -> None:
    text = rules.make_key(SECRET).text
    assert len(text) == 73
    assert (rules.public_id_of(text[:cut] if cut < 74 else text + "0", SECRET) is None) is (cut != 73)


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "usable"),
    [
        (None, None, True),
        (NOW + SECOND, None, True),
        (NOW, None, False),
        (NOW - SECOND, None, False),
        (None, NOW, False),
        (None, NOW + SECOND, False),
        (NOW + SECOND, NOW - SECOND, False),
    ],
)
def test_a_key_works_until_the_instant_it_ends_and_never_once_revoked(
    expires_at: datetime | None, revoked_at: datetime | None, *, usable: bool
) -> None:
    assert rules.is_usable(expires_at, revoked_at, NOW) is usable


@given(st.sets(st.sampled_from(Role)), st.none() | st.sets(st.sampled_from(Permission)), st.data())
def test_whoever_gives_must_hold_it_all_and_no_more_is_asked(
    roles: set[Role], scopes: set[Permission] | None, data: st.DataObject
) -> None:
    given_ = permissions_of(roles, scopes)
    rules.check_grant(actor(*given_), roles, scopes)
    if given_:
        lacking = data.draw(st.sampled_from(sorted(given_)))
        with pytest.raises(Refusal) as refused:
            rules.check_grant(actor(*(frozenset(Permission) - {lacking})), roles, scopes)
        assert refused.value.code is Code.PERMISSION_DENIED
        assert lacking in refused.value.detail


def test_a_time_zone_is_one_of_the_worlds() -> None:
    rules.check_zone("Europe/Berlin")
    for unknown in ("Berlin", "", "europe/berlin"):
        with pytest.raises(Refusal) as refused:
            rules.check_zone(unknown)
        assert refused.value.code is Code.TIME_ZONE_UNKNOWN
