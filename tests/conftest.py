"""Servers, a database for each test, and a client that enters by the route.

Without settings the suite starts a throw-away Postgres and Valkey of its own, in memory where there is room. With
TEST_DATABASE_URL (a login that may create databases) and TEST_REDIS_URL it uses those servers; with
TEST_POOLED_DATABASE_URL the service itself connects through that pooler, in transaction mode.
"""

import base64
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.client import Client
from vendorrisk.app import Api, create_app
from vendorrisk.background import JobContext
from vendorrisk.db import migrations
from vendorrisk.db.pool import Database
from vendorrisk.identity import service as identity
from vendorrisk.identity.model import CreatedApiKey, Tenant
from vendorrisk.settings import Settings
from vendorrisk.worker import make_job_context

MONDAY_MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECRET_KEYS = base64.b64encode(hashlib.sha256(b"only for tests").digest()).decode()

hypothesis_settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("suite")


def entered(folder: Path) -> list[Path]:
    """Return a folder of a test and those of the run above it, which other users must be let into to reach it."""
    return [folder, *(above for above in folder.parents if above.name.startswith(("pytest-", "popen-")))]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks Postgres or Redis: what does not is the same on whichever servers."""
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()):
            item.add_marker("servers")


class FakeClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = MONDAY_MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


class Servers(msgspec.Struct):
    """Where the servers of this run are. `admin_url` is never pooled."""

    admin_url: str
    service_url: str
    redis_url: str
    pooled: bool

    def database(self, name: str, *, admin: bool = False) -> str:
        return with_database(self.admin_url if admin else self.service_url, name)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with contextlib.ExitStack() as stack:
        url, redis_url = os.environ.get("TEST_DATABASE_URL"), os.environ.get("TEST_REDIS_URL")
        if url is None or redis_url is None:
            folder = _throw_away_folder()
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            url = url or _start_postgres(folder, stack)
            redis_url = redis_url or _start_valkey(folder, stack)
        if "TEST_REDIS_URL" in os.environ:
            redis_url = _own_part(redis_url)
        pooled = os.environ.get("TEST_POOLED_DATABASE_URL")
        yield Servers(url, pooled or url, redis_url, pooled is not None)


def _own_part(redis_url: str) -> str:
    """Give each process of this run a database of a shared server, or their workers would take each other's nudges."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))


def _throw_away_folder() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - memory is the point
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    folder = Path(tempfile.mkdtemp(prefix="vendorrisk-test-", dir=memory if roomy else None))
    folder.chmod(0o755)
    return folder


def _start_postgres(folder: Path, stack: contextlib.ExitStack) -> str:
    from vendorrisk.embedded.postgres import Postgres

    careless = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
    postgres = Postgres(folder / "postgres", folder / "run-postgres", settings=careless)
    postgres.start()
    stack.callback(postgres.stop)
    return postgres.dsn("postgres")


def _start_valkey(folder: Path, stack: contextlib.ExitStack) -> str:
    from vendorrisk.embedded.valkey import Valkey

    valkey = Valkey(folder / "valkey", folder / "run-valkey", persist=False)
    valkey.start()
    stack.callback(valkey.stop)
    return valkey.url


@pytest.fixture(scope="session")
async def template(servers: Servers) -> AsyncIterator[str]:
    """A migrated database that each test's own is cloned from."""
    name = f"template_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
    await migrations.migrate(servers.database(name, admin=True))
    yield name
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def database_name(servers: Servers, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"create database {name} template {template}")
    yield name
    await admin.execute(f"drop database if exists {name} with (force)")
    await admin.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(servers: Servers, database_name: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=servers.database(database_name),
        database_migration_url=servers.database(database_name, admin=True),
        database_pooling="transaction" if servers.pooled else "session",
        redis_url=servers.redis_url,
        secret_keys=SECRET_KEYS,
        environment="test",
        home=str(tmp_path / "home"),
        rate_limit_per_minute=1_000_000,
        rate_limit_tenant_per_minute=1_000_000,
        rate_limit_unauthenticated_per_minute=1_000_000,
    )


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def owner(servers: Servers, database_name: str) -> AsyncIterator[Any]:
    """A bare connection as the database's owner, to look behind the service."""
    connection = await asyncpg.connect(servers.database(database_name, admin=True))
    yield connection
    await connection.close()


@pytest.fixture
async def api(settings: Settings, clock: FakeClock) -> AsyncIterator[Api]:
    made = create_app(settings, clock=clock)
    async with made.running():
        yield made


@pytest.fixture
async def context(settings: Settings, clock: FakeClock) -> AsyncIterator[JobContext]:
    """What jobs reach, with the clock of the test."""
    made, nudger = make_job_context(settings, clock=clock)
    await made.database.open()
    yield made
    await made.database.close()
    await nudger.close()


class Company(msgspec.Struct):
    """A tenant of a test, and a client that calls with its first admin key."""

    tenant: Tenant
    key: CreatedApiKey
    client: Client


async def found_company(api: Api, clock: FakeClock, name: str, time_zone: str = "UTC") -> Company:
    async with api.service.database.system() as connection:
        tenant, key = await identity.found_tenant(connection, name, time_zone, clock())
    return Company(tenant, key, client_of(api, key.secret))


def client_of(api: Api, key: str | None) -> Client:
    """Return a client that calls the application in this process with a key."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)  # type: ignore[arg-type]  # an ASGI application
    return Client(httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers))


@pytest.fixture
async def company(api: Api, clock: FakeClock) -> Company:
    return await found_company(api, clock, "Acme")


@pytest.fixture
async def other_company(api: Api, clock: FakeClock) -> Company:
    """Another tenant, whose records the first must never see."""
    return await found_company(api, clock, "Globex", "Asia/Tokyo")


@pytest.fixture
def client(company: Company) -> Client:
    return company.client


@pytest.fixture
async def role_client(api: Api, company: Company) -> Any:
    """Makes clients that hold a role, through a key of their own."""

    async def make(*roles: str, **more: Any) -> Client:
        made = await company.client.post("/v1/api-keys", {"name": "-".join(roles), "roles": list(roles), **more})
        return client_of(api, made.json()["secret"])

    return make
