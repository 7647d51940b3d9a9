"""Raw requests, for what no well-behaved client sends."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec

from vendorrisk.app import Api

DANA = {"name": "Dana Reyes", "email": "dana@example.com", "roles": ["reviewer"]}


class Raw(msgspec.Struct):
    """A response as the ASGI server would see it."""

    status: int = 0
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def scope_of(
    method: str, path: str, headers: Sequence[tuple[str, str]], peer: tuple[str, int] = ("192.0.2.7", 40000)
) -> dict[str, Any]:
    plain, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers],
        "client": peer,
        "server": ("127.0.0.1", 8080),
        "state": {},
    }


async def send_raw(
    api: Api,
    method: str,
    path: str,
    headers: Sequence[tuple[str, str]],
    messages: Iterable[dict[str, Any]] = (),
    *,
    hang: bool = False,
    peer: tuple[str, int] = ("192.0.2.7", 40000),
) -> Raw:
    """Send the messages as they are; then hang up, or with `hang` send nothing more."""
    queue = list(messages)
    response = Raw()

    async def receive() -> dict[str, Any]:
        if queue:
            return queue.pop(0)
        if hang:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            response.status = message["status"]
            response.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            response.body += message.get("body", b"")

    await api(scope_of(method, path, headers, peer), receive, send)  # type: ignore[arg-type]  # plain functions of ASGI
    return response


def chunk(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]
