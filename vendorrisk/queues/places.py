"""Who may take the places that are free: no tenant and no host can take the last ones. Pure."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID


class Places:
    """The places of one run, and who holds them.

    A tenant holds at most `portion` times as many places as stay free. With 1, a tenant alone gets half, and a tenant
    that comes later still finds a place, however many others wait for servers that never respond.
    """

    def __init__(self, places: int, of_a_host: int, portion: int = 1) -> None:
        self._places, self._of_a_host, self._portion = places, of_a_host, portion
        self._tenants: Counter[UUID] = Counter()
        self._hosts: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._tenants.total()

    def shares(self, tenants: Sequence[UUID]) -> list[tuple[UUID, int]]:
        """Return how many places each of the waiting tenants may take now, in their order."""
        free, shares = self._places - self.taken, list[tuple[UUID, int]]()
        # Two at least: a tenant with one thing that is due is then known to have no more, and is not asked again.
        fair = max(2, free // max(1, len(tenants)))
        for tenant in tenants:
            held = self._tenants[tenant]
            allowed = (self._portion * free - held) // (1 + self._portion)
            share = min(fair, max(allowed, 1 if free and not held else 0))
            if share > 0:
                shares.append((tenant, share))
                free -= share
        return shares

    def has_room(self, host: str) -> bool:
        """Return True if one more thing may be under way to a host."""
        return self._hosts[host] < self._of_a_host

    def take(self, tenant: UUID, host: str) -> None:
        self._tenants[tenant] += 1
        self._hosts[host] += 1

    def free(self, tenant: UUID, host: str) -> None:
        self._tenants[tenant] -= 1
        self._hosts[host] -= 1
