"""The statements of the checks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.db.pool import TENANT_ROLE, Database
from vendorrisk.db.queries import QueryFile


class Server(msgspec.Struct, frozen=True):
    """`version_number` as Postgres counts: 150018 is 15.18."""

    version_number: int
    login: str
    is_superuser: bool
    bypasses_rls: bool
    max_connections: int
    archive_mode: str
    is_standby: bool
    bytes: int
    now: datetime


class Role(msgspec.Struct, frozen=True):
    name: str
    can_login: bool
    is_superuser: bool
    bypasses_rls: bool
    may_be_taken: bool
    owns_tables: bool


class Archiver(msgspec.Struct, frozen=True):
    archived_count: int
    last_archived_at: datetime | None
    failed_count: int
    last_failed_at: datetime | None


class ZoneInUse(msgspec.Struct, frozen=True):
    time_zone: str
    is_known: bool


class Receivers(msgspec.Struct, frozen=True):
    kind: str
    receivers: int


class WithoutRecipients(msgspec.Struct, frozen=True):
    """Across tenants: those that have no active receiver, and the alerts that no receiver matched."""

    tenants: int
    without_receiver: int
    alerts: int


class SlackBot(msgspec.Struct, frozen=True):
    tenant_id: UUID
    id: UUID
    name: str
    address_sealed: bytes


class Sealed(msgspec.Struct, frozen=True):
    """How much one key has sealed in the database. Stored responses live for a day."""

    key_id: str
    receivers: int
    responses: int


_sql = QueryFile("doctor")
SERVER = _sql.rows("inspect_server", Server)
ROLES = _sql.rows("inspect_roles", Role)
OPEN_TABLES = _sql.scalar("tables_without_rls", str)
TENANTS_SEEN = _sql.scalar("count_tenants_seen", int)
ARCHIVER = _sql.rows("inspect_archiver", Archiver)
ZONES = _sql.rows("time_zones_in_use", ZoneInUse)
RECEIVERS = _sql.rows("count_receivers", Receivers)
WITHOUT_RECIPIENTS = _sql.rows("count_alerts_without_recipients", WithoutRecipients)
SLACK_BOTS = _sql.rows("some_slack_bots", SlackBot)
SEALED = _sql.rows("count_sealed", Sealed)


@asynccontextmanager
async def as_nobody(database: Database) -> AsyncIterator[Any]:
    """Borrow as the role of tenants, for no tenant at all."""
    async with database.borrowed() as connection:
        try:
            await connection.execute(f"begin; set local role {TENANT_ROLE}; set local vendorrisk.tenant_id = ''")
            yield connection
        finally:
            await connection.execute("rollback")
