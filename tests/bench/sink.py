"""A receiver that takes every message at once: 204, nothing read but the body's end.

PORT=… CERTIFICATE=… KEY=… python -m tests.bench.sink
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _serve() -> None:
    server = Server(
        application, address="127.0.0.1", port=int(os.environ["PORT"]), interface=Interfaces.ASGI, log_enabled=False,
        websockets=False, ssl_cert=Path(os.environ["CERTIFICATE"]), ssl_key=Path(os.environ["KEY"]),
    )  # fmt: skip
    await server.serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
