"""The DNS client against servers that are silent, wrong, slow, hostile or gone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import product
from time import perf_counter
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.egress.dns_messages import Answer, Outcome, TruncatedError, question, read
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab.dns import Behaviour, DnsFake, Zone, dns_fake

pytestmark = pytest.mark.anyio

NAME = "www.example.com"
HERE: Zone = {(NAME, "A"): ["192.0.2.7"]}
_DEAD = ("127.0.0.1", 1)


def quick(*servers: tuple[str, int]) -> Resolver:
    return Resolver(servers, try_seconds=0.15, lifetime_seconds=0.6)


class _Scripted(asyncio.DatagramProtocol):
    def __init__(self, script: Callable[[bytes], list[bytes]]) -> None:
        self._script = script

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for reply in self._script(data):
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def scripted(script: Callable[[bytes], list[bytes]]) -> AsyncIterator[tuple[str, int]]:
    """Serve over UDP alone what a function makes of each question."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Scripted(script), local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")
    finally:
        transport.close()


def right(wire: bytes) -> bytes:
    answer = DnsFake(HERE).answer(wire, tcp=False)
    assert answer is not None
    return answer


def changed(wire: bytes, change: Callable[[dns.message.Message], None]) -> bytes:
    message = dns.message.from_wire(right(wire))
    change(message)
    return message.to_wire()


@pytest.mark.parametrize("first", [Behaviour.SERVFAIL, Behaviour.REFUSED, Behaviour.DROP, Behaviour.GARBAGE])
async def test_the_next_server_is_asked_where_the_first_fails_or_is_silent(first: Behaviour) -> None:
    async with dns_fake({(NAME, "A"): first}) as bad, dns_fake(HERE) as good:
        answer = await quick(bad.address, good.address).ask(NAME, "A")
    assert answer.texts() == ("192.0.2.7",)


async def test_a_server_that_is_down_is_passed_over_at_once() -> None:
    async with dns_fake(HERE) as good:
        begun = perf_counter()
        answer = await Resolver([_DEAD, good.address]).ask(NAME, "A")
    assert answer.outcome is Outcome.OK
    assert perf_counter() - begun < 1, "the two seconds of a try were not waited for"


async def test_a_server_that_failed_is_not_asked_again_and_one_that_was_silent_is() -> None:
    silences = 2

    def thrice(wire: bytes) -> list[bytes]:
        nonlocal silences
        silences -= 1
        return [] if silences >= 0 else [right(wire)]

    async with dns_fake({(NAME, "A"): Behaviour.SERVFAIL}) as failing, scripted(thrice) as slow:
        answer = await Resolver([failing.address, slow], try_seconds=0.1, lifetime_seconds=5).ask(NAME, "A")
        assert answer.outcome is Outcome.OK
        assert len(failing.questions) == 1


async def test_servers_that_all_fail_are_told_by_the_last_and_servers_that_are_silent_by_the_time() -> None:
    async with (
        dns_fake({(NAME, "A"): Behaviour.SERVFAIL}) as failing,
        dns_fake({(NAME, "A"): Behaviour.REFUSED}) as refusing,
        dns_fake({(NAME, "A"): Behaviour.DROP}) as silent,
    ):
        assert (await quick(failing.address, refusing.address).ask(NAME, "A")).outcome is Outcome.REFUSED
        assert (await quick(refusing.address, failing.address).ask(NAME, "A")).outcome is Outcome.SERVFAIL
        assert (await quick(failing.address, silent.address).ask(NAME, "A")).outcome is Outcome.TIMEOUT
    assert (await quick(_DEAD).ask(NAME, "A")).outcome is Outcome.TIMEOUT


_FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "another id": lambda wire: bytes([wire[0] ^ 1]) + right(wire)[1:],
    "a question and no answer": lambda wire: wire,
    "another question": lambda wire: right(wire).replace(b"\x03www", b"\x03ftp", 1),
    "no question at all": lambda wire: right(wire)[:4] + b"\0\0" + right(wire)[6:],
    "two questions": lambda wire: right(wire)[:4] + b"\0\2" + right(wire)[6:],
    "an update": lambda wire: right(wire)[:2] + bytes([right(wire)[2] | 0x28]) + right(wire)[3:],
    "less than a header": lambda wire: wire[:11],
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("case", _FOREIGN)
async def test_what_answers_something_else_is_waited_past(case: str) -> None:
    async with scripted(lambda wire: [_FOREIGN[case](wire), right(wire)]) as address:
        assert (await quick(address).ask(NAME, "A")).texts() == ("192.0.2.7",)
    async with scripted(lambda wire: [_FOREIGN[case](wire)]) as address:
        assert (await quick(address).ask(NAME, "A")).outcome is Outcome.TIMEOUT


async def test_a_name_may_come_back_in_another_case() -> None:
    async with scripted(lambda wire: [right(wire).replace(b"\x03www\x07example", b"\x03WwW\x07ExAmPlE")]) as address:
        assert (await quick(address).ask(NAME, "A")).texts() == ("192.0.2.7",)


def _badvers(wire: bytes) -> bytes:
    reply = right(wire)
    at = 12 + len(question(NAME, "A", 0).section)
    return reply[:6] + b"\0\0\0\0\0\1" + reply[12:at] + b"\0\0\x29\x04\xd0\x01\0\0\0\0\0"


_LIES: dict[str, Callable[[bytes], bytes]] = {
    "more records than it holds": lambda wire: right(wire)[:6] + b"\0\7" + right(wire)[8:],
    "an answer to a name that does not exist": lambda wire: changed(wire, lambda m: m.set_rcode(dns.rcode.NXDOMAIN)),
    "a version of EDNS it does not know": _badvers,
    "an address that is cut": lambda wire: right(wire)[:-14],
    "a name that points at itself": lambda wire: (
        right(wire)[: 12 + len(question(NAME, "A", 0).section)]
        + b"\xc0"
        + bytes([12 + len(question(NAME, "A", 0).section)])
        + b"\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"
    ),
    "no records, and then half of one": lambda wire: (
        right(wire)[:6] + b"\0\0\0\1\0\0" + right(wire)[12 : 12 + len(question(NAME, "A", 0).section)] + b"\x3fabc"
    ),
    "a name error it makes up": lambda wire: changed(wire, lambda m: m.set_rcode(dns.rcode.YXDOMAIN)),
}


@pytest.mark.parametrize("case", _LIES)
async def test_an_answer_that_cannot_be_read_is_malformed_and_never_no_records(case: str) -> None:
    async with scripted(lambda wire: [_LIES[case](wire)]) as address:
        assert (await quick(address).ask(NAME, "A")).outcome is Outcome.MALFORMED


async def test_a_chain_of_aliases_ends_at_a_name_that_does_not_exist_or_goes_in_circles() -> None:
    circle = {(f"{n}.example.com", "CNAME"): [f"{(n + 1) % 3}.example.com"] for n in range(3)}
    async with dns_fake({(NAME, "CNAME"): ["gone.example.net."], **circle}) as names:
        resolver = quick(names.address)
        assert (await resolver.ask(NAME, "A")).outcome is Outcome.NXDOMAIN
        assert (await resolver.ask(NAME, "CNAME")).texts() == ("gone.example.net.",)
        assert (await resolver.ask("0.example.com", "A")).outcome is Outcome.MALFORMED


async def test_an_answer_truncated_over_tcp_as_well_or_a_server_without_tcp_is_no_answer() -> None:
    def truncated(wire: bytes) -> list[bytes]:
        return [changed(wire, lambda m: setattr(m, "flags", m.flags | dns.flags.TC))]

    async with scripted(truncated) as address:
        assert (await quick(address).ask(NAME, "A")).outcome is Outcome.TIMEOUT

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        (reply,) = truncated(wire)
        writer.write(len(reply).to_bytes(2) + reply)
        await writer.drain()
        writer.close()

    async with scripted(truncated) as address, await asyncio.start_server(serve, *address):
        assert (await quick(address).ask(NAME, "A")).outcome is Outcome.MALFORMED


async def test_a_hundred_questions_at_once_each_get_their_own_answer() -> None:
    zone = {(f"h{n}.example.com", "A"): [f"192.0.2.{n}"] for n in range(100)}
    async with dns_fake(zone) as names:
        resolver = Resolver([names.address])
        found = await asyncio.gather(*(resolver.ask(f"h{n}.example.com", "A") for n in range(100)))
    assert [one.texts() for one in found] == [(f"192.0.2.{n}",) for n in range(100)]


@given(st.binary(max_size=80), st.integers(0, 0xFFFF), st.integers(0, 3), st.integers(0, 3))
def test_no_reply_of_any_kind_raises_or_becomes_records_that_were_not_in_it(
    rest: bytes, flags: int, questions: int, records: int
) -> None:
    asked = question(NAME, "A", int(dns.flags.RD))
    counts = questions.to_bytes(2) + records.to_bytes(2) + bytes(4)
    wire = asked.wire[:2] + flags.to_bytes(2) + counts + asked.section + rest
    assert _ours(wire, asked) in {None, _by_the_library(wire), Outcome.MALFORMED}


_FRAME = b"\xc0\x0c\0\1\0\1\0\0\0\1"  # of one record of the name that was asked for, up to its length
_PIECES = [
    *(_FRAME + rest for rest in (b"\0\4\x7f\0\0\1", b"\0\4\x7f\0\0\2", b"\0\3\x7f\0\0", b"\xff\xff", b"\0")),
    *(b"\0\0\x29\4\xd0" + rest for rest in (bytes(6), b"\1" + bytes(5), bytes(5) + b"\1\7")),
    b"\0",
]


def test_records_framed_in_any_way_are_read_as_the_library_reads_them() -> None:
    asked = question(NAME, "A", int(dns.flags.RD))
    seen = Counter[Outcome | None]()
    for size in range(4):
        for pieces in product(_PIECES, repeat=size):
            for records, additional in product(range(1, 4), range(3)):
                counts = b"\0\1" + records.to_bytes(2) + b"\0\0" + additional.to_bytes(2)
                wire = asked.wire[:2] + b"\x81\x80" + counts + asked.section + b"".join(pieces)
                ours = _ours(wire, asked)
                assert ours is _by_the_library(wire), wire
                seen[ours] += 1
    assert seen[Outcome.OK] > 50, "some of them were well"


_REPLIES = st.lists(
    st.sampled_from(
        [
            ("answer", f"{NAME}.", "A", "192.0.2.1"),
            ("answer", f"{NAME}.", "A", "192.0.2.9"),
            ("answer", f"{NAME}.", "CNAME", "other.example.net."),
            ("answer", "other.example.net.", "A", "192.0.2.2"),
            ("answer", "unasked.example.org.", "A", "192.0.2.3"),
            ("authority", "example.com.", "SOA", "ns.example.com. root.example.com. 1 2 3 4 5"),
            ("authority", "example.com.", "NS", "ns.example.com."),
            ("additional", "ns.example.com.", "A", "192.0.2.53"),
        ]
    ),
    unique=True,
).map(lambda records: ("A", records)) | st.sampled_from(
    [
        ("MX", ["10 mx.example.com.", "10 MX.example.com.", "20 mail.other.test."]),
        ("TXT", ['"v=spf1 -all" " and more"', '"another"']),
        ("NS", ["ns1.www.example.com.", "example.com."]),
        ("SOA", ["www.example.com. root.example.com. 1 2 3 4 5", "example.com. root.example.com. 2 2 3 4 5"]),
        ("CNAME", ["a.example.com.", "b.example.com."]),
        ("CAA", ['0 issue "ca.test"', '0 issue "ca.test"']),
        ("TLSA", ["3 1 1 " + 32 * "ab"]),
        ("AAAA", ["2001:db8::1", "2001:db8::2"]),
    ]
).map(lambda drawn: (drawn[0], [("answer", f"{NAME}.", drawn[0], text) for text in drawn[1]]))
_CODES = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 16, 18, 23])


@given(_REPLIES, _CODES, st.booleans(), st.booleans())
def test_every_well_formed_reply_is_read_as_the_library_reads_it(
    reply: tuple[str, list[tuple[str, str, str, str]]],
    rcode: int,
    edns: bool,  # noqa: FBT001 - drawn
    authenticated: bool,  # noqa: FBT001 - drawn
) -> None:
    asked_kind, records = reply
    asked = question(NAME, asked_kind, int(dns.flags.RD | dns.flags.AD))
    message = dns.message.make_response(dns.message.from_wire(asked.wire), recursion_available=True)
    if not edns:
        message.use_edns(-1)
        rcode &= 0xF
    if authenticated:
        message.flags |= dns.flags.AD
    for section, name, kind, text in records:
        getattr(message, section).append(dns.rrset.from_text(name, 300, "IN", kind, text))
    message.set_rcode(dns.rcode.Rcode(rcode))
    wire = message.to_wire()
    ours = read(wire, asked)
    assert ours is not None
    assert ours.outcome is _by_the_library(wire)
    if ours.outcome in {Outcome.OK, Outcome.NODATA, Outcome.NXDOMAIN}:
        assert ours.authenticated is authenticated
    read_by_it = cast("dns.message.QueryMessage", dns.message.from_wire(wire))
    expected = read_by_it.resolve_chaining().answer if ours.outcome is Outcome.OK else None
    assert ours.texts() == tuple(str(record) for record in expected or ())


def _ours(wire: bytes, asked: object) -> Outcome | None:
    try:
        answer: Answer | None = read(wire, asked)  # type: ignore[arg-type]  # a question
    except TruncatedError:
        return None
    return None if answer is None else answer.outcome


def _by_the_library(wire: bytes) -> Outcome:
    """Read a reply by dnspython alone."""
    try:
        message = dns.message.from_wire(wire)
        chain = cast("dns.message.QueryMessage", message).resolve_chaining()
    except (dns.exception.DNSException, ValueError, AttributeError):
        return Outcome.MALFORMED
    if message.rcode() == dns.rcode.NOERROR:
        return Outcome.NODATA if chain.answer is None else Outcome.OK
    named = {
        dns.rcode.NXDOMAIN: Outcome.NXDOMAIN,
        dns.rcode.SERVFAIL: Outcome.SERVFAIL,
        dns.rcode.REFUSED: Outcome.REFUSED,
    }
    return named.get(message.rcode(), Outcome.MALFORMED)
