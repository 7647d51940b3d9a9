"""SPF in our own words: the record's grammar, check_host, and the audit. The published suite is apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.probes.make import Zone
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.mail import spf, spf_audit
from vendorrisk.probes.mail.spf_record import Result
from vendorrisk.probes.observation import Lookup

D = "acme.test"


def check(record: str, address: str = "192.0.2.1", sender: str = f"joe@{D}", **more: list[str]) -> Result:
    zone = Zone({f"{D}/TXT": [record], **{k.replace("__", "/").replace("_D", D): v for k, v in more.items()}})
    return spf.check_host(zone, address, D, sender, "mx.acme.test")


@pytest.mark.parametrize(("record", "result"), [
    ("v=spf1 -all", "fail"), ("v=spf1 ~all", "softfail"), ("v=spf1 ?all", "neutral"), ("v=spf1 +all", "pass"),
    ("v=spf1", "neutral"), ("V=SPF1 -ALL", "fail"), ("v=spf10 -all", "none"), ("v=spf1-all", "none"),
    ("v=spf1 ip4:192.0.2.1 -all", "pass"), ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
    ("v=spf1 ip4:192.0.2.0/33 -all", "permerror"), ("v=spf1 ip4:192.0.2 -all", "permerror"),
    ("v=spf1 ip4:192.0.2.0/024 -all", "permerror"), ("v=spf1 ip6:2001:db8::/32 -all", "fail"),
    ("v=spf1 ip6:2001:db8::/129 -all", "permerror"), ("v=spf1 all:x -all", "permerror"),
    ("v=spf1 frobnicate -all", "permerror"), ("v=spf1 frob=nicate -all", "fail"), ("v=spf1 -all -all", "fail"),
    ("v=spf1 redirect=a.test redirect=b.test", "permerror"), ("v=spf1 include: -all", "permerror"),
    ("v=spf1 include:a..test -all", "permerror"), ("v=spf1 a:nodots -all", "permerror"),
    ("v=spf1 exists:%{q}.test -all", "permerror"), ("v=spf1 exists:%{c}.test -all", "permerror"),
    ("v=spf1 a/33 -all", "permerror"), ("v=spf1 a//129 -all", "permerror"), ("v=spf1 \u00e9 -all", "permerror"),
    ("v=spf1 include:missing.test -all", "permerror"),
])  # fmt: skip
def test_a_record_gives_the_result_the_standard_says(record: str, result: str) -> None:
    assert check(record).value == result


def test_mechanisms_look_up_what_they_name() -> None:
    assert check("v=spf1 a -all", _D__A=["192.0.2.1"]) is Result.PASS
    assert check("v=spf1 a:b.test/24 -all", **{"b.test__A": ["192.0.2.200"]}) is Result.PASS
    assert check("v=spf1 mx -all", _D__MX=["10 mx.test"], **{"mx.test__A": ["192.0.2.1"]}) is Result.PASS
    assert check("v=spf1 a -all", "2001:db8::1", _D__AAAA=["2001:db8::1"]) is Result.PASS
    assert check("v=spf1 exists:%{ir}.x.test -all", **{"1.2.0.192.x.test__A": ["127.0.0.2"]}) is Result.PASS
    assert check("v=spf1 exists:%{l}.x.test -all", **{"joe.x.test__A": ["127.0.0.2"]}) is Result.PASS


def test_an_address_in_ipv6_clothes_is_an_ipv4_address() -> None:
    assert check("v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1") is Result.PASS


def test_eleven_look_ups_are_one_too_many() -> None:
    hosts = {f"h{n}.test__A": ["198.51.100.1"] for n in range(11)}
    ten = " ".join(f"a:h{n}.test" for n in range(10))
    assert check(f"v=spf1 {ten} -all", **hosts) is Result.FAIL
    assert check(f"v=spf1 {ten} a:h10.test -all", **hosts) is Result.PERMERROR


def test_a_third_look_up_that_leads_nowhere_is_one_too_many() -> None:
    assert check("v=spf1 a:x.test a:y.test -all") is Result.FAIL
    assert check("v=spf1 a:x.test a:y.test a:z.test -all") is Result.PERMERROR


def test_a_failure_to_see_is_temperror_and_never_a_verdict() -> None:
    for outcome in ("timeout", "servfail", "refused", "malformed"):
        zone = Zone({}, {f"{D}/TXT": outcome})
        assert spf.check_host(zone, "192.0.2.1", D, f"a@{D}", D) is Result.TEMPERROR
        assert spf_audit.audit(zone, D) == spf_audit.Audit(records=0, unknown=f"dns_{outcome}")


def audit(
    record: str, records: dict[str, list[str]] | None = None, failing: dict[str, str] | None = None
) -> spf_audit.Audit:
    return spf_audit.audit(Zone({f"{D}/TXT": [record], **(records or {})}, failing), D)


def test_an_audit_counts_what_a_stranger_makes_a_receiver_look_up() -> None:
    found = audit(
        "v=spf1 include:b.test a mx -all",
        {"b.test/TXT": ["v=spf1 a:c.test -all"], "c.test/A": ["192.0.2.9"], f"{D}/A": ["192.0.2.8"],
         f"{D}/MX": ["10 m.test"], "m.test/A": ["192.0.2.7"]},
    )  # fmt: skip
    assert (found.lookups, found.voids, found.problem, found.all_qualifier) == (4, 0, "", "-")


@pytest.mark.parametrize(("record", "more", "problem"), [
    (f"v=spf1 include:{D} -all", {}, "loop"),
    ("v=spf1 include:b.test -all", {"b.test/TXT": [f"v=spf1 include:{D} -all"]}, "loop"),
    ("v=spf1 include:b.test -all", {"b.test/TXT": ["nothing"]}, "record_missing"),
    ("v=spf1 include:b.test -all", {"b.test/TXT": ["v=spf1 -all", "v=spf1 ~all"]}, "records_several"),
    ("v=spf1 include:b.test -all", {"b.test/TXT": ["v=spf1 bogus -all"]}, "mechanism_unknown"),
    ("v=spf1 a:x.test a:y.test a:z.test -all", {}, "void_too_many"),
    (f"v=spf1 {' '.join(f'exists:%{{i}}.h{n}.test' for n in range(11))} -all", {}, "lookups_too_many"),
])  # fmt: skip
def test_an_audit_names_the_first_error(record: str, more: dict[str, list[str]], problem: str) -> None:
    assert audit(record, more).problem == problem


def test_terms_after_all_do_not_count() -> None:
    assert audit("v=spf1 -all include:missing.test").problem == ""
    assert audit("v=spf1 -all redirect=missing.test").lookups == 0


def test_redirect_hands_on_what_happens_to_strangers() -> None:
    assert audit("v=spf1 redirect=b.test", {"b.test/TXT": ["v=spf1 ~all"]}).all_qualifier == "~"


@pytest.mark.parametrize(("record", "more"), [
    ("v=spf1 +all", {}), ("v=spf1 all", {}), ("v=spf1 ip4:0.0.0.0/0 -all", {}),
    ("v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", {}),
    ("v=spf1 include:b.test -all", {"b.test/TXT": ["v=spf1 +all"]}),
])  # fmt: skip
def test_a_record_that_lets_anyone_send_is_seen_however_it_is_written(record: str, more: dict[str, list[str]]) -> None:
    assert audit(record, more).open_to_all


def test_a_record_for_a_documentation_network_alone_is_not_open_to_all() -> None:
    assert not audit("v=spf1 ip4:192.0.2.0/24 -all").open_to_all


def test_a_part_that_cannot_be_seen_leaves_the_audit_unknown_but_not_empty() -> None:
    found = audit("v=spf1 include:b.test -all", failing={"b.test/TXT": "timeout"})
    assert (found.records, found.unknown, found.problem) == (1, "dns_timeout", "")


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fall(text: str) -> None:
    zone = Zone({f"{D}/TXT": [f"v=spf1 {text}"]})
    assert spf.check_host(zone, "192.0.2.1", D, f"a@{D}", D) in set(Result)
    assert spf_audit.audit(zone, D).records == 1


@given(st.lists(st.sampled_from(["include:b.test", "include:c.test", "a", "mx", "redirect=b.test", "-all", "ptr"])),
       st.lists(st.sampled_from(["include:c.test", "include:acme.test", "redirect=c.test", "~all"])))  # fmt: skip
def test_any_tangle_of_includes_ends(here: list[str], there: list[str]) -> None:
    zone = Zone({f"{D}/TXT": [f"v=spf1 {' '.join(here)}"], "b.test/TXT": [f"v=spf1 {' '.join(there)}"],
                 "c.test/TXT": ["v=spf1 include:b.test"]})  # fmt: skip
    spf_audit.audit(zone, D)
    assert len(zone.asked) < 1000


_PIECES = st.lists(
    st.sampled_from([
        "v=spf1 ", "include:a.test ", "include:%{d} ", "redirect=%{i}.x.test ", "a ", "mx ", "ptr ", "exists:%{s}.x ",
        "10 mx.test ", "192.0.2.1", "ip6:::1/0 ", "+all",
    ])
).map("".join)  # fmt: skip


@given(st.lists(_PIECES, min_size=1, max_size=4))
def test_answers_of_any_content_to_any_question_are_evaluated(texts: list[str]) -> None:
    class Anything(Answers):
        def get(self, name: str, kind: str) -> Lookup:
            self.missing[name, kind] = None
            assert len(self.missing) < 1000
            return Lookup(outcome="ok", records=(texts[len(name + kind) % len(texts)],))

    assert spf.check_host(Anything({}), "192.0.2.1", D, f"a@{D}", D) in set(Result)
    spf_audit.audit(Anything({}), D)


def test_an_empty_table_says_what_to_ask_first() -> None:
    answers = Answers({})
    assert spf_audit.audit(answers, D).unknown == "dns_not_asked"
    assert list(answers.missing) == [(D, "TXT")]
