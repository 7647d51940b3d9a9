"""The address a request comes from, believing only proxies that the operator named."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from vendorrisk.settings import Settings


@lru_cache(maxsize=8)
def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def client_address(scope: Any, headers: dict[str, str], settings: Settings) -> str:
    """Return the peer, or behind named proxies the last address of X-Forwarded-For that is not one of them."""
    client: str = (scope.get("client") or ("unknown", 0))[0]
    proxies = _networks(settings.trusted_proxies)
    for claimed in reversed(headers.get("x-forwarded-for", "").split(",")):
        if not _inside(client, proxies) or not _is_address(claimed.strip()):
            return client
        client = claimed.strip()
    return client


def network_of(address: str) -> str:
    """Return the network whose addresses one caller holds: of IPv6 the /64, of IPv4 the address itself."""
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed.packed[:8] + bytes(8), 64)))


def _inside(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
