"""Our own DNS client: queries the configured recursive servers, and distinguishes every kind of failure.

There is no search list, hosts file or cache. The same name asked twice is two questions, so that a scan sees the
current state and the guard vets exactly the answer it dials. Only within a session (`sessions`) an answer is reused for
a minute.

Each question has a socket, a port and an id of its own (RFC 5452). A truncated answer is asked again over TCP (RFC
7766). The AD flag (RFC 4035, section 3.2.3) is requested and passed on. It is meaningful only if the path to the
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
    """Queries `servers` (address, port) in turn. Each question has `lifetime_seconds` in total."""

    def __init__(
        self, servers: Sequence[tuple[str, int]], *, try_seconds: float = 2.0, lifetime_seconds: float = 5.0
    ) -> None:
        self._servers = tuple(servers)
        self._try_seconds = try_seconds
        self._lifetime_seconds = lifetime_seconds

    async def ask(self, name: str, kind: str, *, checking_disabled: bool = False) -> Answer:
        """Ask one question. Never raises for faults of the network or the name's owner.

        `name` may hold underscores (`_dmarc.example.com`), unlike a host. With `checking_disabled` (RFC 4035, section
        3.2.2) a validating resolver passes on answers that do not validate, which distinguishes a bogus zone from a
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
        """Query one server after another. Do not retry a server that failed. Retry one that timed out, after a pause.

        If all of them failed, return the last failure.
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
    """Query one server, over TCP if its answer does not fit. Replies to other questions are ignored."""
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as link:
        link.connect(server)  # the kernel then drops packets from other senders
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
    """Return the servers of /etc/resolv.conf. Empty if there are none."""
    try:
        configured = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return []
    return [(str(server), _PORT) for server in configured.nameservers if isinstance(server, str)]


def parse_servers(text: str) -> list[tuple[str, int]]:
    """Read `address`, `address:port` and `[v6]:port`, separated by commas. Raises `ValueError`."""
    return [_parse_server(part.strip()) for part in text.split(",") if part.strip()]


def _parse_server(part: str) -> tuple[str, int]:
    match = re.fullmatch(r"\[(?P<six>[0-9a-fA-F:.]+)\](?::(?P<p6>\d+))?|(?P<four>[0-9.]+)(?::(?P<p4>\d+))?", part)
    if match is None:
        if ":" in part and "." not in part:
            return part, _PORT  # a bare IPv6 address
        raise ValueError(f"{part!r} is not an address or address:port")
    return match["six"] or match["four"], int(match["p6"] or match["p4"] or _PORT)
