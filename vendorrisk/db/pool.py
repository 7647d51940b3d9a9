"""A bounded pool of connections, and the ways to borrow from it.

    tenant(id)    one transaction that sees and writes one tenant's rows
    reading(id)   the same rows, for reads only
    system()      one transaction across tenants: sweeps, credentials, verification

BEGIN, the role and the tenant travel as one message, so that row-level security costs no extra round trip.
Where the pool holds its own sessions, `reading` needs no transaction: the tenant is set on the session when
it differs from the one the connection served last. Behind PgBouncer in transaction mode nothing may outlive
a transaction, so there every borrow is one.

Tenants take connections in turn. One tenant never holds all of them, so that its slow statements leave another tenant a
connection. Work across tenants counts as one more tenant.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
import msgspec
import structlog

from vendorrisk.db.connection import Connection
from vendorrisk.errors import Code, Refusal
from vendorrisk.fair_places import FairPlaces, NoPlaceError
from vendorrisk.settings import SettingError, Settings

TENANT_ROLE = "vendorrisk_tenant"
SYSTEM_ROLE = "vendorrisk_system"

UNREACHABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # Unknown role or database, or login denied.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    # A server that goes says so out of turn, and asyncpg then takes the next statement for a second one at once.
    asyncpg.InternalClientError,
)
"""Errors that asyncpg raises while the server is away, starting, stopping or full."""

DATABASE_ADDRESS = "postgresql://user:password@host:port/database, with other characters percent-encoded"

NOT_READY = (
    asyncpg.InvalidParameterValueError,
    asyncpg.UndefinedObjectError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InsufficientPrivilegeError,
)
"""Errors of this release's statements in a database that was not migrated to it, or that it may not use."""


def is_not_migrated(error: Exception) -> bool:
    """Return True if a statement met a database of another release, or one whose roles are missing or closed to us."""
    if isinstance(error, asyncpg.InvalidParameterValueError | asyncpg.UndefinedObjectError):
        return "vendorrisk_" in str(error)  # a role. Another such error is a fault of the statement itself
    return isinstance(error, NOT_READY)


_WAITERS_PER_CONNECTION = 32
_PATIENCE_SECONDS = 60.0
_MOST_PATIENT = 100_000
_log = structlog.get_logger()


class PoolState(msgspec.Struct, frozen=True):
    """Connections of a pool. `waiters` are borrowers that wait for one."""

    idle: int
    busy: int
    allowed: int
    waiters: int


class Database:
    """The rest of the product's access to Postgres. It opens connections only when they are needed.

    If `patient`, the borrower waits for a minute, however many wait already. This is for jobs, which bound their own
    concurrency, and for which nobody waits. Else a request is refused rather than queued.
    """

    def __init__(self, settings: Settings, *, dsn: str | None = None, patient: bool = False) -> None:
        self._dsn = dsn or settings.database_url
        self._sessions = settings.database_pooling == "session"
        self._size = settings.database_pool_size
        self._patient = patient
        self._wait_seconds = _PATIENCE_SECONDS if patient else settings.database_wait_seconds
        self._statement_seconds = settings.database_statement_seconds
        self.places = FairPlaces(
            self._size,
            share=self._size if patient else max(1, self._size - max(1, self._size // 4)),
            most_waiting=_MOST_PATIENT if patient else self._size * _WAITERS_PER_CONNECTION,
        )
        self._pool: Any = None
        self._serving: WeakKeyDictionary[object, UUID] = WeakKeyDictionary()

    @property
    def keeps_sessions(self) -> bool:
        """Whether session state and LISTEN work: not behind a pooler in transaction mode."""
        return self._sessions

    async def open(self) -> None:
        self._pool = asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._size,
            init=_prepare,
            reset=_leave_as_is,
            statement_cache_size=512 if self._sessions else 0,
            max_inactive_connection_lifetime=300,
            server_settings=self._server_settings(),
        )
        await self._pool

    async def close(self) -> None:
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), timeout=5)
            except TimeoutError:
                self._pool.terminate()
            self._pool = None

    def state(self) -> PoolState:
        """Return how many connections are idle and busy, for the metrics."""
        if self._pool is None:
            return PoolState(0, 0, self._size, self.places.waiting)
        idle = self._pool.get_idle_size()
        return PoolState(idle, self._pool.get_size() - idle, self._size, self.places.waiting)

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID) -> AsyncIterator[Connection]:
        """Borrow for one transaction inside one tenant. Commits on leaving, rolls back on an exception."""
        async with self._transaction(TENANT_ROLE, tenant_id) as connection:
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """Borrow for one transaction across tenants. Its SQL says why it crosses them."""
        async with self._transaction(SYSTEM_ROLE, None) as connection:
            yield connection

    @asynccontextmanager
    async def reading(self, tenant_id: UUID) -> AsyncIterator[Connection]:
        """Borrow to read inside one tenant. Each statement sees its own snapshot."""
        if not self._sessions:
            async with self._transaction(TENANT_ROLE, tenant_id) as connection:
                yield connection
            return
        async with self.borrowed(tenant_id) as connection:
            raw = connection._con  # noqa: SLF001 - the pool's proxy is new at each borrow, the session is not
            if self._serving.get(raw) != tenant_id:
                self._serving.pop(raw, None)
                await connection.execute(f"set role {TENANT_ROLE}; set vendorrisk.tenant_id = '{tenant_id}'")
                self._serving[raw] = tenant_id
            yield connection

    @asynccontextmanager
    async def borrowed(self, tenant_id: UUID | None = None) -> AsyncIterator[Any]:
        """Borrow a bare connection, within the bounds. Refuses instead of queueing for ever."""
        if self._pool is None:
            raise Refusal(Code.DATABASE_UNAVAILABLE, "The service is starting or stopping.", retry_after_seconds=1)
        try:
            await self.places.take(tenant_id, self._wait_seconds)
        except NoPlaceError:
            raise _overloaded() from None
        try:
            connection = await self._acquire()
            try:
                yield connection
            except asyncpg.InternalClientError:
                connection.terminate()
                raise
            finally:
                # Shielded inside asyncpg: a cancelled request still gives its connection back.
                await self._pool.release(connection)
        finally:
            self.places.give_back(tenant_id)

    @asynccontextmanager
    async def listening(self, channel: str, callback: Callable[..., None]) -> AsyncIterator[asyncio.Event]:
        """Hear a channel on a connection of its own. The event is set when that connection is lost."""
        connection = await asyncpg.connect(self._dsn, timeout=self._wait_seconds)
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: lost.set())
        try:
            await connection.add_listener(channel, callback)
            yield lost
        finally:
            connection.terminate()

    async def _acquire(self) -> Any:
        """Take a connection from the pool, which has one for each place. Only opening a new one may take time."""
        try:
            return await self._pool.acquire(timeout=self._wait_seconds)
        except TimeoutError:
            raise _overloaded() from None
        except UNREACHABLE as error:
            _log.warning("database_unreachable", error=str(error))
            raise unavailable() from error
        except ValueError:
            # Not the driver's words, which may hold a part of a password.
            raise unavailable() from SettingError(f"it takes {DATABASE_ADDRESS}")

    @asynccontextmanager
    async def _transaction(self, role: str, tenant_id: UUID | None) -> AsyncIterator[Connection]:
        async with self.borrowed(tenant_id) as connection:
            tenant = "" if tenant_id is None else str(tenant_id)
            # A UUID and a name from this module: nothing a caller wrote enters this text.
            await connection.execute(
                f"begin; set local role {role}; set local vendorrisk.tenant_id = '{tenant}'"
                + ("" if self._sessions else f"; set local statement_timeout = '{self._statement_seconds}s'")
            )
            try:
                yield connection
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("rollback")
                raise
            if await connection.execute("commit") != "COMMIT":
                # Postgres answers ROLLBACK where a statement failed and the failure was swallowed.
                raise RuntimeError("the transaction had failed and was rolled back at commit")

    def _server_settings(self) -> dict[str, str]:
        if not self._sessions:
            return {}
        return {
            "application_name": "vendorrisk",
            "statement_timeout": f"{self._statement_seconds}s",
            "idle_in_transaction_session_timeout": "60s",
            "jit": "off",
        }


def _overloaded() -> Refusal:
    return Refusal(Code.OVERLOADED, "All database connections are busy. Try again shortly.", retry_after_seconds=1)


def unavailable() -> Refusal:
    return Refusal(Code.DATABASE_UNAVAILABLE, "Nothing was changed. Try again shortly.", retry_after_seconds=2)


async def _prepare(connection: Any) -> None:
    """Let jsonb and json carry Python values, encoded by msgspec, so that Structs can be passed as they are."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda raw: msgspec.json.decode(raw[1:]),
        format="binary",
    )


async def _leave_as_is(connection: Any) -> None:
    """Take the place of asyncpg's reset round trip: all state is local to a transaction or set at each borrow.

    asyncpg itself rolls back a transaction that was left open before it calls this.
    """
