"""`vendorrisk api` as a process of its own, and raw connections to it."""

import socket
from contextlib import closing, suppress
from typing import Any

import httpx
import msgspec

from tests.embedded.make import START_SECONDS, Command, until
from vendorrisk.embedded.home import free_port
from vendorrisk.settings import VARIABLES, Settings

HOST = "127.0.0.1"


class Api(Command):
    """`vendorrisk api` on the servers of the suite."""

    def __init__(self, settings: Settings) -> None:
        self.port = free_port(HOST, 0)
        said = {VARIABLES[name]: str(value) for name, value in msgspec.structs.asdict(settings).items() if value != ""}
        super().__init__("api", settings={**said, "PORT": str(self.port)})
        until(self._serves, "the API serves", START_SECONDS)

    def _serves(self) -> bool:
        assert self.process.poll() is None, self.text
        with suppress(httpx.TransportError):
            return httpx.get(f"http://{HOST}:{self.port}/health/ready").status_code == 200
        return False

    def begin(self, key: str, method: str, path: str, length: int, *headers: str) -> socket.socket:
        """Send the head of a request, and return the connection."""
        connection = socket.create_connection((HOST, self.port), timeout=20)
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", f"Content-Length: {length}"]
        connection.sendall("\r\n".join([*lines, *headers, "", ""]).encode())
        return connection

    def refuses(self) -> bool:
        """Say whether a new connection gets nowhere."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.recv(16) == b""
        except OSError:
            return True


def response_of(connection: socket.socket) -> tuple[int, Any]:
    parts = []
    with closing(connection):
        while piece := connection.recv(65536):
            parts.append(piece)
            head, _, body = b"".join(parts).partition(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if length and len(body) >= int(length[0].split(b":")[1]):
                break
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    assert head, "the connection was closed without a response"
    return int(head.split(b" ")[1]), msgspec.json.decode(body)
