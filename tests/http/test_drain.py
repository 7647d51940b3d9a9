"""SIGTERM to `vendorrisk api`: what is under way is answered, what is new is refused, and the process ends well."""

import signal
import socket
import time
from collections.abc import Iterator

import httpx
import msgspec
import pytest

from tests.conftest import Company
from tests.embedded.make import Command, until
from tests.http.serving import HOST, Api, response_of
from vendorrisk.settings import VARIABLES, Settings

pytestmark = pytest.mark.anyio
_DRAINS_SECONDS = 7  # what the API grants to those under way
_SOON_SECONDS = 20  # on a machine that does much else; less than the 30 s that a body may take


@pytest.fixture
def serving(settings: Settings) -> Iterator[Api]:
    made = Api(settings)
    yield made
    made.shut_down()


def under_way(serving: Api, connection: socket.socket) -> None:
    """Return when the server has begun to read what this connection sent."""
    del connection
    for _ in range(3):
        assert httpx.get(f"http://{HOST}:{serving.port}/health/live").status_code == 200


async def test_a_request_under_way_is_answered_and_kept_while_new_ones_are_refused(
    serving: Api, company: Company
) -> None:
    body = b'{"name": "Begun before the signal"}'
    connection = serving.begin(company.key.secret, "POST", "/v1/vendors", len(body), "Content-Type: application/json")
    connection.sendall(body[:10])
    under_way(serving, connection)
    serving.process.send_signal(signal.SIGTERM)
    until(serving.refuses, "new connections are refused", 5)
    assert serving.process.poll() is None, "it waits for the one under way"
    connection.sendall(body[10:])
    status, vendor = response_of(connection)
    assert (status, vendor["name"]) == (201, "Begun before the signal")
    assert serving.ended(_SOON_SECONDS) == 0
    assert [item["id"] for item in await company.client.items("/v1/vendors")] == [vendor["id"]]


async def test_a_slow_upload_under_way_is_stored_whole(serving: Api, company: Company) -> None:
    vendor = (await company.client.post("/v1/vendors", {"name": "Nimbus"})).json()
    described = {"vendor_id": vendor["id"], "kind": "policy", "title": "A policy"}
    document = (await company.client.post("/v1/documents", described)).json()
    pieces = [b"We encrypt what we keep.\n" * 4000] * 6
    place = f"/v1/documents/{document['id']}/file"
    headers = ("Content-Type: text/plain", 'If-Match: "1"')
    connection = serving.begin(company.key.secret, "PUT", place, sum(map(len, pieces)), *headers)
    connection.sendall(pieces[0])
    under_way(serving, connection)
    serving.process.send_signal(signal.SIGTERM)
    for piece in pieces[1:]:
        until(serving.refuses, "new connections are refused", 5)
        connection.sendall(piece)
    status, stored = response_of(connection)
    assert status == 200, stored
    assert serving.ended(_SOON_SECONDS) == 0
    kept = await company.client.get(place)
    assert kept.content == b"".join(pieces)


async def test_connections_that_say_nothing_hold_nobody_up(serving: Api, company: Company) -> None:
    with httpx.Client(base_url=f"http://{HOST}:{serving.port}") as idle:
        answered = idle.get("/health/live").status_code  # noqa: ASYNC212 - nothing else runs on this loop
        assert answered == 200
        with socket.create_connection((HOST, serving.port)):
            begun = time.monotonic()
            assert serving.stop() == 0
    assert time.monotonic() - begun < _DRAINS_SECONDS, "it did not wait for them"


async def test_a_caller_who_never_ends_does_not_keep_the_process(serving: Api, company: Company) -> None:
    connection = serving.begin(company.key.secret, "POST", "/v1/vendors", 100, "Content-Type: application/json")
    connection.sendall(b'{"name": ')
    under_way(serving, connection)
    begun = time.monotonic()
    assert serving.stop() == 0
    assert time.monotonic() - begun < _SOON_SECONDS
    connection.close()
    assert await company.client.items("/v1/vendors") == []


async def test_a_port_in_use_is_refused_and_not_shared(serving: Api, settings: Settings) -> None:
    said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
    second = Command("api", settings={**said, "PORT": str(serving.port)})
    try:
        assert second.ended(20) == 1, second.text
    finally:
        second.shut_down()
    assert f"port {serving.port}" in second.text
    assert "Traceback" not in second.text
