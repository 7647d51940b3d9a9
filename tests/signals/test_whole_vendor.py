"""From the wire to the number: a good vendor, a bad one and an unknown one, each seen, evaluated, scored and
replayed.
"""

from datetime import datetime

import pytest

from vendorrisk.evaluation import evaluate
from vendorrisk.evaluation.model import Evaluation, Score, ScoreInput, Verdict
from vendorrisk.evaluation.results import worst
from vendorrisk.evaluation.rules import RULES, default_disabled_rules
from vendorrisk.evaluation.score import score
from vendorrisk.lab import pki
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import Reply
from vendorrisk.lab.pki import DAY, NOW
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab, registries
from vendorrisk.probes.dns import dns_setup
from vendorrisk.probes.mail import mail_setup
from vendorrisk.probes.observation import canonical, replay
from vendorrisk.probes.registration import domain_registration
from vendorrisk.probes.tls import handshake
from vendorrisk.probes.web import site, status_page

pytestmark = pytest.mark.anyio
D = "acme.test"
DATASETS = evaluate.Datasets(store=pki.store(), versions={"trust_store": "lab-1"})
KINDS = (
    dns_setup.DnsObservation,
    mail_setup.EmailObservation,
    site.WebObservation,
    handshake.CertObservation,
    handshake.HelloObservation,
    domain_registration.RegObservation,
    status_page.StatusObservation,
)


async def observations(world: Lab) -> list[evaluate.Observation]:
    return [
        await dns_setup.scan(D, resolver=world.resolver, hosts=(f"www.{D}",)),
        await mail_setup.scan(D, resolver=world.resolver, strict_fetcher=world.strict),
        await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox),
        await handshake.scan_certificate(D, guard=world.guard, fetcher=world.fetcher),
        await handshake.scan_versions(D, guard=world.guard),
        await domain_registration.scan(
            D,
            fetcher=world.fetcher,
            guard=world.guard,
            sandbox=world.sandbox,
            bases={"test": "https://rdap.test/"},
            whois_servers={},
        ),
        await status_page.scan(f"https://status.{D}", fetcher=world.fetcher, sandbox=world.sandbox),
    ]


def evaluated(seen: list[evaluate.Observation], now: datetime = NOW) -> dict[str, Evaluation]:
    return worst(j for observation in seen for j in evaluate.evaluate(observation, now=now, datasets=DATASETS))


def scored(found: dict[str, Evaluation], now: datetime = NOW) -> Score:
    inputs = [
        ScoreInput(rule=j.rule, asset=D, verdict=j.verdict, known=j.verdict, known_at=now, cap=j.cap,
                 confidence_percent=j.confidence_percent)
        for j in found.values()
    ]  # fmt: skip
    return score(inputs, now=now, disabled_rules=default_disabled_rules())


async def test_a_vendor_that_does_everything_right_gets_an_a() -> None:
    async with lab(good_zone(), authenticated=True) as world:
        await good_vendor(world)
        await registries(world)
        found = evaluated(await observations(world))
    result = scored(found)
    assert [j for j in found.values() if j.verdict in {Verdict.WARN, Verdict.FAIL}] == []
    assert (result.grade, result.coverage_bp) == ("A", 10_000)
    assert result.number >= 98
    assert set(found) <= set(RULES)


async def test_a_vendor_that_does_everything_wrong_gets_an_f_and_its_caps() -> None:
    zone = {
        (D, "A"): ["127.0.0.2"], (D, "SOA"): ["ns1.acme.test. h.acme.test. 1 1 1 1 1"], (D, "NS"): ["ns1.acme.test."],
        ("ns1.acme.test", "A"): ["198.51.100.1"], (D, "MX"): ["10 mx.acme.test."], ("mx.acme.test", "A"): ["10.0.0.1"],
        (D, "TXT"): ['"v=spf1 +all"'], ("www.acme.test", "CNAME"): ["acme-old.azurewebsites.net."],
        ("rdap.test", "A"): ["127.0.0.200"], ("status.acme.test", "A"): ["127.0.0.2"],
    }  # fmt: skip
    async with lab(zone) as world:
        made = pki.leaf(pki.Wish(names=("other.test",), begins=NOW - 400 * DAY, ends=NOW - DAY, self_signed=True))
        secure = await world.host("127.0.0.2", tls=pki.server_context(made))
        secure.on("/", Reply(200, [("Set-Cookie", "PHPSESSID=1"), ("Server", "nginx/1.0.1")], b"<html></html>"))
        (await world.host("127.0.0.2")).on("/", Reply(200, [], b"plain"))
        (await world.host("127.0.0.200", tls=pki.server_context(pki.leaf()))).on("*", Reply(404))
        result = scored(evaluated(await observations(world)))
    assert result.grade == "F"
    assert {c.rule for c in result.caps} == {
        "tls.cert_expired", "tls.cert_name", "tls.cert_trust", "dns.dangling", "dom.expiry",
    }  # fmt: skip
    assert result.number < 40
    assert 100 * result.number + sum(d.points_bp for d in result.deductions) == 10_000


async def test_a_vendor_that_cannot_be_seen_has_no_number_and_no_fail() -> None:
    names = [*good_zone(), (f"www.{D}", "CNAME")]
    async with lab(dict.fromkeys(names, Behaviour.SERVFAIL), seconds=1.0) as world:
        found = evaluated(await observations(world))
    assert {r: j.verdict for r, j in found.items() if j.verdict not in {Verdict.UNKNOWN, Verdict.NA}} == {}
    assert all(j.reason for j in found.values())
    never = [ScoreInput(rule=j.rule, asset=D, verdict=j.verdict) for j in found.values()]
    assert score(never, now=NOW).grade == "NR"


async def test_stored_observations_give_the_same_evaluations_for_ever() -> None:
    async with lab(good_zone()) as world:
        await good_vendor(world)
        await registries(world)
        seen = await observations(world)
    stored = [replay(canonical(observation), kind) for observation, kind in zip(seen, KINDS, strict=True)]
    assert evaluated(stored) == evaluated(seen)
    assert scored(evaluated(stored)) == scored(evaluated(seen))
    assert [canonical(observation) for observation in stored] == [canonical(observation) for observation in seen]


async def test_time_alone_changes_what_ends() -> None:
    async with lab(good_zone()) as world:
        await good_vendor(world)
        await registries(world)
        seen = await observations(world)
    later = evaluated(seen, NOW + 4000 * DAY)
    changed = {rule for rule, j in evaluated(seen).items() if j.verdict is not later[rule].verdict}
    assert changed == {"tls.cert_expired", "tls.cert_expiring", "dom.expiry", "tr.security_txt"}
