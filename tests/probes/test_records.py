"""MTA-STS and TLS-RPT in our own words, beside checkdmarc's pure parsers as a second pair of eyes."""

from collections.abc import Callable

import pytest
from checkdmarc.mta_sts import parse_mta_sts_policy, parse_mta_sts_record
from checkdmarc.smtp_tls_reporting import parse_smtp_tls_reporting_record
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.probes.dns import dns_records

HEAD = "version: STSv1\nmode: enforce\n"
STS = (
    "v=STSv1; id=20160831085700Z;", "v=STSv1; id=1", "v=STSv1;id=1;", "v=STSv1", "v=STSv1; id=", "v=STSv1; id=a-b",
    "v=STSv1; id=" + "a" * 32, "v=STSv1; id=" + "a" * 33, "v=STSv2; id=1", "id=1; v=STSv1", "v=STSv1; id=1; x=y",
    "v=STSv1 ; id=1", "v=stsv1; id=1", "v=STSv1; id=1; id=2",
)  # fmt: skip
POLICIES = (
    f"{HEAD}mx: mail.example.com\nmax_age: 86400\n",
    f"{HEAD}mx: *.example.com\r\nmx: b.example\r\nmax_age: 604800\r\n",
    "version: STSv1\nmode: none\nmax_age: 0\n",
    "mode: enforce\nversion: STSv1\nmx: a.b\nmax_age: 1\n",
    f"{HEAD}max_age: 86400\n",
    "version: STSv1\nmode: strict\nmx: a.b\nmax_age: 1\n",
    "version: STSv2\nmode: none\nmax_age: 1\n",
    f"{HEAD}mx: a.b\nmax_age: -1\n",
    f"{HEAD}mx: a.b\nmax_age: x\n",
    f"{HEAD}mx: a.b\n",
    f"{HEAD}mx: a.b\nmax_age: 31557600\n",
    f"{HEAD}mx: a.b\nmax_age: 31557601\n",
    "version: STSv1\nmode: none\nmax_age: 1\nfoo: bar\n",
    "",
    "<html>",
    "version: STSv1",
    "version STSv1\nmode: none\nmax_age: 1\n",
    f"{HEAD}mx: a b\nmax_age: 1\n",
    f"{HEAD}mx: *\nmax_age: 1\n",
    f"{HEAD}mx: *.*.b\nmax_age: 1\n",
    f"{HEAD}mx:\nmax_age: 1\n",
    f"{HEAD}mx: a.b\nmx: a..b\nmax_age: 1\n",
    "version: STSv1\nmode: none\nmode: enforce\nmax_age: 1\n",
    "version:STSv1\nmode:none\nmax_age:1",
)
RPT = (
    "v=TLSRPTv1; rua=mailto:a@b.com",
    "v=TLSRPTv1;rua=https://r.example.com/v1/tlsrpt",
    "v=TLSRPTv1",
    "v=TLSRPTv1; rua=",
    "v=TLSRPTv1; rua=mailto:a@b.com,https://x.com/y",
    "v=TLSRPTv1; rua=ftp://x.com",
    "v=TLSRPTv1; rua=a@b.com",
    "v=TLSRPTv2; rua=mailto:a@b.com",
    "v=TLSRPTv1; rua=mailto:a@b.com; ruf=x",
    "v=TLSRPTv1; rua=mailto:a",
    "v=TLSRPTv1; rua=mailto:a@b.com,",
    "v=TLSRPTv1; rua=http://x.com/",
)
OTHERWISE = {"v=STSv1; id=1; id=2": "a tag that stands twice makes no tag list (RFC 6376, section 3.2)"}


def theirs(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except Exception:  # noqa: BLE001 - its parsers raise what they like
        return False
    return True


def announced(text: str, version: str, is_valid: Callable[[str], bool]) -> bool:
    return bool(dns_records.versioned((text,), version)) and is_valid(text)


@pytest.mark.parametrize("text", STS)
def test_our_mta_sts_records_and_checkdmarcs_agree(text: str) -> None:
    ours = announced(text, "STSv1", dns_records.is_mta_sts)
    assert (ours is theirs(parse_mta_sts_record, text)) is (text not in OTHERWISE)


@pytest.mark.parametrize("text", POLICIES)
def test_our_mta_sts_policies_and_checkdmarcs_agree(text: str) -> None:
    assert (dns_records.parse_mta_sts_policy(text) is not None) is theirs(parse_mta_sts_policy, text)


@pytest.mark.parametrize("text", RPT)
def test_our_tls_rpt_records_and_checkdmarcs_agree(text: str) -> None:
    assert announced(text, "TLSRPTv1", dns_records.is_tls_rpt) is theirs(parse_smtp_tls_reporting_record, text)


@given(st.text(max_size=80))
def test_no_text_makes_a_reader_fall(text: str) -> None:
    for read in (
        dns_records.is_mta_sts,
        dns_records.is_tls_rpt,
        dns_records.parse_mta_sts_policy,
        dns_records.parse_dkim,
        dns_records.is_usable_tlsa,
        dns_records.parse_caa,
    ):
        read(text)  # type: ignore[operator]  # each takes a text
