"""Limits: rates with their headers, the bounded pool, and a database that is away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import FakeClock, client_of, found_company
from vendorrisk.app import Api, create_app
from vendorrisk.http.rate_limits import Limiter
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def app_with(settings: Settings, clock: FakeClock, **changed: Any) -> AsyncIterator[Api]:
    made = create_app(msgspec.structs.replace(settings, **changed), clock=clock)
    async with made.running():
        yield made


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(settings: Settings, clock: FakeClock) -> None:
    async with app_with(settings, clock, rate_limit_per_minute=3) as api:
        company = await found_company(api, clock, "Acme")
        responses = [await company.client.get("/v1/me") for _ in range(4)]
        assert [a.status_code for a in responses] == [200, 200, 200, 429]
        assert [a.headers["ratelimit"].split(";")[1] for a in responses] == ["r=2", "r=1", "r=0", "r=0"]
        assert all('"key";q=3;w=60' in a.headers["ratelimit-policy"] for a in responses)
        last = responses[-1]
        assert last.json()["code"] == "rate_limited"
        assert 1 <= int(last.headers["retry-after"]) <= 20
        other = await found_company(api, clock, "Globex")
        assert (await other.client.get("/v1/me")).status_code == 200


async def test_many_keys_of_a_tenant_take_no_more_than_the_tenant_may(settings: Settings, clock: FakeClock) -> None:
    async with app_with(settings, clock, rate_limit_per_minute=60, rate_limit_tenant_per_minute=6) as api:
        company, other = await found_company(api, clock, "Acme"), await found_company(api, clock, "Globex")
        made = [await company.client.post("/v1/api-keys", {"name": "k", "roles": ["auditor"]}) for _ in range(3)]
        keys = [client_of(api, m.json()["secret"]) for m in made]
        responses = [await key.get("/v1/me") for key in keys for _ in range(2)]
        assert [a.status_code for a in responses] == [200] * 3 + [429] * 3
        assert responses[0].headers["ratelimit-policy"] == '"key";q=60;w=60, "tenant";q=6;w=60'
        assert [a.headers["ratelimit"].split(", ")[1].split(";")[1] for a in responses[:4]] == [
            "r=2",
            "r=1",
            "r=0",
            "r=0",
        ]
        assert responses[-1].json()["code"] == "rate_limited"
        assert int(responses[-1].headers["retry-after"]) >= 1
        assert (await other.client.get("/v1/me")).status_code == 200


async def test_refusals_after_the_credentials_count_and_say_what_is_left(settings: Settings, clock: FakeClock) -> None:
    async with app_with(settings, clock, rate_limit_per_minute=60) as api:
        company = await found_company(api, clock, "Acme")
        refused = [
            await company.client.get("/v1/me?nope=1"),
            await company.client.post("/v1/members", b"{"),
            await company.client.patch("/v1/tenant", {"name": "X"}),
            await company.client.get("/v1/members?limit=0"),
        ]
        assert [r.headers["ratelimit"].split(";")[1] for r in refused] == ["r=59", "r=58", "r=57", "r=56"]


async def test_guessing_keys_is_slowed_by_address_and_never_slows_a_good_key(
    settings: Settings, clock: FakeClock
) -> None:
    async with app_with(settings, clock, rate_limit_unauthenticated_per_minute=5) as api:
        company = await found_company(api, clock, "Acme")
        guesses = [await client_of(api, f"vr_key_{n}").get("/v1/me") for n in range(7)]
        assert [g.status_code for g in guesses] == [401] * 5 + [429] * 2
        assert int(guesses[-1].headers["retry-after"]) >= 1
        assert (await company.client.get("/v1/me")).status_code == 200


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 20))
def test_no_window_of_a_minute_lets_more_than_twice_the_limit_through(gaps: list[float], limit: int) -> None:
    now, taken = 0.0, []
    limiter = Limiter("key", limit, lambda: now)
    for gap in gaps:
        now += gap
        allowance = limiter.take("k")
        if not allowance.wait_seconds:
            taken.append(now)
            assert 0 <= allowance.remaining < limit
        else:
            at = now
            now += allowance.wait_seconds
            assert limiter.take("k").wait_seconds == 0, "the wait that was told is enough"
            taken.append(now)
            now = max(at, now)
    for start in taken:
        assert sum(start <= t < start + 60 for t in taken) <= 2 * limit


async def test_an_exhausted_pool_answers_503_instead_of_queueing_for_ever(settings: Settings, clock: FakeClock) -> None:
    async with app_with(settings, clock, database_pool_size=1, database_wait_seconds=0.1) as api:
        company = await found_company(api, clock, "Acme")
        assert (await company.client.get("/v1/members")).status_code == 200
        async with api.service.database.tenant(company.tenant.id):
            body = {"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}
            asked = [company.client.get("/v1/members") for _ in range(60)]
            responses = await asyncio.gather(*asked, company.client.post("/v1/members", body))
        assert {a.status_code for a in responses} == {503}
        assert {a.json()["code"] for a in responses} == {"overloaded"}
        assert all(int(a.headers["retry-after"]) >= 1 for a in responses)
        assert await company.client.items("/v1/members") == []


class Gate:
    """A way to the database that can be shut: connections break and new ones are refused."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port, self.open = host, port, True
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.close()
            return
        onward_reader, onward = await asyncio.open_connection(self.host, self.port)
        self._writers |= {writer, onward}
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, onward), _pump(onward_reader, writer))
        onward.close()
        writer.close()

    def shut(self) -> None:
        self.open = False
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_a_database_that_is_away_is_503_and_all_is_well_when_it_is_back(
    settings: Settings, clock: FakeClock
) -> None:
    url = urlsplit(settings.database_url)
    if not url.hostname or url.hostname.startswith("/"):
        pytest.skip("the database listens on a socket file only")
    gate = Gate(url.hostname, url.port or 5432)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    netloc = f"{url.username}{':' + url.password if url.password else ''}@127.0.0.1:{port}"
    async with app_with(settings, clock, database_url=urlunsplit(url._replace(netloc=netloc))) as api:
        company = await found_company(api, clock, "Acme")
        body = {"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}
        assert (await company.client.post("/v1/members", body)).status_code == 201
        gate.shut()
        for remembered in (True, False):
            if not remembered:
                api.service.authenticate.forget_all()  # type: ignore[attr-defined]  # the identity feature's own
            for _ in range(3):
                read = await company.client.get("/v1/members")
                written = await company.client.post("/v1/members", {**body, "email": "eve@example.com"})
                for response in (read, written):
                    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable"), (
                        response.text
                    )
                    assert int(response.headers["retry-after"]) >= 1
        assert (await company.client.get("/health/live")).status_code == 200
        assert (await company.client.get("/health/ready")).status_code == 503
        gate.open = True
        assert len(await company.client.items("/v1/members")) == 1
        assert (await company.client.get("/health/ready")).status_code == 200
    server.close()
