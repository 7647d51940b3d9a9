"""The tenant, its members, its keys, and the caller."""

from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.bulk import bulk
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.dependencies import ExpectedVersion, InWork, ListPage
from vendorrisk.http.routing import acts, changes, creates, lists, reads, removes
from vendorrisk.identity import queries, service
from vendorrisk.identity.model import (
    ApiKey,
    ApiKeyRotation,
    Caller,
    CreatedApiKey,
    Member,
    MemberChanges,
    NewApiKey,
    NewMember,
    Tenant,
    TenantChanges,
)


@reads("/me", Permission.TENANT_READ)
async def get_caller(work: InWork) -> Caller:
    """Return the caller that the credentials belong to, with its permissions."""
    actor = work.by.actor
    return Caller(actor.kind, actor.id, actor.label, actor.tenant.id, actor.member_id, sorted(actor.permissions))


@reads("/tenant", Permission.TENANT_READ)
async def get_tenant(work: InWork) -> Tenant:
    """Return the caller's tenant."""
    return await service.tenant(work)


@changes(
    "/tenant",
    Permission.TENANT_MANAGE,
    refuses=[Code.TIME_ZONE_UNKNOWN],
    example={"time_zone": "Europe/Berlin"},
)
async def change_tenant(work: InWork, expected: ExpectedVersion, data: JSONBody[TenantChanges]) -> Tenant:
    """Change the tenant's name or time zone. "Today" is the tenant's from then on."""
    return await service.change_tenant(work, data, expected)


@lists("/members", Permission.MEMBERS_READ, queries.MEMBERS)
async def list_members(work: InWork, page: ListPage) -> Page[Member]:
    """List the people of the tenant."""
    return await service.members(work, page)


@creates(
    "/members",
    Permission.MEMBERS_MANAGE,
    at="/v1/members/{id}",
    refuses=[Code.MEMBER_EMAIL_TAKEN],
    example={"name": "Dana Reyes", "email": "dana@example.com", "roles": ["reviewer"]},
)
async def add_member(work: InWork, data: JSONBody[NewMember]) -> Member:
    """Add a person who can own vendors and findings and be notified of alerts."""
    return await service.add_member(work, data)


@bulk(
    "/members/bulk-additions",
    Permission.MEMBERS_MANAGE,
    example=[{"name": "Noor Haddad", "email": "noor@example.com", "roles": ["reviewer"]}],
)
async def add_members(work: Work, item: NewMember) -> Member:
    """Add up to 200 people. Each is added or rejected alone."""
    return await service.add_member(work, item)


@reads("/members/{member_id:uuid}", Permission.MEMBERS_READ)
async def get_member(work: InWork, member_id: FromPath[UUID]) -> Member:
    """Return a member."""
    return await service.member(work, member_id)


@changes(
    "/members/{member_id:uuid}",
    Permission.MEMBERS_MANAGE,
    refuses=[Code.MEMBER_EMAIL_TAKEN, Code.OWN_ACCESS, Code.LAST_ADMIN_KEY],
    example={"roles": ["reviewer", "procurement"]},
)
async def change_member(
    work: InWork, expected: ExpectedVersion, member_id: FromPath[UUID], data: JSONBody[MemberChanges]
) -> Member:
    """Change a member. An inactive member's keys stop working and alerts no longer reach them."""
    return await service.change_member(work, member_id, data, expected)


@lists("/api-keys", Permission.KEYS_MANAGE, queries.API_KEYS)
async def list_api_keys(work: InWork, page: ListPage) -> Page[ApiKey]:
    """List API keys, without their secrets."""
    return await service.keys(work, page)


@creates(
    "/api-keys",
    Permission.KEYS_MANAGE,
    at="/v1/api-keys/{id}",
    refuses=[Code.EXPIRY_IN_THE_PAST, Code.KEY_EXCEEDS_MEMBER, Code.REFERENCE_UNKNOWN],
    example={
        "name": "Nightly export",
        "roles": ["auditor"],
        "scopes": ["vendors:read"],
        "expires_at": "2099-01-01T00:00:00Z",
    },
)
async def create_api_key(work: InWork, data: JSONBody[NewApiKey]) -> CreatedApiKey:
    """Make a key. Its text is in this response and nowhere else.

    A key of a member never has more permissions than the member's roles give, now or later.
    """
    return await service.create_key(work, data)


@reads("/api-keys/{key_id:uuid}", Permission.KEYS_MANAGE)
async def get_api_key(work: InWork, key_id: FromPath[UUID]) -> ApiKey:
    """Return an API key, without its secret."""
    return await service.key(work, key_id)


@acts(
    "/api-keys/{key_id:uuid}/rotations",
    Permission.KEYS_MANAGE,
    at="/v1/api-keys/{id}",
    status_code=201,
    refuses=[Code.API_KEY_ENDED, Code.EXPIRY_IN_THE_PAST, Code.KEY_EXCEEDS_MEMBER, Code.LAST_ADMIN_KEY],
    example={"overlap_seconds": 3600},
)
async def rotate_api_key(
    work: InWork, expected: ExpectedVersion, key_id: FromPath[UUID], data: JSONBody[ApiKeyRotation]
) -> CreatedApiKey:
    """Make a successor. The old key works on for the overlap."""
    return await service.rotate_key(work, key_id, data, expected)


@removes(
    "/api-keys/{key_id:uuid}",
    Permission.KEYS_MANAGE,
    refuses=[Code.API_KEY_ENDED, Code.OWN_ACCESS, Code.LAST_ADMIN_KEY],
)
async def revoke_api_key(work: InWork, expected: ExpectedVersion, key_id: FromPath[UUID]) -> None:
    """End a key at once. It stays listed, for the record."""
    await service.revoke_key(work, key_id, expected)


router = Router(
    "/",
    route_handlers=[
        get_caller,
        get_tenant,
        change_tenant,
        list_members,
        add_member,
        add_members,
        get_member,
        change_member,
        list_api_keys,
        create_api_key,
        get_api_key,
        rotate_api_key,
        revoke_api_key,
    ],
    tags=["Identity"],
)
