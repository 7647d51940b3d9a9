"""The addresses of the public internet: our own table, not the standard library's.

`ipaddress.is_global` is wrong for this purpose: it counts multicast, NAT64, 6to4, the metadata addresses of two clouds
and several IANA special-purpose blocks as global, and its answer changed between patch releases (CVE-2024-4032). The
IPv4 list names denied blocks. The IPv6 list names allowed blocks, because most of IPv6 is unallocated. Sources: the
IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and updates).
"""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

_DENIED_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's wire server, though the block is public
        "169.254.0.0/16",  # link-local, metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_ALLOWED_6 = IPv6Network("2000::/3")  # the only block handed out as global unicast
_DENIED_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID, …
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """Return True if a literal address may be dialled.

    Scoped and IPv4-mapped IPv6 addresses are always denied. Raises `ValueError` if the text is not an address.
    """
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None or parsed not in _ALLOWED_6:
            return False
        return not any(parsed in network for network in _DENIED_6)
    return not any(parsed in network for network in _DENIED_4)
