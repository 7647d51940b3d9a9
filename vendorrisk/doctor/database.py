"""The database.

Reachable, of a version that is supported, with the roles, row-level security and schema of this release.
"""

import difflib
import time
from collections.abc import Sequence

from vendorrisk.db import migrations, schema
from vendorrisk.db.pool import NOT_READY, UNREACHABLE
from vendorrisk.db.queries import sql_folder
from vendorrisk.doctor import queries
from vendorrisk.doctor.model import DatabaseAwayError, Finding, Level, Patient
from vendorrisk.errors import Refusal

_OLDEST, _NEWEST = 15, 18
_SLOW_SECONDS = 0.1
_MIGRATE = "Run `vendorrisk migrate`."


async def server(patient: Patient) -> queries.Server:
    """Return the server's facts about itself. Raises `DatabaseAwayError`."""
    if patient.trouble is not None or not patient.settings.database_url:
        raise DatabaseAwayError
    try:
        async with patient.database.borrowed() as connection:
            return await queries.SERVER.one(connection)
    except Refusal as refusal:
        raise DatabaseAwayError(str(refusal.__cause__ or refusal.detail)) from None
    except UNREACHABLE as error:
        raise DatabaseAwayError(str(error) or type(error).__name__) from None


async def reachable(patient: Patient) -> list[Finding]:
    if patient.is_new:
        home = patient.settings.home_path()
        return [
            _warning("database", f"none yet: {home} was never started", "Run `vendorrisk up`, or set DATABASE_URL.")
        ]
    if patient.trouble is not None:
        return [_failure("database", patient.trouble, "Do as it says, then ask again.")]
    if not patient.settings.database_url:
        return [_failure("database", "DATABASE_URL is not set", "Set it, or run `vendorrisk up` for an embedded one.")]
    try:
        told = await server(patient)
        begun = time.monotonic()
        await server(patient)
        took = time.monotonic() - begun
    except DatabaseAwayError as error:
        todo = "See that it runs and that DATABASE_URL names its host, port, user, password and database."
        return [_failure("database", f"cannot be reached: {error}", todo)]
    return [evaluated_server(told, took)]


def evaluated_server(told: queries.Server, took: float) -> Finding:
    major, minor = divmod(told.version_number, 10000)
    said = f"PostgreSQL {major}.{minor}, as {told.login}, {took * 1000:.1f} ms, {told.bytes / 1024**2:.0f} MiB"
    if major < _OLDEST:
        return _failure("database", said, f"Upgrade: {_OLDEST} is the oldest that is supported.")
    if told.is_standby:
        return _failure("database", f"{said}: a standby, which takes no writes", "Let DATABASE_URL name the primary.")
    if major > _NEWEST:
        return _warning("database", said, f"Not tested with this release, which knows up to {_NEWEST}.")
    if took > _SLOW_SECONDS:
        return _warning("database", said, "A round trip is slow: bring the service nearer to its database.")
    return Finding("database", Level.OK, said)


async def roles(patient: Patient) -> list[Finding]:
    """Check that the two roles own no table, cannot bypass row-level security, and are open to the service."""
    told = await server(patient)
    async with patient.database.borrowed() as connection:
        found = await queries.ROLES.many(connection)
    return [evaluated_roles(told, found, is_embedded=patient.is_embedded)]


def evaluated_roles(told: queries.Server, found: Sequence[queries.Role], *, is_embedded: bool) -> Finding:
    if len(found) < 2:  # noqa: PLR2004 - the two roles
        return _failure("roles", "vendorrisk_tenant and vendorrisk_system are not both there", _MIGRATE)
    for role in found:
        if role.can_login or role.is_superuser or role.bypasses_rls or role.owns_tables:
            todo = f"alter role {role.name} nologin nosuperuser nobypassrls; and give its tables to another owner."
            return _failure("roles", f"{role.name} may do more than it must: row-level security does not hold it", todo)
        if not role.may_be_taken:
            todo = f"grant {role.name} to {told.login};"
            return _failure("roles", f"{told.login} may not take the role {role.name}", todo)
    if told.is_superuser or told.bypasses_rls:
        said = f"right; {told.login} itself may bypass row-level security"
        if is_embedded:
            return Finding("roles", Level.OK, f"{said}, as always in embedded mode")
        todo = "Let DATABASE_URL log in as a role without SUPERUSER and BYPASSRLS that was granted the two roles."
        return _warning("roles", said, todo)
    return Finding("roles", Level.OK, f"right, and {told.login} is an ordinary login")


async def row_level_security(patient: Patient) -> list[Finding]:
    """Check that row-level security is forced on every tenant's table, and that a role without a tenant sees no row."""
    await server(patient)
    try:
        async with patient.database.borrowed() as connection:
            unguarded = await queries.OPEN_TABLES.many(connection)
        async with queries.as_nobody(patient.database) as connection:
            seen = await queries.TENANTS_SEEN.one(connection)
    except NOT_READY as error:
        return [_failure("row-level security", f"cannot be looked at: {error}", _MIGRATE)]
    if unguarded:
        todo = f"alter table {unguarded[0]} enable row level security, force row level security; find out who undid it."
        return [_failure("row-level security", f"not forced on {', '.join(unguarded)}", todo)]
    if seen:
        todo = "Compare `vendorrisk schema` with sql/schema.sql: a policy was changed by hand."
        return [_failure("row-level security", f"{seen} tenants are seen without naming one", todo)]
    return [
        Finding("row-level security", Level.OK, "forced on every table of tenants; without a tenant nothing is seen")
    ]


async def schema_version(patient: Patient) -> list[Finding]:
    """Compare the ledger of migrations, and the schema itself, with this release's."""
    await server(patient)
    try:
        async with patient.database.system() as connection:
            ledger = await migrations.compare(connection)
    except NOT_READY:
        return [_failure("schema", "was never migrated", _MIGRATE)]
    if ledger.changed:
        todo = "Install the release that made it, or restore those files: an applied migration is never changed."
        return [_failure("schema", f"migrations other than this release's were applied: {ledger.changed}", todo)]
    if ledger.pending:
        return [_failure("schema", f"lacks {', '.join(ledger.pending)}", _MIGRATE)]
    if ledger.newer:
        todo = "Right while a newer release is rolled out. Else bring this process to that release."
        return [_warning("schema", f"has migrations of a newer release: {', '.join(ledger.newer)}", todo)]
    return [await _drift(patient, ledger.latest)]


async def _drift(patient: Patient, latest: str) -> Finding:
    """Find manual changes of the schema."""
    if (release := release_schema()) is None:
        return Finding("schema", Level.OK, f"at {latest}")
    todo = "Compare `vendorrisk schema` with sql/schema.sql, and undo it or write a migration."
    try:
        async with patient.database.borrowed() as connection:
            there = await schema.dump(connection)
    except schema.UnknownObjectError as error:
        return _warning("schema", f"at {latest}; {error}", todo)
    ours = release.splitlines()
    changed = [
        line
        for line in difflib.unified_diff(ours, there.splitlines(), lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    ]
    if changed:
        said = f"at {latest}, but {len(changed)} lines differ from this release's, such as {changed[0].strip()[:100]!r}"
        return _warning("schema", said, todo)
    return Finding("schema", Level.OK, f"at {latest}, the same as this release's line by line")


def release_schema() -> str | None:
    """Return the schema that this release was tested with, where it came along."""
    place = sql_folder() / "schema.sql"
    return place.read_text(encoding="utf-8") if place.exists() else None


def _warning(check: str, said: str, todo: str) -> Finding:
    return Finding(check, Level.WARNING, said, todo)


def _failure(check: str, said: str, todo: str) -> Finding:
    return Finding(check, Level.FAILURE, said, todo)
