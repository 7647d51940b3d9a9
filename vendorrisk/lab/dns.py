"""A DNS server on loopback, UDP and TCP on one port, whose every answer a test scripts.

    zone = {("www.example.test", "A"): ["127.0.0.1"], ("gone.example.test", "A"): Behaviour.SERVFAIL}
    async with dns_fake(zone) as server:
        resolver = Resolver([server.address])

A name that is missing in the zone does not exist (NXDOMAIN). A name with only records of other kinds has no data. A
CNAME is followed inside the zone. A list of lists, or a callable taking the count of earlier questions, changes its
answer from question to question (DNS rebinding). The last list stays.
"""

import asyncio
from collections import Counter, UserDict
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_TTL_SECONDS = 300
_UDP_BYTES = 1232
_ATTEMPTS = 20


class Behaviour(Enum):
    """A server's behaviour instead of answering."""

    DROP = auto()
    SERVFAIL = auto()
    REFUSED = auto()
    GARBAGE = auto()


Records = Sequence[str] | Sequence[Sequence[str]] | Callable[[int], Sequence[str]] | Behaviour
Zone = Mapping[tuple[str, str], Records]


class _Names(UserDict[tuple[str, str], Records]):
    """A zone that knows which names exist: those it holds records of, and every name above them (RFC 8020)."""

    def __init__(self, zone: Zone) -> None:
        self._held: Counter[str] = Counter()
        super().__init__(zone)

    def __setitem__(self, key: tuple[str, str], records: Records) -> None:
        if key not in self.data:
            self._held.update(_above(key[0]))
        self.data[key] = records

    def __delitem__(self, key: tuple[str, str]) -> None:
        del self.data[key]
        self._held.subtract(_above(key[0]))

    def exists(self, name: str) -> bool:
        return self._held[name] > 0


def _above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[depth:]) for depth in range(len(labels))]


class DnsFake:
    """The running server. `questions` holds (name, kind) in order of arrival. `zone` may be changed."""

    def __init__(self, zone: Zone, *, authenticated: bool = False) -> None:
        self._zone = _Names(zone)
        self.authenticated = authenticated
        self.questions: list[tuple[str, str]] = []
        self._asked: Counter[tuple[str, str]] = Counter()
        self.over_tcp: list[tuple[str, str]] = []
        self.address = ("127.0.0.1", 0)

    @property
    def zone(self) -> MutableMapping[tuple[str, str], Records]:
        return self._zone

    @zone.setter
    def zone(self, zone: Zone) -> None:
        self._zone = _Names(zone)

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        earlier = self._asked[name, kind]
        self._asked[name, kind] += 1
        self.questions.append((name, kind))
        if tcp:
            self.over_tcp.append((name, kind))
        response = dns.message.make_response(query, recursion_available=True)
        if self.authenticated:
            response.flags |= dns.flags.AD
        behaviour = self._fill(response, name, kind, earlier)
        if behaviour is Behaviour.DROP:
            return None
        if behaviour is Behaviour.GARBAGE:
            return wire[:2] + b"\xff" * 9
        return _packed(response, tcp=tcp)

    def _fill(self, response: dns.message.Message, name: str, kind: str, earlier: int) -> Behaviour | None:
        for _ in range(10):
            found = self._zone.get((name, kind))
            if isinstance(found, Behaviour):
                codes = {Behaviour.SERVFAIL: dns.rcode.SERVFAIL, Behaviour.REFUSED: dns.rcode.REFUSED}
                response.set_rcode(codes.get(found, dns.rcode.NOERROR))
                return found
            if found is not None:
                records = _at(found, earlier)
                response.answer.append(dns.rrset.from_text_list(f"{name}.", _TTL_SECONDS, "IN", kind, records))
                return None
            alias = self._zone.get((name, "CNAME"))
            if alias is None or isinstance(alias, Behaviour):
                break
            target = _at(alias, 0)[0].rstrip(".")
            response.answer.append(dns.rrset.from_text(f"{name}.", _TTL_SECONDS, "IN", "CNAME", f"{target}."))
            name = target
        if not self._zone.exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return None


def _at(records: Records, earlier: int) -> list[str]:
    if callable(records):
        return list(records(earlier))
    if isinstance(records, Behaviour):
        raise TypeError("a behaviour has no records")
    if records and not isinstance(records[0], str):
        return list(records[min(earlier, len(records) - 1)])
    return [str(record) for record in records]


def _packed(response: dns.message.Message, *, tcp: bool) -> bytes:
    wire = response.to_wire(max_size=65535)
    if tcp or len(wire) <= _UDP_BYTES:
        return wire
    response.answer.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, fake: DnsFake) -> None:
        self._fake = fake
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own datagram transports are no subclass of the one they document.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._fake.answer(data, tcp=False)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def dns_fake(zone: Zone, *, authenticated: bool = False, host: str = "127.0.0.1") -> AsyncIterator[DnsFake]:
    """Serve a zone at `address` for the length of the block."""
    fake = DnsFake(zone, authenticated=authenticated)

    async def serve_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                answer = fake.answer(await reader.readexactly(length), tcp=True)
                if answer is not None:
                    writer.write(len(answer).to_bytes(2) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server, transport = await _bind(fake, serve_tcp, host)
    try:
        yield fake
    finally:
        transport.close()
        server.close()


async def _bind(
    fake: DnsFake, serve_tcp: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object], host: str
) -> tuple[asyncio.Server, asyncio.DatagramTransport]:
    """Bind TCP first and UDP on the same number after, again until both are free."""
    loop = asyncio.get_running_loop()
    for _ in range(_ATTEMPTS):
        server = await asyncio.start_server(serve_tcp, host, 0)  # type: ignore[arg-type] # a coroutine function
        port = server.sockets[0].getsockname()[1]
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(fake), local_addr=(host, port))
        except OSError:
            server.close()
            continue
        fake.address = (host, port)
        return server, transport
    raise OSError("no port was free for both UDP and TCP")
