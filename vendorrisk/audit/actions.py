"""The closed list of audit actions: `<target>:<past participle>`. Append only; never renamed."""

from enum import StrEnum


class Action(StrEnum):
    TENANT_FOUNDED = "tenant:founded"
    TENANT_CHANGED = "tenant:changed"
    MEMBER_ADDED = "member:added"
    MEMBER_CHANGED = "member:changed"
    MEMBER_REMOVED = "member:removed"
    API_KEY_CREATED = "api_key:created"
    API_KEY_ROTATED = "api_key:rotated"
    API_KEY_REVOKED = "api_key:revoked"
