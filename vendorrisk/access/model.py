"""The actor, and the proof that it may do something in a tenant."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from vendorrisk.access.permissions import GRANTS, Permission, Role
from vendorrisk.clock import today_in
from vendorrisk.errors import Code, Refusal


class ActorKind(StrEnum):
    """The kinds of actors: a member, an API key, or the system."""

    API_KEY = "api_key"
    MEMBER = "member"
    RESPONDENT = "respondent"
    SYSTEM = "system"


class Tenant(msgspec.Struct, frozen=True):
    """The part of a tenant that every operation needs."""

    id: UUID
    time_zone: str


class Actor(msgspec.Struct, frozen=True):
    """Who acts, in which tenant, with which permissions. `member_id` is the person behind it, if any."""

    kind: ActorKind
    id: UUID
    label: str
    tenant: Tenant
    permissions: frozenset[Permission]
    member_id: UUID | None = None


class Permitted(msgspec.Struct, frozen=True):
    """Proof that an actor may act in a tenant. Made by `permit` alone."""

    actor: Actor
    permission: Permission

    @property
    def tenant_id(self) -> UUID:
        return self.actor.tenant.id

    def today(self, now: datetime) -> date:
        """Return the tenant's calendar day."""
        return today_in(self.actor.tenant.time_zone, now)


SYSTEM_ID = UUID(int=0)


def permissions_of(roles: Iterable[Role], scopes: Iterable[Permission] | None) -> frozenset[Permission]:
    """Return the roles' permissions, narrowed by the scopes. No scopes leave the roles whole."""
    held = frozenset[Permission]().union(*(GRANTS[role] for role in roles))
    return held if scopes is None else held & frozenset(scopes)


def permit(actor: Actor, permission: Permission) -> Permitted:
    """Prove that the actor holds the permission. Refuses with 403 otherwise."""
    if permission not in actor.permissions:
        raise Refusal(Code.PERMISSION_DENIED, f"This needs the permission {permission.value}.")
    return Permitted(actor, permission)


def system(tenant: Tenant, job: str, permission: Permission) -> Permitted:
    """Return the proof for a background job inside one tenant. The audit log names the job."""
    actor = Actor(ActorKind.SYSTEM, SYSTEM_ID, job, tenant, frozenset(Permission))
    return permit(actor, permission)
