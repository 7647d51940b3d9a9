"""Who may take a place: no tenant and no host takes the last ones."""

from uuid import UUID

from vendorrisk.queues.places import Places


def tenants(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(1, count + 1)]


def filled(places: Places, who: list[UUID]) -> int:
    """Take all that the waiting tenants may have, again and again; returns how many were taken."""
    taken = 0
    while shares := places.shares(who):
        for tenant, share in shares:
            for _ in range(share):
                places.take(tenant, "host")
                taken += 1
    return taken


def test_a_tenant_alone_gets_half_and_others_that_come_later_still_find_places() -> None:
    places = Places(128, 128)
    assert filled(places, tenants(1)) == 64
    later = [filled(places, [tenant]) for tenant in tenants(7)[1:]]
    assert later == [32, 16, 8, 4, 2, 1], "each of them finds a place, and none took the last one"


def test_tenants_that_wait_together_get_the_same() -> None:
    shares = Places(128, 128).shares(tenants(64))
    assert {share for _, share in shares} == {1, 2}
    assert len(shares) == 64


def test_the_last_place_goes_to_a_tenant_that_has_none() -> None:
    places = Places(2, 2)
    one, other = tenants(2)
    places.take(one, "host")
    assert places.shares([one, other]) == [(other, 1)]
    places.take(other, "host")
    assert places.shares(tenants(3)) == []
    places.free(one, "host")
    assert places.shares([other, one]) == [(one, 1)]


def test_a_host_has_places_of_its_own() -> None:
    places = Places(8, 2)
    for tenant in tenants(2):
        places.take(tenant, "slow.example.com")
    assert not places.has_room("slow.example.com")
    assert places.has_room("fast.example.com")
    places.free(tenants(1)[0], "slow.example.com")
    assert places.has_room("slow.example.com")
