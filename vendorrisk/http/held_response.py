"""A response that is held back until its transaction has ended."""

import msgspec
from litestar.types import Message, Send


class RefusedError(Exception):
    """Leaves the transaction of a refused request, so that it rolls back."""


class HeldResponse(msgspec.Struct):
    """The status, headers and body that a handler has sent so far."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)
    body: bytes = b""

    @property
    def is_refusal(self) -> bool:
        return self.status >= 400  # noqa: PLR2004 - HTTP

    def check(self) -> None:
        """Raise `RefusedError` if the handler refused."""
        if self.is_refusal:
            raise RefusedError

    async def hold(self, message: Message) -> None:
        """Take the place of ASGI's `send`."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send_to(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})

    def replace_body(self, body: bytes) -> None:
        self.headers = [(k, v) for k, v in self.headers if k != b"content-length"]
        self.headers.append((b"content-length", str(len(body)).encode()))
        self.body = body

    def drop_body(self) -> None:
        """Leave the body out, as `Prefer: return=minimal` asks."""
        gone = {b"content-length", b"content-type"}
        self.headers = [(k, v) for k, v in self.headers if k not in gone]
        self.headers.append((b"preference-applied", b"return=minimal"))
        self.status = 204 if self.status == 200 else self.status  # noqa: PLR2004 - HTTP
        if self.status != 204:  # noqa: PLR2004 - HTTP
            self.headers.append((b"content-length", b"0"))
        self.body = b""
