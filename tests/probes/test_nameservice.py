"""The DNS scan and its evaluations: delegation, DNSSEC, CAA, mail hosts, dangling aliases."""

from contextlib import AsyncExitStack

import pytest

from vendorrisk.egress.resolver import Resolver
from vendorrisk.evaluation import dns as dns_evaluation
from vendorrisk.evaluation.model import Evaluation, Verdict
from vendorrisk.lab import pki
from vendorrisk.lab.dns import Behaviour, Zone, dns_fake
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import Lab, good_zone, lab
from vendorrisk.probes.dns import dns_setup
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.observation import canonical, replay

pytestmark = pytest.mark.anyio
D, WWW = "acme.test", "www.acme.test"


def zone(**changes: object) -> Zone:
    """The good zone with changes; `MX` is of the domain, `www_CNAME` of a host under it."""
    made = dict(good_zone())
    for word, value in changes.items():
        host, _, kind = word.rpartition("_")
        name = (f"{host}.{D}" if host else D, kind)
        if kind == "CNAME":
            made.pop((name[0], "A"), None)
        made.pop(name, None)
        if value is not None:
            made[name] = value  # type: ignore[assignment]  # records or a behaviour
    return made


async def evaluated(world: Lab, hosts: tuple[str, ...] = (WWW,)) -> dict[str, Evaluation]:
    observation = await dns_setup.scan(D, resolver=world.resolver, hosts=hosts)
    stored = replay(canonical(observation), dns_setup.DnsObservation)
    assert dns_evaluation.evaluate(stored) == dns_evaluation.evaluate(observation)
    return {j.rule: j for j in dns_evaluation.evaluate(observation)}


def bad(found: dict[str, Evaluation]) -> dict[str, str]:
    return {r: j.reason for r, j in found.items() if j.verdict not in {Verdict.PASS, Verdict.NA}}


CASES: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "good": ({}, {}),
    "one_server": ({"NS": ["ns1.acme.test."]}, {"dns.ns": "one_server"}),
    "one_network": ({"ns2_A": ["198.51.100.9"]}, {"dns.ns": "one_network"}),
    "dead_server": ({"NS": ["ns1.acme.test.", "ns2.acme.test.", "gone.acme.test."]}, {"dns.ns": "server_dead"}),
    "dead_servers": ({"ns2_A": None}, {"dns.ns": "servers_dead"}),
    "server_unknown": ({"ns2_A": Behaviour.SERVFAIL}, {"dns.ns": "dns_servfail"}),
    "caa_report_only": ({"CAA": ['0 iodef "mailto:a@acme.test"', '0 issuewild ";"']}, {"dns.caa": "no_issue"}),
    "caa_nobody": ({"CAA": ['0 issue ";"']}, {}),
    "caa_critical": ({"CAA": ['128 future "x"']}, {}),
    "no_caa": ({"CAA": None}, {"dns.caa": "absent"}),
    "mx_address": ({"MX": ["10 8.8.8.8."]}, {"dns.mx": "address"}),
    "mx_alias": ({"mx1_CNAME": ["mx2.mail.test."]}, {"dns.mx": "alias"}),
    "mx_private": ({"mx1_A": ["10.0.0.1"]}, {"dns.mx": "private"}),
    "mx_gone": ({"mx1_A": None}, {"dns.mx": "no_address"}),
    "mx_unknown": ({"mx1_A": Behaviour.DROP}, {"dns.mx": "dns_timeout"}),
    "null_mx": ({"MX": ["0 ."]}, {}),
    "alias_alive": ({"www_CNAME": ["acme.test."]}, {}),
    "alias_dead_but_own": ({"www_CNAME": ["gone.elsewhere.test."]}, {}),
    "claimable": ({"www_CNAME": ["acme-prod.azurewebsites.net."]}, {"dns.dangling": "claimable"}),
    "claimable_far": ({"www_CNAME": ["a.acme.test."], "a_CNAME": ["old-app.herokuapp.com."]},
                      {"dns.dangling": "claimable"}),
    "alias_loop": ({"www_CNAME": ["b.acme.test."], "b_CNAME": ["www.acme.test."]}, {"dns.dangling": "dns_malformed"}),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
async def test_each_fault_raises_its_own_flag_and_no_other(case: str) -> None:
    changes, expected = CASES[case]
    async with lab(zone(**changes), authenticated=True) as world:
        assert bad(await evaluated(world)) == expected


async def test_a_dangling_alias_caps_the_score_and_is_fairly_sure() -> None:
    async with lab(zone(www_CNAME=["acme-prod.azurewebsites.net."])) as world:
        found = (await evaluated(world))["dns.dangling"]
    assert (found.cap, found.confidence_percent, found.subject) == (49, 80, WWW)


async def test_a_target_that_could_not_be_asked_is_not_dangling() -> None:
    changes = {("acme-prod.azurewebsites.net", "A"): Behaviour.SERVFAIL}
    async with lab({**zone(www_CNAME=["acme-prod.azurewebsites.net."]), **changes}) as world:
        assert (await evaluated(world))["dns.dangling"].verdict is Verdict.UNKNOWN


PAGES: dict[str, tuple[Zone, Reply | None, Verdict, str]] = {
    "unclaimed": (
        {},
        Reply(404, [], b"<h1>There isn't a GitHub Pages site here.</h1>"),
        Verdict.WARN,
        "unclaimed_page",
    ),
    "claimed": ({}, Reply(200, [], b"<h1>Welcome</h1>"), Verdict.PASS, "alias_alive"),
    "elsewhere": ({}, Reply(301, [("Location", "https://acme.test/")]), Verdict.PASS, "alias_alive"),
    "silent": ({}, None, Verdict.UNKNOWN, "connect_refused"),
    "private": ({("acme.github.io", "A"): ["10.0.0.1"]}, None, Verdict.UNKNOWN, "address"),
}


@pytest.mark.parametrize("case", list(PAGES))
async def test_a_page_that_a_service_shows_for_unclaimed_names_is_a_warn_of_less_confidence(case: str) -> None:
    changes, reply, verdict, reason = PAGES[case]
    names = {**zone(www_CNAME=["acme.github.io."]), ("acme.github.io", "A"): ["127.0.0.9"], **changes}
    async with lab(names) as world:
        server = None
        if reply is not None:
            server = await world.host("127.0.0.9", tls=pki.server_context(pki.leaf(pki.Wish(self_signed=True))))
            server.on("/", reply)
        observation = await dns_setup.scan(D, resolver=world.resolver, hosts=(WWW,), fetcher=world.fetcher)
        assert replay(canonical(observation), dns_setup.DnsObservation) == observation
        found = next(j for j in dns_evaluation.evaluate(observation) if j.rule == "dns.dangling")
        alone = await dns_setup.scan_host(WWW, resolver=world.resolver, fetcher=world.fetcher)
    assert (found.verdict, found.reason, found.cap, found.subject) == (verdict, reason, None, WWW)
    assert [j for j in dns_evaluation.evaluate(alone) if j.rule == "dns.dangling"] == [found], (
        "a host alone is evaluated alike"
    )
    assert found.confidence_percent == (60 if verdict is Verdict.WARN else None)
    assert server is None or [r.target for r in server.requests] == ["/", "/"], "once in each scan"


async def test_a_host_alone_is_asked_for_its_aliases_and_addresses_only() -> None:
    async with lab(zone(www_CNAME=["edge.acme.test."], edge_A=["127.0.0.2"])) as world:
        observation = await dns_setup.scan_host(WWW, resolver=world.resolver)
        assert {name for name, _ in world.dns.questions} == {WWW, "edge.acme.test"}
        assert "AAAA" not in {kind for _, kind in world.dns.questions}, "it has an address of IPv4"
    assert replay(canonical(observation), dns_setup.DnsObservation) == observation
    assert (observation.domain, observation.hosts, observation.servers) == (WWW, (WWW,), {})


async def test_an_alias_into_no_such_service_or_without_leave_is_not_visited() -> None:
    for target, fetches in (
        ("acme.elsewhere.test.", True),
        ("acme-prod.azurewebsites.net.", True),
        ("acme.github.io.", False),
    ):
        names = {**zone(www_CNAME=[target]), (target.rstrip("."), "A"): ["127.0.0.9"]}
        async with lab(names) as world:
            server = await world.host("127.0.0.9", tls=pki.server_context(pki.leaf()))
            fetcher = world.fetcher if fetches else None
            observation = await dns_setup.scan(D, resolver=world.resolver, hosts=(WWW,), fetcher=fetcher)
            found = next(j for j in dns_evaluation.evaluate(observation) if j.rule == "dns.dangling")
            assert server.requests == []
            assert found.reason == ("alias_alive" if fetches else "opt_out")


OWN = {(D, "SOA"): ["ns1.acme.test. h.acme.test. 1 7200 3600 1209600 300"]}
LAME = {(D, "SOA"): Behaviour.REFUSED}
SILENT = {(D, "SOA"): Behaviour.DROP}
SERVERS: dict[str, tuple[tuple[Zone, ...], str, str]] = {
    "all answer": ((OWN, OWN, OWN), "pass", "spread"),
    "one knows nothing of it": ((OWN, OWN, LAME), "warn", "server_dead"),
    "one serves another domain": ((OWN, OWN, {("other.test", "SOA"): OWN[D, "SOA"]}), "warn", "server_dead"),
    "one alone answers": ((OWN, LAME, LAME), "fail", "servers_dead"),
    "one is silent": ((OWN, OWN, SILENT), "unknown", "dns_timeout"),
    "one is silent and one lame": ((OWN, LAME, SILENT), "warn", "server_dead"),
    "all are silent": ((SILENT, SILENT, SILENT), "pass", "spread"),
}


@pytest.mark.parametrize("case", list(SERVERS))
async def test_each_name_server_is_asked_whether_it_serves_the_domain(case: str) -> None:
    zones, verdict, reason = SERVERS[case]
    names = zone(NS=[f"ns{n}.acme.test." for n in (1, 2, 3)])
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(lab(names))
        asked = []
        for number, own in enumerate(zones, 1):
            world.dns.zone[f"ns{number}.acme.test", "A"] = [f"127.0.{number}.53"]
            server = await stack.enter_async_context(dns_fake(own, host=f"127.0.{number}.53"))
            world.loopback.map(f"127.0.{number}.53", 53, server.address[1])
            asked.append(server)
        observation = await dns_setup.scan(D, resolver=world.resolver, guard=world.guard)
        assert replay(canonical(observation), dns_setup.DnsObservation) == observation
        found = {j.rule: j for j in dns_evaluation.evaluate(observation)}["dns.ns"]
    assert (found.verdict.value, found.reason) == (verdict, reason)
    assert all(set(server.questions) == {(D, "SOA")} for server in asked)


async def test_a_name_server_at_a_private_place_is_not_asked() -> None:
    async with lab(zone(ns1_A=["10.0.0.53"], ns2_A=["169.254.169.254"])) as world:
        observation = await dns_setup.scan(D, resolver=world.resolver, guard=world.guard)
    assert observation.servers == {"ns1.acme.test": "address", "ns2.acme.test": "address"}


async def test_an_unsigned_domain_is_a_warn_and_a_signed_one_passes() -> None:
    async with lab(zone()) as world:
        assert bad(await evaluated(world)) == {"dns.dnssec": "insecure"}
    async with lab(zone(DS=["1 8 2 " + "ab" * 32])) as world:
        assert (await evaluated(world))["dns.dnssec"].reason == "resolver_not_validating"


async def test_a_bogus_domain_answers_only_without_checking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's server does not validate, so the SERVFAIL of one that does is scripted by the CD flag."""
    import dns.flags
    import dns.message

    from vendorrisk.lab import dns as fake

    original = fake.DnsFake.answer

    def validating(self: fake.DnsFake, wire: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        if query.flags & dns.flags.CD:
            return original(self, wire, tcp=tcp)
        kept, self.zone = self.zone, dict.fromkeys(self.zone, Behaviour.SERVFAIL)
        try:
            return original(self, wire, tcp=tcp)
        finally:
            self.zone = kept

    monkeypatch.setattr(fake.DnsFake, "answer", validating)
    async with lab(zone()) as world:
        found = await evaluated(world)
    assert (found["dns.dnssec"].verdict, found["dns.dnssec"].reason) == (Verdict.FAIL, "bogus")
    assert found["dns.ns"].verdict is Verdict.UNKNOWN


async def test_a_dead_zone_is_unknown_and_not_bogus() -> None:
    async with lab(dict.fromkeys(zone(), Behaviour.SERVFAIL)) as world:
        found = await evaluated(world)
    assert found["dns.dnssec"].verdict is Verdict.UNKNOWN


async def test_a_name_lent_under_anothers_has_no_delegation_of_its_own_to_evaluate() -> None:
    names = {("acme.github.io", "A"): ["192.0.2.1"], ("other.test", "A"): ["192.0.2.1"]}
    async with lab(names) as world:
        for domain, verdict in (("acme.github.io", Verdict.NA), ("other.test", Verdict.UNKNOWN)):
            observation = await dns_setup.scan(domain, resolver=world.resolver)
            assert {j.rule: j.verdict for j in dns_evaluation.evaluate(observation)}["dns.ns"] is verdict


async def test_caa_is_found_above_the_name() -> None:
    async with lab({**zone(), ("api.acme.test", "A"): ["127.0.0.2"]}) as world:
        observation = await dns_setup.scan("api.acme.test", resolver=world.resolver)
        found = {j.rule: j for j in dns_evaluation.evaluate(observation)}
    assert found["dns.caa"].evidence == {"issuers": ("letsencrypt.org",)}


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".test", "\u0000.test", "127.0.0.1", "*.acme.test", "test"])
async def test_a_name_that_is_none_gives_no_false_verdict(name: str) -> None:
    async with lab(zone()) as world:
        observation = await dns_setup.scan(name, resolver=world.resolver)
    assert Verdict.FAIL not in {j.verdict for j in dns_evaluation.evaluate(observation)}


async def test_a_scan_ends_however_long_the_aliases_are() -> None:
    chain = {(f"n{n}.acme.test", "CNAME"): [f"n{n + 1}.acme.test."] for n in range(100)}
    async with lab({**zone(), **chain}) as world:
        await dns_setup.scan(D, resolver=world.resolver, hosts=("n0.acme.test",))
        assert len(world.dns.questions) < 60


async def test_no_resolver_at_all_is_unknown() -> None:
    resolver = Resolver([("127.0.0.1", 1)], try_seconds=0.05, lifetime_seconds=0.1)
    observation = await dns_setup.scan(D, resolver=resolver)
    assert {j.verdict for j in dns_evaluation.evaluate(observation)} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("changes", "addresses"),
    [
        ({}, ("127.0.0.2",)),
        ({"www_A": None, "www_AAAA": ["2001:db8::1"]}, ("2001:db8::1",)),
        ({"www_CNAME": ["edge.mail.test."]}, ()),
        ({"www_CNAME": ["mx2.mail.test."]}, ("8.8.4.4",)),
        ({"www_A": None}, ()),
        ({"www_A": Behaviour.SERVFAIL}, ()),
    ],
)
async def test_a_scan_shows_whether_a_host_leads_to_addresses(
    changes: dict[str, object], addresses: tuple[str, ...]
) -> None:
    async with lab(zone(**changes), authenticated=True) as world:
        observation = await dns_setup.scan(D, resolver=world.resolver, hosts=(WWW,))
    assert dns_setup.host_addresses(Answers(observation.answers), WWW) == addresses
