"""An installation of real processes on one machine, each of which a test may kill; what has died is started again.

The test itself stands where the supervisor would, so that it decides what dies when; `vendorrisk up` is held to its
own promises in tests/embedded.
"""

import asyncio
import base64
import os
import random
import secrets
import signal
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import psutil

from tests.embedded.make import Command, until
from vendorrisk.alerts.service import DISPATCH, RAISE
from vendorrisk.background import REDIS_AWAY, Nudger
from vendorrisk.embedded.home import free_port
from vendorrisk.embedded.postgres import Postgres, PostgresError
from vendorrisk.embedded.valkey import Valkey, ValkeyError
from vendorrisk.outbox.service import SEND

PARTS = ("worker", "api", "valkey", "postgres", "backend", "everything", "memory")
"""What may be killed: `backend` is one of Postgres's own processes, which makes it recover as a whole; `memory` is all
that Valkey knows (FLUSHALL), while it runs on."""

_LOOK_SECONDS = 0.5


class Kill(msgspec.Struct, frozen=True):
    part: str
    at: datetime


class Installation:
    """Start, kill and tend from the main thread alone: the kernel ties the servers to the thread that started them."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        self.postgres = Postgres(folder / "pg", folder / "run-pg", log=folder / "postgres.log")
        self.valkey = Valkey(folder / "valkey", folder / "run-valkey", persist=True, log=folder / "valkey.log")
        self.port = free_port("127.0.0.1", 0)
        self.settings = {
            "DATABASE_URL": self.postgres.dsn(),
            "REDIS_URL": self.valkey.url,
            "PORT": str(self.port),
            "VENDORRISK_HOME": str(folder / "home"),
            "VENDORRISK_ENVIRONMENT": "test",
            "VENDORRISK_SECRET_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
            "VENDORRISK_RATE_LIMIT_PER_MINUTE": "1000000",
            "VENDORRISK_RATE_LIMIT_TENANT_PER_MINUTE": "1000000",
            **settings,
        }
        self.programs: dict[str, Command] = {}
        self._looked_at = 0.0
        self.ended: list[Command] = []
        self.kills: list[Kill] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> str:
        """Start everything, and return the first admin key."""
        self.postgres.start()
        self.valkey.start()
        migrated = Command("migrate", settings=self.settings)
        assert migrated.ended() == 0, migrated.text
        founded = Command("tenants", "add", "Acme", settings=self.settings)
        assert founded.ended() == 0, founded.text
        self.tend()
        until(self.is_ready, "the API is ready", 60)
        return founded.lines[-1].rpartition(" ")[2]

    def is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.address}/health/ready", timeout=5).status_code == 200
        return False

    def tend(self) -> None:
        """Start what does not run: at once, where the supervisor would wait longer each time."""
        with suppress(PostgresError):
            if not self.postgres.is_running():
                self.postgres.start()
        with suppress(ValkeyError):
            if not self.valkey.is_running():
                self.valkey.start()
        for name in ("api", "worker"):
            program = self.programs.get(name)
            if program is None or program.process.poll() is not None:
                if program is not None:
                    self.ended.append(program)
                self.programs[name] = Command(name, settings=self.settings)
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            with suppress(*REDIS_AWAY):
                asyncio.run(self._say_look_now())

    async def _say_look_now(self) -> None:
        """Make ticks come often, so that senders are busy; the product's own come besides."""
        nudger = Nudger(self.valkey.url)
        try:
            redis = await nudger.connected()
            for job in (RAISE, DISPATCH, SEND):
                await redis.enqueue_job(job)
        finally:
            await nudger.close()

    async def _forget(self) -> None:
        nudger = Nudger(self.valkey.url)
        try:
            await (await nudger.connected()).flushall()
        finally:
            await nudger.close()

    def kill(self, part: str, points: random.Random) -> None:
        """Kill without a warning. What is dead already stays so."""
        self.kills.append(Kill(part, datetime.now(UTC)))
        if part == "memory":
            with suppress(*REDIS_AWAY):
                asyncio.run(self._forget())
            return
        for name in ("worker", "api", "valkey", "postgres") if part == "everything" else (part,):
            _kill(self._process(name, points))

    def _process(
        self, name: str, points: random.Random
    ) -> subprocess.Popen[bytes] | subprocess.Popen[str] | int | None:
        if name == "valkey":
            return self.valkey.process
        postgres = self.postgres.process
        if name == "postgres" or postgres is None:
            return postgres
        if name == "backend":
            with suppress(psutil.NoSuchProcess, IndexError):
                return points.choice(sorted(child.pid for child in psutil.Process(postgres.pid).children()))
            return None
        return self.programs[name].process

    def stop(self) -> None:
        for program in self.programs.values():
            program.process.send_signal(signal.SIGTERM)
        for program in self.programs.values():
            with suppress(subprocess.TimeoutExpired):
                program.ended(15)
            program.shut_down()
        self.valkey.stop()
        self.postgres.stop()

    def said(self) -> str:
        """Return how each API and worker ended and what it wrote last, oldest first, for a failure's message."""
        programs = [*self.ended, *self.programs.values()]
        return "\n".join(
            f"{program.process.poll()}: {line[:400]}" for program in programs for line in program.lines[-3:]
        )


def _kill(process: subprocess.Popen[bytes] | subprocess.Popen[str] | int | None) -> None:
    if isinstance(process, int):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    elif process is not None:
        process.kill()
        process.wait()
