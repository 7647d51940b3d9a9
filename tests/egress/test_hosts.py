"""Every host of the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.egress.hosts import normalise_host
from vendorrisk.egress.reasons import EgressError, Reason

REFUSED = {
    "": Reason.HOST_NOT_FQDN,
    "localhost": Reason.HOST_NOT_FQDN,
    "localhost.": Reason.HOST_NOT_FQDN,
    "127.0.0.1": Reason.HOST_IS_IP,
    "127.1": Reason.HOST_IS_IP,
    "2130706433": Reason.HOST_NOT_FQDN,
    "0x7f000001": Reason.HOST_NOT_FQDN,
    "0x7f.1": Reason.HOST_IS_IP,
    "017700000001": Reason.HOST_NOT_FQDN,
    "0177.0.0.1": Reason.HOST_IS_IP,
    "[::1]": Reason.HOST_BAD_CHAR,
    "::1": Reason.HOST_BAD_CHAR,
    "a.b:80": Reason.HOST_BAD_CHAR,
    "user@host.com": Reason.HOST_BAD_CHAR,
    "ex ample.com": Reason.HOST_BAD_CHAR,
    "ex\tample.com": Reason.HOST_BAD_CHAR,
    "ex\0ample.com": Reason.HOST_BAD_CHAR,
    "ex\r\nample.com": Reason.HOST_BAD_CHAR,
    "http://x.com": Reason.HOST_BAD_CHAR,
    "x.com/": Reason.HOST_BAD_CHAR,
    "x.com?y": Reason.HOST_BAD_CHAR,
    "x.com#y": Reason.HOST_BAD_CHAR,
    "x..com": Reason.HOST_BAD_LABEL,
    ".x.com": Reason.HOST_BAD_LABEL,
    "-x.com": Reason.HOST_BAD_LABEL,
    "x-.com": Reason.HOST_BAD_LABEL,
    "a" * 64 + ".com": Reason.HOST_BAD_LABEL,
    ".".join(["abcdefgh"] * 29) + ".com": Reason.HOST_TOO_LONG,
    "foo.local": Reason.HOST_SPECIAL_TLD,
    "foo.internal": Reason.HOST_SPECIAL_TLD,
    "metadata.google.internal": Reason.HOST_SPECIAL_TLD,
    "foo.localhost": Reason.HOST_SPECIAL_TLD,
    "1.0.0.127.in-addr.arpa": Reason.HOST_SPECIAL_TLD,
    "x.onion": Reason.HOST_SPECIAL_TLD,
    "com": Reason.HOST_NOT_FQDN,
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11": Reason.HOST_IS_IP,
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460": Reason.HOST_IS_IP,
    "127\u30020\u30020\u30021": Reason.HOST_IS_IP,
    "foo.0x10": Reason.HOST_IS_IP,
    "foo.123": Reason.HOST_IS_IP,
    "x.com%00.y.com": Reason.HOST_BAD_CHAR,
    "*.x.com": Reason.HOST_BAD_CHAR,
    "_dmarc.x.com": Reason.HOST_BAD_CHAR,
    "xn--.com": Reason.HOST_BAD_LABEL,
}
NORMALISED = {
    "Example.COM": "example.com",
    "example.com.": "example.com",
    "m\u00fcnchen.de": "xn--mnchen-3ya.de",
    "\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com": "example.com",
    "\u98df\u72ee.\u4e2d\u56fd": "xn--85x722f.xn--fiqs8s",
}


def test_the_list_is_whole() -> None:
    assert len(REFUSED) == 44


@pytest.mark.parametrize("host", REFUSED)
def test_a_host_that_is_no_public_name_is_refused_with_its_reason(host: str) -> None:
    with pytest.raises(EgressError) as refused:
        normalise_host(host)
    assert refused.value.reason is REFUSED[host]


@pytest.mark.parametrize("host", NORMALISED)
def test_a_name_has_one_spelling(host: str) -> None:
    assert normalise_host(host) == NORMALISED[host]


def test_a_test_name_is_refused_outside_tests() -> None:
    with pytest.raises(EgressError, match="host_special_tld"):
        normalise_host("www.example.test")
    assert normalise_host("www.example.test", test_names=True) == "www.example.test"


def test_an_overlong_text_is_refused_before_it_is_mapped() -> None:
    with pytest.raises(EgressError, match="host_too_long"):
        normalise_host("\u00fc" * 1_000_000)


@given(st.text(max_size=80))
def test_any_text_is_refused_or_becomes_a_name_that_stays_as_it_is(text: str) -> None:
    try:
        host = normalise_host(text)
    except EgressError:
        return
    assert host.isascii()
    assert normalise_host(host) == host
