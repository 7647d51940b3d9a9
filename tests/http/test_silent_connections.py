"""Connections on which nothing happens are ended: silent, half a request, idle, and deaf ones."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.embedded.make import until
from tests.http.serving import HOST, Api
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio
_SOON_SECONDS = 30  # of a machine that does much else; the setting is one second


@pytest.fixture
def serving(settings: Settings) -> Iterator[Api]:
    made = Api(msgspec.structs.replace(settings, idle_seconds=1))
    yield made
    made.shut_down()


def established(port: int) -> int:
    """Return how many connections the server on a port holds, as its kernel knows."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)


def lives(serving: Api) -> bool:
    return httpx.get(f"http://{HOST}:{serving.port}/health/live").status_code == 200


@pytest.mark.parametrize(
    "said",
    [b"", b"GET /health/live HTT", b"GET /health/live HTTP/1.1\r\nHost: x\r\n"],
    ids=["silent", "half a line", "half a head"],
)
async def test_a_connection_without_a_whole_request_is_ended(serving: Api, said: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(socket.create_connection((HOST, serving.port)))
            connection.sendall(said)
        until(lambda: established(serving.port) == 0, "all of them are ended", _SOON_SECONDS)
        assert lives(serving)


async def test_an_idle_connection_is_ended_after_its_response(serving: Api) -> None:
    with socket.create_connection((HOST, serving.port), timeout=_SOON_SECONDS) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        assert connection.recv(65536) == b"", "the server ends it"


async def test_a_caller_who_takes_no_byte_is_ended(serving: Api) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect((HOST, serving.port))
            # Far more than the kernel's own buffers hold.
            deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert established(serving.port) == 5
        until(lambda: established(serving.port) == 0, "all of them are ended", _SOON_SECONDS)
        assert lives(serving)
