"""Raw and TLS connections: what hostile servers do, and what comes of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from tests.egress.make import loopback
from vendorrisk.egress.dialling import dial, exchange
from vendorrisk.egress.guard import Guard
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import http_fake, tcp_fake

pytestmark = pytest.mark.anyio

NAME = "www.example.test"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def guarded(port: int, address: str = "127.0.0.1") -> AsyncIterator[Guard]:
    async with dns_fake({(NAME, "A"): [address]}) as names:
        yield Guard(Resolver([names.address]), loopback=loopback(port))


def unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def plain_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def closes_after_hello(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read(100)


async def handshake_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff")
    while True:
        writer.write(bytes(100))
        await writer.drain()
        await asyncio.sleep(0.01)


async def old_server_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    hello = b"\x02\x00\x00\x26\x03\x00" + bytes(32) + b"\x00\x00\x2f\x00"
    writer.write(b"\x16\x03\x00" + len(hello).to_bytes(2) + hello)
    await writer.drain()
    await asyncio.sleep(1)


@pytest.mark.parametrize(
    ("script", "reasons"),
    [
        (silent, {Reason.CONNECT_TIMEOUT}),
        (plain_http, {Reason.TLS_FAILED}),
        (closes_after_hello, {Reason.CLOSED}),
        (handshake_for_ever, {Reason.CONNECT_TIMEOUT, Reason.TLS_FAILED}),
        (old_server_hello, {Reason.TLS_FAILED}),
    ],
)
async def test_a_server_that_does_not_finish_the_handshake_has_a_reason(script: Script, reasons: set[Reason]) -> None:
    async with tcp_fake(script) as port, guarded(port) as guard:
        with pytest.raises(EgressError) as refused:
            async with dial(guard, NAME, 443, timeout_seconds=0.5, tls=unchecked()):
                pytest.fail("the handshake cannot have been done")
    assert refused.value.reason in reasons


async def test_a_handshake_checks_the_name_that_was_asked_for() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    async with http_fake(tls=server) as web, guarded(web.port) as guard:
        async with dial(guard, NAME, 443, timeout_seconds=5, tls=client) as connection:
            assert connection.writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            assert (connection.host, connection.address, connection.port) == (NAME, "127.0.0.1", 443)
        with pytest.raises(EgressError) as refused:
            async with dial(guard, NAME, 443, timeout_seconds=5, tls=client, server_name="other.example.test"):
                pytest.fail("the name is not in the certificate")
    assert refused.value.reason is Reason.TLS_FAILED


async def test_a_private_address_is_not_dialled() -> None:
    dialled = 0

    async def count(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        nonlocal dialled
        dialled += 1

    async with tcp_fake(count) as port, guarded(port, address="10.0.0.5") as guard:
        for wanted in (443, 43):
            with pytest.raises(EgressError) as refused:
                async with dial(guard, NAME, wanted, timeout_seconds=1):
                    pytest.fail("a private address")
            assert refused.value.reason is Reason.ADDRESS
    assert dialled == 0


@pytest.mark.parametrize("port", [22, 25, 6379, 0])
async def test_other_ports_are_not_dialled(port: int) -> None:
    async with guarded(1) as guard:
        with pytest.raises(EgressError) as refused:
            async with dial(guard, NAME, port, timeout_seconds=1):
                pytest.fail("a port that is not ours to try")
    assert refused.value.reason is Reason.PORT


async def test_a_question_brings_its_answer() -> None:
    async def whois(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n")
        writer.write(b"answer to " + asked)
        await writer.drain()

    async with tcp_fake(whois) as port, guarded(port) as guard:
        answer = await exchange(guard, NAME, 43, question=b"x.com\r\n", most_bytes=100, timeout_seconds=5)
    assert answer == (b"answer to x.com\r\n", False)


async def test_a_flood_is_cut_and_a_drip_runs_out_of_time() -> None:
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with tcp_fake(flood) as port, guarded(port) as guard:
        answer, cut = await exchange(guard, NAME, 43, question=b"", most_bytes=100_000, timeout_seconds=5)
    assert (len(answer), cut) == (100_000, True)
    async with tcp_fake(drip) as port, guarded(port) as guard:
        with pytest.raises(EgressError) as refused:
            await exchange(guard, NAME, 43, question=b"", most_bytes=100_000, timeout_seconds=0.3)
    assert refused.value.reason is Reason.TIMEOUT


async def test_nobody_listening_is_a_refused_connection() -> None:
    async with tcp_fake(silent) as port:
        pass
    async with guarded(port) as guard:
        with pytest.raises(EgressError) as refused:
            async with dial(guard, NAME, 43, timeout_seconds=1):
                pytest.fail("nobody listens")
    assert refused.value.reason is Reason.CONNECT_REFUSED
