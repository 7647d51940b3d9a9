"""API processes are replaced one after the other under load, behind a proxy that asks each whether it is ready."""

import asyncio
from contextlib import AsyncExitStack, suppress
from itertools import count
from typing import Self

import httpx
import msgspec
import pytest

from tests.conftest import Company
from tests.http.test_drain import Api
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio
_CALLERS = 6
_LOOK_SECONDS = 0.05
_SHUTDOWN_DELAY_SECONDS = (
    2.0  # of which a proxy that looks twenty times a second needs little, on a machine that does much else
)


class Proxy:
    """Gives each request to one of those that said they are ready, over connections that are kept; never twice."""

    def __init__(self) -> None:
        self.ready: dict[int, httpx.AsyncClient] = {}
        self._known: dict[int, httpx.AsyncClient] = {}
        self._turn = count()

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._looking.cancel()
        await self._stack.aclose()

    async def add(self, port: int) -> None:
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self._known[port] = await self._stack.enter_async_context(client)
        async with asyncio.timeout(30):
            while port not in self.ready:  # noqa: ASYNC110 - a look finds it
                await asyncio.sleep(_LOOK_SECONDS)

    async def post(self, body: object, headers: dict[str, str]) -> httpx.Response:
        clients = list(self.ready.values())
        return await clients[next(self._turn) % len(clients)].post("/v1/vendors", json=body, headers=headers)

    async def _look(self) -> None:
        while True:
            for port, client in list(self._known.items()):
                if await _says_ready(port):
                    self.ready[port] = client
                else:
                    self.ready.pop(port, None)
            await asyncio.sleep(_LOOK_SECONDS)


async def _says_ready(port: int) -> bool:
    with suppress(httpx.TransportError):
        async with httpx.AsyncClient() as asking:
            return (await asking.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
    return False


async def test_no_request_fails_while_every_process_is_replaced(settings: Settings, company: Company) -> None:
    leaving = msgspec.structs.replace(settings, shutdown_delay_seconds=_SHUTDOWN_DELAY_SECONDS)
    apis, responses, over = [], list[int](), asyncio.Event()
    headers = {"authorization": f"Bearer {company.key.secret}"}

    async def call(number: int) -> None:
        for turn in count():
            if over.is_set():
                return
            response = await proxy.post({"name": f"Vendor {number} {turn}"}, headers)
            responses.append(response.status_code)

    async with Proxy() as proxy:
        try:
            for _ in range(2):
                apis.append(await asyncio.to_thread(Api, leaving))
                await proxy.add(apis[-1].port)
            callers = [asyncio.create_task(call(number)) for number in range(_CALLERS)]
            for old in list(apis):
                assert await asyncio.to_thread(old.stop) == 0
                apis.append(await asyncio.to_thread(Api, leaving))
                await proxy.add(apis[-1].port)
            over.set()
            await asyncio.gather(*callers)
        finally:
            for api in apis:
                api.shut_down()
    assert set(responses) == {201}
    assert len(await company.client.items("/v1/vendors", limit=200)) == len(responses) > _CALLERS
