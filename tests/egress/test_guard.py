"""Names, answers, and what the guard makes of them."""

import pytest

from tests.egress.make import World, world
from vendorrisk.egress.guard import Guard, LoopbackOverride, guard_from, parse_ports
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.resolver import Outcome, Resolver, parse_servers
from vendorrisk.lab.dns import Behaviour, dns_fake
from vendorrisk.settings import SettingError, Settings

pytestmark = pytest.mark.anyio

NAME = "www.example.com"
PRIVATE = {
    "the metadata address": {(NAME, "A"): ["169.254.169.254"]},
    "a private one among public ones": {(NAME, "A"): ["8.8.8.8", "10.0.0.5"]},
    "a private IPv6 beside a public IPv4": {(NAME, "A"): ["8.8.8.8"], (NAME, "AAAA"): ["fd00::1"]},
    "an IPv4-mapped address": {(NAME, "AAAA"): ["::ffff:7f00:1"]},
    "an alias of a private name": {(NAME, "CNAME"): ["in.example.net"], ("in.example.net", "A"): ["192.168.1.1"]},
    "loopback, without the override": {(NAME, "A"): ["127.0.0.1"]},
}
UNANSWERED = {
    "no such name": ({}, Reason.DNS_NXDOMAIN),
    "no address": ({(NAME, "TXT"): ['"x"']}, Reason.DNS_NODATA),
    "server failure": ({(NAME, "A"): Behaviour.SERVFAIL}, Reason.DNS_SERVFAIL),
    "server refusal": ({(NAME, "A"): Behaviour.REFUSED}, Reason.DNS_REFUSED),
    "silence": ({(NAME, "A"): Behaviour.DROP}, Reason.DNS_TIMEOUT),
    "half an answer": ({(NAME, "A"): ["8.8.8.8"], (NAME, "AAAA"): Behaviour.SERVFAIL}, Reason.DNS_SERVFAIL),
}


@pytest.mark.parametrize("case", PRIVATE)
async def test_one_private_address_refuses_the_host(case: str) -> None:
    async with dns_fake(PRIVATE[case]) as names:
        with pytest.raises(EgressError) as refused:
            await Guard(Resolver([names.address])).resolve(NAME)
    assert refused.value.reason is Reason.ADDRESS


@pytest.mark.parametrize("case", UNANSWERED)
async def test_each_way_of_not_knowing_has_its_own_reason(case: str) -> None:
    zone, reason = UNANSWERED[case]
    async with dns_fake(zone) as names:
        resolver = Resolver([names.address], try_seconds=0.1, lifetime_seconds=0.25)
        with pytest.raises(EgressError) as refused:
            await Guard(resolver).resolve(NAME)
    assert refused.value.reason is reason


async def test_without_any_name_server_nothing_is_reached() -> None:
    with pytest.raises(EgressError, match="dns_malformed"):
        await Guard(Resolver([])).resolve(NAME)


async def test_public_addresses_of_both_families_pass_with_ipv4_first() -> None:
    zone = {(NAME, "A"): ["8.8.8.8"], (NAME, "AAAA"): ["2606:4700:4700::1111"]}
    async with dns_fake(zone) as names:
        vetted = await Guard(Resolver([names.address])).resolve("WWW.Example.com.")
    assert vetted.host == NAME
    assert vetted.addresses == ("8.8.8.8", "2606:4700:4700::1111")
    assert sorted(names.questions) == [(NAME, "A"), (NAME, "AAAA")]


async def test_a_truncated_answer_is_asked_again_over_tcp() -> None:
    zone = {(NAME, "TXT"): [f'"{"x" * 200}{n}"' for n in range(20)]}
    async with dns_fake(zone) as names:
        answer = await Resolver([names.address]).ask(NAME, "TXT")
    assert answer.outcome is Outcome.OK
    assert len(answer.records) == 20
    assert names.over_tcp == [(NAME, "TXT")]


@pytest.mark.parametrize("authenticated", [True, False])
async def test_the_resolvers_word_on_dnssec_is_handed_on(authenticated: bool) -> None:  # noqa: FBT001 - a case
    async with dns_fake({(NAME, "A"): ["8.8.8.8"]}, authenticated=authenticated) as names:
        resolver = Resolver([names.address])
        for name, kind in ((NAME, "A"), (NAME, "MX"), ("gone.example.com", "A")):
            assert (await resolver.ask(name, kind)).authenticated is authenticated


async def test_the_records_at_the_end_of_an_alias_are_told() -> None:
    zone = {(NAME, "CNAME"): ["edge.example.net"], ("edge.example.net", "A"): ["8.8.8.8"]}
    async with dns_fake(zone) as names:
        answer = await Resolver([names.address]).ask(NAME, "A")
    assert answer.texts() == ("8.8.8.8",)


async def test_a_garbled_answer_or_an_impossible_name_is_not_an_exception() -> None:
    async with dns_fake({(NAME, "A"): Behaviour.GARBAGE}) as names:
        resolver = Resolver([names.address], try_seconds=0.1, lifetime_seconds=0.2)
        assert (await resolver.ask(NAME, "A")).outcome in {Outcome.MALFORMED, Outcome.TIMEOUT}
        assert (await resolver.ask("a" * 64 + ".example.com", "A")).outcome is Outcome.MALFORMED
        with pytest.raises(ValueError, match="record type"):
            await resolver.ask(NAME, "NONSENSE")


async def test_rebinding_is_refused_at_the_second_connection_with_one_look_up_each() -> None:
    changing = {("re.example.test", "A"): [["127.0.0.1"], ["169.254.169.254"]]}
    async with world(changing) as w:
        await _fetch_rebinding(w)


async def _fetch_rebinding(w: World) -> None:
    first = await w.fetcher.get("http://re.example.test/")
    assert first.status == 404
    assert w.dns.questions.count(("re.example.test", "A")) == 1
    with pytest.raises(EgressError) as refused:
        await w.fetcher.get("http://re.example.test/")
    assert refused.value.reason is Reason.ADDRESS
    assert w.dns.questions.count(("re.example.test", "A")) == 2
    assert len(w.web.requests) == 1


@pytest.mark.parametrize(
    "network", ["10.0.0.0/8", "0.0.0.0/0", "126.0.0.0/7", "::/0", "169.254.169.254/32", "fd00::/8"]
)
def test_the_override_takes_only_loopback_networks(network: str) -> None:
    with pytest.raises(ValueError, match="not a loopback network"):
        LoopbackOverride([network])


def test_the_override_is_refused_in_production() -> None:
    for settings in (Settings(egress_test_networks="127.0.0.0/8"), Settings(egress_test_ports="443=8443")):
        with pytest.raises(SettingError, match="for tests"):
            guard_from(settings)


def test_the_override_is_read_from_settings_in_tests() -> None:
    guard = guard_from(
        Settings(environment="test", egress_test_networks="127.0.0.0/8, ::1/128", egress_test_ports="443=8443")
    )
    assert guard.target("127.0.0.9", 443) == ("127.0.0.9", 8443)
    with pytest.raises(EgressError):
        guard.target("10.0.0.1", 443)
    for wrong in (
        Settings(environment="test", egress_test_networks="10.0.0.0/8"),
        Settings(environment="test", egress_test_ports="443=1"),
        Settings(egress_resolvers="nonsense"),
    ):
        with pytest.raises(SettingError, match="VENDORRISK_EGRESS_"):
            guard_from(wrong)


def test_ports_and_servers_are_read_from_text() -> None:
    assert parse_ports("443=8443, 127.0.0.2:443=9443,[::1]:80=8080") == {
        ("", 443): 8443,
        ("127.0.0.2", 443): 9443,
        ("::1", 80): 8080,
    }
    assert parse_servers("9.9.9.9, 127.0.0.1:5353,[::1]:53,2620:fe::fe") == [
        ("9.9.9.9", 53),
        ("127.0.0.1", 5353),
        ("::1", 53),
        ("2620:fe::fe", 53),
    ]


async def test_an_override_does_not_open_production_addresses() -> None:
    async with world({("in.example.test", "A"): ["10.0.0.5"]}) as w:
        with pytest.raises(EgressError, match="address"):
            await w.guard.resolve("in.example.test")
