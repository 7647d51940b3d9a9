"""The mail scan end to end on loopback, its evaluations, and checkdmarc as a second pair of eyes."""

import asyncio

import checkdmarc.utils
import dns.resolver
import pytest
from checkdmarc.dmarc import check_dmarc
from checkdmarc.spf import check_spf

from vendorrisk.evaluation import email
from vendorrisk.evaluation.model import Evaluation, Verdict
from vendorrisk.lab import pki
from vendorrisk.lab.dns import Behaviour, Zone
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab
from vendorrisk.probes.mail import mail_setup
from vendorrisk.probes.observation import canonical, replay

pytestmark = pytest.mark.anyio
TEXT = [("Content-Type", "text/plain; charset=utf-8")]
D = "acme.test"
WELL = {"email.dkim": Verdict.NA, "email.dane": Verdict.NA, "email.bimi": Verdict.NA}


async def evaluated(world: Lab, domain: str = D) -> dict[str, Evaluation]:
    observation = await mail_setup.scan(domain, resolver=world.resolver, strict_fetcher=world.strict)
    stored = replay(canonical(observation), mail_setup.EmailObservation)
    assert email.evaluate(stored) == email.evaluate(observation)
    return {j.rule: j for j in email.evaluate(observation)}


def bad(found: dict[str, Evaluation]) -> dict[str, str]:
    return {r: j.reason for r, j in found.items() if j.verdict not in {Verdict.PASS, Verdict.NA}}


def zone(**changes: object) -> Zone:
    """The good vendor's zone with changes: `TXT`, `MX`, `_dmarc`, `_mta_sts` and so on; None removes."""
    names = {"TXT": (D, "TXT"), "MX": (D, "MX"), "dmarc": (f"_dmarc.{D}", "TXT"), "sts": (f"_mta-sts.{D}", "TXT"),
             "rpt": (f"_smtp._tls.{D}", "TXT"), "dkim": (f"google._domainkey.{D}", "TXT"),
             "tlsa": (f"_25._tcp.mx1.{D}", "TLSA"), "bimi": (f"default._bimi.{D}", "TXT")}  # fmt: skip
    made = dict(good_zone())
    for word, value in changes.items():
        if value is None:
            made.pop(names[word], None)
        else:
            made[names[word]] = value  # type: ignore[assignment]  # records or a behaviour
    return made


async def test_a_vendor_that_does_everything_right_passes_everything() -> None:
    async with lab(zone()) as world:
        await good_vendor(world)
        found = await evaluated(world)
    assert bad(found) == {}
    assert {r: j.verdict for r, j in found.items() if j.verdict is not Verdict.PASS} == WELL


def key(bits: int) -> str:
    import base64

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = pki.rsa_key(bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    return " ".join(f'"{text[n : n + 250]}"' for n in range(0, len(text), 250))


CASES: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "no_spf": ({"TXT": ['"x"']}, {"email.spf": "missing", "email.spf_all": "no_single_record"}),
    "two_spf": ({"TXT": ['"v=spf1 -all"', '"v=spf1 ~all"']},
                {"email.spf": "several_records", "email.spf_all": "no_single_record"}),
    "plus_all": ({"TXT": ['"v=spf1 +all"']}, {"email.spf_all": "anyone_passes"}),
    "neutral": ({"TXT": ['"v=spf1 ?all"']}, {"email.spf_all": "neutral"}),
    "no_all": ({"TXT": ['"v=spf1 mx"']}, {"email.spf_all": "neutral"}),
    "soft_under_reject": ({"TXT": ['"v=spf1 ~all"']}, {}),
    "soft_under_none": ({"TXT": ['"v=spf1 ~all"'], "dmarc": ['"v=DMARC1; p=none; rua=mailto:a@acme.test"']},
                        {"email.spf_all": "soft_fail", "email.dmarc_policy": "policy_none"}),
    "spf_broken": ({"TXT": ['"v=spf1 nonsense -all"']},
                   {"email.spf_valid": "mechanism_unknown", "email.spf_all": "record_invalid"}),
    "nine_lookups": ({"TXT": [f'"v=spf1 {"exists:%{i}.x.test " * 9}-all"']}, {"email.spf_valid": "near_the_limit"}),
    "no_dmarc": ({"dmarc": None}, {"email.dmarc": "missing", "email.dmarc_policy": "no_policy"}),
    "two_dmarc": ({"dmarc": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']},
                  {"email.dmarc": "several_records", "email.dmarc_policy": "no_policy"}),
    "quarantine": ({"dmarc": ['"v=DMARC1; p=quarantine; rua=mailto:a@acme.test"']},
                   {"email.dmarc_policy": "quarantine"}),
    "testing": ({"dmarc": ['"v=DMARC1; p=reject; t=y; rua=mailto:a@acme.test"']}, {"email.dmarc_policy": "testing"}),
    "pct": ({"dmarc": ['"v=DMARC1; p=reject; pct=20; rua=mailto:a@acme.test"']}, {"email.dmarc_policy": "partial"}),
    "sub_none": ({"dmarc": ['"v=DMARC1; p=reject; sp=none; rua=mailto:a@acme.test"']},
                 {"email.dmarc_sub": "subdomains_escape"}),
    "no_rua": ({"dmarc": ['"v=DMARC1; p=reject"']}, {"email.dmarc_rua": "no_rua"}),
    "foreign_rua": ({"dmarc": ['"v=DMARC1; p=reject; rua=mailto:a@reports.example"']},
                    {"email.dmarc_rua": "receiver_not_authorised"}),
    "short_dkim": ({"dkim": [key(1024)]}, {}),
    "no_sts": ({"sts": None}, {"email.mta_sts": "absent"}),
    "odd_sts": ({"sts": ['"v=STSv1; id="']}, {"email.mta_sts": "record_invalid"}),
    "sts_misses_mx": ({"MX": ["10 mx1.acme.test.", "20 mx.elsewhere.test."]}, {"email.mta_sts": "mx_mismatch"}),
    "no_rpt": ({"rpt": None}, {"email.tlsrpt": "absent"}),
    "null_mx": ({"MX": ["0 ."], "TXT": ['"v=spf1 -all"'], "sts": None, "rpt": None}, {}),
    "parked": ({"MX": None, "TXT": ['"x"'], "sts": None, "rpt": None},
               {"email.spf": "parked_without_spf", "email.spf_all": "no_single_record"}),
    "unsigned_tlsa": ({"tlsa": ["9 9 9 00"]}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
async def test_each_fault_raises_its_own_flags_and_no_other(case: str) -> None:
    changes, expected = CASES[case]
    async with lab(zone(**changes)) as world:
        await good_vendor(world)
        assert bad(await evaluated(world)) == expected


async def test_a_key_under_1024_bits_fails() -> None:
    # OpenSSL makes none so short any more; this is a 768-bit modulus written out.
    from base64 import b64encode

    number = (1 << 767) | 1
    modulus = b"\x02\x61\x00" + number.to_bytes(96)
    inner = b"\x30\x81" + bytes([len(modulus) + 5]) + modulus + b"\x02\x03\x01\x00\x01"
    bits = b"\x03\x81" + bytes([len(inner) + 1]) + b"\x00" + inner
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    der = b"\x30\x81" + bytes([len(algorithm) + len(bits)]) + algorithm + bits
    async with lab(zone(dkim=[f'"v=DKIM1; p={b64encode(der).decode()}"'])) as world:
        await good_vendor(world)
        assert bad(await evaluated(world)) == {"email.dkim": "weak_key"}


async def test_signed_tlsa_records_are_evaluated() -> None:
    for records, verdict in ((["3 1 1 " + "ab" * 32], Verdict.PASS), (["1 1 1 " + "ab" * 32], Verdict.FAIL)):
        async with lab(zone(tlsa=records), authenticated=True) as world:
            await good_vendor(world)
            assert (await evaluated(world))["email.dane"].verdict is verdict


@pytest.mark.parametrize("behaviour", [Behaviour.DROP, Behaviour.SERVFAIL, Behaviour.REFUSED, Behaviour.GARBAGE])
async def test_a_dns_failure_is_unknown_for_what_it_hides_and_nothing_else(behaviour: Behaviour) -> None:
    async with lab(zone(dmarc=behaviour)) as world:
        await good_vendor(world)
        found = await evaluated(world)
    hidden = {r for r, j in found.items() if j.verdict is Verdict.UNKNOWN}
    assert hidden == {"email.dmarc", "email.dmarc_policy", "email.dmarc_sub", "email.dmarc_rua"}
    assert Verdict.FAIL not in {j.verdict for j in found.values()}


async def test_a_dead_resolver_is_unknown_for_everything() -> None:
    names = dict.fromkeys(zone(), Behaviour.SERVFAIL)
    async with lab(names) as world:
        found = await evaluated(world)
    assert {j.verdict for j in found.values()} <= {Verdict.UNKNOWN, Verdict.NA}
    assert found["email.spf"].verdict is Verdict.UNKNOWN


async def test_a_policy_behind_a_bad_certificate_is_no_policy_and_no_verdict() -> None:
    async with lab(zone()) as world:
        made = pki.leaf(pki.Wish(names=("other.test",)))
        server = await world.host("127.0.0.2", tls=pki.server_context(made))
        server.on("*", Reply(200, [("Content-Type", "text/plain")], b"version: STSv1\nmode: none\nmax_age: 1\n"))
        assert (await evaluated(world))["email.mta_sts"].reason == "tls_failed"
        assert server.requests == []


@pytest.mark.parametrize(("reply", "reason"), [
    (Reply(404), "policy_invalid"), (Reply(503), "http_503"),
    (Reply(301, [("Location", "https://acme.test/x")]), "policy_invalid"),
    (Reply(200, [], b"<html>hello</html>"), "policy_invalid"),
    (Reply(200, TEXT, b"version: STSv1\nmode: testing\nmx: *.acme.test\nmax_age: 86400\n"), "mode_testing"),
    (Reply(200, TEXT, b"version: STSv1\nmode: none\nmax_age: 31557600"), "mode_none"),
    (Reply(200, TEXT, b"version: STSv1\nmode: none\nmax_age: 31557601\n"), "policy_invalid"),
    (Reply(200, TEXT, b"version: STSv1\nmode: enforce\nmax_age: 86400\n"), "policy_invalid"),
    (Reply(200, [("Content-Type", "text/html")], b"version: STSv1\nmode: enforce\nmx: *.test\nmax_age: 86400\n"),
     "policy_not_text"),
])  # fmt: skip
async def test_a_policy_file_is_read_without_following_redirects(reply: Reply, reason: str) -> None:
    async with lab(zone()) as world:
        server = await good_vendor(world)
        server.on("/.well-known/mta-sts.txt", reply)
        assert (await evaluated(world))["email.mta_sts"].reason == reason


async def test_a_scan_asks_each_question_once_and_few() -> None:
    async with lab(zone()) as world:
        await good_vendor(world)
        await evaluated(world)
        asked = [q for q in world.dns.questions if not q[0].startswith("mta-sts.")]
    assert len(asked) == len(set(asked)) <= 45


DIFFERENTIAL = [
    "v=spf1 -all", "v=spf1 ~all", "v=spf1 mx -all", "v=spf1 a mx include:_spf.mail.test ~all", "v=spf1 nonsense -all",
    "v=spf1 ip4:1.2.3 -all", "v=spf1 include:gone.test -all", f"v=spf1 include:{D} -all",
    "v=spf1 redirect=_spf.mail.test",
]  # fmt: skip


@pytest.mark.parametrize("record", DIFFERENTIAL)
async def test_our_spf_and_checkdmarcs_agree_on_what_is_valid(record: str) -> None:
    async with lab(zone(TXT=[f'"{record}"'])) as world:
        await good_vendor(world)
        ours = (await evaluated(world))["email.spf_valid"].verdict is not Verdict.FAIL
        checkdmarc.utils.DNS_CACHE.clear()
        theirs = await asyncio.to_thread(check_spf, D, resolver=oracle(world))
    assert ours is bool(theirs["valid"]), theirs


@pytest.mark.parametrize("record", [
    "v=DMARC1; p=none", "v=DMARC1; p=reject; rua=mailto:a@acme.test", "v=DMARC1; p=bad", "v=DMARC1; p=none; sp=bad",
    "v=DMARC1; p=quarantine; pct=50", "v=DMARC1; rua=mailto:a@acme.test", "nothing",
])  # fmt: skip
async def test_our_dmarc_and_checkdmarcs_agree_on_what_is_valid(record: str) -> None:
    async with lab(zone(dmarc=[f'"{record}"'])) as world:
        await good_vendor(world)
        ours = (await evaluated(world))["email.dmarc"].verdict is Verdict.PASS
        checkdmarc.utils.DNS_CACHE.clear()
        theirs = await asyncio.to_thread(check_dmarc, D, resolver=oracle(world))
    assert ours is bool(theirs["valid"]), theirs


def oracle(world: Lab) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [world.dns.address[0]]
    resolver.port = world.dns.address[1]
    resolver.lifetime = 2
    return resolver
