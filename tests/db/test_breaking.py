"""Connections that break in the middle of a transaction: whatever asyncpg makes of it, they are not lent again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from tests.conftest import Company, FakeClock, client_of
from vendorrisk.app import create_app
from vendorrisk.db.pool import UNREACHABLE, Database
from vendorrisk.errors import Refusal
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


def _message(kind: bytes, *fields: bytes) -> bytes:
    body = b"".join(field + b"\0" for field in fields) + b"\0"
    return kind + (len(body) + 4).to_bytes(4, "big") + body


# What a server says to everyone when one of its processes has crashed, before it goes (PostgreSQL, protocol 3.0).
CRASHED = _message(b"E", b"SWARNING", b"VWARNING", b"C57P02", b"Mterminating connection because of crash")
STOPPED = _message(b"E", b"SFATAL", b"VFATAL", b"C57P01", b"Mterminating connection due to administrator command")
SAYS = {"a crash, as a warning": b"N" + CRASHED[1:], "a crash, as an error": CRASHED, "a stop": STOPPED}


class Between:
    """Stands between the service and its server, and says things in the server's name."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._folder = parse_qs(parts.query).get("host", [None])[0]
        self._host, self._port = parts.hostname or "", parts.port or 5432
        self._callers: set[asyncio.StreamWriter] = set()
        self._parts = parts

    def url(self, port: int) -> str:
        user = self._parts.netloc.rpartition("@")[0]
        return self._parts._replace(netloc=f"{user}@127.0.0.1:{port}", query="").geturl()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._folder:
            answers, onward = await asyncio.open_unix_connection(f"{self._folder}/.s.PGSQL.5432")
        else:
            answers, onward = await asyncio.open_connection(self._host, self._port)
        self._callers.add(writer)
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, onward), _pump(answers, writer))
        self._callers.discard(writer)
        writer.close()
        onward.close()

    def say(self, message: bytes) -> None:
        for writer in self._callers:
            writer.write(message)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def between(settings: Settings) -> AsyncIterator[tuple[Between, Settings]]:
    made = Between(settings.database_url)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    url = made.url(server.sockets[0].getsockname()[1])
    yield made, msgspec.structs.replace(settings, database_url=url, database_pool_size=1)
    server.close()


@pytest.mark.parametrize("says", SAYS)
async def test_what_the_server_says_at_the_wrong_moment_is_a_database_that_went_away(
    between: tuple[Between, Settings], company: Company, says: str
) -> None:
    server, settings = between
    database = Database(settings)
    await database.open()
    try:
        for read_only in (False, True):
            borrow = database.reading if read_only else database.tenant
            with contextlib.suppress(Refusal, *UNREACHABLE):
                async with borrow(company.tenant.id) as connection:
                    server.say(SAYS[says])
                    await asyncio.sleep(0.05)
                    await connection.fetchval("select 1")
            async with borrow(company.tenant.id) as connection:
                assert await connection.fetchval("select 1") == 1, "the broken one is not lent again"
    finally:
        await database.close()


@pytest.mark.parametrize("says", SAYS)
async def test_a_request_in_the_middle_of_it_is_503_and_may_be_repeated(
    between: tuple[Between, Settings], company: Company, clock: FakeClock, says: str
) -> None:
    server, settings = between
    api = create_app(settings, clock=clock)
    async with api.running():
        client = client_of(api, company.key.secret)
        assert (await client.get("/v1/vendors")).status_code == 200
        real = api.service.database._acquire

        async def acquire() -> object:
            lent = await real()
            server.say(SAYS[says])
            await asyncio.sleep(0.05)
            return lent

        api.service.database._acquire = acquire  # type: ignore[method-assign]  # put in its place for the test
        response = await client.post("/v1/vendors", {"name": "Nimbus"}, headers={"idempotency-key": "k"})
        api.service.database._acquire = real  # type: ignore[method-assign]  # put in its place for the test
        assert response.status_code in {201, 503}, response.text
        if response.status_code == 503:
            assert response.json()["code"] == "database_unavailable"
        assert (
            await client.post("/v1/vendors", {"name": "Nimbus"}, headers={"idempotency-key": "k"})
        ).status_code == 201
    assert len(await company.client.items("/v1/vendors")) == 1
