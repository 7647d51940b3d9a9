"""Operations on the tenant, its members and its keys."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET

from vendorrisk.access.model import Tenant as ActingTenant
from vendorrisk.access.model import system
from vendorrisk.access.permissions import Permission, Role
from vendorrisk.access.records import check_version, found, patched
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Change, Target
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.identity import queries, rules
from vendorrisk.identity.model import (
    ApiKey,
    ApiKeyRotation,
    CreatedApiKey,
    Member,
    MemberChanges,
    NewApiKey,
    NewMember,
    Tenant,
    TenantChanges,
)
from vendorrisk.ids import new_id
from vendorrisk.value_words import shown


async def found_tenant(
    connection: Connection, name: str, time_zone: str, now: datetime
) -> tuple[Tenant, CreatedApiKey]:
    """Make a tenant and its first admin key, on a connection that crosses tenants. The key's text is shown once."""
    rules.check_zone(time_zone)
    tenant = await queries.insert_tenant(connection, new_id(), name, time_zone, now)
    # The chain of the new tenant begins here, so the setting follows the row.
    await connection.execute(f"set local vendorrisk.tenant_id = '{tenant.id}'")
    by = system(ActingTenant(tenant.id, time_zone), "founding", Permission.TENANT_MANAGE)
    work = Work(db=connection, by=by, now=now, request_id="founding")
    await audit.record(work, Action.TENANT_FOUNDED, Target("tenant", tenant.id), after=tenant)
    return tenant, await create_key(work, NewApiKey(name="First admin key", roles=[Role.ADMIN]))


async def check_new_name(connection: Connection, name: str) -> None:
    """Refuse a name that a tenant has already, on a connection that crosses tenants: nobody could tell them apart."""
    await queries.lock_tenant_names(connection)
    held = [one for one in await queries.list_tenants(connection) if one.name.casefold() == name.casefold()]
    if held:
        detail = f"There is a tenant {shown(held[0].name)} already ({held[0].id}). Choose another name."
        raise Refusal(Code.TENANT_NAME_TAKEN, detail)


async def admin_key(connection: Connection, tenant_id: UUID, now: datetime) -> CreatedApiKey:
    """Make an admin key for the operator of the installation, on a connection that crosses tenants.

    It is shown once.
    """
    tenant = await acting_tenant(connection, tenant_id)
    await connection.execute(f"set local vendorrisk.tenant_id = '{tenant.id}'")
    by = system(tenant, "command line", Permission.TENANT_MANAGE)
    work = Work(db=connection, by=by, now=now, request_id="command line")
    return await create_key(work, NewApiKey(name="Admin key of the command line", roles=[Role.ADMIN]))


async def has_tenants(connection: Connection) -> bool:
    """Say whether this installation was founded, on a connection that crosses tenants."""
    return bool(await queries.list_tenants(connection))


async def every_tenant(connection: Connection) -> list[Tenant]:
    """Return the tenants in the order of their founding, on a connection that crosses tenants."""
    return await queries.list_tenants(connection)


async def first_tenant(connection: Connection) -> ActingTenant:
    """Return the tenant that was founded first, on a connection that crosses tenants."""
    first = (await queries.list_tenants(connection))[0]
    return ActingTenant(first.id, first.time_zone)


async def acting_tenant(connection: Connection, tenant_id: UUID) -> ActingTenant:
    """Return the tenant as an operation needs it, on a connection that crosses tenants."""
    stored = await queries.find_tenant_by_id(connection, tenant_id)
    return ActingTenant(stored.id, stored.time_zone)


async def tenant(work: Work) -> Tenant:
    return await queries.find_tenant(work)


async def change_tenant(work: Work, changes: TenantChanges, expected: int) -> Tenant:
    before = await queries.lock_tenant(work)
    check_version(before, expected)
    wanted = patched(before, changes)
    rules.check_zone(wanted.time_zone)
    if wanted == before:
        return before
    after = await queries.update_tenant(work, wanted.name, wanted.time_zone)
    if after.time_zone != before.time_zone:
        await queries.announce_keys(work)
    await audit.record(work, Action.TENANT_CHANGED, Target("tenant", after.id), before=before, after=after)
    return after


async def members(work: Work, page: PageRequest) -> Page[Member]:
    return await work.page(queries.LIST_MEMBERS, page)


async def member(work: Work, member_id: UUID) -> Member:
    return found(await queries.find_member(work, member_id))


async def add_member(work: Work, new: NewMember) -> Member:
    rules.check_grant(work.by.actor, new.roles, None)
    added = await queries.insert_member(work, new)
    await audit.record(work, Action.MEMBER_ADDED, Target("member", added.id), after=added)
    return added


async def change_member(work: Work, member_id: UUID, changes: MemberChanges, expected: int) -> Member:
    before = found(await queries.lock_member(work, member_id))
    check_version(before, expected)
    wanted = patched(before, changes)
    rules.check_grant(work.by.actor, wanted.roles, None)
    if not wanted.is_active and work.by.actor.member_id == member_id:
        raise Refusal(Code.OWN_ACCESS, "Ask another admin to deactivate you.", pointer="/is_active")
    if wanted == before:
        return before
    after = await queries.update_member(work, wanted)
    if (after.is_active, after.roles) != (before.is_active, before.roles):
        await queries.announce_keys(work, member_id)
        await _check_admin_left(work)
    await audit.record(work, Action.MEMBER_CHANGED, Target("member", member_id), before=before, after=after)
    return after


async def keys(work: Work, page: PageRequest) -> Page[ApiKey]:
    return await work.page(queries.LIST_KEYS, page)


async def key(work: Work, key_id: UUID) -> ApiKey:
    return found(await queries.find_key(work, key_id))


async def create_key(work: Work, new: NewApiKey) -> CreatedApiKey:
    """Make a key. Refuses permissions that the caller lacks, and an expiry that has passed."""
    rules.check_grant(work.by.actor, new.roles, new.scopes)
    _check_expiry(work, new.expires_at)
    await _check_within_member(work, new)
    made = rules.make_key(await queries.checksum_secret(work.db))
    stored = await queries.insert_key(work, made, new)
    await audit.record(work, Action.API_KEY_CREATED, Target("api_key", stored.id), after=stored)
    return CreatedApiKey(**msgspec.structs.asdict(stored), secret=made.text)


async def rotate_key(work: Work, key_id: UUID, rotation: ApiKeyRotation, expected: int) -> CreatedApiKey:
    """Make a successor with the same roles and scopes. The old key ends after the overlap, or earlier if it was to.

    The successor has an end of its own, so that a key which was made to end is not kept for ever by rotating it.
    """
    old = await _open_key(work, key_id, expected)
    rules.check_grant(work.by.actor, old.roles, old.scopes)
    ends_at = work.now + timedelta(seconds=rotation.overlap_seconds)
    if old.expires_at is not None:
        ends_at = min(ends_at, old.expires_at)
    expires_at = rules.successor_ends(old, work.now) if rotation.expires_at is UNSET else rotation.expires_at
    _check_expiry(work, expires_at)
    successor = NewApiKey(
        name=old.name, roles=old.roles, scopes=old.scopes, member_id=old.member_id, expires_at=expires_at
    )
    await _check_within_member(work, successor)
    made = rules.make_key(await queries.checksum_secret(work.db))
    stored = await queries.insert_key(work, made, successor, rotated_from_id=old.id)
    ended = await queries.end_key(work, old.id, ends_at, None)
    await _check_admin_left(work, old)
    rotated = Change(Action.API_KEY_ROTATED, Target("api_key", old.id), old, ended)
    made_anew = Change(Action.API_KEY_CREATED, Target("api_key", stored.id), after=stored)
    await audit.record_all(work, [rotated, made_anew])
    return CreatedApiKey(**msgspec.structs.asdict(stored), secret=made.text)


async def revoke_key(work: Work, key_id: UUID, expected: int) -> None:
    """End a key now. Neither the one that is calling nor the last of an admin can be ended, or nobody gets in again."""
    old = await _open_key(work, key_id, expected)
    if old.id == work.by.actor.id:
        raise Refusal(Code.OWN_ACCESS, "Make another key, and revoke this one with it.")
    ended = await queries.end_key(work, old.id, old.expires_at, work.now)
    await _check_admin_left(work, old)
    await audit.record(work, Action.API_KEY_REVOKED, Target("api_key", old.id), before=old, after=ended)


async def _check_admin_left(work: Work, ended: ApiKey | None = None) -> None:
    """Refuse to end the last key that may do everything. If two keys end each other, the second is refused.

    A key that ends within a day is not counted: it would be the last one and then none.
    """
    if ended is not None and not rules.may_do_everything(ended):
        return
    await queries.lock_tenant(work)
    if not await queries.has_admin_key(work, work.now + rules.ADMIN_KEY_LASTS):
        detail = "No other key that may do everything would work for a whole day. Make one first."
        raise Refusal(Code.LAST_ADMIN_KEY, detail)


async def _check_within_member(work: Work, new: NewApiKey) -> None:
    """Refuse a key with more permissions than its member has. An unknown member is refused where the key is written."""
    member = None if new.member_id is None else await queries.find_member(work, new.member_id)
    if member is not None:
        rules.check_within_member(new.roles, new.scopes, member.roles)


def _check_expiry(work: Work, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= work.now:
        raise Refusal(Code.EXPIRY_IN_THE_PAST, "Send an instant in the future.", pointer="/expires_at")


async def _open_key(work: Work, key_id: UUID, expected: int) -> ApiKey:
    old = found(await queries.lock_key(work, key_id))
    check_version(old, expected)
    if not rules.is_usable(old.expires_at, old.revoked_at, work.now):
        raise Refusal(Code.API_KEY_ENDED, "It was revoked or has expired. Make a new one.")
    return old
