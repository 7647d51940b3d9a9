"""The statements of tenants, members and keys."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from vendorrisk.access.permissions import Role
from vendorrisk.access.work import Work
from vendorrisk.db.connection import Connection
from vendorrisk.db.constraints import Finding, Holder, refusing
from vendorrisk.db.paging import EQUALITY, RANGE, Column, ListOf, Operator
from vendorrisk.db.queries import QueryFile
from vendorrisk.errors import Code
from vendorrisk.identity.model import ApiKey, KeyOnFile, Member, NewApiKey, NewMember, Tenant
from vendorrisk.identity.rules import MadeKey
from vendorrisk.ids import new_id

_across = QueryFile("across_tenants")
_sql = QueryFile("identity")
_INSERT_TENANT = _sql.rows("insert_tenant", Tenant)
_FIND_TENANT = _sql.rows("find_tenant", Tenant)
_LOCK_TENANT = _sql.rows("lock_tenant", Tenant)
_LIST_TENANTS = _sql.rows("list_tenants", Tenant)
_LOCK_TENANT_NAMES = _sql.command("lock_tenant_names")
_UPDATE_TENANT = _sql.rows("update_tenant", Tenant)
_INSERT_MEMBER = _sql.rows("insert_member", Member)
_FIND_MEMBER = _sql.rows("find_member", Member)
_LOCK_MEMBER = _sql.rows("lock_member", Member)
LIST_MEMBERS = _sql.rows("list_members", Member)
_UPDATE_MEMBER = _sql.rows("update_member", Member)
_INSERT_KEY = _sql.rows("insert_api_key", ApiKey)
_FIND_KEY = _sql.rows("find_api_key", ApiKey)
_LOCK_KEY = _sql.rows("lock_api_key", ApiKey)
LIST_KEYS = _sql.rows("list_api_keys", ApiKey)
_END_KEY = _sql.rows("end_api_key", ApiKey)
_KEY_ON_FILE = _sql.rows("key_on_file", KeyOnFile)
_CHECKSUM_SECRET = _sql.scalar("checksum_secret", bytes)
_HAS_ADMIN_KEY = _sql.scalar("has_admin_key", bool)
_ANNOUNCE_KEYS = _sql.scalar("announce_keys", int)
_NOTE_KEY_USE = _across.command("note_key_use")
_HOLDER_OF_EMAIL = _sql.rows("holder_of_email", Holder)

_AT = Column("created_at", datetime, "timestamptz", RANGE, sortable=True)

MEMBERS = ListOf(
    "members",
    {
        "id": Column("id", UUID, "uuid"),
        "name": Column("name", sortable=True),
        "email": Column("email", pg="citext", sortable=True),
        "roles": Column("roles", Role, operators=frozenset({Operator.HAS})),
        "is_active": Column("is_active", bool, "boolean", EQUALITY),
        "created_at": _AT,
        "updated_at": Column("updated_at", datetime, "timestamptz", RANGE, sortable=True),
    },
    default_sort="created_at",
)
API_KEYS = ListOf(
    "api_keys",
    {
        "id": Column("id", UUID, "uuid"),
        "name": Column("name", sortable=True),
        "member_id": Column("member_id", UUID, "uuid", nullable=True),
        "expires_at": Column("expires_at", datetime, "timestamptz", RANGE, sortable=True, nullable=True),
        "revoked_at": Column("revoked_at", datetime, "timestamptz", RANGE, nullable=True),
        "created_at": _AT,
    },
    default_sort="-created_at",
)

_MEMBER_BROKEN = {
    "members_email_is_unique": (
        Code.MEMBER_EMAIL_TAKEN,
        "Another member has this e-mail address. Change that member, or send another address.",
        "/email",
    )
}
_KEY_BROKEN = {
    "api_keys_member_is_known": (
        Code.REFERENCE_UNKNOWN,
        "There is no such member. Send the id of one from /v1/members.",
        "/member_id",
    )
}


async def insert_tenant(connection: Connection, tenant_id: UUID, name: str, zone: str, now: datetime) -> Tenant:
    return await _INSERT_TENANT.one(connection, tenant_id, name, zone, now)


async def find_tenant(work: Work) -> Tenant:
    return await _FIND_TENANT.one(work.db, work.tenant_id)


async def find_tenant_by_id(connection: Connection, tenant_id: UUID) -> Tenant:
    return await _FIND_TENANT.one(connection, tenant_id)


async def lock_tenant(work: Work) -> Tenant:
    return await _LOCK_TENANT.one(work.db, work.tenant_id)


async def lock_tenant_names(connection: Connection) -> None:
    await _LOCK_TENANT_NAMES.run(connection)


async def list_tenants(connection: Connection) -> list[Tenant]:
    return await _LIST_TENANTS.many(connection)


async def update_tenant(work: Work, name: str, zone: str) -> Tenant:
    return await _UPDATE_TENANT.one(work.db, work.tenant_id, name, zone, work.now)


def _holder(email: str) -> dict[str, Finding]:
    return {"members_email_is_unique": (_HOLDER_OF_EMAIL, (email,))}


async def insert_member(work: Work, new: NewMember) -> Member:
    with refusing(_MEMBER_BROKEN, _holder(new.email), seen_by="members:read"):
        return await _INSERT_MEMBER.one(
            work.db, work.tenant_id, new_id(), new.name, new.email, new.roles, new.slack_user_id, work.now
        )


async def find_member(work: Work, member_id: UUID) -> Member | None:
    return await _FIND_MEMBER.one_or_none(work.db, work.tenant_id, member_id)


async def lock_member(work: Work, member_id: UUID) -> Member | None:
    return await _LOCK_MEMBER.one_or_none(work.db, work.tenant_id, member_id)


async def update_member(work: Work, member: Member) -> Member:
    with refusing(_MEMBER_BROKEN, _holder(member.email), seen_by="members:read"):
        return await _UPDATE_MEMBER.one(
            work.db,
            work.tenant_id,
            member.id,
            member.name,
            member.email,
            member.roles,
            member.slack_user_id,
            member.is_active,
            work.now,
        )


async def insert_key(work: Work, made: MadeKey, new: NewApiKey, rotated_from_id: UUID | None = None) -> ApiKey:
    with refusing(_KEY_BROKEN):
        return await _INSERT_KEY.one(
            work.db,
            work.tenant_id,
            new_id(),
            made.public_id,
            new.name,
            made.secret_hash,
            new.roles,
            new.scopes,
            new.member_id,
            work.now,
            new.expires_at,
            rotated_from_id,
        )


async def find_key(work: Work, key_id: UUID) -> ApiKey | None:
    return await _FIND_KEY.one_or_none(work.db, work.tenant_id, key_id)


async def lock_key(work: Work, key_id: UUID) -> ApiKey | None:
    return await _LOCK_KEY.one_or_none(work.db, work.tenant_id, key_id)


async def end_key(work: Work, key_id: UUID, expires_at: datetime | None, revoked_at: datetime | None) -> ApiKey:
    return await _END_KEY.one(work.db, work.tenant_id, key_id, expires_at, revoked_at)


async def has_admin_key(work: Work, until: datetime) -> bool:
    """Return True if a key that may do everything works until then."""
    return await _HAS_ADMIN_KEY.one(work.db, work.tenant_id, Role.ADMIN, until)


async def checksum_secret(connection: Connection) -> bytes:
    """Return the installation's secret of the checksums inside keys."""
    return await _CHECKSUM_SECRET.one(connection)


async def announce_keys(work: Work, member_id: UUID | None = None) -> int:
    """Let API processes drop cached keys of a member, or of all members. Return how many keys there are."""
    return await _ANNOUNCE_KEYS.one(work.db, work.tenant_id, member_id)


async def key_on_file(connection: Connection, public_id: str) -> KeyOnFile | None:
    return await _KEY_ON_FILE.one_or_none(connection, public_id)


async def note_key_use(connection: Connection, uses: Mapping[tuple[UUID, UUID], datetime]) -> None:
    """Write the last use of keys, given by (tenant, key)."""
    tenants, keys = [t for t, _ in uses], [k for _, k in uses]
    await _NOTE_KEY_USE.run(connection, tenants, keys, list(uses.values()))
