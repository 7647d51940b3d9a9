"""Our own DNS client: asks the configured recursive servers, and tells apart every way of not knowing.

No search list, no hosts file, no cache: the same name asked twice is two questions, so that a scan sees the present and
the guard vets exactly the answer it dials; only within a session (`sessions`) an answer is good for a minute.

Each question has a socket, a port and an id of its own (RFC 5452). A truncated answer is asked again over TCP (RFC
7766). The AD flag (RFC 4035, section 3.2.3) is asked for and handed on; it means something only where the path to the
resolver is trusted.
"""

import asyncio
import re
import socket
from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.resolver

from vendorrisk.egress.dns_messages import Answer, Outcome, Question, TruncatedError, question, read
from vendorrisk.egress.sessions import current

__all__ = ("Answer", "Outcome", "Resolver", "parse_servers", "system_servers")

_PORT = 53
_MOST_BYTES = 65535
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds, before servers that were silent are asked again
_SAID = frozenset({Outcome.OK, Outcome.NODATA, Outcome.NXDOMAIN})


class Resolver:
    """Asks `servers` (address, port) in turn; each question has `lifetime_seconds` in all."""

    def __init__(
        self, servers: Sequence[tuple[str, int]], *, try_seconds: float = 2.0, lifetime_seconds: float = 5.0
    ) -> None:
        self._servers = tuple(servers)
        self._try_seconds = try_seconds
        self._lifetime_seconds = lifetime_seconds

    async def ask(self, name: str, kind: str, *, checking_disabled: bool = False) -> Answer:
        """Ask one question; never raises for what the network or the name's owner does.

        `name` may hold underscores (`_dmarc.example.com`), unlike a host. With `checking_disabled` (RFC 4035,
        section 3.2.2) a validating resolver hands on what does not validate: so a bogus zone is told from a
        dead one. Raises `ValueError` for a kind that does not exist.
        """
        flags = dns.flags.RD | (dns.flags.CD if checking_disabled else dns.flags.AD)
        try:
            asked = question(name, kind, flags)
        except dns.exception.DNSException:
            return Answer(name, kind, Outcome.MALFORMED)
        session, key = current(), (self._servers, name, kind, flags)
        if session is not None and (remembered := session.answer(key)) is not None:
            return remembered
        answer = await self._ask_in_turn(asked)
        if session is not None and answer.outcome in _SAID:
            session.remember(key, answer)
        return answer

    async def _ask_in_turn(self, asked: Question) -> Answer:
        """Ask one server after another. One that failed is asked no more, one that was silent is, after a pause.

        Returns what the last one that failed said, where all of them did.
        """
        clock = asyncio.get_running_loop().time
        servers, pause, until = list(self._servers), _FIRST_PAUSE, clock() + self._lifetime_seconds
        failed = Answer(asked.name, asked.kind, Outcome.MALFORMED)
        while servers:
            for server in tuple(servers):
                try:
                    async with asyncio.timeout_at(min(until, clock() + self._try_seconds)):
                        answer = await _exchange(server, asked)
                except (TimeoutError, OSError):
                    continue
                if answer.outcome in _SAID:
                    return answer
                failed = answer
                servers.remove(server)
            if servers and clock() + pause >= until:
                return Answer(asked.name, asked.kind, Outcome.TIMEOUT)
            if servers:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        return failed


async def _exchange(server: tuple[str, int], asked: Question) -> Answer:
    """Ask one server, over TCP where its answer does not fit; what answers something else is waited past."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as link:
        link.connect(server)  # the kernel then drops what comes from elsewhere
        link.send(asked.wire)
        while True:
            try:
                answer = read(await loop.sock_recv(link, _MOST_BYTES), asked)
            except TruncatedError:
                return await _exchange_over_tcp(server, asked)
            if answer is not None:
                return answer


async def _exchange_over_tcp(server: tuple[str, int], asked: Question) -> Answer:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(asked.wire).to_bytes(2) + asked.wire)
        length = int.from_bytes(await reader.readexactly(2))
        answer = read(await reader.readexactly(length), asked)
    except (asyncio.IncompleteReadError, TruncatedError):
        answer = None
    finally:
        writer.transport.abort()
    return answer or Answer(asked.name, asked.kind, Outcome.MALFORMED)


def system_servers() -> list[tuple[str, int]]:
    """Return what /etc/resolv.conf names; an empty list where there is none."""
    try:
        configured = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return []
    return [(str(server), _PORT) for server in configured.nameservers if isinstance(server, str)]


def parse_servers(text: str) -> list[tuple[str, int]]:
    """Read `address`, `address:port` and `[v6]:port`, separated by commas; raises `ValueError`."""
    return [_parse_server(part.strip()) for part in text.split(",") if part.strip()]


def _parse_server(part: str) -> tuple[str, int]:
    match = re.fullmatch(r"\[(?P<six>[0-9a-fA-F:.]+)\](?::(?P<p6>\d+))?|(?P<four>[0-9.]+)(?::(?P<p4>\d+))?", part)
    if match is None:
        if ":" in part and "." not in part:
            return part, _PORT  # a bare IPv6 address
        raise ValueError(f"{part!r} is not an address or address:port")
    return match["six"] or match["four"], int(match["p6"] or match["p4"] or _PORT)
