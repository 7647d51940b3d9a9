"""Every address of the specification, by our own table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.egress.addresses import is_public

DENIED = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.9 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.1.1
192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255 168.63.129.16 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::7f00:1 64:ff9b:1:a00:0:100:: 100::1 100:0:0:1::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:c0a8:1::1
2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254 fd7a:115c:a1e0::1 fe80::1 febf:ffff::1
fec0::1 ff02::1 ff0e::1 4000::1 64:ff9c::1 2620:4f:8000::1 fe80::1%eth0
""".split()  # noqa: SIM905 - a table that is compared with the specification by eye
ALLOWED = """
8.8.8.8 1.1.1.1 100.63.255.254 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 198.17.255.255 198.20.0.1
223.255.255.255 2606:4700:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 2001:200::1 2620:4f:8001::1
""".split()  # noqa: SIM905 - a table that is compared with the specification by eye


def test_the_lists_are_whole() -> None:
    assert (len(DENIED), len(ALLOWED)) == (64, 15)


@pytest.mark.parametrize("address", DENIED)
def test_an_address_that_is_not_the_public_internet_is_denied(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ALLOWED)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_public(address)


def test_a_scope_denies_even_a_public_address() -> None:
    assert not is_public("2606:4700:4700::1111%eth0")


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_passes_by_being_written_as_ipv6(address: object) -> None:
    assert not is_public(f"::ffff:{address}")
    assert not is_public(f"::{address}")
    assert not is_public(f"64:ff9b::{address}")


@given(st.ip_addresses(v=4))
def test_what_the_standard_library_calls_private_is_denied(address: object) -> None:
    if address.is_private or address.is_multicast or address.is_reserved:  # type: ignore[attr-defined]  # drawn
        assert not is_public(str(address))
