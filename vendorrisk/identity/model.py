"""Tenants, members and keys: stored records, request bodies and responses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vendorrisk.access.model import ActorKind
from vendorrisk.access.permissions import Permission, Role
from vendorrisk.access.records import Body

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", extra={"words": "text that is not blank"})]
Email = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z",
        extra={"words": "an e-mail address, like dana@example.com"},
        description="an address as RFC 5321 writes it, ASCII only",
    ),
]
ZoneName = Annotated[str, Meta(min_length=1, max_length=64, examples=["Europe/Berlin"])]
SlackUser = Annotated[
    str,
    Meta(
        pattern=r"^[UW][A-Z0-9]{2,20}\Z", examples=["U024BE7LH"], extra={"words": "a Slack member id, like U024BE7LH"}
    ),
]
Roles = Annotated[list[Role], Meta(min_length=1, max_length=5)]
Scopes = Annotated[list[Permission], Meta(min_length=1, max_length=50)]


class Tenant(msgspec.Struct, frozen=True):
    """The organisation that manages its vendors."""

    id: UUID
    name: str
    time_zone: str
    created_at: datetime
    updated_at: datetime
    version: int


class TenantChanges(Body):
    """Changes to the tenant."""

    name: Name | UnsetType = UNSET
    time_zone: ZoneName | UnsetType = UNSET


class Member(msgspec.Struct, frozen=True):
    """A person of the tenant."""

    id: UUID
    name: str
    email: str
    roles: list[Role]
    slack_user_id: str | None
    is_active: bool
    """Whether the member may act."""
    created_at: datetime
    updated_at: datetime
    version: int


class NewMember(Body):
    """A person to add."""

    name: Name
    email: Email
    roles: Roles
    slack_user_id: SlackUser | None = None


class MemberChanges(Body):
    """Changes to a member."""

    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    roles: Roles | UnsetType = UNSET
    slack_user_id: SlackUser | UnsetType | None = UNSET
    is_active: bool | UnsetType = UNSET
    """Whether the member may act."""


class ApiKey(msgspec.Struct, frozen=True):
    """A key without its secret. `public_id` is the middle part of the key. Null `scopes` leave the roles whole."""

    id: UUID
    public_id: str
    """The middle part of the key, by which people recognise it."""
    name: str
    roles: list[Role]
    scopes: list[Permission] | None
    member_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    """When it was revoked. Null if it was not."""
    last_used_at: datetime | None
    """When it was last used, to within half a minute. Null if never."""
    rotated_from_id: UUID | None
    version: int


class NewApiKey(Body):
    """An API key to create. It has at most the permissions of its roles."""

    name: Name
    roles: Roles
    scopes: Scopes | None = None
    member_id: UUID | None = None
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None


class ApiKeyRotation(Body):
    """How long the old key goes on working beside the new one, and when the new one ends.

    Without `expires_at` the new key lives as long as the old one was made for. With null it does not end by itself.
    """

    overlap_seconds: Annotated[int, Meta(ge=0, le=30 * 24 * 3600)] = 24 * 3600
    """How long the old key works beside the new one."""
    expires_at: Annotated[datetime, Meta(tz=True)] | UnsetType | None = UNSET
    """When the new key stops working. Null for never. If left out, it lives as long as the old key was made for."""


class CreatedApiKey(ApiKey, frozen=True, kw_only=True):
    """A key just made. `secret` is shown this once and cannot be read again."""

    secret: str
    """The whole key, as it is sent with requests. Shown this once."""


class Caller(msgspec.Struct, frozen=True):
    """The caller that the credentials belong to."""

    kind: ActorKind
    id: UUID
    """The member or key."""
    label: str
    tenant_id: UUID
    member_id: UUID | None
    """The member that the caller is or acts for. Null for a machine."""
    permissions: list[Permission]


class KeyOnFile(msgspec.Struct, frozen=True):
    """The parts of a key that authentication needs, with its tenant."""

    id: UUID
    tenant_id: UUID
    time_zone: str
    name: str
    secret_hash: bytes
    roles: list[Role]
    scopes: list[Permission] | None
    member_id: UUID | None
    expires_at: datetime | None
    revoked_at: datetime | None
    member_roles: list[Role] | None
    """The member's own roles, which bound those of the key. Null if the key belongs to no member."""
