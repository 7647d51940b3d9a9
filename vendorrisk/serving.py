"""The API process: granian in this process, one worker, drained on SIGTERM."""

import asyncio
import os
import signal
import socket
import sys
from typing import Any

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketSpec  # type: ignore[attr-defined]  # granian leaves it untyped
from granian.server.embed import Server

from vendorrisk import logs
from vendorrisk.app import Api, create_app
from vendorrisk.memory import settle_in
from vendorrisk.processes.heartbeat import Heartbeat
from vendorrisk.processes.metrics import serve_metrics
from vendorrisk.release import VERSION
from vendorrisk.settings import SettingError, Settings
from vendorrisk.storage.port import DeniedError, UnreachableError
from vendorrisk.watchdog import watch

_MOST_CONNECTIONS = 1024
_SWITCH_SECONDS = 0.0005  # so soon the event loop goes on while a thread checks a large body (Python's own: 5 ms)
_DRAIN_SECONDS = 7.0  # that requests under way have to end, less than any supervisor grants

_log = structlog.get_logger("api")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Requests under way are answered first, within a bound.

    Raises `SettingError` if the port cannot be listened on.
    """
    logs.configure(settings)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    await _check_port(settings)
    app = create_app(settings)
    await _check_files(app)
    settle_in()
    sys.setswitchinterval(_SWITCH_SECONDS)
    watch(settings.stuck_seconds)
    server = _Server(app, settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    heartbeat = Heartbeat("api", app.service.database, app.service.clock, key_ids=app.service.keyring.ids)
    with serve_metrics(settings, "api_metrics_port"):
        _log.info("api_started", version=VERSION, host=settings.host, port=settings.port)
        async with heartbeat.running():
            await _until_drained(server, app, stopping)


class _Server(Server):
    """granian's server over a socket of ours, with options for which granian has no settings."""

    def __init__(self, app: Api, settings: Settings) -> None:
        super().__init__(
            app,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            log_enabled=False,
            websockets=False,
            backpressure=_MOST_CONNECTIONS,
            # Only in this mode is a connection ended that sends no request, or half of one.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=int(settings.idle_seconds * 1000)),
        )
        self._idle_milliseconds = int(settings.idle_seconds * 1000)

    def _init_shared_socket(self) -> None:
        """Bind, and let the kernel end connections whose caller takes no byte for so long, or is gone without a word.

        Connections inherit the options from the socket that accepts them.
        """
        self._shd: Any = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        with socket.socket(fileno=os.dup(self._shd.get_fd())) as listening:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._idle_milliseconds)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


async def _until_drained(server: Server, app: Api, stopping: asyncio.Event) -> None:
    """Serve until a stop signal, then until proxies had time to notice, then finish requests within a bound."""
    serving, told = asyncio.ensure_future(server.serve()), asyncio.ensure_future(stopping.wait())
    await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
    app.service.is_shutting_down = True
    # A client that connects while the port is being closed is cut off. This leaves time for nobody to do so.
    await asyncio.wait({serving}, timeout=app.service.settings.shutdown_delay_seconds)
    server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped
    await asyncio.wait({serving}, timeout=_DRAIN_SECONDS)
    told.cancel()
    if serving.done():
        await serving
    else:
        _log.warning("drain_cut", seconds=_DRAIN_SECONDS)
        # Leaving the loop cancels the remaining requests: an uncommitted write is rolled back.
        serving.cancel()


async def _check_files(app: Api) -> None:
    """Refuse to start on files of another user: every upload and download would be answered 503."""
    try:
        await app.service.file_store.check()
    except DeniedError as error:
        detail = f"{error}. Start as the user who owns the folder, or give the folder to this user (chown -R)."
        raise SettingError(detail) from error
    except UnreachableError as error:
        _log.warning("files_unreachable", error=str(error))


async def _check_port(settings: Settings) -> None:
    """Refuse a port in use: the server would share it with another process of ours, and answer every second call."""
    try:
        probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, settings.host, settings.port)
    except OSError as error:
        place = f"{settings.host} port {settings.port}"
        raise SettingError(f"{place} cannot be listened on ({error.strerror}). Set PORT to a free one.") from error
    probe.close()
    await probe.wait_closed()
