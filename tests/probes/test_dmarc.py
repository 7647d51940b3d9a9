"""DMARC: the record, the tree walk of RFC 9989, and consent to foreign reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probes.make import Zone
from vendorrisk.probes.mail import dmarc
from vendorrisk.probes.mail.dmarc import DmarcError, discover, parse, walked_names


@pytest.mark.parametrize(("text", "meant"), [
    ("v=DMARC1", True), ("v=DMARC1;p=none", True), ("v = DMARC1 ; p=none", True), ("v=DMARC1 p=none", False),
    ("v=dmarc1; p=none", False), ("p=none; v=DMARC1", False), ("v=DMARC12; p=none", False), ("v=spf1 -all", False),
])  # fmt: skip
def test_a_record_is_known_by_its_first_tag(text: str, meant: bool) -> None:  # noqa: FBT001 - a table
    assert dmarc.is_record(text) is meant


def test_a_missing_policy_is_none() -> None:
    assert parse("v=DMARC1; rua=mailto:a@acme.test").policy == "none"


@pytest.mark.parametrize(("text", "slug"), [
    ("v=DMARC1; p=rejct", "p_invalid"), ("v=DMARC1; p=reject; sp=no", "sp_invalid"),
    ("v=DMARC1; p=none; np=x", "np_invalid"), ("v=DMARC1; p=none; p=reject", "tag_repeated"),
    ("v=DMARC1; reject", "tag_invalid"),
])  # fmt: skip
def test_a_broken_record_is_an_error(text: str, slug: str) -> None:
    with pytest.raises(DmarcError, match=slug):
        parse(text)


def test_the_tags_of_both_generations_are_read() -> None:
    found = parse("v=DMARC1; p=Quarantine; sp=reject; np=none; t=y; pct=40; psd=n; rua=mailto:a@b.test!10m, x:y")
    assert (found.policy, found.subdomains, found.missing) == ("quarantine", "reject", "none")
    assert (found.testing, found.percent, found.psd, found.receivers) == (True, 40, "n", ("b.test",))


def test_the_walk_asks_eight_names_at_most() -> None:
    assert walked_names("acme.test") == ("acme.test", "test")
    deep = walked_names("a.b.c.d.e.f.g.h.i.j.mail.acme.test")
    assert deep[:2] == ("a.b.c.d.e.f.g.h.i.j.mail.acme.test", "g.h.i.j.mail.acme.test")
    assert len(deep) == 8


def zone(**records: str) -> Zone:
    return Zone({f"_dmarc.{name.replace('_', '.')}/TXT": [text] for name, text in records.items()})


def test_a_domains_own_record_wins() -> None:
    found = discover(zone(a_acme_test="v=DMARC1; p=none", acme_test="v=DMARC1; p=reject"), "a.acme.test")
    assert (found.at, found.policy.policy if found.policy else "") == ("a.acme.test", "none")


def test_without_one_the_record_of_the_shortest_name_counts() -> None:
    found = discover(zone(b_acme_test="v=DMARC1; p=none", acme_test="v=DMARC1; p=reject"), "a.b.acme.test")
    assert found.at == "acme.test"


def test_psd_no_ends_the_walk() -> None:
    found = discover(zone(b_acme_test="v=DMARC1; p=none; psd=n", acme_test="v=DMARC1; p=reject"), "a.b.acme.test")
    assert found.at == "b.acme.test"


def test_a_public_suffix_that_says_so_counts_only_where_the_domain_below_it_is_silent() -> None:
    suffix = {"gov_test": "v=DMARC1; p=reject; psd=y"}
    own = {"acme_gov_test": "v=DMARC1; p=quarantine"}
    middle = {"b_acme_gov_test": "v=DMARC1; p=none"}
    assert discover(zone(**suffix, **own), "a.b.acme.gov.test").at == "acme.gov.test"
    assert discover(zone(**suffix, **own, **middle), "a.b.acme.gov.test").at == "acme.gov.test"
    assert discover(zone(**suffix, **middle), "a.b.acme.gov.test").at == "gov.test"
    assert discover(zone(**suffix), "acme.gov.test").at == "gov.test"
    above = {"test": "v=DMARC1; p=none"}
    assert discover(zone(**suffix, **above), "acme.gov.test").at == "gov.test", "the walk ends there"


def test_several_records_at_the_domain_are_a_problem_and_above_it_are_none() -> None:
    several = Zone({"_dmarc.acme.test/TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})
    assert discover(several, "acme.test").problem == "records_several"
    assert discover(several, "a.acme.test").policy is None


def test_a_wildcard_that_answers_with_other_text_is_no_record() -> None:
    assert discover(Zone({"_dmarc.acme.test/TXT": ["v=spf1 -all"]}), "acme.test") == dmarc.Discovery()


def test_a_failure_to_see_is_not_a_missing_record() -> None:
    assert discover(Zone({}, {"_dmarc.acme.test/TXT": "servfail"}), "acme.test").unknown == "dns_servfail"
    assert discover(Zone({}, {"_dmarc.test/TXT": "timeout"}), "acme.test").unknown == "dns_timeout"


def test_only_receivers_of_other_registrations_must_agree() -> None:
    policy = parse("v=DMARC1; p=none; rua=mailto:a@mail.acme.com,mailto:b@other.com")
    assert dmarc.foreign_receivers(policy, "acme.com") == ("other.com",)
    assert dmarc.consent_name("acme.com", "other.com") == "acme.com._report._dmarc.other.com"


@given(st.text(max_size=120))
def test_no_text_makes_the_reader_fall(text: str) -> None:
    found = discover(Zone({"_dmarc.acme.test/TXT": [f"v=DMARC1;{text}"]}), "acme.test")
    assert found.problem or found.policy is not None
