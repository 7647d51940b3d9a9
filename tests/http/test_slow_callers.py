"""Slow callers and large bodies of one tenant: they hold no connection to the database, and leave places to others.

Connections, places and bytes are counted. The callers hang for as long as the test wants.
"""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.conftest import Company
from tests.evidence.make import vendor
from tests.http.make import chunk, scope_of, send_raw
from vendorrisk import fair_places
from vendorrisk.app import Api
from vendorrisk.fair_places import FairPlaces
from vendorrisk.http.pace import Pace, Paces
from vendorrisk.sandbox import running

pytestmark = pytest.mark.anyio

MANY = 12  # more than there are connections (4), and more than one tenant's share of files (8)
CSV = ("content-type", "text/csv")
Way = Callable[[Api, Company], Awaitable[Any]]


def headers_of(company: Company, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {company.key.secret}"), *more]


async def document_of(company: Company, content: bytes | None = None) -> str:
    body = {"vendor_id": await vendor(company.client), "kind": "policy", "title": "A policy"}
    place = (await company.client.post("/v1/documents", body)).headers["location"]
    if content is not None:
        text = {"content-type": "text/plain"}
        stored = await company.client.put(f"{place}/file", content, etag='"1"', headers=text)
        assert stored.status_code == 200, stored.text
    return f"{place}/file"


async def deaf(api: Api, company: Company, path: str) -> None:
    """Ask for something, and take nothing but the head of the response."""

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await api(scope_of("GET", path, headers_of(company)), receive, send)  # type: ignore[arg-type]  # plain functions


async def deaf_downloads(api: Api, company: Company) -> Iterator[Awaitable[Any]]:
    place = await document_of(company, b"We encrypt what we keep.\n" * 40_000)
    return (deaf(api, company, place) for _ in range(MANY))


async def deaf_exports(api: Api, company: Company) -> Iterator[Awaitable[Any]]:
    await vendor(company.client)
    return (deaf(api, company, "/v1/vendors/export") for _ in range(MANY))


async def slow_uploads(api: Api, company: Company) -> Iterator[Awaitable[Any]]:
    place = await document_of(company)
    head = headers_of(company, ("content-type", "text/plain"), ("if-match", '"1"'))
    return (send_raw(api, "PUT", place, head, [chunk(b"W", more=True)], hang=True) for _ in range(MANY))


async def slow_imports(api: Api, company: Company) -> Iterator[Awaitable[Any]]:
    heads = [headers_of(company, CSV, ("idempotency-key", f"k{n}")) for n in range(MANY)]
    begun = [chunk(b"na", more=True)]
    return (send_raw(api, "POST", "/v1/vendor-imports", head, begun, hang=True) for head in heads)


async def slow_ratings(api: Api, company: Company) -> Iterator[Awaitable[Any]]:
    head, begun = headers_of(company, CSV), [chunk(b"dom", more=True)]
    return (send_raw(api, "POST", "/v1/vendor-rating-imports", head, begun, hang=True) for _ in range(MANY))


async def slow_json(api: Api, company: Company) -> Iterator[Awaitable[Any]]:
    head, begun = headers_of(company, ("content-type", "application/json")), [chunk(b"{", more=True)]
    return (send_raw(api, "POST", "/v1/vendors", head, begun, hang=True) for _ in range(MANY))


WAYS = [deaf_downloads, deaf_exports, slow_uploads, slow_imports, slow_ratings, slow_json]


@asynccontextmanager
async def under_way(calls: Iterator[Awaitable[Any]]) -> AsyncIterator[list["asyncio.Task[Any]"]]:
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.5)  # until each has come as far as it comes
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_slow_callers_hold_no_connection_and_another_tenant_does_the_same_beside_them(
    api: Api, company: Company, other_company: Company, way: Any
) -> None:
    place = await document_of(other_company)
    async with under_way(await way(api, company)) as tasks:
        assert not [task for task in tasks if task.done()], "all of them are slow"
        assert api.service.database.places.held == 0
        text = {"content-type": "text/plain"}
        stored = await other_company.client.put(place, b"We keep.\n", etag='"1"', headers=text)
        imported = await other_company.client.post("/v1/vendor-imports", b"name\nAcme\n", headers=dict([CSV]))
        read = await other_company.client.get(place)
        exported = await other_company.client.get("/v1/vendors/export")
    statuses = [response.status_code for response in (stored, imported, read, exported)]
    assert statuses == [200, 201, 200, 200], stored.text
    assert api.service.places.requests.held == api.service.places.files.held == 0, "all gave their places back"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_slow_callers_are_ended_and_leave_nothing(api: Api, company: Company, way: Any) -> None:
    calls = await way(api, company)
    api.service.paces = Paces(Pace(0.05, 1 << 20), Pace(0.05, 1 << 30))
    for call in calls:
        with suppress(Exception):
            answered = await asyncio.wait_for(call, 20)
            assert answered.status == 400, answered.body
    assert api.service.places.requests.held == api.service.places.files.held == 0
    assert await company.client.items("/v1/vendor-imports") == []


async def test_who_may_not_send_a_file_cannot_make_us_receive_one(
    api: Api, company: Company, other_company: Company, role_client: Any
) -> None:
    place = await document_of(company)
    auditor = (await role_client("auditor")).http.headers["authorization"]
    begun = [chunk(b"W", more=True)]
    text, first = ("content-type", "text/plain"), ("if-match", '"1"')
    sent = [
        (headers_of(company, text, ("if-match", '"7"')), 412),
        (headers_of(other_company, text, first), 404),
        ([("authorization", auditor), text, first], 403),
    ]
    for head, status in sent:
        # It would hang if anything waited for the rest.
        refused = await asyncio.wait_for(send_raw(api, "PUT", place, head, begun, hang=True), 20)
        assert refused.status == status, refused.body


async def test_tables_that_are_read_for_long_hold_no_connection_and_leave_a_child_to_another_tenant(
    api: Api, company: Company, other_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    living, go_on = running._lived, asyncio.Event()

    async def slowly(job: Any, pieces: AsyncIterator[bytes], limits: Any, answer: Any) -> Any:
        content = b"".join([piece async for piece in pieces])
        if b"slow" in content:
            await go_on.wait()
        return await living(job, running.Input.of(content).pieces, limits, answer)

    monkeypatch.setattr(running, "_lived", slowly)
    call = company.client.post
    slow = (call("/v1/vendor-imports", b"name\nslow\n", headers=dict([CSV])) for _ in range(6))
    async with under_way(slow) as tasks:
        assert api.service.database.places.held == 0
        done = await other_company.client.post("/v1/vendor-imports", b"name\nAcme\n", headers=dict([CSV]))
        assert (done.status_code, done.json()["state"]) == (201, "checked"), done.text
        assert not [task for task in tasks if task.done()]
        go_on.set()
        assert {(await task).json()["state"] for task in tasks} == {"checked"}


async def heavy_work(company: Company) -> None:
    aliases = [f"{n:060}" for n in range(3_000)]
    large = await company.client.post("/v1/vendors", {"name": "Large", "aliases": aliases})
    assert large.status_code == 422, large.text
    imported = await company.client.post("/v1/vendor-imports", b"name\nAcme\n", headers=dict([CSV]))
    assert imported.status_code == 201, imported.text


async def test_heavy_work_of_a_tenant_rests_only_while_another_tenant_is_served(
    api: Api, company: Company, other_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[Any] = []
    monkeypatch.setattr(FairPlaces, "rest", lambda *given: rests.append(given))
    await other_company.client.get("/v1/me")
    now = time.monotonic()
    monkeypatch.setattr(fair_places, "time", SimpleNamespace(monotonic=lambda: now + 3))
    await heavy_work(company)
    assert rests == [], "it is alone"
    await other_company.client.get("/v1/me")
    await heavy_work(company)
    places = api.service.places
    rested = [place for place, tenant, seconds in rests if tenant == company.tenant.id and seconds > 0]
    assert rested == [places.checks, places.imports, places.files]
    assert (await other_company.client.get("/v1/me")).status_code == 200


async def test_a_large_import_under_a_key_is_never_in_memory_as_a_whole(api: Api, company: Company) -> None:
    size = 24 * 1024 * 1024
    row = b"Acme,acme.example\n"
    piece = row * (64 * 1024 // len(row))
    messages = (chunk(piece, more=True) for _ in range(size // len(piece)))

    def body() -> Iterator[Any]:
        yield chunk(b"name,domain\n", more=True)
        yield from messages
        yield chunk(b"")

    sent = body()
    response: dict[str, Any] = {"body": b""}

    async def receive() -> Any:
        return next(sent)

    async def send(message: Any) -> None:
        response["status"] = message.get("status", response.get("status"))
        response["body"] += message.get("body", b"")

    scope = scope_of("POST", "/v1/vendor-imports", headers_of(company, CSV, ("idempotency-key", "k")))
    tracemalloc.start()
    try:
        await api(scope, receive, send)  # type: ignore[arg-type]  # plain functions of ASGI
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert response["status"] == 202, response["body"]
    assert msgspec.json.decode(response["body"])["file_bytes"] > 20 * 1024 * 1024
    assert most < 10 * 1024 * 1024


async def test_a_tenant_with_many_requests_under_way_is_refused_before_another_one_is(
    api: Api, company: Company, other_company: Company
) -> None:
    share = api.service.places.requests.share
    head, begun = headers_of(company, ("content-type", "application/json")), [chunk(b"{", more=True)]
    calls = (send_raw(api, "POST", "/v1/vendors", head, begun, hang=True) for _ in range(share))
    api.service.places.large_bodies.share = api.service.places.large_bodies.most
    async with under_way(calls):
        refused = await company.client.get("/v1/me")
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited"), refused.text
        assert int(refused.headers["retry-after"]) >= 1
        assert (await other_company.client.get("/v1/me")).status_code == 200
    assert (await company.client.get("/v1/me")).status_code == 200


async def test_a_flood_of_large_bodies_does_not_go_before_another_tenants_requests(
    api: Api, company: Company, other_company: Company
) -> None:
    large = b'{"name": [' + b"{}," * 300_000 + b"{}]}"
    client = company.client
    flood = [asyncio.ensure_future(client.post("/v1/vendors", large)) for _ in range(20)]
    await asyncio.sleep(0)
    read = await other_company.client.get("/v1/me")
    done_before_the_read = sum(task.done() for task in flood)
    sent = await other_company.client.post("/v1/vendors", large)
    done_before_the_send = sum(task.done() for task in flood)
    statuses = {(await task).status_code for task in flood}
    assert (read.status_code, sent.status_code) == (200, 422)
    assert done_before_the_read <= 3
    assert done_before_the_send <= 6, "its body was decoded in turn, not behind all of them"
    assert statuses <= {422, 429}
    places = api.service.places
    assert places.checks.peak == 1
    assert places.large_bodies.peak <= places.large_bodies.share + 1
