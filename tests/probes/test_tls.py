"""Certificates and versions, each fault raising exactly its own flag, against real servers on loopback."""

import asyncio
import ssl
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.evaluation import tls
from vendorrisk.evaluation.model import Evaluation, RuleSeverity, Verdict
from vendorrisk.lab import pki
from vendorrisk.lab.http import Reply
from vendorrisk.lab.pki import DAY, NOW, Wish, leaf, server_context
from vendorrisk.lab.world import Lab, lab
from vendorrisk.probes.observation import Unknown, canonical, replay
from vendorrisk.probes.tls import handshake
from vendorrisk.probes.tls.clienthello import Greeting, NeedMoreError, read_answer

pytestmark = pytest.mark.anyio

HOST, AT = "acme.test", "127.0.0.2"
ZONE = {(HOST, "A"): [AT], ("aia.test", "A"): ["127.0.0.3"]}
V = ssl.TLSVersion


async def certificate(world: Lab, now: datetime = NOW, host: str = HOST) -> dict[str, Evaluation]:
    observation = await handshake.scan_certificate(host, guard=world.guard, fetcher=world.fetcher)
    assert replay(canonical(observation), handshake.CertObservation) == observation
    return {j.rule: j for j in tls.evaluate_certificate(observation, now=now, store=pki.store())}


async def versions(world: Lab) -> dict[str, Evaluation]:
    observation = await handshake.scan_versions(HOST, guard=world.guard)
    assert replay(canonical(observation), handshake.HelloObservation) == observation
    return {j.rule: j for j in tls.evaluate_versions(observation)}


def bad(evaluated: dict[str, Evaluation]) -> dict[str, str]:
    """The rules that neither pass nor lie outside the case, with their reasons."""
    return {r: j.reason for r, j in evaluated.items() if j.verdict not in {Verdict.PASS, Verdict.NA}}


SELF_SIGNED = Wish(self_signed=True, key=pki.ec_key("self"))
STRANGE = pki.intermediate("Strange Intermediate", "Strange Root")
CASES = {
    "good": (Wish(), {}),
    "wildcard": (Wish(names=("*.test", "*.acme.test", "acme.test")), {}),
    "expired": (Wish(begins=NOW - 90 * DAY, ends=NOW - DAY), {"tls.cert_expired": "expired"}),
    "future": (Wish(begins=NOW + DAY, ends=NOW + 60 * DAY), {"tls.cert_expired": "not_yet_valid"}),
    "ends_soon": (Wish(begins=NOW - 80 * DAY, ends=NOW + 10 * DAY), {"tls.cert_expiring": "ends_soon"}),
    "ends_now": (Wish(begins=NOW - 87 * DAY, ends=NOW + 3 * DAY), {"tls.cert_expiring": "ends_now"}),
    "other_name": (Wish(names=("other.test",)), {"tls.cert_name": "other_name"}),
    "wildcard_too_deep": (Wish(names=("*.www.acme.test",)), {"tls.cert_name": "other_name"}),
    "no_san": (Wish(names=()), {"tls.cert_name": "no_name"}),
    "self_signed": (SELF_SIGNED, {"tls.cert_trust": "self_signed"}),
    "untrusted": (Wish(issuer=STRANGE, sent=(STRANGE, pki.root("Strange Root"))), {"tls.cert_trust": "untrusted"}),
    "chain_missing": (Wish(sent=()), {"tls.cert_trust": "untrusted"}),
    "rsa_1024": (Wish(key=pki.rsa_key(1024)), {"tls.key_sig": "weak"}),
    "too_long": (Wish(begins=NOW - 100 * DAY, ends=NOW + 150 * DAY), {"tls.lifetime": "too_long"}),
}


@pytest.mark.parametrize("case", list(CASES))
async def test_each_kind_of_certificate_raises_its_own_flag_and_no_other(case: str) -> None:
    wish, expected = CASES[case]
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(leaf(wish)))
        evaluated = await certificate(world)
    assert bad(evaluated) == expected
    assert evaluated["tls.https"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "capped"), [("expired", 59), ("other_name", 69), ("untrusted", 69), ("ends_now", None)]
)
async def test_the_most_severe_faults_cap_the_score(name: str, capped: int | None) -> None:
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(leaf(CASES[name][0])))
        evaluated = await certificate(world)
    assert {j.cap for j in evaluated.values() if j.verdict is Verdict.FAIL} == {capped}


async def test_a_missing_intermediate_that_the_certificate_names_is_a_warn() -> None:
    async with lab(ZONE) as world:
        aia = await world.host("127.0.0.3")
        der = pki.intermediate().certificate.public_bytes(Encoding.DER)
        aia.on("/ca.der", Reply(200, [("Content-Type", "application/pkix-cert")], der))
        await world.host(AT, tls=server_context(leaf(Wish(sent=(), aia="http://aia.test/ca.der"))))
        assert bad(await certificate(world)) == {"tls.cert_trust": "incomplete"}


async def test_an_issuer_that_cannot_be_fetched_leaves_trust_unknown() -> None:
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(leaf(Wish(sent=(), aia="http://aia.test/ca.der"))))
        evaluated = await certificate(world)
    assert evaluated["tls.cert_trust"].verdict is Verdict.UNKNOWN


async def test_a_certificate_cannot_send_us_to_a_private_place() -> None:
    async with lab({**ZONE, ("inside.test", "A"): ["10.0.0.1"]}) as world:
        for url in ("http://inside.test/ca", "http://169.254.169.254/ca", "ldap://inside.test/", "file:///etc/passwd"):
            await world.host(AT, tls=server_context(leaf(Wish(sent=(), aia=url))))
            assert (await certificate(world))["tls.cert_trust"].verdict is Verdict.UNKNOWN


async def test_the_last_second_counts_and_the_next_does_not() -> None:
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(leaf(Wish(ends=NOW + 60 * DAY))))
        end = NOW + 60 * DAY
        assert (await certificate(world, end + timedelta(microseconds=999_999)))[
            "tls.cert_expired"
        ].verdict is Verdict.PASS
        assert (await certificate(world, end + timedelta(seconds=1)))["tls.cert_expired"].verdict is Verdict.FAIL


OLD = (V.TLSv1, V.TLSv1_1)
VERSION_CASES = {
    "modern": (V.TLSv1_2, V.TLSv1_3, {}),
    "only_1_3": (V.TLSv1_3, V.TLSv1_3, {}),
    "only_1_2": (V.TLSv1_2, V.TLSv1_2, {"tls.modern": "no_tls_1_3"}),
    "from_1_0": (V.TLSv1, V.TLSv1_3, {"tls.legacy": "old_spoken"}),
    "from_1_1_to_1_2": (V.TLSv1_1, V.TLSv1_2, {"tls.legacy": "old_spoken", "tls.modern": "no_tls_1_3"}),
    "only_1_0": (V.TLSv1, V.TLSv1, {"tls.legacy": "old_spoken", "tls.modern": "only_old"}),
}


@pytest.mark.parametrize("case", list(VERSION_CASES))
async def test_what_a_server_speaks_is_seen(case: str) -> None:
    lowest, highest, expected = VERSION_CASES[case]
    made = leaf(Wish(key=pki.rsa_key(2048)))
    strong = "ECDHE+AESGCM:AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(made, lowest=lowest, highest=highest, ciphers=strong))
        evaluated = await versions(world)
    assert bad(evaluated) == expected


async def test_a_server_that_takes_null_ciphers_is_seen() -> None:
    made = leaf(Wish(key=pki.rsa_key(2048)))
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(made, ciphers="ALL:NULL:@SECLEVEL=0"))
        assert bad(await versions(world)) == {"tls.weak_cipher": "weak_accepted"}


def server_hello(version: int, cipher: int) -> bytes:
    body = version.to_bytes(2) + bytes(32) + b"\x00" + cipher.to_bytes(2) + b"\x00"
    message = b"\x02" + len(body).to_bytes(3) + body
    return b"\x16" + version.to_bytes(2) + len(message).to_bytes(2) + message


async def test_ssl_3_is_seen_and_is_high() -> None:
    """No library speaks SSL 3.0 any more, so its answer is written by hand: TLS 1.2 for the rest."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.readexactly(11)
        version = int.from_bytes(hello[9:11])
        writer.write(server_hello(version, {0x0300: 0x000A, 0x0303: 0xC02F}.get(version, 0x000A)))
        await writer.drain()

    async with lab(ZONE) as world:
        await world.raw(AT, 443, answer)  # type: ignore[arg-type]  # a script of streams
        evaluated = await versions(world)
    assert evaluated["tls.legacy"].severity is RuleSeverity.HIGH
    assert "SSL 3.0" in evaluated["tls.legacy"].evidence["versions"]  # type: ignore[operator]  # a tuple


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def plain_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + bytes(16380))
        await writer.drain()


async def liar(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1000)
    writer.write(server_hello(0x0301, 0xFFFF))
    await writer.drain()


@pytest.mark.parametrize("script", [silent, plain_http, hang_up, endless, liar])
async def test_a_hostile_server_is_unknown_and_never_a_verdict(script: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "_SECONDS", 0.5)
    async with lab(ZONE) as world:
        await world.raw(AT, 443, script)  # type: ignore[arg-type]  # a script of streams
        evaluated = {**await certificate(world), **await versions(world)}
    assert {j.verdict for j in evaluated.values()} == {Verdict.UNKNOWN}


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.transport.abort()


async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"\x15\x03\x01\x00\x02\x02\x28")  # handshake_failure
    await writer.drain()


@pytest.mark.parametrize("script", [plain_http, alert])
async def test_no_tls_is_a_fail_only_where_http_answers(script: object) -> None:
    async with lab(ZONE) as world:
        await world.host(AT)
        await world.raw(AT, 443, script)  # type: ignore[arg-type]  # a script of streams
        evaluated = await certificate(world)
    assert (evaluated["tls.https"].verdict, evaluated["tls.https"].cap) == (Verdict.FAIL, 69)
    assert evaluated["tls.cert_trust"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("script", [hang_up, reset, silent])
async def test_being_hung_up_on_is_no_verdict_though_http_answers(
    script: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "_SECONDS", 0.5)
    async with lab(ZONE) as world:
        await world.host(AT)
        await world.raw(AT, 443, script)  # type: ignore[arg-type]  # a script of streams
        assert {j.verdict for j in (await certificate(world)).values()} == {Verdict.UNKNOWN}


@pytest.mark.parametrize("script", [silent, hang_up])
async def test_a_port_80_that_takes_connections_and_speaks_no_http_is_no_control(script: object) -> None:
    async with lab(ZONE, seconds=0.5) as world:
        await world.raw(AT, 80, script)  # type: ignore[arg-type]  # a script of streams
        assert {j.verdict for j in (await certificate(world)).values()} == {Verdict.UNKNOWN}


async def test_a_closed_port_443_beside_an_open_80_is_a_fail_and_beside_a_closed_80_is_no_web_site() -> None:
    async with lab(ZONE) as world:
        assert (await certificate(world))["tls.https"].verdict is Verdict.NA
        await world.host(AT)
        assert (await certificate(world))["tls.https"].verdict is Verdict.FAIL


@pytest.mark.parametrize(("name", "zone", "reason"), [
    ("gone.test", {}, "dns_nxdomain"), ("inside.test", {("inside.test", "A"): ["10.0.0.5"]}, "address"),
    ("127.0.0.1", {}, "host_is_ip"), ("169.254.169.254", {}, "host_is_ip"), ("localhost", {}, "host_not_fqdn"),
    ("*.acme.test", {}, "host_bad_char"), ("printer.local", {}, "host_special_tld"), ("", {}, "host_not_fqdn"),
])  # fmt: skip
async def test_a_name_that_is_no_public_host_is_refused_before_a_byte_leaves(
    name: str, zone: dict[tuple[str, str], list[str]], reason: str
) -> None:
    async with lab(zone) as world:
        observation = await handshake.scan_certificate(name, guard=world.guard, fetcher=world.fetcher)
        hello = await handshake.scan_versions(name, guard=world.guard)
    assert observation.handshake == Unknown(reason=reason)
    assert set(hello.outcomes.values()) == {reason}


async def test_a_host_sees_six_connections_and_no_more() -> None:
    seen = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(5))

    async with lab(ZONE) as world:
        await world.raw(AT, 443, count)  # type: ignore[arg-type]  # a script of streams
        await handshake.scan_certificate(HOST, guard=world.guard, fetcher=world.fetcher)
        await handshake.scan_versions(HOST, guard=world.guard)
        assert world.dns.questions.count((HOST, "A")) == 3  # handshake, the control on port 80, greetings
    assert len(seen) == 6


def patched(der: bytes, old: str, new: str) -> bytes:
    """Return a certificate with one part exchanged for another of the same length, wherever it stands first."""
    assert bytes.fromhex(old) in der
    return der.replace(bytes.fromhex(old), bytes.fromhex(new), 1)


ODD = {
    "a version that does not exist": ("a003020102", "a003020107"),
    "key usage twice": ("0603551d23", "0603551d0f"),
    "a kind of name that nobody reads": ("820961636d652e74657374", "a30961636d652e74657374"),
}


@pytest.mark.parametrize("case", list(ODD))
def test_a_certificate_of_which_a_part_cannot_be_read_is_unknown_and_stops_nothing(case: str) -> None:
    made = leaf().ders
    for chain in ((patched(made[0], *ODD[case]), made[1]), (made[0], patched(made[0], *ODD[case]))):
        observation = handshake.CertObservation(
            host=HOST, handshake=handshake.Handshake(version="TLSv1.3", chain=chain)
        )
        evaluated = {j.rule: j for j in tls.evaluate_certificate(observation, now=NOW, store=pki.store())}
        assert evaluated.pop("tls.https").verdict is Verdict.PASS
        assert {(j.verdict, j.reason) for j in evaluated.values()} == {(Verdict.UNKNOWN, "certificate_malformed")}


async def test_a_server_that_sends_such_a_certificate_breaks_no_scan() -> None:
    good = leaf()
    odd = x509.load_der_x509_certificate(patched(good.ders[0], *ODD["key usage twice"]))
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(pki.Leaf((good.chain[0], odd), good.key)))
        observation = await handshake.scan_certificate(HOST, guard=world.guard, fetcher=world.fetcher)
    assert observation.handshake == Unknown(reason="certificate_malformed")


@given(
    st.sampled_from(Greeting), st.sampled_from([b"", b"\x16\x03\x03", b"\x15\x03\x00\x00\x02"]), st.binary(max_size=80)
)
def test_no_bytes_of_a_server_make_the_reader_fall(greeting: Greeting, start: bytes, rest: bytes) -> None:
    try:
        answer = read_answer(greeting, start + rest)
    except NeedMoreError:
        return
    assert answer.outcome in {"accepted", "refused", "lower", "protocol", "not_tls"}


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=3))
def test_no_bytes_of_a_certificate_make_the_evaluator_fall(changes: list[tuple[int, int]]) -> None:
    made = leaf(Wish(aia="http://aia.test/ca.der")).ders
    odd = bytearray(made[0])
    for place, value in changes:
        odd[place % len(odd)] = value
    observation = handshake.CertObservation(
        host=HOST, handshake=handshake.Handshake(version="TLSv1.3", chain=(bytes(odd), made[1]))
    )
    assert len(tls.evaluate_certificate(observation, now=NOW, store=pki.store())) == 7


async def test_two_scans_of_the_same_server_leave_the_same_bytes() -> None:
    async with lab(ZONE) as world:
        await world.host(AT, tls=server_context(leaf()))
        observations = [
            await handshake.scan_certificate(HOST, guard=world.guard, fetcher=world.fetcher) for _ in range(2)
        ]
        hellos = [await handshake.scan_versions(HOST, guard=world.guard) for _ in range(2)]
    assert canonical(observations[0]) == canonical(observations[1])
    assert canonical(hellos[0]) == canonical(hellos[1])
